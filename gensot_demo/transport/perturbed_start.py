"""Wrong starts: laws on the line to begin from in place of N(0, 1), by their density ratio, and how wrong each is.

How wrong is measured by the Pearson chi-square D0 = int (p~/p - 1)^2 p dx against p = N(0, 1), the D0 of the
speed-accuracy relation (Ikeda, Uda, Okanohara & Ito, arXiv 2407.04495, PRX 15, 031031). In d dimensions a start is
wrong along one axis, by the same ratio. Starts may be wrong by as little as one likes: nothing is a difference of
large numbers.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from .errors import InvalidValue, require_number

FARTHEST_SHIFT = 3.0
WIDEST = 3.0  # standard deviation of a start; from sqrt(2) on its chi-square is infinite
WIDEST_UNIFORM = 4.0
HIGHEST_RATIO = 20.0
_NODES = 4001
_REACH = 9.0  # standard deviations: beyond lies 2e-19
_PIECE = 0.25  # between knots, wide enough for the nodes below to leave rounding errors only
_GAUSS = 16


class WrongStart(ABC):
    """A law on the line, by its density ratio to N(0, 1)."""

    @abstractmethod
    def ratio(self, x: Tensor) -> Tensor:
        """p~(x) / N(x; 0, 1) at x of any shape."""

    @abstractmethod
    def cumulative(self, x: Tensor) -> Tensor:
        """F~(x) at x of any shape."""

    @abstractmethod
    def chi_square(self) -> float:
        """D0 in [0, inf]; inf where the ratio's square has no mean under N(0, 1)."""

    def density(self, x: Tensor) -> Tensor:
        """p~(x) at x of any shape."""
        return self.ratio(x) * _normal_density(x)


class GaussianStart(WrongStart):
    """A mixture sum_i w_i N(b_i, s_i^2): a shift, another variance, or several modes.

    D0 = sum_ij w_i w_j (I_ij - 1) with I_ij = int N_i N_j / N(0,1) dx = e^{e_ij} / sqrt(det_ij), where
    q = 1 - s^2, det_ij = 1 - q_i q_j and e_ij = (2 b_i b_j - b_i^2 q_j - b_j^2 q_i) / (2 det_ij). For one component
    s = 1 this is e^{b^2} - 1, for b = 0 it is 1 / (s sqrt(2 - s^2)) - 1, and it is infinite where det_ij <= 0.
    """

    def __init__(self, means: Sequence[float], deviations: Sequence[float], weights: Sequence[float] = (1.0,)):
        self.means = torch.tensor(
            [require_number("shift of the start", b, -FARTHEST_SHIFT, FARTHEST_SHIFT) for b in means],
            dtype=torch.float64,
        )
        self.deviations = torch.tensor(
            [require_number("width of the start", s, 0.05, WIDEST) for s in deviations], dtype=torch.float64
        )
        self.weights = torch.tensor(weights, dtype=torch.float64)
        if not (len(self.means) == len(self.deviations) == len(self.weights)) or bool((self.weights <= 0).any()):
            raise InvalidValue("a start needs as many means as deviations and positive weights.")
        self.weights = self.weights / self.weights.sum()

    def _standard(self, x: Tensor) -> Tensor:
        return (x[..., None] - self.means) / self.deviations

    def ratio(self, x: Tensor) -> Tensor:
        exponent = 0.5 * x[..., None] ** 2 - 0.5 * self._standard(x) ** 2 - torch.log(self.deviations)
        return exponent.exp() @ self.weights

    def cumulative(self, x: Tensor) -> Tensor:
        return torch.special.ndtr(self._standard(x)) @ self.weights

    def chi_square(self) -> float:
        missing = (1 - self.deviations) * (1 + self.deviations)
        product = missing[:, None] * missing
        if bool((product >= 1).any()):
            return math.inf
        pull = self.means[:, None] ** 2 * missing
        exponent = (self.means[:, None] * self.means - 0.5 * (pull + pull.T)) / (1 - product)
        excess = torch.expm1(exponent - 0.5 * torch.log1p(-product))
        return max(float(self.weights @ excess @ self.weights), 0.0)


class UniformStart(WrongStart):
    """Uniform on [-half_width, half_width]: always of finite chi-square, about e^{h^2/2} for wide ones."""

    def __init__(self, half_width: float):
        self.half_width = require_number("half width of the start", half_width, 0.05, WIDEST_UNIFORM)

    def ratio(self, x: Tensor) -> Tensor:
        inside = x.abs() <= self.half_width
        return torch.where(inside, 1 / (2 * self.half_width * _normal_density(x)), 0.0)

    def cumulative(self, x: Tensor) -> Tensor:
        return ((x + self.half_width) / (2 * self.half_width)).clamp(0, 1)

    def chi_square(self) -> float:
        x = torch.linspace(-self.half_width, self.half_width, _NODES, dtype=torch.float64)
        return max(float(torch.trapezoid(1 / _normal_density(x), x)) / (2 * self.half_width) ** 2 - 1, 0.0)


class DrawnStart(WrongStart):
    """A drawn ratio: linear between knots (x, how many times as likely), constant beyond, then scaled to a law.

    Raises :class:`InvalidValue` for fewer than two places, values that are not finite, or a ratio that is 0 throughout.
    """

    def __init__(self, knots: Sequence[Sequence[float]]):
        table = torch.as_tensor(list(knots), dtype=torch.float64).reshape(-1, 2)
        if len(table) and not bool(torch.isfinite(table).all()):
            raise InvalidValue("the drawn start holds a value that is not a finite number.")
        places: dict[float, float] = {}
        for x, height in sorted(table.tolist()):
            places[x] = min(max(height, 0.0), HIGHEST_RATIO)  # of two heights at one place the larger counts
        if len(places) < 2:
            raise InvalidValue("the drawn start is empty: draw a line from left to right, or choose another start.")
        self._x = torch.tensor(list(places), dtype=torch.float64)
        self._height = torch.tensor(list(places.values()), dtype=torch.float64)
        self._mass = 1.0
        self._mass = float(self._integral(self.density, self._edges[:-1], self._edges[1:]).sum())
        if not self._mass > 1e-6:
            raise InvalidValue("the drawn start is empty: its ratio is 0 wherever there is noise to start from.")

    @cached_property
    def _edges(self) -> Tensor:
        """Of the pieces on which the ratio is linear, (E,)."""
        even = torch.linspace(-_REACH, _REACH, round(2 * _REACH / _PIECE) + 1, dtype=torch.float64)
        return torch.cat([even, self._x[self._x.abs() < _REACH]]).unique()

    @cached_property
    def _below(self) -> Tensor:
        """The mass below every edge, (E,)."""
        pieces = self._integral(self.density, self._edges[:-1], self._edges[1:])
        return torch.cat([torch.zeros(1, dtype=torch.float64), pieces.cumsum(0)])

    def _integral(self, function: Callable[[Tensor], Tensor], low: Tensor, high: Tensor) -> Tensor:
        """Of a function over intervals inside a piece, of any shape, by Gauss and Legendre's rule."""
        half = 0.5 * (high - low)[..., None]
        nodes, weights = (torch.from_numpy(part) for part in np.polynomial.legendre.leggauss(_GAUSS))
        return (function(low[..., None] + half * (1 + nodes)) * half) @ weights

    def _raw(self, x: Tensor) -> Tensor:
        return _interpolated(x, self._x, self._height)

    def ratio(self, x: Tensor) -> Tensor:
        return self._raw(x) / self._mass

    def cumulative(self, x: Tensor) -> Tensor:
        edges = self._edges
        inside = x.clamp(-_REACH, _REACH)
        piece = (torch.searchsorted(edges, inside.contiguous()) - 1).clamp(0, len(edges) - 2)
        return self._below[piece] + self._integral(self.density, edges[piece], inside)

    def chi_square(self) -> float:
        def squared(x: Tensor) -> Tensor:
            return (self.ratio(x) - 1) ** 2 * _normal_density(x)

        return float(self._integral(squared, self._edges[:-1], self._edges[1:]).sum())


def _normal_density(x: Tensor) -> Tensor:
    return torch.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _interpolated(x: Tensor, places: Tensor, values: Tensor) -> Tensor:
    """Linear between places (K,) in increasing order, constant beyond."""
    right = torch.searchsorted(places, x.contiguous()).clamp(1, len(places) - 1)
    x0, x1, y0, y1 = places[right - 1], places[right], values[right - 1], values[right]
    share = ((x - x0) / (x1 - x0)).clamp(0, 1)
    return y0 + share * (y1 - y0)
