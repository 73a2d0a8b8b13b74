"""Small flows trained live on several paths: the request, the run and what it measures.

Tests the claim of Shaul et al., arXiv 2306.06626, that kinetic-optimal paths generalise better and need fewer calls, in
two dimensions, where the true law is known. Only the path differs between the networks of one seed (see
:mod:`gensot_demo.transport.flow_training`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator
from torch import Tensor

from gensot_demo.transport.data_separation import DataSeparation, separation_of_points, standardised_mixture
from gensot_demo.transport.distances import sliced_w2
from gensot_demo.transport.flow_likelihood import exact_field, log_likelihood
from gensot_demo.transport.flow_training import AngleLaw, AngleNetworks, euler, train
from gensot_demo.transport.kinetic_optimal import KineticOptimalPath
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.paths import CondOTPath, CosinePath, SchedulePath, VPLinearPath
from gensot_demo.transport.targets import TARGETS, named_target

from .. import limits
from ..device import TURNSTILE
from ..requests import one_of

PATHS = {"vp": "VP-linear", "condot": "CondOT", "ko": "Kinetic-optimal", "cosine": "Cosine"}
CALLS = (2, 4, 8, 16, 32, 64)
BATCH = 256
HELD_OUT, DRAWS = 1000, 2000  # points for the likelihood; samples for the error against calls
MOST_SECONDS = 120.0  # of training: then what was learnt so far is measured

_CHECKS, _CHECKED = 8, 250  # times that the likelihood is taken on the way; points of either kind
_SHOWN = 600
_FLOORS, _DIRECTIONS = 8, 64
_ANGLES, _ASKED, _EVERY = 100, 500, 4  # noise angles; states at which every fourth compares learnt and exact field
_SEPARATION_DRAWS = 4096
_TRAINED = 0.8  # of the progress bar


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
class Task:
    """What is to be learnt: a law that is centred and has variance 1 per coordinate, from points of it.

    The flows see points that are centred and scaled once more, by their own mean ``centres`` (S, 2) and size ``scales``
    (S,): a kinetic-optimal path is one for such data. points (S, N, 2), seen in training, and held_out (S, M, 2) are in
    these units; truth (S, M) and truth_seen (S, N) are the law's log densities there, nats per dimension.
    separations: (S,), of the points.  ways: P rows of S paths; the kinetic-optimal ones follow from the points and
    have the energies (S,), None without them.  laws: how angles are drawn, likewise.  angles (K,) and weights (P, K):
    what an error at each angle counts, per radian, NaN where none is drawn.
    """

    law: GaussianMixture
    centres: Tensor
    scales: Tensor
    points: Tensor
    held_out: Tensor
    truth: NDArray[np.float64]
    truth_seen: NDArray[np.float64]
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
class Check:
    """Nats per dimension that the true law has over the flows, (P, S) each: on held-out points (an estimate of the
    Kullback-Leibler divergence, divided by d) and on points seen in training (below 0: learnt by heart)."""

    update: int
    held_out: NDArray[np.float64]
    seen: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Calls:
    """Sliced W2 to fresh exact draws. error (P, P, S, K): network trained on the first path, sampled along the second
    with CALLS[k] Euler steps; exact (P, K): with the exact velocity, for the first seed; floor and its spread: of
    clouds of as many exact draws."""

    error: NDArray[np.float64]
    exact: NDArray[np.float64]
    floor: float
    floor_spread: float

    @property
    def own(self) -> NDArray[np.float64]:
        """(P, S, K): each network along its own path."""
        return np.stack([self.error[p, p] for p in range(len(self.error))])


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """A run so far. losses (P, S, k): of every update, each at its own path's angles.  checks: in order, the last one
    on all held-out points once the run is complete.  samples: (P, n, 2) of the first seed, 64 steps along its own path.
    field_error (P, S, A): mean squared error of the learnt w per dimension at ``task.compared``.  doing: in words.
    cut: training took too long and ended early."""

    request: TrainingRequest
    task: Task
    updates: int = 0
    losses: NDArray[np.float32] | None = None
    checks: tuple[Check, ...] = ()
    samples: NDArray[np.float32] | None = None
    field_error: NDArray[np.float64] | None = None
    calls: Calls | None = None
    parameters: int = 0
    seconds: float = 0.0
    doing: str = ""
    done: float = 0.0
    cut: bool = False

    @property
    def complete(self) -> bool:
        return self.calls is not None

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(PATHS[name] for name in self.request.paths)


def task_of(request: TrainingRequest) -> Task:
    """Points, held-out points and paths; about a second for each seed on the kinetic-optimal path."""
    law = standardised_mixture(named_target(request.target).mixture)
    points, held_out = [], []
    for seed in range(request.seed, request.seed + request.seeds):
        generator = torch.Generator().manual_seed(seed)
        points.append(law.sample(request.points, generator))
        held_out.append(law.sample(HELD_OUT, generator))
    seen, held = torch.stack(points), torch.stack(held_out)
    centres = seen.mean(1)
    scales = (seen - centres[:, None]).square().mean((1, 2)).sqrt()
    points = list((seen - centres[:, None]) / scales[:, None, None])
    separations = tuple(separation_of_points(one, draws=_SEPARATION_DRAWS, seed=request.seed) for one in points)
    optimal = tuple(map(KineticOptimalPath, separations)) if "ko" in request.paths else ()
    known = {"vp": VPLinearPath(), "condot": CondOTPath(), "cosine": CosinePath()}
    ways = tuple(optimal if name == "ko" else (known[name],) * request.seeds for name in request.paths)
    laws = tuple(
        tuple(AngleLaw(path, separation) for path, separation in zip(row, separations, strict=True)) for row in ways
    )
    angles = (np.arange(_ANGLES) + 0.5) / _ANGLES * math.pi / 2
    return Task(
        law=law,
        centres=centres,
        scales=scales,
        points=torch.stack(points),
        held_out=(held - centres[:, None]) / scales[:, None, None],
        truth=_density_of(law, held, scales),
        truth_seen=_density_of(law, seen, scales),
        separations=separations,
        ways=ways,
        laws=laws,
        energies=np.array([path.energy for path in optimal]) if optimal else None,
        angles=angles,
        weights=np.stack([row[0].weight(angles) for row in laws]),
    )


def _density_of(law: GaussianMixture, points: Tensor, scales: Tensor) -> NDArray[np.float64]:
    """log density per dimension (S, n) at points (S, n, 2), in units of ``scales``."""
    return np.stack([law.log_density(one).numpy() / 2 for one in points]) + np.log(scales.numpy())[:, None]


def run_training(request: TrainingRequest) -> Iterator[TrainingRun]:
    """Train and measure; yields the run so far several times a second, with likelihood and samples at every eighth.

    The same request gives the same numbers, unless training took longer than two minutes and was cut.
    """
    began = time.perf_counter()
    with TURNSTILE():
        task = task_of(request)
    rows, count = len(task.ways), request.seeds
    seeds = [request.seed + s for s in range(count)] * rows
    networks = AngleNetworks(seeds, task.separations * rows)
    run = TrainingRun(request, task, parameters=networks.size, doing="Training", seconds=time.perf_counter() - began)
    yield run
    losses: list[NDArray[np.float32]] = []
    due = [round(request.updates * (k + 1) / _CHECKS) for k in range(_CHECKS)]
    steps = train(networks, task.laws, task.points, request.updates, BATCH, seed=request.seed)
    moments = _in_turn(steps)
    for moment in moments:
        losses.append(moment.losses.numpy().reshape(rows, count, -1))
        seconds = time.perf_counter() - began
        cut = seconds > MOST_SECONDS
        run = replace(
            run, updates=moment.update, losses=np.concatenate(losses, 2), seconds=seconds, cut=cut,
            done=_TRAINED * moment.update / request.updates,
        )  # fmt: skip
        if moment.update >= due[0] or cut:
            due = [update for update in due if update > moment.update] or [request.updates]
            with TURNSTILE(), torch.no_grad():
                check = _check(task, networks, moment.update, _CHECKED)
                run = replace(run, checks=(*run.checks, check), samples=_samples(task, networks, request))
        yield run
        if cut:
            break
    moments.close()
    yield from _measured(run, networks, began)


def _in_turn(steps: Iterator) -> Iterator:
    while True:
        with TURNSTILE():
            moment = next(steps, None)
        if moment is None:
            return
        yield moment


def _measured(run: TrainingRun, networks: AngleNetworks, began: float) -> Iterator[TrainingRun]:
    """The run with its final likelihood, the error of the field, and the error against calls."""

    def shown(done: float, doing: str, **found) -> TrainingRun:
        return replace(run, done=done, doing=doing, seconds=time.perf_counter() - began, **found)

    task = run.task
    yield shown(_TRAINED, "Measuring the likelihood")
    with TURNSTILE(), torch.no_grad():
        check = _check(task, networks, run.updates, HELD_OUT)
    checks = (*(one for one in run.checks if one.update < run.updates), check)
    with TURNSTILE(), torch.no_grad():
        run = replace(run, checks=checks, field_error=_field_error(task, networks, run.request))
    yield shown(0.9, "Measuring samples against calls")
    rows, count = len(task.ways), run.request.seeds
    generator = torch.Generator().manual_seed(run.request.seed + 10_007)
    reference = task.law.sample(DRAWS, generator)
    start = torch.randn(DRAWS, 2, generator=generator)
    floors = [_distance(task.law.sample(DRAWS, generator), reference) for _ in range(_FLOORS)]
    error, exact, field = np.empty((rows, rows, count, len(CALLS))), np.empty((rows, len(CALLS))), exact_field(task.law)
    for k, steps in enumerate(CALLS):
        with TURNSTILE(), torch.no_grad():
            for along in range(rows):
                exact[along, k] = _distance(euler(field, task.ways[along][0], start.double(), steps), reference)
                for s in range(count):  # the networks of one seed together
                    mine = networks.only(list(range(s, rows * count, count)))
                    ends = euler(mine, task.ways[along][s], start.expand(rows, -1, -1), steps)
                    error[:, along, s, k] = [_distance(task.back(end, s), reference) for end in ends]
        if k + 1 < len(CALLS):
            yield shown(0.9 + 0.1 * sum(CALLS[: k + 1]) / sum(CALLS), "Measuring samples against calls")
    calls = Calls(error, exact, float(np.mean(floors)), float(np.std(floors, ddof=1)))
    yield shown(1.0, "", calls=calls)


def _distance(x: Tensor, y: Tensor) -> float:
    return sliced_w2(x, y, _DIRECTIONS)


def _check(task: Task, networks: AngleNetworks, update: int, most: int) -> Check:
    """Likelihoods per dimension on up to ``most`` held-out points and as many of those seen, less the true law's."""
    rows, count = len(task.ways), len(task.points)
    held, seen = task.held_out[:, :most], task.points[:, :most]
    both = torch.cat([held, seen], 1).float().repeat(rows, 1, 1)
    found = log_likelihood(networks.with_divergence, both).double().numpy().reshape(rows, count, -1) / 2
    split = held.shape[1]
    return Check(
        update,
        (task.truth[:, :split] - found[..., :split]).mean(-1),
        (task.truth_seen[:, : seen.shape[1]] - found[..., split:]).mean(-1),
    )


def _samples(task: Task, networks: AngleNetworks, request: TrainingRequest) -> NDArray[np.float32]:
    generator = torch.Generator().manual_seed(request.seed + 10_009)
    start = torch.randn(1, _SHOWN, 2, generator=generator)
    ends = [
        task.back(euler(networks.only([p * request.seeds]), row[0], start, CALLS[-1])[0], 0).numpy()
        for p, row in enumerate(task.ways)
    ]
    return np.stack(ends)


def _field_error(task: Task, networks: AngleNetworks, request: TrainingRequest) -> NDArray[np.float64]:
    generator = torch.Generator().manual_seed(request.seed + 10_037)
    y = task.law.sample(_ASKED, generator)
    eps = torch.randn(_ASKED, 2, generator=generator, dtype=y.dtype)
    rows, count = len(task.ways), request.seeds
    found = np.empty((rows, count, len(task.compared)))
    for s in range(count):
        exact, mine = exact_field(task.law_seen(s)), networks.only(list(range(s, rows * count, count)))
        seen = (y - task.centres[s]) / task.scales[s]
        for k, theta in enumerate(task.compared.tolist()):
            u = math.sin(theta) * seen + math.cos(theta) * eps
            learnt = mine(u.float().expand(rows, -1, -1), theta)
            found[:, s, k] = (learnt - exact(u, theta).float()).square().mean((1, 2)).numpy()
    return found
