"""Which methods of a request can run on which model, along which grid, and what it will cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from gensot_demo.backbones.base import Backbone
from gensot_demo.guidance.base import BoundMethod, GuidanceMethod, Task
from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.conductor import Job
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.paths import CondOTPath, CosinePath, PathPoints, ProbabilityPath, VEPath, VPLinearPath
from gensot_demo.transport.samplers import Sampler

from .asking import Asked
from .requests import CompareRequest, InvalidRequest, MethodChoice

MODELS_OWN = "model"
Noises = dict[tuple[tuple[int, ...], int], SharedNoise]
"""One object for each choice of seeds and population size."""


@dataclass(frozen=True)
class Plan:
    """A method ready to run, with the number of weighted particles behind each sample."""

    job: Job
    method: GuidanceMethod
    particles: int
    task: Task


def default_path(name: str, backbone: Backbone) -> ProbabilityPath:
    """The path that methods without one of their own are sampled along."""
    return {
        "cosine": CosinePath,
        "condot": CondOTPath,
        "vp": VPLinearPath,
        "ve": lambda: VEPath(backbone.sigma_range[0] * 1.01),
        MODELS_OWN: backbone.model_path,
    }[name]()


_NEEDS_INFORMATION = ("heun", "euler")  # samplers that divide by a


class _Common:
    """What methods without a path of their own share: the path, and its grid, made once and only if one needs it."""

    def __init__(self, request: CompareRequest, backbone: Backbone):
        self.request, self.backbone = request, backbone
        self.path = default_path(request.path, backbone)

    @cached_property
    def grid(self) -> PathPoints:
        request, backbone = self.request, self.backbone
        if request.path != MODELS_OWN:
            return backbone.grid(self.path, request.steps)
        grid = backbone.model_grid(request.steps)
        if float(grid.a[0]) == 0.0 and request.sampler in _NEEDS_INFORMATION:
            raise InvalidRequest(
                f"{backbone.info.label} starts from pure noise on its own timesteps, where the sampler "
                f"{SAMPLERS[request.sampler].label!r} has no finite step. Choose another sampler or path."
            )
        return grid


def sampler_for(method: GuidanceMethod, task: Task, wanted: str = "averaged") -> Sampler:
    """The sampler of that name, or the bridge step where a method needs steps that can be repeated and weighed."""
    return SAMPLERS["bridge" if method.adapted_for(task) and wanted == "averaged" else wanted].run


def _plan(choice: MethodChoice, asked: Asked, noise: SharedNoise, common: _Common) -> Plan:
    request, backbone, method = common.request, common.backbone, choice.method()
    bound = BoundMethod(method, asked.task, noise.seeds, backbone.data_variance)
    path = method.path(asked.task, common.path)
    grid = common.grid if path is common.path else backbone.grid(path, request.steps)
    sampler = sampler_for(method, asked.task, request.sampler)
    return Plan(Job(choice.name, sampler, grid, noise, bound), method, noise.rows, asked.task)


def plans_of(
    request: CompareRequest,
    asked: Asked,
    backbone: Backbone,
    seeds: tuple[int, ...],
    noises: Noises | None = None,
) -> tuple[list[Plan], list[str]]:
    """What can run, and why the rest cannot; raises InvalidRequest if nothing can.

    noises: of runs that go on together on this model: what one has read, others reuse.
    """
    plans, notes = [], []
    common = _Common(request, backbone)
    noises = {} if noises is None else noises
    for choice in request.methods:
        method = choice.method()
        reason = method.unavailable(asked.task)
        if reason:
            notes.append(f"{method.label} was left out: {reason}")
        else:
            particles = method.particles_for(asked.task)
            if (seeds, particles) not in noises:
                noises[seeds, particles] = backbone.noise(seeds, particles)
            noise = noises[seeds, particles]
            plans.append(_plan(choice, asked, noise, common))
    if not plans:
        raise InvalidRequest("None of the chosen methods can do this task. " + " ".join(notes))
    return plans, notes


def require_affordable(request: CompareRequest, plans: list[Plan], samples: int, most: int) -> None:
    """Refuse a run of ``samples`` per method that would ask about more than ``most`` states."""
    calls = sum(plan.particles * sum(plan.method.calls(plan.task)) for plan in plans)
    total = samples * calls * request.steps * SAMPLERS[request.sampler].calls_per_step
    if total > most:
        raise InvalidRequest(
            f"This run would ask the model about {total:,} states; at most {most:,} are allowed. "
            "Take fewer steps, samples, draws, particles or methods."
        )
