"""Wasserstein gradient flows of three energies: v = -grad (first variation), so that dE/dt = -E|v|^2.

* entropy, int rho log rho: v = -grad log rho, the heat equation (closed form from a Gaussian mixture);
* free energy KL(rho | pi): v = grad log pi - grad log rho, Fokker-Planck (on a grid, :mod:`.fokker_planck`);
* half the squared kernel distance to pi: v = -grad K * (rho - pi), by interaction alone (:mod:`.kernel_flow`).

Sources: Jordan, Kinderlehrer & Otto 1998, doi 10.1137/S0036141096303359; Arbel et al., arXiv 1906.04370; survey in
Peyre, arXiv 2512.06797 (docs/FORMULAS.md 5). The first two densities also move by noise,
dx = grad log pi dt + sqrt(2) dW.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from ..mixtures import GaussianMixture
from .fokker_planck import Box, FokkerPlanck
from .kernel_flow import KernelFlow

STAGES, INTERVALS = 3, 20  # each stage's intervals are twice as long as those of the one before
_STEPS = 2  # of the particles between two moments; the density has its own at each half of one
_FINE = 240  # places along each side at which the force on the noisy particles is tabulated
_NOISY_STEP = 0.3  # of the target's smallest variance: the longest step of the noisy particles
_ENTROPY_CELLS = 72


@dataclass(frozen=True, eq=False)
class Flow:
    """times (F,), 0 first.  clouds: positions and velocities (F, n, 2) of particles that follow v, and of those moved
    by noise instead, where there are any, with v at their places.  energy (F,); spent (F,): what the first cloud has
    spent until then, int E|v|^2 dt.  density (F, cells, cells) on the box where there is one."""

    times: Tensor
    clouds: tuple[tuple[Tensor, Tensor], ...]
    energy: Tensor
    spent: Tensor
    density: Tensor | None = None
    box: Box | None = None


def stage_times(duration: float) -> Tensor:
    """(F,) moments from 0 to ``duration``: closer at first, where a flow is fastest."""
    lengths = torch.tensor([2.0**stage for stage in range(STAGES)], dtype=torch.float64).repeat_interleave(INTERVALS)
    ends = torch.cat([torch.zeros(1, dtype=torch.float64), lengths.cumsum(0)])
    return ends / ends[-1] * duration


def score(law: GaussianMixture, x: Tensor) -> Tensor:
    """grad log p of a mixture at x (n, d), (n, d)."""
    log, pull, precision = _by_component(law, x)
    weights = torch.softmax(log, 1)
    stiffness = (weights @ precision.flatten(1)).reshape(-1, *precision.shape[1:])
    return weights @ pull - (stiffness * x[:, None, :]).sum(2)


def _by_component(law: GaussianMixture, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """log of each component's share of the density (n, N), precision times mean (N, d) and precision (N, d, d)."""
    precision = torch.linalg.inv(law.covariances)
    pull = torch.einsum("nij,nj->ni", precision, law.means)
    constant = law.log_prior - 0.5 * (pull * law.means).sum(1) + 0.5 * torch.logdet(precision / (2 * math.pi))
    square = (x[:, :, None] * x[:, None, :]).flatten(1)
    return constant + x @ pull.T - 0.5 * square @ precision.flatten(1).T, pull, precision


# --- heat -----------------------------------------------------------------------------------------------------------


def heat(start: GaussianMixture, x: Tensor, duration: float, generator: torch.Generator) -> Flow:
    """From x (n, 2), draws of ``start``. At time t the density is start blurred by N(0, 2 t I): a mixture."""
    times = stage_times(duration)
    smooth, speeds, noisy, noisy_speeds = [x], [-score(start, x)], [x], [-score(start, x)]
    spent, energy = [0.0], [-_entropy(start)]
    for before, after in pairwise(times.tolist()):
        part, worth = (after - before) / _STEPS, 0.0
        place, v = smooth[-1], speeds[-1]
        for n in range(_STEPS):
            middle, end = (start.marginal(1.0, math.sqrt(2 * (before + (n + share) * part))) for share in (0.5, 1.0))
            fields = tuple(lambda y, law=law: -score(law, y) for law in (middle, end))
            place, v, gone = _runge_kutta(place, v, *fields, part)
            worth += gone
        smooth.append(place)
        speeds.append(v)
        step = torch.randn(x.shape, generator=generator, dtype=x.dtype)
        noisy.append(noisy[-1] + math.sqrt(2 * (after - before)) * step)
        noisy_speeds.append(-score(end, noisy[-1]))
        spent.append(spent[-1] + worth)
        energy.append(-_entropy(end))
    clouds = ((torch.stack(smooth), torch.stack(speeds)), (torch.stack(noisy), torch.stack(noisy_speeds)))
    return Flow(times, clouds, torch.tensor(energy), torch.tensor(spent))


def _entropy(law: GaussianMixture) -> float:
    """-int rho log rho, by the trapezoidal rule on a grid six standard deviations beyond the means: it converges
    geometrically for what is this smooth."""
    box = box_around(law, cells=_ENTROPY_CELLS, reach=6.0)
    log = torch.logsumexp(_by_component(law, box.centres)[0], 1)
    return -float((log.exp() * log).sum()) * box.h**2


_Field = Callable[[Tensor], Tensor]


def _runge_kutta(place: Tensor, v: Tensor, middle: _Field, end: _Field, step: float) -> tuple[Tensor, Tensor, float]:
    """A step of the classical method from the velocity v at its start and the fields at its middle and its end: the new
    places, their velocity, and int E|v|^2 dt by Simpson's rule."""
    second = middle(place + step / 2 * v)
    third = middle(place + step / 2 * second)
    fourth = end(place + step * third)
    place = place + step / 6 * (v + 2 * second + 2 * third + fourth)
    after = end(place)
    mean = [float(part.square().sum(1).mean()) for part in (v, third, after)]
    return place, after, step / 6 * (mean[0] + 4 * mean[1] + mean[2])


# --- Fokker-Planck --------------------------------------------------------------------------------------------------


def langevin(
    start: GaussianMixture, target: GaussianMixture, x: Tensor, duration: float, generator: torch.Generator
) -> Flow:
    """From x (n, 2), draws of ``start``, to ``target``."""
    times, box = stage_times(duration), box_around(start, target)
    flow = FokkerPlanck(target, box, float(times[1]) / (2 * _STEPS))
    force = _Force(target, box)
    density = box.log_density(start).exp()
    v = flow.velocity(density, x)
    smooth, speeds, noisy, noisy_speeds = [x], [v], [x], [v]
    spent, energy, densities = [0.0], [flow.divergence(density)], [density]
    last = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    for number, (before, after) in enumerate(pairwise(times.tolist())):
        if number and number % INTERVALS == 0:
            flow.doubled()
        part, worth, place, v = (after - before) / _STEPS, 0.0, smooth[-1], speeds[-1]
        for _ in range(_STEPS):
            middle = flow.step(density)
            density = flow.step(middle)
            fields = tuple(lambda y, rho=rho: flow.velocity(rho, y) for rho in (middle, density))
            place, v, gone = _runge_kutta(place, v, *fields, part)
            worth += gone
        moved, last = force.moved(noisy[-1], after - before, last, generator)
        smooth.append(place)
        speeds.append(v)
        noisy.append(moved)
        noisy_speeds.append(flow.velocity(density, moved))
        spent.append(spent[-1] + worth)
        energy.append(flow.divergence(density))
        densities.append(density)
    clouds = ((torch.stack(smooth), torch.stack(speeds)), (torch.stack(noisy), torch.stack(noisy_speeds)))
    return Flow(times, clouds, torch.tensor(energy), torch.tensor(spent), torch.stack(densities), box)


class _Force:
    """grad log pi from a fine table, and the noisy particles' steps: dx = grad log pi dt + sqrt(2) dW by Leimkuhler &
    Matthews' method (doi 10.1093/amrx/abs010), which samples a Gaussian pi exactly at any stable step."""

    def __init__(self, target: GaussianMixture, box: Box):
        self._fine = Box(box.low, box.side, _FINE)
        log = self._fine.log_density(target)
        self._parts = (log.diff(dim=1) / self._fine.h, log.diff(dim=0) / self._fine.h)
        self._longest = _NOISY_STEP * float(torch.linalg.eigvalsh(target.covariances).min())

    def moved(self, x: Tensor, time: float, last: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """x (n, 2) after ``time``, with the normal numbers of the last step, which the next one shares."""
        steps = max(1, math.ceil(time / self._longest))
        h = time / steps
        for _ in range(steps):
            fresh = torch.randn(x.shape, generator=generator, dtype=x.dtype)
            x = x + h * self._fine.between(*self._parts, x) + math.sqrt(h / 2) * (last + fresh)
            last = fresh
        return x, last


def box_around(*laws: GaussianMixture, cells: int | None = None, reach: float = 4.5) -> Box:
    """A square that holds so many standard deviations around every mean."""
    spread = [reach * torch.sqrt(torch.diagonal(law.covariances, dim1=1, dim2=2)) for law in laws]
    low = torch.stack([(law.means - by).amin(0) for law, by in zip(laws, spread, strict=True)]).amin(0)
    high = torch.stack([(law.means + by).amax(0) for law, by in zip(laws, spread, strict=True)]).amax(0)
    side, centre = float((high - low).max()), (low + high) / 2
    corner = (float(centre[0]) - side / 2, float(centre[1]) - side / 2)
    return Box(corner, side) if cells is None else Box(corner, side, cells)


# --- interaction ----------------------------------------------------------------------------------------------------


def interaction(target: GaussianMixture, x: Tensor, duration: float, bandwidth: float) -> Flow:
    """From x (n, 2) to ``target`` by the kernel distance alone: no noise, no density."""
    box, times = box_around(target), stage_times(duration)
    low, high = torch.tensor(box.low, dtype=x.dtype), torch.tensor(box.low, dtype=x.dtype) + box.side
    kernel = KernelFlow(target, bandwidth, torch.minimum(low, x.amin(0)), torch.maximum(high, x.amax(0)))
    places, speeds, energy, spent = kernel.run(x, times)
    return Flow(times, ((places, speeds),), energy, spent)
