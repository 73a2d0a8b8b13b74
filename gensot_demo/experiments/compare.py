"""Compare guidance methods on one task with the same noise: the run behind the home page, the API and the CLI."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gensot_demo.backbones.base import Backbone
from gensot_demo.guidance.population import select_one
from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.conductor import Trace, conduct
from gensot_demo.transport.measures import EndLaw, EnergyCurve, energy_curve, least_action, order_parameter
from gensot_demo.transport.paths import PathPoints

from . import limits
from .asking import Asked, ask_for, backbone_of, on_cpu, picture_order
from .device import TURNSTILE
from .drawing import smallest_share
from .floor import asked_end_law
from .law import LawReport, Verdict, assess, verdict
from .planning import Plan, plans_of, require_affordable
from .population import Population, population_of
from .requests import CompareRequest, InvalidRequest
from .success import Success
from .zero_gpu import on_lent_gpu

UPDATES = 12


@dataclass(frozen=True)
class Update:
    """A moment of a running comparison: pictures (samples, res, res, 3) by method name, the share done, seconds, and
    what is asked for."""

    pictures: dict[str, NDArray[np.uint8]]
    done: float
    seconds: float
    asked: Asked


@dataclass(frozen=True, eq=False)
class MethodResult:
    """One method's part of a comparison.

    pictures: (samples, res, res, 3) uint8, the last predicted states.  nearest: index of the nearest of the backbone's
    known pictures, distance: to it, per pixel and channel in grey levels, root mean square; None where none is known.
    levels, times: (S,) noise levels and times of the kept rows; states, predicted: (S, samples, r) delivered particles.
    energy: None where fewer than two rows were kept.  order: (S,) order parameter.
    least: the least action per dimension of any path from this start to the law asked for, or None where that law or
    the energy is not known; dissipation: the action times the dimension (Ikeda et al., arXiv 2407.04495).
    calls, backwards: per delivered sample.  ess: smallest effective share of particles on the way, or None.
    success: how well the samples do what was asked, in one or two numbers; none for conditions alone.
    sampler: by which it was sampled, by name.  population: what is known of the weighted particles, or None.
    """

    name: str
    label: str
    pictures: NDArray[np.uint8]
    nearest: NDArray[np.intp] | None
    distance: NDArray[np.float64] | None
    levels: NDArray[np.float64]
    times: NDArray[np.float64]
    index: list[int]
    states: torch.Tensor
    predicted: torch.Tensor
    grid: PathPoints
    energy: EnergyCurve | None
    least: float | None
    dissipation: float | None
    order: NDArray[np.float64]
    calls: float
    backwards: float
    seconds: float
    particles: int
    ess: float | None
    success: tuple[Success, ...] = ()
    sampler: str = ""
    population: Population | None = None


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
    def backbone(self) -> Backbone:
        return backbone_of(self.request)


@on_lent_gpu
def compare(request: CompareRequest) -> Iterator[Update | CompareResult]:
    """Run a comparison; yields about a dozen :class:`Update` and last a :class:`CompareResult`.

    Closing the iterator stops the run within one forward of the model.
    Raises InvalidRequest with a sentence when the request cannot be run, or no method came to its end.
    """
    backbone = backbone_of(request)
    began = time.perf_counter()
    asked = ask_for(request, backbone)
    plans, notes = plans_of(request, asked, backbone, request.seeds)
    prompts = [("", choice.name) for choice in request.conditions] + [("Negative prompt: ", request.negative)]
    said = [(which, backbone.truncated(text)) for which, text in prompts if text]
    notes += [which + sentence for which, sentence in said if sentence]
    require_affordable(request, plans, request.samples, backbone.max_states)
    traces: list[Trace] = []
    shown = -1
    jobs = [plan.job for plan in plans]
    keep_every = _keep_every(request, plans, backbone)
    shown_asked = on_cpu(asked)
    for moment in conduct(jobs, backbone.oracle, turn=TURNSTILE, keep_every=keep_every, max_rows=backbone.max_rows):
        traces = moment.traces
        ready = all(trace.steps or trace.error for trace in traces)  # a method's first question may precede any step
        if ready and moment.done < 1 and int(moment.done * (UPDATES + 1)) > shown:
            shown = int(moment.done * (UPDATES + 1))
            yield Update(_previews(backbone, plans, traces), moment.done, time.perf_counter() - began, shown_asked)
    if not any(trace.finished for trace in traces):
        reasons = dict.fromkeys(trace.error for trace in traces if trace.error)
        raise InvalidRequest("No method reached the end. " + " ".join(reasons))
    yield _result(request, asked, backbone, plans, traces, notes, time.perf_counter() - began)


def _keep_every(request: CompareRequest, plans: list[Plan], backbone: Backbone) -> int:
    """Every how many steps a trajectory is recorded, so that a run of many particles stays within its memory."""
    row = 2 * 4 * backbone.oracle.dimension * sum(len(plan.job.noise) for plan in plans)  # state and prediction
    fewest, most = limits.ROWS_KEPT
    rows = min(max(int(limits.MEGABYTES_PER_RUN * 1e6 / row), fewest), most)
    return -(-request.steps // rows)


def _previews(backbone: Backbone, plans: list[Plan], traces: list[Trace]) -> dict[str, NDArray[np.uint8]]:
    """What each method predicts now, (samples, res, res, 3) by name; decoded together."""
    started = [(plan, trace) for plan, trace in zip(plans, traces, strict=True) if trace.steps]
    if not started:
        return {}
    predicted = [trace.predicted[leading(plan, trace)] for plan, trace in started]
    pictures = np.split(backbone.previews(torch.cat(predicted)), len(started))
    return {trace.name: block for (_, trace), block in zip(started, pictures, strict=True)}


def leading(plan: Plan, trace: Trace) -> list[int]:
    """The heaviest particle of each sample so far: what a picture of a running population shows."""
    weights, blocks = trace.steps[-1].log_weights, len(plan.job.noise.seeds)
    if weights is None:
        return [block * plan.particles for block in range(blocks)]
    heaviest = weights.reshape(blocks, plan.particles).argmax(1)
    return (heaviest + plan.particles * torch.arange(blocks)).tolist()


def _result(
    request: CompareRequest,
    asked: Asked,
    backbone: Backbone,
    plans: list[Plan],
    traces: list[Trace],
    notes: list[str],
    seconds: float,
) -> CompareResult:
    methods = {}
    law = asked_end_law(request, backbone, asked)
    flow = not SAMPLERS[request.sampler].stochastic
    for plan, trace in zip(plans, traces, strict=True):
        if trace.error is not None:
            notes = [*notes, f"{plan.method.label} ended early: {trace.error}"]
        elif trace.finished:
            methods[trace.name] = _method_result(plan, trace, backbone, flow, asked, law)
    reports = {}
    if asked.law is not None:
        order = picture_order(backbone)
        reports = {name: assess(asked.law, result.nearest, order) for name, result in methods.items()}
    calls = {name: result.calls + result.backwards for name, result in methods.items()}
    labels = {name: result.label for name, result in methods.items()}
    return CompareResult(
        request, on_cpu(asked), methods, tuple(notes), seconds, reports, verdict(labels, reports, calls)
    )


def _method_result(
    plan: Plan, trace: Trace, backbone: Backbone, flow: bool, asked: Asked, law: EndLaw | None
) -> MethodResult:
    seeds = plan.job.noise.seeds
    rows = select_one(seeds, trace.steps[-1].log_weights, plan.particles)
    index, states, predicted = trace.delivered(rows)
    end = states[-1]
    nearest, distance = backbone.nearest(end) or (None, None)
    outside = backbone.dimension - backbone.oracle.dimension
    pictures = backbone.pictures(end)
    energy = energy_curve(trace.grid, index, states, predicted, outside, flow) if len(index) > 2 else None
    known = energy is not None and law is not None
    return MethodResult(
        name=trace.name,
        label=plan.method.label,
        pictures=pictures,
        nearest=None if nearest is None else nearest.cpu().numpy(),
        distance=None if distance is None else (distance.cpu() / backbone.dimension**0.5 * 127.5).numpy().astype(float),
        levels=trace.grid.sigma[index].double().numpy(),
        times=trace.grid.t[index].double().numpy(),
        index=index,
        states=states.cpu(),
        predicted=predicted.cpu(),
        grid=trace.grid.to("cpu", trace.grid.g.dtype),
        energy=energy,
        least=least_action(trace.grid, index, states, law, outside) if known else None,
        dissipation=energy.action * backbone.dimension if energy else None,
        order=order_parameter(predicted, end).cpu().numpy(),
        calls=trace.evaluations / len(seeds),
        backwards=trace.backwards / len(seeds),
        seconds=trace.seconds,
        particles=plan.particles,
        ess=smallest_share(trace, len(seeds), plan.particles),
        success=asked.success(end, pictures),
        sampler=next(name for name, choice in SAMPLERS.items() if choice.run is plan.job.sampler),
        population=population_of(trace, len(seeds), plan.particles, rows),
    )
