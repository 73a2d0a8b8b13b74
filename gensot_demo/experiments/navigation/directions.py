"""Matrix stiffness: a corridor that is tight across and loose along, with a drift and a temperature that change it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from gensot_demo.transport.mixtures import GaussianMixture, two_modes
from gensot_demo.transport.navigation.arch import ArchTask, Tuned, arch_line, left_of, tune
from gensot_demo.transport.navigation.matrix import MatrixPath, MatrixProtocol, directed

from .. import limits
from ..plane.streams import draws, generator

CORRIDORS = ("straight", "arch")
DRIFTS = ("none", "rotation", "shear", "contraction")
SCHEDULES = ("constant", "cooling", "heating")
LAWS = ("two modes", "one mode")
MOST_STARTS = 4
PIECES = 12
_CHANGE = 0.75  # a schedule runs from 1.75 of the temperature to .25, or back
_APART = 0.8  # between two starting points, data units
TIMES = np.linspace(0.02, 0.98, 25)
ELLIPSE_ROWS = (3, 9, 15, 21)
_TRAILS = 24

Strength = Annotated[float, Field(allow_inf_nan=False)]


class DirectionsRequest(BaseModel):
    """A corridor with directions. Version 1 of the link format.

    along, across: stiffness in the two directions of the corridor.  height: of the arch, data units.  strength: of the
    drift, per unit time.  temperature: its mean over time.  starts: points that particles leave from.  price: of a mean
    stiffness of 100 across, in the corridor task, squared data units.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    corridor: Literal[CORRIDORS] = "arch"
    height: Annotated[float, Field(ge=0, le=3, title="Height")] = 1.5
    along: Annotated[float, Field(ge=0, le=400, title="Stiffness along")] = 1.0
    across: Annotated[float, Field(ge=0.2, le=400, title="Stiffness across")] = 100.0
    drift: Literal[DRIFTS] = "none"
    strength: Annotated[float, Field(ge=-4, le=4, title="Strength of the drift")] = 2.0
    schedule: Literal[SCHEDULES] = "constant"
    temperature: Annotated[float, Field(ge=0.05, le=2, title="Temperature")] = 1.0
    starts: Annotated[int, Field(ge=1, le=MOST_STARTS, title="Starting points")] = 1
    law: Literal[LAWS] = "two modes"
    price: Annotated[float, Field(ge=0, le=1, title="Price of stiffness")] = 0.05
    particles: Annotated[int, Field(ge=100, le=2000, title="Particles")] = 400
    seed: Annotated[int, Field(ge=0, le=limits.MAX_SEED, title="Seed")] = 7

    @property
    def target(self) -> GaussianMixture:
        if self.law == "two modes":
            return two_modes()
        return GaussianMixture([1.0], [[3.0, 0.0]], 0.09 * torch.eye(2)[None])

    @property
    def drift_matrix(self) -> Tensor:
        """A, (2, 2)."""
        kinds = {"rotation": [[0, -1], [1, 0]], "shear": [[0, 1], [0, 0]], "contraction": [[-1, 0], [0, -1]]}
        return self.strength * torch.tensor(kinds.get(self.drift, [[0, 0], [0, 0]]), dtype=torch.float64)

    @property
    def rise(self) -> float:
        """Height of the corridor: that of the arch, 0 of the straight one."""
        return self.height if self.corridor == "arch" else 0.0

    @property
    def places(self) -> Tensor:
        """Starting points (S, 2), above each other around the origin."""
        y = _APART * (torch.arange(self.starts, dtype=torch.float64) - (self.starts - 1) / 2)
        return torch.stack([torch.zeros_like(y), y], 1)

    def temperatures(self) -> Tensor:
        """(PIECES,): falling or rising evenly around their mean."""
        change = torch.linspace(_CHANGE, -_CHANGE, PIECES, dtype=torch.float64)
        sign = {"constant": 0.0, "cooling": 1.0, "heating": -1.0}[self.schedule]
        return self.temperature * (1 + sign * change)

    def protocol(self, start: Tensor) -> MatrixProtocol:
        middle = (torch.arange(PIECES, dtype=torch.float64) + 0.5) / PIECES
        centre, direction = arch_line(middle, self.target.mean(), self.rise)
        stiffness = directed(direction, self.along, self.across)
        return MatrixProtocol(stiffness, centre, start, self.temperatures(), self.drift_matrix)


@dataclass(frozen=True, eq=False)
class Way:
    """What starts at one point: mean (T, 2) and covariance (T, 2, 2) of x_t, and those of each mode, (N, T, 2) and
    (N, T, 2, 2), at TIMES.  ends (N, 2): where the modes are."""

    start: NDArray[np.float64]
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    mode_means: NDArray[np.float64]
    mode_covariances: NDArray[np.float64]
    ends: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DirectionsResult:
    """centre (101, 2): of the corridor.  ways: one for each starting point.  along, across (T,): standard deviations
    of x_t, its end given, in the corridor's directions: the half-width of its tube; off (T,): distance of the mean from
    the centre line, across, for the first starting point."""

    request: DirectionsRequest
    centre: NDArray[np.float64]
    ways: tuple[Way, ...]
    along: NDArray[np.float64]
    across: NDArray[np.float64]
    off: NDArray[np.float64]


def picture(request: DirectionsRequest) -> DirectionsResult:
    """Means and covariances over time in closed form."""
    target, times = request.target, torch.from_numpy(TIMES)
    centre, direction = arch_line(times, target.mean(), request.rise)
    normal = left_of(direction)
    ways = []
    for place in request.places:
        points = MatrixPath(request.protocol(place)).at(times)
        mean, covariance = points.moments(target.mean(), target.covariance())
        modes = [points.moments(*law) for law in zip(target.means, target.covariances, strict=True)]
        means, covariances = (torch.stack(parts).numpy() for parts in zip(*modes, strict=True))
        ways.append(Way(place.numpy(), mean.numpy(), covariance.numpy(), means, covariances, target.means.numpy()))
    # the spread of a bridge does not depend on where it starts
    along, across = (torch.einsum("ti,tij,tj->t", e, points.S, e).sqrt().numpy() for e in (direction, normal))
    off = (normal * (torch.from_numpy(ways[0].mean) - centre)).sum(1).numpy()
    line, _ = arch_line(torch.linspace(0, 1, 101, dtype=torch.float64), target.mean(), request.rise)
    return DirectionsResult(request, line.numpy(), tuple(ways), along, across, off)


@dataclass(frozen=True, eq=False)
class Cloud:
    """Particles of all starting points, drawn without step error.

    trails (S, T + 2, m, 2): a few from start to end.  ends (S, n, 2).  mean_error, covariance_error: largest deviation
    of the particles' moments from the closed form over times, starts and coordinates, in standard errors; among
    ``compared`` numbers of an exact sampler ``expected`` is about the largest.
    """

    times: NDArray[np.float64]
    trails: NDArray[np.float64]
    ends: NDArray[np.float64]
    mean_error: float
    covariance_error: float
    compared: int

    @property
    def expected(self) -> float:
        return math.sqrt(2 * math.log(2 * self.compared))


def cloud(result: DirectionsResult) -> Cloud:
    """Draw ends from the law asked for and, to each, its bridge."""
    request, n = result.request, result.request.particles
    times = torch.from_numpy(TIMES)
    trails, every_end, off_mean, off_covariance = [], [], [], []
    for number, (place, way) in enumerate(zip(request.places, result.ways, strict=True)):
        ends = draws(request.target, n, f"ends of start {number}", request.seed)
        stream = generator(f"bridges of start {number}", request.seed)
        x = MatrixPath(request.protocol(place)).sample(ends, times, stream)
        path = torch.cat([place.expand(1, n, 2), x, ends[None]])
        trails.append(path[:, :_TRAILS].numpy())
        every_end.append(ends.numpy())
        centred = x - torch.from_numpy(way.mean)[:, None]
        square = centred[..., :, None] * centred[..., None, :]  # its mean is the covariance whatever the law
        for values, expected, into in ((centred, 0.0, off_mean), (square, way.covariance, off_covariance)):
            error = values.std(1) / math.sqrt(n)
            into.append(((values.mean(1) - torch.as_tensor(expected)).abs() / error).max())
    compared = 2 * len(TIMES) * request.starts
    return Cloud(
        np.concatenate([[0.0], TIMES, [1.0]]), np.stack(trails), np.stack(every_end),
        float(max(off_mean)), float(max(off_covariance)), compared,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Tuning:
    """A moment of the corridor task: the search, where it began, seconds; offsets and across (pieces,) at their times;
    mean and half-width across (T,) of the tuned process at TIMES."""

    request: DirectionsRequest
    first: Tuned
    now: Tuned
    seconds: float
    times: NDArray[np.float64]
    offsets: NDArray[np.float64]
    across: NDArray[np.float64]
    mean: NDArray[np.float64]
    guide: NDArray[np.float64]


def task_of(request: DirectionsRequest) -> ArchTask:
    """The corridor task of a request: its arch, stiffness along, mean temperature and drift."""
    return ArchTask(
        request.target, request.rise, request.along, request.temperature, request.drift_matrix, request.price
    )


def tuned_corridor(request: DirectionsRequest) -> Iterator[Tuning]:
    """Tune the guide's offsets and the stiffness across; closing the iterator stops the search."""
    began, task = time.perf_counter(), task_of(request)
    first: Tuned | None = None
    for now in tune(task, task.start(request.across)):
        first = first or now
        protocol = task.protocol(now.parameters)
        points = MatrixPath(protocol).at(torch.from_numpy(TIMES))
        mean, _ = points.moments(task.target.mean(), task.target.covariance())
        middle = (np.arange(task.pieces) + 0.5) / task.pieces
        yield Tuning(
            request, first, now, time.perf_counter() - began, middle, task.offsets(now.parameters).numpy(),
            task.across(now.parameters).numpy(), mean.numpy(), protocol.guide.numpy(),
        )  # fmt: skip
