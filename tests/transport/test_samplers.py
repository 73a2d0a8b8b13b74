"""Samplers against known laws. Every tolerance comes from the number of particles or from a convergence rate, and the
statistic that a sampler passes is shown to fail for a wrong law."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
import torch

from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.conductor import Job, Trace, run
from gensot_demo.transport.grids import at_noise_levels, noise_levels, uniform_times
from gensot_demo.transport.guides import SHAPES, guided_protocol
from gensot_demo.transport.harmonic import HarmonicPath, constant_protocol
from gensot_demo.transport.mixtures import GaussianMixture, two_modes
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.paths import CondOTPath, CosinePath, PathPoints, VEPath, VPLinearPath
from gensot_demo.transport.steering import Steering

MODES = two_modes()
TILTED = GaussianMixture([1.0], [[1.0, -2.0]], torch.tensor([[[0.5, 0.3], [0.3, 0.4]]]))
ROUND = GaussianMixture([1.0], [[3.0, 0.5]], torch.eye(2)[None])
STOCHASTIC = [name for name, choice in SAMPLERS.items() if choice.stochastic]
ONLY_THE_ENDS = 10**9


def traces(
    grids: dict[str, PathPoints], sampler: str, target, noise: SharedNoise, keep_every: int = ONLY_THE_ENDS
) -> list[Trace]:
    steering = Steering(data_variance=target.covariance_trace() / target.dimension)
    jobs = [Job(name, SAMPLERS[sampler].run, grid, noise, steering) for name, grid in grids.items()]
    return run(jobs, target, keep_every=keep_every, max_rows=10**6)


def sample(grid: PathPoints, sampler: str, target, noise: SharedNoise) -> torch.Tensor:
    return traces({sampler: grid}, sampler, target, noise)[0].end


def guided(shape: str, stiffness: float, temperature: float = 1.0) -> HarmonicPath:
    return HarmonicPath(guided_protocol(shape, stiffness, MODES.mean(), temperature=temperature))


def upper(x: torch.Tensor) -> torch.Tensor:
    return (x[:, 1] > 0).double()


def worst_deviation(x: torch.Tensor, law: GaussianMixture) -> float:
    """Largest deviation of the first two moments of the draws x (n, d) from those of the law, in standard errors."""
    centred = x - law.mean()
    i, j = np.triu_indices(x.shape[1])
    features = torch.cat([centred, centred[:, i] * centred[:, j]], 1)
    expected = torch.cat([torch.zeros(x.shape[1]), law.covariance()[i, j]])
    error = features.std(0) / math.sqrt(len(x))
    return float(((features.mean(0) - expected) / error).abs().max())


# --- the law of what comes out --------------------------------------------------------------------------------------


@cache
def terminal(sampler: str, which: str) -> torch.Tensor:
    target, path = {"tilted": TILTED, "modes": MODES}[which], guided("S", 10.0)
    steps = {"heun": 60, "averaged": 100, "bridge": 400}.get(sampler, 200)
    # equal steps in t leave the last stretch, of noise sqrt(dt), to the last prediction: its variance is lost
    grid = uniform_times(path, 200) if sampler == "euler" else at_noise_levels(path, noise_levels(steps, 80.0, 0.02))
    return sample(grid, sampler, target, SharedNoise([5], 2, 3000))


@pytest.mark.parametrize("which", ["tilted", "modes"])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_reaches_the_law_and_the_test_has_power(sampler, which):
    x = terminal(sampler, which)
    law, wrong = {
        "tilted": (TILTED, GaussianMixture([1.0], TILTED.means, 1.25 * TILTED.covariances)),
        "modes": (MODES, GaussianMixture([0.62, 0.38], MODES.means, MODES.covariances)),
    }[which]
    assert worst_deviation(x, law) < 4
    assert worst_deviation(x, wrong) > 5


@pytest.mark.parametrize("stiffness", [5.0, 20.0])
@pytest.mark.parametrize(("sampler", "shapes"), [("bridge", SHAPES), ("averaged", ("straight", "S", "V frozen"))])
def test_no_guide_changes_the_mode_weights(sampler, shapes, stiffness):
    particles = 8000
    grids = {shape: uniform_times(guided(shape, stiffness), 200) for shape in shapes}
    results = traces(grids, sampler, MODES, SharedNoise([1], 2, particles))
    for trace in results:
        weight = float(upper(trace.end).mean())
        assert abs(weight - 0.7) < 3 * math.sqrt(0.7 * 0.3 / particles), trace.name
        torch.testing.assert_close(trace.end, results[0].end, rtol=0, atol=1e-6)  # not even the single draws


@pytest.mark.parametrize(
    ("shape", "steps", "weight"),
    [("straight", 20, 0.710), ("straight", 50, 0.704), ("S", 20, 0.660), ("S", 50, 0.685), ("V", 20, 0.665),
     ("V", 50, 0.687), ("V frozen", 20, 0.639), ("V frozen", 50, 0.677)],
)  # fmt: skip
def test_euler_maruyama_has_the_known_error_in_the_mode_weights(shape, steps, weight):
    """Reference weights at stiffness 20, from an independent implementation with 20000 particles."""
    particles = 6000
    x = sample(uniform_times(guided(shape, 20.0), steps), "euler", MODES, SharedNoise([2], 2, particles))
    assert abs(float(upper(x).mean()) - weight) < 3 * math.sqrt(0.21 / particles + 0.21 / 20000) + 0.001


def test_euler_maruyama_matches_a_plain_loop_with_fresh_noise():
    path, steps, particles = guided("S", 50.0), 25, 6000
    p, generator = path.at(torch.linspace(0, 1, steps + 1)), torch.Generator().manual_seed(0)
    x, h = torch.zeros(particles, 2, dtype=torch.float64), 1 / steps
    for i in range(steps):
        b, aM, r = p.pull[i], p.relaxation[i], p.push[i]
        drift = -aM * x + b * MODES.predict(x - p.g[i], float(p.a[i]), float(p.m[i])) + r
        x = x + h * drift + math.sqrt(h) * torch.randn(x.shape, generator=generator, dtype=torch.float64)
    ours = sample(uniform_times(path, steps), "euler", MODES, SharedNoise([2], 2, particles))
    difference = float(upper(ours).mean() - upper(x).mean())
    assert abs(difference) < 3.5 * math.sqrt(2 * 0.21 / particles)
    assert abs(float(upper(x).mean()) - 0.7) > 0.05  # a bias worth agreeing on


@pytest.mark.parametrize("temperature", [1.0, 0.3])
@pytest.mark.parametrize("sampler", ["bridge", "euler"])
def test_marginals_on_the_way_are_the_closed_form_ones(sampler, temperature):
    path = guided("S", 20.0, temperature)
    grid = uniform_times(path, 200)
    (trace,) = traces({"S": grid}, sampler, MODES, SharedNoise([3], 2, 3000), keep_every=50)
    for step in trace.steps[1:-1]:
        p = grid.point(step.index)
        law = MODES.marginal(p.a, p.m, p.g)
        assert worst_deviation(step.x, law) < 4
        assert worst_deviation(step.x, MODES.marginal(p.a, p.m * 1.15, p.g)) > 4.5


@pytest.mark.parametrize("path", [CondOTPath(), CosinePath(), VPLinearPath(), VEPath()], ids=lambda path: path.name)
@pytest.mark.parametrize("sampler", ["bridge", "heun"])
def test_every_schedule_reaches_the_law(path, sampler):
    levels = noise_levels(40 if sampler == "heun" else 150, 60.0, 0.02)
    x = sample(at_noise_levels(path, levels), sampler, TILTED, SharedNoise([5], 2, 2000))
    assert worst_deviation(x, TILTED) < 4


# --- one noise, one destination -------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_protocol_cannot_change_where_a_seed_arrives(sampler):
    """Same noise and noise levels: four protocols and a schedule end at the same points, except for Euler-Maruyama."""
    levels = noise_levels(25, 60.0, 0.02)
    paths = {
        "none": guided("none", 0.0),
        "S": guided("S", 20.0),
        "V, hot and stiff": guided("V", 200.0, 3.0),
        "elsewhere": HarmonicPath(constant_protocol(7.0, torch.tensor([-4.0, 4.0]), torch.tensor([2.0, 9.0]), 0.4)),
        "schedule": CosinePath(),
    }
    grids = {name: at_noise_levels(path, levels) for name, path in paths.items()}
    ends = torch.stack([t.end for t in traces(grids, sampler, MODES, SharedNoise([1, 2], 2, 200))])
    apart = float((ends - ends[0]).abs().max())
    assert apart > 1e-2 if sampler == "euler" else apart < 1e-6


def test_the_same_seed_gives_the_same_picture_whatever_the_number_of_steps():
    """Stochastic samplers converge to one point per seed, because they read one Brownian path."""
    path, noise = guided("S", 20.0), SharedNoise([1], 2, 500)
    for sampler in STOCHASTIC:
        ends = [sample(uniform_times(path, n), sampler, MODES, noise) for n in (25, 100, 400)]
        far = (ends[0] - ends[2]).square().sum(1).median().sqrt()
        near = (ends[1] - ends[2]).square().sum(1).median().sqrt()
        assert near < 0.65 * far
        other = sample(uniform_times(path, 100), sampler, MODES, SharedNoise([7], 2, 500))
        assert (other - ends[2]).square().sum(1).median().sqrt() > 4 * near


# --- accuracy -------------------------------------------------------------------------------------------------------


@cache
def reference_ends() -> tuple[torch.Tensor, dict[tuple[str, int], torch.Tensor]]:
    path, noise = guided("S", 50.0), SharedNoise([1], 2, 2000)
    fine = sample(uniform_times(path, 1000), "bridge", MODES, noise)
    return fine, {(s, n): sample(uniform_times(path, n), s, MODES, noise) for s in STOCHASTIC for n in (20, 40)}


@pytest.mark.parametrize("steps", [20, 40])
def test_averaged_noise_beats_bridge_and_euler_at_equal_calls(steps):
    fine, ends = reference_ends()
    rms = {s: float((ends[s, steps] - fine).square().sum(1).mean().sqrt()) for s in STOCHASTIC}
    weight = {s: abs(float((upper(ends[s, steps]) - upper(fine)).mean())) for s in STOCHASTIC}
    assert rms["averaged"] < 0.85 * rms["bridge"] < 0.85 * rms["euler"]
    assert weight["averaged"] < 0.6 * weight["bridge"]
    assert weight["averaged"] < 0.2 * weight["euler"]


def test_averaged_noise_keeps_the_variance_of_a_gaussian_at_five_steps():
    path, noise = HarmonicPath(constant_protocol(20.0, torch.zeros(2))), SharedNoise([3], 2, 1000)

    def end(sampler: str, steps: int) -> torch.Tensor:
        return sample(at_noise_levels(path, noise_levels(steps, 20.0, 0.02, math.inf)), sampler, ROUND, noise)

    fine = float(end("averaged", 500).var(0).mean())
    error = {(s, n): abs(float(end(s, n).var(0).mean()) - fine) for s in ("averaged", "bridge") for n in (5, 20, 40)}
    assert error["averaged", 5] < 0.03  # 2 % of the variance, where the bridge step loses 70 %
    assert error["averaged", 20] < 0.005
    assert error["averaged", 40] < 0.005
    for steps in (5, 20, 40):
        assert 10 * error["averaged", steps] < error["bridge", steps]


@pytest.mark.parametrize(("sampler", "order"), [("heun", 2), ("deterministic", 1)])
def test_order_of_the_deterministic_samplers(sampler, order):
    """The flow of N(mu, s^2 I) is known: z - mu scales with sqrt(s^2 + sigma^2)."""
    noise, sigma = SharedNoise([4], 2, 50), 20.0
    exact = ROUND.mean() + sigma * noise.direction(-2 * math.log(sigma)) / math.sqrt(1 + sigma**2)
    errors = []
    for steps in (20, 40, 80):
        grid = at_noise_levels(guided("S", 20.0), noise_levels(steps, sigma, 1e-4))
        errors.append(float((sample(grid, sampler, ROUND, noise) - exact).square().mean().sqrt()))
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(rates, order, atol=0.25)


@pytest.mark.parametrize("sampler", ["bridge", "averaged"])
def test_a_certain_state_is_reached_exactly_in_two_steps(sampler):
    path, target = guided("S", 20.0), GaussianMixture([1.0], [[1.0, 2.0]], 1e-20 * torch.eye(2)[None])
    x = sample(uniform_times(path, 2), sampler, target, SharedNoise([0], 2, 3))
    torch.testing.assert_close(x, torch.tensor([[1.0, 2.0]], dtype=torch.float64).expand(3, 2))


def test_heun_with_forty_steps_keeps_the_weights():
    grid = at_noise_levels(guided("S", 50.0), noise_levels(40, 80.0, 0.01))
    weight = float(upper(sample(grid, "heun", MODES, SharedNoise([3], 2, 4000))).mean())
    assert abs(weight - 0.7) < 3 * math.sqrt(0.21 / 4000)
