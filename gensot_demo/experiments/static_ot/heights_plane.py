"""Heights for points in the plane: the stochastic ascent watched with exact masses, beside Newton's method and POT.

Every height vector of the ascent is judged by the exact masses of its cells
(:mod:`~gensot_demo.transport.static_ot.laguerre`) and not by the draws that it learnt from.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from gensot_demo.transport.static_ot.laguerre import LaguerreCells, laguerre_cells, newton
from gensot_demo.transport.static_ot.semi_discrete import Ascent, Brenier, ascend, brenier

from ..device import TURNSTILE
from .heights_request import PlaneRequest

MOST_SAMPLES = 2**22
DISCRETE = (50, 200, 800)  # draws in POT's discrete problem
REPEATS = 8
_FRAMES = 48  # heights judged, of all that are told


@dataclass(frozen=True, eq=False)
class Moment:
    """One height vector (n,) of the ascent: exact masses (n,), their total variation to the weights, the dual value;
    samples: draws until then."""

    heights: NDArray[np.float64]
    masses: NDArray[np.float64]
    mass_error: float
    dual: float
    samples: int


@dataclass(frozen=True)
class Round:
    """What the ascent itself saw at the end of a round: its mass error by counting, and the floor of that."""

    samples: int
    counted: float
    floor: float


@dataclass(frozen=True)
class Discrete:
    """POT's exact discrete problem on so many draws: mean cost and its standard error over :data:`REPEATS` sets of
    draws."""

    draws: int
    cost: float
    error: float


@dataclass(frozen=True, eq=False)
class PlaneRun:
    """A run so far. exact: the map by Newton's method, which took ``newton_seconds``; newton_errors: mass error at each
    of its steps; best_dual, w2: at the exact heights; moments, rounds: of the ascent, in order, which took ``seconds``
    without what judging it took; converged: it reached the tolerance; discrete: by draws; doing: in words.
    """

    request: PlaneRequest
    exact: Brenier
    newton_errors: tuple[float, ...]
    newton_seconds: float
    best_dual: float
    w2: float
    moments: tuple[Moment, ...] = ()
    rounds: tuple[Round, ...] = ()
    seconds: float = 0.0
    converged: bool = False
    discrete: tuple[Discrete, ...] = ()
    doing: str = ""
    done: float = 0.0
    complete: bool = False

    @property
    def solved(self) -> Brenier:
        """The map of the latest heights of the ascent."""
        return brenier(self.exact.points, torch.from_numpy(self.moments[-1].heights), self.exact.weights)


def cells_at(run: PlaneRun, heights: NDArray[np.float64]) -> LaguerreCells:
    """The exact cells of heights (n,) for the points of a run."""
    return laguerre_cells(run.exact.points.numpy(), heights)


def run_plane(request: PlaneRequest) -> Iterator[PlaneRun]:
    """Solve by Newton's method, then by stochastic ascent, then POT's discrete problem; yields the run so far several
    times a second. The same request gives the same numbers."""
    points = request.places()
    began = time.perf_counter()
    with TURNSTILE():
        steps = list(newton(points))
        exact = brenier(points, steps[-1].heights)
        newton_seconds = time.perf_counter() - began
        w2 = 2 + float(exact.weights @ points.square().sum(1)) + 2 * steps[-1].dual
    run = PlaneRun(
        request, exact, tuple(step.mass_error for step in steps), newton_seconds, steps[-1].dual, w2, doing="Climbing"
    )
    yield run
    ascent = ascend(points, tolerance=request.tolerance, seed=request.seed, most_samples=MOST_SAMPLES)
    began, judging = time.perf_counter(), 0.0
    while True:
        with TURNSTILE():
            ended = next(ascent, None)
            paused = time.perf_counter()
        if ended is None:
            break
        found = []
        for n, heights in enumerate(_told(ended, len(points))):
            with TURNSTILE():
                share = (n + 1) / len(ended.trail)
                found.append(_judged(run, heights, ended, share))
        with TURNSTILE():
            last = _moment(run, ended.heights.numpy(), ended.samples)
        judging += time.perf_counter() - paused
        run = replace(
            run,
            moments=(*run.moments, *found, last),
            rounds=(*run.rounds, Round(ended.samples, ended.mass_error, ended.floor)),
            seconds=time.perf_counter() - began - judging,
            converged=ended.done,
            done=max(run.done, 0.7 * (request.tolerance / max(ended.mass_error, request.tolerance)) ** 2),
        )
        yield run
    for k, draws in enumerate(DISCRETE):
        yield replace(run, doing=f"POT's discrete problem with {draws:,} draws", done=0.7 + 0.3 * k / len(DISCRETE))
        with TURNSTILE():
            run = replace(run, discrete=(*run.discrete, _discrete(exact, draws, request.seed)))
    yield replace(run, doing="", done=1.0, complete=True)


def _told(ended: Ascent, points: int) -> list[NDArray[np.float64]]:
    """The heights on the way that are judged as well: fewer where cells take longer."""
    if not ended.iteration:
        return []
    every = 1 if points <= _FRAMES else 4
    return [row.numpy() for row in ended.trail[every - 1 :: every][:-1]]


def _judged(run: PlaneRun, heights: NDArray[np.float64], ended: Ascent, share: float) -> Moment:
    before = run.moments[-1].samples if run.moments else 0
    return _moment(run, heights, round(before + share * (ended.samples - ended.counted - before)))


def _moment(run: PlaneRun, heights: NDArray[np.float64], samples: int) -> Moment:
    cells, weights = cells_at(run, heights), run.exact.weights.numpy()
    error = 0.5 * float(np.abs(cells.masses - weights).sum())
    return Moment(heights, cells.masses, error, float(weights @ cells.heights) - cells.mean_potential, samples)


def _discrete(exact: Brenier, draws: int, seed: int) -> Discrete:
    import ot

    generator = torch.Generator().manual_seed(seed + 20_011)
    costs = []
    for _ in range(REPEATS):
        z = torch.randn(draws, 2, generator=generator, dtype=torch.float64)
        cost = torch.cdist(z, exact.points, compute_mode="donot_use_mm_for_euclid_dist").square().numpy()
        costs.append(float(ot.emd2([], exact.weights.numpy(), cost, numItermax=1_000_000)))
    return Discrete(draws, float(np.mean(costs)), float(np.std(costs, ddof=1) / np.sqrt(REPEATS)))
