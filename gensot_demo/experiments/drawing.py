"""Many samples of every method of a request, in chunks: what measuring, the Scoreboard and its benchmark draw from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gensot_demo.backbones.base import Backbone
from gensot_demo.guidance.population import effective_sample_size, select_one
from gensot_demo.transport.conductor import Trace, conduct

from . import limits
from .asking import Asked
from .device import TURNSTILE
from .planning import Plan, plans_of, require_affordable
from .requests import CompareRequest

_DRAWS_AT_ONCE = 64
_STATES_AT_ONCE = 512
_KEPT = 8  # moments at which the weights are looked at


@dataclass(frozen=True)
class Cost:
    """Of one delivered sample: forward and backward passes, seconds of its own and of joint forwards; ess: smallest
    effective share of the weighted particles on the way, or None."""

    calls: float
    backwards: float
    seconds: float
    ess: float | None = None


@dataclass(frozen=True)
class Drawn:
    """One method's delivered end states (n, d) of one chunk, and what they cost."""

    states: Tensor
    cost: Cost


def draw(
    request: CompareRequest, draws: int, asked: Asked, backbone: Backbone
) -> Iterator[tuple[int, dict[str, Drawn]]]:
    """(samples of this chunk, what each method that can do the task has made of them), until there are ``draws``.

    Seeds go on behind those of the request, the same for all methods. A method that fails is missing from the chunk.
    """
    plans, _ = plans_of(request, asked, backbone, (request.seed,))
    require_affordable(request, plans, draws, limits.MAX_MEASURED)
    at_once = max(1, min(_DRAWS_AT_ONCE, _STATES_AT_ONCE // max(plan.particles for plan in plans)))
    for done in range(0, draws, at_once):
        size = min(at_once, draws - done)
        first = request.seed + done
        plans, _ = plans_of(request, asked, backbone, tuple(range(first, first + size)))
        jobs = [plan.job for plan in plans]
        traces: list[Trace] = []
        for moment in conduct(
            jobs, backbone.oracle, turn=TURNSTILE, keep_every=max(1, request.steps // _KEPT), max_rows=backbone.max_rows
        ):
            traces = moment.traces
        yield size, {plan.job.name: _drawn(plan, t, size) for plan, t in zip(plans, traces, strict=True) if t.finished}


def _drawn(plan: Plan, trace: Trace, size: int) -> Drawn:
    log_weights = trace.steps[-1].log_weights
    rows = select_one(plan.job.noise.seeds, log_weights, plan.particles)
    ess = smallest_share(trace, size, plan.particles)
    cost = Cost(trace.evaluations / size, trace.backwards / size, trace.seconds / size, ess)
    return Drawn(trace.end[rows], cost)


def smallest_share(trace: Trace, blocks: int, particles: int) -> float | None:
    """Smallest effective share of particles at a recorded step, mean over samples, or None without weights."""
    weighted = [step.log_weights for step in trace.steps if step.log_weights is not None]
    weighted = [w for w in weighted if not bool(torch.isinf(w).any())]  # one was chosen, none was weighed
    if particles == 1 or not weighted:
        return None
    return min(float(effective_sample_size(w, blocks).mean()) / particles for w in weighted)


def mean_cost(costs: list[Cost], sizes: list[int]) -> Cost:
    """The mean over chunks of these sizes."""
    share = torch.tensor(sizes, dtype=torch.float64) / sum(sizes)

    def mean(name: str) -> float:
        return float(share @ torch.tensor([getattr(cost, name) for cost in costs], dtype=torch.float64))

    ess = None if any(cost.ess is None for cost in costs) else mean("ess")
    return Cost(mean("calls"), mean("backwards"), mean("seconds"), ess)
