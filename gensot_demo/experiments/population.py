"""What a run keeps of its weighted particles, and the family tree that follows from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gensot_demo.guidance.population import effective_sample_size
from gensot_demo.transport.conductor import Trace


@dataclass(frozen=True, eq=False)
class Population:
    """The particles behind every sample of one method.

    log_weights: (S, samples, particles) after each kept step and before the resampling that may follow it; NaN before
    anything was weighed.  resampled: (grid row, parents (samples, particles)) of every resampling, kept or not: which
    particle each one goes on from.  delivered: (samples,) the particle that each sample is.
    """

    log_weights: NDArray[np.float64]
    resampled: tuple[tuple[int, NDArray[np.intp]], ...]
    delivered: NDArray[np.intp]

    @property
    def particles(self) -> int:
        return self.log_weights.shape[2]

    def slots(self, column: int) -> tuple[int, dict[int, int]]:
        """(particle that the sample's line starts as, {grid row: particle that it goes on as after it}): whose noise
        the sample has met."""
        at, switches = int(self.delivered[column]), {}
        for row, parents in reversed(self.resampled):
            switches[row] = at
            at = int(parents[column, at])
        return at, switches


def population_of(trace: Trace, samples: int, particles: int, delivered: list[int]) -> Population | None:
    """What to keep of a finished trace; None without particles, or where a method of somebody's lets one sample's
    particles descend from another's, which no tree of one sample can show."""
    if particles == 1:
        return None
    blocks = np.arange(samples)[:, None] * particles
    resampled = tuple(
        (row, parents.cpu().numpy().reshape(samples, particles) - blocks) for row, parents in trace.ancestries
    )
    if any(parents.min() < 0 or parents.max() >= particles for _, parents in resampled):
        return None
    unknown = torch.full((samples * particles,), torch.nan)
    kept = [unknown if step.log_weights is None else step.log_weights.cpu() for step in trace.steps]
    log_weights = torch.stack([weights.double() for weights in kept]).reshape(-1, samples, particles)
    return Population(log_weights.numpy(), resampled, np.asarray(delivered) - blocks[:, 0])


@dataclass(frozen=True, eq=False)
class Genealogy:
    """The family tree of one sample's particles at the S kept moments.

    rows: (S,) grid rows.  parents: (S - 1, P), of particle k at moment n + 1 the one it descends from at moment n.
    alive: (S, P), whether it has descendants at the end.  line: (S,), the particles that became the sample.
    ancestors: (S,), how many particles of that moment the population of the end descends from.
    share: (S,), effective share of the particles, 1/P to 1; NaN before anything was weighed.
    resampled: grid rows after which particles were copied and dropped.
    """

    rows: NDArray[np.intp]
    parents: NDArray[np.intp]
    alive: NDArray[np.bool_]
    line: NDArray[np.intp]
    ancestors: NDArray[np.intp]
    share: NDArray[np.float64]
    resampled: tuple[int, ...]

    @property
    def coalescence(self) -> int | None:
        """The last moment before the end from which one particle alone has descendants, or None."""
        single = np.flatnonzero(self.ancestors[:-1] == 1)
        return int(single[-1]) if len(single) else None


def genealogy(population: Population, index: list[int], column: int) -> Genealogy:
    """The tree of one sample; ``index``: the grid rows of the kept moments."""
    everyone = np.arange(population.particles)
    parents = np.empty((len(index) - 1, population.particles), dtype=np.intp)
    for n in range(len(index) - 1):
        own = everyone
        for row, copied in population.resampled:
            if index[n] <= row < index[n + 1]:
                own = own[copied[column]]
        parents[n] = own
    alive = np.zeros((len(index), population.particles), dtype=bool)
    alive[-1] = True
    line = np.empty(len(index), dtype=np.intp)
    line[-1] = population.delivered[column]
    for n in range(len(index) - 2, -1, -1):
        alive[n, parents[n][alive[n + 1]]] = True
        line[n] = parents[n][line[n + 1]]
    share = np.array([_share(weights) for weights in population.log_weights[:, column]])
    resampled = tuple(row for row, copied in population.resampled if bool((copied[column] != everyone).any()))
    return Genealogy(np.asarray(index), parents, alive, line, alive.sum(1), share, resampled)


def _share(log_weights: NDArray[np.float64]) -> float:
    """Effective share (P,) -> 1/P to 1; NaN where nothing was weighed, or one was chosen and none was weighed."""
    if not np.isfinite(log_weights).all():
        return float("nan")
    return float(effective_sample_size(torch.from_numpy(log_weights), 1)[0]) / len(log_weights)
