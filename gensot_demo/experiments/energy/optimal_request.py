"""The request of "Kinetic-optimal paths": which data, which random points, which schedule of one's own."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from gensot_demo.experiments import limits
from gensot_demo.experiments.requests import one_of
from gensot_demo.transport.drawn_schedule import DrawnPath
from gensot_demo.transport.targets import FARTHEST, TARGETS

TWO, RANDOM, DRAWN, EMOJI, SMALL_EMOJI = "two_points", "random", "drawn", "emoji", "emoji_32"
DATA = (TWO, *TARGETS, RANDOM, EMOJI, SMALL_EMOJI, DRAWN)
MOST_POINTS = 200
MOST_KNOTS = 24

Number = Annotated[float, Field(allow_inf_nan=False)]
Rows = tuple[tuple[Number, Number], ...]


class OptimalRequest(BaseModel):
    """The cheapest path to some data, and what other paths cost. Version 1 of the link format.

    data: two points +-1 on a line, a named target of the plane, ``count`` draws of N(0, I) in ``dimension``
    dimensions, the emoji collection, or ``points`` of one's own.  schedule: knots (t, share of noise) of a drawn
    schedule, its ends left out; none when empty.  seed: of the random points and of the estimate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str = TWO
    points: Rows = Field((), max_length=MOST_POINTS, repr=False)
    count: Annotated[int, Field(ge=2, le=256, title="Points n")] = 64
    dimension: Annotated[int, Field(ge=1, le=4096, title="Dimensions d")] = 256
    schedule: Rows = Field((), max_length=MOST_KNOTS, repr=False)
    seed: Annotated[int, Field(ge=0, le=limits.MAX_SEED, title="Seed")] = 0

    @field_validator("data")
    @classmethod
    def _known_data(cls, name: str) -> str:
        return one_of("data", name, DATA)

    @field_validator("points")
    @classmethod
    def _in_reach(cls, places: Rows) -> Rows:
        for x, y in places:
            if max(abs(x), abs(y)) > FARTHEST:
                raise ValueError(f"a point is at ({x:g}, {y:g}); coordinates go from -{FARTHEST:g} to {FARTHEST:g}.")
        return places

    @field_validator("schedule")
    @classmethod
    def _falls(cls, knots: Rows) -> Rows:
        if knots:
            DrawnPath.of_noise_share(knots)  # raises a ValueError that says where it turns and what breaks
        return knots

    @model_validator(mode="after")
    def _only_what_counts(self) -> OptimalRequest:
        """Points that play no part are left out: equal choices compare equal."""
        if self.data != DRAWN:
            object.__setattr__(self, "points", ())
        elif len(set(self.points)) < 2:
            found = "no points are drawn" if not self.points else f"all {len(self.points)} points are in one place"
            if len(self.points) == 1:
                found = "one point is drawn"
            raise ValueError(
                f"{found}: such data have no variance, so there is nothing to decide and no unit to measure in. Draw "
                "at least two points in different places."
            )
        return self

    @property
    def own_path(self) -> DrawnPath | None:
        """The drawn schedule, if there is one."""
        return DrawnPath.of_noise_share(self.schedule) if self.schedule else None
