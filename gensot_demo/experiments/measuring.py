"""Extra draws of every method against the exact law, for backbones whose law is known."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gensot_demo.guidance.population import select_one
from gensot_demo.transport.conductor import Trace, conduct

from . import limits
from .asking import ask_for, backbone_of, picture_order
from .device import TURNSTILE
from .law import LawReport, Verdict, assess, verdict
from .planning import plans_of, require_affordable
from .requests import CompareRequest, InvalidRequest
from .zero_gpu import on_lent_gpu


@dataclass(frozen=True)
class Measured:
    """Extra draws against the exact law, so far: reports by method name, the share of draws done, seconds."""

    reports: dict[str, LawReport]
    verdict: Verdict
    done: float
    seconds: float
    draws: int


_DRAWS_AT_ONCE = 64
_STATES_AT_ONCE = 512


@on_lent_gpu
def measure(request: CompareRequest, draws: int) -> Iterator[Measured]:
    """Draw ``draws`` samples of every method and compare their frequencies with the exact law; yields as it goes.

    Seeds go on behind those of the request, the same for all methods. Raises InvalidRequest for a bad number of draws.
    """
    if not isinstance(draws, int) or not limits.MIN_DRAWS <= draws <= limits.MAX_DRAWS:
        raise InvalidRequest(
            f"Draws is {draws!r}; it must be a whole number from {limits.MIN_DRAWS} to {limits.MAX_DRAWS}."
        )
    began = time.perf_counter()
    backbone = backbone_of(request)
    if not backbone.info.exact:
        raise InvalidRequest(f"{backbone.info.label} has no known law to measure against; choose an exact backbone.")
    asked = ask_for(request, backbone)
    order = picture_order(backbone)
    labels = {choice.name: choice.method().label for choice in request.methods}
    drawn: dict[str, list[NDArray[np.intp]]] = {}
    calls: dict[str, float] = {}
    plans, _ = plans_of(request, asked, backbone, (request.seed,))
    require_affordable(request, plans, draws, limits.MAX_MEASURED)
    at_once = max(1, _STATES_AT_ONCE // max(plan.particles for plan in plans))
    done = 0
    while done < draws:
        size = min(_DRAWS_AT_ONCE, at_once, draws - done)
        first = request.seed + done
        plans, _ = plans_of(request, asked, backbone, tuple(range(first, first + size)))
        traces: list[Trace] = []
        for moment in conduct(
            [plan.job for plan in plans], backbone.oracle, turn=TURNSTILE, keep_every=request.steps + 1
        ):
            traces = moment.traces
        done += size
        for plan, trace in zip(plans, traces, strict=True):
            if trace.finished:
                rows = select_one(plan.job.noise.seeds, trace.steps[-1].log_weights, plan.particles)
                drawn.setdefault(trace.name, []).append(backbone.oracle.nearest(trace.end[rows])[0].numpy())
                calls[trace.name] = (trace.evaluations + trace.backwards) / size
        reports = {name: assess(asked.law, np.concatenate(parts), order) for name, parts in drawn.items()}
        said = verdict({name: labels[name] for name in reports}, reports, calls)
        yield Measured(reports, said, done / draws, time.perf_counter() - began, done)
