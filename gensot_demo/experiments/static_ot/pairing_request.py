"""How noise and data are to be paired in training: the request, its link, and the pairs that follow from it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import quote

import torch
from pydantic import BaseModel, ConfigDict, Field, field_validator
from torch import Tensor

from gensot_demo.transport.data_separation import standardised_mixture, standardised_points
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.static_ot.laguerre import NewtonStep, cells_of, solving
from gensot_demo.transport.static_ot.pairing import Pairing, independent, plan_cost, whole, within_minibatches
from gensot_demo.transport.static_ot.semi_discrete import Brenier
from gensot_demo.transport.targets import TARGETS, named_target

from .. import limits
from ..kept import Kept
from ..links import VERSION, fields_of, ignored
from ..plane.links import number_in
from ..presets import named
from ..requests import one_of, parse
from ..turns import in_turn
from .presets import PAIRING

PAIRINGS = {"independent": "Independent", "minibatch": "Minibatch", "whole": "Whole data set"}
SIZES = (2, 4, 8, 16, 32, 64, 128, 256)
"""Pairs in a minibatch; every one divides the training batch."""
BATCH = 256

_SOLVED: Kept[tuple[Brenier, float]] = Kept(64)  # by target, number of points and seed
_PLANS: Kept[tuple[tuple[float, float], ...]] = Kept(64)
_PAIRS_MEASURED = 4096  # for each minibatch size


class PairingRequest(BaseModel):
    """Train small flows on pairs of noise and of points drawn from a named law. Link version 1.

    points: of the data set.  minibatch: pairs that are assigned at a time.  updates: of each network.  seeds:
    repetitions, each with its own points, first weights and noise.  seed: of the first one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: str = "moons"
    points: Annotated[int, Field(ge=8, le=512, title="Training points")] = 256
    pairings: tuple[str, ...] = tuple(PAIRINGS)
    minibatch: Literal[2, 4, 8, 16, 32, 64, 128, 256] = 32
    updates: Annotated[int, Field(ge=50, le=4000, title="Updates")] = 1500
    seeds: Annotated[int, Field(ge=1, le=5, title="Seeds")] = 1
    seed: Annotated[int, Field(ge=0, le=limits.MAX_SEED, title="Seed")] = 0

    @field_validator("target")
    @classmethod
    def _known_target(cls, name: str) -> str:
        return one_of("target", name, TARGETS)

    @field_validator("pairings")
    @classmethod
    def _known_pairings(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            one_of("pairing", name, PAIRINGS)
        if not names:
            raise ValueError("no pairing is chosen: choose at least one of " + ", ".join(PAIRINGS) + ".")
        return tuple(name for name in PAIRINGS if name in names)

    def label(self, name: str) -> str:
        """A pairing's name in words."""
        return f"Minibatches of {self.minibatch}" if name == "minibatch" else PAIRINGS[name]


@dataclass(frozen=True, eq=False)
class Task:
    """What the flows learn.  law: centred, of variance 1 per coordinate.  points (S, N, 2): drawn from it, then centred
    and scaled by their own mean and size.  maps: Brenier's to the points of each seed.  least (S,): W2^2 to them.
    plans: (mean, standard error) of the cost of a minibatch's plan at each of SIZES, for the first seed."""

    law: GaussianMixture
    points: Tensor
    maps: tuple[Brenier, ...]
    least: tuple[float, ...]
    plans: tuple[tuple[float, float], ...]

    def pairings(self, request: PairingRequest) -> list[list[Pairing]]:
        """P rows of S."""
        known = {"independent": independent, "minibatch": within_minibatches(request.minibatch)}
        return [
            [whole(one) for one in self.maps] if name == "whole" else [known[name]] * len(self.maps)
            for name in request.pairings
        ]


def at_hand(request: PairingRequest) -> Task | None:
    """The task where its maps have been found before; milliseconds."""
    keys = _keys(request)
    if any(_SOLVED.get(key) is None for key in keys) or _PLANS.get(keys[0]) is None:
        return None
    steps = prepared(request)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def prepared(request: PairingRequest) -> Generator[float, None, Task]:
    """Finds Brenier's map to the points of each seed, about a second for 256 unless it is kept, and the cost of
    minibatches; yields the share done. A turn on the device is one step of Newton's, or one size."""
    law = standardised_mixture(named_target(request.target).mixture)
    keys, clouds, solved = _keys(request), [], []
    for number, key in enumerate(keys):
        points = standardised_points(law.sample(request.points, torch.Generator().manual_seed(key[2])))
        clouds.append(points)
        found = _SOLVED.get(key)
        if found is None:
            first, steps = None, in_turn(_solved(points))
            while found is None:
                try:
                    error = next(steps).mass_error
                    first = first or error
                    yield 0.9 * (number + 1 - error / first) / len(keys)
                except StopIteration as end:
                    found = _SOLVED.keep(key, end.value)
        solved.append(found)
    plans = _PLANS.get(keys[0])
    if plans is None:
        costs = []
        for cost in in_turn(_costs(clouds[0], request.seed)):
            costs.append(cost)
            yield 0.9 + 0.1 * len(costs) / len(SIZES)
        plans = _PLANS.keep(keys[0], tuple(costs))
    return Task(law, torch.stack(clouds), *map(tuple, zip(*solved, strict=True)), plans)


def _solved(points: Tensor) -> Generator[NewtonStep, None, tuple[Brenier, float]]:
    """Brenier's map to points (n, 2), and W2^2."""
    found = yield from solving(points)
    return found, cells_of(found).squared_distance(found.weights.numpy())


def _costs(points: Tensor, seed: int) -> Generator[tuple[float, float], None, None]:
    for size in SIZES:
        yield plan_cost(points, size, _PAIRS_MEASURED // size, seed + 10_061)


def _keys(request: PairingRequest) -> list[tuple[str, int, int]]:
    return [(request.target, request.points, request.seed + s) for s in range(request.seeds)]


def to_query(request: PairingRequest) -> str:
    """The query string without "?": what differs from the default."""
    fields, plain = [("v", str(VERSION))], PairingRequest()
    for name in PairingRequest.model_fields:
        value = getattr(request, name)
        if value != getattr(plain, name):
            fields.append((name, ",".join(value) if name == "pairings" else str(value)))
    return "&".join(f"{key}={quote(value, safe=',')}" for key, value in fields)


def from_query(query: str) -> tuple[PairingRequest, list[str]]:
    """The request in a query string and notes on what was ignored; raises InvalidRequest for a bad known value."""
    fields, notes = fields_of(query, "target=ring&minibatch=8&seeds=3", named(PAIRING, PairingRequest, to_query))
    values: dict = {}
    for key, text in fields:
        if key not in PairingRequest.model_fields:
            notes.append(ignored(key))
        elif key == "pairings":
            values[key] = tuple(part for part in text.split(",") if part)
        else:
            values[key] = text if key == "target" else number_in(key, text, whole=True)
    return parse(PairingRequest, **values), notes
