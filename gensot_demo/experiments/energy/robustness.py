"""What a wrong start costs: a request, and its answer on a line, where the speed-accuracy relation is a closed form.

The plane is in :mod:`.robustness_plane`, pictures in :mod:`.robustness_pictures`: there a start is wrong along an axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from gensot_demo.transport.data_separation import separation_of_mixture, standardised_mixture
from gensot_demo.transport.kinetic_optimal import KineticOptimalPath
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.one_dimension import (
    LAW,
    densities,
    displacement,
    line_mixture,
    normal_quantiles,
    normal_scores,
    velocity,
)
from gensot_demo.transport.paths import CondOTPath, CosinePath, SchedulePath, VPLinearPath
from gensot_demo.transport.perturbed_start import (
    FARTHEST_SHIFT,
    WIDEST_UNIFORM,
    DrawnStart,
    GaussianStart,
    UniformStart,
    WrongStart,
)
from gensot_demo.transport.speed_accuracy import Relation
from gensot_demo.transport.speed_accuracy_line import relation_on_line
from gensot_demo.transport.targets import TARGETS

from .. import limits
from ..requests import one_of

SCHEDULES = {
    "cosine": "Cosine",
    "condot": "CondOT",
    "vp": "VP-linear",
    "ko": "Kinetic-optimal",
    "ot": "Optimal transport",
}
STARTS = {
    "shift": "Shifted mean",
    "spread": "Another variance",
    "modes": "Two modes",
    "uniform": "Uniform",
    "drawn": "Drawn by hand",
}
LAWS = {
    "reference": "Two modes at ±0.6, as in the paper",
    "uneven": "Two uneven modes",
    "three": "Three modes",
    "needles": "Two narrow peaks",
}
BACKBONES = {"truth": "Ten classes of emoji, exact", "collection": "All emoji, exact", "network": "Emoji network"}
_EDGE = 1e-6
_ROWS = 241
_SCORES = 801
_BASE_ROWS = 61
MOST_POINTS = 60

_OF_THE_START = ("start", "shift", "spread", "apart", "width", "half_width", "points")

Knot = tuple[
    Annotated[float, Field(ge=-6, le=6, allow_inf_nan=False)],
    Annotated[float, Field(ge=-6, le=20, allow_inf_nan=False)],
]


class RobustnessRequest(BaseModel):
    """A wrong start, the laws it is led to, and what else is asked. Version 1 of the link format.

    law: on the line.  start: in what way it is wrong, with shift, spread (a standard deviation), apart and width (of
    two modes), half_width (of the uniform one) or points (of a drawn density ratio); only what counts is kept.
    target: in the plane.  angle: direction of the wrong axis there, degrees.  turn: omega, radians per unit time.
    euler: steps of the rotated flow.  backbone, particles, steps, seed: of the pictures.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    law: str = "reference"
    start: str = "shift"
    shift: Annotated[float, Field(ge=-FARTHEST_SHIFT, le=FARTHEST_SHIFT, title="Shift")] = 1.0
    spread: Annotated[float, Field(ge=0.2, le=2.0, title="Spread")] = 0.6
    apart: Annotated[float, Field(ge=0.0, le=2.5, title="Apart")] = 1.0
    width: Annotated[float, Field(ge=0.2, le=1.6, title="Width")] = 0.5
    half_width: Annotated[float, Field(ge=0.2, le=WIDEST_UNIFORM, title="Half width")] = 1.5
    points: tuple[Knot, ...] = Field((), max_length=MOST_POINTS)
    target: str = "two_modes"
    angle: Annotated[float, Field(ge=0, le=180, title="Angle")] = 0.0
    turn: Annotated[float, Field(ge=0, le=6, title="Turn")] = 2.0
    euler: Annotated[int, Field(ge=5, le=100, title="Euler")] = 20
    backbone: str = "truth"
    particles: Annotated[int, Field(ge=50, le=400, title="Particles")] = 200
    steps: Annotated[int, Field(ge=4, le=40, title="Steps")] = 16
    seed: Annotated[int, Field(ge=0, le=limits.MAX_SEED, title="Seed")] = 7

    @field_validator("law")
    @classmethod
    def _a_law(cls, name: str) -> str:
        return one_of("law", name, LAWS)

    @field_validator("start")
    @classmethod
    def _a_start(cls, name: str) -> str:
        return one_of("start", name, STARTS)

    @field_validator("target")
    @classmethod
    def _a_target(cls, name: str) -> str:
        return one_of("target", name, TARGETS)

    @field_validator("backbone")
    @classmethod
    def _a_backbone(cls, name: str) -> str:
        return one_of("model", name, BACKBONES)

    @model_validator(mode="after")
    def _only_what_counts(self) -> RobustnessRequest:
        """What plays no part goes back to its default: equal requests compare equal. A drawn start must be a law."""
        counts = {"shift": {"shift"}, "spread": {"spread"}, "modes": {"apart", "width"}, "uniform": {"half_width"}}
        kept = counts.get(self.start, {"points"})
        for name in _OF_THE_START[1:]:
            if name not in kept:
                object.__setattr__(self, name, type(self).model_fields[name].default)
        self.wrong_start()
        return self

    def only(self, *names: str) -> RobustnessRequest:
        """The same wrong start, with these other fields as they are and the rest at their defaults."""
        return type(self)(**{name: getattr(self, name) for name in (*_OF_THE_START, *names)})

    def wrong_start(self) -> WrongStart:
        """The law to start from; raises InvalidValue with a sentence for a drawn one that is none."""
        match self.start:
            case "shift":
                return GaussianStart([self.shift], [1.0])
            case "spread":
                return GaussianStart([0.0], [self.spread])
            case "modes":
                return GaussianStart([-self.apart, self.apart], [self.width] * 2, [1, 1])
            case "uniform":
                return UniformStart(self.half_width)
        return DrawnStart(self.points)

    @property
    def in_words(self) -> str:
        """What is wrong with the start, as an object of "starts from"."""
        match self.start:
            case "shift":
                return f"a normal law with mean {self.shift:g} instead of 0"
            case "spread":
                return f"a normal law with standard deviation {self.spread:g} instead of 1"
            case "modes":
                return f"two modes at ±{self.apart:g} of standard deviation {self.width:g}"
            case "uniform":
                return f"a uniform law from {-self.half_width:g} to {self.half_width:g}"
        return "the law that was drawn"


@lru_cache(maxsize=len(LAWS))
def law_on_line(name: str) -> GaussianMixture:
    """One of :data:`LAWS`: the reference as it is, the others centred and of variance 1."""
    if name == "reference":
        return line_mixture([0.5, 0.5], [-0.6, 0.6], [0.3, 0.3])
    parts = {
        "uneven": ([0.25, 0.75], [-1.6, 0.6], [0.25, 0.4]),
        "three": ([0.3, 0.4, 0.3], [-1.5, 0.0, 1.5], [0.2, 0.2, 0.2]),
        "needles": ([0.5, 0.5], [-1.0, 1.0], [0.06, 0.06]),
    }
    return standardised_mixture(line_mixture(*parts[name]))


def schedules_of(law: GaussianMixture) -> dict[str, SchedulePath]:
    """The schedules that can be compared on a law; the kinetic-optimal one is known for data of variance 1, of more
    than one mode: the flow to N(0, I) itself has nothing to do."""
    paths: dict[str, SchedulePath] = {"cosine": CosinePath(), "condot": CondOTPath(), "vp": VPLinearPath()}
    standard = abs(law.covariance_trace() / law.dimension - 1) < 1e-6
    if standard and len(law.means) > 1:
        paths["ko"] = KineticOptimalPath(separation_of_mixture(law))
    return paths


@dataclass(frozen=True, eq=False)
class LineFlow:
    """A law on the line and what every schedule does with it: t (T,), quantiles and velocities (T, n) by schedule at
    the levels of ``scores``, in the order of :data:`SCHEDULES`. floor: W2^2 between noise and data."""

    law: GaussianMixture
    scores: tuple[torch.Tensor, torch.Tensor]
    t: torch.Tensor
    quantiles: dict[str, torch.Tensor]
    velocities: dict[str, torch.Tensor]
    floor: float


@lru_cache(maxsize=len(LAWS))
def line_flow(name: str) -> LineFlow:
    """All schedules of a law; a second or two, once.

    They share one flow map: on the circle a = sin theta, m = cos theta it is solved once, by exact quantiles with their
    exact slopes, and read between by cubic Hermite interpolation in theta.
    """
    from scipy.interpolate import CubicHermiteSpline

    law, scores = law_on_line(name), normal_scores(_SCORES)
    angles = torch.linspace(0, 1, _BASE_ROWS, dtype=torch.float64)  # in units of pi/2: the time of the cosine path
    circle = CosinePath().at(angles)
    at_angles = normal_quantiles(law, circle, scores[0])
    spline = CubicHermiteSpline(angles.numpy(), at_angles.numpy(), velocity(law, circle, at_angles).numpy())
    t = torch.linspace(_EDGE, 1 - _EDGE, _ROWS, dtype=torch.float64)
    quantiles, velocities = {}, {}
    for key, path in schedules_of(law).items():
        points = path.at(t)
        theta = torch.atan2(points.a, points.m) / (0.5 * math.pi)
        quantiles[key] = torch.hypot(points.a, points.m)[:, None] * torch.from_numpy(spline(theta.numpy()))
        velocities[key] = velocity(law, points, quantiles[key])
    first, last = scores[0], normal_quantiles(law, LAW, scores[0])[0]
    quantiles["ot"] = displacement(first, last, t)
    velocities["ot"] = (last - first).expand(len(t), -1)
    return LineFlow(law, scores, t, quantiles, velocities, float((last - first).square() @ scores[1]))


@dataclass(frozen=True, eq=False)
class Densities:
    """True and wrong density (n,) at places x (n,), at the start and at the end, data units."""

    x: NDArray[np.float64]
    true: NDArray[np.float64]
    wrong: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LineResult:
    """relations: by schedule, in the order of :data:`SCHEDULES`.  floor: W2^2 / tau, which no c2 is below."""

    request: RobustnessRequest
    relations: dict[str, Relation]
    floor: float
    start: Densities
    end: Densities

    @property
    def start_error(self) -> float:
        return next(iter(self.relations.values())).start_error


def on_line(request: RobustnessRequest) -> LineResult:
    """The relation of every schedule, in closed form; some milliseconds once the law's flow is known."""
    flow, wrong = line_flow(request.law), request.wrong_start()
    relations = {
        key: relation_on_line(flow.t, flow.scores, flow.quantiles[key], flow.velocities[key], wrong)
        for key in SCHEDULES
        if key in flow.quantiles
    }
    x0, x1 = flow.scores[0], flow.quantiles["ot"][-1]
    ratio = wrong.ratio(x0)  # a flow on the line carries it along
    normal = torch.exp(-0.5 * x0**2) / math.sqrt(2 * math.pi)
    data = densities(flow.law, LAW, x1)[0]
    start = Densities(x0.numpy(), normal.numpy(), (ratio * normal).numpy())
    return LineResult(
        request, relations, flow.floor, start, Densities(x1.numpy(), data.numpy(), (ratio * data).numpy())
    )
