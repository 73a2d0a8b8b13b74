"""The request of "Cells": which points, how long the noising took, whose ways are shown."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from gensot_demo.experiments import limits
from gensot_demo.experiments.requests import one_of
from gensot_demo.transport.targets import FARTHEST

EIGHT, RANDOM, DRAWN = "eight", "random", "drawn"
DATA = (EIGHT, "octagon", "grid", "collinear", "moons", "spiral", RANDOM, DRAWN)
MOST_POINTS = 32

Number = Annotated[float, Field(allow_inf_nan=False)]


class CellsRequest(BaseModel):
    """Noise to points by Brenier's map and by the diffusion flow from time T. Version 1 of the link format.

    data: a named set, ``count`` draws of N(0, I) from ``seed``, or ``points`` of one's own.  time: T of
    x_T = e^{-T} y + sqrt(1 - e^{-2T}) noise.  tracers: noise anywhere, or only where the two maps disagree.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str = EIGHT
    points: tuple[tuple[Number, Number], ...] = Field((), max_length=MOST_POINTS, repr=False)
    count: Annotated[int, Field(ge=2, le=MOST_POINTS, title="Points n")] = 12
    seed: Annotated[int, Field(ge=0, le=limits.MAX_SEED, title="Seed")] = 0
    time: Annotated[float, Field(ge=0.1, le=6, title="Time T")] = 4.0
    tracers: Literal["anywhere", "disagreement"] = "anywhere"

    @field_validator("data")
    @classmethod
    def _known_data(cls, name: str) -> str:
        return one_of("data", name, DATA)

    @field_validator("points")
    @classmethod
    def _in_reach(cls, places: tuple) -> tuple:
        for x, y in places:
            if max(abs(x), abs(y)) > FARTHEST:
                raise ValueError(f"a point is at ({x:g}, {y:g}); coordinates go from -{FARTHEST:g} to {FARTHEST:g}.")
        return places

    @model_validator(mode="after")
    def _only_what_counts(self) -> CellsRequest:
        """What plays no part is left out: equal choices compare equal."""
        plain = type(self).model_fields
        if self.data != RANDOM:
            object.__setattr__(self, "count", plain["count"].default)
            object.__setattr__(self, "seed", plain["seed"].default)
        if self.data != DRAWN:
            object.__setattr__(self, "points", ())
        elif len(self.points) < 2:
            found = "no points are drawn" if not self.points else "one point is drawn: all noise goes there by any map"
            raise ValueError(f"{found}. Draw two to {MOST_POINTS} points in different places.")
        return self
