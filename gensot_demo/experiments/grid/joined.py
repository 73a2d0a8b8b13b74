"""Comparisons of one method each, on one model, in as few forwards as possible.

The questions of many cells go to the model together, the noise of a seed is drawn once, and what is asked for is worked
out once for each distinct question. Each cell gets the pictures that a comparison of its own would make.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from gensot_demo.backbones.base import Backbone
from gensot_demo.experiments import links
from gensot_demo.experiments.asking import Asked, ask_for, backbone_of
from gensot_demo.experiments.compare import leading
from gensot_demo.experiments.device import TURNSTILE
from gensot_demo.experiments.drawing import smallest_share
from gensot_demo.experiments.needs import needs
from gensot_demo.experiments.planning import Noises, Plan, plans_of
from gensot_demo.experiments.requests import CompareRequest, InvalidRequest
from gensot_demo.experiments.success import Success
from gensot_demo.experiments.zero_gpu import on_lent_gpu
from gensot_demo.guidance.population import select_one
from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.conductor import Trace, conduct
from gensot_demo.transport.errors import reason

_STATES_AT_ONCE = 256  # of a round: more are no faster, hold more memory and show their first pictures later
_SECONDS_BETWEEN = 0.25
_PREVIEWS = 6  # of one lot
_KEPT = 8  # moments at which the weights are looked at


@dataclass(frozen=True, eq=False)
class Cell:
    """What one combination of values became.

    pictures: (samples, s, s, 3) uint8, or None with the ``reason`` why there are none.  nearest: name of the nearest
    known picture of each sample, empty where none is known.  success: how well the samples do what was asked.
    calls, backwards: per delivered sample.  seconds: of its own, with its share of the joint forwards.
    ess: smallest effective share of weighted particles, or None.
    """

    request: CompareRequest
    pictures: NDArray[np.uint8] | None = None
    reason: str = ""
    nearest: tuple[str, ...] = ()
    success: tuple[Success, ...] = ()
    calls: float = 0.0
    backwards: float = 0.0
    seconds: float = 0.0
    ess: float | None = None


@dataclass(frozen=True, eq=False)
class Moment:
    """A moment on the way, by the numbers of the requests: cells that have just ended, what others predict now
    (samples, s, s, 3), and how many model calls are behind."""

    cells: dict[int, Cell] = field(default_factory=dict)
    previews: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    calls: float = 0.0


def question_of(request: CompareRequest) -> str:
    """A text that is the same for requests which ask the same of a model, whoever answers."""
    plain = CompareRequest()
    kept = {"methods": plain.methods, "steps": plain.steps, "samples": plain.samples, "path": plain.path}
    return links.to_query(request.model_copy(update=kept))[0]


def calls_of(request: CompareRequest, particles: int, calls: int) -> int:
    """How many states a run of one method asks the model about, forward and backward, at most; ``calls``: of a particle
    at one step of one question."""
    questions = request.steps * SAMPLERS[request.sampler].calls_per_step + 1  # the last one is about the end
    return request.samples * particles * questions * calls


@dataclass(frozen=True, eq=False)
class _Ready:
    number: int
    request: CompareRequest
    asked: Asked
    plan: Plan

    @property
    def states(self) -> int:
        """That one round asks about, about."""
        return self.request.samples * self.plan.particles * self.plan.calls

    @property
    def calls(self) -> int:
        return calls_of(self.request, self.plan.particles, self.plan.calls)


@on_lent_gpu
def joined(*requests: CompareRequest) -> Iterator[Moment]:
    """Run requests of one method each, all on the first one's model, lot by lot; those that fail say why.

    Closing the iterator stops the run within one forward. Raises InvalidRequest where the model cannot be had.
    """
    backbone = backbone_of(requests[0])
    questions: dict[str, Asked] = {}
    behind = 0.0
    waiting: list[_Ready] = []
    noises: Noises = {}
    for number, request in enumerate(requests):
        try:
            ready = _ready(number, request, backbone, questions, noises)
        except Exception as error:  # a visitor's own method may raise anything; it must not take the others down
            said = str(error) if isinstance(error, InvalidRequest) else reason(error)
            yield Moment({number: Cell(request, reason=said)}, calls=behind)
            continue
        if waiting and sum(one.states for one in waiting) + ready.states > min(_STATES_AT_ONCE, backbone.max_rows):
            yield from _lot(waiting, backbone, behind)
            behind += sum(one.calls for one in waiting)
            waiting, noises = [], {}
        waiting.append(ready)
    if waiting:
        yield from _lot(waiting, backbone, behind)


def _ready(
    number: int, request: CompareRequest, backbone: Backbone, questions: dict[str, Asked], noises: Noises
) -> _Ready:
    question = question_of(request)
    if question not in questions:
        questions[question] = ask_for(request, backbone, with_law=False)
    asked = questions[question]
    needed = needs(request.methods[0].method(), asked.task)
    if isinstance(needed, str):
        raise InvalidRequest(needed)
    (plan,), _ = plans_of(request, asked, backbone, request.seeds, noises)
    return _Ready(number, request, asked, plan)


def _lot(lot: Sequence[_Ready], backbone: Backbone, behind: float) -> Iterator[Moment]:
    """Some runs at once; yields now and then, and last all their cells."""
    traces: list[Trace] = []
    told, shown = time.perf_counter(), 0
    total = sum(one.calls for one in lot)
    keep_every = max(1, max(one.request.steps for one in lot) // _KEPT)
    jobs = [one.plan.job for one in lot]
    for moment in conduct(jobs, backbone.oracle, turn=TURNSTILE, keep_every=keep_every, max_rows=backbone.max_rows):
        traces = moment.traces
        due = int(moment.done * _PREVIEWS) > shown and moment.done < 1
        if due or time.perf_counter() - told > _SECONDS_BETWEEN:
            shown = max(shown, int(moment.done * _PREVIEWS))
            previews = _previews(lot, traces, backbone) if due else {}
            yield Moment({}, previews, behind + total * moment.done)
            told = time.perf_counter()
    yield Moment(_cells(lot, traces, backbone), {}, behind + total)


def _previews(lot: Sequence[_Ready], traces: Sequence[Trace], backbone: Backbone) -> dict[int, NDArray[np.uint8]]:
    started = [(one, trace) for one, trace in zip(lot, traces, strict=True) if trace.steps and not trace.error]
    predicted = [trace.predicted[leading(one.plan, trace)] for one, trace in started]
    return dict(zip([one.number for one, _ in started], _parted(predicted, backbone.previews), strict=True))


def _parted(blocks: Sequence[torch.Tensor], pictures) -> list[NDArray[np.uint8]]:
    """Pictures of each block of states, made together."""
    if not blocks:
        return []
    ends = np.cumsum([len(block) for block in blocks])[:-1]
    return np.split(pictures(torch.cat(list(blocks))), ends)


def _cells(lot: Sequence[_Ready], traces: Sequence[Trace], backbone: Backbone) -> dict[int, Cell]:
    found = {
        one.number: Cell(one.request, reason=f"{one.plan.method.label} ended early: {trace.error}")
        for one, trace in zip(lot, traces, strict=True)
        if not trace.finished
    }
    ended = [(one, trace) for one, trace in zip(lot, traces, strict=True) if trace.finished]
    states = []
    for one, trace in ended:
        rows = select_one(one.request.seeds, trace.steps[-1].log_weights, one.plan.particles)
        states.append(trace.end[rows])
    for (one, trace), end, pictures in zip(ended, states, _parted(states, backbone.pictures), strict=True):
        try:
            found[one.number] = _cell(one, trace, end, pictures, backbone)
        except Exception as error:
            found[one.number] = Cell(one.request, reason=reason(error))
    return found


def _cell(one: _Ready, trace: Trace, end: torch.Tensor, pictures: NDArray[np.uint8], backbone: Backbone) -> Cell:
    samples = one.request.samples
    nearest = backbone.nearest(end)
    return Cell(
        one.request,
        pictures,
        nearest=() if nearest is None else tuple(backbone.names[i] for i in nearest[0].tolist()),
        success=one.asked.success(end, pictures),
        calls=trace.evaluations / samples,
        backwards=trace.backwards / samples,
        seconds=trace.seconds,
        ess=smallest_share(trace, samples, one.plan.particles),
    )
