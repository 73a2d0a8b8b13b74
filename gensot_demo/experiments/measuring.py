"""Extra draws of every method against the exact law, for backbones whose law is known."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import limits
from .asking import ask_for, backbone_of, picture_order
from .drawing import Cost, draw, mean_cost
from .law import LawReport, Verdict, assess, verdict
from .requests import CompareRequest, InvalidRequest
from .zero_gpu import on_lent_gpu


@dataclass(frozen=True)
class Measured:
    """Extra draws against the exact law, so far: reports and costs by method name, the share of draws done, seconds."""

    reports: dict[str, LawReport]
    verdict: Verdict
    done: float
    seconds: float
    draws: int
    costs: dict[str, Cost]


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
    costs: dict[str, list[Cost]] = {}
    done = 0
    for size, chunk in draw(request, draws, asked, backbone):
        for name, part in chunk.items():
            drawn.setdefault(name, []).append(backbone.nearest(part.states)[0].cpu().numpy())
            costs.setdefault(name, []).append(part.cost)
        done += size
        reports = {name: assess(asked.law, np.concatenate(parts), order) for name, parts in drawn.items()}
        spent = {name: mean_cost(costs[name], [len(part) for part in drawn[name]]) for name in reports}
        calls = {name: cost.calls + cost.backwards for name, cost in spent.items()}
        said = verdict({name: labels[name] for name in reports}, reports, calls)
        yield Measured(reports, said, done / draws, time.perf_counter() - began, done, spent)
