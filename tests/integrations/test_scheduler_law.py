"""The scheduler samples the law it names, judged with a network that knows a Gaussian law exactly."""

from __future__ import annotations

import pytest
import torch

from gensot_demo.integrations import GenSOTScheduler

from .tiny import SD_SCHEDULE, GaussianNetwork

MEAN, VARIANCE = 0.5, 0.25
VIEW, VIEW_NOISE = -1.0, 0.4
ROWS, SIZE = 192, 8


def posterior() -> tuple[float, float]:
    precision = 1 / VARIANCE + 1 / VIEW_NOISE**2
    return (MEAN / VARIANCE + VIEW / VIEW_NOISE**2) / precision, 1 / precision


def made(kind: str = "epsilon", reference: float | None = None, **settings):
    scheduler = GenSOTScheduler(prediction_type=kind, reference_noise=VIEW_NOISE, **settings)
    if reference is not None:
        scheduler.set_reference(torch.full((1, SIZE, SIZE), reference))
    return scheduler, GaussianNetwork(-0.5 * scheduler._table.log_levels, MEAN, VARIANCE, kind, SIZE)


def sampled(scheduler, network, steps=80, seed=0, scales=True, dtype=torch.float32, change=None) -> torch.Tensor:
    """The loop of a pipeline: one that scales its input, or one like DDPMPipeline that does not."""
    generator = torch.Generator().manual_seed(seed)
    sample = torch.randn(ROWS, 1, SIZE, SIZE, generator=generator).to(dtype)
    scheduler.set_timesteps(steps)
    for t in scheduler.timesteps:
        given = scheduler.scale_model_input(sample, t) if scales else sample
        output = network(given, t).sample
        sample = scheduler.step(output, t, sample, generator=generator).prev_sample
        sample = sample if change is None else change(sample)
    return sample


def errors(samples: torch.Tensor, law: tuple[float, float]) -> tuple[float, float]:
    """Errors of mean and variance in standard errors of independent coordinates."""
    mean, variance = law
    n = samples.numel()
    return (
        float(abs(samples.mean() - mean) / (variance / n) ** 0.5),
        float(abs(samples.var() - variance) / (variance * (2 / n) ** 0.5)),
    )


def law_of_steps(
    sigmas: torch.Tensor, start: float, view: float | None = None, stochastic: bool = True, known: bool = False
) -> tuple[float, float]:
    """(mean, variance) of what finitely many steps make of a Gaussian law, by recursion in H = K z.

    start: the mean at the first level; known: start from exact samples of the law, noised, instead.
    """
    precision, natural = 1 / VARIANCE, MEAN / VARIANCE
    if view is not None:
        precision, natural = precision + VIEW_NOISE**-2, natural + view * VIEW_NOISE**-2
    information = sigmas[:-1].double() ** -2
    first = float(information[0])
    mean, variance = first * start, first + (first**2 / precision if known else 0.0)
    for K, following in zip(information.tolist(), information.tolist()[1:], strict=False):
        answer, gain = (mean + natural) / (K + precision), following - K
        if stochastic:
            mean, variance = mean + gain * answer, variance * (1 + gain / (K + precision)) ** 2 + gain
        else:  # z' = y + (sigma'/sigma)(z - y)
            ratio, share = (K / following) ** 0.5, K / (K + precision)
            mean = following * (answer + ratio * (mean / K - answer))
            variance *= (following / K * (share + ratio * (1 - share))) ** 2
    total = float(information[-1]) + precision
    return (mean + natural) / total, variance / total**2


@pytest.mark.parametrize("view", [None, VIEW])
@pytest.mark.parametrize("stochastic", [True, False])
def test_the_steps_law_tends_to_the_law_asked_for(view, stochastic):
    mean, variance = (MEAN, VARIANCE) if view is None else posterior()
    scheduler = GenSOTScheduler()
    off = []
    for steps in (100, 1000):
        scheduler.set_timesteps(steps)
        made_mean, made_variance = law_of_steps(scheduler.sigmas, mean, view, stochastic)
        assert made_mean == pytest.approx(mean, abs=0.01)
        off.append(abs(made_variance / variance - 1))
    assert off[1] < 0.02
    assert off[0] > 5 * off[1]


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_samples_follow_the_networks_law(kind):
    scheduler, network = made(kind)
    samples = sampled(scheduler, network)
    assert max(errors(samples, law_of_steps(scheduler.sigmas, 0.0))) < 4


@pytest.mark.parametrize("settings", [{"stochastic": False}, {"stiffness": 0.0}, {"stiffness": 1e4, "guide": 3.0}])
def test_dynamics_and_protocol_leave_the_law(settings):
    scheduler, network = made(**settings)
    samples = sampled(scheduler, network)
    law = law_of_steps(scheduler.sigmas, 0.0, stochastic=settings.get("stochastic", True))
    assert max(errors(samples, law)) < 4


def test_a_known_mean_moves_the_start():
    scheduler, network = made(**SD_SCHEDULE)
    scheduler.set_mean(torch.full((1, 1, SIZE, SIZE), 40.0))
    samples = sampled(scheduler, network)
    assert max(errors(samples, law_of_steps(scheduler.sigmas, 40.0))) < 4
    assert errors(samples, law_of_steps(scheduler.sigmas, 0.0))[0] > 6


@pytest.mark.parametrize("scales", [True, False])
@pytest.mark.parametrize("stochastic", [True, False])
def test_a_reference_gives_the_posterior_of_its_view(scales, stochastic):
    """Where the network cannot be asked for the mean the reference stands in for it."""
    scheduler, network = made(reference=VIEW, stochastic=stochastic)
    samples = sampled(scheduler, network, scales=scales)
    start = posterior()[0] if scales else VIEW
    assert max(errors(samples, law_of_steps(scheduler.sigmas, start, VIEW, stochastic))) < 4


def test_the_same_statistic_rejects_the_law_without_the_reference():
    scheduler, network = made(reference=VIEW)
    plain, plain_network = made()
    assert min(errors(sampled(plain, plain_network), posterior())) > 20
    assert min(errors(sampled(scheduler, network), (MEAN, VARIANCE))) > 20


def test_the_network_is_asked_at_the_tilted_level_and_state():
    """Natural parameters add up: z = (K z + r/nu^2)/(K + 1/nu^2), at the level of that precision."""
    scheduler, network = made(reference=VIEW)
    sampled(scheduler, network)
    levels = [sigma for sigma, _ in network.inputs]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] == pytest.approx(VIEW_NOISE, rel=1e-3)
    z = network.inputs[0][1] * (1 + VIEW_NOISE**2) ** 0.5
    assert torch.allclose(z, torch.full_like(z, VIEW), atol=1e-3)
    for row in (0, 20, 40):
        sigma, given = network.inputs[1 + row]
        own, view = float(scheduler.sigmas[row]) ** -2, VIEW_NOISE**-2
        assert sigma**-2 == pytest.approx(own + view, rel=2e-3)
        mean, variance = posterior()
        z = given * (1 + sigma**2) ** 0.5
        assert float(z.mean()) == pytest.approx((own * mean + view * VIEW) / (own + view), abs=0.02)
        assert float(z.var()) == pytest.approx((own**2 * variance + own) / (own + view) ** 2, rel=0.1)


def test_a_start_in_the_middle_keeps_the_law():
    """Samples of the posterior, noised by add_noise at a level of the loop, arrive at the posterior again."""
    mean, variance = posterior()
    generator = torch.Generator().manual_seed(1)
    y = mean + variance**0.5 * torch.randn(ROWS, 1, SIZE, SIZE, generator=generator)
    scheduler, network = made(reference=VIEW)
    scheduler.set_timesteps(80)
    scheduler.set_begin_index(40)
    noise = torch.randn(y.shape, generator=generator)
    sample = scheduler.add_noise(y, noise, scheduler.timesteps[40:41])
    for t in scheduler.timesteps[40:]:
        output = network(scheduler.scale_model_input(sample, t), t).sample
        sample = scheduler.step(output, t, sample, generator=generator).prev_sample
    law = law_of_steps(scheduler.sigmas[39:], mean, VIEW, known=True)  # the opening is no level
    assert max(errors(sample, law)) < 4
    assert float((sample - y).abs().mean()) > 0.01


def test_changes_by_a_callback_are_kept():
    scheduler, network = made(reference=VIEW)
    plain = sampled(scheduler, network, steps=20)
    assert torch.equal(plain, sampled(scheduler, network, steps=20, change=torch.clone))
    moved = sampled(scheduler, network, steps=20, change=lambda u: u + 0.05)
    assert float((moved - plain).mean()) > 0.05


@pytest.mark.parametrize("reference_noise", [0.4, 0.05])
def test_half_precision_stays_near(reference_noise):
    """The state is kept in float32, so that a strong reference does not drown the noise in rounding."""
    scheduler, network = made(reference=VIEW)
    scheduler = GenSOTScheduler.from_config(scheduler.config, reference_noise=reference_noise)
    scheduler.set_reference(torch.full((1, SIZE, SIZE), VIEW))
    exact = sampled(scheduler, network, 20)
    half = sampled(scheduler, network, 20, dtype=torch.float16)
    assert half.dtype == torch.float16
    precision = 1 / VARIANCE + reference_noise**-2
    assert float((half.float() - exact).std()) < 0.02 * precision**-0.5
    scheduler.set_timesteps(20)
    x = torch.randn(ROWS, 1, SIZE, SIZE)
    image = scheduler._carried.asked(3, x)[0].half()
    assert torch.equal(scheduler._carried.state(3, image, x, image), x)  # not rounded by the pipeline


def test_the_guide_moves_the_path_and_not_the_samples():
    (still, network), (moved, _) = made(guide=0.0), made(guide=4.0)
    samples = sampled(still, network, 12), sampled(moved, network, 12)
    assert torch.allclose(*samples, atol=1e-4)
    states = []
    for scheduler in (still, moved):
        noise = torch.zeros(1, 1, SIZE, SIZE)
        scheduler.set_timesteps(12)
        scheduler.step(noise, scheduler.timesteps[0], noise, generator=torch.Generator().manual_seed(0))
        states.append(scheduler.path_state)
    assert float((states[1] - states[0]).min()) > 1.0


def test_path_time_puts_the_steps_where_the_protocol_does():
    soft, stiff, plain = (
        GenSOTScheduler(stiffness=0.0, spacing="path_time"),
        GenSOTScheduler(stiffness=400.0, spacing="path_time"),
        GenSOTScheduler(stiffness=400.0),
    )
    for scheduler in (soft, stiff, plain):
        scheduler.set_timesteps(20)
        assert scheduler.sigmas[0] == pytest.approx(scheduler._table.sigma_max, rel=1e-6)
        assert scheduler.sigmas[-2] == pytest.approx(scheduler._table.sigma_min, rel=1e-6)
    assert torch.diff(soft.grid.t[:-1]).std() < 1e-9
    assert float((stiff.sigmas[5] / soft.sigmas[5]).log().abs()) > 0.5
    assert float((stiff.sigmas[5] / plain.sigmas[5]).log().abs()) > 0.2


def test_half_precision_keeps_the_noise_under_a_strong_reference():
    """In the network's input the path's noise is then far below the rounding; it lives on in the scheduler."""
    states = []
    for dtype in (torch.float32, torch.float16):
        scheduler, network = made()
        scheduler = GenSOTScheduler.from_config(scheduler.config, reference_noise=0.05, stochastic=False)
        scheduler.set_reference(torch.full((1, SIZE, SIZE), VIEW))
        seen = []
        sampled(
            scheduler, network, 20, dtype=dtype, change=lambda u, s=scheduler, kept=seen: kept.append(s.path_state) or u
        )
        states.append(seen[5])
    spread = float(states[0].std())
    assert float((states[1] - states[0]).std()) < 0.02 * spread
