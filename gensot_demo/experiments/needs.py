"""What a method needs for a task, asked of it in one place; what a person's own code does wrong there is a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from gensot_demo.guidance.base import OWN_FAMILY, GuidanceMethod, Task
from gensot_demo.guidance.own_file import SECONDS
from gensot_demo.transport.errors import reason
from gensot_demo.transport.time_limit import limited

T = TypeVar("T")


@dataclass(frozen=True)
class Needs:
    """particles: behind one delivered sample.  calls: forward and backward passes of each of them at one step of one
    question."""

    particles: int
    calls: int

    @property
    def passes(self) -> int:
        """Of one delivered sample at one step."""
        return self.particles * self.calls


def thinking_time(method: GuidanceMethod) -> float | None:
    """Seconds that a method may take between two questions: none of ours is timed, one that somebody brought is."""
    return SECONDS if method.family == OWN_FAMILY else None


def needs(method: GuidanceMethod, task: Task) -> Needs | str:
    """What the method needs, or why it cannot do the task, in a sentence."""
    return checked(
        method, lambda: method.unavailable(task) or Needs(method.particles_for(task), sum(method.calls(task)))
    )


def checked(method: GuidanceMethod, ask: Callable[[], T]) -> T | str:
    """What ``ask`` finds out from the method; of code that somebody brought, an error is a sentence instead."""
    try:
        return limited(ask, thinking_time(method), "it")()
    except Exception as error:
        if method.family != OWN_FAMILY:
            raise
        return reason(error)
