"""Laguerre cells and exact heights: against docs/FORMULAS.md 4, quadrature, closed forms and finite differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.static_ot.laguerre import MOST_PLANAR, cells_of, exact_heights, laguerre_cells, newton
from gensot_demo.transport.static_ot.semi_discrete import brenier

EIGHT = torch.tensor(
    [
        (1.589, -0.127),
        (0.403, 1.483),
        (-1.462, 0.890),
        (-1.462, -1.144),
        (0.403, -1.737),
        (0.148, 0.042),
        (-0.530, -0.042),
        (0.911, 0.636),
    ],
    dtype=torch.float64,
)
HEIGHTS = torch.tensor(
    [-0.18183, -0.12889, -0.42604, -0.56673, -0.58213, 0.79937, 0.67084, 0.41541], dtype=torch.float64
)
TURN = torch.arange(8, dtype=torch.float64) * math.pi / 4
OCTAGON = torch.stack([TURN.cos(), TURN.sin()], 1)
LINE = torch.stack([torch.arange(7.0) - 3, torch.zeros(7)], 1).double()
GRID = torch.cartesian_prod(torch.arange(4.0), torch.arange(4.0)).double()


def drawn(n: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def masses_by_quadrature(points: torch.Tensor, heights: torch.Tensor, lines: int = 4001) -> np.ndarray:
    """Masses by the trapezoidal rule over x of exact intervals in y."""
    xs = np.linspace(-9, 9, lines)
    y, h = points.numpy(), heights.numpy()
    found = np.zeros(len(y))
    for x in xs:
        for i in range(len(y)):
            slope = y[i, 1] - y[:, 1]
            room = (y[:, 0] - y[i, 0]) * x + h - h[i]
            low = max([r / s for r, s in zip(room, slope, strict=True) if s > 0], default=-np.inf)
            high = min([r / s for r, s in zip(room, slope, strict=True) if s < 0], default=np.inf)
            beaten = any(r > 0 for r, s in zip(room, slope, strict=True) if s == 0)
            if high > low and not beaten:
                found[i] += norm.pdf(x) * (norm.cdf(high) - norm.cdf(low))
    return found * (xs[1] - xs[0])


def test_the_given_heights_and_distance():
    found = exact_heights(EIGHT)
    assert torch.allclose(found.heights, HEIGHTS, atol=1e-5)
    assert cells_of(found).squared_distance(found.weights.numpy()) == pytest.approx(0.4865, abs=5e-5)
    assert float(found.heights.mean()) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_masses_against_quadrature_for_any_heights(seed):
    points, heights = drawn(12, seed), 0.4 * drawn(12, seed + 10)[:, 0]
    # trapezoidal error where an interval opens: slope * step^2 at each of some 40 corners
    assert np.allclose(laguerre_cells(points, heights).masses, masses_by_quadrature(points, heights), atol=2e-5)


def test_masses_and_potential_against_monte_carlo():
    points, heights = drawn(30, 5), 0.3 * drawn(30, 6)[:, 0]
    z = torch.randn(400_000, 2, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    cells = laguerre_cells(points, heights)
    counted, masses = brenier(points, heights).masses(z).numpy(), cells.masses
    error = np.sqrt(masses * (1 - masses) / len(z))
    assert (np.abs(counted - masses) <= 4.5 * error + 1e-12).all()
    wrong = laguerre_cells(points, heights + 0.02 * drawn(30, 8)[:, 0]).masses  # the same statistic tells these
    assert (np.abs(counted - wrong) > 4.5 * np.sqrt(wrong * (1 - wrong) / len(z)) + 1e-12).any()
    value = brenier(points, heights).value(z)
    assert cells.mean_potential == pytest.approx(float(value.mean()), abs=4.5 * float(value.std()) / math.sqrt(len(z)))


def test_two_points_in_closed_form():
    points = torch.tensor([[0.3, 1.0], [-0.7, 0.2]], dtype=torch.float64)
    apart = float(torch.linalg.norm(points[0] - points[1]))
    cells = laguerre_cells(points, torch.tensor([0.2, -0.2], dtype=torch.float64))
    assert cells.masses[0] == pytest.approx(norm.cdf(0.4 / apart), abs=1e-14)
    found = exact_heights(points, torch.tensor([3.0, 1.0]))
    assert float(found.heights[0] - found.heights[1]) == pytest.approx(apart * norm.ppf(0.75), abs=1e-12)
    assert float(found.weights @ found.heights) == pytest.approx(0, abs=1e-12)


def test_a_line_in_closed_form():
    """In one dimension the map is monotone: cells end at the quantiles."""
    found = exact_heights(LINE)
    between = (found.heights[:-1] - found.heights[1:]).numpy()
    assert np.allclose(between, norm.ppf(np.arange(1, 7) / 7), atol=1e-11)


@pytest.mark.parametrize("turn", [0.0, 0.7])
def test_borders_that_coincide_are_one(turn):
    """All heights 0: the outer two points of a line share the noise, and a polygon's cells meet in a point."""
    rotation = torch.tensor([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]], dtype=torch.float64)
    assert np.allclose(laguerre_cells(LINE @ rotation, torch.zeros(7)).masses, [0.5, 0, 0, 0, 0, 0, 0.5], atol=1e-12)
    assert np.allclose(laguerre_cells(OCTAGON @ rotation, torch.zeros(8)).masses, 1 / 8, atol=1e-12)


def test_hessian_and_gradient_against_finite_differences():
    points, heights = drawn(9, 2), 0.2 * drawn(9, 3)[:, 0].numpy()
    cells, step = laguerre_cells(points, heights), 1e-5
    weights = np.full(9, 1 / 9)
    for k in range(9):
        nudge = step * np.eye(9)[k]
        above, below = laguerre_cells(points, heights + nudge), laguerre_cells(points, heights - nudge)
        assert np.allclose((above.masses - below.masses) / (2 * step), cells.hessian[k], atol=1e-8)
        dual = [weights @ c.heights - c.mean_potential for c in (above, below)]
        assert (dual[0] - dual[1]) / (2 * step) == pytest.approx(weights[k] - cells.masses[k], abs=1e-8)


@pytest.mark.parametrize("points", [OCTAGON, LINE, GRID, drawn(60), 0.01 * drawn(20) + 5], ids=str)
@pytest.mark.parametrize("equal", [True, False])
def test_newton_reaches_every_mass(points, equal):
    weights = None if equal else torch.arange(len(points)) + 1.0
    steps = list(newton(points, weights))
    assert steps[-1].done
    assert steps[-1].mass_error < 1e-11
    assert len(steps) < 40
    duals = [step.dual for step in steps]
    assert duals[-1] == pytest.approx(max(duals), abs=1e-12)


def test_polygons_tile_the_square_and_hold_their_cells():
    found = exact_heights(EIGHT)
    corners = cells_of(found).polygons(3.0)
    areas = [0.5 * abs(float(np.sum(c[:, 0] * np.roll(c[:, 1], -1) - np.roll(c[:, 0], -1) * c[:, 1]))) for c in corners]
    assert sum(areas) == pytest.approx(36, abs=1e-9)
    inside = torch.from_numpy(np.stack([c.mean(0) for c in corners]))
    assert found.cells(inside).tolist() == list(range(8))


def test_one_point_takes_everything():
    found = exact_heights(torch.tensor([[2.0, -1.0]]))
    cells = cells_of(found)
    assert found.heights.tolist() == [0.0]
    assert cells.masses.tolist() == [1.0]
    assert cells.squared_distance(np.ones(1)) == pytest.approx(2 + 5)
    assert len(cells.polygons(2.0)[0]) == 4


def test_bad_points():
    with pytest.raises(InvalidValue, match="Points 2 and 4 are the same"):
        exact_heights(torch.tensor([[0.0, 1], [1, 1], [2, 0], [1, 1]]))
    with pytest.raises(InvalidValue, match="at most 1000"):
        exact_heights(drawn(MOST_PLANAR + 1))
    with pytest.raises(InvalidValue, match="in the plane, not in 3"):
        exact_heights(torch.eye(3))
    with pytest.raises(InvalidValue, match="weights must be 8 positive"):
        exact_heights(EIGHT, torch.tensor([1.0, 0, 1, 1, 1, 1, 1, 1]))


WINDING = torch.arange(120, dtype=torch.float64)
SPIRAL = 10 * 0.8 ** WINDING[:, None] * torch.stack([torch.cos(0.7 * WINDING), torch.sin(0.7 * WINDING)], 1)
CROWDED = torch.cat([1e-6 * drawn(20), torch.tensor([[10.0, 10.0]])])


@pytest.mark.filterwarnings("ignore::scipy.sparse.linalg.MatrixRankWarning")
@pytest.mark.parametrize("points", [CROWDED, SPIRAL], ids=["crowded", "spiral"])
def test_heights_that_are_not_found_are_not_given(points):
    last = list(newton(points))[-1]
    assert not last.mass_error < 1e-6  # or else this tests nothing
    with pytest.raises(InvalidValue, match="found only to a mass error of"):
        exact_heights(points)


@pytest.mark.filterwarnings("ignore::scipy.sparse.linalg.MatrixRankWarning")
def test_a_tiny_distance_ends_newton_in_a_sentence():
    points = torch.tensor([[0, 0], [1e-300, 0], [1, 1]], dtype=torch.float64)
    with pytest.raises(InvalidValue, match="found only to a mass error of nan"), np.errstate(all="ignore"):
        exact_heights(points)
