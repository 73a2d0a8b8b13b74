"""Training a two-layer network: its neurons as particles, many of them beside few of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.lagrangian.circle_teachers import TEACHERS
from gensot_demo.transport.lagrangian.particle_network import (
    ANGLES,
    Moment,
    Neurons,
    out_of_reach,
    random_start,
    spread_start,
    train,
    velocity,
)

from ..requests import InvalidRequest
from .moving import FRAMES, Cloud, Falling, LagrangianRequest, Moving, Term
from .neurons_told import short, told
from .presets import NEURONS, Presets

MOST_STEPS = 2000
"""Of Euler's method in a run."""
KINDS = ("adds (v > 0)", "takes away (v < 0)", "changes its sign")
EXAMPLE = "scale=3&narrow=10"
FIRST_STYLE = 2
"""Of the networks: circles and squares are neurons that add and that take away."""
_SEEN = 0.97  # of the wide network's neurons lie in the picture at the end: a few grow far beyond all others
_MOST_RECORDED = 400  # points of a curve


class NeuronsRequest(LagrangianRequest):
    """start: without chance, or drawn with ``seed``.  scale: of the start: small, so that the neurons have to move, or
    large, so that they hardly do.  step: of Euler's method.  learns: which weights do. Link version 1."""

    presets: ClassVar[Presets] = NEURONS

    teacher: Literal["reference", "fold", "many", "four_waves", "three_waves"] = "reference"
    neurons: Annotated[int, Field(ge=20, le=1000)] = 120
    narrow: Annotated[int, Field(ge=2, le=60)] = 4
    scale: Annotated[float, Field(ge=0.05, le=5)] = 0.3
    time: Annotated[float, Field(ge=1, le=100)] = 20.0
    step: Annotated[float, Field(ge=0.01, le=2)] = 0.05
    learns: Literal["both", "inputs", "outputs"] = "both"
    start: Literal["spread", "random"] = "spread"
    seed: Annotated[int, Field(ge=0, le=999_999)] = 0

    @model_validator(mode="after")
    def _narrow_is_narrower(self) -> NeuronsRequest:
        if self.narrow >= self.neurons:
            raise ValueError(
                f"The narrow network has {self.narrow} neurons and the wide one {self.neurons}: the narrow one must "
                "have fewer."
            )
        return self

    @model_validator(mode="after")
    def _step_fits(self) -> NeuronsRequest:
        if self.step > self.time:
            raise ValueError(
                f"A step of {self.step:g} is longer than the whole time {self.time:g}: take a shorter step, or more "
                "time."
            )
        return self

    @model_validator(mode="after")
    def _not_too_many_steps(self) -> NeuronsRequest:
        if self.time / self.step > MOST_STEPS * (1 + 1e-9):
            raise ValueError(
                f"Time {self.time:g} in steps of {self.step:g} is {self.time / self.step:,.0f} steps, and at most "
                f"{MOST_STEPS:,} are made: take a step of {self.time / MOST_STEPS:.2g} or more, or a shorter time."
            )
        return self

    @property
    def steps(self) -> int:
        """Whole steps that fit into the time."""
        return math.floor(self.time / self.step + 1e-9)

    def first_neurons(self, count: int) -> Neurons:
        return spread_start(count, self.scale) if self.start == "spread" else random_start(count, self.scale, self.seed)


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a network says at the data's angles, (DATA,), at a moment; or what it is to say. role: "target", "start",
    "between", "end" or "narrow"."""

    label: str
    role: str
    values: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NeuronsMoving(Moving):
    """angles: of the data, degrees.  fitted: functions of them.  drifts: of |u|^2 - v^2 from its start, the largest of
    all neurons, for each network."""

    angles: NDArray[np.float64] = None
    fitted: tuple[Fitted, ...] = ()
    drifts: tuple[Falling, ...] = ()


def first_view() -> NeuronsRequest:
    """The reference run."""
    return NeuronsRequest()


def run(request: NeuronsRequest) -> NeuronsMoving:
    """Both networks' training. Raises InvalidRequest where it runs away, naming what to lower."""
    wanted = TEACHERS[request.teacher].values
    frames = set(np.linspace(0, request.steps, FRAMES).round().astype(int).tolist())
    moments, losses = [], []
    for moment in learning(request, [request.first_neurons(n) for n in (request.neurons, request.narrow)]):
        losses.append(moment.losses)
        if moment.step in frames:
            moments.append(moment)
    passed = torch.stack(losses).numpy()
    times = request.step * np.array([moment.step for moment in moments], dtype=np.float64)
    labels = tuple(f"{n} neurons" for n in (request.neurons, request.narrow))
    extent = _extent(*(moments[-1].networks[n].places.numpy() for n in range(2)))
    clouds = tuple(_cloud(request, n, labels[n], moments, extent) for n in range(2))
    shown = np.arange(0, len(passed), max(1, len(passed) // _MOST_RECORDED))
    falling = tuple(
        Falling(label, request.step * np.append(shown, request.steps), np.append(passed[shown, n], passed[-1, n]))
        for n, label in enumerate(labels)
    )
    least = out_of_reach(wanted)
    if least > 1e-9:
        falling += (Falling("no network comes below", times[[0, -1]], np.array([least, least])),)
    drifts = tuple(Falling(label, times, _drift(moments, n)) for n, label in enumerate(labels))
    changed = any(bool((cloud.kinds == 2).any()) for cloud in clouds)
    return NeuronsMoving(
        request=request, times=times, time="t", clouds=clouds, kinds=KINDS if changed else KINDS[:2],
        extent=extent, terms=_terms(request), falling=falling, falls="loss, ½ mean (G − y)²", log=True,
        first_style=FIRST_STYLE, told=told(request, passed, moments, drifts, least),
        angles=np.degrees(ANGLES.numpy()), fitted=_fitted(moments, times, wanted.numpy(), labels), drifts=drifts,
    )  # fmt: skip


def learning(request: NeuronsRequest, starts: Sequence[Neurons]):
    """The moments of networks with these starts; raises InvalidRequest where they run away."""
    kept = {"inputs": request.learns != "outputs", "outputs": request.learns != "inputs"}
    try:
        yield from train(starts, TEACHERS[request.teacher].values, request.step, request.steps, **kept)
    except InvalidValue as error:
        raise InvalidRequest(
            f"With steps of {request.step:g} from a start of scale {request.scale:g}, {error} Take a shorter step or a "
            "smaller scale."
        ) from None


def _extent(wide: NDArray, narrow: NDArray) -> tuple[float, float, float, float]:
    """A square that holds the origin, the narrow network, and most of the wide one at the end, (n, 2) each."""
    most = np.quantile(wide, [(1 - _SEEN) / 2, (1 + _SEEN) / 2], axis=0)
    places = np.concatenate([most, narrow, np.zeros((1, 2))])
    low, high = places.min(0), places.max(0)
    centre, half = (low + high) / 2, 0.6 * float((high - low).max()) or 1.0
    return tuple(float(v) for v in (centre[0] - half, centre[0] + half, centre[1] - half, centre[1] + half))


def _cloud(
    request: NeuronsRequest, n: int, label: str, moments: list[Moment], extent: tuple[float, float, float, float]
) -> Cloud:
    learn = {"inputs": request.learns != "outputs", "outputs": request.learns != "inputs"}
    places = torch.stack([moment.networks[n].places for moment in moments])
    speeds = torch.stack([velocity(moment.networks[n], moment.pulls[n], **learn) for moment in moments])
    first, last = moments[0].networks[n].v, moments[-1].networks[n].v
    kinds = torch.where(first * last < 0, 2, (first < 0).long())
    ends = f"loss {short(float(moments[0].losses[n]))} → {short(float(moments[-1].losses[n]))}"
    x, y = places[-1].T
    beyond = int(((x < extent[0]) | (x > extent[1]) | (y < extent[2]) | (y > extent[3])).sum())
    ends += f", {beyond} outside" if beyond else ""
    return Cloud(
        f"network-{n}", label, places.float().numpy(), speeds.float().numpy(), kinds.numpy(), ends,
        _rays(request, extent),
    )  # fmt: skip


def _rays(request: NeuronsRequest, extent: tuple[float, float, float, float]) -> NDArray[np.float64] | None:
    """The directions of the teacher's neurons, as one line through the origin again and again."""
    directions = TEACHERS[request.teacher].neurons
    if not len(directions):
        return None
    tips = 2 * (extent[1] - extent[0]) * torch.nn.functional.normalize(directions, dim=-1)
    return torch.stack([torch.zeros_like(tips), tips, torch.zeros_like(tips)], 1).reshape(-1, 2).numpy()


def _drift(moments: list[Moment], n: int) -> NDArray[np.float64]:
    kept = torch.stack([m.networks[n].u.square().sum(-1) - m.networks[n].v.square() for m in moments])
    return (kept - kept[0]).abs().amax(-1).numpy()


def _fitted(moments: list[Moment], times: NDArray, wanted: NDArray, labels: tuple[str, ...]) -> tuple[Fitted, ...]:
    losses = [float(moment.losses[0]) for moment in moments]
    half = next((n for n, loss in enumerate(losses) if loss <= losses[0] / 2), len(moments) // 2)
    half = min(half, len(moments) - 2) or len(moments) // 2
    return (
        Fitted("to learn: y", "target", wanted),
        Fitted(f"{labels[0]}, t = 0", "start", moments[0].outputs[0].numpy()),
        Fitted(f"{labels[0]}, t = {times[half]:.3g}", "between", moments[half].outputs[0].numpy()),
        Fitted(f"{labels[0]}, t = {times[-1]:.3g}", "end", moments[-1].outputs[0].numpy()),
        Fitted(f"{labels[1]}, t = {times[-1]:.3g}", "narrow", moments[-1].outputs[1].numpy()),
    )


def _terms(request: NeuronsRequest) -> tuple[Term, ...]:
    return (
        Term(
            "−|vᵢ| E[ r vᵢ 1{uᵢ·z > 0} z ]",
            "the input weights uᵢ learn: a neuron turns towards the data that it sees where its help is wanted, away "
            "from those where it does harm",
            active=request.learns != "outputs",
        ),
        Term(
            "− sign(vᵢ) E[ r relu(uᵢ·z) ] uᵢ",
            "the output weight vᵢ learns: along its own ray, outwards where the neuron helps, inwards where it harms",
            active=request.learns != "inputs",
        ),
        Term(
            "with r = G − y",
            "the error at each data point z is made by all neurons together, so the velocity depends on the whole "
            "cloud α: they know of one another through r alone",
        ),
    )
