"""What small flows are to learn: the request, the points of it, and the paths that follow from the points."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, fields
from functools import partial
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator
from torch import Tensor

from gensot_demo.transport.data_separation import DataSeparation, separation_steps, standardised_mixture
from gensot_demo.transport.flow_training import AngleLaw
from gensot_demo.transport.kinetic_optimal import KineticOptimalPath
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.paths import CondOTPath, CosinePath, SchedulePath, VPLinearPath
from gensot_demo.transport.targets import TARGETS, named_target

from .. import limits
from ..kept import Kept
from ..requests import one_of
from ..turns import in_turn, retold

PATHS = {"vp": "VP-linear", "condot": "CondOT", "ko": "Kinetic-optimal", "cosine": "Cosine"}
HELD_OUT = 1000  # points for the likelihood

_ANGLES, _EVERY = 100, 4  # noise angles; every fourth compares learnt and exact field
_SEPARATION_DRAWS = 4096
_SEPARATIONS: Kept[DataSeparation] = Kept(64)  # by target, number of points and seed


class TrainingRequest(BaseModel):
    """Train small flows on points drawn from a named law. Link version 1.

    points: how many the flows see.  updates: of each network.  seeds: repetitions, each with its own points, first
    weights and noise.  seed: of the first one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: str = "moons"
    points: Annotated[int, Field(ge=8, le=1024, title="Training points")] = 256
    updates: Annotated[int, Field(ge=50, le=5000, title="Updates")] = 1500
    seeds: Annotated[int, Field(ge=1, le=5, title="Seeds")] = 1
    paths: tuple[str, ...] = ("vp", "condot", "ko")
    seed: Annotated[int, Field(ge=0, le=limits.MAX_SEED, title="Seed")] = 0

    @field_validator("target")
    @classmethod
    def _known_target(cls, name: str) -> str:
        return one_of("target", name, TARGETS)

    @field_validator("paths")
    @classmethod
    def _known_paths(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            one_of("path", name, PATHS)
        if not names:
            raise ValueError("no path is chosen: choose at least one of " + ", ".join(PATHS) + ".")
        return tuple(name for name in PATHS if name in names)


@dataclass(frozen=True, eq=False)
class Data:
    """A law that is centred and has variance 1 per coordinate, and points of it.

    The flows see points that are centred and scaled once more, by their own mean ``centres`` (S, 2) and size ``scales``
    (S,): a kinetic-optimal path is one for such data. points (S, N, 2), seen in training, and held_out (S, M, 2) are in
    these units; truth (S, M) and truth_seen (S, N) are the law's log densities there, nats per dimension.
    """

    law: GaussianMixture
    centres: Tensor
    scales: Tensor
    points: Tensor
    held_out: Tensor
    truth: NDArray[np.float64]
    truth_seen: NDArray[np.float64]

    @property
    def own_surprise(self) -> float:
        """The law's own negative log-likelihood on the held-out points, nats per dimension, in the law's units."""
        return float((np.log(self.scales.numpy())[:, None] - self.truth).mean())

    def back(self, x: Tensor, seed: int) -> Tensor:
        """Points (..., 2) of a flow in the units of the law."""
        return x * self.scales[seed].to(x.dtype) + self.centres[seed].to(x.dtype)

    def law_seen(self, seed: int) -> GaussianMixture:
        """The law in the units of that seed's points."""
        centre, scale = self.centres[seed], self.scales[seed]
        return GaussianMixture(
            self.law.log_prior.exp(), (self.law.means - centre) / scale, self.law.covariances / scale**2
        )


@dataclass(frozen=True, eq=False)
class Task(Data):
    """The data with the paths along which they are learnt.

    separations: (S,), of the points.  ways: P rows of S paths; the kinetic-optimal ones follow from the points and
    have the energies (S,), None without them.  laws: how angles are drawn, likewise.  angles (K,) and weights (P, K):
    what an error at each angle counts, per radian, NaN where none is drawn.
    """

    separations: tuple[DataSeparation, ...]
    ways: tuple[tuple[SchedulePath, ...], ...]
    laws: tuple[tuple[AngleLaw, ...], ...]
    energies: NDArray[np.float64] | None
    angles: NDArray[np.float64]
    weights: NDArray[np.float64]

    @property
    def compared(self) -> NDArray[np.float64]:
        """The angles (A,) at which the learnt field is compared with the exact one."""
        return self.angles[_EVERY // 2 :: _EVERY]


def data_of(request: TrainingRequest) -> Data:
    """Points and held-out points; milliseconds."""
    law = standardised_mixture(named_target(request.target).mixture)
    points, held_out = [], []
    for seed in _seeds(request):
        generator = torch.Generator().manual_seed(seed)
        points.append(law.sample(request.points, generator))
        held_out.append(law.sample(HELD_OUT, generator))
    seen, held = torch.stack(points), torch.stack(held_out)
    centres = seen.mean(1)
    scales = (seen - centres[:, None]).square().mean((1, 2)).sqrt()
    return Data(
        law=law,
        centres=centres,
        scales=scales,
        points=(seen - centres[:, None]) / scales[:, None, None],
        held_out=(held - centres[:, None]) / scales[:, None, None],
        truth=_density_of(law, held, scales),
        truth_seen=_density_of(law, seen, scales),
    )


def _seeds(request: TrainingRequest) -> range:
    return range(request.seed, request.seed + request.seeds)


def _density_of(law: GaussianMixture, points: Tensor, scales: Tensor) -> NDArray[np.float64]:
    """log density per dimension (S, n) at points (S, n, 2), in units of ``scales``."""
    return np.stack([law.log_density(one).numpy() / 2 for one in points]) + np.log(scales.numpy())[:, None]


def at_hand(request: TrainingRequest) -> Data:
    """The task where the separations of its points have been found before; else the data alone. Milliseconds."""
    data = data_of(request)
    separations = [_SEPARATIONS.get((request.target, request.points, seed)) for seed in _seeds(request)]
    return data if None in separations else _task(request, data, tuple(separations))


def prepared(request: TrainingRequest, data: Data) -> Generator[float, None, Task]:
    """Finds the separation of the points of each seed, one to four seconds unless it is kept; yields the share done,
    returns the task. A turn on the device is one noise level."""
    separations = []
    for number, (seed, points) in enumerate(zip(_seeds(request), data.points, strict=True)):
        key = (request.target, request.points, seed)
        found = _SEPARATIONS.get(key)
        if found is None:
            levels = in_turn(separation_steps(points, draws=_SEPARATION_DRAWS, seed=seed, quadrature=True))
            found = yield from retold(levels, partial(_share, number, request.seeds))
            _SEPARATIONS.keep(key, found)
        separations.append(found)
    return _task(request, data, tuple(separations))


def _share(number: int, seeds: int, levels: tuple[int, int]) -> float:
    return (number + levels[0] / levels[1]) / seeds


def _task(request: TrainingRequest, data: Data, separations: tuple[DataSeparation, ...]) -> Task:
    optimal = tuple(map(KineticOptimalPath, separations)) if "ko" in request.paths else ()
    known = {"vp": VPLinearPath(), "condot": CondOTPath(), "cosine": CosinePath()}
    ways = tuple(optimal if name == "ko" else (known[name],) * request.seeds for name in request.paths)
    laws = tuple(
        tuple(AngleLaw(path, separation) for path, separation in zip(row, separations, strict=True)) for row in ways
    )
    angles = (np.arange(_ANGLES) + 0.5) / _ANGLES * math.pi / 2
    return Task(
        **{one.name: getattr(data, one.name) for one in fields(data)},
        separations=separations,
        ways=ways,
        laws=laws,
        energies=np.array([path.energy for path in optimal]) if optimal else None,
        angles=angles,
        weights=np.stack([row[0].weight(angles) for row in laws]),
    )
