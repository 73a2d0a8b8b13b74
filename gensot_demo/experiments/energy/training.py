"""Small flows trained live on several paths: the request, the run and what it measures.

Tests the claim of Shaul et al., arXiv 2306.06626, that kinetic-optimal paths generalise better and need fewer calls, in
two dimensions, where the true law is known. Only the path differs between the networks of one seed (see
:mod:`gensot_demo.transport.flow_training`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.transport.distances import sliced_w2
from gensot_demo.transport.flow_likelihood import exact_field, likelihood_steps
from gensot_demo.transport.flow_training import AngleNetworks, euler, train

from ..device import TURNSTILE
from ..turns import in_turn, retold
from .training_task import HELD_OUT, PATHS, Data, Task, TrainingRequest, data_of, prepared

CALLS = (2, 4, 8, 16, 32, 64)
BATCH = 256
DRAWS = 2000  # samples for the error against calls
MOST_SECONDS = 120.0  # of training: then what was learnt so far is measured

_CHECKS, _POINTS_CHECKED = 8, 250  # times that the likelihood is taken on the way; points of either kind
_SHOWN = 600
_FLOORS, _DIRECTIONS = 8, 64
_ASKED = 500  # states at which learnt and exact field are compared
_PREPARED, _TRAINED, _LIKELY = 0.05, 0.8, 0.9  # of the progress bar


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
    """A run so far. task: the data alone until their separation is known.  losses (P, S, k): of every update, each at
    its own path's angles.  checks: in order, the last one on all held-out points once the run is complete.  samples:
    (P, n, 2) of the first seed, 64 steps along its own path.  field_error (P, S, A): mean squared error of the learnt w
    per dimension at ``task.compared``.  doing: in words.  cut: training took too long and ended early.
    """

    request: TrainingRequest
    task: Data
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


def run_training(request: TrainingRequest) -> Iterator[TrainingRun]:
    """Train and measure; yields the run so far several times a second, with likelihood and samples at every eighth.

    The same request gives the same numbers, unless training took longer than two minutes and was cut.
    """
    began = time.perf_counter()
    run = TrainingRun(request, data_of(request), doing="Finding how the points part")
    yield run
    task = yield from retold(
        prepared(request, run.task),
        lambda share: replace(run, done=_PREPARED * share, seconds=time.perf_counter() - began),
    )
    rows, count = len(task.ways), request.seeds
    seeds = [request.seed + s for s in range(count)] * rows
    networks = AngleNetworks(seeds, task.separations * rows)
    run = TrainingRun(
        request, task, parameters=networks.size, doing="Training", done=_PREPARED, seconds=time.perf_counter() - began
    )
    yield run
    losses: list[NDArray[np.float32]] = []
    due = [round(request.updates * (k + 1) / _CHECKS) for k in range(_CHECKS)]
    steps = train(networks, task.laws, task.points, request.updates, BATCH, seed=request.seed)
    moments = in_turn(steps, learning=True)
    for moment in moments:
        losses.append(moment.losses.numpy().reshape(rows, count, -1))
        seconds = time.perf_counter() - began
        cut = seconds > MOST_SECONDS
        run = replace(
            run, updates=moment.update, losses=np.concatenate(losses, 2), seconds=seconds, cut=cut,
            done=_PREPARED + (_TRAINED - _PREPARED) * moment.update / request.updates,
        )  # fmt: skip
        if moment.update >= due[0] or cut:
            due = [update for update in due if update > moment.update] or [request.updates]
            going = run
            check = yield from retold(
                _checked(task, networks, moment.update, _POINTS_CHECKED),
                lambda _: replace(going, seconds=time.perf_counter() - began),  # noqa: B023
            )
            with TURNSTILE(), torch.no_grad():
                run = replace(run, checks=(*run.checks, check), samples=_samples(task, networks, request))
        yield run
        if cut:
            break
    moments.close()
    yield from _measured(run, networks, began)


def _measured(run: TrainingRun, networks: AngleNetworks, began: float) -> Iterator[TrainingRun]:
    """The run with its final likelihood, the error of the field, and the error against calls."""

    def shown(done: float, doing: str, **found) -> TrainingRun:
        return replace(run, done=done, doing=doing, seconds=time.perf_counter() - began, **found)

    task = run.task
    yield shown(_TRAINED, "Measuring the likelihood")
    check = yield from retold(
        _checked(task, networks, run.updates, HELD_OUT),
        lambda share: shown(_TRAINED + (_LIKELY - _TRAINED) * share, "Measuring the likelihood"),
    )
    checks = (*(one for one in run.checks if one.update < run.updates), check)
    run = replace(run, checks=checks, field_error=_field_error(task, networks, run.request))
    yield shown(_LIKELY, "Measuring samples against calls")
    rows, count = len(task.ways), run.request.seeds
    generator = torch.Generator().manual_seed(run.request.seed + 10_007)
    reference = task.law.sample(DRAWS, generator)
    start = torch.randn(DRAWS, 2, generator=generator)
    floors = [_distance(task.law.sample(DRAWS, generator), reference) for _ in range(_FLOORS)]
    error, exact, field = np.empty((rows, rows, count, len(CALLS))), np.empty((rows, len(CALLS))), exact_field(task.law)
    for k, steps in enumerate(CALLS):
        for along in range(rows):
            with TURNSTILE(), torch.no_grad():
                exact[along, k] = _distance(euler(field, task.ways[along][0], start.double(), steps), reference)
            for s in range(count):  # the networks of one seed together
                with TURNSTILE(), torch.no_grad():
                    mine = networks.only(list(range(s, rows * count, count)))
                    ends = euler(mine, task.ways[along][s], start.expand(rows, -1, -1), steps)
                    error[:, along, s, k] = [_distance(task.back(end, s), reference) for end in ends]
            at = (sum(CALLS[:k]) + steps * (along + 1) / rows) / sum(CALLS)
            if at < 1:
                yield shown(_LIKELY + (1 - _LIKELY) * at, "Measuring samples against calls")
    calls = Calls(error, exact, float(np.mean(floors)), float(np.std(floors, ddof=1)))
    yield shown(1.0, "", calls=calls)


def _distance(x: Tensor, y: Tensor) -> float:
    return sliced_w2(x, y, _DIRECTIONS)


def _checked(task: Task, networks: AngleNetworks, update: int, most: int) -> Generator[float, None, Check]:
    """Likelihoods per dimension on up to ``most`` held-out points and as many of those seen, less the true law's.
    A turn on the device is one step of the integrator."""
    rows, count = len(task.ways), len(task.points)
    held, seen = task.held_out[:, :most], task.points[:, :most]
    both = torch.cat([held, seen], 1).float().repeat(rows, 1, 1)
    found = yield from in_turn(likelihood_steps(networks.with_divergence, both))
    found = found.double().numpy().reshape(rows, count, -1) / 2
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
        with TURNSTILE(), torch.no_grad():
            for k, theta in enumerate(task.compared.tolist()):
                u = math.sin(theta) * seen + math.cos(theta) * eps
                learnt = mine(u.float().expand(rows, -1, -1), theta)
                found[:, s, k] = (learnt - exact(u, theta).float()).square().mean((1, 2)).numpy()
    return found
