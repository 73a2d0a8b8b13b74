"""Wrong starts: laws on the line to begin from in place of N(0, 1), by their density ratio, and how wrong each is.

How wrong is measured by the Pearson chi-square D0 = int (p~/p - 1)^2 p dx against p = N(0, 1), the D0 of the
speed-accuracy relation (Ikeda, Uda, Okanohara & Ito, arXiv 2407.04495, PRX 15, 031031). In d dimensions a start is
wrong along one axis, by the same ratio; :func:`shift_chi_square` and :func:`variance_chi_square` are the forms for all.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from .errors import InvalidValue, require_number

FARTHEST_SHIFT = 3.0
WIDEST = 3.0  # standard deviation of a start; from sqrt(2) on its chi-square is infinite
WIDEST_UNIFORM = 4.0
HIGHEST_RATIO = 20.0
_NODES = 4001
_REACH = 9.0  # standard deviations: beyond lies 2e-19


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

    D0 = sum_ij w_i w_j I_ij - 1 with I_ij = int N_i N_j / N(0,1) dx; for one component s = 1 this is e^{b^2} - 1, for
    b = 0 it is 1 / (s sqrt(2 - s^2)) - 1, and it is infinite where 1/s_i^2 + 1/s_j^2 <= 1.
    """

    def __init__(self, means: Sequence[float], deviations: Sequence[float], weights: Sequence[float] = (1.0,)):
        self.means = torch.tensor(
            [require_number("shift of the start", b, -FARTHEST_SHIFT, FARTHEST_SHIFT) for b in means]
        ).double()
        self.deviations = torch.tensor(
            [require_number("width of the start", s, 0.05, WIDEST) for s in deviations]
        ).double()
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
        precision = self.deviations**-2
        total = precision[:, None] + precision - 1
        if bool((total <= 0).any()):
            return math.inf
        pull = self.means * precision
        level = self.means**2 * precision
        exponent = 0.5 * (pull[:, None] + pull) ** 2 / total - 0.5 * (level[:, None] + level)
        each = exponent.exp() / (self.deviations[:, None] * self.deviations * total.sqrt())
        return max(float(self.weights @ each @ self.weights) - 1, 0.0)


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
        mass = float(torch.trapezoid(self._raw(self._grid) * _normal_density(self._grid), self._grid))
        if not mass > 1e-6:
            raise InvalidValue("the drawn start is empty: its ratio is 0 wherever there is noise to start from.")
        self._mass = mass

    @cached_property
    def _grid(self) -> Tensor:
        return torch.linspace(-_REACH, _REACH, _NODES, dtype=torch.float64)

    @cached_property
    def _table(self) -> Tensor:
        steps = torch.cumulative_trapezoid(self.density(self._grid), self._grid)
        table = torch.cat([torch.zeros(1, dtype=torch.float64), steps])
        return table / table[-1]

    def _raw(self, x: Tensor) -> Tensor:
        return _interpolated(x, self._x, self._height)

    def ratio(self, x: Tensor) -> Tensor:
        return self._raw(x) / self._mass

    def cumulative(self, x: Tensor) -> Tensor:
        return _interpolated(x, self._grid, self._table)

    def chi_square(self) -> float:
        x = self._grid
        return float(torch.trapezoid((self.ratio(x) - 1) ** 2 * _normal_density(x), x))


def shift_chi_square(length: float) -> float:
    """D0 of N(delta, I) against N(0, I) in any dimension: e^{|delta|^2} - 1."""
    return math.expm1(length**2)


def variance_chi_square(deviation: float, dimension: int = 1) -> float:
    """D0 of N(0, s^2 I) against N(0, I): (s sqrt(2 - s^2))^{-d} - 1 for s < sqrt 2, infinite from there on."""
    if deviation**2 >= 2:
        return math.inf
    return math.expm1(-dimension * math.log(deviation * math.sqrt(2 - deviation**2)))


def _normal_density(x: Tensor) -> Tensor:
    return torch.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _interpolated(x: Tensor, places: Tensor, values: Tensor) -> Tensor:
    """Linear between places (K,) in increasing order, constant beyond."""
    right = torch.searchsorted(places, x.contiguous()).clamp(1, len(places) - 1)
    x0, x1, y0, y1 = places[right - 1], places[right], values[right - 1], values[right]
    share = ((x - x0) / (x1 - x0)).clamp(0, 1)
    return y0 + share * (y1 - y0)
