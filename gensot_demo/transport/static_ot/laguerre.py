"""Laguerre cells in the plane, exactly: their borders, masses under N(0, I), and the heights that make these right.

Every pair of points has a line on which their scores agree, and every other point cuts a half-line off it: what is left
is the border of their cells, bounded or not. Masses and derivatives are sums over borders. The potential's expectation,
and with it W2^2, needs nothing else.
Source: Kitagawa, Merigot & Thibert, arXiv 1603.05579 (damped Newton); Levy, arXiv 1409.1279; docs/FORMULAS.md 4.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csc_array
from scipy.sparse.linalg import spsolve
from scipy.special import ndtr
from torch import Tensor

from ..errors import InvalidValue
from .semi_discrete import Brenier, valid_points

MOST_PLANAR = 1000
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_FAR = 12.0  # beyond, one coordinate at least is above 8.4 and a normal tail below 1e-16
_NEAREST = 24  # points that are asked first whether they cut a border off: most pairs have none
_EXACT = 1e-12  # total variation at which Newton's method ends
_MOST_DIAGRAMS = 400  # in all steps: sets that are solved need some 30; 200 points take 10 s
_MOST_HALVINGS = 30
_SOLVED = 1e-6  # total variation up to which heights may be called exact
_ROUNDING = 1e-13
_WIDEST = 1.5  # where the outermost point lies in the Voronoi diagram that Newton's method starts from
_DIRECTIONS = np.linspace(0, 2 * np.pi, 61)[:-1] + 0.1


@dataclass(frozen=True, eq=False)
class LaguerreCells:
    """Cells of points (n, 2) and heights (n,) of any value; empty ones are possible. float64.

    first, second (e,): the two points of each border, first < second; start, end (e,): where it begins and ends along
    its line, ``offset normal + s tangent``, possibly infinite; normal, tangent (e, 2) of length 1, the normal pointing
    from the first cell to the second; offset (e,): signed distance of the line from 0; apart (e,): that of the points.
    """

    points: NDArray[np.float64]
    heights: NDArray[np.float64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    normal: NDArray[np.float64]
    offset: NDArray[np.float64]
    apart: NDArray[np.float64]

    @property
    def tangent(self) -> NDArray[np.float64]:
        return np.stack([-self.normal[:, 1], self.normal[:, 0]], 1)

    @cached_property
    def border_masses(self) -> NDArray[np.float64]:
        """Integral of the normal density along each border, (e,)."""
        density = np.exp(-0.5 * self.offset**2) / np.sqrt(2 * np.pi)
        return density * (ndtr(self.end) - ndtr(self.start))

    @cached_property
    def masses(self) -> NDArray[np.float64]:
        """Mass (n,) of each cell under N(0, I), to 1e-14, by the divergence theorem.

        The field (0, -phi(x) Q(y)), Q the normal tail, has the normal density as divergence; its flux through a border
        is an integral of one smooth function, and the only cell reaching down to -infinity gets the flux from there, 1.
        The plane is turned so that this cell is clearly one.
        """
        down = _clear_direction(self.points)
        across = np.array([-down[1], down[0]])
        low, high = np.clip(self.start, -_FAR, _FAR), np.clip(self.end, -_FAR, _FAR)
        middle, half = 0.5 * (low + high)[:, None], 0.5 * (high - low)[:, None]
        s = middle + half * _NODES
        x0, y0 = self.offset * (self.normal @ across), -self.offset * (self.normal @ down)
        dx, dy = self.tangent @ across, -(self.tangent @ down)
        x, y = x0[:, None] + s * dx[:, None], y0[:, None] + s * dy[:, None]
        inside = half[:, 0] * dx * (np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi) * ndtr(-y) @ _WEIGHTS)
        flux = inside
        for place, edge in ((self.start, -_FAR), (self.end, _FAR)):  # what is left goes on where Q is 1, or else 0
            beyond = (place - edge) * edge > 0
            finish = x0 + np.where(dx == 0, 0.0, place) * dx
            tail = np.sign(edge) * (ndtr(finish) - ndtr(x0 + edge * dx))
            flux = flux + np.where(beyond & (y0 + edge * dy < 0), tail, 0.0)
        masses = np.zeros(len(self.points))
        masses[np.argmax(self.points @ down)] = 1.0
        np.add.at(masses, self.first, flux)
        np.add.at(masses, self.second, -flux)
        return np.clip(masses, 0.0, 1.0)

    @cached_property
    def hessian(self) -> NDArray[np.float64]:
        """d mass_i / d h_j, (n, n): symmetric, rows sum to 0, positive semi-definite."""
        count = len(self.points)
        found = np.zeros((count, count))
        np.add.at(found, (self.first, self.second), -self.border_masses / self.apart)
        found = found + found.T
        found[np.diag_indices(count)] = -found.sum(1)
        return found

    @property
    def mean_potential(self) -> float:
        """E max_i (<z, y_i> + h_i): Stein's identity makes E<z, grad u> a sum over borders."""
        return float(self.heights @ self.masses + self.border_masses @ self.apart)

    def squared_distance(self, weights: NDArray[np.float64]) -> float:
        """W2^2(N(0, I), sum w_i delta_i) if the masses are the weights (n,); else less, a lower bound."""
        dual = weights @ self.heights - self.mean_potential
        return float(2 + weights @ (self.points**2).sum(1) + 2 * dual)

    def polygons(self, half_width: float) -> list[NDArray[np.float64]]:
        """Corners (k, 2) of each cell inside the square of this half-width, counter-clockwise; k = 0 where none."""
        square = half_width * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
        found = []
        for cell in range(len(self.points)):
            one, other = self.first == cell, self.second == cell
            normals = np.concatenate([self.normal[one], -self.normal[other]])
            offsets = np.concatenate([self.offset[one], -self.offset[other]])
            alone = len(self.points) == 1
            corners = square if alone or len(normals) else square[:0]
            for normal, offset in zip(normals, offsets, strict=True):
                corners = _cut(corners, normal, offset)
            found.append(corners)
        return found


def laguerre_cells(points: Tensor | NDArray[np.float64], heights: Tensor | NDArray[np.float64]) -> LaguerreCells:
    """Cells of distinct points (n, 2), n at most :data:`MOST_PLANAR`, and heights (n,)."""
    y, h = np.asarray(points, dtype=np.float64), np.asarray(heights, dtype=np.float64)
    h = h - h.mean()
    first, second = np.triu_indices(len(y), 1)
    near = _nearest(y)
    start, end = _ends(y, h, first, second, near[first])
    left = np.flatnonzero(end > start)
    first, second = first[left], second[left]
    everyone = np.broadcast_to(np.arange(len(y)), (len(first), len(y)))
    start, end = _ends(y, h, first, second, everyone)
    left = np.flatnonzero(end > start)
    first, second, start, end = first[left], second[left], start[left], end[left]
    normal, offset, apart = _lines(y, h, first, second)
    return LaguerreCells(y, h, first, second, start, end, normal, offset, apart)


@dataclass(frozen=True, eq=False)
class NewtonStep:
    """heights (n,) of mean 0, masses (n,) and dual value after ``iteration`` steps; mass_error: total variation;
    length: the share of the full step that was taken; done: as exact as the arithmetic allows."""

    heights: Tensor
    masses: Tensor
    mass_error: float
    dual: float
    iteration: int
    length: float
    done: bool


def newton(points: Tensor, weights: Tensor | None = None, tolerance: float = _EXACT) -> Iterator[NewtonStep]:
    """Damped Newton's method from a Voronoi diagram in which every cell has mass: a step is halved until no cell falls
    below half of what the smallest had, or should have, and the error shrinks.

    points (n, 2), weights (n,) positive or None. Raises :class:`InvalidValue` for points that are not planar, too many,
    or two at one place. It ends at ``tolerance`` in total variation, where rounding lets no step shrink the error, or
    after more cells than sets take that can be solved: the last step's mass error says which.
    """
    points, weights = valid_points(points, weights, MOST_PLANAR)
    if points.shape[1] != 2:
        raise InvalidValue(f"exact cells need points in the plane, not in {points.shape[1]} dimensions.")
    return _newton(points.numpy(), weights.numpy(), tolerance)


def _newton(y: NDArray[np.float64], w: NDArray[np.float64], tolerance: float) -> Iterator[NewtonStep]:
    away = ((y - w @ y) ** 2).sum(1)
    widest = np.sqrt(away.max())
    heights = -_WIDEST * away / (2 * widest) if widest > 0 else np.zeros(len(y))
    heights -= w @ heights
    now = laguerre_cells(y, heights)
    least = 0.5 * min(now.masses.min(), w.min())
    length, left = 1.0, _MOST_DIAGRAMS
    for iteration in range(_MOST_DIAGRAMS):
        error = 0.5 * float(np.abs(w - now.masses).sum())
        found = None
        if not error <= tolerance:  # nor is it one that is no number
            found = _step(y, w, heights, now, least, left)
        done = found is None
        yield NewtonStep(
            heights=torch.from_numpy(heights.copy()),
            masses=torch.from_numpy(now.masses.copy()),
            mass_error=error,
            dual=float(w @ now.heights) - now.mean_potential,
            iteration=iteration,
            length=length,
            done=done,
        )
        if done:
            return
        heights, now, length, tried = found
        left -= tried


def _step(
    y: NDArray[np.float64],
    w: NDArray[np.float64],
    heights: NDArray[np.float64],
    now: LaguerreCells,
    least: float,
    most: int,
) -> tuple[NDArray[np.float64], LaguerreCells, float, int] | None:
    """The next heights, cells, the share of the step taken, and how many were tried; None where none of at most
    ``most`` shares helps."""
    defect = w - now.masses
    size = np.linalg.norm(defect)
    move = np.zeros(len(y))  # a common shift is free, so the first height stays
    move[1:] = spsolve(csc_array(now.hessian[1:, 1:]), defect[1:])
    if not np.isfinite(move).all():
        return None
    for halvings in range(min(most, _MOST_HALVINGS)):
        length = 0.5**halvings
        tried = heights + length * move
        tried -= w @ tried
        cells = laguerre_cells(y, tried)
        if cells.masses.min() >= least and np.linalg.norm(w - cells.masses) <= (1 - length / 2) * size:
            return tried, cells, length, halvings + 1
    return None


def exact_heights(points: Tensor, weights: Tensor | None = None) -> Brenier:
    """Brenier's map from N(0, I) to points (n, 2), heights to about 1e-11; errors as :func:`solving`'s."""
    steps = solving(points, weights)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def solving(points: Tensor, weights: Tensor | None = None) -> Generator[NewtonStep, None, Brenier]:
    """The steps of :func:`newton`, and then the map from N(0, I) to points (n, 2).

    Raises :class:`InvalidValue` as :func:`newton` does, and where the masses do not come out right.
    """
    places, shares = valid_points(points, weights, MOST_PLANAR)
    for last in newton(places, shares):
        yield last
    if not last.mass_error <= _SOLVED:
        raise InvalidValue(
            f"The heights are found only to a mass error of {last.mass_error:.1e}: points lie too close for the size "
            "of the set, or a weight is too small. Move or remove some of the points that crowd."
        )
    return Brenier(places, last.heights, shares)


def cells_of(map_: Brenier) -> LaguerreCells:
    """The exact cells of a map in the plane."""
    found = laguerre_cells(map_.points.numpy(), map_.heights.numpy())
    return replace(found, heights=map_.heights.numpy())


def _nearest(y: NDArray[np.float64]) -> NDArray[np.int64]:
    square = ((y[:, None] - y) ** 2).sum(2)
    count = min(_NEAREST, len(y))
    return np.argpartition(square, count - 1, axis=1)[:, :count]


def _lines(y: NDArray, h: NDArray, first: NDArray, second: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    between = y[second] - y[first]
    apart = np.sqrt((between**2).sum(1))
    return between / apart[:, None], (h[first] - h[second]) / apart, apart


def _ends(y: NDArray, h: NDArray, first: NDArray, second: NDArray, others: NDArray) -> tuple[NDArray, NDArray]:
    """Where the line of each pair (p,) is left by the points others (p, k) to the pair: (start, end)."""
    normal, offset, apart = _lines(y, h, first, second)
    tangent = np.stack([-normal[:, 1], normal[:, 0]], 1)
    foot = offset[:, None] * normal
    # score of k minus score of first at foot + s tangent: rise s - room
    x, up = y[others, 0], y[others, 1]
    rise = tangent[:, :1] * x + tangent[:, 1:] * up - (tangent * y[first]).sum(1)[:, None]
    room = (h[first] + (foot * y[first]).sum(1))[:, None] - h[others] - foot[:, :1] * x - foot[:, 1:] * up
    own = (others == first[:, None]) | (others == second[:, None])
    slack = _ROUNDING * (1 + np.abs(y).max())
    level = np.abs(rise) <= slack  # on one line with the pair: all of the border is cut off, or nothing
    with np.errstate(divide="ignore", invalid="ignore"):
        limit = room / rise
    end = np.where((rise > 0) & ~level & ~own, limit, np.inf).min(1)
    start = np.where((rise < 0) & ~level & ~own, limit, -np.inf).max(1)
    along = normal[:, :1] * x + normal[:, 1:] * up - (normal * y[first]).sum(1)[:, None]
    outside = (along < 0) | (along > apart[:, None])  # of two that share a border with a third, the outer ones have it
    shut = level & ~own & ((room < -slack) | ((room <= slack) & outside))
    return start, np.where(shut.any(1), -np.inf, end)


def _clear_direction(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The direction (2,) in which one point reaches further than the second by most."""
    if len(points) == 1:
        return np.array([1.0, 0.0])
    directions = np.stack([np.cos(_DIRECTIONS), np.sin(_DIRECTIONS)], 1)
    reach = np.sort(points @ directions.T, axis=0)
    return directions[np.argmax(reach[-1] - reach[-2])]


def _cut(corners: NDArray[np.float64], normal: NDArray[np.float64], offset: float) -> NDArray[np.float64]:
    """The part of a convex polygon (k, 2) on which <corner, normal> <= offset."""
    if not len(corners):
        return corners
    height = corners @ normal - offset
    kept = []
    for k in range(len(corners)):
        after = (k + 1) % len(corners)
        if height[k] <= 0:
            kept.append(corners[k])
        if (height[k] < 0 < height[after]) or (height[after] < 0 < height[k]):
            kept.append(corners[k] + height[k] / (height[k] - height[after]) * (corners[after] - corners[k]))
    return np.array(kept).reshape(-1, 2)
