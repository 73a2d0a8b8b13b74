"""Drawn targets at the edge of what can be drawn, and what the law's statistic still sees of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gensot_demo.transport.couplings import SchroedingerBridge
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.reference_law import reference_law
from gensot_demo.transport.targets import FARTHEST, MOST_COMPONENTS, named_target, target_of_modes, target_of_points


def normals(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_million_points_are_thinned_to_a_fair_choice():
    points = normals(1_000_000) * torch.tensor([1.0, 0.3]).double() + torch.tensor([2.0, -1.0]).double()
    target, (note,) = target_of_points(points)
    assert f"{MOST_COMPONENTS} of the 1,000,000 points" in note
    chosen = target.mixture.means
    error = points.std(0) / np.sqrt(MOST_COMPONENTS)
    assert bool(((chosen.mean(0) - points.mean(0)).abs() < 4 * error).all())
    assert bool(((chosen.std(0) / points.std(0) - 1).abs() < 4 / np.sqrt(2 * MOST_COMPONENTS)).all())
    again, _ = target_of_points(points)
    assert torch.equal(again.mixture.means, chosen)


@pytest.mark.parametrize("place", [(300.0, 3.0), (1e9, 1.0), (-21.0, 0.0)])
def test_one_far_place_is_brought_to_the_middle(place):
    for count in (1, 5):
        target, notes = target_of_points(torch.tensor([place] * count))
        assert float(target.mixture.means.abs().max()) == 0
        assert f"shifted by ({-place[0]:.4g}, {-place[1]:.4g})" in notes[0]


def test_a_tiny_drawing_is_enlarged_and_keeps_its_shape():
    points = 1e-3 * normals(50) + 0.2
    target, (note,) = target_of_points(points)
    assert "scaled by" in note
    ratio = (target.mixture.means - target.mixture.means[:1])[1:] / (points - points[:1])[1:]
    torch.testing.assert_close(ratio, ratio[:1, :1].expand_as(ratio), rtol=1e-6, atol=0)
    assert max(map(abs, target.box)) < 10


def test_modes_at_all_limits_at_once_are_a_proper_mixture():
    target, _ = target_of_modes([(FARTHEST, FARTHEST, 0.02, 1e-6), (-FARTHEST, 0, 5.0, 1e6), (0, -FARTHEST, 1, 1)])
    y = target.mixture.means
    assert target.mode_of(y).tolist() == [0, 1, 2]
    for condition in target.conditions:
        assert bool(torch.isfinite(target.log_likelihood(condition, 1e3 * normals(20))).all())


@pytest.mark.parametrize("modes", [[(1, 2, 0.4, 1)], [(0, 0, 0.3, 1), (0.1, 0, 0.3, 1)]])
def test_even_of_modes_that_cannot_be_told_apart_there_is_a_wrong_law(modes):
    """Of one mode it is the one moved by half a standard deviation, and the distance sees it."""
    law = reference_law(target_of_modes(modes)[0])
    floor, power, _ = law.floor_and_power(300)
    if len(modes) == 1:
        assert power > 1.5 * floor
    assert power > 0.8 * floor
    wrong = law.with_less_of_the_largest_mode()
    assert float(wrong.probabilities.sum()) == pytest.approx(1)
    assert bool((wrong.probabilities >= 0).all())


def test_a_mode_smaller_than_a_fifth_is_lost_entirely():
    law = reference_law(named_target("ring"))
    wrong = law.with_less_of_the_largest_mode()
    assert float(wrong.share.min()) == 0
    assert float(wrong.share.sum()) == pytest.approx(1)


@pytest.mark.parametrize("temperature", [0.1, 4.0])
def test_a_bridge_over_the_widest_drawing_is_right_or_refused(temperature):
    """Rows exact and the defect of the columns told, or a sentence that names the temperature: never silently wrong."""
    wide, _ = target_of_modes([(-20, -20, 0.02, 1), (20, 20, 5, 1), (20, -20, 0.02, 5)])
    start = named_target("ring").mixture.sample(300, torch.Generator().manual_seed(0))
    try:
        bridge = SchroedingerBridge(start, wide.mixture.sample(300, torch.Generator().manual_seed(1)), temperature)
    except InvalidValue as refused:
        said = str(refused)
    else:
        said = f"temperature is {temperature:g}: solved"
        np.testing.assert_allclose(bridge.plan.sum(1), 1 / 300, rtol=1e-3)
        assert bridge.marginal_error == pytest.approx(float((bridge.plan.sum(0) * 300 - 1).abs().max()))
    assert f"temperature is {temperature:g}" in said
