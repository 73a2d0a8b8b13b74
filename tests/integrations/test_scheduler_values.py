"""What the scheduler refuses, with a sentence that names the value and the range."""

from __future__ import annotations

import pytest
import torch

from gensot_demo.integrations import GenSOTScheduler


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prediction_type", "flow_prediction"), ("stiffness", -1.0), ("stiffness", 2e6), ("temperature", 0.0),
        ("temperature", float("nan")), ("reference_noise", 0.0), ("reference_noise", -2.0), ("guide", "mean"),
        ("spacing", "leading"), ("rho", 0.5), ("beta_schedule", "cubic"),
    ],
)  # fmt: skip
def test_settings_out_of_range(name, value):
    with pytest.raises(ValueError, match=f"{name} is .*{value if isinstance(value, str) else ''}"):
        GenSOTScheduler(**{name: value})


@pytest.mark.parametrize("steps", [0, 1, 1001])
def test_numbers_of_steps_out_of_range(steps):
    with pytest.raises(ValueError, match=f"num_inference_steps is {steps}; it must be from 2 to 1000"):
        GenSOTScheduler().set_timesteps(steps)


@pytest.mark.parametrize("steps", [2, 1000])
@pytest.mark.parametrize("reference", [None, torch.zeros(1, 2, 2)])
def test_ends_of_the_range(steps, reference):
    scheduler = GenSOTScheduler()
    scheduler.set_reference(reference)
    scheduler.set_timesteps(steps)
    assert len(scheduler.timesteps) == scheduler.num_inference_steps == steps


def test_custom_levels_and_timesteps_agree():
    scheduler = GenSOTScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    scheduler.set_timesteps(timesteps=[999, 500, 20])
    levels, times = scheduler.sigmas, scheduler.timesteps
    assert times.tolist() == [999, 500, 20]
    scheduler.set_timesteps(sigmas=levels.tolist())
    assert scheduler.timesteps.tolist() == pytest.approx(times.tolist(), abs=1e-3)
    scheduler.set_timesteps(sigmas=[14.615, 6.475, 0.652, 0.0])  # as published
    assert scheduler.num_inference_steps == 3
    for wrong in ([1.0, 2.0], [100.0, 1.0], [], [float("nan")]):
        with pytest.raises(ValueError, match="sigmas is"):
            scheduler.set_timesteps(sigmas=wrong)


def test_steps_that_make_no_sense():
    scheduler, x = GenSOTScheduler(), torch.zeros(1, 1, 2, 2)
    with pytest.raises(ValueError, match="call set_timesteps"):
        scheduler.step(x, 999, x)
    scheduler.set_timesteps(2)
    with pytest.raises(ValueError, match=r"eta is 0\.5"):
        scheduler.step(x, scheduler.timesteps[0], x, eta=0.5)
    for t in scheduler.timesteps:
        x = scheduler.step(x, t, x, eta=0.0, return_dict=False)[0]
    with pytest.raises(ValueError, match="step 2 was asked of 2"):
        scheduler.step(x, 0, x)


def test_a_reference_of_another_shape_or_not_finite():
    scheduler, x = GenSOTScheduler(), torch.zeros(1, 1, 2, 2)
    scheduler.set_reference(torch.zeros(3, 2, 2))
    scheduler.set_timesteps(4)
    with pytest.raises(ValueError, match=r"\(3, 2, 2\)"):
        scheduler.scale_model_input(x, scheduler.timesteps[0])
    with pytest.raises(ValueError, match="reference"):
        scheduler.set_reference(torch.full((1, 2, 2), torch.nan))


def test_training_noise_is_the_tables():
    scheduler = GenSOTScheduler()
    y, noise = torch.full((3, 1, 2, 2), 2.0), torch.ones(3, 1, 2, 2)
    timesteps = torch.tensor([0, 500, 999])
    noisy = scheduler.add_noise(y, noise, timesteps)
    signal = torch.cumprod(1 - torch.linspace(0.0001, 0.02, 1000, dtype=torch.float64), 0)[timesteps]
    assert noisy[:, 0, 0, 0].tolist() == pytest.approx((signal.sqrt() * 2 + (1 - signal).sqrt()).tolist(), rel=1e-3)


def test_learnt_variances_and_clipping_are_understood():
    scheduler = GenSOTScheduler(prediction_type="sample", clip_sample=True, clip_sample_range=0.5)
    scheduler.set_timesteps(2)
    x, output = torch.zeros(1, 1, 2, 2), torch.full((1, 2, 2, 2), 3.0)
    assert scheduler.step(output, 999, x).pred_original_sample.unique().tolist() == [0.5]
    thresholding = GenSOTScheduler(prediction_type="sample", thresholding=True)
    thresholding.set_timesteps(2)
    assert float(thresholding.step(output, 999, x).pred_original_sample.max()) == 1.0
