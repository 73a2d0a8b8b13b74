"""The compared ways from noise to picture, each with its own start, levels and step, and the same number of calls.

All are written in z = y + sigma eps (a = 1), where a deterministic step is the same for every path; GenSOT's harmonic
path comes in as the noise levels at which its own time, evenly cut, asks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gensot_demo.backbones.embedded import SIGMA_RANGE, ClassBackbone, load_network_backbone, load_truth_backbone
from gensot_demo.backbones.heavy_imports import diffusers
from gensot_demo.transport.conductor import Job
from gensot_demo.transport.grids import at_noise_levels, noise_levels
from gensot_demo.transport.harmonic import HarmonicPath, constant_protocol
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.paths import PathPoints, VEPath
from gensot_demo.transport.samplers import Sampler, Sampling, Step, deterministic_step, heun, heun_after_euler
from gensot_demo.transport.static_ot.later_start import Landing, land
from gensot_demo.transport.static_ot.semi_discrete import Brenier
from gensot_demo.transport.steering import Starting, Steering

from .later_start_request import FINISHES, LaterStartRequest

METHODS = {
    "ddim": "DDIM",
    "dpm": "DPM-Solver++",
    "heun": "Heun",
    "gensot": "GenSOT's re-timed path",
    "jump": "OT jump",
    "smoothed": "OT jump, smoothed",
    "draw": "Any training picture, noised",
}
LATER = ("jump", "smoothed", "draw")
"""Those that start later."""
_NOISE, _CHOICE = 1_000, 1_001  # streams apart from the path's noise
_ROOT_2 = math.sqrt(2.0)


@dataclass(frozen=True)
class Starts:
    """Where the rows start. begun: by method (n, d).  landings: of the jump, and where smoothed."""

    begun: dict[str, Tensor]
    landings: dict[str, Landing]


@dataclass
class Begun(Steering):
    """Plain sampling from given states (n, d): nothing is asked for a start."""

    states: Tensor | None = None

    def start(self, grid: PathPoints, noise: SharedNoise) -> Starting:
        return 0, self.states
        yield  # a generator that asks nothing


def backbone_for(model: str) -> ClassBackbone:
    """The network or the exact oracle; some seconds the first time."""
    return load_network_backbone() if model == "network" else load_truth_backbone()


def methods_of(request: LaterStartRequest) -> tuple[str, ...]:
    """The compared methods by name: without smoothing there is one jump fewer."""
    return tuple(name for name in METHODS if name != "smoothed" or request.tau > 0)


def label_of(name: str, request: LaterStartRequest) -> str:
    """A method's name with what samples on after a jump."""
    return f"{METHODS[name]} + {FINISHES[request.finish]}" if name in LATER else METHODS[name]


def starts_of(request: LaterStartRequest, brenier: Brenier, noise: SharedNoise) -> Starts:
    """Every method's start from the same noise, row by row.

    From noise on: mean + sigma_max z. The jump sends this very z; the noise at its landing is drawn apart, and so is
    the picture of the plain draw.
    """
    largest = SIGMA_RANGE[0]
    z = noise.direction(-2 * math.log(largest))
    mean = (brenier.weights @ brenier.points).to(z)
    eps = noise.aside(_NOISE)
    landings = {"jump": land(brenier, z.cpu(), eps.cpu(), request.sigma)}
    if request.tau > 0:
        landings["smoothed"] = land(brenier, z.cpu(), eps.cpu(), request.sigma, request.tau)
    even = 0.5 * (1 + torch.erf(noise.aside(_CHOICE)[:, 0].double().cpu() / _ROOT_2))
    drawn = torch.searchsorted(brenier.weights.cumsum(0), even).clamp(max=len(brenier.weights) - 1)
    begun = dict.fromkeys(("ddim", "dpm", "heun", "gensot"), mean + largest * z)
    begun |= {name: landing.state.to(z) for name, landing in landings.items()}
    begun["draw"] = brenier.points[drawn].to(z) + request.sigma * eps
    return Starts(begun, landings)


def jobs_of(
    request: LaterStartRequest, brenier: Brenier, backbone: ClassBackbone, noise: SharedNoise, calls: int
) -> tuple[list[Job], Starts]:
    """A job for each method, each of exactly ``calls`` questions a row."""
    starts = starts_of(request, brenier, noise)
    condition = None if request.label is None else backbone.condition(request.pictures)
    jobs = []
    for name in methods_of(request):
        solver = request.finish if name in LATER else name
        first = request.sigma if name in LATER else SIGMA_RANGE[0]
        levels, sampler = _way(solver, calls, first, request.stiffness)
        grid = at_noise_levels(VEPath(SIGMA_RANGE[0] * 1.01), levels).to(backbone.oracle.device, backbone.oracle.dtype)
        steering = Begun(condition, backbone.data_variance, starts.begun[name])
        jobs.append(Job(name, sampler, grid, noise, steering))
    return jobs, starts


def _way(solver: str, calls: int, first: float, stiffness: float) -> tuple[Tensor, Sampler]:
    """Noise levels from ``first`` down and the step between them, such that ``calls`` questions are asked."""
    last = SIGMA_RANGE[1]
    match solver:
        case "heun":  # two questions a step, one in the last, and for an even number one in the first
            return noise_levels(calls // 2 + 1, first, last), heun if calls % 2 else heun_after_euler
        case "gensot":
            return retimed(calls, first, last, stiffness), deterministic_step
        case "dpm":
            return noise_levels(calls, first, last), dpm_solver
        case _:
            return noise_levels(calls, first, last), deterministic_step


def retimed(calls: int, first: float, last: float, stiffness: float) -> Tensor:
    """Noise levels (calls,) at even times of GenSOT's harmonic path from a point, from ``first`` to ``last``."""
    path = HarmonicPath(constant_protocol(stiffness, torch.zeros(1)))
    begin, end = path.times_of_sigma(torch.tensor([first, last], dtype=torch.float64)).tolist()
    levels = path.at(torch.linspace(begin, end, calls, dtype=torch.float64)).sigma
    levels[0], levels[-1] = first, last
    return levels


def dpm_solver(grid: PathPoints, noise: SharedNoise, steering: Steering) -> Sampling:
    """diffusers' own DPM-Solver++ (2M; Lu et al., arXiv 2211.01095) with the network's (EDM) noise levels.

    The scheduler is told the predicted state itself, so that it serves the exact oracle too.
    """
    first, x = yield from steering.start(grid, noise)
    scheduler = _scheduler(grid, first)
    for index, timestep in zip(range(first, len(grid) - 1), scheduler.timesteps, strict=True):
        prediction = yield from steering.predict(grid.point(index), x)
        yield Step(index, x, prediction.state)
        x = scheduler.step(prediction.state, timestep, x).prev_sample
    yield Step(len(grid) - 1, x, x)


def _scheduler(grid: PathPoints, first: int):
    class PredictedState(diffusers().EDMDPMSolverMultistepScheduler):
        def convert_model_output(self, model_output: Tensor, sample: Tensor | None = None) -> Tensor:
            return model_output

    steps = len(grid) - 1 - first
    scheduler = PredictedState(sigma_max=grid.point(first).sigma, sigma_min=grid.point(len(grid) - 2).sigma)
    scheduler.set_timesteps(steps, device=grid.g.device)
    return scheduler
