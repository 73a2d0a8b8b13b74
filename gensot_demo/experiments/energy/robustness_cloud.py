"""Particles that every schedule shares: one flow map on the circle a = sin theta, m = cos theta, read in any schedule.

With x = rho X(theta), rho = |(a, m)| and theta = atan(a/m), schedules differ in when they pass theta and in rho alone,
and every distance scales with rho: W1 is computed once for all of them. A step of a schedule needs no states either:
|rho' X' - rho X|^2 = (rho' - rho)(rho' |X'|^2 - rho |X|^2) + rho rho' |X' - X|^2, three numbers
a step for all schedules.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gensot_demo.transport.paths import ProbabilityPath
from gensot_demo.transport.speed_accuracy import Relation, relation_of_distances


def angles(steps: int) -> Tensor:
    """``steps`` equal intervals of theta from pure noise, 0, to data, pi/2: (steps + 1,)."""
    return torch.linspace(0, math.pi / 2, steps + 1, dtype=torch.float64)


@dataclass(frozen=True, eq=False)
class Cloud:
    """Particles on the circle: theta (K,), states (K, N, d) where data have variance 1 per coordinate."""

    theta: Tensor
    states: Tensor

    @cached_property
    def moves(self) -> Moves:
        moves = Moves(self.states[0])
        for x in self.states[1:]:
            moves.add(x)
        return moves


class Moves:
    """What schedules need of states X_0, X_1, ... (N, d) on the circle, of which only the last is kept."""

    def __init__(self, first: Tensor):
        self._last = first
        self._square = [_mean_square(first)]
        self._step: list[float] = []

    def add(self, x: Tensor) -> None:
        """The next states (N, d)."""
        self._square.append(_mean_square(x))
        self._step.append(_mean_square(x.double() - self._last.double()))
        self._last = x

    def scaled(self, rho: Tensor) -> Tensor:
        """mean |rho_{k+1} X_{k+1} - rho_k X_k|^2 (K-1,) for scales rho (K,)."""
        square, step = (torch.tensor(part, dtype=torch.float64) for part in (self._square, self._step))
        return rho.diff() * (rho * square).diff() + rho[1:] * rho[:-1] * step


def _mean_square(x: Tensor) -> float:
    return float(x.double().square().sum(-1).mean())


def times_of(path: ProbabilityPath, theta: Tensor) -> tuple[Tensor, Tensor]:
    """(t, rho) (K,) at which a path from noise to data passes theta: its ends are t = 0 and 1, with rho = 1."""
    t = path.times_of_sigma(1 / torch.tan(theta.clamp(min=1e-12)))
    t = torch.where(theta <= 0, 0.0, torch.where(theta >= math.pi / 2 - 1e-12, 1.0, t))
    points = path.at(t.clamp(1e-9, 1.0))
    rho = torch.hypot(points.a, points.m)
    return t, torch.where((t <= 0) | (t >= 1), 1.0, rho)


def in_schedule(path: ProbabilityPath, theta: Tensor, moves: Moves, distance: Tensor, weights: Tensor) -> Relation:
    """The relation of a schedule from angles, moves and distances (K,) on the circle; exact for these particles and
    these steps."""
    t, rho = times_of(path, theta)
    return relation_of_distances(rho * distance, moves.scaled(rho), weights, t)
