"""Cells: noise sent to points by Brenier's map and by the diffusion flow, beside each other and where they differ.

One call serves page and endpoint: :func:`solve`. Source: docs/FORMULAS.md 4.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.experiments.kept import Kept
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.static_ot.cell_borders import borders
from gensot_demo.transport.static_ot.cell_rows import CellMap, Difference, Index, cell_grid, cell_map, crossings
from gensot_demo.transport.static_ot.flow_cells import FlowCells
from gensot_demo.transport.static_ot.laguerre import cells_of, exact_heights, laguerre_cells
from gensot_demo.transport.static_ot.prior import PriorError, prior_error
from gensot_demo.transport.static_ot.semi_discrete import Brenier

from .cells_colours import colours_of
from .cells_data import label_of, points_of
from .cells_request import CellsRequest

SAME = 1e-3  # share of noise below which two maps are called the same: what the grid can tell
MANY = 13
"""From so many points on, which have longer borders, the grid is coarser: the share then is known to 2e-3, the cost to
5e-4 (measured for 16, 24 and 32 random points against a grid four times and steps three times as fine)."""
_HALVINGS, _HALVINGS_OF_MANY = 2, 1
_BISECTIONS = 7
_TRACERS = 40
_ASKED = 20_000  # draws of noise among which those are found on which the maps disagree
_FRAMES = 61
_KEPT = 48


@dataclass(frozen=True, eq=False)
class Cells:
    """One map. labels (M, M) uint8: where noise goes, row y, column x; borders (S, 2, 2); masses (n,)."""

    labels: NDArray[np.uint8]
    borders: NDArray[np.float32]
    masses: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tracers:
    """Noise points that are followed. times (F,) from 0 to 1; straight, flow (F, k, 2); by_brenier, by_flow (k,): where
    they go.  Empty (k = 0) where the maps nowhere disagree and only such noise was asked for."""

    times: NDArray[np.float64]
    straight: NDArray[np.float64]
    flow: NDArray[np.float64]
    by_brenier: NDArray[np.int64]
    by_flow: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CellsResult:
    """What :func:`solve` found.

    points (n, 2): centred and scaled, from the mean ``moved`` and the scale ``scale``.  colours (n,): small integers,
    different where cells touch in either picture.  axis (M,): of both grids, x and y.  w2: the squared distance, exact.
    difference: of the flow's map from Brenier's.  mass_error: total variation between the flow cells' masses and 1/n
    each; accuracy: of it.  worst: how far the grid's mass of a flow cell under the law of the noised data is from the
    1/n that it is.  seconds: of the work; 0 where kept.
    """

    request: CellsRequest
    label: str
    points: NDArray[np.float64]
    moved: tuple[float, float]
    scale: float
    heights: NDArray[np.float64]
    colours: NDArray[np.int64]
    axis: NDArray[np.float32]
    brenier: Cells
    flow: Cells
    w2: float
    difference: Difference
    mass_error: float
    accuracy: float
    worst: float
    prior: PriorError
    tracers: Tracers
    seconds: float

    @property
    def same(self) -> bool:
        """Whether the two maps differ by less than this run can tell."""
        return self.difference.share < SAME

    @property
    def cost(self) -> float:
        """E|z - y(z)|^2 of the flow."""
        return self.w2 + self.difference.cost

    @property
    def cheats(self) -> bool:
        """Whether the flow is cheaper than optimal transport, which it can be only with wrong masses."""
        return self.difference.cost < 0 and not self.same

    @property
    def surplus(self) -> float:
        """The flow's squared distance over the least, relative to it; 0 where the maps are the same."""
        return 0.0 if self.same else self.difference.cost / self.w2


@dataclass(frozen=True, eq=False)
class Solved:
    """Brenier's map of a point set, its picture and its lines; what every T shares."""

    map_: Brenier
    w2: float
    cells: Cells
    lines: CellMap
    axis: Tensor
    flow: FlowCells


_SOLVED: Kept[Solved] = Kept(_KEPT)
_FLOWS: Kept[tuple] = Kept(_KEPT)


def solve(request: CellsRequest) -> CellsResult:
    """Both maps and what they differ by; what is kept is not computed again. Raises InvalidRequest with a sentence."""
    began = time.perf_counter()
    data = points_of(request)
    key = tuple(map(tuple, data.points.tolist()))
    known = (*key, request.time)
    solved = solved_map(data.points)
    kept = _FLOWS.get(known)
    flow, difference, masses, prior = kept or _FLOWS.keep(known, _flow(solved, request.time))
    return CellsResult(
        request=request,
        label=label_of(request.data),
        points=data.points.numpy(),
        moved=data.moved,
        scale=data.scale,
        heights=solved.map_.heights.numpy(),
        colours=colours_of(len(key), solved.cells.labels, flow.labels),
        axis=solved.axis.numpy().astype(np.float32),
        brenier=solved.cells,
        flow=flow,
        w2=solved.w2,
        difference=difference,
        mass_error=masses.error,
        accuracy=masses.accuracy,
        worst=masses.worst,
        prior=prior,
        tracers=_tracers(solved, request),
        seconds=0.0 if kept else time.perf_counter() - began,
    )


def solved_map(points: Tensor) -> Solved:
    """Brenier's map of these points, kept; raises InvalidRequest with a sentence."""
    key = tuple(map(tuple, points.tolist()))
    try:
        return _SOLVED.get(key) or _SOLVED.keep(key, _brenier(points))
    except InvalidValue as error:
        raise InvalidRequest(str(error)) from None


def _brenier(points: Tensor) -> Solved:
    map_ = exact_heights(points)
    exact = cells_of(map_)
    grid, found, lines = mapped(map_.cells, _halvings(points))
    cells = Cells(_small(grid.labels), _segments(borders(grid, found)), exact.masses)
    return Solved(map_, exact.squared_distance(map_.weights.numpy()), cells, lines, grid.axis, FlowCells(points))


def _halvings(points: Tensor) -> int:
    return _HALVINGS if len(points) < MANY else _HALVINGS_OF_MANY


def mapped(index: Index, halvings: int, bisections: int = _BISECTIONS) -> tuple:
    """The map on a grid, its crossings there, and its lines."""
    grid = cell_grid(index, halvings)
    found = crossings(grid, index, bisections)
    return grid, found, cell_map(grid, found)


@dataclass(frozen=True, eq=False)
class FlowMasses:
    """masses (n,): of flow cells under N(0, I).  accuracy: of their total variation from 1/n.  worst: largest error of
    the grid itself in one cell, which is taken off the masses."""

    masses: Tensor
    accuracy: float
    worst: float

    @property
    def error(self) -> float:
        """Total variation from 1/n."""
        return _variation(self.masses - 1 / len(self.masses))


def flow_masses(lines: CellMap, brenier: CellMap, map_: Brenier, time_: float) -> FlowMasses:
    """Of the flow with these lines; ``brenier``: the lines of Brenier's map, on the same grid.

    Under the law of the noised data every cell holds exactly 1/n: the flow carries that law to the data. So what the
    grid finds there is its error, and is taken off. The grid's error under N(0, I) is another one, the more so the
    shorter the noising. How far it is, Brenier's cells tell, whose masses are known under both laws, and the difference
    between rows and columns: twice the larger is the accuracy.
    """
    points, count = map_.points, len(map_.points)
    a, m = math.exp(-time_), math.sqrt(-math.expm1(-2 * time_))
    nowhere = torch.zeros(1, 2, dtype=torch.float64)
    error = lines.masses(count, a * points, m) - 1 / count
    left = brenier.masses(count) - brenier.masses(count, a * points, m)
    left -= torch.from_numpy(cells_of(map_).masses) - _noised_masses(map_, a, m)
    rows = lines.rows.masses(count, nowhere, 1.0) - lines.rows.masses(count, a * points, m)
    columns = lines.columns.masses(count, nowhere, 1.0) - lines.columns.masses(count, a * points.flip(1), m)
    accuracy = max(2 * _variation(left), 2 * _variation(rows - columns))
    return FlowMasses(lines.masses(count) - error, accuracy, float(error.abs().max()))


def _noised_masses(map_: Brenier, a: float, m: float) -> Tensor:
    """Masses (n,) of Brenier's cells under the law of a y + m eps, exactly: at a y_j + m w the scores are those of
    points m y and heights h + a <y_j, y>."""
    heights = (map_.heights + a * map_.points @ map_.points.T).numpy()
    return torch.from_numpy(np.mean([laguerre_cells((m * map_.points).numpy(), h).masses for h in heights], 0))


def _variation(off: Tensor) -> float:
    return float(0.5 * off.abs().sum())


def _flow(solved: Solved, time_: float) -> tuple[Cells, Difference, FlowMasses, PriorError]:
    points = solved.map_.points
    grid, found, lines = mapped(lambda z: solved.flow.index(z, time_), _halvings(points))
    masses = flow_masses(lines, solved.lines, solved.map_, time_)
    cells = Cells(_small(grid.labels), _segments(borders(grid, found)), masses.masses.numpy())
    return cells, lines.difference(solved.lines, points), masses, prior_error(points, time_)


def _small(labels: Tensor) -> NDArray[np.uint8]:
    return labels.numpy().astype(np.uint8)


def _segments(found: Tensor) -> NDArray[np.float32]:
    return found.numpy().astype(np.float32)


def _tracers(solved: Solved, request: CellsRequest) -> Tracers:
    generator = torch.Generator().manual_seed(request.seed)
    if request.tracers == "anywhere":
        z = torch.randn(_TRACERS, 2, generator=generator, dtype=torch.float64)
    else:
        z = torch.randn(_ASKED, 2, generator=generator, dtype=torch.float64)
        z = z[solved.map_.cells(z) != solved.flow.index(z, request.time)][:_TRACERS]
    times = torch.linspace(0, 1, _FRAMES, dtype=torch.float64)
    if not len(z):
        nothing = np.zeros((_FRAMES, 0, 2))
        return Tracers(times.numpy(), nothing, nothing, np.zeros(0, np.int64), np.zeros(0, np.int64))
    angles, states = solved.flow.lines(z, request.time)
    share = (angles - angles[0]) / (angles[-1] - angles[0])
    after = torch.searchsorted(share, times).clamp(1, len(share) - 1)
    part = ((times - share[after - 1]) / (share[after] - share[after - 1]))[:, None, None]
    end = solved.map_.to(z)
    return Tracers(
        times=times.numpy(),
        straight=(z + times[:, None, None] * (end - z)).numpy(),
        flow=(states[after - 1] + part * (states[after] - states[after - 1])).numpy(),
        by_brenier=solved.map_.cells(z).numpy(),
        by_flow=torch.cdist(states[-1], solved.map_.points).argmin(1).numpy(),
    )
