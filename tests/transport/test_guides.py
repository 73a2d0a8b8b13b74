"""Guide templates and drawn guides."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.guides import (
    SHAPES,
    along_curve,
    drawn_protocol,
    guide_curve,
    guided_protocol,
    recorded_protocol,
    smooth_curve,
)
from gensot_demo.transport.harmonic import HarmonicPath, constant_protocol

END = torch.tensor([3.0, 0.48], dtype=torch.float64)


def table(rows) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def test_templates_from_another_start_are_the_same_ones_moved():
    start = table([1.0, -2.0])
    for shape in SHAPES[1:]:
        plain = guided_protocol(shape, 20.0, END)
        moved = guided_protocol(shape, 20.0, END + start, start=start)
        torch.testing.assert_close(moved.guide, plain.guide + start)
        torch.testing.assert_close(moved.start, start)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_corridor_without_length_is_finite(shape):
    guide = guide_curve(shape, torch.linspace(0, 1, 9, dtype=torch.float64), torch.zeros(2, dtype=torch.float64))
    assert bool(torch.isfinite(guide).all())
    if shape == "S":
        assert float(guide[2, 1]) == pytest.approx(1.5)  # across the first axis


def test_a_drawn_curve_is_followed_at_constant_speed():
    corner = table([[0, 0], [0.1, 0], [1, 0], [1, 1]])  # uneven points
    t = torch.linspace(0, 1, 21, dtype=torch.float64)
    places = along_curve(corner, t)
    np.testing.assert_allclose(places[::10], [[0, 0], [1, 0], [1, 1]], atol=1e-12)
    np.testing.assert_allclose(np.abs(np.diff(places, axis=0)).sum(1), 0.1, atol=1e-12)


def test_a_drawn_protocol_starts_and_ends_on_the_curve():
    curve = table([[0, 0], [-1, 2], [4, 3]])
    protocol = drawn_protocol(curve, 200.0, table([0, 0]))
    torch.testing.assert_close(protocol.guide[0], curve[0])
    torch.testing.assert_close(protocol.guide[-1], curve[-1])
    # a stiff path follows it: its shift, away from both ends, is near the guide
    middle = HarmonicPath(protocol).at(0.5).g[0]
    assert float((middle - along_curve(curve, table([0.5]))[0]).norm()) < 0.35


def test_a_point_is_a_guide_that_rests():
    protocol = drawn_protocol(table([[1, 2]]), 5.0, table([0, 0]))
    torch.testing.assert_close(protocol.guide, table([[1, 2]]).expand(20, 2))


@pytest.mark.parametrize("curve", [torch.zeros(0, 2), torch.zeros(3), torch.tensor([[0.0, float("nan")]])])
def test_what_is_no_curve_is_refused(curve):
    with pytest.raises(InvalidValue, match="drawn guide"):
        drawn_protocol(curve, 5.0, torch.zeros(2))


def test_the_spline_passes_its_knots_smoothly_and_straight_lines_stay_straight():
    knots = table([[0, 0], [1, 1], [2, -1], [3, 0]])
    curve = smooth_curve(knots)
    np.testing.assert_allclose(curve[::12], knots, atol=1e-12)
    bends = np.diff(curve, n=2, axis=0)
    assert np.abs(bends).max() < 0.06  # 2 by the polygon
    # with even knots the inner pieces of a straight line are even too
    line = smooth_curve(table([[0, 0], [1, 2], [2, 4], [3, 6]]))
    np.testing.assert_allclose(line[:, 1], 2 * line[:, 0], atol=1e-12)
    assert smooth_curve(knots[:2]).shape == (2, 2)


def test_a_recorded_trajectory_becomes_a_guide_and_leaves_the_noise_levels_alone():
    base = constant_protocol(30.0, table([1, -1]), table([1, -1]), 0.7)
    times = table([0.1, 0.2, 0.5, 0.9])
    states = torch.stack([2 * times, 5 - times], dim=1)  # straight in time, so that every middle is known
    found = recorded_protocol(base, times, states, pieces=10)
    middles = ((torch.arange(10, dtype=torch.float64) + 0.5) / 10).clamp(0.1, 0.9)
    torch.testing.assert_close(found.guide, torch.stack([2 * middles, 5 - middles], dim=1))
    torch.testing.assert_close(found.start, base.start)
    t = torch.linspace(0.01, 0.99, 23, dtype=torch.float64)
    plain, guided = HarmonicPath(base).at(t), HarmonicPath(found).at(t)
    for name in ("a", "m", "log_K"):
        torch.testing.assert_close(getattr(plain, name), getattr(guided, name))
    assert float((plain.g - guided.g).norm()) > 1


def test_a_resting_record_is_a_constant_guide():
    base = constant_protocol(30.0, table([0, 0]), table([1, -1]))
    found = recorded_protocol(base, table([0.5]), table([[2, 3]]), pieces=4)
    torch.testing.assert_close(found.guide, table([[2, 3]]).expand(4, 2))


@pytest.mark.parametrize(("times", "count"), [([0.5, 0.2], 2), ([0.1, 0.2], 3), ([], 0)])
def test_a_record_without_order_is_refused(times, count):
    base = constant_protocol(30.0, table([0, 0]))
    with pytest.raises(InvalidValue, match="rising times"):
        recorded_protocol(base, table(times), torch.zeros(count, 2, dtype=torch.float64))
