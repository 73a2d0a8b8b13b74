"""The diffusion flow of points against other integrators, closed forms, Brenier's map and the numbers of FORMULAS 4."""

import math

import pytest
import torch

from gensot_demo.transport.atoms import WeightedAtoms
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.oracles import Query
from gensot_demo.transport.static_ot.cell_borders import borders
from gensot_demo.transport.static_ot.cell_rows import CellMap, cell_grid, cell_map, crossings
from gensot_demo.transport.static_ot.flow_cells import FOR_EVER, FlowCells, centred
from gensot_demo.transport.static_ot.laguerre import cells_of, exact_heights

EIGHT = torch.tensor(
    [(1.589, -0.127), (0.403, 1.483), (-1.462, 0.890), (-1.462, -1.144), (0.403, -1.737), (0.148, 0.042),
     (-0.530, -0.042), (0.911, 0.636)], dtype=torch.float64,
)  # fmt: skip
HEIGHTS = torch.tensor([-0.18183, -0.12889, -0.42604, -0.56673, -0.58213, 0.79937, 0.67084, 0.41541])


def mapped(index, halvings=1, bisections=8) -> CellMap:
    grid = cell_grid(index, halvings)
    return cell_map(grid, crossings(grid, index, bisections))


def test_the_eight_points_have_the_numbers_that_are_known():
    points = EIGHT - EIGHT.mean(0)
    brenier = exact_heights(points)
    assert torch.allclose(brenier.heights, HEIGHTS.double(), atol=1e-2)
    w2 = cells_of(brenier).squared_distance(brenier.weights.numpy())
    assert w2 == pytest.approx(0.4865, abs=5e-4)
    flow = FlowCells(points)
    difference = mapped(lambda z: flow.index(z, FOR_EVER), 2).difference(mapped(brenier.cells, 2), points)
    assert difference.share == pytest.approx(0.038, abs=1e-3)
    assert difference.cost / w2 == pytest.approx(0.005, abs=1e-3)


@pytest.mark.parametrize(
    "points",
    [
        [(math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)) for k in range(8)],
        [(0.3 * x, 0.4 * x) for x in (-2.0, -1.4, -0.2, 0.1, 1.0, 2.5)],
        [(x, y) for x in (-1.0, 0.2, 1.3) for y in (-0.9, 0.9)],
    ],
    ids=["octagon", "collinear", "product"],
)
def test_where_symmetry_or_dimension_leaves_no_choice_flow_and_brenier_agree(points):
    points = centred(torch.tensor(points, dtype=torch.float64))
    brenier, flow = exact_heights(points), FlowCells(points)
    grid = mapped(lambda z: flow.index(z, FOR_EVER))
    difference = grid.difference(mapped(brenier.cells), points)
    assert difference.share < 5e-4  # what a bisection of 2e-4 leaves; random points: 4 to 14 %
    assert abs(difference.cost) < 5e-5


@pytest.mark.parametrize("time", [0.3, 1.0, FOR_EVER])
def test_under_the_law_of_the_noised_data_every_cell_has_its_share_and_in_a_wrong_flow_not(time):
    points = centred(EIGHT)
    flow = FlowCells(points)
    a, m = math.exp(-time), math.sqrt(-math.expm1(-2 * time))
    exact = mapped(lambda z: flow.index(z, time), 2).masses(8, a * points, m)
    assert torch.allclose(exact, torch.full((8,), 0.125, dtype=torch.float64), atol=5e-4)
    wrong = mapped(lambda z: torch.cdist(z, points).argmin(1), 2).masses(8, a * points, m)  # the nearest point
    assert float((wrong - 0.125).abs().max()) > 1e-2


def test_destinations_and_lines_are_those_of_a_fine_euler_integration():
    points, time = centred(EIGHT), 2.0
    generator = torch.Generator().manual_seed(3)
    z = torch.randn(200, 2, generator=generator, dtype=torch.float64)
    oracle = WeightedAtoms(points)
    angles = torch.linspace(math.asin(math.exp(-time)), math.pi / 2 - 0.01, 8001, dtype=torch.float64)
    x, h, middle = z, float(angles[1] - angles[0]), None
    for k, angle in enumerate(angles[:-1].tolist()):
        a, m = math.sin(angle), math.cos(angle)
        if k == 4000:
            middle = angle, x
        x = x + h * (oracle.answer([Query(x, a, m)])[0].predicted[0] - a * x) / m
    flow = FlowCells(points)
    index = flow.index(z, time)
    away = torch.linalg.vector_norm(x - points[index], dim=1)
    assert float((away > 0.1).double().mean()) <= 0.01  # Euler may send one in a hundred over a border
    at, lines = flow.lines(z, time)
    after = int(torch.searchsorted(at, middle[0]))
    share = (middle[0] - at[after - 1]) / (at[after] - at[after - 1])
    between = lines[after - 1] + share * (lines[after] - lines[after - 1])
    assert float(torch.linalg.vector_norm(between - middle[1], dim=1).median()) < 2e-3
    assert torch.allclose(lines[0], z, atol=1e-12)
    assert torch.equal(lines[-1], points[index])
    assert float(torch.linalg.vector_norm(lines[-1] - lines[-2], dim=1).median()) < 0.2  # of noise that is left


def test_smaller_steps_and_a_later_end_change_nothing_that_is_shown():
    points = centred(torch.randn(12, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64))
    usual, fine = FlowCells(points), FlowCells(points, step=0.04)
    fine._last -= 1.0
    z = torch.randn(20000, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    moved = float((usual.index(z, 4.0) != fine.index(z, 4.0)).double().mean())
    assert moved < 2e-4  # of the noise: four draws


def test_mass_error_and_distance_to_the_map_without_end_decay_as_they_should():
    points = centred(EIGHT)
    flow = FlowCells(points)
    times = (2.0, 3.0)
    ever = mapped(lambda z: flow.index(z, FOR_EVER), bisections=14)
    errors, distances = [], []
    for time in times:
        found = mapped(lambda z, time=time: flow.index(z, time), bisections=14)
        a, m = math.exp(-time), math.sqrt(-math.expm1(-2 * time))
        errors.append(float(0.5 * (found.masses(8) - found.masses(8, a * points, m)).abs().sum()))
        distances.append(found.difference(ever, points).distance)
    assert math.log(errors[0] / errors[1]) == pytest.approx(2, abs=0.1)
    assert math.log(distances[0] / distances[1]) == pytest.approx(1, abs=0.1)


def test_integrals_of_known_cells():
    """Half planes at -.4 and .9, horizontal and vertical: masses, and the difference of two maps, by the normal law."""
    points = torch.tensor([(-1.0, 0.0), (1.0, 0.0)], dtype=torch.float64)

    def phi(x: float) -> float:
        return 0.5 * math.erfc(-x / math.sqrt(2))

    for axis in (0, 1):
        places = points if axis == 0 else points.flip(1)
        one, other = (mapped(lambda z, at=at, axis=axis: (z[:, axis] > at).long(), bisections=14) for at in (-0.4, 0.9))
        assert float(one.masses(2)[0]) == pytest.approx(phi(-0.4), abs=4e-3)  # a jump between rows, at its worst
        difference = one.difference(other, places)
        strip = phi(0.9) - phi(-0.4)
        moment = (math.exp(-0.08) - math.exp(-0.405)) / math.sqrt(2 * math.pi)  # E[z 1{strip}]
        assert difference.share == pytest.approx(strip, abs=1e-5)
        assert difference.distance == pytest.approx(2 * math.sqrt(strip), abs=1e-5)
        assert difference.cost == pytest.approx(-4 * moment, abs=1e-5)


def test_borders_lie_between_the_cells():
    brenier = exact_heights(centred(EIGHT))

    grid = cell_grid(brenier.cells)
    found = borders(grid, crossings(grid, brenier.cells, 14))
    ends = brenier.scores(found[:, 0]).topk(2, dim=1).values
    assert float((ends[:, 0] - ends[:, 1]).max()) < 1e-3  # there two scores are equal
    whole = float(torch.linalg.vector_norm(found[:, 0] - found[:, 1], dim=1).sum())
    cells = cells_of(brenier)
    low, high = cells.start.clip(-6, 6), cells.end.clip(-6, 6)
    assert whole == pytest.approx(float((high - low).sum()), rel=0.25)  # of a square instead of a disc
    assert float(torch.linalg.vector_norm(found[:, 0] - found[:, 1], dim=1).max()) < 0.1


def test_one_point_takes_everything():
    flow = FlowCells(torch.zeros(1, 2))
    grid = cell_grid(lambda z: flow.index(z, 1.0))
    found = crossings(grid, lambda z: flow.index(z, 1.0))
    assert float(cell_map(grid, found).masses(1)[0]) == pytest.approx(1, abs=1e-4)
    assert len(borders(grid, found)) == 0


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([(1.0, 0.0), (1.0, 0.0), (-2.0, 0.0)], "Points 1 and 2 are 0 apart"),
        ([(1.0, 0.0), (0.5, 0.0)], "centre them"),
        ([(math.nan, 0.0)], "finite"),
    ],
)
def test_points_that_make_no_sense_are_named(points, words):
    with pytest.raises(InvalidValue, match=words):
        FlowCells(torch.tensor(points))


def test_time_zero_is_refused():
    flow = FlowCells(centred(EIGHT))
    with pytest.raises(InvalidValue, match=r"time T is 0; it must be a finite number from 0\.05 to 12"):
        flow.index(torch.zeros(1, 2, dtype=torch.float64), 0.0)
