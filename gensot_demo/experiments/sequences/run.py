"""Follow a reference that moves, frame by frame: the run behind the Sequences page, the API and the CLI.

Each frame is a comparison of one sample (experiments/compare.py): the same methods, planning and success. Frames that
know nothing of each other run jointly; linked ones run one after the other.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from gensot_demo.backbones.base import Backbone
from gensot_demo.guidance.base import Task
from gensot_demo.guidance.gensot import GenSOT
from gensot_demo.guidance.population import select_one
from gensot_demo.guidance.registry import REGISTRY
from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.conductor import Trace, conduct
from gensot_demo.transport.guides import recorded_protocol
from gensot_demo.transport.harmonic import HarmonicPath
from gensot_demo.transport.measures import energy_curve

from .. import limits
from ..asking import ask_for, load, picture_of
from ..device import TURNSTILE
from ..images import to_png
from ..needs import Needs, needs
from ..planning import Plan, plans_of, require_affordable
from ..requests import CompareRequest, InvalidRequest, MethodChoice
from ..success import Success, success
from ..zero_gpu import on_lent_gpu
from .measures import Steadiness, steadiness, switches
from .motion import along_path, cross_fade, turned_colours
from .request import SequenceRequest

_STATES_AT_ONCE = 256  # rows of all jobs that run together, if their trajectories find room
_DECODED_AT_ONCE = 12
_SECONDS_BETWEEN = 0.3  # reports of progress
_ROWS_KEPT = 24  # of a trajectory: for its energy, and for the guide that is made of it
_BLANK_SPREAD = 2.0  # grey levels; experiments/images.py refuses a flatter picture


@dataclass(frozen=True)
class Progress:
    """A moment of a running sequence: films (f, s, s, 3) by method as far as they are known, predicted where a frame is
    still on its way; the reference's film (F, s, s, 3); share done and seconds."""

    films: dict[str, NDArray[np.uint8]]
    reference: NDArray[np.uint8]
    done: float
    seconds: float


@dataclass(frozen=True, eq=False)
class MethodFilm:
    """One method's part of a sequence.

    pictures: (F, s, s, 3).  nearest: (F,) the nearest of the backbone's known pictures, distance: to it in grey levels,
    or None.  kinetic: (F,) action per dimension of each frame's way from noise to picture, nan where unknown.
    calls, backwards: per frame.  success: root mean square distance to the frame's own reference.
    """

    name: str
    label: str
    pictures: NDArray[np.uint8]
    nearest: NDArray[np.intp] | None
    distance: NDArray[np.float64] | None
    kinetic: NDArray[np.float64]
    calls: float
    backwards: float
    seconds: float
    steadiness: Steadiness
    success: Success

    @property
    def switches(self) -> int | None:
        """How often the nearest picture changes, or None."""
        return None if self.nearest is None else switches(self.nearest)


@dataclass(frozen=True, eq=False)
class SequenceResult:
    """A finished sequence. reference: (F, s, s, 3), with its own ``steadiness``.  notes: what was left out and why."""

    request: SequenceRequest
    reference: NDArray[np.uint8]
    steadiness: Steadiness
    methods: dict[str, MethodFilm]
    notes: tuple[str, ...]
    seconds: float

    @property
    def backbone(self) -> Backbone:
        return load(self.request.backbone)

    @property
    def bytes(self) -> int:
        """What keeping it takes."""
        return self.reference.nbytes * (1 + len(self.methods))


@dataclass
class _Film:
    """A method's film while it is made."""

    choice: MethodChoice
    label: str
    particles: int
    pictures: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    ends: dict[int, torch.Tensor] = field(default_factory=dict)
    kinetic: dict[int, float] = field(default_factory=dict)
    calls: float = 0.0
    backwards: float = 0.0
    seconds: float = 0.0
    last: tuple[torch.Tensor, torch.Tensor] | None = None  # times and predictions of the frame before
    error: str | None = None


def reference_film(request: SequenceRequest, side: int) -> NDArray[np.uint8]:
    """The moving reference (F, side, side, 3); raises InvalidRequest for an unknown or blank picture."""
    motion = request.motion
    if motion.kind == "morph":
        ends = [picture_of(motion.start, side, "From"), picture_of(motion.end, side, "To")]
        return cross_fade(*ends, request.frames)
    picture = picture_of(motion.picture, side, "Picture")
    if motion.kind == "path":
        film = along_path(picture, motion.points, request.frames, motion.size)
    else:
        film = turned_colours(picture, motion.turn, request.frames)
    blank = [n for n, frame in enumerate(film, 1) if frame.astype(float).std() < _BLANK_SPREAD]
    if blank:
        raise InvalidRequest(f"Frame {blank[0]} of the reference is empty: the path leads the sketch out of sight.")
    return film


def followers() -> list[tuple[str, str]]:
    """(label, name) of the methods that can follow a picture."""
    task = Task(references=(torch.zeros(1),), reference_trusts=(1.0,))
    able = {name: method for name, method in REGISTRY.methods.items() if isinstance(needs(method(), task), Needs)}
    return [(method.label, name) for name, method in able.items()]


def sequence(request: SequenceRequest) -> Iterator[Progress | SequenceResult]:
    """Run a sequence; yields :class:`Progress` and last a :class:`SequenceResult`.

    Closing the iterator stops the run within one forward of the model.
    Raises InvalidRequest with a sentence when the request cannot be run, or no method came to its end.
    """
    yield from _run(cost_of(request), request)


def cost_of(request: SequenceRequest) -> CompareRequest:
    """A comparison that takes as long: frames that know nothing of each other run together, linked ones in turn."""
    one_by_one = request.memory != "none"
    cost = {"samples": 1, "steps": request.steps * request.frames} if one_by_one else {"samples": request.frames}
    return request.frame(0, ()).model_copy(update=cost)


@on_lent_gpu
def _run(cost: CompareRequest, request: SequenceRequest) -> Iterator[Progress | SequenceResult]:
    """``cost``: a comparison that takes as long, by which a lent GPU is asked for."""
    backbone = load(request.backbone)
    began = time.perf_counter()
    reference = reference_film(request, backbone.info.resolution)
    pngs = [to_png(picture) for picture in reference]
    followed = 2 if request.memory == "reference" else 1
    first = request.frame(0, pngs[:1] * followed)
    plans, notes = _plans(first, backbone)
    require_affordable(first, plans, request.frames, backbone.max_states)
    films = {
        plan.job.name: _Film(choice, plan.method.label, plan.particles)
        for plan, choice in zip(plans, _kept(request, plans), strict=True)
    }
    linked = {
        "none": set(),
        "guide": {plan.job.name for plan in plans if isinstance(plan.method, GenSOT)},
        "reference": set(films),
    }[request.memory]
    if request.memory == "guide" and len(linked) < len(films):
        others = ", ".join(film.label for name, film in films.items() if name not in linked)
        notes.append(f"Only GenSOT's path has a guide: the frames of {others} know nothing of each other.")
    total, finished, said = request.frames * len(films), 0, -math.inf
    for names, numbers in _stages(request, films, linked, _rows_at_once(request, backbone)):
        going = [films[name] for name in names if films[name].error is None]
        for share, plans, traces in _stage(request, numbers, going, pngs, backbone):
            if time.perf_counter() - said > _SECONDS_BETWEEN and any(trace.steps for trace in traces):
                _preview(plans, traces, backbone)
                done = (finished + share * len(names) * len(numbers)) / total
                yield Progress(_so_far(films), reference, min(done, 0.99), time.perf_counter() - began)
                said = time.perf_counter()
        finished += len(names) * len(numbers)
    notes += [f"{film.label} ended early: {film.error}" for film in films.values() if film.error]
    if all(film.error for film in films.values()):
        raise InvalidRequest("No method reached the end. " + " ".join(dict.fromkeys(f.error for f in films.values())))
    methods = {
        name: _finished(name, film, reference, request.frames, backbone)
        for name, film in films.items()
        if film.error is None
    }
    seconds = time.perf_counter() - began
    yield SequenceResult(request, reference, steadiness(reference), methods, tuple(notes), seconds)


def _plans(request: CompareRequest, backbone: Backbone) -> tuple[list[Plan], list[str]]:
    return plans_of(request, ask_for(request, backbone), backbone, request.seeds)


def _kept(request: SequenceRequest, plans: list[Plan]) -> list[MethodChoice]:
    names = {plan.job.name for plan in plans}
    return [choice for choice in request.methods if choice.name in names]


def _rows_at_once(request: SequenceRequest, backbone: Backbone) -> int:
    """How many states may run together, so that their trajectories stay within a run's memory."""
    trajectory = 2 * 4 * backbone.oracle.dimension * min(request.steps + 1, _ROWS_KEPT)  # states and predictions
    return min(_STATES_AT_ONCE, int(limits.MEGABYTES_PER_RUN * 1e6 / trajectory))


def _stages(
    request: SequenceRequest, films: dict[str, _Film], linked: set[str], at_once: int
) -> Iterator[tuple[list[str], list[int]]]:
    """(methods, frames) that run together, in order: free frames in blocks, linked ones singly."""
    free = [name for name in films if name not in linked]
    if free:
        rows = sum(films[name].particles for name in free)
        block = max(1, at_once // rows)
        for first in range(0, request.frames, block):
            yield free, list(range(first, min(first + block, request.frames)))
    if linked:
        for number in range(request.frames):
            yield sorted(linked, key=list(films).index), [number]


_Planned = list[tuple[_Film, int, Plan]]


def _stage(
    request: SequenceRequest, numbers: list[int], films: list[_Film], pngs: list[bytes], backbone: Backbone
) -> Iterator[tuple[float, _Planned, list[Trace]]]:
    """Run frames ``numbers`` of some films jointly; yields the share done, plans and traces after every forward and
    leaves what came of it in the films."""
    plans = [
        (film, number, plan)
        for number in numbers
        for film, plan in _frame_plans(request, number, films, pngs[number], backbone)
    ]
    if not plans:
        return
    keep_every = max(1, -(-request.steps // _ROWS_KEPT))
    jobs = [plan.job for _, _, plan in plans]
    traces: list[Trace] = []
    for moment in conduct(jobs, backbone.oracle, turn=TURNSTILE, keep_every=keep_every, max_rows=backbone.max_rows):
        traces = moment.traces
        yield moment.done, plans, traces
    flow = not SAMPLERS[request.sampler].stochastic
    done = []
    for (film, number, plan), trace in zip(plans, traces, strict=True):
        film.calls += trace.evaluations
        film.backwards += trace.backwards
        film.seconds += trace.seconds
        if trace.finished:
            _record(film, number, plan, trace, backbone, flow)
            done.append((film, number))
        elif film.error is None:
            film.error = f"frame {number + 1}: {trace.error}"
    for first in range(0, len(done), _DECODED_AT_ONCE):
        some = done[first : first + _DECODED_AT_ONCE]
        pictures = backbone.pictures(torch.cat([film.ends[number] for film, number in some]))
        for (film, number), picture in zip(some, pictures, strict=True):
            film.pictures[number] = picture


def _frame_plans(
    request: SequenceRequest, number: int, films: list[_Film], png: bytes, backbone: Backbone
) -> Iterator[tuple[_Film, Plan]]:
    """Each film's plan for one frame, linked to the frame before as the request says."""
    if request.memory != "reference" or number == 0:
        choices = tuple(film.choice for film in films)
        plans, _ = _plans(request.frame(number, [png], choices), backbone) if films else ([], [])
        for film, plan in zip(films, plans, strict=True):
            yield film, _guided(plan, film, request, backbone)
        return
    for film in films:
        try:
            seen = to_png(film.pictures[number - 1])
            (plan,), _ = _plans(request.frame(number, [png, seen], (film.choice,)), backbone)
            yield film, plan
        except InvalidRequest as error:  # an empty picture cannot be followed
            film.error = f"frame {number + 1}: {error}"


def _guided(plan: Plan, film: _Film, request: SequenceRequest, backbone: Backbone) -> Plan:
    """The plan with GenSOT's path held to what the frame before predicted on its way. Only the grid knows the path."""
    if request.memory != "guide" or film.last is None or not isinstance(plan.method, GenSOT):
        return plan
    protocol = recorded_protocol(plan.method.protocol(plan.task), *film.last)
    return replace(plan, job=replace(plan.job, grid=backbone.grid(HarmonicPath(protocol), request.steps)))


def _record(film: _Film, number: int, plan: Plan, trace: Trace, backbone: Backbone, flow: bool) -> None:
    rows = select_one(plan.job.noise.seeds, trace.steps[-1].log_weights, plan.particles)
    index, states, predicted = trace.delivered(rows)
    film.ends[number] = states[-1]
    film.last = (trace.grid.t[index].cpu(), predicted[:, 0].cpu())
    outside = backbone.dimension - backbone.oracle.dimension
    curve = energy_curve(trace.grid, index, states, predicted, outside, flow) if len(index) > 2 else None
    film.kinetic[number] = curve.action if curve else float("nan")


def _preview(plans: _Planned, traces: list[Trace], backbone: Backbone) -> None:
    """What each film's frames are predicted to become."""
    started = [(film, number, trace) for (film, number, _), trace in zip(plans, traces, strict=True) if trace.steps]
    pictures = backbone.previews(torch.cat([trace.predicted[:1] for _, _, trace in started]))
    for (film, number, _), picture in zip(started, pictures, strict=True):
        film.pictures[number] = picture


def _so_far(films: dict[str, _Film]) -> dict[str, NDArray[np.uint8]]:
    known = {name: [film.pictures[n] for n in sorted(film.pictures)] for name, film in films.items()}
    return {name: np.stack(pictures) for name, pictures in known.items() if pictures}


def _finished(name: str, film: _Film, reference: NDArray[np.uint8], frames: int, backbone: Backbone) -> MethodFilm:
    pictures = np.stack([film.pictures[n] for n in range(frames)])
    ends = torch.cat([film.ends[n] for n in range(frames)])
    nearest, distance = backbone.nearest(ends) or (None, None)
    found = [
        success(None, goal.astype(float), None, end[None], picture[None])[0]
        for goal, end, picture in zip(reference, ends, pictures, strict=True)
    ]
    return MethodFilm(
        name=name,
        label=film.label,
        pictures=pictures,
        nearest=None if nearest is None else nearest.cpu().numpy(),
        distance=None if distance is None else (distance.cpu() / backbone.dimension**0.5 * 127.5).numpy().astype(float),
        kinetic=np.array([film.kinetic[n] for n in range(frames)]),
        calls=film.calls / frames,
        backwards=film.backwards / frames,
        seconds=film.seconds,
        steadiness=steadiness(pictures),
        success=replace(found[0], values=tuple(value for one in found for value in one.values)),
    )
