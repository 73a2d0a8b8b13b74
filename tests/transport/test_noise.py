"""One Brownian path per seed: its law, and that nothing but the seed decides what it is."""

from __future__ import annotations

import math
import os
import signal
import warnings
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.noise import RowNoise, SharedNoise

ROWS = 8000
LEVELS = [-400.0, -60.0, -3.3, -0.01, 0.0, 1e-3, 2.7, 44.36, 45.0, 300.0]


def brownian(noise: SharedNoise, log_K: float) -> torch.Tensor:
    return math.exp(0.5 * log_K) * noise.direction(log_K)


@pytest.fixture(scope="module")
def noise():
    return SharedNoise([11], 2, ROWS)


@pytest.mark.parametrize("log_K", LEVELS)
def test_direction_is_standard_normal(noise, log_K):
    x = noise.direction(log_K).numpy()
    n = x.size
    assert abs(x.mean()) < 4 / math.sqrt(n)
    assert abs(x.var() - 1) < 4 * math.sqrt(2 / n)
    assert abs((x**4).mean() - 3) < 4 * math.sqrt(96 / n)
    assert abs((x[:, 0] * x[:, 1]).mean()) < 4 / math.sqrt(n / 2)


@pytest.mark.parametrize(
    ("low", "high"),
    [(-1.0, 1.0), (0.0, 0.05), (0.0, 0.002), (2.0, 9.0), (-90.0, -88.0), (44.0, 44.7), (-0.3, 0.2), (-50.0, 50.0)],
)
def test_two_levels_correlate_like_brownian_motion(noise, low, high):
    """Cov(B(K)/sqrt K, B(K')/sqrt K') = sqrt(K/K'), within a base interval, across one, and over many."""
    x, y = noise.direction(low).numpy().ravel(), noise.direction(high).numpy().ravel()
    c = math.exp(0.5 * (low - high))
    error = math.sqrt((1 + c * c) / x.size)
    assert abs((x * y).mean() - c) < 4 * error
    # far sharper for neighbours: the variance of the difference, 2 (1 - c)
    assert ((x - y) ** 2).mean() == pytest.approx(2 * (1 - c), rel=4 * math.sqrt(2 / x.size))


def test_increments_over_disjoint_intervals_are_independent_standard_normals(noise):
    knots = [-math.inf, -6.0, -1.0, -0.97, 0.5, 0.8, 3.0, 60.0]
    steps = np.stack([noise.increment(a, b).numpy().ravel() for a, b in pairwise(knots)])
    n = steps.shape[1]
    covariance = steps @ steps.T / n
    off = covariance - np.eye(len(steps))
    assert np.abs(off[~np.eye(len(steps), dtype=bool)]).max() < 4.5 / math.sqrt(n)
    assert np.abs(np.diag(off)).max() < 4 * math.sqrt(2 / n)


def test_increments_at_the_resolution_are_still_independent(noise):
    """1/1024 octave: the finest knots. Within one such cell two levels share their bridge, and are not independent."""
    octave = math.log(2) / 1024
    steps = np.stack([noise.increment(k * octave, (k + 1) * octave).numpy().ravel() for k in range(100, 106)])
    covariance = steps @ steps.T / steps.shape[1]
    assert np.abs(covariance - np.eye(6)).max() < 5 * math.sqrt(2 / steps.shape[1])


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=12, unique=True))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_increments_add_up_to_the_path(levels):
    noise, levels = SharedNoise([3], 2, 4), sorted(levels)
    levels = [v for v, w in zip(levels, [*levels[1:], math.inf], strict=True) if w - v > 1e-6]
    total = torch.zeros(4, 2, dtype=torch.float64)
    scale = math.exp(-0.5 * levels[-1])  # in units of sqrt(K) at the end
    for low, high in zip([-math.inf, *levels[:-1]], levels, strict=True):
        K = math.exp(high) * -math.expm1(low - high)
        total = total + scale * math.sqrt(K) * noise.increment(low, high)
    torch.testing.assert_close(total, scale * brownian(noise, levels[-1]), rtol=0, atol=1e-12)


def test_a_coarse_increment_is_the_combination_of_fine_ones():
    noise, edges = SharedNoise([3], 2, 4), np.linspace(-2.0, 1.0, 65)
    K = np.exp(edges)
    fine = sum(
        math.sqrt(k1 - k0) * noise.increment(a, b)
        for a, b, k0, k1 in zip(edges[:-1], edges[1:], K[:-1], K[1:], strict=True)
    )
    again = SharedNoise([3], 2, 4)  # has never been asked for a level in between
    coarse = math.sqrt(K[-1] - K[0]) * again.increment(-2.0, 1.0)
    torch.testing.assert_close(fine, coarse, rtol=0, atol=1e-12)


def test_the_order_of_the_questions_does_not_matter():
    rng = np.random.default_rng(0)
    levels = [*LEVELS, *rng.uniform(-30, 30, 300)]  # more than the caches hold
    first, second = SharedNoise([5, 6], 3, 2), SharedNoise([5, 6], 3, 2)
    forwards = {v: first.direction(v).clone() for v in levels}
    for v in rng.permutation(levels):
        assert torch.equal(second.direction(float(v)), forwards[float(v)])


def test_rows_of_a_seed_are_a_prefix_and_other_seeds_do_not_matter():
    for log_K in (-7.3, 0.0, 12.4):
        many = SharedNoise([8, 2**63, 9], 4, 5).direction(log_K).reshape(3, 5, 4)
        few = SharedNoise([9], 4, 2).direction(log_K)
        assert torch.equal(many[2, :2], few)
        assert not torch.equal(many[0], many[2])
    assert len(SharedNoise([8, 1, 9], 4, 5)) == 15


def test_rows_and_seeds_are_independent_of_each_other():
    a, b = SharedNoise([0], 1, ROWS).direction(0.3), SharedNoise([1], 1, ROWS).direction(0.3)
    assert abs(float((a * b).mean())) < 4 / math.sqrt(ROWS)
    assert abs(float((a[1:] * a[:-1]).mean())) < 4 / math.sqrt(ROWS)


def test_single_precision_reads_the_same_path():
    double, single = SharedNoise([4], 3, 6), SharedNoise([4], 3, 6, dtype=torch.float32)
    for log_K in (-20.0, 0.4, 33.0):
        found = single.direction(log_K)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found.double(), double.direction(log_K), rtol=0, atol=2e-5)


@pytest.mark.parametrize("depth", [6, 12])
def test_a_coarser_tree_has_the_same_law(depth):
    noise = SharedNoise([11], 2, ROWS, depth=depth)
    cell = 64 * math.log(2) / 2**depth
    x, y = noise.direction(0.3 * cell).numpy().ravel(), noise.direction(1.4 * cell).numpy().ravel()
    c = math.exp(-0.55 * cell)
    assert abs(x.var() - 1) < 4 * math.sqrt(2 / x.size)
    assert abs((x * y).mean() - c) < 4 * math.sqrt((1 + c * c) / x.size)


def test_what_a_seed_means_never_changes():
    """Pinned values: a saved seed must show the same picture in every later version."""
    x = SharedNoise([2024], 2).direction(0.5)
    torch.testing.assert_close(x, torch.tensor([[-1.22556850, 0.24039218]], dtype=torch.float64), rtol=0, atol=1e-6)


def test_what_comes_later_is_a_brownian_path_independent_of_what_was():
    noise = SharedNoise([3], 2, 20_000)
    first = math.log(0.01)
    later = noise.after(first)
    before = noise.direction(first)
    for log_K in (math.log(0.002), math.log(0.05), 2.0):
        now = later.direction(log_K)
        assert float(now.var()) == pytest.approx(1, abs=4 * math.sqrt(2 / 40_000))
        assert abs(float((now * before).mean())) < 4 / math.sqrt(40_000)
    # the plain path is not: right after K it is nearly the same noise
    assert float((noise.direction(math.log(0.012)) * before).mean()) > 0.9
    # increments agree where both have begun
    early, late = math.log(0.03), math.log(0.5)
    change = math.sqrt(0.5) * later.direction(late) - math.sqrt(0.03) * later.direction(early)
    same = math.sqrt(0.51) * noise.direction(math.log(0.51)) - math.sqrt(0.04) * noise.direction(math.log(0.04))
    torch.testing.assert_close(change, same)
    spread = later.increment(early, late)
    assert float(spread.var()) == pytest.approx(1, abs=4 * math.sqrt(2 / 40_000))


def test_one_row_of_many_goes_on_as_another_when_told():
    noise = SharedNoise([5], 3, 4)
    alone = RowNoise(noise, 1)
    assert torch.equal(alone.direction(0.4), noise.direction(0.4)[1:2])
    assert torch.equal(alone.increment(0.4, 0.9), noise.increment(0.4, 0.9)[1:2])
    alone.row = 3
    assert torch.equal(alone.increment(0.4, 0.9), noise.increment(0.4, 0.9)[3:4])
    assert len(alone) == 1
    with pytest.raises(InvalidValue, match="from 0 to 3"):
        RowNoise(noise, 4)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_copy_of_the_process_draws_too():
    """A pool of threads is not copied: without a new one the copy would wait for ever."""
    SharedNoise([1], 200_000).direction(1.0)
    with warnings.catch_warnings(action="ignore"):  # that threads are not copied is what is tested
        child = os.fork()
    if child == 0:
        signal.alarm(20)
        SharedNoise([2], 200_000).direction(1.0)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
