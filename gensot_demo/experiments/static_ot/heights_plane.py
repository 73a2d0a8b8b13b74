"""Heights for points in the plane: the stochastic ascent watched with exact masses, beside Newton's method and POT.

Every height vector of the ascent is judged by the exact masses of its cells
(:mod:`~gensot_demo.transport.static_ot.laguerre`) and not by the draws that it learnt from.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.transport.static_ot.laguerre import LaguerreCells, cells_of, laguerre_cells, solving
from gensot_demo.transport.static_ot.semi_discrete import Ascent, Brenier, ascend, brenier

from ..device import TURNSTILE
from ..turns import in_turn
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
    """A run so far. exact: the map by Newton's method, which took ``newton_seconds``, None until it is found;
    newton_errors: mass error at each of its steps; best_dual, w2: at the exact heights; moments, rounds: of the ascent,
    in order, which took ``seconds`` without what judging it took; converged: it reached the tolerance; discrete: by
    draws; doing: in words.
    """

    request: PlaneRequest
    exact: Brenier | None = None
    newton_errors: tuple[float, ...] = ()
    newton_seconds: float = 0.0
    best_dual: float = math.nan
    w2: float = math.nan
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
    times a second. The same request gives the same numbers. Raises InvalidValue for points too crowded to be solved."""
    points = request.places()
    run = yield from _exactly(PlaneRun(request), points)
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
            run = replace(run, discrete=(*run.discrete, _discrete(run.exact, draws, request.seed)))
    yield replace(run, doing="", done=1.0, complete=True)


def _exactly(run: PlaneRun, points: Tensor) -> Generator[PlaneRun, None, PlaneRun]:
    """Newton's method, a turn on the device for every step."""
    began, steps = time.perf_counter(), in_turn(solving(points))
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            exact = end.value
            break
        seconds = time.perf_counter() - began
        run = replace(
            run,
            newton_errors=(*run.newton_errors, step.mass_error),
            newton_seconds=seconds,
            seconds=seconds,
            best_dual=step.dual,
            doing=f"Newton's method, step {step.iteration}: cells {step.mass_error:.2%} wrong",
        )
        yield run
    with TURNSTILE():
        w2 = cells_of(exact).squared_distance(exact.weights.numpy())
    return replace(run, exact=exact, w2=w2, seconds=0.0, doing="Climbing")


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
