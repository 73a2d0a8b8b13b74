"""The consensus guide the way the papers find it: simulate an ensemble, differentiate through it, descend by Adam.

Written as one would without the closed forms: Euler-Maruyama of the optimal drift (docs/FORMULAS.md 1.3) with the
oracle of the fused law at every step, the objective as an average over particles and times, fresh noise at every
iteration. What it costs beside the linear solve is what the page and the benchmark show.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gensot_demo.transport.harmonic import HarmonicPath, Protocol
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.navigation.learning import Tracking

PARTICLES, STEPS = 500, 100
RATE = 0.03
CLOSE = 0.01
"""Share of the exact optimum within which a descent counts as arrived."""


@dataclass(frozen=True, eq=False)
class DescentMoment:
    """One iteration. simulated: the objective as its ensemble has it.  exact: the closed form's cost of its guide,
    which the descent does not see and whose time does not count.  seconds: spent by the descent so far."""

    iteration: int
    iterations: int
    simulated: float
    exact: float
    seconds: float
    protocol: Protocol


def simulate_and_adam(
    tracking: Tracking, law: GaussianMixture, iterations: int, seed: int = 0, particles: int = PARTICLES
) -> Iterator[DescentMoment]:
    """Descend from the protocol's own guide; yields each iteration, costs without a constant."""
    generator = torch.Generator().manual_seed(seed)
    guide = tracking.protocol.guide.clone().requires_grad_(True)
    descent = torch.optim.Adam([guide], lr=RATE)
    seconds = 0.0
    for iteration in range(iterations + 1):
        began = time.perf_counter()
        protocol = replace(tracking.protocol, guide=guide)
        cost = simulated_cost(tracking, protocol, law, generator, particles)
        descent.zero_grad()
        cost.backward()
        now = replace(tracking.protocol, guide=guide.detach().clone())
        spent = time.perf_counter() - began
        yield DescentMoment(iteration, iterations, float(cost.detach()), tracking.cost(now).total, seconds, now)
        began = time.perf_counter()
        descent.step()
        seconds += spent + time.perf_counter() - began


def simulated_cost(
    tracking: Tracking, protocol: Protocol, law: GaussianMixture, generator: torch.Generator, particles: int = PARTICLES
) -> Tensor:
    """sum_m k_m (1/2) int E|x_t - teacher_m|^2 dt + penalties of an ensemble, by the trapezoidal rule in time."""
    t = torch.linspace(0, 1, STEPS + 1, dtype=torch.float64)
    at = HarmonicPath(protocol).at(t)
    teachers = [one(t) for one in tracking.teachers]
    x = protocol.start.expand(particles, -1)
    h, cost = 1 / STEPS, torch.zeros((), dtype=torch.float64)
    for n in range(STEPS + 1):
        away = sum(k * (x - one[n]).square().sum(1) for k, one in zip(tracking.trusts, teachers, strict=True))
        cost = cost + (0.5 if n in (0, STEPS) else 1.0) * h * 0.5 * away.mean()
        if n == STEPS:
            break
        predicted = law.predict(x - at.g[n], float(at.a[n]), float(at.m[n]))
        x = x + h * (-at.relaxation[n] * x + at.pull[n] * predicted + at.push[n])
        if n + 1 < STEPS:
            noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
            x = x + math.sqrt(protocol.temperature * h) * noise
    return cost + tracking.penalties.of(protocol.guide)


def arrived(moment: DescentMoment, optimum: float, constant: float) -> bool:
    """Whether the guide of an iteration is within :data:`CLOSE` of the exact optimum, both with the constant."""
    return moment.exact - optimum <= CLOSE * abs(optimum + constant)
