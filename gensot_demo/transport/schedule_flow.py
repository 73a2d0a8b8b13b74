"""From noise to data on schedules x_t = a y + m eps: accurately, and in few steps equal in time.

Both move several schedules at once where the oracle can (scales of shape (S, 1) for states (S, n)), or one (scalars for
states (n, d)). Data are centred, so that all schedules start from m eps. Source: docs/FORMULAS.md 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from .paths import ProbabilityPath

EDGE = 1e-6  # of time: at both ends velocities are 0 * inf
FARTHEST, NEAREST = 1e4, 1e-3  # noise levels: of an accurate start, where a path has one so high, and end
_WHERE_DATA_SHOW = 30.0
_COARSE_STEPS = 12  # from the start to there, where states hardly move
_FINE = 0.12  # of log sigma
_FROM_A_POINT = 300.0  # a noise level above it knows nothing

Predict = Callable[[Tensor, Tensor, Tensor], Tensor]
"""E[y | x] from states x, a and m."""


class Scales(NamedTuple):
    """Times and scales of one or several schedules along K rows: (K, S, 1) for S of them, or (K, 1, 1)."""

    t: Tensor
    a: Tensor
    m: Tensor
    da: Tensor
    dm: Tensor

    def row(self, index: int) -> Scales:
        return Scales(*(part[index] for part in self))


def scales_at(paths: Sequence[ProbabilityPath], times: Sequence[Tensor]) -> Scales:
    """Scales of each path at its own times (K,)."""
    columns = [path.at(t) for path, t in zip(paths, times, strict=True)]
    parts = ((p.t, p.a, p.m, p.da, p.dm) for p in columns)
    return Scales(*(torch.stack(part, 1)[:, :, None].double() for part in zip(*parts, strict=True)))


def accurate_times(path: ProbabilityPath) -> Tensor:
    """Times (2 K + 1,) of noise levels from 1e4, or the path's highest, to 1e-3: K steps with middles, even in log
    sigma, wide ones where nothing is decided. K is the same for all paths."""
    first = min(math.exp(-0.5 * float(path.log_information(torch.zeros(1, dtype=torch.float64)))), FARTHEST)
    rows = 2 * round(math.log(_WHERE_DATA_SHOW / NEAREST) / _FINE)
    far = torch.linspace(math.log(first), math.log(_WHERE_DATA_SHOW), 2 * _COARSE_STEPS + 1, dtype=torch.float64)
    near = torch.linspace(math.log(_WHERE_DATA_SHOW), math.log(NEAREST), rows + 1, dtype=torch.float64)
    return path.times_of_sigma(torch.exp(torch.cat([far, near[1:]])))


def flow(scales: Scales, predict: Predict, eps: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Row and states along the probability flow from m eps, at every second row of ``scales``, whose rows come from
    :func:`accurate_times`; the last one is the end, from where the noise is a thousandth.

    Runge-Kutta of order 4 in s = log sigma of the path's own velocity, for q = x / rho with rho^2 = a^2 + m^2, which
    keeps its size on every path: error below 1e-5 for densities no narrower than .1. The end is z + sigma^2 score / 2.
    """
    size = torch.sqrt(scales.a**2 + scales.m**2)
    decay = scales.dm / scales.m
    clock = decay - scales.da / scales.a  # d log sigma / dt
    growth = (scales.a * scales.da + scales.m * scales.dm) / size**2
    by_state, by_end = (decay - growth) / clock, (scales.da - decay * scales.a) / (clock * size)

    def rate(k: int, q: Tensor) -> Tensor:
        return by_state[k] * q + by_end[k] * predict(size[k] * q, scales.a[k], scales.m[k])

    log_sigma = torch.log(scales.m / scales.a)
    q = scales.m[0] / size[0] * eps
    last = len(scales.t) - 1
    for k in range(0, last, 2):
        yield k, size[k] * q
        h = log_sigma[k + 2] - log_sigma[k]
        one = rate(k, q)
        two = rate(k + 1, q + 0.5 * h * one)
        three = rate(k + 1, q + 0.5 * h * two)
        q = q + h / 6 * (one + 2 * two + 2 * three + rate(k + 2, q + h * three))
    a, m = scales.a[last], scales.m[last]
    x = size[last] * q
    yield last, 0.5 * (x / a + predict(x, a, m))


def equal_times(steps: int) -> Tensor:
    """Times (steps + 1,) of equal steps, the first one at 1e-6."""
    t = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    t[0] = EDGE
    return t


def few_steps(scales: Scales, predict: Predict, eps: Tensor, heun: bool, in_noise: Tensor) -> Tensor:
    """Where noise arrives by Euler's or Heun's steps from row to row of ``scales``; the last row is t = 1.

    in_noise: (S, 1) or a scalar, of bool: steps are taken in the noise level, dz/dsigma = (z - yhat)/sigma of z = x/a
    (DDIM, and Karras et al., arXiv 2206.00364), not in time. Heun's last step is Euler's: at m = 0 there is no slope;
    in the noise level also its first from a point, whose noise level is infinite.
    """
    x = scales.m[0] * eps
    last = len(scales.t) - 1
    for k in range(last):
        here, there = scales.row(k), scales.row(k + 1)
        h = there.t - here.t
        known = predict(x, here.a, here.m)
        noise = (x - here.a * known) / here.m
        slope = here.da * known + here.dm * noise
        by_noise, by_time = there.a * known + there.m * noise, x + h * slope
        if heun and k + 1 < last:
            trial = torch.where(in_noise, by_noise, by_time)
            again = predict(trial, there.a, there.m)
            noise_again = (trial - there.a * again) / there.m
            slope = 0.5 * (slope + there.da * again + there.dm * noise_again)
            # in z the slope in sigma is the noise itself
            sigma, following = here.m / here.a, there.m / there.a
            z = x / here.a + 0.5 * (following - sigma) * (noise + noise_again)
            by_noise = torch.where(sigma > _FROM_A_POINT, by_noise, there.a * z)
            by_time = x + h * slope
        x = torch.where(in_noise, by_noise, by_time)
    return x
