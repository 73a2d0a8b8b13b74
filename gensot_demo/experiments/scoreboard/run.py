"""All rows of a task, one after the other: at equal steps, and at equal network calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from gensot_demo.experiments import limits
from gensot_demo.experiments.asking import ask_for, backbone_of
from gensot_demo.experiments.needs import Needs, needs
from gensot_demo.guidance.base import Task

from .pictures import Judging, picture_rows
from .plane import asked_of_the_plane, plane_row
from .rows import Row
from .tasks import BUDGETS, FEWEST_STEPS, STEPS, ScoreTask, Variant, variants

_DRAWS = {"plane": 500, "collection": 112, "network": 64}
_FEW = 32  # where a network answers with gradients, repeats and populations
SMALL_DRAWS = {"plane": 200, "collection": 64, "network": 16}


def draws_of(task: ScoreTask) -> int:
    """How many samples a method delivers for one row of the shipped Scoreboard."""
    return _FEW if task.backbone == "network" and task.name != "condition" else _DRAWS[task.backbone]


def rows_of(
    task: ScoreTask,
    *,
    draws: int,
    known: Mapping[tuple, Row] | None = None,
    levels: Sequence[float] | None = None,
    budgets: Sequence[str] = BUDGETS,
    judging: Judging | None = None,
) -> Iterator[Row]:
    """The rows of a task that are not among those ``known`` by their keys, as they come.

    A method whose step is one call does the same at equal calls as at equal steps: that row is not drawn twice.
    """
    there = dict(known or {})
    for level in levels or task.levels:
        for budget in budgets:
            wanted = [v for v in variants(task) if _key(task, level, v, budget) not in there]
            for steps, group in _groups(task, level, wanted, budget):
                same = {v: there.get(_key(task, level, v, "steps")) for v in group if steps == STEPS[task.backbone]}
                fresh = [v for v in group if same.get(v) is None]
                yield from (replace(row, budget=budget) for row in same.values() if row is not None)
                for row in _drawn(task, level, fresh, steps, draws, budget, judging):
                    there[row.key] = row
                    yield row


def _drawn(
    task: ScoreTask,
    level: float,
    group: Sequence[Variant],
    steps: int,
    draws: int,
    budget: str,
    judging: Judging | None,
) -> Iterator[Row]:
    if steps < FEWEST_STEPS:
        yield from (_too_dear(task, level, variant, budget) for variant in group)
    elif task.backbone == "plane":
        yield from (plane_row(task, level, variant, steps, draws, budget) for variant in group)
    elif group:
        yield from picture_rows(task, level, group, steps, draws, budget, judging)


def _key(task: ScoreTask, level: float, variant: Variant, budget: str) -> tuple:
    return Row(task.backbone, task.name, level, variant.method.name, "", budget, variant.setting, variant.value).key


def _groups(task: ScoreTask, level: float, wanted: list[Variant], budget: str) -> Iterator[tuple[int, list[Variant]]]:
    """(steps, different methods that can run together), covering all that is wanted."""
    told = _told(task, level)
    most = STEPS[task.backbone]
    alike: dict[tuple[int, int], list[Variant]] = {}
    for variant in wanted:
        needed = needs(variant.method, told)
        able = isinstance(needed, Needs)  # else its row will say why not
        steps = min(most, round(most / needed.passes)) if able and budget == "calls" else most
        alike.setdefault((steps, needed.particles if able else 1), []).append(variant)
    for (steps, _), some in sorted(alike.items(), key=lambda item: item[0]):
        while some:
            names = [variant.method.name for variant in some]
            group = [v for n, v in enumerate(some) if v.method.name not in names[:n]][: limits.MAX_METHODS]
            some = [variant for variant in some if variant not in group]
            yield steps, group


@lru_cache(maxsize=32)
def _told(task: ScoreTask, level: float) -> Task:
    if task.backbone == "plane":
        return asked_of_the_plane(task, level)[0]
    request = task.request(level, tuple(variant.choice for variant in list(variants(task))[:1]), STEPS[task.backbone])
    return ask_for(request, backbone_of(request)).task


def _too_dear(task: ScoreTask, level: float, variant: Variant, budget: str) -> Row:
    method = variant.method
    passes = needs(method, _told(task, level)).passes
    reason = f"{STEPS[task.backbone]} calls are too few: one step costs {passes}."
    return Row(
        task.backbone, task.name, level, method.name, method.label, budget, variant.setting, variant.value,
        failed=reason,
    )  # fmt: skip
