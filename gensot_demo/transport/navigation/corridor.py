"""The corridor frame, and the curves that a teacher shows in it (Chertkov, arXiv 2512.11859; docs/FORMULAS.md 1.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..guides import along_curve

Curve = Callable[[Tensor], Tensor]
"""Places (T, d) at times (T,) of [0, 1]."""

_NO_DIRECTION = 1e-6  # a corridor shorter than this has none of its own; it takes the first axis


@dataclass(frozen=True)
class Corridor:
    """A straight way in the plane from ``start`` (2,) to ``end`` (2,)."""

    start: Tensor
    end: Tensor

    @property
    def direction(self) -> Tensor:
        """e = v / |v|, v = end - start."""
        way = self.end - self.start
        length = torch.linalg.norm(way)
        return way / length if length > _NO_DIRECTION else torch.tensor([1.0, 0.0], dtype=way.dtype)

    @property
    def normal(self) -> Tensor:
        """n = (-e_2, e_1)."""
        e = self.direction
        return torch.stack((-e[1], e[0]))

    def at(self, t: Tensor) -> Tensor:
        """The straight way at constant speed, (T, 2)."""
        return self.start + t[:, None] * (self.end - self.start)


def switching_teacher(way: Corridor, amplitude: float, steepness: float, axis: Corridor | None = None) -> Curve:
    """The teacher of cases B and C: the way plus A [tanh(s(2t - 1)) - (2t - 1) tanh(s)] n, which is zero at both ends.

    amplitude: A, in data units.  steepness: s > 0.  axis: whose normal is n; the way's own unless told.
    """
    normal = (axis or way).normal

    def curve(t: Tensor) -> Tensor:
        rising = 2 * t - 1
        offset = torch.tanh(steepness * rising) - rising * torch.tanh(torch.as_tensor(steepness, dtype=t.dtype))
        return way.at(t) + amplitude * offset[:, None] * normal

    return curve


def drawn_teacher(points: Tensor) -> Curve:
    """A drawn polygon (n, 2), followed at constant speed."""
    points = torch.as_tensor(points, dtype=torch.float64)
    return lambda t: along_curve(points, t)


def blended(curves: list[Curve], trusts: list[float]) -> Curve:
    """The mean of several teachers by trust."""
    total = sum(trusts)

    def curve(t: Tensor) -> Tensor:
        return torch.stack([k / total * one(t) for k, one in zip(trusts, curves, strict=True)]).sum(0)

    return curve
