"""Schedules drawn by hand: what they are, and what is said where they are none."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gensot_demo.transport.data_separation import separation_of_points
from gensot_demo.transport.drawn_schedule import DrawnPath
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.kinetic_optimal import KineticOptimalPath, conditional_energy, kinetic_energy, speed_squared
from gensot_demo.transport.paths import CondOTPath

T = torch.linspace(0, 1, 41, dtype=torch.float64)


def test_a_straight_line_is_condot():
    drawn, straight = DrawnPath.of_noise_share([[0.5, 0.5]]).at(T), CondOTPath().at(T)
    for name in ("a", "da", "m", "dm"):
        np.testing.assert_allclose(getattr(drawn, name), getattr(straight, name), atol=1e-12)


def test_it_passes_its_knots_and_keeps_them():
    knots = [[0.2, 0.3, 0.9], [0.7, 0.8, 0.5]]
    path = DrawnPath(knots)
    p = path.at(torch.tensor([0.0, 0.2, 0.7, 1.0], dtype=torch.float64))
    np.testing.assert_allclose(p.a, [0, 0.3, 0.8, 1], atol=1e-12)
    np.testing.assert_allclose(p.m, [1, 0.9, 0.5, 0], atol=1e-12)
    assert path.knots.shape == (4, 3)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.floats(0.3, 3)), min_size=1, max_size=8))
def test_information_rises_whatever_was_drawn(rows):
    times = sorted({round(t, 3) for t, _, _ in rows})
    shares = sorted({round(u, 3) for _, u, _ in rows}, reverse=True)
    size = [s for _, _, s in rows]
    knots = [(t, s * (1 - u), s * u) for t, u, s in zip(times, shares, size, strict=False)]
    p = DrawnPath(knots).at(torch.linspace(0.001, 0.999, 400, dtype=torch.float64))
    assert bool((p.log_K.diff() > 0).all())
    assert bool((p.a > 0).all() and (p.m > 0).all())


def test_derivatives_by_finite_differences():
    path, t, h = DrawnPath([[0.3, 0.6, 0.9], [0.6, 0.9, 0.2]]), torch.tensor([0.11, 0.47, 0.83]).double(), 1e-6
    p, before, after = path.at(t), path.at(t - h), path.at(t + h)
    np.testing.assert_allclose(p.da, (after.a - before.a) / (2 * h), atol=1e-6)
    np.testing.assert_allclose(p.dm, (after.m - before.m) / (2 * h), atol=1e-6)


def test_a_drawn_path_is_never_cheaper_than_the_cheapest():
    s = separation_of_points(torch.tensor([[-1.0], [1.0]]))
    best = KineticOptimalPath(s)
    t = torch.linspace(0, 1, 61, dtype=torch.float64)[1:-1]
    p = best.at(t)
    copy = DrawnPath(torch.stack([t, p.a, p.m], 1))
    assert best.energy < kinetic_energy(DrawnPath.of_noise_share([[0.5, 0.2]]), s)
    assert kinetic_energy(copy, s) == pytest.approx(best.energy, rel=0.05)
    assert conditional_energy(copy) > 1


@pytest.mark.parametrize(
    ("knots", "words"),
    [
        ([[0.3, 0.4], [0.6, 0.7]], "rises again between t = 0.3 and t = 0.6.*un-decide"),
        ([[0.3, 0.4], [0.6, 0.4]], "stands still"),
        ([[0.6, 0.5], [0.3, 0.4]], "goes back in time"),
        ([[0.3, 1.4]], r"share of noise must lie in \[0, 1\]"),
        ([[0.0, 0.8]], "must start as noise alone"),
        ([[1.5, 0.4]], "time goes from 0 to 1"),
        ([[0.3, math.nan]], "must be numbers"),
        ([], "1 to 200 knots"),
    ],
)
def test_what_makes_no_path_is_explained(knots, words):
    with pytest.raises(InvalidValue, match=words):
        DrawnPath.of_noise_share(knots)


def test_a_path_through_nothing_is_explained():
    with pytest.raises(InvalidValue, match=r"both 0 at t = 0\.5"):
        DrawnPath([[0.5, 0.0, 0.0]])


@pytest.mark.parametrize("width", [0.01, 0.002, 1e-5])
def test_the_energy_of_a_steep_drawing_is_the_sum_over_its_own_pieces(width):
    """Against many places in every piece: a rule that ignores the knots is off by percents."""
    path = DrawnPath.of_noise_share([[0.5, 0.9], [0.5 + width, 0.1]])
    s = separation_of_points(torch.tensor([[-1.0], [1.0]]))
    total = 0.0
    for low, high in pairwise(path.corners.tolist()):
        at = low + (high - low) * (torch.arange(4000, dtype=torch.float64) + 0.5) / 4000
        total += float(speed_squared(path, s, at).mean()) * (high - low)
    assert kinetic_energy(path, s) == pytest.approx(total, rel=2e-3)
