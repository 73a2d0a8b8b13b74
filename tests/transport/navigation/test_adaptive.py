"""The divergence of a sampler's steps against simulation and direct sums; its floor; what refinement can do."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.navigation.adaptive import information_curve, levels_of, refine

F64 = torch.float64
WIDTH = 0.8
ONE = GaussianMixture([1.0], [[0.5, -0.2]], WIDTH**2 * torch.eye(2)[None])
MODES = GaussianMixture([0.6, 0.4], [[1.0, 0.0], [-1.5, 0.5]], 0.09 * torch.eye(2).expand(2, 2, 2))


def gaussian_mmse(K: float) -> float:
    return 2 / (1 / WIDTH**2 + K)


def test_the_curve_of_a_gaussian_is_the_closed_form():
    curve = information_curve(ONE)
    assert np.allclose(curve.mmse, [gaussian_mmse(K) for K in curve.information], rtol=3e-4)
    assert np.allclose(curve.area, 2 * np.log1p(curve.information * WIDTH**2), rtol=1e-4)


def test_the_divergence_of_a_gaussian_is_the_integral_of_what_a_frozen_prediction_misses():
    curve = information_curve(ONE)
    levels = np.array([0.0, 0.7, 5.0, 60.0, curve.last])
    expected = 0.5 * sum(
        quad(lambda K, a=a: gaussian_mmse(a) - gaussian_mmse(K), a, b)[0] for a, b in itertools.pairwise(levels)
    )
    assert curve.divergence(levels) == pytest.approx(expected, rel=1e-3)


def test_it_is_the_mean_log_ratio_of_simulated_paths():
    """Girsanov, by simulation of the exact process dH = yhat dK + dB on fine steps: the mean over paths of
    (1/2) int |yhat - yhat at the last coarse level|^2 dK."""
    curve, n = information_curve(MODES, blur=0.2), 10_000
    coarse = np.array([0.0, 0.3, 1.2, 5.0, curve.last])
    generator = torch.Generator().manual_seed(5)
    y = MODES.sample(n, generator)
    H, total = torch.zeros(n, 2, dtype=F64), torch.zeros(n, dtype=F64)

    def predicted(H: torch.Tensor, K: float) -> torch.Tensor:
        precision = 1 / 0.09 + K
        means = (MODES.means / 0.09 + H[:, None]) / precision
        log_weight = MODES.log_prior - 0.5 * (MODES.means**2).sum(1) / 0.09 + 0.5 * precision * (means**2).sum(-1)
        return (torch.softmax(log_weight, 1)[..., None] * means).sum(1)

    for a, b in itertools.pairwise(coarse):
        frozen, fine = predicted(H, a), np.linspace(a, b, 81)
        for left, right in itertools.pairwise(fine):
            step = right - left
            before = (predicted(H, left) - frozen).square().sum(1)
            H = H + y * step + step**0.5 * torch.randn(n, 2, generator=generator, dtype=F64)
            total += 0.25 * step * (before + (predicted(H, right) - frozen).square().sum(1))
    error = float(total.std()) / n**0.5
    assert curve.divergence(coarse) == pytest.approx(float(total.mean()), abs=4 * error + 2e-3)
    assert abs(curve.divergence(coarse[[0, 2, 3, 4]]) - float(total.mean())) > 6 * error, "other steps are told apart"


def test_no_levels_beat_the_floor_and_the_floor_falls_with_steps():
    curve = information_curve(MODES)
    floors = [curve.divergence(curve.best_levels(steps)) for steps in (4, 8, 16)]
    assert floors[0] > floors[1] > floors[2] > 0
    generator = np.random.default_rng(0)
    best = curve.best_levels(8)
    assert best[0] == 0
    assert best[-1] == pytest.approx(curve.last)
    for _ in range(50):
        inner = np.sort(best[1:-1] * np.exp(generator.normal(0, 0.3, 7)))
        levels = np.concatenate([[0.0], np.minimum(inner, curve.last), [curve.last]])
        assert curve.divergence(levels) > floors[1] * 0.999


def test_a_temperature_that_is_held_leaves_nothing_for_stiffness_to_win_and_a_chosen_one_comes_near_the_floor():
    """What the page says of AdaPID: at temperature 1 and equal time steps, more stiffness only delays information."""
    curve, steps = information_curve(MODES), 8
    held = [
        curve.divergence(levels_of(torch.tensor([b], dtype=F64), steps, curve.last)) for b in (0.01, 1.0, 10.0, 100.0)
    ]
    assert held == sorted(held)
    found = list(refine(curve, steps, pieces=(1, 2)))
    assert [one.pieces for one in found] == [1, 2]
    floor = curve.divergence(curve.best_levels(steps))
    assert floor * 0.999 < found[1].divergence <= found[0].divergence * (1 + 1e-9)
    assert found[0].divergence < 0.5 * held[0]
