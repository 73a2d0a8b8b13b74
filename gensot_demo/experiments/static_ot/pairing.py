"""Small flows trained live on differently paired noise and data: the run and what it measures.

Only the pairing differs between the networks of one seed: points, first weights, noise, points drawn and times are the
same (see :mod:`gensot_demo.transport.static_ot.paired_training`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.transport.distances import sliced_w2
from gensot_demo.transport.static_ot.paired_training import VelocityNetworks, few_calls, train_paired, travel
from gensot_demo.transport.static_ot.pairing import cost, crossing_share, swapped_share

from ..device import TURNSTILE
from ..turns import in_turn, retold
from .pairing_request import BATCH, PairingRequest, Task, at_hand, prepared

CALLS = (1, 2, 4, 8, 16, 32)
LINES = 80  # of pairs and of flow lines, shown and counted
MOST_SECONDS = 120.0  # of training: then what was learnt so far is measured

_CHECKS = 8
_DRAWS, _FLOORS, _DIRECTIONS = 2000, 8, 64
_TRAVELLERS = 1000
_STEPS, _SHOWN_STEPS = 48, 16  # of Runge-Kutta; pieces of a line that is shown
_PAIRED = 4096  # pairs of which costs are taken
_PREPARED, _TRAINED = 0.0625, 0.875  # of the progress bar


@dataclass(frozen=True, eq=False)
class Pairs:
    """What the networks are shown. lines (P, n, 2, 2): noise and its partner, of the first seed, the noise the same.
    cost: E|x_0 - y|^2, (P, S).  crossing, swapped (P, S): shares of two pairs that cross, that would be cheaper
    swapped."""

    lines: NDArray[np.float32]
    cost: NDArray[np.float64]
    crossing: NDArray[np.float64]
    swapped: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Learnt:
    """What the flows do. lines (P, n, K, 2), of the first seed, from the noise of the pairs shown; crossing: shares of
    two lines that cross.  energy int E|v|^2 dt, displacement E|x_1 - x_0|^2, straightness, length: see
    :class:`gensot_demo.transport.static_ot.paired_training.Travel`; (P, S) each."""

    lines: NDArray[np.float32]
    crossing: NDArray[np.float64]
    energy: NDArray[np.float64]
    displacement: NDArray[np.float64]
    straightness: NDArray[np.float64]
    length: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Calls:
    """error (P, S, K): sliced W2 of samples by CALLS[k] Euler steps to the data set; floor and its spread: of as many
    draws from the data set itself."""

    error: NDArray[np.float64]
    floor: float
    floor_spread: float


@dataclass(frozen=True, eq=False)
class PairingRun:
    """A run so far. losses (P, S, k): of every update.  doing: in words.  cut: training took too long."""

    request: PairingRequest
    task: Task | None = None
    pairs: Pairs | None = None
    updates: int = 0
    losses: NDArray[np.float32] | None = None
    learnt: Learnt | None = None
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
        return tuple(map(self.request.label, self.request.pairings))


def first_look(request: PairingRequest) -> PairingRun:
    """The pairs alone, where the maps are at hand; else nothing yet."""
    task = at_hand(request)
    return PairingRun(request, task, None if task is None else _pairs(request, task))


def run_pairing(request: PairingRequest) -> Iterator[PairingRun]:
    """Pair, train and measure; yields the run so far several times a second. The same request gives the same numbers,
    unless training took longer than two minutes and was cut."""
    began = time.perf_counter()
    run = PairingRun(request, doing="Finding the optimal map to the data set")
    yield run
    task = yield from retold(
        prepared(request), lambda share: replace(run, done=_PREPARED * share, seconds=time.perf_counter() - began)
    )
    rows, count = len(request.pairings), request.seeds
    networks = VelocityNetworks([request.seed + s for s in range(count)] * rows)
    with TURNSTILE():
        pairs = _pairs(request, task)
    run = PairingRun(
        request, task, pairs, parameters=networks.size, doing="Training", done=_PREPARED,
        seconds=time.perf_counter() - began,
    )  # fmt: skip
    yield run
    losses: list[NDArray[np.float32]] = []
    due = [round(request.updates * (k + 1) / _CHECKS) for k in range(_CHECKS)]
    steps = train_paired(networks, task.pairings(request), task.points, request.updates, BATCH, seed=request.seed)
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
            with TURNSTILE(), torch.no_grad():
                run = replace(run, learnt=_learnt(request, networks))
        yield run
        if cut:
            break
    moments.close()
    yield from _measured(run, networks, began)


def _start(request: PairingRequest, seed: int, count: int) -> Tensor:
    """Noise (count, 2) for measuring, the same for all pairings of a seed."""
    generator = torch.Generator().manual_seed(request.seed + seed + 10_007)
    return torch.randn(count, 2, generator=generator, dtype=torch.float64)


def _pairs(request: PairingRequest, task: Task) -> Pairs:
    rows, count = len(request.pairings), request.seeds
    lines, found = np.empty((rows, LINES, 2, 2), np.float32), np.empty((3, rows, count))
    pairings = task.pairings(request)
    for s in range(count):
        noise = _start(request, s, _PAIRED)
        generator = torch.Generator().manual_seed(request.seed + s + 10_009)
        drawn = task.points[s][torch.randint(request.points, (_PAIRED,), generator=generator)]
        for p in range(rows):
            partners = pairings[p][s](noise, drawn)
            shown = torch.stack([noise, partners], 1)[:LINES]
            exact = {"independent": 2.0 * noise.shape[1], "whole": task.least[s]}  # E|x|^2 + E|y|^2; W2^2
            found[:, p, s] = (
                exact.get(request.pairings[p], cost(noise, partners)),
                crossing_share(shown),
                swapped_share(noise[:BATCH], partners[:BATCH]),
            )
            if s == 0:
                lines[p] = shown.numpy()
    return Pairs(lines, *found)


def _learnt(request: PairingRequest, networks: VelocityNetworks) -> Learnt:
    rows, count = len(request.pairings), request.seeds
    start = torch.stack([_start(request, s, _TRAVELLERS) for s in range(count)]).float().repeat(rows, 1, 1)
    found = travel(networks, start, _STEPS)
    lines = found.lines[:, :LINES, :: _STEPS // _SHOWN_STEPS]
    numbers = (found.energy, found.displacement, found.straightness, found.length)
    return Learnt(
        lines[::count].numpy(),
        np.array([crossing_share(one.double()) for one in lines]).reshape(rows, count),
        *(part.double().numpy().reshape(rows, count) for part in numbers),
    )


def _measured(run: PairingRun, networks: VelocityNetworks, began: float) -> Iterator[PairingRun]:
    """The run with what its flows do at last, and their error against calls."""
    request, task = run.request, run.task
    rows, count = len(request.pairings), request.seeds
    with TURNSTILE(), torch.no_grad():
        learnt = _learnt(request, networks)
    run = replace(run, learnt=learnt, doing="Measuring samples against calls", done=_TRAINED)
    yield replace(run, seconds=time.perf_counter() - began)
    each = -(-_DRAWS // request.points)  # every point as often as every other: no draw of the data set
    clouds = [points.repeat(each, 1) for points in task.points]
    draws = len(clouds[0])
    start = torch.stack([_start(request, s, draws) for s in range(count)]).float().repeat(rows, 1, 1)
    generator = torch.Generator().manual_seed(request.seed + 10_037)
    floors = []
    for _ in range(_FLOORS):
        which = torch.randint(request.points, (draws,), generator=generator)
        floors.append(sliced_w2(task.points[0][which], clouds[0], _DIRECTIONS))
    error = np.empty((rows, count, len(CALLS)))
    for k, calls in enumerate(CALLS):
        with TURNSTILE(), torch.no_grad():
            ends = few_calls(networks, start, calls).reshape(rows, count, draws, 2)
            error[..., k] = [[sliced_w2(ends[p, s], clouds[s], _DIRECTIONS) for s in range(count)] for p in range(rows)]
        if k + 1 < len(CALLS):
            done = _TRAINED + (1 - _TRAINED) * (k + 1) / len(CALLS)
            yield replace(run, done=done, seconds=time.perf_counter() - began)
    calls = Calls(error, float(np.mean(floors)), float(np.std(floors, ddof=1)))
    yield replace(run, calls=calls, done=1.0, doing="", seconds=time.perf_counter() - began)
