"""Everything about one sample of a kept run, as it becomes known: what the run holds, then what asks the model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from torch import Tensor

from gensot_demo.backbones.base import Backbone
from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.measures import EnergyCurve, energy_curve

from ..asking import backbone_of
from ..compare import CompareResult, MethodResult
from ..film import Frame, film, moments_of, sample_of
from ..population import Genealogy, genealogy
from ..requests import CompareRequest
from ..zero_gpu import on_lent_gpu
from .guidance_term import GuidanceTerm, guidance_term, moments_with_noise, unguided_predictions
from .leaving import Leaving, Walk, leaving, sample_unguided, unguided_in, walk_of
from .neighbours import Neighbours, neighbours


@dataclass(frozen=True)
class Asking:
    """The model is being asked: share done, seconds, and how many more states it is asked about altogether."""

    done: float
    seconds: float
    states: int


@dataclass(frozen=True, eq=False)
class Inspection:
    """One sample: that of ``method`` in ``column`` of ``result``.

    frames: its film.  energies: by method, the energy curve of the sample from this seed alone, where there is one.
    neighbours: None where the model's pictures are not known.  genealogy: None without weighted particles.
    term, leaving: None as long as the model has not answered.  seconds: since the question.
    """

    result: CompareResult
    method: str
    column: int
    frames: list[Frame]
    energies: dict[str, EnergyCurve]
    neighbours: Neighbours | None
    genealogy: Genealogy | None
    term: GuidanceTerm | None = None
    leaving: Leaving | None = None
    seconds: float = 0.0

    @property
    def part(self) -> MethodResult:
        return self.result.methods[self.method]

    @property
    def complete(self) -> bool:
        return self.term is not None and self.leaving is not None


def inspect(result: CompareResult, method: str, column: int) -> Iterator[Inspection | Asking]:
    """What happened to one sample: an :class:`Inspection` of what the run holds, then :class:`Asking` while the model
    is asked, and last the complete one. The result is not changed.

    Raises InvalidRequest for a sample that is not there.
    """
    part, backbone = sample_of(result, method, column), result.backbone
    began = time.perf_counter()
    family = None if part.population is None else genealogy(part.population, part.index, column)
    known = Inspection(
        result,
        method,
        column,
        film(result, method, column),
        {name: own_energy(result, name, column) for name, other in result.methods.items() if other.energy is not None},
        neighbours(backbone, part.states[-1, column]),
        family,
        seconds=time.perf_counter() - began,
    )
    yield known
    walk, free = walk_of(part, column), unguided_in(result, part, column)
    slots = (0, {}) if part.population is None else part.population.slots(column)
    states = len(moments_with_noise(walk.grid, walk.index)) + (_steps(walk, part.sampler) if free is None else 0)
    for answer in _asked(result.request, walk, free is None, part.sampler, result.request.seeds[column], slots):
        if isinstance(answer, float):
            yield Asking(answer, time.perf_counter() - began, states)
        else:
            predictions, sampled = answer
    yield replace(
        known,
        term=_term(result, part, column, predictions),
        leaving=leaving(backbone, walk, free or sampled, sampled=free is None),
        seconds=time.perf_counter() - began,
    )


@on_lent_gpu
def _asked(
    request: CompareRequest, walk: Walk, sample: bool, sampler: str, seed: int, slots: tuple[int, dict[int, int]]
) -> Iterator[float | tuple[Tensor, Walk | None]]:
    """Shares done, then (unguided predictions along the way, the unguided way itself where it is to be sampled)."""
    backbone, way = backbone_of(request), None
    questions = len(moments_with_noise(walk.grid, walk.index))
    share = questions / (questions + (_steps(walk, sampler) if sample else 0))
    for predictions in unguided_predictions(backbone, walk.grid, walk.index, walk.states):
        if isinstance(predictions, float):
            yield share * predictions
    if sample:
        for way in sample_unguided(backbone, walk.grid, sampler, seed, slots):
            if isinstance(way, float):
                yield share + (1 - share) * way
    yield predictions, way


def _steps(walk: Walk, sampler: str) -> int:
    """Questions of one unguided sample along the same grid."""
    return (len(walk.grid) - 1) * SAMPLERS[sampler].calls_per_step


def own_energy(result: CompareResult, method: str, column: int) -> EnergyCurve:
    """The kinetic energy of one sample alone; the run's curve is the mean of these over its samples."""
    part, backbone = result.methods[method], result.backbone
    one = slice(column, column + 1)
    outside = backbone.dimension - backbone.oracle.dimension
    flow = not SAMPLERS[part.sampler].stochastic
    return energy_curve(part.grid, part.index, part.states[:, one], part.predicted[:, one], outside, flow)


def wanted_state(result: CompareResult, backbone: Backbone) -> Tensor | None:
    """The picture that is followed or to be restored as a state (d,) on the CPU, or None."""
    asked = result.asked
    if asked.truth is not None:
        return backbone.encode(asked.truth[None])[0].cpu()
    return asked.task.view_mean


def _term(result: CompareResult, part: MethodResult, column: int, predictions: Tensor) -> GuidanceTerm:
    backbone = result.backbone
    return guidance_term(
        backbone,
        part.levels,
        part.predicted[:, column],
        predictions,
        moments_with_noise(part.grid, part.index),
        part.states[-1, column],
        wanted_state(result, backbone),
        moments_of(part),
    )
