"""Adaptive stiffness: a protocol of few pieces, judged by how far its steps lead from the exact process (AdaPID).

Everything here is closed form (:mod:`gensot_demo.transport.navigation.adaptive`); :mod:`.adaptive_runs` simulates.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from gensot_demo.experiments.requests import one_of
from gensot_demo.transport.diagnostics import order_parameter, speciation_time, velocity_gradient
from gensot_demo.transport.harmonic import HarmonicPath, Protocol
from gensot_demo.transport.navigation.adaptive import (
    LOADS,
    TEMPERATURES,
    InformationCurve,
    Refined,
    information_curve,
    levels_of,
    refine,
)
from gensot_demo.transport.paths import PathPoints
from gensot_demo.transport.targets import Target, named_target

from .. import limits

TARGETS = ("grid", "ring", "two_modes", "three_modes", "four_modes")
"""Those of few components: the information of a law of hundreds takes minutes."""
PIECES = (1, 2, 4, 8)
MOST_PIECES = 8
_SHOWN_TIMES = 121
_FIRST_SHOWN = 1e-3
_KEPT = 24

Pull = Annotated[float, Field(ge=0, le=LOADS[1], allow_inf_nan=False)]


class AdaptiveRequest(BaseModel):
    """A protocol of equal pieces and what it is to be compared with. Version 1 of the link format.

    pulls: stiffness times temperature of each piece, which alone shapes the path in time.  blur: noise left at the end
    of the steps that are judged, a standard deviation in data units.  free: whether refinement chooses the temperature
    too.  particles, seed: of the simulation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: str = "grid"
    steps: Annotated[int, Field(ge=4, le=40, title="Steps")] = 8
    blur: Annotated[float, Field(ge=0.02, le=0.3, title="Blur")] = 0.05
    temperature: Annotated[float, Field(ge=TEMPERATURES[0], le=TEMPERATURES[1], title="Temperature")] = 1.0
    pulls: tuple[Pull, ...] = Field((20.0,), min_length=1, max_length=MOST_PIECES)
    free: bool = True
    particles: Annotated[int, Field(ge=300, le=3000, title="Particles")] = 1500
    seed: Annotated[int, Field(ge=0, le=limits.MAX_SEED, title="Seed")] = 7

    @field_validator("target")
    @classmethod
    def _known(cls, name: str) -> str:
        return one_of("target", name, TARGETS)

    @model_validator(mode="before")
    @classmethod
    def _some_pulls(cls, values: dict) -> dict:
        found = values.get("pulls") if isinstance(values, dict) else None
        if found is not None and not 1 <= len(found) <= MOST_PIECES:
            raise ValueError(f"{len(found)} pieces are given; there must be from 1 to {MOST_PIECES}.")
        for pull in found or ():
            if isinstance(pull, int | float) and not 0 <= pull <= LOADS[1]:
                raise ValueError(
                    f"a piece has stiffness times temperature {pull:g}; it must be from 0 to {LOADS[1]:g}."
                )
        return values

    @property
    def law(self) -> Target:
        return named_target(self.target)

    @property
    def refinement(self) -> tuple:
        """What the refined protocols depend on."""
        return self.target, self.steps, self.blur, None if self.free else self.temperature


@dataclass(frozen=True, eq=False)
class Candidate:
    """A protocol and how far its steps lead from the exact process.

    stiffness (P,), or None for the floor, which is no protocol: the best levels that any schedule could choose.
    levels (steps + 1,): information at each step.  divergence: KL in nats.
    """

    name: str
    label: str
    stiffness: NDArray[np.float64] | None
    temperature: float
    levels: NDArray[np.float64]
    divergence: float


@dataclass(frozen=True, eq=False)
class Motion:
    """A protocol over time, while information is below its last level. t, information, order_parameter,
    velocity_gradient: (T,).  step_times (steps + 1,).  speciation: t_s, the closed form."""

    t: NDArray[np.float64]
    information: NDArray[np.float64]
    order_parameter: NDArray[np.float64]
    velocity_gradient: NDArray[np.float64]
    step_times: NDArray[np.float64]
    speciation: float


@dataclass(frozen=True, eq=False)
class AdaptiveResult:
    """The candidates in their order (none, own, refined, floor) and the motion of each that is a protocol."""

    request: AdaptiveRequest
    candidates: tuple[Candidate, ...]
    motions: dict[str, Motion]

    def candidate(self, name: str) -> Candidate | None:
        return next((one for one in self.candidates if one.name == name), None)

    @property
    def refined(self) -> tuple[Candidate, ...]:
        return tuple(one for one in self.candidates if one.name.startswith("refined"))


@lru_cache(maxsize=_KEPT)
def curve_of(target: str, blur: float) -> InformationCurve:
    """The information curve of a named target: a second or two, once."""
    return information_curve(named_target(target).mixture, blur)


@lru_cache(maxsize=_KEPT)
def _floor(target: str, blur: float, steps: int) -> Candidate:
    curve = curve_of(target, blur)
    levels = curve.best_levels(steps)
    return Candidate("floor", "floor of any schedule", None, 1.0, levels, curve.divergence(levels))


def path_of(target: Target, stiffness: NDArray[np.float64], temperature: float) -> HarmonicPath:
    """The path of a protocol that starts at the target's mean and has its guide there."""
    mean = target.mixture.mean()
    return HarmonicPath(Protocol(torch.as_tensor(stiffness, dtype=torch.float64), mean, mean, temperature))


def judge(request: AdaptiveRequest) -> AdaptiveResult:
    """No stiffness, the protocol asked for, what refinement has found so far for this question, and the floor."""
    curve = curve_of(request.target, request.blur)
    reference = request.temperature if not request.free else 1.0
    own = np.array(request.pulls) / request.temperature
    candidates = [
        _candidate("none", f"no stiffness, temperature {reference:g}", np.zeros(1), reference, request.steps, curve),
        _candidate("own", "your protocol", own, request.temperature, request.steps, curve),
        *(_refined(one) for one in _FOUND.get(request.refinement)),
        _floor(request.target, request.blur, request.steps),
    ]
    motions = {one.name: _motion(request, one, curve) for one in candidates if one.stiffness is not None}
    return AdaptiveResult(request, tuple(candidates), motions)


def _candidate(name: str, label: str, stiffness, temperature: float, steps: int, curve: InformationCurve) -> Candidate:
    levels = levels_of(torch.from_numpy(stiffness), steps, curve.last, temperature)
    return Candidate(name, label, stiffness, temperature, levels, curve.divergence(levels))


def _refined(found: Refined) -> Candidate:
    label = f"best of {found.pieces} piece{'s' if found.pieces > 1 else ''}"
    return Candidate(
        f"refined{found.pieces}", label, found.stiffness.numpy(), found.temperature, found.levels, found.divergence
    )


def grid_of(request: AdaptiveRequest, candidate: Candidate, to_the_end: bool = False) -> PathPoints:
    """The path at the sampler's steps, (steps + 1) rows: equal times of a protocol; of the floor, the times at which a
    path without stiffness is at its levels. to_the_end: one more row at t = 1; the step to it adds no noise, so that a
    particle ends where it is predicted to."""
    path = path_of(
        request.law, np.zeros(1) if candidate.stiffness is None else candidate.stiffness, candidate.temperature
    )
    last = torch.ones(int(to_the_end), dtype=torch.float64)
    if candidate.stiffness is None:
        times = path.times_of_sigma(torch.from_numpy(candidate.levels[1:] ** -0.5))
        return path.at(torch.cat([torch.zeros(1, dtype=torch.float64), times, last]))
    end = float(path.times_of_sigma(torch.tensor([candidate.levels[-1] ** -0.5], dtype=torch.float64))[0])
    return path.at(torch.cat([torch.linspace(0, end, len(candidate.levels), dtype=torch.float64), last]))


def _motion(request: AdaptiveRequest, candidate: Candidate, curve: InformationCurve) -> Motion:
    path, law = path_of(request.law, candidate.stiffness, candidate.temperature), request.law.mixture
    steps = grid_of(request, candidate)
    points = path.at(torch.linspace(_FIRST_SHOWN, float(steps.t[-1]), _SHOWN_TIMES, dtype=torch.float64))
    mmse = torch.from_numpy(np.interp(points.log_K.numpy(), np.log(curve.information), curve.mmse))
    return Motion(
        points.t.numpy(),
        points.log_K.exp().numpy(),
        order_parameter(mmse, law).numpy(),
        velocity_gradient(points, law, mmse).numpy(),
        steps.t.numpy(),
        speciation_time(path, law),
    )


@dataclass(frozen=True)
class Refining:
    """A moment of the refinement: pieces searched next (0: done), the share done, seconds, and the result so far."""

    pieces: int
    done: float
    seconds: float
    result: AdaptiveResult


def refinement(request: AdaptiveRequest) -> Iterator[Refining]:
    """Search 1, 2, 4, 8 pieces, each from the one before; what is found is kept, and a later search goes on from there
    only if it had come to its end. Closing the iterator stops it."""
    began = time.perf_counter()
    if len(_FOUND.get(request.refinement)) < len(PIECES):
        yield Refining(PIECES[0], 0.0, 0.0, judge(request))
        curve, found = curve_of(request.target, request.blur), []
        temperature = request.refinement[-1]
        for one in refine(curve, request.steps, PIECES, temperature):
            found.append(one)
            _FOUND.keep(request.refinement, tuple(found))
            left = PIECES[len(found) :]
            if left:
                yield Refining(
                    left[0], sum(PIECES[: len(found)]) / sum(PIECES), time.perf_counter() - began, judge(request)
                )
    yield Refining(0, 1.0, time.perf_counter() - began, judge(request))


class _Found:
    """Refined protocols by question; bounded, thread-safe."""

    def __init__(self) -> None:
        self._kept: dict[tuple, tuple[Refined, ...]] = {}
        self._guard = Lock()

    def get(self, key: tuple) -> tuple[Refined, ...]:
        with self._guard:
            return self._kept.get(key, ())

    def keep(self, key: tuple, found: tuple[Refined, ...]) -> None:
        with self._guard:
            longest = max(self._kept.pop(key, ()), found, key=len)  # another visitor may have come farther
            self._kept[key] = longest
            while len(self._kept) > _KEPT:
                self._kept.pop(next(iter(self._kept)))


_FOUND = _Found()
