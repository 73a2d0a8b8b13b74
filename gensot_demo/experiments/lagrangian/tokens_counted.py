"""How many clusters there are depends on the start: counted over many seeds, for several temperatures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from gensot_demo.transport.lagrangian.attention import Attention, followed
from gensot_demo.transport.lagrangian.gathering import cluster_count

from .tokens import start_of
from .tokens_request import TokensRequest

BETAS = (1, 4, 16, 64)
SEEDS = 24
DEPTHS = (25, 200)
_STEP, _TURN = 0.1, 2.5  # of the integration, and how far it goes at a time


class CountRequest(BaseModel):
    """Independent, uniform tokens with Q'K = V = I."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    space: Literal["circle", "sphere"] = "circle"
    tokens: Annotated[int, Field(ge=2, le=128)] = 64


@dataclass(frozen=True, eq=False)
class Counted:
    """A moment of counting. counts: for each of BETAS and DEPTHS the numbers of clusters (SEEDS,), or None so far.
    done: share; beta, depth: where it is; seconds: so far."""

    request: CountRequest
    counts: tuple[tuple[NDArray | None, ...], ...]
    done: float
    beta: int
    depth: float
    seconds: float

    @property
    def complete(self) -> bool:
        return self.done >= 1


def count(request: CountRequest) -> Iterator[Counted]:
    """All temperatures to the first depth, then all to the second; every seed at once."""
    began = time.perf_counter()
    asked = [TokensRequest(space=request.space, tokens=request.tokens, seed=seed) for seed in range(SEEDS)]
    start = torch.stack([start_of(one) for one in asked]).float()
    eye = torch.eye(start.shape[-1])
    at, before = [start] * len(BETAS), 0
    counts: list[list[NDArray | None]] = [[None] * len(DEPTHS) for _ in BETAS]
    moment = Counted(request, _frozen(counts), 0.0, BETAS[0], 0.0, 0.0)
    yield moment
    for column, depth in enumerate(DEPTHS):
        for row, beta in enumerate(BETAS):
            attention = Attention(eye, eye, beta, normalised=True)
            turns = round((depth - before) / _TURN)
            for turn in range(turns):
                times = torch.tensor([0.0, _TURN])
                at[row] = followed(at[row], attention, times, round(_TURN / _STEP))[0][-1]
                if turn + 1 == turns:
                    counts[row][column] = cluster_count(at[row], normalised=True).numpy()
                reached = before + (turn + 1) * _TURN
                done = (before * len(BETAS) + (depth - before) * row + reached - before) / (DEPTHS[-1] * len(BETAS))
                seconds = time.perf_counter() - began
                moment = replace(
                    moment, counts=_frozen(counts), done=done, beta=beta, depth=reached, seconds=seconds
                )  # fmt: skip
                yield moment
        before = depth


def _frozen(counts: list[list[NDArray | None]]) -> tuple[tuple[NDArray | None, ...], ...]:
    return tuple(map(tuple, counts))
