"""What can be asked of the tokens: where they live, the head that moves them, and how they start."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from gensot_demo.transport.lagrangian.attention import Attention

from .moving import LagrangianRequest
from .presets import TOKENS, Presets

EXAMPLE = "space=sphere&beta=16&tokens=128"
MOST_TOKENS = 1000


class TokensRequest(LagrangianRequest):
    """space: gaussian is the plane with Gaussian tokens.  start: random tokens, or the words of a sentence.

    looks: what a token looks for, Q'K before it is turned: what is alike, the opposite, or one coordinate only; ahead:
    degrees by which the query is turned in the first two coordinates.  beta: inverse temperature.  values: V before it
    is scaled and turned by ``turn`` degrees: as it is, with the other sign, or 1 for one coordinate and -1 for the
    others.  depth: time.  spread, ratio, offset: of Gaussian tokens, the standard deviation along x, that along y as a
    share of it, and the mean along x. Link version 1.
    """

    presets: ClassVar[Presets] = TOKENS

    space: Literal["plane", "circle", "sphere", "gaussian"] = "circle"
    start: Literal["random", "sentence"] = "random"
    looks: Literal["alike", "opposite", "first"] = "alike"
    ahead: Annotated[float, Field(ge=-180, le=180)] = 0.0
    beta: Annotated[float, Field(ge=0, le=100)] = 16.0
    values: Literal["forward", "repulsive", "one_direction"] = "forward"
    scale: Annotated[float, Field(ge=0, le=2)] = 1.0
    turn: Annotated[float, Field(ge=-180, le=180)] = 0.0
    tokens: Annotated[int, Field(ge=1, le=MOST_TOKENS)] = 64
    depth: Annotated[float, Field(ge=0.5, le=40)] = 12.0
    spread: Annotated[float, Field(ge=0.1, le=1.5)] = 0.5
    ratio: Annotated[float, Field(ge=0.1, le=1)] = 0.6
    offset: Annotated[float, Field(ge=0, le=1)] = 0.0
    seed: Annotated[int, Field(ge=0, le=999_999)] = 0

    @property
    def dimension(self) -> int:
        return 3 if self.space == "sphere" else 2

    @property
    def normalised(self) -> bool:
        return self.space in ("circle", "sphere")

    @property
    def sentence(self) -> bool:
        return self.start == "sentence" and self.space != "gaussian"


def attention_of(request: TokensRequest) -> Attention:
    """The head of a request, float64."""
    d = request.dimension
    eye, first = torch.eye(d, dtype=torch.float64), torch.zeros(d, d, dtype=torch.float64)
    first[0, 0] = 1
    looks = {"alike": eye, "opposite": -eye, "first": first}[request.looks]
    values = {"forward": eye, "repulsive": -eye, "one_direction": 2 * first - eye}[request.values]
    # Q = R looks, K = I: a query turned by an angle fits best the key that lies by that angle ahead
    looks = turned(request.ahead, d).mT @ looks
    return Attention(looks, request.scale * turned(request.turn, d) @ values, request.beta, request.normalised)


def turned(degrees: float, dimension: int) -> Tensor:
    """A turn of the first two coordinates, (d, d)."""
    angle, turn = math.radians(degrees), torch.eye(dimension, dtype=torch.float64)
    if degrees:
        turn[:2, :2] = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return turn
