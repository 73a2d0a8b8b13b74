"""Error against questions asked: the reference target behind a stiffness-50 moving guide (S), in two dimensions.

The stochastic samplers start at the origin, walk over equal times and read one noise; their reference is the averaged
step with 2000 steps on that noise. The deterministic ones have another limit, the probability flow: they start at
noise level 80 from E[y] + 80 eps, the same start for both, walk over noise levels (rho = 7), and their reference is
Heun with 2000 steps from that start. A call is one question about one state.
"""

from __future__ import annotations

import math
import time

import torch

from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.conductor import Job, run
from gensot_demo.transport.grids import at_noise_levels, noise_levels, uniform_times
from gensot_demo.transport.guides import guided_protocol
from gensot_demo.transport.harmonic import HarmonicPath
from gensot_demo.transport.mixtures import two_modes
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.paths import PathPoints
from gensot_demo.transport.steering import Steering

from .report import progress, report

CALLS, FINE, PARTICLES, STIFFNESS, SEED = (10, 20, 50, 100, 200), 2000, 10_000, 50.0, 0
SIGMA = (80.0, 0.01)
REFERENCE = {"euler": "averaged", "bridge": "averaged", "averaged": "averaged", "deterministic": "heun", "heun": "heun"}
MODES = two_modes()
PATH = HarmonicPath(guided_protocol("S", STIFFNESS, MODES.mean()))


def grid_for(sampler: str, calls: int) -> PathPoints:
    """A grid on which ``sampler`` asks ``calls`` questions; finding E[y] at the start is one of them."""
    if SAMPLERS[sampler].stochastic:
        return uniform_times(PATH, calls)
    levels = calls // 2 if sampler == "heun" else calls - 1
    return at_noise_levels(PATH, noise_levels(levels, *SIGMA))


def sample(sampler: str, grid: PathPoints, noise: SharedNoise) -> tuple[torch.Tensor, float, float]:
    """(end states (n, 2), calls per sample, seconds)."""
    steering = Steering(data_variance=MODES.covariance_trace() / 2)
    began = time.perf_counter()
    (trace,) = run(
        [Job(sampler, SAMPLERS[sampler].run, grid, noise, steering)],
        MODES,
        keep_every=len(grid),
        max_rows=len(noise),
    )
    return trace.end, trace.evaluations / len(noise), time.perf_counter() - began


def upper(x: torch.Tensor) -> float:
    return float((x[:, 1] > 0).double().mean())


def main() -> None:
    torch.set_num_threads(1)  # nothing here is large enough for two

    def fresh(particles: int = PARTICLES) -> SharedNoise:
        return SharedNoise([SEED], 2, particles)

    fine = {}
    for sampler in ("averaged", "bridge", "heun"):
        progress(f"reference: {sampler}, {FINE} steps")
        fine[sampler] = sample(sampler, grid_for(sampler, FINE if sampler != "heun" else 2 * FINE), fresh())[0]
    standard_error = math.sqrt(0.21 / PARTICLES)
    errors: dict[str, dict[int, float]] = {}
    weight_errors: dict[str, dict[int, dict[str, float]]] = {}
    seconds: dict[str, float] = {}
    for sampler, reference in REFERENCE.items():
        errors[sampler], weight_errors[sampler] = {}, {}
        for calls in CALLS:
            end, asked, _ = sample(sampler, grid_for(sampler, calls), fresh())
            errors[sampler][round(asked)] = float((end - fine[reference]).square().sum(1).mean().sqrt())
            weight_errors[sampler][round(asked)] = {
                "to_reference": upper(end) - upper(fine[reference]),
                "to_law": upper(end) - 0.7,
            }
        steps = 200 if sampler == "heun" else 100
        seconds[sampler] = sorted(sample(sampler, grid_for(sampler, steps), fresh(2000))[2] for _ in range(3))[1]
        progress(f"{sampler}: done, 2000 particles x 100 steps in {seconds[sampler]:.2f} s")
    report(
        {
            "error_at_calls": errors,
            "weight_error_at_calls": weight_errors,
            "seconds_2000x100": seconds,
            "weight_standard_error": standard_error,
            "reference_weights": {name: upper(end) for name, end in fine.items()},
            "bridge_2000_to_reference": float((fine["bridge"] - fine["averaged"]).square().sum(1).mean().sqrt()),
            "particles": PARTICLES,
        }
    )


if __name__ == "__main__":
    main()
