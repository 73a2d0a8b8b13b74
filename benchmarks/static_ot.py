"""Static optimal transport: how long the dual takes, beside POT's own solver, judged by the same exact masses.

seconds: of Newton's method on exact cells for 200 points in the plane, drawn N(0, I), to a mass error (total variation)
of 1e-3, median of the repeats; mass_error: what it reached. ascent: the same points by our stochastic ascent, which is
also what pictures use, over draws: an estimate by counting needs the root of the draws, whoever counts. peer: POT's
semi-discrete solver (`ot.semidiscrete.solve_semidiscrete`: projected averaged SGD with decreasing regularisation,
Genans et al., NeurIPS 2025) at several batch sizes, lengths and first steps, its potentials turned into heights
h = (g - |y|^2) / 2 and judged by the same exact masses. peer_seconds: the fastest of its runs that reached 1e-3, or
null where none did within the draws given to it; peer_best: its most exact run.
Everything in one process and on one core, for both; processor times say what other work on the machine took away.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gensot_demo.experiments.static_ot.cells import solve
from gensot_demo.experiments.static_ot.cells_request import CellsRequest
from gensot_demo.experiments.static_ot.later_start import quality_by_calls
from gensot_demo.experiments.static_ot.later_start_request import LaterStartRequest
from gensot_demo.transport.static_ot.laguerre import laguerre_cells, newton
from gensot_demo.transport.static_ot.semi_discrete import ascend

from .report import progress, report

POINTS, TOLERANCE, REPEATS = 200, 1e-3, 11
ASCENT_DRAWS = 2**23
CALLS, DRAWS = (5, 10), 256
PEER_RUNS = (  # batch, iterations, first step in units of POT's default
    (32, 4000, 1.0), (32, 4000, 0.25), (32, 16000, 0.25), (1024, 1000, 0.25), (1024, 1000, 0.05),
)  # fmt: skip


def timed(run: Callable[[], Any]) -> tuple[Any, float, float]:
    """(result, seconds, processor seconds)."""
    began, used = time.perf_counter(), time.process_time()
    result = run()
    return result, time.perf_counter() - began, time.process_time() - used


def mass_error(points: Tensor, heights: Tensor) -> float:
    """Exact total variation between cell masses and equal weights."""
    masses = laguerre_cells(points, heights).masses
    return 0.5 * float(np.abs(masses - 1 / len(masses)).sum())


def exact(points: Tensor) -> dict[str, Any]:
    """Newton's method, the first run of which is not counted."""
    runs = [timed(lambda: list(newton(points, tolerance=TOLERANCE))) for _ in range(REPEATS + 1)][1:]
    last = runs[-1][0][-1]
    return {
        "seconds": statistics.median(wall for _, wall, _ in runs),
        "processor_seconds": statistics.median(own for _, _, own in runs),
        "steps": last.iteration,
        "mass_error": mass_error(points, last.heights),
    }


def ascent(points: Tensor) -> list[dict[str, Any]]:
    """Mass error of our stochastic ascent as it draws."""
    moments, found, seconds, used = ascend(points, tolerance=TOLERANCE, most_samples=ASCENT_DRAWS), [], 0.0, 0.0
    while True:
        moment, wall, own = timed(partial(next, moments, None))
        if moment is None:
            return found
        seconds, used = seconds + wall, used + own
        error = mass_error(points, moment.heights)
        found.append({"samples": moment.samples, "seconds": seconds, "processor_seconds": used, "mass_error": error})


def peer(points: Tensor) -> list[dict[str, Any]]:
    """POT's semi-discrete solver at its own defaults, but for batch size, iterations and first step."""
    from ot.semidiscrete import solve_semidiscrete

    found, y = [], points.numpy()
    for batch, iterations, share in PEER_RUNS:
        random = np.random.default_rng(0)
        settings = {"max_iter": iterations, "batch_size": batch, "lr0": share * math.sqrt(len(y) * batch)}
        draw = partial(_noise, random)
        potential, wall, own = timed(partial(solve_semidiscrete, y, draw, **settings))
        heights = torch.from_numpy((potential - (y**2).sum(1)) / 2)
        found.append({
            "batch": batch, "iterations": iterations, "first_step": share, "samples": batch * iterations,
            "seconds": wall, "processor_seconds": own, "mass_error": mass_error(points, heights),
        })  # fmt: skip
        progress(f"POT: {found[-1]}")
    return found


def _noise(random: np.random.Generator, count: int) -> np.ndarray:
    return random.standard_normal((count, 2))


def solving() -> dict[str, Any]:
    """The solver's half of the figures."""
    torch.set_num_threads(1)
    points = torch.randn(POINTS, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    progress(f"{POINTS} points by Newton's method")
    own = exact(points)
    progress(f"Newton: {own}; now the ascent")
    climbed = ascent(points)
    progress(f"ascent: {climbed[-1]}; now POT")
    theirs = peer(points)
    reached = [run["seconds"] for run in theirs if run["mass_error"] <= TOLERANCE]
    best = min(theirs, key=lambda run: run["mass_error"])
    return {
        "seconds": own["seconds"],
        "peer_seconds": min(reached, default=None),
        "mass_error": own["mass_error"],
        "peer_best": best,
        "points": POINTS,
        "newton": own,
        "ascent": climbed[-1],
        "ascent_to_peer_best": next((m["seconds"] for m in climbed if m["mass_error"] <= best["mass_error"]), None),
        "peer": theirs,
    }


def quality() -> dict[str, Any]:
    """share_elsewhere: of the noise, by a diffusion to the eight points. quality_by_calls: of the network's samples
    after so many calls, with the jump (jump), without (dpm), and with a training picture drawn at random in its place
    (draw): distance to the law of the training pictures, with its error, and copies."""
    progress("cells of the diffusion flow")
    elsewhere = solve(CellsRequest()).difference.share
    progress(f"{CALLS} calls of the network, {DRAWS} samples each way")
    return {
        "share_elsewhere": elsewhere,
        "draws": DRAWS,
        "quality_by_calls": quality_by_calls(LaterStartRequest(budgets=CALLS, draws=DRAWS)),
    }


def measure() -> dict[str, Any]:
    """All figures."""
    return solving() | quality()


def main() -> None:
    """Print the figures."""
    report(measure())


if __name__ == "__main__":
    main()
