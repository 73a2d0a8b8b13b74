"""What a grid of settings costs beside its cells one after the other, on the embedded network.

48 cells: strength along columns, method along rows, one block per seed; 15 steps, one sample a cell. The grid and the
comparisons of its cells take turns, each with noise of its own that nobody has drawn before; medians of
``REPEATS`` pairs. ``overhead_over_sequential``: seconds of the grid over seconds of the cells one after the other. Aim:
below 1. ``exact_*``: the same on the exact collection of emoji at 64 x 64.
"""

from __future__ import annotations

import statistics
import time

from gensot_demo.experiments.compare import compare
from gensot_demo.experiments.grid.request import GridRequest, from_query
from gensot_demo.experiments.grid.run import GridResult, run_grid

from .report import progress, report

REPEATS = 3
_SHARED = "steps=15&samples=1&x=strength:1,2,4,8&y=method:unguided,conditional,cfg,apg,cfg_zero_star,gensot*particles:4"
_NETWORK = f"backbone=network&condition=hearts&{_SHARED}"
_EXACT = f"backbone=collection&condition=red&{_SHARED}"


def requested(shared: str, seed: int) -> GridRequest:
    """The grid on two fresh seeds."""
    return from_query(f"{shared}&z=seed:{seed},{seed + 1}")[0]


def grid_seconds(request: GridRequest) -> tuple[float, GridResult]:
    """(seconds, result) of the whole grid."""
    began = time.perf_counter()
    *_, result = run_grid(request)
    return time.perf_counter() - began, result


def sequential_seconds(request: GridRequest) -> float:
    """Seconds of a comparison for every cell, one after the other."""
    began = time.perf_counter()
    for cell in request.cells:
        for _ in compare(cell):
            pass
    return time.perf_counter() - began


def measured(name: str, shared: str) -> dict[str, float]:
    """Figures of one model; the first pair, which loads and warms it, does not count."""
    grids, alone, calls, cells = [], [], 0.0, 0
    for n in range(REPEATS + 1):
        taken, result = grid_seconds(requested(shared, 10_000 + 100 * n))
        one_by_one = sequential_seconds(requested(shared, 50_000 + 100 * n))
        progress(f"{name}: grid {taken:.2f} s, one after the other {one_by_one:.2f} s")
        if n:
            grids.append(taken)
            alone.append(one_by_one)
        calls = sum((cell.calls + cell.backwards) * cell.request.samples for cell in result.cells)
        cells = len(result.cells)
    ratios = [a / b for a, b in zip(grids, alone, strict=True)]
    seconds = statistics.median(grids)
    return {
        "cells": cells,
        "seconds": seconds,
        "calls_per_second": calls / seconds,
        "overhead_over_sequential": statistics.median(ratios),
    }


def main() -> None:
    exact = {f"exact_{key}": value for key, value in measured("collection", _EXACT).items()}
    report(measured("network", _NETWORK) | exact)


if __name__ == "__main__":
    main()
