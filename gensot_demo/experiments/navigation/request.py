"""The request of a navigation: a target, a guide, its stiffness and temperature. Frozen, validated, picklable."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any

import torch
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from torch import Tensor

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.guides import SHAPES, drawn_protocol, guide_curve, guided_protocol, smooth_curve
from gensot_demo.transport.navigation.clock import Clocked, clocked
from gensot_demo.transport.targets import FARTHEST, TARGETS, Target, named_target, target_of_modes

from .. import limits
from ..requests import InvalidRequest, one_of

DRAWN = ("knots", "curve", "pieces")
GUIDES = (*SHAPES, *DRAWN)
MOST_PIECES = 200
MOST_MODES = 12
MOST_KNOTS = 24
STIFFEST = 1000.0
COLDEST, HOTTEST = 0.1, 4.0

Number = Annotated[float, Field(allow_inf_nan=False)]
Place = tuple[Number, Number]
Warmth = Annotated[float, Field(allow_inf_nan=False, ge=COLDEST, le=HOTTEST)]


class ProtocolRequest(BaseModel):
    """A protocol in the plane and the law at its end.

    target: a named one, or "modes" with ``modes`` (x, y, standard deviation, weight).  shape: a template, or "knots"
    (a smooth curve from the start through ``knots`` to the target's mean), "curve" (a freehand ``guide``), both
    followed at constant speed, or "pieces" (``guide`` holds one place for every piece).  stiffness, temperature: one
    number, or several, each for an equal share of the pieces.  times: knots of the pieces, for "pieces" only; else the
    pieces are equally long.  steps, particles, seed: of the cloud.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: str = "two_modes"
    modes: tuple[tuple[Number, Number, Number, Number], ...] = Field((), max_length=MOST_MODES)
    start: Place = (0.0, 0.0)
    shape: str = "S"
    amplitude: Annotated[float, Field(ge=0, le=4, allow_inf_nan=False, title="Amplitude")] = 1.5
    knots: tuple[Place, ...] = Field((), max_length=MOST_KNOTS)
    guide: tuple[Place, ...] = Field((), max_length=MOST_PIECES, repr=False)
    stiffness: tuple[Number, ...] = Field((20.0,), min_length=1, max_length=MOST_PIECES)
    temperature: tuple[Warmth, ...] = Field((1.0,), min_length=1, max_length=MOST_PIECES)
    pieces: Annotated[int, Field(ge=2, le=MOST_PIECES, title="Pieces")] = 20
    times: tuple[Number, ...] = Field((), max_length=MOST_PIECES + 1, repr=False)
    steps: Annotated[int, Field(ge=10, le=500, title="Steps")] = 100
    particles: Annotated[int, Field(ge=50, le=4000, title="Particles")] = 2000
    seed: Annotated[int, Field(ge=0, le=limits.MAX_SEED, title="Seed")] = 7

    @field_validator("stiffness", "temperature", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, int | float) and not isinstance(value, bool) else value

    @field_validator("target")
    @classmethod
    def _known_target(cls, name: str) -> str:
        return one_of("target", name, (*TARGETS, "modes"))

    @field_validator("shape")
    @classmethod
    def _known_shape(cls, name: str) -> str:
        return one_of("guide", name, GUIDES)

    @field_validator("stiffness")
    @classmethod
    def _not_focusing(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        for value in values:
            if value < 0:
                raise ValueError(
                    f"Stiffness is {value:g}; it must be from 0 to {STIFFEST:g}. Below 0 the guide would push away; at "
                    "minus pi squared over the temperature the tube reaches its conjugate point: all ways through it "
                    "focus there, and beyond it no law of the path exists."
                )
            if value > STIFFEST:
                raise ValueError(f"Stiffness is {value:g}; it must be from 0 to {STIFFEST:g}.")
        return values

    @field_validator("guide", "knots")
    @classmethod
    def _in_reach(cls, places: tuple[Place, ...]) -> tuple[Place, ...]:
        for place in places:
            _reached("the guide passes", place)
        return places

    @field_validator("start")
    @classmethod
    def _start_in_reach(cls, place: Place) -> Place:
        return _reached("the start is", place)

    @model_validator(mode="after")
    def _fits_together(self) -> ProtocolRequest:
        if self.target == "modes" and not self.modes:
            raise ValueError("The drawing is empty: add at least one mode, or choose a target.")
        if self.shape == "curve" and not self.guide:
            raise ValueError("No guide is drawn: draw one, or choose a template.")
        if self.shape == "pieces" and len(self.guide) != self.pieces:
            raise ValueError(f"The guide has {len(self.guide)} places for {self.pieces} pieces; it must have as many.")
        for name in ("stiffness", "temperature"):
            given = len(getattr(self, name))
            if given > self.pieces:
                raise ValueError(f"{name.capitalize()} has {given} values for {self.pieces} pieces; at most as many.")
        if self.times:
            if self.shape != "pieces" or len(self.times) != self.pieces + 1:
                raise ValueError(f"The times are {len(self.times)}; {self.pieces} pieces of a guide have one more.")
            rising = all(math.ulp(1.0) * 4 < after - before for before, after in pairwise(self.times))
            if self.times[0] != 0 or self.times[-1] != 1 or not rising:
                raise ValueError("The times must rise from 0 to 1.")
        return self

    def law(self) -> tuple[Target, list[str]]:
        """The target, and notes on how it was read; raises InvalidRequest."""
        try:
            target, notes = _drawn_law(self.modes) if self.target == "modes" else (named_target(self.target), [])
            return target, list(notes)
        except InvalidValue as error:
            raise InvalidRequest(str(error)[0].upper() + str(error)[1:]) from None

    def per_piece(self, name: str) -> Tensor:
        """stiffness or temperature of each piece, (K,)."""
        values = getattr(self, name)
        return torch.tensor([values[k * len(values) // self.pieces] for k in range(self.pieces)], dtype=torch.float64)

    def course(self, end: Tensor) -> Clocked:
        """The protocol towards a target of mean ``end`` (2,)."""
        start = torch.tensor(self.start, dtype=torch.float64)
        times = self.times or torch.linspace(0, 1, self.pieces + 1, dtype=torch.float64)
        return clocked(
            torch.as_tensor(times, dtype=torch.float64),
            self.per_piece("stiffness"),
            self._places(start, end),
            start,
            self.per_piece("temperature"),
        )

    def _places(self, start: Tensor, end: Tensor) -> Tensor:
        """The guide of each piece, (K, 2)."""
        if self.shape in SHAPES and self.times:
            times = torch.tensor(self.times, dtype=torch.float64)
            return start + guide_curve(self.shape, 0.5 * (times[:-1] + times[1:]), end - start, self.amplitude)
        if self.shape in SHAPES:
            return guided_protocol(self.shape, 0.0, end, self.pieces, self.amplitude, start=start).guide
        drawn = torch.tensor(self.guide, dtype=torch.float64).reshape(-1, 2)
        if self.shape == "pieces":
            return drawn
        if self.shape == "knots":
            through = torch.tensor(self.knots, dtype=torch.float64).reshape(-1, 2)
            drawn = smooth_curve(torch.cat([start[None], through, end[None]]))
        return drawn_protocol(drawn, 0.0, start, self.pieces).guide


@lru_cache(maxsize=64)
def _drawn_law(modes: tuple) -> tuple[Target, list[str]]:
    """One target for one drawing, so that what is known of it serves every slider."""
    return target_of_modes(modes)


def _reached(what: str, place: Place) -> Place:
    x, y = place
    if max(abs(x), abs(y)) > FARTHEST:
        raise ValueError(f"{what} ({x:g}, {y:g}); coordinates go from -{FARTHEST:g} to {FARTHEST:g}.")
    return place
