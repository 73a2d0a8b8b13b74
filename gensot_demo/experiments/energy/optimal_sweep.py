"""Random points in more and more dimensions: lambda tends to 1, and the cheapest path to the straight one."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gensot_demo.transport.data_separation import separation_bound, separation_of_points
from gensot_demo.transport.kinetic_optimal import KineticOptimalPath, energy_with_error
from gensot_demo.transport.paths import CondOTPath

from .optimal_data import random_points

DIMENSIONS = (4, 16, 64, 256, 1024, 4096)
_DRAWS = 512
_KEPT = 64


@dataclass(frozen=True, eq=False)
class Sweep:
    """n random points over dimensions d (D,), as far as done.

    undecided (D,): int |1 - lambda| dr, its standard error, and the theorem's bound 3 n / sqrt(d).
    optimal, straight (D,): energies of the cheapest path and of CondOT.  decay: exponent of ``undecided`` in d over the
    last three dimensions, or None before there are three.
    """

    count: int
    seed: int
    dimension: NDArray[np.float64]
    undecided: NDArray[np.float64]
    error: NDArray[np.float64]
    bound: NDArray[np.float64]
    optimal: NDArray[np.float64]
    straight: NDArray[np.float64]
    seconds: float

    @property
    def done(self) -> float:
        return len(self.dimension) / len(DIMENSIONS)

    @property
    def decay(self) -> float | None:
        if len(self.dimension) < 3:
            return None
        return float(np.polyfit(np.log(self.dimension[-3:]), np.log(self.undecided[-3:]), 1)[0])


_FOUND: OrderedDict[tuple[int, int], Sweep] = OrderedDict()
_GUARD = threading.Lock()


def kept_sweep(count: int, seed: int) -> Sweep | None:
    """The finished sweep of these points, if there is one."""
    with _GUARD:
        return _FOUND.get((count, seed))


def sweep(count: int, seed: int) -> Iterator[Sweep]:
    """One dimension after the other, each with its own draws; at once where it is kept."""
    kept = kept_sweep(count, seed)
    if kept is not None:
        yield kept
        return
    began, rows = time.perf_counter(), []
    for dimension in DIMENSIONS:
        separation = separation_of_points(random_points(count, dimension, seed), draws=_DRAWS, seed=seed)
        rows.append(
            (
                dimension,
                separation.undecided,
                separation.error_of(lambda one: one.undecided),
                separation_bound(count, dimension),
                KineticOptimalPath(separation).energy,
                energy_with_error(CondOTPath(), separation)[0],
            )
        )
        found = Sweep(count, seed, *np.array(rows, dtype=np.float64).T, time.perf_counter() - began)
        if found.done == 1:
            with _GUARD:
                _FOUND[count, seed] = found
                while len(_FOUND) > _KEPT:
                    _FOUND.popitem(last=False)
        yield found
