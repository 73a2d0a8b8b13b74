"""Particles that every schedule shares: one flow map on the circle a = sin theta, m = cos theta, read in any schedule.

With x = rho X(theta), rho = |(a, m)| and theta = atan(a/m), schedules differ in when they pass theta and in rho alone,
and every distance scales with rho: W1 is computed once for all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

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

    def until(self, count: int) -> Cloud:
        return Cloud(self.theta[:count], self.states[:count])


def times_of(path: ProbabilityPath, theta: Tensor) -> tuple[Tensor, Tensor]:
    """(t, rho) (K,) at which a path from noise to data passes theta: its ends are t = 0 and 1, with rho = 1."""
    t = path.times_of_sigma(1 / torch.tan(theta.clamp(min=1e-12)))
    t = torch.where(theta <= 0, 0.0, torch.where(theta >= math.pi / 2 - 1e-12, 1.0, t))
    points = path.at(t.clamp(1e-9, 1.0))
    rho = torch.hypot(points.a, points.m)
    return t, torch.where((t <= 0) | (t >= 1), 1.0, rho)


def in_schedule(path: ProbabilityPath, cloud: Cloud, distance: Tensor, weights: Tensor) -> Relation:
    """The relation of a schedule from the distances (K,) on the circle; exact for these particles and these steps."""
    t, rho = times_of(path, cloud.theta)
    return relation_of_distances(rho * distance, rho[:, None, None] * cloud.states, weights, t)
