"""Learn a guide from a teacher: the request, the solve by linear least squares, and tuning of stiffness and timing.

Case B of Chertkov, arXiv 2512.11859 (docs/FORMULAS.md 1.5); the papers simulate and descend, here one system is solved.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from gensot_demo.experiments.requests import one_of
from gensot_demo.transport.harmonic import Protocol
from gensot_demo.transport.navigation.corridor import Corridor, Curve, drawn_teacher, switching_teacher
from gensot_demo.transport.navigation.learning import Cost, Penalties, Tracking
from gensot_demo.transport.navigation.tuning import Tuned, tuned_stiffness, tuned_timing
from gensot_demo.transport.targets import FARTHEST, TARGETS, Target, named_target

from .passage import Density, Passage, curve_of, density_of, passage_of, shown_times

MOST_POINTS = 200
TUNING_STEPS = 60

Number = Annotated[float, Field(allow_inf_nan=False)]


class TeacherRequest(BaseModel):
    """Learn the guide that makes a process follow a teacher, on its way from the origin to a target. Link version 1.

    points: a drawn teacher, from the origin to the target's mean, followed at constant speed; without any the teacher
    switches from one side of the straight way to the other.  amplitude, steepness: of the switching teacher.
    regularisation: lambda of lambda sum |nu_k - teacher_k|^2, which keeps the guide near the teacher.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: str = "two_modes"
    points: tuple[tuple[Number, Number], ...] = Field((), max_length=MOST_POINTS, repr=False)
    amplitude: Annotated[float, Field(ge=-4, le=4, title="Amplitude")] = 2.0
    steepness: Annotated[float, Field(ge=0.5, le=20, title="Steepness")] = 6.0
    stiffness: Annotated[float, Field(ge=1, le=500, title="Stiffness")] = 20.0
    pieces: Annotated[int, Field(ge=2, le=60, title="Pieces")] = 50
    regularisation: Annotated[float, Field(ge=0, le=100, title="Regularisation")] = 1e-3

    @field_validator("target")
    @classmethod
    def _known_target(cls, name: str) -> str:
        return one_of("target", name, TARGETS)

    @field_validator("points")
    @classmethod
    def _in_reach(cls, places: tuple) -> tuple:
        if len(places) == 1:
            raise ValueError("the teacher has 1 point; draw a line of at least 2.")
        for x, y in places:
            if max(abs(x), abs(y)) > FARTHEST:
                raise ValueError(
                    f"the teacher passes ({x:g}, {y:g}); coordinates go from -{FARTHEST:g} to {FARTHEST:g}."
                )
        return places


@dataclass(frozen=True, eq=False)
class Sideways:
    """Offsets to the left of the straight way, in data units: teacher, naive and learnt mean (T,), guide (K,)."""

    teacher: NDArray[np.float64]
    naive: NDArray[np.float64]
    learnt: NDArray[np.float64]
    guide: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TeacherResult:
    """teacher (T, 2) at the passage's times.  learnt, naive: with the learnt guide, and with the teacher as its guide.
    after, before: what both cost, the regularisation among it.
    sideways: the same, as offsets to the left of the straight way, over time.
    bend: how far the teacher leaves the straight way, at most.  swing: how far the guide does, over that.
    quickness: (2 pi f)^2 of the teacher's bend d, int |d'|^2 / int |d|^2.  seconds: of the solve alone."""

    request: TeacherRequest
    target: Target
    density: Density
    teacher: NDArray[np.float64]
    naive: Passage
    learnt: Passage
    sideways: Sideways
    before: Cost
    after: Cost
    bend: float
    swing: float
    quickness: float
    seconds: float

    def stray(self, cost: Cost) -> float:
        """Root mean square distance of the process's mean from the teacher, in data units."""
        return math.sqrt(2 * cost.following / self.request.stiffness)

    @property
    def gain(self) -> float:
        """B / (B + (2 pi f)^2): how much of such a swing a corridor passes on (docs/FORMULAS.md 1.4)."""
        return self.request.stiffness / (self.request.stiffness + self.quickness)


def teacher_of(request: TeacherRequest, target: Target) -> Curve:
    """The teacher's curve: drawn, or switching sides."""
    if request.points:
        return drawn_teacher(torch.tensor(request.points))
    way = Corridor(torch.zeros(2, dtype=torch.float64), target.mixture.mean())
    return switching_teacher(way, request.amplitude, request.steepness)


def tracking_of(request: TeacherRequest, target: Target) -> Tracking:
    """The objective (1/2) int beta E|x - teacher|^2 dt + lambda sum |nu_k - teacher_k|^2, from the teacher as guide."""
    law, curve = target.mixture, teacher_of(request, target)
    middles = (torch.arange(request.pieces, dtype=torch.float64) + 0.5) / request.pieces
    places = curve(middles)
    stiffness = torch.full((request.pieces,), request.stiffness, dtype=torch.float64)
    protocol = Protocol(stiffness, places, torch.zeros(2, dtype=torch.float64))
    penalties = Penalties(near=request.regularisation, places=places)
    return Tracking(protocol, law.mean(), law.covariance_trace(), [curve], weighted=True, penalties=penalties)


def learn(request: TeacherRequest) -> TeacherResult:
    """Solve for the guide."""
    target = named_target(request.target)
    began = time.perf_counter()
    tracking = tracking_of(request, target)
    learnt = tracking.learnt()
    seconds = time.perf_counter() - began
    end, t = target.mixture.mean(), shown_times()
    teacher = tracking.teachers[0](t)
    bent = teacher - t[:, None] * end
    middles = (tracking.protocol.knots[1:] + tracking.protocol.knots[:-1]) / 2
    bend = float(bent.norm(dim=1).max())
    swing = float((learnt.guide - middles[:, None] * end).norm(dim=1).max())
    quickness = bent.diff(dim=0).square().sum() * (len(t) - 1) ** 2 / bent.square().sum().clamp(min=1e-12)
    naive_passage, learnt_passage = passage_of(tracking.protocol, end), passage_of(learnt, end)
    left = Corridor(torch.zeros_like(end), end).normal.numpy()
    shown = (curve_of(teacher), naive_passage.mean, learnt_passage.mean, learnt_passage.guide)
    return TeacherResult(
        request=request,
        target=target,
        density=density_of(target.mixture),
        teacher=curve_of(teacher),
        naive=naive_passage,
        learnt=learnt_passage,
        sideways=Sideways(*(places @ left for places in shown)),
        before=tracking.cost(),
        after=tracking.cost(learnt),
        bend=bend,
        swing=swing / max(bend, 1e-9),
        quickness=float(quickness),
        seconds=seconds,
    )


@dataclass(frozen=True, eq=False)
class TuningMoment:
    """One step of tuning. profile (K,): stiffness of each piece, or the share of the way covered by the end of it.
    objectives: of every step so far: for stiffness the mean squared distance from the teacher, halved, and the
    regularisation; for timing the optimal cost in nats, up to the law's entropy.  passage: of this step's protocol."""

    what: str
    step: int
    steps: int
    profile: NDArray[np.float64]
    objectives: tuple[float, ...]
    passage: Passage
    seconds: float

    @property
    def done(self) -> float:
        return self.step / self.steps


def tune(
    request: TeacherRequest, what: Literal["stiffness", "timing"], steps: int = TUNING_STEPS
) -> Iterator[TuningMoment]:
    """Tune where to be stiff, or when to be where along the teacher, by gradient through the closed forms; yields each
    step. The last one is the best one. Stiffness does not weigh the distance here: it would gain by not caring."""
    target = named_target(request.target)
    tracking, mean = tracking_of(request, target), target.mixture.mean()
    began = time.perf_counter()
    objectives: list[float] = []
    if what == "stiffness":
        moments = tuned_stiffness(replace(tracking, weighted=False), steps)
    else:
        moments = tuned_timing(tracking.protocol, tracking.teachers[0], mean, tracking.trace, steps)
    for found in moments:
        objectives.append(found.objective)
        yield TuningMoment(
            what, found.step, steps, _profile(found, what), tuple(objectives), passage_of(found.protocol, mean),
            time.perf_counter() - began,
        )  # fmt: skip


def _profile(found: Tuned, what: str) -> NDArray[np.float64]:
    return (found.protocol.stiffness if what == "stiffness" else found.shares.cumsum(0)).detach().numpy()
