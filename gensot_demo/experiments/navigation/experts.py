"""Experts who disagree: the request, their fused law and the consensus guide, both exact.

Case C of Chertkov, arXiv 2512.11859 (docs/FORMULAS.md 1.5): p1 = prod_m p_m^{k_m} / Z for whole trusts k_m, and the
guide that makes sum_m k_m (1/2) int E|x - teacher_m|^2 dt, plus penalties, least.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.harmonic import Protocol
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.navigation.corridor import Curve, blended
from gensot_demo.transport.navigation.experts import Expert, case_c_experts, product_law, teachers_of
from gensot_demo.transport.navigation.learning import Cost, Penalties, Tracking

from ..requests import InvalidRequest
from .passage import Density, Passage, curve_of, density_of, passage_of, shown_times
from .spread import entropy_of

MOST_EXPERTS = 4
MOST_MODES = 8
MOST_TRUST = 5
ENTROPY_WEIGHT = 0.1  # of the fused law's entropy in the paper's objective
PENALTIES = Penalties(first=1e-2, second=1e-3)
PUBLISHED = {(1, 2): 1.444, (1, 1): 1.227, (2, 1): 1.383}
"""The paper's best costs of case C by trusts, found by simulation and Adam."""

_FARTHEST = 20.0
_NEGLIGIBLE = 1e-7  # of all weight: such components add less than 1e-5 to an entropy

Number = Annotated[float, Field(allow_inf_nan=False)]
Mode = tuple[Number, Number, Number, Number, Number, Number]
"""weight, x, y, sxx, sxy, syy."""


def _rows(law: GaussianMixture) -> tuple[Mode, ...]:
    parts = zip(law.log_prior.exp(), law.means, law.covariances, strict=True)
    rows = ([w, mu[0], mu[1], S[0, 0], S[0, 1], S[1, 1]] for w, mu, S in parts)
    return tuple(tuple(round(float(part), 12) for part in row) for row in rows)


_CASE_C = case_c_experts()


class ExpertsRequest(BaseModel):
    """Experts with beliefs about the end and ways of their own. Version 1 of the link format; first the paper's data.

    beliefs: of each expert, modes (weight, x, y, sxx, sxy, syy).  amplitudes: of the ways that they teach.
    trusts: whole numbers, not all 0.  steepness: of all ways.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    beliefs: tuple[Annotated[tuple[Mode, ...], Field(max_length=MOST_MODES)], ...] = Field(
        tuple(_rows(one.belief) for one in _CASE_C), min_length=1, max_length=MOST_EXPERTS
    )
    amplitudes: tuple[Annotated[float, Field(ge=-4, le=4)], ...] = Field(
        tuple(one.amplitude for one in _CASE_C), max_length=MOST_EXPERTS
    )
    trusts: tuple[Annotated[int, Field(ge=0, le=MOST_TRUST)], ...] = Field((1, 1), max_length=MOST_EXPERTS)
    steepness: Annotated[float, Field(ge=0.5, le=20, title="Steepness")] = 6.0
    stiffness: Annotated[float, Field(ge=1, le=500, title="Stiffness")] = 20.0
    pieces: Annotated[int, Field(ge=3, le=60, title="Pieces")] = 20

    @field_validator("beliefs")
    @classmethod
    def _proper(cls, beliefs: tuple) -> tuple:
        for number, modes in enumerate(beliefs, 1):
            if not modes:
                raise ValueError(f"expert {number} has no mode; write at least one.")
            for row, mode in enumerate(modes, 1):
                _check(f"expert {number}, mode {row}", mode)
        return beliefs

    @model_validator(mode="after")
    def _fits_together(self) -> ExpertsRequest:
        count = len(self.beliefs)
        for name, given in (("amplitudes", self.amplitudes), ("trusts", self.trusts)):
            if len(given) != count:
                raise ValueError(f"{count} experts have {len(given)} {name}; each needs one.")
        if not any(self.trusts):
            raise ValueError(
                f"trusts are {', '.join(map(str, self.trusts))}: nobody is trusted; trust at least one expert, up to "
                f"{MOST_TRUST}."
            )
        return self

    def experts(self) -> list[Expert]:
        """The experts as laws and amplitudes."""
        return [Expert(_law(modes), A) for modes, A in zip(self.beliefs, self.amplitudes, strict=True)]


def _check(where: str, mode: Mode) -> None:
    weight, x, y, sxx, sxy, syy = mode
    if not 0 < weight <= 1000:
        raise ValueError(f"{where}: the weight is {weight:g}; it must be above 0 and at most 1000.")
    if max(abs(x), abs(y)) > _FARTHEST:
        raise ValueError(f"{where} lies at ({x:g}, {y:g}); coordinates go from -{_FARTHEST:g} to {_FARTHEST:g}.")
    smallest, largest = np.linalg.eigvalsh([[sxx, sxy], [sxy, syy]])
    if not 1e-4 <= smallest <= largest <= 100:
        raise ValueError(
            f"{where}: the covariance [{sxx:g}, {sxy:g}; {sxy:g}, {syy:g}] has eigenvalues {smallest:.3g} and "
            f"{largest:.3g}; it must be positive definite, with both from 0.0001 to 100."
        )


def _law(modes: Sequence[Mode]) -> GaussianMixture:
    rows = torch.tensor(modes, dtype=torch.float64)
    return GaussianMixture(rows[:, 0], rows[:, 1:3], rows[:, [3, 4, 4, 5]].reshape(-1, 2, 2))


@dataclass(frozen=True, eq=False)
class ExpertsResult:
    """fused: the law at the end.  teachers (M, T, 2) and their blend by trust (T, 2) at the passage's times.
    naive, learnt: passages with the blend and with the consensus guide; before, after: their costs, without
    ``constant``, which is .1 times the fused law's entropy.  seconds: of the fused law and the guide together."""

    request: ExpertsRequest
    fused: GaussianMixture
    density: Density
    beliefs: tuple[Density, ...]
    teachers: NDArray[np.float64]
    blend: NDArray[np.float64]
    naive: Passage
    learnt: Passage
    before: Cost
    after: Cost
    constant: float
    seconds: float

    @property
    def start(self) -> float:
        """J with the blend of the teachers as the guide."""
        return self.before.total + self.constant

    @property
    def optimum(self) -> float:
        """The least J."""
        return self.after.total + self.constant


def tracking_of(request: ExpertsRequest) -> tuple[Tracking, GaussianMixture]:
    """The objective of the consensus guide, from the blend of the teachers, and the fused law."""
    experts = request.experts()
    try:
        law = product_law([one.belief for one in experts], request.trusts)
        teachers: list[Curve] = teachers_of(experts, request.steepness)
    except InvalidValue as error:
        raise InvalidRequest(str(error)) from None
    middles = (torch.arange(request.pieces, dtype=torch.float64) + 0.5) / request.pieces
    trusts = [float(k) for k in request.trusts]
    stiffness = torch.full((request.pieces,), request.stiffness, dtype=torch.float64)
    protocol = Protocol(stiffness, blended(teachers, trusts)(middles), torch.zeros(2, dtype=torch.float64))
    return Tracking(protocol, law.mean(), law.covariance_trace(), teachers, trusts, penalties=PENALTIES), law


def solve(request: ExpertsRequest) -> tuple[Tracking, GaussianMixture, Protocol]:
    """The exact optimum: (objective, fused law, protocol with the consensus guide)."""
    tracking, law = tracking_of(request)
    return tracking, law, tracking.learnt()


def consensus(request: ExpertsRequest) -> ExpertsResult:
    """Fuse the beliefs and learn the guide, with all that the page shows of them."""
    began = time.perf_counter()
    tracking, law, learnt = solve(request)
    seconds = time.perf_counter() - began
    t = shown_times()
    return ExpertsResult(
        request=request,
        fused=law,
        density=density_of(law),
        beliefs=tuple(map(_belief_density, request.beliefs)),
        teachers=np.stack([curve_of(one(t)) for one in tracking.teachers]),
        blend=curve_of(blended(list(tracking.teachers), list(tracking.trusts))(t)),
        naive=passage_of(tracking.protocol, law.mean()),
        learnt=passage_of(learnt, law.mean()),
        before=tracking.cost(),
        after=tracking.cost(learnt),
        constant=ENTROPY_WEIGHT * _entropy(request.beliefs, request.trusts),
        seconds=seconds,
    )


@lru_cache(maxsize=64)
def _belief_density(modes: tuple[Mode, ...]) -> Density:
    return density_of(_law(modes))


@lru_cache(maxsize=256)
def _entropy(beliefs: tuple, trusts: tuple[int, ...]) -> float:
    """H of the fused law, of its components that count."""
    law = product_law([_law(modes) for modes in beliefs], trusts)
    kept = law.log_prior > np.log(_NEGLIGIBLE)
    law = GaussianMixture(law.log_prior.exp()[kept], law.means[kept], law.covariances[kept])
    return entropy_of(law)


@dataclass(frozen=True)
class PaperRow:
    """Exact and published costs of case C for one pair of trusts."""

    trusts: tuple[int, int]
    start: float
    optimum: float
    published: float


@lru_cache(maxsize=1)
def paper_rows() -> tuple[PaperRow, ...]:
    """Case C for the paper's three pairs of trusts, computed now."""
    rows = []
    for trusts, published in PUBLISHED.items():
        found = consensus(ExpertsRequest(trusts=trusts))
        rows.append(PaperRow(trusts, found.start, found.optimum, published))
    return tuple(rows)
