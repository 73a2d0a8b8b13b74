"""Exact W2 between clouds against the assignment problem and known values."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from gensot_demo.transport.distances import sliced_w2, w2_empirical, w2_noise_floor
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.mixtures import two_modes


def cloud(n: int, d: int, seed: int) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_w2_is_the_optimal_assignment():
    x, y = cloud(60, 3, 0), 2 * cloud(60, 3, 1) + 1
    cost = ((x[:, None] - y) ** 2).sum(-1).numpy()
    rows, columns = linear_sum_assignment(cost)
    assert w2_empirical(x, y) == pytest.approx(math.sqrt(cost[rows, columns].mean()), rel=1e-12)
    assert w2_empirical(x, x[torch.randperm(60)]) == pytest.approx(0.0, abs=1e-7)


def test_w2_of_a_shift_and_of_unequal_sizes():
    x, shift = cloud(200, 2, 0), torch.tensor([3.0, -4.0], dtype=torch.float64)
    assert w2_empirical(x, x + shift) == pytest.approx(5.0)
    assert w2_empirical(x, x.repeat(3, 1)) == pytest.approx(0.0, abs=1e-6)


def test_sliced_w2():
    x, shift = cloud(3000, 2, 0), torch.tensor([3.0, -4.0], dtype=torch.float64)
    assert sliced_w2(x, x + shift) == pytest.approx(5 / math.sqrt(2), rel=0.1)
    assert sliced_w2(x[:300], cloud(300, 2, 1)) <= w2_empirical(x[:300], cloud(300, 2, 1))
    line = cloud(100, 1, 1)
    assert sliced_w2(line, 2 * line) == pytest.approx(w2_empirical(line, 2 * line))
    assert sliced_w2(x, x + shift, seed=1) == sliced_w2(x, x + shift, seed=1)


def test_the_floor_falls_with_the_number_of_draws_and_a_wrong_law_lies_above_it():
    target = two_modes()
    small, large = (w2_noise_floor(target.sample, n, repeats=6) for n in (50, 400))
    assert small.shape == (6,)
    assert float(large.median()) < 0.6 * float(small.median())
    assert torch.equal(small, w2_noise_floor(target.sample, 50, repeats=6))
    generator = torch.Generator().manual_seed(9)
    wrong = target.tilted(torch.tensor([0.0, 1.0]))
    distance = w2_empirical(wrong.sample(400, generator), target.sample(400, generator))
    assert distance > 2 * float(large.max())


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((3, 2)), np.zeros((3, 1)), r"clouds must be \(n, d\) and \(k, d\), not \(3, 2\) and \(3, 1\)"),
        (np.zeros((0, 2)), np.zeros((3, 2)), "clouds must be"),
        (np.full((3, 2), math.nan), np.zeros((3, 2)), "finite numbers"),
        (np.zeros((2001, 1)), np.zeros((3, 1)), "at most 2000 points, not 2001"),
    ],
)
def test_clouds_that_do_not_match_are_refused(x, y, message):
    with pytest.raises(InvalidValue, match=message):
        w2_empirical(torch.from_numpy(x), torch.from_numpy(y))
    if "2000" not in message:
        with pytest.raises(InvalidValue, match=message):
            sliced_w2(torch.from_numpy(x), torch.from_numpy(y))


def test_sliced_w2_needs_equal_sizes():
    with pytest.raises(InvalidValue, match="equal size, not 3 and 4"):
        sliced_w2(cloud(3, 2, 0), cloud(4, 2, 0))
