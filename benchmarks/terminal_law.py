"""Does any guide or stiffness change what arrives? Weights .7/.3 of the two-mode target after 200 steps."""

from __future__ import annotations

import math

import torch

from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.conductor import Job, run
from gensot_demo.transport.grids import uniform_times
from gensot_demo.transport.guides import SHAPES, guided_protocol
from gensot_demo.transport.harmonic import HarmonicPath
from gensot_demo.transport.mixtures import two_modes
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.steering import Steering

from .report import progress, report

PARTICLES, STEPS, STIFFNESSES, WEIGHT = 20_000, 200, (5.0, 20.0), 0.7


def weights(sampler: str, stiffness: float, seed: int = 0) -> dict[str, float]:
    """Share of the upper mode under every guide; all read the same noise."""
    target, noise = two_modes(), SharedNoise([seed], 2, PARTICLES)
    steering = Steering(data_variance=target.covariance_trace() / 2)
    jobs = [
        Job(shape, SAMPLERS[sampler].run, uniform_times(path, STEPS), noise, steering)
        for shape in SHAPES
        for path in [HarmonicPath(guided_protocol(shape, stiffness, target.mean()))]
    ]
    traces = run(jobs, target, keep_every=STEPS + 1, max_rows=PARTICLES)
    return {trace.name: float((trace.end[:, 1] > 0).double().mean()) for trace in traces}


def main() -> None:
    torch.set_num_threads(1)  # nothing here is large enough for two
    cases: dict[str, dict[str, float]] = {}
    for sampler in ("bridge", "averaged"):
        cases[sampler] = {}
        for stiffness in STIFFNESSES:
            progress(f"{sampler}, stiffness {stiffness:g}: {len(SHAPES)} guides x {PARTICLES} particles")
            for shape, weight in weights(sampler, stiffness).items():
                cases[sampler][f"{shape}, stiffness {stiffness:g}"] = weight
    worst = {sampler: max(abs(w - WEIGHT) for w in found.values()) for sampler, found in cases.items()}
    report(
        {
            "worst_weight_error": worst["bridge"],
            "particles": PARTICLES,
            "cases": cases["bridge"],
            "standard_error": math.sqrt(WEIGHT * (1 - WEIGHT) / PARTICLES),
            "averaged": {"worst_weight_error": worst["averaged"], "cases": cases["averaged"]},
        }
    )


if __name__ == "__main__":
    main()
