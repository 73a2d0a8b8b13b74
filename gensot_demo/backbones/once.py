"""What is costly and perhaps never needed: made at its first use, once, however many threads want it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """``Once(make)()`` is ``make()``, made by the first who asks; those who come meanwhile wait. A failure is raised
    to whoever met it, and the next one tries again."""

    def __init__(self, make: Callable[[], T]):
        self._make, self._guard = make, threading.Lock()
        self._made: list[T] = []

    def __call__(self) -> T:
        if not self._made:
            with self._guard:
                if not self._made:
                    self._made.append(self._make())
        return self._made[0]
