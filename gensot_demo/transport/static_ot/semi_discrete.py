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
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import InvalidValue, require_number

MOST_POINTS = 2000  # 1.5 GFLOP for 200 draws of noise in as many dimensions
MOST_SAMPLES = 2**27
TOLERANCES = 1e-4, 0.5  # of the total variation between masses and weights
_BLOCK = 2**21  # scores held at a time
_TURN = 2**32  # products between two moments: some tenths of a second
_PLANE = 16  # dimension up to which float64 costs nothing
_STEPS = 64  # of Adam in a round
_COOLING = 0.5
_TRAIL = 16  # steps between two heights that are told
_SMALLEST_ROUND = 4096  # samples
_STALLED = 0.6  # of the mass error before: above, more samples are needed
_FIRST_RATE = 0.1  # of Adam, in units of the points' spread / sqrt(n)
_SIMULATED = 400  # counts, which leave the deviation an error of 4 %
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
    trail (k, n): heights on the way, every 16 steps; done: mass_error and floor have reached the tolerance (False at
    the end: the draws allowed are used up).
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
    trail: Tensor
    done: bool


def total_variation(masses: Tensor, weights: Tensor) -> float:
    """(1/2) sum |mass_i - weight_i|, from 0 to 1."""
    return float(0.5 * (masses - weights).abs().sum())


def variation_floor(weights: Tensor, draws: int) -> float:
    """Expected total variation between weights (n,) and the shares of so many draws from them, by the normal
    approximation ``(1/2) sum sqrt(2 w (1 - w) / (pi N))``, which overestimates where a weight expects few draws."""
    return min(1.0, float((weights * (1 - weights) / (2 * math.pi * draws)).sqrt().sum()))


def variation_of_exact(weights: Tensor, draws: int, seed: int = 0) -> tuple[float, float]:
    """Mean and standard deviation of the total variation between weights (n,) and the shares of so many draws from
    them: what exact heights show. Simulated, so right for few draws as well."""
    w = weights.numpy() / weights.numpy().sum()
    shares = np.random.default_rng(seed).multinomial(draws, w, size=_SIMULATED) / draws
    found = 0.5 * np.abs(shares - w).sum(1)
    return float(found.mean()), float(found.std(ddof=1))


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
                f"Points {first[place] + 1} and {index + 1} are the same: their cells would be one. Remove one."
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


def first_guesses(points: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Heights (n,) that would be right for two extremes, points (n, d) about their mean c and weights (n,):
    ``-|y - c|^2 / (2 s)`` for many points of the law N(c, s^2 I), and ``-|y - c| Q^-1(w)``, Q the normal tail, for
    points in as many dimensions, whose scores are nearly independent."""
    square = (points - weights @ points).square().sum(1)
    spread = float((weights @ square / points.shape[1]).sqrt())
    many = -square / (2 * spread) if spread > 0 else torch.zeros_like(square)
    few = square.sqrt() * torch.special.ndtri(weights.clamp(max=0.5))
    return many - weights @ many, few - weights @ few


def better_guess(points: Tensor, weights: Tensor, seed: int = 0) -> Tensor:
    """Of :func:`first_guesses` that with the larger dual value, (n,): where an ascent of that seed starts."""
    noise, tried = _Noise(points, seed), []
    for guess in first_guesses(points, weights):
        noise.count(guess, _SMALLEST_ROUND)
        tried.append((float(weights @ guess) - noise.value, guess))
    return max(tried, key=lambda pair: pair[0])[1]


def ascend(points: Tensor, **settings: Any) -> Iterator[Ascent]:
    """The moments of :func:`climb` at which masses are known: one a round, the first is the start."""
    return (moment for moment in climb(points, **settings) if isinstance(moment, Ascent))


def climb(
    points: Tensor,
    *,
    weights: Tensor | None = None,
    tolerance: float = 0.01,
    seed: int = 0,
    most_samples: int = 2**24,
    first_heights: Tensor | None = None,
) -> Iterator[Ascent | int]:
    """Stochastic ascent of the dual by Adam, until its masses are within ``tolerance`` of the weights in total
    variation, or the draws allowed are used up. Yields an :class:`Ascent` for each round, and in between, every
    fraction of a second, the number of draws so far.

    points (n, d), at most :data:`MOST_POINTS`; weights (n,) or None for equal ones; first_heights (n,) or None for
    :func:`better_guess`. A round that no longer helps halves the step and doubles the samples. Half of the
    draws climb, half count. Raises :class:`InvalidValue` as :func:`valid_points` does.
    """
    points, weights = valid_points(points, weights)
    tolerance = require_number("tolerance", tolerance, *TOLERANCES)
    most_samples = int(require_number("most_samples", most_samples, 2 * _SMALLEST_ROUND, MOST_SAMPLES))
    if first_heights is None:
        first_heights = better_guess(points, weights, seed)
    return _climb(points, brenier(points, first_heights, weights), tolerance, seed, most_samples)


def _climb(points: Tensor, start: Brenier, tolerance: float, seed: int, most: int) -> Iterator[Ascent | int]:
    weights = start.weights
    centred = points - weights @ points  # a shift moves every score alike
    noise, climber = _Noise(centred, seed), _Adam(len(points))
    spread = float((weights @ centred.square().sum(1)).sqrt())
    rate = _FIRST_RATE * spread * len(points) ** (-1 / points.shape[1])  # the size of a cell
    heights, average, trail = start.heights.clone(), start.heights, [start.heights]
    draws, before = _SMALLEST_ROUND, math.inf
    while True:
        yield from noise.counted(average, draws)
        masses = noise.masses
        error = total_variation(masses, weights)
        floor = variation_floor(weights, draws)
        done = max(error, floor) <= tolerance  # with a floor above it, an error below is luck
        yield Ascent(
            heights=average,
            masses=masses,
            mass_error=error,
            floor=floor,
            worst=float((masses / weights - 1).abs().max()),
            dual=-noise.value,
            counted=draws,
            samples=noise.drawn,
            iteration=climber.steps,
            rate=rate,
            trail=torch.stack(trail),
            done=done,
        )
        if done:
            return
        if climber.steps and error > _STALLED * before:
            draws, rate, heights = 2 * draws, rate * _COOLING, average.clone()
        if climber.steps:
            before = error
        if noise.drawn + 2 * draws > most:
            return
        total, trail = torch.zeros_like(heights), []
        for step in range(_STEPS):
            yield from noise.counted(heights, draws // _STEPS)
            heights = heights + rate * climber.direction(weights - noise.masses)
            if step >= _STEPS // 2:
                total += heights
            if (step + 1) % _TRAIL == 0:
                trail.append(heights - weights @ heights)
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
    """Counts draws of N(0, I) in the cells of points (n, d).

    masses (n,) and value, the mean of u_h: of the last count; drawn: in all.
    """

    def __init__(self, points: Tensor, seed: int):
        self._points = points if points.shape[1] <= _PLANE else points.float()
        self._generator = torch.Generator().manual_seed(seed)
        self._since = 0
        self.drawn, self.value = 0, 0.0
        self.masses = torch.zeros(len(points), dtype=torch.float64)

    def count(self, heights: Tensor, draws: int) -> None:
        """Masses and mean of u_h, for heights (n,)."""
        for _ in self.counted(heights, draws):
            pass

    def counted(self, heights: Tensor, draws: int) -> Iterator[int]:
        """The same; yields the draws so far whenever some time has gone by."""
        count, dimension = self._points.shape
        counts, value, offset = torch.zeros(count, dtype=torch.float64), 0.0, heights.to(self._points)
        for start in range(0, draws, _rows(count)):
            rows = min(_rows(count), draws - start)
            z = torch.randn(rows, dimension, generator=self._generator, dtype=self._points.dtype)
            highest, index = (z @ self._points.T + offset).max(1)
            counts += torch.bincount(index, minlength=count)
            value += float(highest.double().sum())
            self.drawn += rows
            self._since += rows * count * dimension
            if self._since > _TURN:
                self._since = 0
                yield self.drawn
        self.masses, self.value = counts / draws, value / draws


def _rows(points: int) -> int:
    return max(_BLOCK // points, 1)
