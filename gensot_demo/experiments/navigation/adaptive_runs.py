"""Does a smaller divergence give a better cloud? The bridge sampler on exactly the steps that were judged."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gensot_demo.transport.conductor import Job, Trace, conduct
from gensot_demo.transport.distances import w2_empirical
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.paths import PathPoints
from gensot_demo.transport.reference_law import REPEATS, reference_law
from gensot_demo.transport.samplers import bridge_step
from gensot_demo.transport.steering import Steering
from gensot_demo.transport.targets import Target

from ..device import TURNSTILE
from ..plane.streams import generator
from .adaptive import AdaptiveRequest, AdaptiveResult, Candidate, grid_of

BLOCK = 300  # particles in one W2: as many blocks as there are give its error
_OVER_TIME = 300  # particles in the W2 of each step
_DECIDED = 0.5


@dataclass(frozen=True, eq=False)
class Simulated:
    """One protocol's particles.

    t (steps + 2,): the steps and t = 1.  distance (steps + 2,): W2 of the state to draws of the target, data units.
    end, error: mean W2 of blocks of 300 at the end, and its standard error.  decided (n,): time from which on the
    posterior of the mode that a particle ends in stays above 1/2, to within a step.  wrong_shares: total variation
    between the shares of the modes and the true ones; exact draws would be off by ``expected_shares`` on average.
    """

    candidate: Candidate
    t: NDArray[np.float64]
    distance: NDArray[np.float64]
    end: float
    error: float
    decided: NDArray[np.float64]
    wrong_shares: float
    expected_shares: float


@dataclass(frozen=True, eq=False)
class Simulation:
    """A moment of the runs: the share done, seconds, and the protocols that have arrived, in order.

    floor, spread: W2 between two blocks of exact draws and its standard deviation.  power: the same when one block is
    of a law whose largest mode lost 0.2 of probability.  floor_over_time: as floor, for the clouds of ``distance``.
    speciation: t_s of each protocol, the closed form.
    """

    request: AdaptiveRequest
    done: float
    seconds: float
    runs: tuple[Simulated, ...]
    floor: float
    spread: float
    power: float
    floor_over_time: float
    speciation: dict[str, float]

    @property
    def complete(self) -> bool:
        return self.done >= 1

    @property
    def floor_error(self) -> float:
        return self.spread / math.sqrt(REPEATS)

    def worse(self, one: Simulated, other: Simulated) -> bool:
        """Whether ``one`` ends farther from the target than ``other``, by three standard errors."""
        return one.end - other.end > 3 * math.hypot(one.error, other.error)


def simulate(result: AdaptiveResult) -> Iterator[Simulation]:
    """Every candidate on the same noise; yields as each arrives. Closing the iterator stops the runs."""
    began, request = time.perf_counter(), result.request
    target = request.law
    law = reference_law(target)
    floor, power, spread = law.floor_and_power(BLOCK)
    over_time = law.floor_and_power(min(_OVER_TIME, request.particles)).floor
    # one after the other, so that the first can be looked at while the last still runs; the noise is one and the same
    noise = SharedNoise((request.seed,), 2, request.particles)
    runs: list[Simulated] = []
    total = len(result.candidates)
    times = {name: motion.speciation for name, motion in result.motions.items()}

    def moment(part: float) -> Simulation:
        done = (len(runs) + part) / total
        seconds = time.perf_counter() - began
        return Simulation(request, done, seconds, tuple(runs), floor, spread, power, over_time, times)

    yield moment(0.0)
    for candidate in result.candidates:
        grid = grid_of(request, candidate, to_the_end=True)
        trace: Trace | None = None
        for progress in conduct(
            [Job(candidate.name, bridge_step, grid, noise, Steering())], target.mixture, turn=TURNSTILE
        ):
            trace = progress.traces[0]
            if progress.done < 1:
                yield moment(0.9 * progress.done)
        if trace.error is not None:
            raise RuntimeError(trace.error)
        runs.append(_measured(candidate, grid, trace, target))
        yield moment(0.0)


def _measured(candidate: Candidate, grid: PathPoints, trace: Trace, target: Target) -> Simulated:
    law, states = reference_law(target), [step.x for step in trace.steps]
    compared = min(_OVER_TIME, len(states[-1]))
    draws = law.sample(compared, generator("judge over time"))
    distance = np.array([w2_empirical(x[:compared], draws) for x in states])
    stream = generator("judge of blocks")
    blocks = states[-1][: len(states[-1]) // BLOCK * BLOCK].split(BLOCK)
    ends = np.array([w2_empirical(block, law.sample(BLOCK, stream)) for block in blocks])
    spread = law.floor_and_power(BLOCK).spread
    error = max(spread, float(ends.std(ddof=1)) if len(ends) > 2 else 0.0) / math.sqrt(len(ends))
    truth, n = law.share.numpy(), len(states[-1])
    share = np.bincount(target.mode_of(states[-1]).numpy(), minlength=len(truth)) / n
    by_chance = 0.5 * np.sqrt(2 * truth * (1 - truth) / (math.pi * n)).sum()  # E|z| = sqrt(2/pi) of a normal z
    return Simulated(
        candidate, grid.t.numpy(), distance, float(ends.mean()), error, _decided(grid, states, target),
        float(0.5 * np.abs(share - truth).sum()), float(by_chance),
    )  # fmt: skip


def _decided(grid: PathPoints, states: list[torch.Tensor], target: Target) -> NDArray[np.float64]:
    """The first step from which on every posterior of the final mode exceeds 1/2, (n,)."""
    rows = torch.arange(len(states[-1]))
    mode = target.mode_of(states[-1])
    sure = torch.ones(len(states), len(rows), dtype=torch.bool)
    for n, x in enumerate(states[:-1]):
        a, m = float(grid.a[n]), float(grid.m[n])
        inside = target.mixture.component_probabilities(x - grid.g[n], a, m)
        sure[n] = target.by_mode(inside)[rows, mode] > _DECIDED
    unsure = (~sure).flip(0).long().argmax(0)  # steps from the end to the last doubt, 0 where there is none
    first = torch.where((~sure).any(0), len(states) - unsure, 0)
    return grid.t[first.clamp(max=len(states) - 1)].numpy()
