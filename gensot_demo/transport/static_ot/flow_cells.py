"""Where the exact diffusion flow takes noise: the probability flow of points in the plane, from N(0, I) at time T.

Time is Ornstein-Uhlenbeck: x_T = e^{-T} y + sqrt(1 - e^{-2T}) eps, data centred. The flow starts at N(0, I) at T, which
is not the law of x_T: that is the prior error. Source: docs/FORMULAS.md 4.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from ..errors import InvalidValue, require_number
from ..paths import CosinePath
from ..schedule_flow import Predict, flow, scales_at

TIMES = (0.05, 12.0)
"""Allowed times T. At the last one e^{-2T} is 4e-11: as good as infinity."""

FOR_EVER = TIMES[1]
CLOSEST = 0.01  # distance of two points: below it they are one to the eye, and the flow decides for ever
STEP = 0.24  # of log sigma where the data show; of a third of it, the share sent elsewhere differs by less than 2e-5
_FAR = 1.0  # log sigma from which on steps grow
_DECIDED = 1 / 8  # noise over the least distance of two points: from there on the nearest one is the answer
_AT_ONCE = 24_000  # numbers: so few torch adds up on one core, and small work does not wait for others


def noise_level(time: float) -> float:
    """sigma = m/a at time T: sqrt(e^{2T} - 1)."""
    return math.sqrt(math.expm1(2 * time))


class FlowCells:
    """The probability flow of points (n, 2), n >= 1, each of probability 1/n, and its cells.

    step: largest Runge-Kutta step of order 4, in log sigma. Raises :class:`InvalidValue` for points that are not
    centred or closer to one another than ``CLOSEST``.
    """

    def __init__(self, points: Tensor, step: float = STEP) -> None:
        self.points, self.step = checked_points(points), step
        self.least = least_distance(self.points)
        self._last = math.log(min(_DECIDED * self.least, 0.3))

    def index(self, z: Tensor, time: float) -> Tensor:
        """Index of the point at which noise z (k, 2), taken as the state at ``time``, arrives: (k,)."""
        parts = [self._nearest(part, time) for part in z.split(max(_AT_ONCE // len(self.points), 256))]
        return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.int64)

    def _nearest(self, z: Tensor, time: float) -> Tensor:
        *_, (_, x) = flow(*self._start(z, time))
        return torch.argmax(self.points @ x - self._half_squares, 0)

    def lines(self, z: Tensor, time: float) -> tuple[Tensor, Tensor]:
        """Angles theta (F,) up to pi/2 with tan(theta) = signal over noise, and the states x (F, k, 2) there; the last
        ones are the points."""
        scales, predict, eps = self._start(z, time)
        *found, (_, end) = flow(scales, predict, eps)
        rows = [k for k, _ in found]
        angles = torch.atan2(scales.a[rows, 0, 0], scales.m[rows, 0, 0])
        arrived = self.points[torch.argmax(self.points @ end - self._half_squares, 0)]
        states = torch.cat([torch.stack([x for _, x in found]).transpose(1, 2), arrived[None]])
        return torch.cat([angles, angles.new_tensor([math.pi / 2])]), states

    @property
    def _half_squares(self) -> Tensor:
        return 0.5 * self.points.square().sum(1, keepdim=True)

    def _start(self, z: Tensor, time: float) -> tuple:
        """Scales of the rows, the oracle, and noise whose state at the first row is z; states are (2, k)."""
        scales = scales_at([CosinePath()], [self._times(time)])
        return scales, self._oracle(), z.T.double() / scales.m[0]

    def _times(self, time: float) -> Tensor:
        """Rows of the variance-preserving path: even in log sigma near the data, wider and wider before, and the same
        for every T but for the first: maps of two times differ by what T changes, not by their steps."""
        s = [self._last]
        first = max(math.log(noise_level(require_number("time T", time, *TIMES))), self._last + self.step)
        while s[-1] < first:
            s.append(s[-1] + self.step * max(1.0, math.exp(0.5 * (s[-1] - _FAR))))
        log_sigma = torch.tensor([first, *s[-2::-1]], dtype=torch.float64)
        middles = 0.5 * (log_sigma[1:] + log_sigma[:-1])
        rows = torch.stack([log_sigma[:-1], middles], 1).flatten()
        return 2 / math.pi * torch.atan(torch.exp(-torch.cat([rows, log_sigma[-1:]])))

    def _oracle(self) -> Predict:
        points, half_squares = self.points, self._half_squares
        across = points.T.contiguous()

        def predict(x: Tensor, a: Tensor, m: Tensor) -> Tensor:
            """E[y | x] for states (2, k)."""
            r = a / m
            evidence = (r / m * points) @ x
            evidence -= r * r * half_squares
            evidence -= evidence.amax(0)
            np.exp(evidence.numpy(), out=evidence.numpy())  # torch would wake its threads for so little
            return (across @ evidence) / evidence.sum(0)

        return predict


def centred(points: Tensor) -> Tensor:
    """The points (n, 2) about their mean, in units of one standard deviation per coordinate: sum |y|^2 = 2 n.

    Unlike :func:`~gensot_demo.transport.data_separation.standardised_points` it takes one point, or all in one
    place: they are at the origin.
    """
    away = torch.as_tensor(points, dtype=torch.float64)
    away = away - away.mean(0)
    size = math.sqrt(float(away.square().sum()) / away.numel())
    return away / size if size > 1e-12 else away


def least_distance(points: Tensor, closest: float = CLOSEST, places: Tensor | None = None) -> float:
    """Of two different points (n, d); 1 for a single one. Raises :class:`InvalidValue` naming a pair that is nearer
    than ``closest``, and where it is: by ``places`` (n, d), the points as their owner knows them, if given."""
    if len(points) == 1:
        return 1.0
    away = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(math.inf)
    flat = int(away.argmin())
    i, j = sorted((flat // len(points), flat % len(points)))
    if not float(away[i, j]) >= closest:
        x, y = (points if places is None else places)[i].tolist()
        raise InvalidValue(
            f"Points {i + 1} and {j + 1} are {float(away[i, j]):.2g} apart, both near ({x:.3g}, {y:.3g}); two points "
            f"must be at least {closest:g} apart, in units of the data's "
            "standard deviation. Remove one of the two."
        )
    return float(away[i, j])


def checked_points(points: Tensor) -> Tensor:
    """As a float64 (n, 2) table; raises :class:`InvalidValue` for another shape, or data that are not centred."""
    points = torch.as_tensor(points, dtype=torch.float64)
    if points.dim() != 2 or points.shape[1] != 2 or not len(points) or not bool(torch.isfinite(points).all()):
        raise InvalidValue(f"points must be a non-empty (n, 2) table of finite numbers, not {tuple(points.shape)}.")
    if float(points.mean(0).abs().max()) > 1e-9 * max(1.0, float(points.abs().max())):
        x, y = points.mean(0).tolist()
        raise InvalidValue(f"points have mean ({x:.3g}, {y:.3g}); it must be (0, 0): centre them.")
    return points
