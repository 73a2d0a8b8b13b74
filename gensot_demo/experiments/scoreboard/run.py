"""All rows of a task, group by group: at equal steps, and at equal network calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain

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


@dataclass(frozen=True)
class Group:
    """Rows of one question that are drawn together on the same noise; picklable, and what a sweep hands out.

    members: different methods.  budget: what their rows stand for.  twice: names of those whose step is one call, so
    that the row at equal steps is the row at equal calls as well.
    """

    task: ScoreTask
    level: float
    members: tuple[Variant, ...]
    steps: int
    draws: int
    budget: str
    twice: tuple[str, ...] = ()

    def rows(self, judging: Judging | None = None) -> Iterator[Row]:
        """Draw them."""
        for row in self._drawn(judging):
            yield from self.counted(row)

    def counted(self, row: Row) -> list[Row]:
        """A drawn row under each budget that it counts for."""
        return [row, replace(row, budget="calls")] if row.method in self.twice else [row]

    def key(self, variant: Variant) -> tuple:
        """Of a member's row, see :attr:`Row.key`."""
        return self._bare(variant).key

    def failed(self, reason: str) -> list[Row]:
        """All its rows without a result."""
        return [row for v in self.members for row in self.counted(replace(self._bare(v), failed=reason))]

    def _bare(self, variant: Variant) -> Row:
        task, method = self.task, variant.method
        named = (task.backbone, task.name, self.level, method.name, method.label, self.budget)
        return Row(*named, variant.setting, variant.value)

    def _drawn(self, judging: Judging | None) -> Iterator[Row]:
        if self.steps < FEWEST_STEPS:
            for variant in self.members:
                passes = needs(variant.method, _told(self.task, self.level)).passes
                reason = f"{STEPS[self.task.backbone]} calls are too few: one step costs {passes}."
                yield replace(self._bare(variant), failed=reason)
        elif self.task.backbone == "plane":
            for variant in self.members:
                yield plane_row(self.task, self.level, variant, self.steps, self.draws, self.budget)
        else:
            yield from picture_rows(self.task, self.level, self.members, self.steps, self.draws, self.budget, judging)


def groups(
    task: ScoreTask, *, draws: int, levels: Sequence[float] | None = None, budgets: Sequence[str] = BUDGETS
) -> Iterator[Group]:
    """All rows of a task in groups; whatever is known already, they are the same."""
    for level in levels or task.levels:
        at_once = [v for v in variants(task) if _steps(task, level, v, "calls") == STEPS[task.backbone]]
        both = set(BUDGETS) <= set(budgets)
        for budget in budgets:
            own = [v for v in variants(task) if not (both and budget == "calls" and v in at_once)]
            for steps, members in _together(task, level, own, budget):
                twice = tuple(v.method.name for v in members if both and v in at_once)
                yield Group(task, level, tuple(members), steps, draws, budget, twice)


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
    for group in groups(task, draws=draws, levels=levels, budgets=budgets):
        had = [there[group.key(v)] for v in group.members if group.key(v) in there]
        fresh = replace(group, members=tuple(v for v in group.members if group.key(v) not in there))
        for row in chain(*map(group.counted, had), fresh.rows(judging) if fresh.members else ()):
            if row.key not in there:
                there[row.key] = row
                yield row


def _together(task: ScoreTask, level: float, wanted: list[Variant], budget: str) -> Iterator[tuple[int, list[Variant]]]:
    """(steps, different methods that run together), covering all that is wanted; one by one in the plane, where no
    forward is shared."""
    most = 1 if task.backbone == "plane" else limits.MAX_METHODS
    alike: dict[tuple[int, int], list[Variant]] = {}
    for variant in wanted:
        needed = needs(variant.method, _told(task, level))
        particles = needed.particles if isinstance(needed, Needs) else 1
        alike.setdefault((_steps(task, level, variant, budget), particles), []).append(variant)
    for (steps, _), some in sorted(alike.items(), key=lambda item: item[0]):
        while some:
            names = [variant.method.name for variant in some]
            group = [v for n, v in enumerate(some) if v.method.name not in names[:n]][:most]
            some = [variant for variant in some if variant not in group]
            yield steps, group


def _steps(task: ScoreTask, level: float, variant: Variant, budget: str) -> int:
    """That a method takes; as many as the others where it cannot take part, which its row will say."""
    most = STEPS[task.backbone]
    needed = needs(variant.method, _told(task, level))
    able = isinstance(needed, Needs)
    return min(most, round(most / needed.passes)) if able and budget == "calls" else most


@lru_cache(maxsize=32)
def _told(task: ScoreTask, level: float) -> Task:
    if task.backbone == "plane":
        return asked_of_the_plane(task, level)[0]
    request = task.request(level, tuple(variant.choice for variant in list(variants(task))[:1]), STEPS[task.backbone])
    return ask_for(request, backbone_of(request)).task
