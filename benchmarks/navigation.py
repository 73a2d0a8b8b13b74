"""Navigation, case C: the exact optimum by one linear solve, beside simulating an ensemble and descending by Adam.

solve_seconds: from two beliefs and their trusts to the fused law and the consensus guide, 20 pieces; the median of the
repeats. simulate_seconds: of the descent's own iterations, 500 particles and 100 Euler-Maruyama steps each, until the
guide's exact cost is within 1 % of the optimum, which the descent itself would not know; where it never is within the
iterations allowed, all of them count and ``arrived`` is false. slider_seconds: processor time of what a moved slider
computes, with figures and sentences, the mean over settings that nothing has kept. Ratio: simulation over solve,
for trusts 1, 1. One thread for all; processor times beside the clock's say what other work took away.
"""

from __future__ import annotations

import os
import statistics
import time

import torch

from gensot_demo.experiments.navigation.experts import PUBLISHED, ExpertsRequest, consensus, solve, tracking_of
from gensot_demo.experiments.navigation.simulated import PARTICLES, STEPS, arrived, simulate_and_adam
from gensot_demo.pages.navigation_experts import answer

from .report import progress, report

REPEATS, ITERATIONS, SLIDERS = 51, 200, 20


def solve_seconds() -> tuple[float, float]:
    """Median seconds of the exact solve, and of the processor."""
    request, times, own = ExpertsRequest(), [], []
    for _ in range(REPEATS):
        began, used = time.perf_counter(), time.process_time()
        solve(request)
        times.append(time.perf_counter() - began)
        own.append(time.process_time() - used)
    return statistics.median(times[1:]), statistics.median(own[1:])


def simulate() -> dict[str, float | int | bool]:
    """The descent until it is within 1 % of the optimum."""
    result = consensus(ExpertsRequest())
    tracking, law = tracking_of(result.request)
    used = time.process_time()
    for moment in simulate_and_adam(tracking, law, ITERATIONS):
        close = arrived(moment, result.after.total, result.constant)
        if moment.iteration % 10 == 0:
            progress(f"iteration {moment.iteration}: {moment.exact + result.constant:.4f}, {moment.seconds:.1f} s")
        if close:
            break
    used = time.process_time() - used
    return {"seconds": moment.seconds, "processor": used, "iterations": moment.iteration, "arrived": close}


def slider_seconds() -> float:
    """Mean processor time of a slider's answer."""
    began = time.process_time()
    for number in range(SLIDERS):
        answer(ExpertsRequest(trusts=(1 + number % 3, 1 + number % 2), stiffness=10.0 + number))
    return (time.process_time() - began) / SLIDERS


def main() -> None:
    torch.set_num_threads(1)  # small arrays gain nothing from a second thread, and lose much beside other work
    case_c = {}
    for trusts in PUBLISHED:
        found = consensus(ExpertsRequest(trusts=trusts))
        case_c[",".join(map(str, trusts))] = {"start": round(found.start, 4), "optimum": round(found.optimum, 4)}
    solved, own = solve_seconds()
    slider = slider_seconds()
    load = os.getloadavg()[0]
    simulated = simulate()
    report(
        {
            "case_c": case_c,
            "solve_seconds": solved,
            "simulate_seconds": simulated["seconds"],
            "simulate_iterations": simulated["iterations"],
            "simulate_arrived": simulated["arrived"],
            "particles": PARTICLES,
            "steps": STEPS,
            "ratio": simulated["seconds"] / solved,
            "solve_processor_seconds": own,
            "simulate_processor_seconds": simulated["processor"],
            "processor_ratio": simulated["processor"] / own,
            "slider_seconds": slider,
            "threads": torch.get_num_threads(),
            "load": load,
        }
    )


if __name__ == "__main__":
    main()
