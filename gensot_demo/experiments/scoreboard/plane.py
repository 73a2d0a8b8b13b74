"""The Scoreboard's rows in the plane: a mixture of four modes, where every law asked for is known."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
import torch

from gensot_demo.experiments.drawing import smallest_share
from gensot_demo.experiments.law import effective_number
from gensot_demo.experiments.needs import checked, needs, thinking_time
from gensot_demo.experiments.planning import sampler_for
from gensot_demo.guidance.base import BoundMethod, GuidanceMethod, Task
from gensot_demo.guidance.population import select_one
from gensot_demo.guidance.wish import LinearView, Wish, view_of
from gensot_demo.transport.conductor import Job, run
from gensot_demo.transport.distances import w2_empirical
from gensot_demo.transport.grids import at_noise_levels, noise_levels
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.paths import CosinePath, PathPoints
from gensot_demo.transport.reference_law import ReferenceLaw, reference_law, weighted_law
from gensot_demo.transport.samplers import Sampler
from gensot_demo.transport.targets import Target, named_target

from .rows import Row
from .tasks import ScoreTask, Variant

LEVELS = (80.0, 0.01)
_LABEL = "label"
_VIEWED = (0.6, 0.4)
_MEASURED = 0.5  # the first coordinate
_ROWS_AT_ONCE = 40_000
_REPEATS = 4


class _NearACircle(Wish):
    """r(y) = -amount (|y| - 1)^2."""

    def __init__(self, amount: float):
        self.amount = amount

    def reward(self, y: torch.Tensor) -> torch.Tensor:
        return -self.amount * (torch.linalg.vector_norm(y, dim=1) - 1).square()


def _first_coordinate(noise: float) -> LinearView:
    return LinearView(lambda y: y[:, :1], torch.tensor([_MEASURED], dtype=torch.float64), noise, 2)


_WISHES = {"restore": _first_coordinate, "reward": _NearACircle}


@lru_cache(maxsize=1)
def target() -> Target:
    """The mixture of docs/FORMULAS.md 1.6."""
    return named_target("four_modes")


@lru_cache(maxsize=32)
def asked_of_the_plane(task: ScoreTask, level: float) -> tuple[Task, ReferenceLaw]:
    """(what methods are told, the law that is asked for)."""
    label = target().conditions[_LABEL]
    if task.name == "condition":
        classifier = partial(target().mixture.log_likelihoods, conditions=(label,))
        told = Task(conditions=(label,), trusts=(float(level),), joint=label, classifier=classifier)
        return told, reference_law(target(), ((_LABEL, float(level)),))
    if task.name in _WISHES:
        wish = _WISHES[task.name](level)
        return Task(wish=wish), weighted_law(target(), wish.reward)
    viewed = torch.tensor(_VIEWED, dtype=torch.float64)
    told = Task(references=(viewed,), reference_trusts=(1.0,), view_noise=level)
    return told, weighted_law(target(), view_of(viewed, 1 / level**2).reward)


def plane_row(task: ScoreTask, level: float, variant: Variant, steps: int, draws: int, budget: str) -> Row:
    """One method's row: W2 of its draws to the law, with floor and power."""
    told, law = asked_of_the_plane(task, level)
    method = variant.method
    row = Row("plane", task.name, level, method.name, method.label, budget, variant.setting, variant.value, steps)
    needed = needs(method, told)
    ready = needed if isinstance(needed, str) else checked(method, lambda: _way(method, told, steps))
    if isinstance(ready, str):
        return replace(row, failed=ready)
    particles, (sampler, grid) = needed.particles, ready
    mixture = target().mixture
    at_once = min(draws, max(1, _ROWS_AT_ONCE // particles))
    ends, seconds, calls, backwards, shares = [], 0.0, 0, 0, []
    for first in range(0, draws, at_once):
        blocks = tuple(range(first, min(first + at_once, draws)))
        noise = SharedNoise([first], 2, len(blocks) * particles)  # one stream, as many rows as there are particles
        bound = BoundMethod(method, told, blocks, mixture.covariance_trace() / 2)
        try:
            (trace,) = run(
                [Job(method.name, sampler, grid, noise, bound, thinking_time(method))], mixture, keep_every=1
            )
        except RuntimeError as error:
            return replace(row, failed=str(error))
        log_weights = trace.steps[-1].log_weights
        ends.append(trace.end[select_one(blocks, log_weights, particles)])
        calls, backwards = calls + trace.evaluations, backwards + trace.backwards
        seconds += trace.seconds
        shares.append(smallest_share(trace, len(blocks), particles))
    exact = [law.sample(draws, torch.Generator().manual_seed(1000 + k)) for k in range(_REPEATS)]
    distances = [w2_empirical(torch.cat(ends), fresh) for fresh in exact]
    floor = law.floor_and_power(draws)
    return replace(
        row, draws=draws, calls=calls / draws, backwards=backwards / draws, seconds=seconds / draws,
        statistic="W2", distance=float(np.mean(distances)), error=float(np.hypot(np.std(distances), floor.spread)),
        floor=floor.floor, spread=floor.spread, power=floor.power,
        effective=_modes(torch.cat(ends)), ideal=float(np.mean([_modes(fresh) for fresh in exact])),
        ess=min((share for share in shares if share is not None), default=None),
    )  # fmt: skip


def _way(method: GuidanceMethod, told: Task, steps: int) -> tuple[Sampler, PathPoints]:
    """The sampler and the grid of a method."""
    path = method.path(told, CosinePath())
    return sampler_for(method, told), at_noise_levels(path, noise_levels(steps, *LEVELS))


def _modes(points: torch.Tensor) -> float:
    """How many equally likely modes the draws are worth."""
    counts = torch.bincount(target().mode_of(points), minlength=len(target().modes)).double()
    return effective_number((counts / counts.sum()).numpy())
