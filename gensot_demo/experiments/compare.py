"""Compare guidance methods on one task with the same noise: the run behind the home page, the API and the CLI."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gensot_demo.backbones.pictures import PictureBackbone, load_picture_backbone
from gensot_demo.guidance.base import BoundMethod, GuidanceMethod
from gensot_demo.guidance.population import effective_sample_size, select_one
from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.conductor import Job, Trace, conduct
from gensot_demo.transport.grids import at_noise_levels, noise_levels
from gensot_demo.transport.measures import EnergyCurve, energy_curve, order_parameter
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.paths import CondOTPath, CosinePath, PathPoints, ProbabilityPath, VEPath, VPLinearPath

from . import limits
from .asking import Asked, ask_for, picture_order
from .device import TURNSTILE
from .law import LawReport, Verdict, assess, verdict
from .requests import CompareRequest, InvalidRequest, MethodChoice

UPDATES = 12


@dataclass(frozen=True)
class Update:
    """A moment of a running comparison: pictures (samples, res, res, 3) by method name, the share done, seconds."""

    pictures: dict[str, NDArray[np.uint8]]
    done: float
    seconds: float


@dataclass(frozen=True, eq=False)
class MethodResult:
    """One method's part of a comparison.

    pictures: (samples, res, res, 3) uint8, the last predicted states.  nearest: index of the nearest picture of the
    collection, distance: to it, per pixel and channel in grey levels, root mean square.
    levels, times: (S,) noise levels and times of the kept rows; states, predicted: (S, samples, r) delivered particles.
    energy: None where fewer than two rows were kept.  order: (S,) order parameter.
    calls, backwards: per delivered sample.  ess: smallest effective share of particles on the way, or None.
    """

    name: str
    label: str
    pictures: NDArray[np.uint8]
    nearest: NDArray[np.intp]
    distance: NDArray[np.float64]
    levels: NDArray[np.float64]
    times: NDArray[np.float64]
    index: list[int]
    states: torch.Tensor
    predicted: torch.Tensor
    grid: PathPoints
    energy: EnergyCurve | None
    order: NDArray[np.float64]
    calls: float
    backwards: float
    seconds: float
    particles: int
    ess: float | None


@dataclass(frozen=True, eq=False)
class CompareResult:
    """A comparison: its request, the law asked for, each method's part, and what was left out and why."""

    request: CompareRequest
    asked: Asked
    methods: dict[str, MethodResult]
    notes: tuple[str, ...]
    seconds: float
    reports: dict[str, LawReport]
    verdict: Verdict

    @property
    def backbone(self) -> PictureBackbone:
        return load_picture_backbone(self.request.resolution)


def default_path(name: str, sigma_max: float) -> ProbabilityPath:
    """The path that methods without one of their own are sampled along."""
    return {
        "cosine": CosinePath,
        "condot": CondOTPath,
        "vp": VPLinearPath,
        "ve": lambda: VEPath(sigma_max * 1.01),
    }[name]()


@dataclass(frozen=True)
class _Plan:
    job: Job
    method: GuidanceMethod
    particles: int


def _plan(
    request: CompareRequest, choice: MethodChoice, asked: Asked, backbone: PictureBackbone, noise: SharedNoise
) -> _Plan:
    method = choice.method()
    start, end = backbone.sigma_range
    path = method.path(asked.task, default_path(request.path, start))
    grid = at_noise_levels(path, noise_levels(request.steps, start, end))
    grid = grid.to(backbone.oracle.device, backbone.oracle.dtype)
    bound = BoundMethod(method, asked.task, noise.seeds, backbone.data_variance)
    return _Plan(Job(choice.name, SAMPLERS[request.sampler].run, grid, noise, bound), method, noise.rows)


def _plans(
    request: CompareRequest, asked: Asked, backbone: PictureBackbone, seeds: tuple[int, ...]
) -> tuple[list[_Plan], list[str]]:
    """What can run, and why the rest cannot."""
    plans, notes = [], []
    noises: dict[int, SharedNoise] = {}  # one object per population size: what one method has read, others reuse
    for choice in request.methods:
        method = choice.method()
        reason = method.unavailable(asked.task)
        if reason:
            notes.append(f"{method.label} was left out: {reason}")
        else:
            particles = method.particles_for(asked.task)
            noise = noises.setdefault(particles, backbone.noise(seeds, particles))
            plans.append(_plan(request, choice, asked, backbone, noise))
    if not plans:
        raise InvalidRequest("None of the chosen methods can do this task. " + " ".join(notes))
    return plans, notes


def _require_affordable(request: CompareRequest, plans: list[_Plan], samples: int, most: int) -> None:
    """Refuse a run of ``samples`` per method that would ask about more than ``most`` states."""
    calls = SAMPLERS[request.sampler].calls_per_step * (1 + len(request.conditions))
    total = samples * sum(plan.particles for plan in plans) * request.steps * calls
    if total > most:
        raise InvalidRequest(
            f"This run would ask the model about {total:,} states; at most {most:,} are allowed. "
            "Take fewer steps, samples, draws, particles or methods."
        )


def compare(request: CompareRequest) -> Iterator[Update | CompareResult]:
    """Run a comparison; yields about a dozen :class:`Update` and last a :class:`CompareResult`.

    Closing the iterator stops the run within one forward of the model.
    Raises InvalidRequest with a sentence when the request cannot be run.
    """
    began = time.perf_counter()
    backbone = load_picture_backbone(request.resolution)
    asked = ask_for(request, backbone)
    plans, notes = _plans(request, asked, backbone, request.seeds)
    _require_affordable(request, plans, request.samples, limits.MAX_EVALUATIONS)
    traces: list[Trace] = []
    shown = -1
    jobs = [plan.job for plan in plans]
    for moment in conduct(jobs, backbone.oracle, turn=TURNSTILE, keep_every=_keep_every(request, plans, backbone)):
        traces = moment.traces
        ready = all(trace.steps or trace.error for trace in traces)  # a method's first question may precede any step
        if ready and moment.done < 1 and int(moment.done * (UPDATES + 1)) > shown:
            shown = int(moment.done * (UPDATES + 1))
            yield Update(_previews(backbone, plans, traces), moment.done, time.perf_counter() - began)
    yield _result(request, asked, backbone, plans, traces, notes, time.perf_counter() - began)


def _keep_every(request: CompareRequest, plans: list[_Plan], backbone: PictureBackbone) -> int:
    """Every how many steps a trajectory is recorded, so that a run of many particles stays within its memory."""
    row = 2 * 4 * backbone.oracle.dimension * sum(len(plan.job.noise) for plan in plans)  # state and prediction
    fewest, most = limits.ROWS_KEPT
    rows = min(max(int(limits.MEGABYTES_PER_RUN * 1e6 / row), fewest), most)
    return -(-request.steps // rows)


def _previews(backbone: PictureBackbone, plans: list[_Plan], traces: list[Trace]) -> dict[str, NDArray[np.uint8]]:
    """What each method predicts now, (samples, res, res, 3) by name; decoded together."""
    started = [(plan, trace) for plan, trace in zip(plans, traces, strict=True) if trace.steps]
    if not started:
        return {}
    predicted = [trace.predicted[_leading(plan, trace)] for plan, trace in started]
    pictures = np.split(backbone.pictures(torch.cat(predicted)), len(started))
    return {trace.name: block for (_, trace), block in zip(started, pictures, strict=True)}


def _leading(plan: _Plan, trace: Trace) -> list[int]:
    """The heaviest particle of each sample so far: what a picture of a running population shows."""
    weights, blocks = trace.steps[-1].log_weights, len(plan.job.noise.seeds)
    if weights is None:
        return [block * plan.particles for block in range(blocks)]
    heaviest = weights.reshape(blocks, plan.particles).argmax(1)
    return (heaviest + plan.particles * torch.arange(blocks)).tolist()


def _result(
    request: CompareRequest,
    asked: Asked,
    backbone: PictureBackbone,
    plans: list[_Plan],
    traces: list[Trace],
    notes: list[str],
    seconds: float,
) -> CompareResult:
    methods = {}
    flow = not SAMPLERS[request.sampler].stochastic
    for plan, trace in zip(plans, traces, strict=True):
        if trace.error is not None:
            notes = [*notes, f"{plan.method.label} ended early: {trace.error}"]
        elif trace.finished:
            methods[trace.name] = _method_result(plan, trace, backbone, flow)
    order = picture_order(backbone)
    reports = {name: assess(asked.law, result.nearest, order) for name, result in methods.items()}
    calls = {name: result.calls + result.backwards for name, result in methods.items()}
    labels = {name: result.label for name, result in methods.items()}
    return CompareResult(request, asked, methods, tuple(notes), seconds, reports, verdict(labels, reports, calls))


def _method_result(plan: _Plan, trace: Trace, backbone: PictureBackbone, flow: bool) -> MethodResult:
    seeds = plan.job.noise.seeds
    rows = select_one(seeds, trace.steps[-1].log_weights, plan.particles)
    index, states, predicted = trace.delivered(rows)
    end = states[-1]
    nearest, distance = backbone.oracle.nearest(end)
    outside = backbone.dimension - backbone.oracle.dimension
    return MethodResult(
        name=trace.name,
        label=plan.method.label,
        pictures=backbone.pictures(end),
        nearest=nearest.numpy(),
        distance=(distance / backbone.dimension**0.5 * 127.5).numpy().astype(float),
        levels=trace.grid.sigma[index].double().numpy(),
        times=trace.grid.t[index].double().numpy(),
        index=index,
        states=states,
        predicted=predicted,
        grid=trace.grid,
        energy=energy_curve(trace.grid, index, states, predicted, outside, flow) if len(index) > 2 else None,
        order=order_parameter(predicted, end).numpy(),
        calls=trace.evaluations / len(seeds),
        backwards=trace.backwards / len(seeds),
        seconds=trace.seconds,
        particles=plan.particles,
        ess=_smallest_ess(trace, len(seeds), plan.particles),
    )


def _smallest_ess(trace: Trace, blocks: int, particles: int) -> float | None:
    """Smallest effective share of particles at a recorded step, mean over samples, or None without weights."""
    weighted = [step.log_weights for step in trace.steps if step.log_weights is not None]
    if particles == 1 or not weighted:
        return None
    return min(float(effective_sample_size(w, blocks).mean()) / particles for w in weighted)


@dataclass(frozen=True)
class Measured:
    """Extra draws against the exact law, so far: reports by method name, the share of draws done, seconds."""

    reports: dict[str, LawReport]
    verdict: Verdict
    done: float
    seconds: float
    draws: int


_DRAWS_AT_ONCE = 64
_STATES_AT_ONCE = 512


def measure(request: CompareRequest, draws: int) -> Iterator[Measured]:
    """Draw ``draws`` samples of every method and compare their frequencies with the exact law; yields as it goes.

    Seeds go on behind those of the request, the same for all methods. Raises InvalidRequest for a bad number of draws.
    """
    if not isinstance(draws, int) or not limits.MIN_DRAWS <= draws <= limits.MAX_DRAWS:
        raise InvalidRequest(
            f"Draws is {draws!r}; it must be a whole number from {limits.MIN_DRAWS} to {limits.MAX_DRAWS}."
        )
    began = time.perf_counter()
    backbone = load_picture_backbone(request.resolution)
    asked = ask_for(request, backbone)
    order = picture_order(backbone)
    labels = {choice.name: choice.method().label for choice in request.methods}
    drawn: dict[str, list[NDArray[np.intp]]] = {}
    calls: dict[str, float] = {}
    plans, _ = _plans(request, asked, backbone, (request.seed,))
    _require_affordable(request, plans, draws, limits.MAX_MEASURED)
    at_once = max(1, _STATES_AT_ONCE // max(plan.particles for plan in plans))
    done = 0
    while done < draws:
        size = min(_DRAWS_AT_ONCE, at_once, draws - done)
        first = request.seed + done
        plans, _ = _plans(request, asked, backbone, tuple(range(first, first + size)))
        traces: list[Trace] = []
        for moment in conduct(
            [plan.job for plan in plans], backbone.oracle, turn=TURNSTILE, keep_every=request.steps + 1
        ):
            traces = moment.traces
        done += size
        for plan, trace in zip(plans, traces, strict=True):
            if trace.finished:
                rows = select_one(plan.job.noise.seeds, trace.steps[-1].log_weights, plan.particles)
                drawn.setdefault(trace.name, []).append(backbone.oracle.nearest(trace.end[rows])[0].numpy())
                calls[trace.name] = (trace.evaluations + trace.backwards) / size
        reports = {name: assess(asked.law, np.concatenate(parts), order) for name, parts in drawn.items()}
        said = verdict({name: labels[name] for name in reports}, reports, calls)
        yield Measured(reports, said, done / draws, time.perf_counter() - began, done)
