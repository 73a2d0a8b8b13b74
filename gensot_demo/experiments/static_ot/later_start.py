"""Sampling that starts later, run: a wall of samples with what each of them resembles, and quality against calls."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.backbones.embedded import training_pictures
from gensot_demo.transport.conductor import conduct

from ..device import TURNSTILE
from ..failures.memorised import RATIO
from .later_start_heights import map_to
from .later_start_methods import backbone_for, jobs_of, label_of, methods_of, starts_of
from .later_start_quality import Quality, distances, exact_draws, quality_of, unseen
from .later_start_request import LaterStartRequest

_AT_ONCE = 16  # seeds in one round of questions: more are no faster, and wait longer for Stop


@dataclass(frozen=True, eq=False)
class Row:
    """One method's samples. label: in words.  pictures (n, 32, 32, 3): now predicted, in the end the samples.

    At the end also: nearest (n,), the training picture most like each, by index; distance (n,) to it in root mean
    square grey levels; copied (n,), whether that is less than a third of the distance to the second; calls: of the
    model for one sample, counted.
    """

    label: str
    pictures: NDArray[np.uint8]
    nearest: NDArray[np.int64] | None = None
    distance: NDArray[np.float64] | None = None
    copied: NDArray[np.bool_] | None = None
    calls: float = 0.0


@dataclass(frozen=True, eq=False)
class Landings:
    """Where the jump lands, before the model is asked. states, targets: by "jump" and, where smoothed, "smoothed": the
    noised pictures (n, 32, 32, 3) and what they are of.  names (n,): of the pictures whose cells hold the noises.
    blended (n,): how many pictures a smoothed target is worth.
    """

    states: dict[str, NDArray[np.uint8]]
    targets: dict[str, NDArray[np.uint8]]
    names: tuple[str, ...]
    blended: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LaterStart:
    """A wall so far: rows by method, in order."""

    request: LaterStartRequest
    landings: Landings
    rows: dict[str, Row] = field(default_factory=dict)
    done: float = 0.0
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        return self.done >= 1


@dataclass(frozen=True, eq=False)
class LaterStartCalls:
    """A measurement so far. found: by method, then by calls.  exact, unseen: the same of draws from the law itself, and
    of pictures kept from the network.  doing: in words."""

    request: LaterStartRequest
    exact: Quality
    unseen: Quality
    found: dict[str, dict[int, Quality]] = field(default_factory=dict)
    done: float = 0.0
    seconds: float = 0.0
    doing: str = ""

    @property
    def complete(self) -> bool:
        return self.done >= 1


def landings_of(request: LaterStartRequest) -> Landings:
    """Where the jump takes the wall's noises; no model is asked."""
    oracle, brenier = backbone_for("truth"), map_to(request.label)
    found = starts_of(request, brenier, oracle.noise(_seeds(request, request.samples))).landings
    scale = 1 / np.sqrt(1 + request.sigma**2)  # shown as a y + m eps with a^2 + m^2 = 1, so that it is no glare
    known = training_pictures()
    members = known.names if request.label is None else [
        name for name, label in zip(known.names, known.labels.tolist(), strict=True) if label == request.label
    ]  # fmt: skip
    return Landings(
        {name: oracle.pictures((scale * landing.state).float()) for name, landing in found.items()},
        {name: oracle.pictures(landing.target.float()) for name, landing in found.items()},
        tuple(members[i] for i in found["jump"].index.tolist()),
        next(reversed(found.values())).blended.numpy(),
    )


def run_wall(request: LaterStartRequest) -> Iterator[LaterStart]:
    """Yields the pictures that every method predicts after each of its calls; the last is the whole."""
    began = time.perf_counter()
    request = request.of_wall()
    run = LaterStart(request, landings_of(request))
    yield run
    backbone = backbone_for(request.model)
    noise = backbone.noise(_seeds(request, request.samples))
    jobs, _ = jobs_of(request, map_to(request.label), backbone, noise, request.calls)
    traces = []
    for moment in conduct(jobs, backbone.oracle, max_rows=backbone.max_rows, turn=TURNSTILE):
        traces = moment.traces
        if moment.done < 1:
            rows = {
                trace.name: Row(label_of(trace.name, request), backbone.pictures(trace.predicted), calls=trace.rounds)
                for trace in traces
                if trace.steps
            }
            yield replace(run, rows=rows, done=moment.done, seconds=time.perf_counter() - began)
    rows = {}
    for trace in traces:
        _raise(trace.error)
        ends = trace.end.cpu()
        nearest, _ = backbone.nearest(ends)
        distance, ratio = distances(ends)
        rows[trace.name] = Row(
            label_of(trace.name, request), backbone.pictures(ends), nearest.cpu().numpy(), distance.numpy(),
            (ratio < RATIO).numpy(), trace.evaluations / len(ends),
        )  # fmt: skip
    yield replace(run, rows=rows, done=1.0, seconds=time.perf_counter() - began)


def run_calls(request: LaterStartRequest) -> Iterator[LaterStartCalls]:
    """Quality of every method at every number of calls, fewest first; yields after every round of questions. The same
    noise starts all."""
    began = time.perf_counter()
    request = request.of_calls()
    run = LaterStartCalls(request, exact_draws(request, request.draws), unseen(request))
    yield replace(run, doing="Reading the model")
    backbone, brenier = backbone_for(request.model), map_to(request.label)
    names, total, spent = methods_of(request), sum(request.budgets) * request.draws, 0.0
    found: dict[str, dict[int, Quality]] = {name: {} for name in names}
    for calls in request.budgets:
        ends: dict[str, list[Tensor]] = {name: [] for name in names}
        counted = dict.fromkeys(names, 0)
        for first in range(0, request.draws, _AT_ONCE):
            rows = min(_AT_ONCE, request.draws - first)
            noise = backbone.noise(_seeds(request, rows, first))
            jobs, _ = jobs_of(request, brenier, backbone, noise, calls)
            traces = []
            for moment in conduct(jobs, backbone.oracle, max_rows=backbone.max_rows, turn=TURNSTILE, keep_every=calls):
                traces = moment.traces
                done = min((spent + moment.done * calls * rows) / total, 0.999)
                doing = f"{calls} calls, {first + rows} of {request.draws} samples a method"
                yield replace(run, found=found, done=done, seconds=time.perf_counter() - began, doing=doing)
            spent += calls * rows
            for trace in traces:
                _raise(trace.error)
                ends[trace.name].append(trace.end.cpu())
                counted[trace.name] += trace.evaluations
        fresh = {
            name: quality_of(torch.cat(parts), request, counted[name] / request.draws) for name, parts in ends.items()
        }
        found = {name: {**found[name], calls: fresh[name]} for name in names}
        run = replace(run, found=found)
        yield replace(run, done=min(spent / total, 0.999), seconds=time.perf_counter() - began, doing=f"{calls} calls")
    yield replace(run, done=1.0, seconds=time.perf_counter() - began)


def quality_by_calls(
    request: LaterStartRequest | None = None, methods: Sequence[str] = ("dpm", "jump", "draw")
) -> dict[str, dict[str, dict[str, float]]]:
    """What a benchmark reads: by method, then by calls, the kernel distance to the law of the training pictures and its
    standard error (kid, kid_error), judged, copies (both per cent) and distance (grey levels to the nearest training
    picture); beside them "exact" draws and "unseen" pictures under "0" calls. On the network at 10 calls unless asked
    otherwise: "dpm" is without the jump, "jump" with it, "draw" with a training picture drawn at random in its place.
    """
    *_, last = run_calls(request or LaterStartRequest(budgets=(10,)))
    told = {name: {str(calls): _told(one) for calls, one in last.found[name].items()} for name in methods}
    return told | {"exact": {"0": _told(last.exact)}, "unseen": {"0": _told(last.unseen)}}


def _told(quality: Quality) -> dict[str, float]:
    kid = {} if quality.kid is None else {"kid": quality.kid.value, "kid_error": quality.kid.error}
    return kid | {name: getattr(quality, name).value for name in ("judged", "copies", "distance")}


def _seeds(request: LaterStartRequest, count: int, first: int = 0) -> tuple[int, ...]:
    return tuple(range(request.seed + first, request.seed + first + count))


def _raise(error: str | None) -> None:
    if error is not None:
        raise RuntimeError(error)
