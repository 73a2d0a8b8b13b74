"""Energy and dissipation: what the closed forms cost, and whether anything known is missed.

lambda_seconds: the data separation of all pictures of the collection on 40 noise levels, from points to estimate with
its errors, on all cores; lambda_error: the largest of them. ko_seconds: its kinetic-optimal path at 101 times, median
of the repeats, on one core: handing such short work to others costs more than the work. Processor times say what other
work on the machine took away. reference: two modes at +-.6 by quantiles, the mean of the start shifted by 1
(docs/FORMULAS.md 3; published .20, .44, .145, and .0854 to .0919). energies: of points without smoothing.
trials: of the speed-accuracy relation on random particles, and how many violate it; power: how many violate half of the
bound, which is wrong.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gensot_demo.experiments.asking import load
from gensot_demo.experiments.energy.robustness import RobustnessRequest, on_line
from gensot_demo.experiments.energy.speed_accuracy_trials import trials
from gensot_demo.transport.data_separation import separation_of_points
from gensot_demo.transport.kinetic_optimal import KineticOptimalPath, kinetic_energy
from gensot_demo.transport.paths import CondOTPath, CosinePath

from .report import progress, report

REPEATS, TRIALS = 101, 1000


def timed(run: Callable[[], Any]) -> tuple[Any, float, float]:
    """(result, seconds, processor seconds)."""
    began, used = time.perf_counter(), time.process_time()
    result = run()
    return result, time.perf_counter() - began, time.process_time() - used


def clouds() -> dict[str, Tensor]:
    """The point sets whose values are known (docs/FORMULAS.md 2)."""
    angle = torch.arange(8, dtype=torch.float64) * math.pi / 4
    generator = torch.Generator().manual_seed(0)
    found = {
        "two points": torch.tensor([[-1.0], [1.0]], dtype=torch.float64),
        "ring of 8": math.sqrt(2) * torch.stack([angle.cos(), angle.sin()], 1),
    }
    for dimension in (64, 1024, 4096):
        draws = torch.randn(64, dimension, generator=generator, dtype=torch.float64)
        found[f"64 Gaussian points, d = {dimension}"] = draws
    return found


def energies(separation: Any) -> dict[str, float]:
    """Kinetic energy per dimension of the three paths."""
    paths = {"kinetic_optimal": KineticOptimalPath(separation), "condot": CondOTPath(), "cosine": CosinePath()}
    return {name: kinetic_energy(path, separation) for name, path in paths.items()}


def measure() -> dict[str, Any]:
    """All figures."""
    collection = load("collection")
    pictures = collection.oracle.points.double()
    progress(f"data separation of {len(pictures)} pictures in {collection.dimension} dimensions")
    separation, seconds, used = timed(lambda: separation_of_points(pictures, dimension=collection.dimension))
    times = torch.linspace(1e-6, 1 - 1e-6, 101, dtype=torch.float64)
    torch.set_num_threads(1)
    KineticOptimalPath(separation).at(times)
    spent = [timed(lambda: KineticOptimalPath(separation).at(times))[1:] for _ in range(REPEATS)]
    found = {"collection": energies(separation)}
    for name, points in clouds().items():
        progress(f"energies of {name}")
        found[name] = energies(separation_of_points(points))
    line = on_line(RobustnessRequest()).relations
    progress(f"{TRIALS} random trials of the relation")
    violations, worst = trials(TRIALS)
    return {
        "lambda_seconds": seconds,
        "lambda_processor_seconds": used,
        "pictures": len(pictures),
        "levels": len(separation.angles),
        "lambda_error": float(separation.standard_error.max()),
        "ko_seconds": statistics.median(wall for wall, _ in spent),
        "ko_processor_seconds": statistics.median(own for _, own in spent),
        "reference": {
            "c2_cosine": line["cosine"].c2,
            "c2_condot": line["condot"].c2,
            "c2_ot": line["ot"].c2,
            "eta_mean_shift": line["condot"].eta,
        },
        "energies": found,
        "violations": violations,
        "worst_ratio": worst,
        "trials": TRIALS,
        "power": trials(TRIALS, shrink=0.5)[0],
    }


def main() -> None:
    """Print the figures."""
    report(measure())


if __name__ == "__main__":
    main()
