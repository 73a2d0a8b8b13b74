"""Guides learnt exactly: E x_t = alpha E[y] + gamma is affine in the guide, so a tracking objective is least squares.

Where the papers simulate ensembles and descend by Adam, one linear system is solved, for any target of which the first
two moments are known (docs/FORMULAS.md 1.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from ..diagnostics import panels, stiffness_at
from ..errors import InvalidValue
from ..harmonic import HarmonicPath, Protocol
from .corridor import Curve

_NODES = 12  # a panel: what is integrated is smooth within one


@dataclass(frozen=True)
class Penalties:
    """On a guide nu (K, d): near sum |nu_k - places_k|^2 + first sum |nu_{k+1} - nu_k|^2 + second sum of the squared
    second differences.

    places: (K, d), needed where near is not 0.
    """

    near: float = 0.0
    first: float = 0.0
    second: float = 0.0
    places: Tensor | None = None

    def matrix(self, pieces: int, dtype: torch.dtype) -> Tensor:
        """P (K, K) so that the penalty is the sum over coordinates of nu' P nu, up to what ``places`` add."""
        one = torch.eye(pieces, dtype=dtype)
        first = one.diff(dim=0)
        second = first.diff(dim=0)
        return self.near * one + self.first * first.T @ first + self.second * second.T @ second

    def of(self, guide: Tensor) -> Tensor:
        """The penalty of a guide (K, d), a scalar."""
        first = guide.diff(dim=0)
        out = self.first * first.square().sum() + self.second * first.diff(dim=0).square().sum()
        return out if self.places is None else out + self.near * (guide - self.places).square().sum()


@dataclass(frozen=True, eq=False)
class Tracking:
    """sum_m k_m (1/2) int w(t) E|x_t - nubar_m(t)|^2 dt + penalties, as a function of the guide of a protocol.

    protocol: its guide is where learning starts; stiffness, start, temperature and knots stay.  mean (d,), trace: of
    the law at the end and of its covariance.  teachers, trusts: nubar_m and k_m >= 0, not all 0.  weighted: w is the
    stiffness, else 1.
    """

    protocol: Protocol
    mean: Tensor
    trace: float
    teachers: Sequence[Curve]
    trusts: Sequence[float] = (1.0,)
    weighted: bool = False
    penalties: Penalties = Penalties()

    def __post_init__(self) -> None:
        if len(self.teachers) != len(self.trusts) or not len(self.teachers):
            raise InvalidValue(f"{len(self.teachers)} teachers have {len(self.trusts)} trusts; each needs one.")
        if min(self.trusts) < 0 or sum(self.trusts) == 0:
            raise InvalidValue(f"trusts are {list(self.trusts)}; each must be at least 0, and one above 0.")

    def learnt(self) -> Protocol:
        """The protocol with the guide that makes this least; the minimum is unique where anything is asked of it."""
        at = self._system
        wanted = sum(k * one(at.t) for k, one in zip(self.trusts, self.teachers, strict=True))
        total = sum(self.trusts)
        pieces = len(self.protocol.stiffness)
        left = total * at.response.T @ (at.weight[:, None] * at.response)
        left = left + 2 * self.penalties.matrix(pieces, left.dtype)
        right = at.response.T @ (at.weight[:, None] * (wanted - total * at.offset))
        if self.penalties.near:
            right = right + 2 * self.penalties.near * self.penalties.places
        return replace(self.protocol, guide=torch.linalg.lstsq(left, right, driver="gelsd").solution)

    def cost(self, protocol: Protocol | None = None) -> Cost:
        """What a protocol of this stiffness costs; the one that learning starts from unless told."""
        parts = self._parts((protocol or self.protocol).guide)
        return Cost(*(float(part.detach()) for part in parts))

    def value(self) -> Tensor:
        """The total cost as a scalar, differentiable in the protocol."""
        return sum(self._parts(self.protocol.guide))

    def _parts(self, guide: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        at = self._system
        mean = at.response @ guide + at.offset
        curves = [one(at.t) for one in self.teachers]
        total = sum(self.trusts)
        consensus = sum(k * c for k, c in zip(self.trusts, curves, strict=True)) / total
        apart = sum(k * (c - consensus).square().sum(1) for k, c in zip(self.trusts, curves, strict=True))
        following = 0.5 * total * at.weight @ (mean - consensus).square().sum(1)
        return following, 0.5 * at.weight @ apart, 0.5 * total * at.weight @ at.spread, self.penalties.of(guide)

    @cached_property
    def _system(self) -> _System:
        protocol = self.protocol
        t, weight = panels(protocol, _NODES)
        points = _loaded(protocol).at(t)
        if self.weighted:
            weight = weight * stiffness_at(protocol, t)
        offset = points.a[:, None] * self.mean + points.g[:, -1:] * protocol.start
        spread = points.a**2 * self.trace + protocol.dimension * points.m**2
        return _System(t, weight, points.g[:, :-1], offset, spread)


class _System(NamedTuple):
    """Quadrature times and weights (T,), E x_t = response nu + offset as (T, K) and (T, d), and tr Cov x_t (T,)."""

    t: Tensor
    weight: Tensor
    response: Tensor
    offset: Tensor
    spread: Tensor


@dataclass(frozen=True)
class Cost:
    """following: how far the mean is from the trust-weighted teacher.  disagreement: of the teachers among themselves,
    and spread, of the process around its mean: the floor, which no guide can change.  penalty: on the guide."""

    following: float
    disagreement: float
    spread: float
    penalty: float

    @property
    def floor(self) -> float:
        return self.disagreement + self.spread

    @property
    def total(self) -> float:
        return self.following + self.floor + self.penalty


def _loaded(protocol: Protocol) -> HarmonicPath:
    """The path in K + 1 coordinates, each with one unit load: every piece's guide, and the start. The shift is linear
    in them, coordinate by coordinate, so this one path holds the answer to all of them."""
    pieces = len(protocol.stiffness)
    like = {"dtype": protocol.stiffness.dtype, "device": protocol.stiffness.device}
    loads = torch.cat([torch.eye(pieces, **like), torch.zeros(pieces, 1, **like)], dim=1)
    start = torch.zeros(pieces + 1, **like)
    start[-1] = 1.0
    return HarmonicPath(replace(protocol, guide=loads, start=start))
