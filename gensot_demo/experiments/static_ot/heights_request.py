"""What the solver is asked: points in the plane, or a set of pictures. Frozen, validated, picklable."""

from __future__ import annotations

import math
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from torch import Tensor

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.static_ot.flow_cells import centred, least_distance
from gensot_demo.transport.static_ot.semi_discrete import valid_points

from .. import limits
from ..requests import InvalidRequest
from .picture_sets import NETWORK, picture_set
from .point_sets import EIGHT_POINTS

MOST_NUMBER = 200
FARTHEST = 10.0
CLOSEST = 1e-4  # distance of two points in units of their spread; nearer, cells are thinner than arithmetic can tell
SETS = {
    "eight": "Eight points",
    "octagon": "Octagon",
    "line": "Seven on a line",
    "random": "Drawn at random",
    "own": "Your own",
}


class PlaneRequest(BaseModel):
    """Points in the plane, and how exact the ascent is to be.

    number, seed: of points drawn N(0, I) for ``random``; the seed also draws the noise of the ascent.  own: points for
    ``own``, two numbers from -10 to 10 each, no two nearer than ``CLOSEST`` standard deviations.  tolerance: total
    variation between masses and weights.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    points: Literal["eight", "octagon", "line", "random", "own"] = "eight"
    number: int = Field(40, ge=1, le=MOST_NUMBER)
    own: tuple[tuple[float, float], ...] = Field((), max_length=MOST_NUMBER)
    tolerance: float = Field(0.01, ge=0.002, le=0.3)
    seed: int = Field(0, ge=0, le=limits.MAX_SEED)

    @field_validator("own", mode="before")
    @classmethod
    def _pairs(cls, own: object) -> object:
        if isinstance(own, (tuple, list)) and len(own) > MOST_NUMBER:
            raise ValueError(f"Your own points: {len(own)} given, at most {MOST_NUMBER} allowed.")
        if isinstance(own, (tuple, list)) and any(not isinstance(p, (tuple, list)) or len(p) != 2 for p in own):
            raise ValueError("Each of your own points is two numbers with a comma between, as 1.2,-0.5.")
        return own

    @model_validator(mode="after")
    def _places(self) -> PlaneRequest:
        for n, place in enumerate(self.own, 1):
            if not all(-FARTHEST <= number <= FARTHEST for number in place):
                raise ValueError(
                    f"Your point {n} is {place[0]:g},{place[1]:g}; both numbers must be finite and from -10 to 10."
                )
        if self.points == "own" and not self.own:
            raise ValueError("There are no points of your own: write some, as 1,0; -1,0.5; 0,-1.")
        try:
            places = valid_points(self.places())[0]
            if self.points == "own":
                least_distance(centred(places), CLOSEST, places)
        except InvalidValue as error:
            raise ValueError(str(error)) from None
        return self

    @model_validator(mode="after")
    def _only_what_counts(self) -> PlaneRequest:
        """What plays no part is left out: equal choices compare equal."""
        for name, counts in (("number", "random"), ("own", "own")):
            if self.points != counts:
                object.__setattr__(self, name, type(self).model_fields[name].default)
        return self

    def places(self) -> Tensor:
        """The points (n, 2), float64."""
        if self.points == "eight":
            return torch.tensor(EIGHT_POINTS, dtype=torch.float64)
        if self.points == "octagon":
            turn = torch.arange(8, dtype=torch.float64) * math.pi / 4
            return 1.5 * torch.stack([turn.cos(), turn.sin()], 1)
        if self.points == "line":
            along = torch.linspace(-1.8, 1.8, 7, dtype=torch.float64)
            return torch.stack([along, 0.5 * along], 1)
        if self.points == "own":
            return torch.tensor(self.own, dtype=torch.float64)
        generator = torch.Generator().manual_seed(self.seed)
        return torch.randn(self.number, 2, generator=generator, dtype=torch.float64)


class PicturesRequest(BaseModel):
    """A set of pictures, and how exact its ascent is to be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pictures: str = Field(f"{NETWORK}/faces", min_length=1, max_length=80)
    tolerance: float = Field(0.05, ge=0.005, le=0.5)
    seed: int = Field(0, ge=0, le=limits.MAX_SEED)

    @field_validator("pictures")
    @classmethod
    def _known(cls, key: str) -> str:
        try:
            return picture_set(key).key
        except InvalidRequest as error:
            raise ValueError(str(error)) from None
