"""Run a failure: its variants one after the other, what else it measures, and the evidence."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from threading import Lock
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from .. import limits
from ..compare import CompareResult, Update, compare
from ..plane.run import Panel, Progress, TransportResult, transport
from ..requests import CompareRequest, InvalidRequest, one_of
from .catalogue import FAILURES
from .failure import Evidence, Failure, Finished, Variant

_KEPT = 10
DEFAULT_SEED = 7


class FailureRequest(BaseModel):
    """A failure by name, on the noise of a seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    seed: Annotated[int, Field(ge=0, le=limits.MAX_SEED - limits.MAX_DRAWS, title="Seed")] = DEFAULT_SEED

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        return one_of("Failure mode", name, FAILURES)

    @property
    def failure(self) -> Failure:
        return FAILURES[self.name]


@dataclass(frozen=True, eq=False)
class FailureUpdate:
    """A moment of a run: what is being done, the share done, seconds; the variants that are finished, why others ended
    early, and (name, pictures (samples, res, res, 3)) of the one that runs, or None."""

    doing: str
    done: float
    seconds: float
    variants: tuple[Variant, ...]
    finished: Finished
    running: tuple[str, NDArray[np.uint8]] | None = None


@dataclass(frozen=True, eq=False)
class FailureResult:
    """A failure as it was run: the variants' results and what their numbers say."""

    request: FailureRequest
    variants: tuple[Variant, ...]
    finished: Finished
    evidence: Evidence
    seconds: float

    @property
    def transport(self) -> TransportResult | None:
        """The variants in the plane as the panels of one transport, None where there are none."""
        return joined(self.variants, self.finished)


def joined(variants: tuple[Variant, ...], finished: Finished) -> TransportResult | None:
    """The finished transports as one with a panel for each, called by the variant's label."""
    found = [(variant, finished.results.get(variant.name)) for variant in variants]
    moved = [(variant, r) for variant, r in found if isinstance(r, TransportResult)]
    if not moved:
        return None
    panels = tuple(_called(r.panels[0], variant) for variant, r in moved)
    return replace(moved[0][1], panels=panels)


def _called(panel: Panel, variant: Variant) -> Panel:
    return replace(panel, name=variant.name, method=replace(panel.method, label=variant.label), setting="")


def run_failure(request: FailureRequest) -> Iterator[FailureUpdate | FailureResult]:
    """Yields :class:`FailureUpdate` and last a :class:`FailureResult`; closing the iterator stops the run.

    A variant that breaks down is part of what is shown: its reason stands in ``finished.errors``.
    """
    known = _RESULTS.get(request)
    if known is not None:
        yield known
        return
    began = time.perf_counter()
    failure = request.failure
    variants = failure.variants(request.seed)
    total = len(variants) + (failure.more is not None)
    results: dict[str, CompareResult | TransportResult] = {}
    errors: dict[str, str] = {}
    more: Any = None

    def update(doing: str, part: float, pictures: tuple[str, NDArray[np.uint8]] | None = None) -> FailureUpdate:
        done = (len(results) + len(errors) + part) / total
        finished = Finished(request.seed, dict(results), dict(errors))
        return FailureUpdate(doing, done, time.perf_counter() - began, variants, finished, pictures)

    for variant in variants:
        yield update(variant.label, 0.0)
        try:
            for moment in _run(variant):
                match moment:
                    case Update():
                        yield update(variant.label, moment.done, (variant.name, next(iter(moment.pictures.values()))))
                    case Progress():
                        yield update(variant.label, moment.done)
                    case _:
                        results[variant.name] = moment
        except InvalidRequest as error:
            errors[variant.name] = str(error)
    for moment in failure.more(request.seed) if failure.more else ():
        if isinstance(moment, float):
            yield update("Measuring", moment)
        else:
            more = moment
    evidence = failure.look(Finished(request.seed, results, errors, more))
    finished = Finished(request.seed, {name: _without_history(result) for name, result in results.items()}, errors)
    result = FailureResult(request, variants, finished, evidence, time.perf_counter() - began)
    _RESULTS.keep(result)
    yield result


def _without_history(result: CompareResult | TransportResult) -> CompareResult | TransportResult:
    """A comparison with the ends of its samples alone: ways of all failures together would fill the memory."""
    if isinstance(result, TransportResult):
        return result
    parts = {
        name: replace(part, states=part.states[-1:].clone(), predicted=part.predicted[-1:].clone())
        for name, part in result.methods.items()
    }
    return replace(result, methods=parts)


def _run(variant: Variant) -> Iterator[Any]:
    if isinstance(variant.request, CompareRequest):
        yield from compare(variant.request)
    else:
        yield from transport(variant.request)


class _Results:
    """The latest results, so that going back to a failure takes no time; bounded, oldest out first. Thread-safe."""

    def __init__(self) -> None:
        self._kept: OrderedDict[FailureRequest, FailureResult] = OrderedDict()
        self._guard = Lock()

    def get(self, request: FailureRequest) -> FailureResult | None:
        with self._guard:
            if request in self._kept:
                self._kept.move_to_end(request)
            return self._kept.get(request)

    def keep(self, result: FailureResult) -> None:
        with self._guard:
            self._kept[result.request] = result
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        with self._guard:
            self._kept.clear()


_RESULTS = _Results()
