"""GenSOT as controlled transport: a moving quadratic potential that particles pay for, and a law that they must reach.

The controlled process is that of docs/FORMULAS.md 1: least E int (|u|^2 / (2 kappa) + (beta / 2) |x - nu|^2) dt with
x(1) ~ p1. Its density moves with v = u - (kappa / 2) grad log alpha, so d_t alpha + div(alpha v) = 0; particles that
follow v without noise, or u with it, have the same density at every time. Sources: Chertkov, arXiv 2512.11859;
Behjoo & Chertkov, arXiv 2409.15166.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from ..conductor import Job, run
from ..diagnostics import (
    adherence,
    drift_effort,
    entropy,
    expected_log_green,
    guide_at,
    guiding_cost,
    panels,
    posterior_variance,
    stiffness_at,
)
from ..grids import uniform_times
from ..harmonic import HarmonicPath, Protocol
from ..mixtures import GaussianMixture
from ..noise import SharedNoise
from ..paths import PathPoints
from ..samplers import bridge_step, heun
from ..steering import Starting, Steering

FIRST = 0.004
"""Where particles without noise begin, spread as the process is then."""
_DEPTH = 12
_NODES = 17  # of the formula's mmse, per dimension and component: enough for a curve


@dataclass(frozen=True, eq=False)
class Controlled:
    """Particles under one protocol at F times from 0 to 1: positions, velocities v and controls u, (F, n, 2)."""

    path: HarmonicPath
    t: Tensor
    positions: Tensor
    velocities: Tensor
    controls: Tensor

    def running_cost(self, potential: Protocol) -> tuple[Tensor, Tensor]:
        """What these particles pay per unit time at each of the times, estimated from them: E (beta/2)|x - nu|^2 in a
        potential, their own or another, and E|u|^2 / (2 kappa); (F,) each."""
        away = self.positions - guide_at(potential, self.t)[:, None]
        place = 0.5 * stiffness_at(potential, self.t) * away.square().sum(-1).mean(1)
        return place, self.controls.square().sum(-1).mean(1) / (2 * self.path.protocol.temperature)


def controlled(
    protocol: Protocol, target: GaussianMixture, seed: int, particles: int, frames: int, each: int, noisy: bool
) -> Controlled:
    """Particles that read the same noise under every protocol, at ``frames`` even times with ``each`` steps between.

    noisy: whether they follow u with noise, by the exact bridge step, or v without any, by Heun's method.
    """
    path, noise = HarmonicPath(protocol), SharedNoise([seed], 2, particles, depth=_DEPTH)
    steps = (frames - 1) * each
    grid = uniform_times(path, steps)
    if not noisy:
        grid = path.at(torch.cat([torch.tensor([FIRST], dtype=torch.float64), grid.t[1:]]))
    job = Job("controlled", bridge_step if noisy else heun, grid, noise, Steering() if noisy else _OneDirection())
    trace = run([job], target)[0]
    velocities, controls, start = [], [], path.at(0.0)
    together = (start.da[0] * target.mean() + start.dg[0]).expand(particles, 2)
    for index in range(0, steps + 1, each):
        index = min(index, steps - 1)  # a velocity at the very end is 0 * inf
        x, predicted = trace.steps[index].x, trace.steps[index].predicted
        at_one_place = grid.t[index] == 0
        velocities.append(together if at_one_place else grid.velocity(index, x, predicted))
        controls.append(together if at_one_place else _control(grid, index, x, predicted))
    positions = torch.stack([step.x for step in trace.steps[::each]])
    t = torch.linspace(0, 1, frames, dtype=torch.float64)
    return Controlled(path, t, positions, torch.stack(velocities), torch.stack(controls))


class _OneDirection(Steering):
    """Plain, from the same normal numbers whatever the protocol makes of the noise level: far from the data a particle
    without noise keeps its direction."""

    def start(self, grid: PathPoints, noise: SharedNoise) -> Starting:
        point, direction = grid.point(0), noise.direction(0.0)
        blank = replace(point, a=0.0, m=1.0, log_K=-math.inf, g=torch.zeros_like(point.g))
        mean = (yield from self.predict(blank, torch.zeros_like(direction))).state
        return 0, point.a * mean + point.g + point.m * direction


def _control(points: PathPoints, index: int, x: Tensor, predicted: Tensor) -> Tensor:
    """u = -aM x + b E[y | x] + r (docs/FORMULAS.md 1.3)."""
    point = points.point(index)
    return -point.relaxation * x + point.pull * predicted + point.push


def exact_cost(path: HarmonicPath, potential: Protocol, target: GaussianMixture, t: Tensor) -> tuple[Tensor, Tensor]:
    """The same two costs per unit time as :meth:`Controlled.running_cost`, by formula, at times (T,) of (0, .99]."""
    points = path.at(t)
    place = adherence(HarmonicPath(potential), points, target)  # asks only where the potential is, and how stiff
    effort = drift_effort(points, target, posterior_variance(points, target, _NODES))
    return place, effort / (2 * path.protocol.temperature)


def exact_total(path: HarmonicPath, potential: Protocol, target: GaussianMixture) -> tuple[float, float]:
    """Their integrals over [0, 1]: of the place by Gauss-Legendre, of the control from the optimal total."""
    t, weight = panels(potential)
    place = float(weight @ adherence(HarmonicPath(potential), path.at(t), target))
    best = -_entropy(target) - float(expected_log_green(path, target.mean(), target.covariance_trace()))
    return place, best - guiding_cost(path, target)


@lru_cache(maxsize=8)
def _entropy(target: GaussianMixture) -> float:
    return entropy(target)  # the dearest part of a total cost, and no protocol changes it
