"""The guider by itself, and in a modular pipeline."""

from __future__ import annotations

import pytest
import torch
from diffusers import ClassifierFreeGuidance
from diffusers.modular_pipelines import StableDiffusionXLAutoBlocks
from diffusers.modular_pipelines.modular_pipeline import BlockState

from gensot_demo.integrations import GenSOTGuidance, GenSOTScheduler

from . import tiny

STEPS = 5


def fields(*values: float) -> tuple[torch.Tensor, ...]:
    return tuple(torch.full((2, 3), value) for value in values)


def guided(guider, step: int = 0, steps: int = STEPS, values=(3.0, 1.0)) -> tuple[float, int, list[bool]]:
    """One step as the denoising block of diffusers calls it, for a network that returns its condition.

    Gives (prediction, passes, whether each was conditional).
    """
    guider.set_state(step=step, num_inference_steps=steps, timestep=torch.tensor(10))
    batches = guider.prepare_inputs({"prompt_embeds": fields(*values), "time_ids": fields(0.0, 0.0)})
    kinds = []
    for batch in batches:
        guider.prepare_models(None)
        kinds.append(guider.is_conditional)
        batch.noise_pred = batch.prompt_embeds + batch.time_ids
        guider.cleanup_models(None)
    return float(guider(batches)[0][0, 0]), len(batches), kinds


@pytest.mark.parametrize("step", range(STEPS))
@pytest.mark.parametrize("interval", [(0.0, 1.0), (0.2, 0.8)])
@pytest.mark.parametrize("trust", [1.0, 4.0])
def test_one_constant_trust_is_classifier_free_guidance(step, interval, trust):
    start, stop = interval
    ours = GenSOTGuidance(trust, start=start, stop=stop)
    theirs = ClassifierFreeGuidance(guidance_scale=trust, start=start, stop=stop)
    assert guided(ours, step) == guided(theirs, step)


def test_a_schedule_changes_the_trust():
    guider = GenSOTGuidance(4.0, schedule=[(0.0, 0.0), (0.5, 1.0)])
    assert [guided(guider, step)[0] for step in range(STEPS)] == pytest.approx([1.0, 5.0, 9.0, 9.0, 9.0])
    falling = GenSOTGuidance(4.0, schedule=[(0.0, 1.0), (1.0, 0.25)])
    assert guided(falling, STEPS - 1)[:2] == (3.0, 1)  # trust 1: a single pass


def test_passes_are_promised_before_every_run():
    """Pipelines encode the null prompt only if the guider says, before the loop, that it will be needed."""
    guider = GenSOTGuidance(4.0, schedule=[(0.0, 0.25), (1.0, 0.25)], more_trusts=(0.0,))
    guider.set_conditions([{}])
    assert guider.num_conditions == 3
    late = GenSOTGuidance(4.0, stop=0.5)
    for _ in range(2):
        assert late.num_conditions == 2
        assert [guided(late, step)[1] for step in range(STEPS)] == [2, 2, 1, 1, 1]
    assert GenSOTGuidance(1.0).num_conditions == 1
    assert GenSOTGuidance(5.0, enabled=False).num_conditions == 1


def test_more_conditions_add_their_scores():
    guider = GenSOTGuidance(2.0, more_trusts=(0.5, 0.0, -1.0))
    with pytest.raises(ValueError, match="set_conditions"):
        guided(guider)
    values = [{"prompt_embeds": torch.full((2, 3), value)} for value in (7.0, 100.0, 4.0)]
    guider.set_conditions(values)
    prediction, passes, kinds = guided(guider)
    assert prediction == pytest.approx(1 + 2 * (3 - 1) + 0.5 * (7 - 1) - (4 - 1))
    assert (passes, kinds) == (4, [True, False, True, True])
    guider.disable()
    assert guided(guider)[:2] == (3.0, 1)
    with pytest.raises(ValueError, match="2 conditions were given for 3"):
        guider.set_conditions(values[:2])
    other = GenSOTGuidance(2.0, more_trusts=(1.0,))
    other.set_conditions([{"prompt": torch.zeros(1)}])
    with pytest.raises(ValueError, match="prompt_embeds"):
        guided(other)


def test_inputs_by_name_are_the_same():
    guider = GenSOTGuidance(2.0, more_trusts=(1.0,))
    guider.set_conditions([{"states": torch.full((2, 3), 7.0)}])
    guider.set_state(0, STEPS, torch.tensor(10))
    wanted, null = fields(3.0, 1.0)
    state = BlockState(prompt_embeds=wanted, negative_prompt_embeds=null, time_ids=wanted)
    batches = guider.prepare_inputs_from_block_state(
        state, {"states": ("prompt_embeds", "negative_prompt_embeds"), "ids": "time_ids"}
    )
    assert [float(batch.states[0, 0]) for batch in batches] == [3.0, 1.0, 7.0]
    assert all(batch.ids is wanted for batch in batches)


def test_saved_and_loaded(tmp_path):
    guider = GenSOTGuidance(3.0, more_trusts=[1.0, -0.5], schedule=[[0.0, 1.0], [1.0, 0.5]], stop=0.9)
    guider.save_pretrained(tmp_path)
    again = GenSOTGuidance.from_pretrained(tmp_path)
    names = ("trust", "more_trusts", "schedule", "_start", "_stop", "_enabled")
    assert [getattr(again, name) for name in names] == [getattr(guider, name) for name in names]
    assert guider.new(trust=7.0).trust == 7.0
    assert guider.new(trust=7.0).schedule == guider.schedule
    assert "GenSOTGuidance" in repr(again)


@pytest.mark.parametrize(
    "wrong",
    [
        {"trust": float("nan")}, {"trust": 2000.0}, {"more_trusts": (1.0, -2000.0)}, {"schedule": []},
        {"schedule": [(0.0, 1.0, 2.0)]}, {"schedule": [(0.5, 1.0), (0.5, 2.0)]}, {"schedule": [(2.0, 1.0)]},
        {"start": 1.5}, {"stop": -0.5},
    ],
)  # fmt: skip
def test_values_out_of_range(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        GenSOTGuidance(**wrong)


@pytest.fixture(scope="module")
def modular(tmp_path_factory):
    parts = tiny.stable_diffusion_xl(tmp_path_factory.mktemp("xl")).components
    pipe = StableDiffusionXLAutoBlocks().init_pipeline()
    names = ("vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "unet", "scheduler")
    pipe.update_components(**{name: parts[name] for name in names})
    return pipe


def made(pipe, guider) -> torch.Tensor:
    pipe.update_components(guider=guider)
    return pipe(
        prompt="a b", negative_prompt="c", num_inference_steps=4, height=16, width=16, output_type="latent",
        generator=torch.Generator().manual_seed(0), output="latents",
    )  # fmt: skip


def test_in_a_modular_pipeline(modular):
    theirs = made(modular, ClassifierFreeGuidance(guidance_scale=4.0))
    size = float(theirs.abs().max())
    ours = made(modular, GenSOTGuidance(4.0))
    assert float((ours - theirs).abs().max()) < 1e-5 * size
    fading = made(modular, GenSOTGuidance(4.0, schedule=[(0.0, 1.0), (1.0, 0.25)]))
    assert float((fading - theirs).abs().max()) > 1e-4 * size
    guider = GenSOTGuidance(4.0, more_trusts=(2.0,))
    guider.set_conditions([{"prompt_embeds": torch.ones(1, 8, 16), "text_embeds": torch.ones(1, 8)}])
    assert float((made(modular, guider) - theirs).abs().max()) > 1e-4 * size


def test_with_the_scheduler_in_a_modular_pipeline(modular):
    scheduler = GenSOTScheduler.from_config(modular.scheduler.config, reference_noise=0.1)
    scheduler.set_reference(torch.ones(4, 8, 8))
    modular.update_components(scheduler=scheduler)
    assert float((made(modular, GenSOTGuidance(4.0)) - 1).square().mean().sqrt()) < 0.5
