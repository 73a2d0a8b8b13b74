"""Weights on the way, draws apart from the path, and time travel: none of them may change an unguided law."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from gensot_demo.transport.conductor import Job, run
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.grids import at_noise_levels, noise_levels
from gensot_demo.transport.harmonic import HarmonicPath, constant_protocol
from gensot_demo.transport.mixtures import GaussianMixture, two_modes
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.paths import CosinePath, VEPath
from gensot_demo.transport.samplers import bridge_step, deterministic_step, euler_maruyama
from gensot_demo.transport.steering import Prediction, Steering, ask
from gensot_demo.transport.weights import Weights

MIXTURE = two_modes()
WIDE = GaussianMixture([0.6, 0.4], [[1.0, 0.5], [-1.0, -0.5]], [[[0.5, 0.2], [0.2, 0.4]], [[0.3, 0.0], [0.0, 0.6]]])


@dataclass
class Wrong(Steering):
    """Predicts ``push`` too far at every step, and says (``restored``) or does not say so."""

    push: float = 0.0
    restored: bool = True

    def predict(self, point, x):
        plain = (yield ask(point, x)).predicted[0]
        pushed = plain + self.push * torch.tensor([1.0, -0.5], dtype=x.dtype) / math.sqrt(1 + math.exp(point.log_K))
        return Prediction(pushed, unguided=plain if self.restored else None)


@dataclass
class Travelling(Steering):
    """Makes every step ``passes`` times."""

    passes: int = 4

    def repeats(self, point):
        return self.passes


def end_of(sampler, steering, seed, rows=4000, steps=60, oracle=WIDE, path=None):
    grid = at_noise_levels(path or CosinePath(), noise_levels(steps, 60.0, 0.02))
    (trace,) = run([Job("x", sampler, grid, SharedNoise([seed], 2, rows), steering)], oracle, keep_every=steps + 1)
    return trace.end, trace.steps[-1].log_weights


def moments(x, log_w=None):
    w = torch.full((len(x),), 1 / len(x), dtype=x.dtype) if log_w is None else torch.softmax(log_w, 0)
    mean = w @ x
    return torch.cat([mean, (w[:, None] * (x - mean)).T.matmul(x - mean).flatten()])


@pytest.mark.parametrize("path", [CosinePath(), HarmonicPath(constant_protocol(10.0, torch.full((2,), 2.0)))])
@pytest.mark.parametrize("sampler", [bridge_step, euler_maruyama])
def test_likelihood_ratios_give_back_the_unguided_law(sampler, path):
    """The weighted moments of a wrong process against those of the right one on the same sampler, by error bars."""
    seeds = range(6)
    right = torch.stack([moments(*end_of(sampler, Steering(), s, path=path)) for s in seeds])
    for restored in (True, False):
        steering = Wrong(push=0.6, restored=restored)
        found = torch.stack([moments(*end_of(sampler, steering, s + 50, path=path)) for s in seeds])
        spread = ((found.var(0) + right.var(0)) / len(seeds)).sqrt()
        away = ((found.mean(0) - right.mean(0)) / spread).abs()
        if restored:
            assert float(away.max()) < 5
        else:
            assert float(away[:2].max()) > 10


def test_likelihood_ratios_need_noise_in_every_step():
    with pytest.raises(RuntimeError, match="take the bridge step"):
        end_of(deterministic_step, Wrong(push=0.5), 1, rows=4)


def test_likelihood_ratio_is_that_of_two_normal_densities():
    grid = at_noise_levels(VEPath(80.0), torch.tensor([2.0, 0.7], dtype=torch.float64))
    noise, generator = SharedNoise([3], 2, 5), torch.Generator().manual_seed(0)
    x, p, q = (torch.randn(5, 2, generator=generator, dtype=torch.float64) for _ in range(3))
    here, there = grid.point(0), grid.point(1)
    K, K_next = math.exp(here.log_K), math.exp(there.log_K)
    H = K * x + (K_next - K) * q + math.sqrt(K_next - K) * noise.increment(here.log_K, there.log_K)
    log_p, log_q = (-0.5 * ((H - K * x - (K_next - K) * y) ** 2).sum(1) / (K_next - K) for y in (p, q))
    weights = Weights()
    weights.gather(
        Prediction(q, unguided=p), K_next - K, noise.increment(here.log_K, there.log_K), math.sqrt(K_next - K)
    )
    torch.testing.assert_close(weights.log, log_p - log_q, rtol=0, atol=1e-10)


def test_promises_telescope_and_are_kept_by_the_survivors():
    weights = Weights()
    first, second, last = (torch.tensor(v, dtype=torch.float64) for v in ([0.0, 1.0], [3.0, 2.0], [5.0, 7.0]))
    weights.gather(Prediction(torch.zeros(2, 2), log_potential=first), 1.0)
    weights.gather(Prediction(torch.zeros(2, 2), log_potential=second), 1.0)
    assert weights.log.tolist() == second.tolist()
    weights.survive(torch.tensor([1, 1]))
    weights.promise(last)
    assert weights.log.tolist() == [3.0, 5.0]  # less what row 1 had been promised
    with pytest.raises(InvalidValue, match="adds noise"):
        weights.gather(Prediction(torch.zeros(2, 2), unguided=torch.ones(2, 2)), 1.0)


@pytest.mark.parametrize("sampler", [bridge_step, euler_maruyama, deterministic_step])
def test_time_travel_leaves_the_unguided_law(sampler):
    """Many steps, because repeats multiply the step error: the bridge step loses .05 of a variance of 1.4 at 120."""
    seeds = range(8)
    ends = [end_of(sampler, Travelling(passes=3), s, 3000, 120)[0] for s in seeds]
    found = torch.stack([moments(x) for x in ends])
    exact = torch.cat([WIDE.mean(), WIDE.covariance().flatten()])
    error = found.mean(0) - exact
    spread = found.std(0) / math.sqrt(len(seeds))
    assert float((error.abs() / (4 * spread + 0.05)).max()) < 1
    plain = end_of(sampler, Steering(), 0, 3000, 120)[0]
    assert float((plain - ends[0]).norm(dim=1).mean()) > 0.1


def test_a_repeated_step_does_not_read_its_noise_twice():
    """One atom: a bridge step is exact for it, so any number of passes must leave exactly the law of a y + m eps."""
    atom = GaussianMixture([1.0], [[0.0, 0.0]], 1e-12 * torch.eye(2)[None])
    grid = at_noise_levels(VEPath(80.0), torch.tensor([1.0, 0.5, 0.25], dtype=torch.float64))
    (trace,) = run([Job("x", bridge_step, grid, SharedNoise([1], 2, 20000), Travelling(passes=5))], atom)
    for step, level in zip(trace.steps[1:3], (0.5, 0.25), strict=True):
        assert abs(float(step.x.std()) / level - 1) < 4 / math.sqrt(2 * 40000)


def test_draws_aside_are_standard_normal_and_apart_from_the_path():
    noise = SharedNoise([5, 6], 3, 4000)
    a, b, c = noise.aside(1, 2), noise.aside(2, 1), noise.aside(-7, 2)
    path = [noise.direction(0.0), noise.direction(math.log(5)), noise.increment(0.0, 1.0)]
    n = a.numel()
    for x in (a, b, c):
        assert abs(float(x.mean())) < 4 / math.sqrt(n)
        assert abs(float((x**2).mean()) - 1) < 4 * math.sqrt(2 / n)
        assert abs(float((x**4).mean()) - 3) < 4 * math.sqrt(96 / n)
    others = [a, b, c, *path, a.roll(4000, 0)]
    for i in range(3):
        for j, other in enumerate(others):
            if i != j:
                assert abs(float((others[i] * other).mean())) < 4 / math.sqrt(n)
    torch.testing.assert_close(a, SharedNoise([5, 6], 3, 4000).aside(1, 2), rtol=0, atol=0)
    torch.testing.assert_close(a[4000:], SharedNoise([6], 3, 4000).aside(1, 2), rtol=0, atol=0)
    few = SharedNoise([5], 3, 10, dtype=torch.float32).aside(1, 2)
    np.testing.assert_array_equal(few.numpy(), a[:10].float().numpy())
