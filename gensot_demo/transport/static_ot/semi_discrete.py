"""Brenier's map from N(0, I) to weighted points, and its heights by stochastic ascent of the dual, in any dimension.

The potential ``u_h(z) = max_i (<z, y_i> + h_i)`` has gradient y_i on the Laguerre cell of i. The heights maximise the
concave dual ``sum_i w_i h_i - E u_h(z)``, whose gradient is ``w_i - mass_i(h)``: cells too small are raised. Only the
products <z, y_i> are asked for, so points may be given in any orthonormal coordinates of their span.
Source: Wang, Li, Che et al., arXiv 2410.13431; An, Guo, Lei, Luo, Yau & Gu, AE-OT, ICLR 2020 (Adam, samples doubled
when it stalls); docs/FORMULAS.md 4.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import InvalidValue, require_number

MOST_POINTS = 2000  # 1.5 GFLOP for 200 draws of noise in as many dimensions
MOST_SAMPLES = 2**27
TOLERANCES = 1e-4, 0.5  # of the total variation between masses and weights
_BLOCK = 2**21  # scores held at a time
_PLANE = 16  # dimension up to which float64 costs nothing
_STEPS = 32  # of Adam in a round
_SMALLEST_ROUND = 4096  # samples
_STALLED = 0.8  # of the mass error before: above, more samples are needed
_FIRST_RATE = 0.1  # of Adam, in units of the points' spread / sqrt(n)
_DECAY = 0.9, 0.99  # of Adam's two averages


@dataclass(frozen=True)
class Brenier:
    """points (n, d), heights (n,) of weighted mean 0, weights (n,) positive of sum 1; float64."""

    points: Tensor
    heights: Tensor
    weights: Tensor

    def scores(self, z: Tensor) -> Tensor:
        """``<z, y_i> + h_i``, (k, n), for noise z (k, d)."""
        return z.to(self.points) @ self.points.T + self.heights

    def cells(self, z: Tensor) -> Tensor:
        """Index (k,) of the point that noise z (k, d) goes to."""
        return torch.cat([self.scores(part).argmax(1) for part in z.split(_rows(len(self.points)))])

    def to(self, z: Tensor) -> Tensor:
        """grad u_h (k, d): the point itself."""
        return self.points[self.cells(z)]

    def value(self, z: Tensor) -> Tensor:
        """u_h (k,)."""
        return torch.cat([self.scores(part).amax(1) for part in z.split(_rows(len(self.points)))])

    def smoothed(self, z: Tensor, tau: float) -> Tensor:
        """Gradient (k, d) of ``u_tau = tau logsumexp((<z, y_i> + h_i) / tau)``: an average of points, the nearer to one
        of them the smaller tau > 0, which is in the units of u."""
        tau = require_number("tau", tau, 1e-12, 1e12)
        parts = z.split(_rows(len(self.points)))
        return torch.cat([torch.softmax(self.scores(part) / tau, 1) @ self.points for part in parts])

    def masses(self, z: Tensor) -> Tensor:
        """Share (n,) of the noise z (k, d) in each cell."""
        return torch.bincount(self.cells(z), minlength=len(self.points)).double() / len(z)

    def squared_distance(self, z: Tensor) -> float:
        """W2^2 = d + sum_i w_i |y_i|^2 + 2 dual, the mean of u_h taken over noise z (k, d): exact heights give a value
        whose only error is that of the mean; others give less, a lower bound."""
        dual = self.weights @ self.heights - self.value(z).mean()
        return float(self.points.shape[1] + self.weights @ self.points.square().sum(1) + 2 * dual)


@dataclass(frozen=True)
class Ascent:
    """A moment of the ascent. heights (n,) are the average of the round's; masses (n,) were counted with noise that
    they have not met, as was the dual value.

    mass_error: total variation (1/2) sum |mass - weight|; floor: what exact heights would show with as many draws;
    worst: largest |mass/weight - 1|; counted: draws behind the masses; samples: all draws so far; rate: Adam's step;
    done: mass_error has reached the tolerance (False at the end: the draws allowed are used up).
    """

    heights: Tensor
    masses: Tensor
    mass_error: float
    floor: float
    worst: float
    dual: float
    counted: int
    samples: int
    iteration: int
    rate: float
    done: bool


def total_variation(masses: Tensor, weights: Tensor) -> float:
    """(1/2) sum |mass_i - weight_i|, from 0 to 1."""
    return float(0.5 * (masses - weights).abs().sum())


def variation_floor(weights: Tensor, draws: int) -> float:
    """Expected total variation between weights (n,) and the shares of so many draws from them, by the normal
    approximation ``(1/2) sum sqrt(2 w (1 - w) / (pi N))``, which overestimates where a weight expects few draws."""
    return min(1.0, float((weights * (1 - weights) / (2 * math.pi * draws)).sqrt().sum()))


def valid_points(points: Tensor, weights: Tensor | None = None, most: int = MOST_POINTS) -> tuple[Tensor, Tensor]:
    """points (n, d) and weights (n,) of sum 1 in float64. Raises :class:`InvalidValue` for no or too many points,
    numbers that are not finite, two points at one place, and weights that are not positive."""
    points = torch.as_tensor(points).detach().double().cpu()
    if points.dim() != 2 or not len(points) or not points.shape[1]:
        raise InvalidValue(f"points must be a non-empty (n, d) table, not {tuple(points.shape)}.")
    if len(points) > most:
        raise InvalidValue(f"There are {len(points)} points; at most {most} can be transported to.")
    if not bool(torch.isfinite(points).all()):
        raise InvalidValue("points must be finite numbers.")
    same = torch.unique(points, dim=0, return_inverse=True)[1]
    first: dict[int, int] = {}
    for index, place in enumerate(same.tolist()):
        if place in first:
            raise InvalidValue(
                f"Points {first[place] + 1} and {index + 1} are the same: their cells would be one. Remove one of "
                "them, or give one the weight of both."
            )
        first[place] = index
    if weights is None:
        return points, torch.full((len(points),), 1 / len(points), dtype=torch.float64)
    weights = torch.as_tensor(weights).detach().double().cpu()
    if weights.shape != (len(points),) or not bool((torch.isfinite(weights) & (weights > 0)).all()):
        raise InvalidValue(f"weights must be {len(points)} positive finite numbers.")
    return points, weights / weights.sum()


def brenier(points: Tensor, heights: Tensor, weights: Tensor | None = None) -> Brenier:
    """The map of given heights (n,), which need not be solved; shifted to weighted mean 0."""
    points, weights = valid_points(points, weights)
    heights = torch.as_tensor(heights).detach().double().cpu()
    if heights.shape != (len(points),) or not bool(torch.isfinite(heights).all()):
        raise InvalidValue(f"heights must be {len(points)} finite numbers.")
    return Brenier(points, heights - weights @ heights, weights)


def gaussian_heights(points: Tensor, weights: Tensor) -> Tensor:
    """Where an ascent starts, (n,): the heights ``-|y - c|^2 / (2 s)`` that would be right for many points of the law
    N(c, s^2 I); points (n, d), weights (n,)."""
    square = (points - weights @ points).square().sum(1)
    spread = float((weights @ square / points.shape[1]).sqrt())
    heights = -square / (2 * spread) if spread > 0 else torch.zeros_like(square)
    return heights - weights @ heights


def ascend(
    points: Tensor,
    *,
    weights: Tensor | None = None,
    tolerance: float = 0.01,
    seed: int = 0,
    most_samples: int = 2**24,
    first_heights: Tensor | None = None,
) -> Iterator[Ascent]:
    """Stochastic ascent of the dual by Adam, one :class:`Ascent` a round (the first is the start), until its masses are
    within ``tolerance`` of the weights in total variation, or the draws allowed are used up.

    points (n, d), at most :data:`MOST_POINTS`; weights (n,) or None for equal ones; first_heights (n,) or None for
    :func:`gaussian_heights`. A round that no longer helps halves the step and doubles the samples. Half of the draws
    climb, half count. Raises :class:`InvalidValue` as :func:`valid_points` does.
    """
    points, weights = valid_points(points, weights)
    tolerance = require_number("tolerance", tolerance, *TOLERANCES)
    most_samples = int(require_number("most_samples", most_samples, 2 * _SMALLEST_ROUND, MOST_SAMPLES))
    heights = gaussian_heights(points, weights) if first_heights is None else torch.as_tensor(first_heights).double()
    return _ascend(points, brenier(points, heights, weights), tolerance, seed, most_samples)


def _ascend(points: Tensor, start: Brenier, tolerance: float, seed: int, most: int) -> Iterator[Ascent]:
    weights = start.weights
    centred = points - weights @ points  # a shift moves every score alike
    noise, climber = _Noise(centred, seed), _Adam(len(points))
    rate = _FIRST_RATE * float((weights @ centred.square().sum(1)).sqrt()) / math.sqrt(len(points))
    heights, average = start.heights.clone(), start.heights
    draws, samples = _SMALLEST_ROUND, 0
    before = math.inf
    while True:
        masses, value = noise.count(average, draws)
        samples += draws
        error = total_variation(masses, weights)
        done = error <= tolerance
        yield Ascent(
            heights=average,
            masses=masses,
            mass_error=error,
            floor=variation_floor(weights, draws),
            worst=float((masses / weights - 1).abs().max()),
            dual=-value,
            counted=draws,
            samples=samples,
            iteration=climber.steps,
            rate=rate,
            done=done,
        )
        if done:
            return
        if climber.steps and error > _STALLED * before:
            draws, rate, heights = 2 * draws, rate / 2, average.clone()
        if climber.steps:
            before = error
        if samples + 2 * draws > most:
            return
        total = torch.zeros_like(heights)
        for step in range(_STEPS):
            gradient = weights - noise.count(heights, draws // _STEPS)[0]
            heights = heights + rate * climber.direction(gradient)
            if step >= _STEPS // 2:
                total += heights
        samples += draws
        average = total / (_STEPS - _STEPS // 2)
        average = average - weights @ average


class _Adam:
    """Directions of about unit length per coordinate, from noisy gradients (n,)."""

    def __init__(self, count: int):
        self.steps = 0
        self._first = torch.zeros(count, dtype=torch.float64)
        self._second = torch.zeros(count, dtype=torch.float64)

    def direction(self, gradient: Tensor) -> Tensor:
        self.steps += 1
        slow, slower = _DECAY
        self._first = slow * self._first + (1 - slow) * gradient
        self._second = slower * self._second + (1 - slower) * gradient.square()
        scale = (self._second / (1 - slower**self.steps)).sqrt().clamp(min=1e-12)
        return self._first / (1 - slow**self.steps) / scale


class _Noise:
    """Counts draws of N(0, I) in the cells of points (n, d)."""

    def __init__(self, points: Tensor, seed: int):
        self._points = points if points.shape[1] <= _PLANE else points.float()
        self._generator = torch.Generator().manual_seed(seed)

    def count(self, heights: Tensor, draws: int) -> tuple[Tensor, float]:
        """Masses (n,) and mean of u_h, for heights (n,)."""
        count, dimension = self._points.shape
        counts, value, offset = torch.zeros(count, dtype=torch.float64), 0.0, heights.to(self._points)
        for start in range(0, draws, _rows(count)):
            rows = min(_rows(count), draws - start)
            z = torch.randn(rows, dimension, generator=self._generator, dtype=self._points.dtype)
            highest, index = (z @ self._points.T + offset).max(1)
            counts += torch.bincount(index, minlength=count)
            value += float(highest.double().sum())
        return counts / draws, value / draws


def _rows(points: int) -> int:
    return max(_BLOCK // points, 1)
