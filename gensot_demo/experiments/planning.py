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
from .needs import checked, needs, thinking_time
from .requests import CompareRequest, InvalidRequest

MODELS_OWN = "model"
Noises = dict[tuple[tuple[int, ...], int], SharedNoise]
"""One object for each choice of seeds and population size."""


@dataclass(frozen=True)
class Plan:
    """A method ready to run, with the number of weighted particles behind each sample, and how many passes of the model
    each of them costs at one step of one question."""

    job: Job
    method: GuidanceMethod
    particles: int
    task: Task
    calls: int


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


class _Planner:
    """Plans the methods of one request. Methods without a path of their own share one, and its grid, made once and only
    if one needs it."""

    def __init__(
        self, request: CompareRequest, asked: Asked, backbone: Backbone, seeds: tuple[int, ...], noises: Noises
    ):
        self.request, self.asked, self.backbone, self.seeds, self.noises = request, asked, backbone, seeds, noises
        self.path = default_path(request.path, backbone)

    def plan(self, name: str, method: GuidanceMethod) -> Plan | str:
        """The plan, or why the method cannot do the task."""
        return checked(method, lambda: self._plan(name, method))

    def _plan(self, name: str, method: GuidanceMethod) -> Plan | str:
        task, backbone = self.asked.task, self.backbone
        needed = needs(method, task)
        if isinstance(needed, str):
            return needed
        which = (self.seeds, needed.particles)
        if which not in self.noises:
            self.noises[which] = backbone.noise(*which)
        noise = self.noises[which]
        bound = BoundMethod(method, task, noise.seeds, backbone.data_variance)
        path = method.path(task, self.path)
        grid = self.grid if path is self.path else grid_of(self.request, backbone, path)
        sampler = sampler_for(method, task, self.request.sampler)
        job = Job(name, sampler, grid, noise, bound, thinking_time(method))
        return Plan(job, method, noise.rows, task, needed.calls)

    @cached_property
    def grid(self) -> PathPoints:
        request, backbone = self.request, self.backbone
        if request.path != MODELS_OWN:
            return grid_of(request, backbone, self.path)
        if request.first_noise:
            raise InvalidRequest("The model's own timesteps have their own first noise level. Choose another path.")
        grid = backbone.model_grid(request.steps)
        if float(grid.a[0]) == 0.0 and request.sampler in _NEEDS_INFORMATION:
            raise InvalidRequest(
                f"{backbone.info.label} starts from pure noise on its own timesteps, where the sampler "
                f"{SAMPLERS[request.sampler].label!r} has no finite step. Choose another sampler or path."
            )
        return grid


def grid_of(request: CompareRequest, backbone: Backbone, path: ProbabilityPath) -> PathPoints:
    """Where the run stops along a path; raises InvalidRequest for a first noise level that the model does not know."""
    first = request.first_noise or None
    largest, smallest = backbone.sigma_range
    if first is not None and not smallest < first <= largest:
        raise InvalidRequest(
            f"First noise level is {first:g}; for {backbone.info.label} it must be above {smallest:g} and at most "
            f"{largest:g}, or 0 for the model's own."
        )
    return backbone.grid(path, request.steps, first)


def sampler_for(method: GuidanceMethod, task: Task, wanted: str = "averaged") -> Sampler:
    """The sampler of that name, or the bridge step where a method needs steps that can be repeated and weighed."""
    return SAMPLERS["bridge" if method.adapted_for(task) and wanted == "averaged" else wanted].run


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
    planner = _Planner(request, asked, backbone, seeds, {} if noises is None else noises)
    for choice in request.methods:
        method = choice.method()
        found = planner.plan(choice.name, method)
        if isinstance(found, Plan):
            plans.append(found)
        else:
            notes.append(f"{method.label} was left out: {found}")
    if not plans:
        raise InvalidRequest("None of the chosen methods can do this task. " + " ".join(notes))
    return plans, notes


def require_affordable(request: CompareRequest, plans: list[Plan], samples: int, most: int) -> None:
    """Refuse a run of ``samples`` per method that would ask about more than ``most`` states."""
    calls = sum(plan.particles * plan.calls for plan in plans)
    total = samples * calls * request.steps * SAMPLERS[request.sampler].calls_per_step
    if total > most:
        raise InvalidRequest(
            f"This run would ask the model about {total:,} states; at most {most:,} are allowed. "
            "Take fewer steps, samples, draws, particles or methods."
        )
