"""What a visitor to "Cells" asked for last: only that is computed to its end and shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any, TypeVar

import gradio as gr

from .events import Latest

R = TypeVar("R")


class Choices(Latest):
    """A visitor's choices, one computed at a time; in a gr.State."""

    def __init__(self) -> None:
        self._turn, self._asked = Lock(), 0

    def __deepcopy__(self, memo: dict) -> Choices:
        return type(self)()  # a gr.State copies its value for each visitor, and locks cannot be copied

    def newest(self, compute: Callable[[int], R]) -> R | None:
        """What a new choice, given its number, is computed to; None if another one or Stop comes before its end.

        What has not begun by then never does.
        """
        number = self.choose()
        self._asked += 1
        try:
            with self._turn:
                found = compute(number) if self.number == number else None
        finally:
            self._asked -= 1
        return found if self.number == number else None

    def stop(self) -> bool:
        """End what is asked for; whether anything was being computed."""
        self.choose()
        return self._asked > 0


def while_asked(latest: Latest, number: int, moments: Iterator[list[Any]]) -> Iterator[list[Any]]:
    """The moments of what was asked for under this number, none of what another choice or Stop has overtaken."""
    if latest.number == number:
        for moment in moments:
            if latest.number != number:
                break
            yield moment
        else:
            return
    yield [gr.skip()] * 3
