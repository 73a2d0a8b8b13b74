"""Run a transport request: panels one after the other, then what they measure. Behind page, API, CLI and benchmark."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.reference_law import ReferenceLaw, reference_law
from gensot_demo.transport.targets import Target, named_target, target_of_modes, target_of_points

from ..requests import InvalidRequest
from .cache import MOTIONS
from .measures import Measures, distance_and_floor, distance_over_time, measure
from .methods import METHODS, TransportMethod
from .motion import Curve, Motion
from .request import TransportRequest
from .setup import GAUSSIAN, NOISE_DEPTH, SIGMA_RANGE, Setup, Source
from .streams import draws

_PROGRESS_EVERY = 0.25  # seconds
_PATIENCE = 2.0  # seconds after which finished panels are shown while others still move


@dataclass(frozen=True)
class Progress:
    """What is being done, the share of the run that is done (0 to 1), seconds so far."""

    doing: str
    done: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Panel:
    """One method with its settings and its motion. law: what it is held against.

    measures: None until measured.  distance: W2 to the law over time, None until measured.  error: why it failed.
    """

    name: str
    method: TransportMethod
    setting: str
    motion: Motion | None
    law: ReferenceLaw
    measures: Measures | None = None
    distance: Curve | None = None
    error: str | None = None

    @property
    def label(self) -> str:
        return self.method.label + (f", {self.setting}" if self.setting else "")


@dataclass(frozen=True, eq=False)
class TransportResult:
    """A transport: its request, target, panels and notes. ``complete``: all is measured."""

    request: TransportRequest
    target: Target
    source: Source
    panels: tuple[Panel, ...]
    notes: tuple[str, ...]
    seconds: float
    complete: bool

    @property
    def moving(self) -> list[Panel]:
        """The panels that have particles to show."""
        return [panel for panel in self.panels if panel.motion is not None]


def target_for(request: TransportRequest) -> tuple[Target, list[str]]:
    """The target of a request and notes on how it was read; raises InvalidRequest."""
    try:
        if request.target == "modes":
            return target_of_modes(request.modes)
        if request.target == "points":
            return target_of_points(torch.tensor(request.points, dtype=torch.float64))
    except InvalidValue as error:
        raise InvalidRequest(str(error)[0].upper() + str(error)[1:]) from None
    return named_target(request.target), []


def source_for(request: TransportRequest) -> Source:
    """Where the particles of a request start."""
    origin = torch.zeros(2, dtype=torch.float64)
    if request.source == "point":
        return Source("Point", None, origin)
    if request.source == "gaussian":
        return Source(GAUSSIAN, GaussianMixture([1.0], [[0.0, 0.0]], torch.eye(2)[None]), origin)
    chosen = named_target(request.source)
    return Source(chosen.label, chosen.mixture, chosen.mixture.mean())


def _plan(request: TransportRequest) -> list[tuple[TransportMethod, str, TransportRequest]]:
    """(method, what is particular, its request) of every panel in order."""
    return [(METHODS[name], said, variant) for name in request.methods for said, variant in _variants(request)]


def _variants(request: TransportRequest) -> list[tuple[str, TransportRequest]]:
    """(what is particular, the request of it) for each value of the varied setting."""
    if request.vary == "nothing":
        return [("", request)]
    return [(f"{request.vary} {value:g}", request.with_value(request.vary, value)) for value in request.values]


def setup_of(request: TransportRequest, noise: SharedNoise, target: Target | None = None) -> Setup:
    """What a method needs to move the particles of a request; ``target``: where it is known already."""
    target, source = target or target_for(request)[0], source_for(request)
    first, later = -2 * float(np.log(SIGMA_RANGE[0])), noise
    if source.mixture is None:
        start = source.place.expand(len(noise), 2)
    elif source.label == GAUSSIAN:
        start, later = noise.direction(first), noise.after(first)  # the flows start from it too
    else:
        start = draws(source.mixture, len(noise), "source", request.seed)
    return Setup(
        target=target,
        source=source,
        start=start,
        draws=draws(target.mixture, len(noise), "target", request.seed),
        noise=noise,
        later=later,
        steps=request.steps,
        stiffness=request.stiffness,
        temperature=request.temperature,
        amplitude=request.amplitude,
        guide=torch.tensor(request.guide, dtype=torch.float64).reshape(-1, 2),
        solver=request.solver,
        flow_solver=request.flow_solver,
        trusts=request.trusts(target),
    )


def transport(request: TransportRequest) -> Iterator[Progress | TransportResult]:
    """Move the particles, then measure: :func:`move` and :func:`measured` one after the other."""
    result = None
    for moment in move(request):
        result = moment
        yield moment
    yield from measured(result)


def move(request: TransportRequest) -> Iterator[Progress | TransportResult]:
    """Yields :class:`Progress`, of a long run the panels that have moved so far, and last all of them.

    Motions that are still kept are not run again. Closing the iterator stops the run within a tenth of a second or one
    solve. Raises InvalidRequest with a sentence.
    """
    clock = _Clock()
    target, notes = target_for(request)
    source = source_for(request)
    plan = _plan(request)
    noise = SharedNoise([request.seed], 2, request.particles, depth=NOISE_DEPTH)
    panels: list[Panel] = []

    def result() -> TransportResult:
        return TransportResult(request, target, source, tuple(panels), tuple(notes), clock.seconds, False)

    for number, (method, said, variant) in enumerate(plan):
        panel = Panel(f"{method.name}{number}", method, said, None, _law(method, variant, target))
        for moment in _moved(method, variant, target, noise):
            if isinstance(moment, Motion):
                panels.append(replace(panel, motion=moment))
            elif isinstance(moment, str):
                panels.append(replace(panel, error=moment))
            elif clock.passed(_PROGRESS_EVERY):
                yield Progress(panel.label, (number + moment) / len(plan), clock.seconds)
        if number + 1 < len(plan) and clock.seconds > _PATIENCE:
            yield result()
    yield result()


def measured(result: TransportResult) -> Iterator[Progress | TransportResult]:
    """Yields :class:`Progress`, the result with the measures of its panels, and last with their distances over time,
    which makes it complete."""
    clock = _Clock(result.seconds)
    panels = list(result.panels)
    reference = next((panel.motion for panel in panels if panel.motion is not None), None)
    for number, panel in enumerate(panels):
        if panel.motion is not None:
            yield Progress(f"Measuring {panel.label}", number / len(panels), clock.seconds)
            panels[number] = replace(panel, measures=measure(panel.motion, panel.law, result.target, reference))
    yield replace(result, panels=tuple(panels), seconds=clock.seconds)
    for number, panel in enumerate(panels):
        if panel.motion is not None:
            yield Progress(f"Distance over time of {panel.label}", number / len(panels), clock.seconds)
            panels[number] = replace(panel, distance=distance_over_time(panel.motion, panel.law))
    yield replace(result, panels=tuple(panels), seconds=clock.seconds, complete=True)


class _Clock:
    """Seconds since the start of a run, and since it last said something."""

    def __init__(self, before: float = 0.0) -> None:
        self._said = time.perf_counter()
        self._began = self._said - before

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def passed(self, seconds: float) -> bool:
        """Whether so long has passed since this was last true."""
        now = time.perf_counter()
        if now - self._said < seconds:
            return False
        self._said = now
        return True


def _law(method: TransportMethod, request: TransportRequest, target: Target) -> ReferenceLaw:
    return reference_law(target, request.trusts(target) if method.guided else ())


def _moved(
    method: TransportMethod, request: TransportRequest, target: Target, noise: SharedNoise
) -> Iterator[float | Motion | str]:
    """Shares done, then the motion, or why there is none. What did not change since an earlier run is not run again."""
    key = MOTIONS.key(method, request)
    known = MOTIONS.get(key)
    if known is not None:
        yield known
        return
    try:
        for moment in method.move(setup_of(request, noise, target)):
            if isinstance(moment, Motion):
                MOTIONS.keep(key, moment)
            yield moment
    except (InvalidValue, RuntimeError, FloatingPointError) as error:
        yield f"{error}"


@dataclass(frozen=True, eq=False)
class Repeated:
    """W2 of every panel to its law for each seed so far, and of as many exact draws to the law: (seeds,) by label."""

    distances: dict[str, NDArray[np.float64]]
    floors: dict[str, NDArray[np.float64]]

    def summary(self) -> dict[str, dict[str, float]]:
        """Median distance, median floor and number of seeds by label."""
        return {
            label: {"w2": float(np.median(values)), "floor": float(np.median(self.floors[label])), "seeds": len(values)}
            for label, values in self.distances.items()
        }


def repeat(request: TransportRequest, seeds: int = 8) -> Iterator[Progress | Repeated]:
    """Run a request again on several seeds and compare all particles: what one run cannot tell, because weights have
    heavy tails. Yields progress, and a :class:`Repeated` after each seed. Nothing of it is kept."""
    clock = _Clock()
    target, _ = target_for(request)
    plan = _plan(request)
    distances: dict[str, list[float]] = {}
    floors: dict[str, list[float]] = {}
    for number in range(seeds):
        seed = request.seed + number
        noise = SharedNoise([seed], 2, request.particles, depth=NOISE_DEPTH)
        for place, (method, said, variant) in enumerate(plan):
            panel = Panel(method.name, method, said, None, _law(method, variant, target))
            again = variant.model_copy(update={"seed": seed})
            for moment in method.move(setup_of(again, noise, target)):
                if not isinstance(moment, Motion):
                    if clock.passed(_PROGRESS_EVERY):
                        done = (number + (place + moment) / len(plan)) / seeds
                        yield Progress(f"Seed {number + 1} of {seeds}, {panel.label}", done, clock.seconds)
                    continue
                distance, floor = distance_and_floor(moment, panel.law, seed)
                distances.setdefault(panel.label, []).append(distance)
                floors.setdefault(panel.label, []).append(floor)
        yield Repeated(
            {label: np.array(values) for label, values in distances.items()},
            {label: np.array(values) for label, values in floors.items()},
        )
