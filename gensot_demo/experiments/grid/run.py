"""A grid of settings: what it will cost, and the run behind the page, the API and the command line."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from gensot_demo.backbones.catalogue import EMBEDDED
from gensot_demo.backbones.errors import BackboneUnavailable
from gensot_demo.experiments import limits, links
from gensot_demo.experiments.asking import ask_for, backbone_of
from gensot_demo.experiments.needs import needs
from gensot_demo.experiments.requests import CompareRequest, InvalidRequest
from gensot_demo.experiments.speed import milliseconds_a_call
from gensot_demo.experiments.zero_gpu import lent_by_call
from gensot_demo.guidance.base import Task
from gensot_demo.guidance.wish import Wish
from gensot_demo.transport.catalogue import SAMPLERS

from .joined import Cell, calls_of, joined, question_of
from .request import GridRequest

_LAST_PACE: dict[tuple[str, int], float] = {}  # seconds a call, by model and resolution
_TELLING = 100  # calls, below which a pace says little


@dataclass(frozen=True)
class Estimate:
    """What a grid will cost: cells, and distinct ones where some are equal; model calls, forward and backward; seconds
    as this machine was measured, or None where the model is not loaded or was not measured."""

    cells: int
    distinct: int
    calls: int
    seconds: float | None

    @property
    def sentence(self) -> str:
        """``24 cells, 2,880 calls of the model, about 9 s``."""
        same = f" ({self.distinct} different)" if self.distinct < self.cells else ""
        cells = f"{self.cells} cell{'s' if self.cells > 1 else ''}{same}"
        if self.seconds is None:
            return f"{cells}, {self.calls:,} calls of the model; its speed is not known before it is loaded."
        took = f"{max(self.seconds, 1):.0f} s" if self.seconds < 90 else f"{self.seconds / 60:.0f} min"
        return f"{cells}, {self.calls:,} calls of the model, about {took}."


@dataclass(frozen=True, eq=False)
class GridUpdate:
    """A moment of a running grid, by the numbers of the cells: those that have just ended, what others predict now
    (samples, s, s, 3), the share done, and seconds."""

    cells: dict[int, Cell]
    previews: dict[int, NDArray[np.uint8]]
    done: float
    seconds: float


@dataclass(frozen=True, eq=False)
class GridResult:
    """A finished grid: its request and a cell for each of ``request.cells``."""

    request: GridRequest
    cells: tuple[Cell, ...]
    seconds: float

    @property
    def nbytes(self) -> int:
        """What its pictures hold in memory."""
        return sum(0 if cell.pictures is None else cell.pictures.nbytes for cell in self.cells)


class _Unread(Wish):
    """Stands for a wish whose model is not loaded: what is asked counts, what it says does not."""

    def reward(self, y: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError("a wish that is only counted has no reward.")


def estimate(request: GridRequest, limited: bool = True) -> Estimate:
    """What a grid will cost; loads no large model.

    Raises InvalidRequest where it would ask the model too much, if it is ``limited`` to what one machine does soon.
    """
    tasks: dict[str, Task | None] = {}
    calls: dict[tuple[str, int], int] = {}
    groups = distinct(request)
    for model, cells in groups.items():
        calls[model] = sum(_calls(cell, tasks) for cell in cells)
        if limited and model[0] in EMBEDDED:
            _require_affordable(calls[model], backbone_of(cells[0]).max_states)
    seconds = None
    if all(name in EMBEDDED for name, _ in groups) and not lent_by_call():
        seconds = sum(calls[model] * _seconds_a_call(cells[0]) for model, cells in groups.items())
    return Estimate(request.size, sum(map(len, groups.values())), sum(calls.values()), seconds)


def _seconds_a_call(cell: CompareRequest) -> float:
    """As the last grid on this model took, or as a small forward takes while there was none."""
    model = (cell.backbone, cell.resolution)
    return _LAST_PACE[model] if model in _LAST_PACE else milliseconds_a_call(backbone_of(cell)) / 1e3


def _require_affordable(calls: int, one_run: int) -> None:
    most = limits.GRID_RUNS * one_run
    if calls > most:
        raise InvalidRequest(
            f"This grid would ask the model about {calls:,} states; at most {most:,} are allowed. "
            "Take fewer values, steps, samples or particles."
        )


def distinct(request: GridRequest) -> dict[tuple[str, int], list[CompareRequest]]:
    """The different cells by their model and resolution: what is expensive to change comes first, so that nothing
    expensive is done twice. A setting that a method does not have makes equal cells."""
    costs = [(choice, choice.axis.cost) for choice in request.chosen]
    order = [choice for choice, _ in sorted(costs, key=lambda item: item[1])]
    places = ("z", "y", "x")
    outermost = [places.index(next(p for p in places if getattr(request, p) is choice)) for choice in order]

    def rank(number: int) -> tuple[int, ...]:
        place = request.place(number)
        return tuple(place[axis] for axis in outermost)

    groups: dict[tuple[str, int], dict[str, CompareRequest]] = {}
    for number in sorted(range(request.size), key=rank):
        cell = request.cells[number]
        groups.setdefault((cell.backbone, cell.resolution), {}).setdefault(_text(cell), cell)
    return {model: list(cells.values()) for model, cells in groups.items()}


def _text(cell: CompareRequest) -> str:
    """The same for equal cells of one grid."""
    return links.to_query(cell)[0]


def _calls(cell: CompareRequest, tasks: dict[str, Task | None]) -> int:
    """Calls of one cell; 0 where its question cannot be asked."""
    question = question_of(cell)
    if question not in tasks:
        tasks[question] = _task(cell)
    task = tasks[question]
    needed = "" if task is None else needs(cell.methods[0].method(), task)
    return 0 if isinstance(needed, str) else calls_of(cell, needed.particles, needed.calls)


def _task(cell: CompareRequest) -> Task | None:
    """What is asked of an embedded model; of another, what is known of the question before it is loaded."""
    if cell.backbone in EMBEDDED:
        try:
            return ask_for(cell, backbone_of(cell), with_law=False).task
        except InvalidRequest:
            return None
    count = len(cell.conditions)
    return Task(
        conditions=(0,) * count,
        joint=0 if count else None,
        trusts=tuple(cell.strength * choice.trust for choice in cell.conditions),
        references=tuple(torch.zeros(1) for _ in cell.references),
        reference_trusts=tuple(choice.trust for choice in cell.references),
        view_noise=cell.view_noise,
        stochastic=SAMPLERS[cell.sampler].stochastic,
        wish=_Unread() if cell.restore or cell.reward else None,
    )


def run_grid(request: GridRequest) -> Iterator[GridUpdate | GridResult]:
    """Run a grid; yields :class:`GridUpdate` as cells end, and last a :class:`GridResult`.

    Closing the iterator stops the run within one forward. A cell that cannot be made holds its reason; the others go
    on. Raises InvalidRequest with a sentence for a grid that asks too much.
    """
    began = time.perf_counter()
    total = max(estimate(request).calls, 1)
    numbers: dict[str, list[int]] = {}
    for number, cell in enumerate(request.cells):
        numbers.setdefault(_text(cell), []).append(number)
    cells: dict[int, Cell] = {}
    behind = 0.0
    for model, group in distinct(request).items():
        places = [numbers[_text(cell)] for cell in group]
        calls, started = 0.0, time.perf_counter()
        for found, previews, calls in _group(group, model[0]):
            ended = {number: cell for at, cell in found.items() for number in places[at]}
            cells |= ended
            shown = {number: pictures for at, pictures in previews.items() for number in places[at]}
            done = min((behind + calls) / total, 1.0)
            yield GridUpdate(ended, shown, done, time.perf_counter() - began)
        behind += calls
        if calls > _TELLING:
            _LAST_PACE[model] = (time.perf_counter() - started) / calls
    yield result_of(request, {_text(request.cells[n]): cell for n, cell in cells.items()}, time.perf_counter() - began)


def result_of(request: GridRequest, cells: Mapping[str, Cell], seconds: float) -> GridResult:
    """The grid whose cells were made somehow, by their queries; one that is missing says so."""
    missing = Cell(request.base, reason="It is not made yet.")
    found = (replace(cells.get(_text(cell), missing), request=cell) for cell in request.cells)
    return GridResult(request, tuple(found), seconds)


def _group(
    group: Sequence[CompareRequest], name: str
) -> Iterator[tuple[dict[int, Cell], dict[int, NDArray[np.uint8]], float]]:
    """(cells that ended, previews, calls behind) of all cells on one model."""
    try:
        if name not in EMBEDDED:
            tasks: dict[str, Task | None] = {}
            _require_affordable(sum(_calls(cell, tasks) for cell in group), backbone_of(group[0]).max_states)
        for moment in joined(*group):
            yield moment.cells, moment.previews, moment.calls
    except (InvalidRequest, BackboneUnavailable) as error:
        yield {at: Cell(cell, reason=str(error)) for at, cell in enumerate(group)}, {}, 0.0
