"""The law that runs are held against: its shares against sums over a grid, its draws, what its statistic can see."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gensot_demo.transport.reference_law import POOL, reference_law
from gensot_demo.transport.targets import named_target, target_of_modes

AXIS = np.linspace(-5, 5, 801)
GRID = np.stack(np.meshgrid(AXIS, AXIS), -1).reshape(-1, 2)
MEANS = np.array([[1.5, 0.0], [0.0, 1.5], [-1.5, 0.0], [0.0, -1.5]])
VARIANCES, LABEL = np.array([0.5, 0.3, 0.5, 0.3]), np.array([0.7, 0.3, 1e-9, 1e-9])


def four_modes_on_the_grid(trust: float) -> tuple[np.ndarray, np.ndarray]:
    """(probability of each grid cell, likeliest mode there) of p(y) p(c|y)^trust, from the definition."""
    square = ((GRID[:, None] - MEANS) ** 2).sum(-1)
    each = 0.25 * np.exp(-square / (2 * VARIANCES)) / (2 * np.pi * VARIANCES)
    p = each.sum(1) * ((each @ LABEL) / each.sum(1)) ** trust
    return p / p.sum(), each.argmax(1)


@pytest.mark.parametrize("trust", [0.0, 1.0, 3.0])
def test_shares_and_mean_of_the_guided_law(trust):
    p, mode = four_modes_on_the_grid(trust)
    law = reference_law(named_target("four_modes"), (("label", trust),))
    exact = np.array([p[mode == k].sum() for k in range(4)])
    error = np.sqrt(exact * (1 - exact) / law.effective_pool)
    assert (np.abs(law.share.numpy() - exact) < 4 * error + 1e-4).all()
    spread = np.sqrt(p @ GRID**2 - (p @ GRID) ** 2)
    assert (np.abs(law.mean.numpy() - p @ GRID) < 4 * spread / np.sqrt(law.effective_pool) + 1e-3).all()


def test_separate_modes_have_their_weights_without_noise():
    law = reference_law(named_target("two_modes"))
    assert float(law.share[0]) == pytest.approx(0.7, abs=2 / POOL + 1e-4)  # the modes overlap by 4e-5


def test_draws_follow_the_law():
    law = reference_law(named_target("four_modes"), (("label", 3.0),))
    draws = law.sample(4000, torch.Generator().manual_seed(0))
    mode = torch.cdist(draws, torch.from_numpy(MEANS)).argmin(1)
    share = torch.bincount(mode, minlength=4)[0] / 4000
    nearest = torch.cdist(law.points, torch.from_numpy(MEANS)).argmin(1)
    exact = float(law.probabilities[nearest == 0].sum())
    assert abs(float(share) - exact) < 4 * np.sqrt(exact * (1 - exact) / 4000)


def test_the_wrong_law_takes_a_fifth_from_the_largest_mode_and_the_distance_sees_it():
    law = reference_law(named_target("two_modes"))
    wrong = law.with_less_of_the_largest_mode()
    torch.testing.assert_close(wrong.share, law.share + torch.tensor([-0.2, 0.2]).double(), atol=1e-7, rtol=0)
    assert float(wrong.probabilities.sum()) == pytest.approx(1)
    assert float(wrong.probabilities[law.modes == 0].sum()) == pytest.approx(float(law.share[0]) - 0.2)
    floor, power, spread = law.floor_and_power(300)
    assert power > floor + 4 * spread
    # moving a fifth of the mass over 2.4 costs 2.4 sqrt(.2) = 1.07, less what noise blurs
    assert 0.6 < power < 1.3


def test_more_draws_lower_the_floor():
    law = reference_law(named_target("two_modes"))
    assert law.floor_and_power(400).floor < law.floor_and_power(50).floor


def test_a_law_of_one_mode_has_a_wrong_one_too():
    target, _ = target_of_modes([(1, 2, 0.4, 1)])
    law = reference_law(target)
    wrong = law.with_less_of_the_largest_mode()
    torch.testing.assert_close(wrong.mean - law.mean, torch.tensor([0.2, 0.2], dtype=torch.float64), atol=0.01, rtol=0)
