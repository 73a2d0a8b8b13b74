"""The closed forms that failures are held against, by the real machinery or by another way of computing them."""

import math

import numpy as np
import pytest
import torch

from gensot_demo.experiments.failures.particles import (
    DIMENSIONS,
    PARTICLES,
    TILT,
    GuidedAndWeighed,
    StandardGaussian,
    Tilt,
    WeighedAtTheEnd,
    exact_share,
    perfect_share,
    share_of,
)
from gensot_demo.experiments.failures.prior_error import spread_kept
from gensot_demo.experiments.failures.statistics import apart, jackknife, mean, mean_distance, share, spread
from gensot_demo.transport.averaged import averaged_step
from gensot_demo.transport.conductor import Job, run
from gensot_demo.transport.grids import at_noise_levels, noise_levels
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.oracles import Query
from gensot_demo.transport.paths import CosinePath, VEPath
from gensot_demo.transport.samplers import bridge_step, heun
from gensot_demo.transport.steering import Steering


@pytest.mark.parametrize(("sampler", "stochastic"), [(heun, False), (averaged_step, True)])
@pytest.mark.parametrize("first", [0.5, 1.0, 4.0])
def test_a_low_start_costs_a_gaussian_the_spread_that_the_closed_form_says(sampler, stochastic, first):
    deviations, count = torch.tensor([1.3, 0.4], dtype=torch.float64), 4000
    mixture = GaussianMixture(torch.ones(1), torch.tensor([[0.7, -2.0]]), torch.diag(deviations**2)[None])
    grid = at_noise_levels(CosinePath(), noise_levels(40, first, 0.005))
    noise = SharedNoise([3], 2, count)
    (trace,) = run([Job("plain", sampler, grid, noise, Steering(data_variance=float(deviations[0] ** 2)))], mixture)
    for axis, deviation in enumerate(deviations.tolist()):
        kept = spread_kept(deviation, first, stochastic)
        found = float(trace.end[:, axis].std()) / deviation
        assert abs(found - kept) < 4 * kept / math.sqrt(2 * count) + 0.01  # sampling error; the steps' own error
        assert abs(float(trace.end[:, axis].mean()) - float(mixture.means[0, axis])) < 0.1
    assert spread_kept(1.0, 0.5) < 0.5 < spread_kept(1.0, 4.0)


def test_noise_on_the_way_brings_back_part_of_the_spread():
    assert all(spread_kept(1.0, s) < spread_kept(1.0, s, stochastic=True) < 1 for s in (0.1, 1.0, 10.0))
    draws = np.random.default_rng(0).standard_normal((2, 400_000))
    z = 0.8 * draws[0]  # the start without the data's own spread, at noise .8
    shrink = 1 / (1 + 0.8**2)
    y = shrink * z + math.sqrt(shrink) * 0.8 * draws[1]  # the posterior of N(0, 1) given z
    assert y.std() == pytest.approx(spread_kept(1.0, 0.8, stochastic=True), abs=0.005)


def test_the_gaussian_of_any_dimension_is_the_mixture_of_one():
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    mixture = GaussianMixture(torch.ones(1), torch.zeros(1, 3), torch.eye(3)[None])
    for a, m in ((0.0, 1.0), (0.3, 0.9), (1.0, 0.05)):
        query = Query(x.double(), a, m, (None, None))
        assert torch.allclose(StandardGaussian(3).answer([query])[0].predicted, mixture.answer([query])[0].predicted)


def test_the_tilt_promises_what_the_general_estimate_does():
    predicted = torch.randn(4, 6, generator=torch.Generator().manual_seed(2)).double()
    draws = torch.randn(20_000, 1, 6, generator=torch.Generator().manual_seed(3)).double()
    state, log_psi = Tilt().tilt(predicted, 0.5)
    slope, estimate = Tilt().smoothed(predicted, 0.5, draws)
    assert torch.allclose(log_psi, estimate, atol=0.02)
    assert torch.allclose(state, predicted + 0.5 * slope, atol=1e-6)


def test_importance_weights_are_as_log_normal_as_they_should_be():
    for dimension in DIMENSIONS[:-1]:
        shares = mean(share_of(WeighedAtTheEnd(), averaged_step, 10, dimension, seed=11))
        assert abs(shares.value - perfect_share(dimension)) < 5 * shares.error + 0.01
    assert perfect_share(2) == pytest.approx(exact_share(2), abs=0.005)  # many particles, little variance
    rng = np.random.default_rng(5)
    w = np.exp(TILT * rng.standard_normal((400_000, 8)).sum(1))
    assert w.mean() ** 2 / (w**2).mean() == pytest.approx(exact_share(8), abs=0.005)
    assert 1 / PARTICLES <= perfect_share(512) < 5 / PARTICLES


def test_guided_particles_keep_their_weights_as_the_steps_become_finer():
    method = GuidedAndWeighed(particles=PARTICLES, guide="origin", stiffness=0.0)
    coarse, fine = (mean(share_of(method, bridge_step, steps, 32, seed=11)) for steps in (10, 40))
    weighed = mean(share_of(WeighedAtTheEnd(), averaged_step, 10, 32, seed=11))
    assert apart(fine, weighed) > 4
    assert apart(fine, coarse) > 4


def test_standard_errors_are_those_of_independent_draws():
    rng = np.random.default_rng(7)
    values = rng.standard_normal(200)
    assert jackknife(values, lambda v: float(v.mean())).error == pytest.approx(mean(values).error)
    repeats = [spread(rng.standard_normal(200)) for _ in range(2000)]
    assert jackknife(values, spread).error == pytest.approx(np.std(repeats), rel=0.25)
    assert share(0, 36).error > 0
    assert share(18, 36).error == pytest.approx(math.sqrt(0.25 / 36), rel=0.05)


def test_the_distance_between_samples_counts_every_pair_once():
    pictures = np.zeros((3, 2, 2, 3))
    pictures[1], pictures[2] = 10, 40
    assert mean_distance(pictures) == pytest.approx((10 + 40 + 30) / 3)


def test_the_prior_error_does_not_depend_on_the_path():
    mixture = GaussianMixture(torch.ones(1), torch.zeros(1, 1), torch.ones(1, 1, 1))
    ends = []
    for path in (CosinePath(), VEPath(80.0)):
        grid = at_noise_levels(path, noise_levels(40, 1.0, 0.005))
        ends.append(run([Job("plain", heun, grid, SharedNoise([3], 1, 50), Steering())], mixture)[0].end)
    assert torch.allclose(ends[0], ends[1], atol=1e-6)
