"""Cells of a map from noise to points, along the lines of a grid: what they weigh, cost, and share with another map.

A map of the plane that takes n values is known along a line by the places where its value changes. Found by bisection,
they make every Gaussian integral along the line a closed form; from line to line the trapezoid rule is left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

HALF_WIDTH = 4.5  # of the grid: |z| is larger with probability 4e-5
COARSE = 72  # squares along a side of the first grid
_ASIDE = 0.0031  # so that no row lies on an axis of symmetry, where cells often meet
Index = Callable[[Tensor], Tensor]
"""Index of the point (k,) to which noise (k, 2) goes."""


@dataclass(frozen=True, eq=False)
class CellGrid:
    """The map on the nodes of a square grid. labels (N + 1, N + 1): row y, column x, both ``axis`` (N + 1,)."""

    axis: Tensor
    labels: Tensor

    @property
    def mixed(self) -> Tensor:
        """Squares (N, N) whose corners do not all go to one point."""
        at = self.labels
        return (at[1:, 1:] != at[:-1, :-1]) | (at[1:, :-1] != at[:-1, :-1]) | (at[:-1, 1:] != at[:-1, :-1])

    def finer(self, index: Index) -> CellGrid:
        """Half the width; only nodes of mixed squares are asked for, the others are as their neighbours."""
        axis = _axis(2 * (len(self.axis) - 1))
        labels = self.labels.repeat_interleave(2, 0).repeat_interleave(2, 1)[:-1, :-1].clone()
        mixed = self.mixed
        ask = torch.zeros_like(labels, dtype=torch.bool)
        last = 2 * len(mixed) - 1
        for down, right in ((0, 1), (1, 0), (1, 1), (1, 2), (2, 1)):
            ask[down : down + last : 2, right : right + last : 2] |= mixed
        row, column = ask.nonzero().T
        labels[row, column] = index(torch.stack([axis[column], axis[row]], 1))
        return CellGrid(axis, labels)


def _axis(squares: int) -> Tensor:
    return torch.linspace(-HALF_WIDTH, HALF_WIDTH, squares + 1, dtype=torch.float64) + _ASIDE


def cell_grid(index: Index, halvings: int = 1) -> CellGrid:
    """The map on a grid of 72 squares a side, halved where cells meet."""
    axis = _axis(COARSE)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    grid = CellGrid(axis, index(torch.stack([x.flatten(), y.flatten()], 1)).view(len(axis), len(axis)))
    for _ in range(halvings):
        grid = grid.finer(index)
    return grid


@dataclass(frozen=True, eq=False)
class Crossings:
    """Where the map changes along edges of a grid: edges (C, 3) as (vertical, row, column), places z (C, 2)."""

    edges: Tensor
    places: Tensor


def crossings(grid: CellGrid, index: Index, bisections: int = 8) -> Crossings:
    """By bisection, to 2^-bisections of half an edge."""
    at, axis = grid.labels, grid.axis
    changes = (at[:, 1:] != at[:, :-1]).nonzero(), (at[1:] != at[:-1]).nonzero()
    found = torch.cat([torch.nn.functional.pad(edges, (1, 0), value=way) for way, edges in enumerate(changes)])
    vertical, row, column = found.T
    z = torch.stack([axis[column], axis[row]], 1)
    first = at[row, column]
    along = torch.stack([1 - vertical, vertical], 1) * (axis[1] - axis[0])
    low, width = torch.zeros(len(found), 1, dtype=torch.float64), 1.0
    for _ in range(bisections):
        width /= 2
        still = index(z + (low + width) * along) == first
        low = torch.where(still[:, None], low + width, low)
    return Crossings(found, z + (low + width / 2) * along)


@dataclass(frozen=True, eq=False)
class Pieces:
    """Pieces of lines across the plane, from x0 to x1 (K,) at y (K,), lines ``apart`` from each other; x0 of a line's
    first piece and x1 of its last one are infinite.  label (K,): where the map takes the piece."""

    y: Tensor
    x0: Tensor
    x1: Tensor
    label: Tensor
    apart: float

    def masses(self, count: int, means: Tensor, scale: float) -> Tensor:
        """Probability of the cell of each of ``count`` points (count,) under the mean of N(mean_j, scale^2 I)."""
        above = (self.y[:, None] - means[:, 1]) / scale
        low, high = (torch.special.ndtr((x[:, None] - means[:, 0]) / scale) for x in (self.x0, self.x1))
        each = (self.apart / scale * _density(above) * (high - low)).mean(1)
        return torch.zeros(count, dtype=torch.float64).index_add_(0, self.label, each)

    def moments(self) -> tuple[Tensor, Tensor]:
        """P(piece) (K,) and E[z 1{piece}] (K, 2) for z from N(0, I), the line standing for its surroundings."""
        weight = self.apart * _density(self.y)
        probability = weight * (torch.special.ndtr(self.x1) - torch.special.ndtr(self.x0))
        along = weight * (_density(self.x0) - _density(self.x1))
        return probability, torch.stack([along, probability * self.y], 1)

    def beside(self, other: Pieces) -> tuple[Pieces, Tensor]:
        """Both maps along the same lines: pieces with the labels of this one, and the labels of the other."""
        keys = [_key(one.y, one.x0) for one in (self, other)]
        starts, order = torch.cat(keys).sort()
        mine, theirs = (
            one.label[torch.searchsorted(key, starts, right=True) - 1]
            for one, key in zip((self, other), keys, strict=True)
        )
        y, x0 = (torch.cat([getattr(one, name) for one in (self, other)])[order] for name in ("y", "x0"))
        return Pieces(y, x0, _ends(y, x0), mine, self.apart), theirs


def _key(y: Tensor, x: Tensor) -> Tensor:
    """Orders pieces by line, then by where they begin: lines are further apart here than any piece is long."""
    return 1000 * y + x.clamp(min=-2 * HALF_WIDTH)


def _ends(y: Tensor, x0: Tensor) -> Tensor:
    """A piece ends where the next one of its line begins, the last one nowhere."""
    following = torch.nn.functional.pad(x0[1:], (0, 1), value=math.inf)
    last = torch.nn.functional.pad(y[1:], (0, 1), value=math.inf) != y
    return torch.where(last, math.inf, following)


def _density(x: Tensor) -> Tensor:
    return torch.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _pieces(axis: Tensor, labels: Tensor, line: Tensor, step: Tensor, place: Tensor) -> Pieces:
    """Pieces of all lines from their crossings: on which line, after which node, and where."""
    count = len(axis)
    y = torch.cat([axis, axis[line]])
    x0 = torch.cat([torch.full((count,), -math.inf, dtype=torch.float64), place])
    label = torch.cat([labels[:, 0], labels[line, step + 1]])
    order = _key(y, x0).argsort()
    y, x0, label = y[order], x0[order], label[order]
    return Pieces(y, x0, _ends(y, x0), label, float(axis[1] - axis[0]))


@dataclass(frozen=True, eq=False)
class CellMap:
    """A map with n values, along the rows and along the columns of a grid (there x and y have changed places)."""

    rows: Pieces
    columns: Pieces

    def masses(self, count: int, means: Tensor | None = None, scale: float = 1.0) -> Tensor:
        """Probabilities of cells (count,) under the mean of N(mean_j, scale^2 I), by default N(0, I).

        A boundary along the rows is a jump across them: errors are up to a few in 1e4.
        """
        means = torch.zeros(1, 2, dtype=torch.float64) if means is None else means
        found = self.rows.masses(count, means, scale) + self.columns.masses(count, means.flip(1), scale)
        return 0.5 * found

    def difference(self, other: CellMap, points: Tensor) -> Difference:
        """From another map to the same points (n, 2), on the same grid.

        Where two maps differ is a strip along a boundary: between points i and j it counts along rows with weight
        (x_i - x_j)^2 / |y_i - y_j|^2 and along columns with the rest, so that no strip is parallel to what counts it.
        """
        share, cost, square = 0.0, 0.0, 0.0
        both = (self.rows, other.rows, points), (self.columns, other.columns, points.flip(1))
        for mine, theirs, places in both:
            pieces, label = mine.beside(theirs)
            probability, first = pieces.moments()
            away = places[pieces.label] - places[label]
            distance = away.square().sum(1)
            weight = torch.where(distance > 0, away[:, 0] ** 2 / distance.clamp(min=1e-300), 0.0)
            lengths = places.square().sum(1)
            more = probability * (lengths[pieces.label] - lengths[label]) - 2 * (first * away).sum(1)
            share += float(weight @ probability)
            cost += float(weight @ more)
            square += float(weight @ (probability * distance))
        return Difference(share, cost, math.sqrt(square))


@dataclass(frozen=True)
class Difference:
    """Of two maps A and B under N(0, I): the probability that they differ, E|z - A|^2 - E|z - B|^2, and the
    root mean square of A - B."""

    share: float
    cost: float
    distance: float


def cell_map(grid: CellGrid, found: Crossings) -> CellMap:
    """The pieces between the crossings along the grid's rows and columns; crossings of both are needed."""
    vertical, row, column = found.edges.T
    along, down = vertical == 0, vertical == 1
    return CellMap(
        _pieces(grid.axis, grid.labels, row[along], column[along], found.places[along, 0]),
        _pieces(grid.axis, grid.labels.T, column[down], row[down], found.places[down, 1]),
    )
