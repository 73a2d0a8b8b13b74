"""A limit on the time that somebody else's Python code may take: an endless loop becomes an error with its line."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from .errors import Explained, place_of

_ARRIVAL = 100  # milliseconds within which what was thrown has arrived


class TookTooLong(Explained):
    """Code did not come back within its time; the message says where it was."""


class _Interrupt(BaseException):
    """Thrown into the thread that is late; no `except Exception` of its own code stops it."""


class time_limit:
    """A block that may take so many seconds; :class:`TookTooLong` is raised inside it when they are over.

    It interrupts Python code, between two of its instructions; a single call of a library that does not come back is
    not interrupted. seconds: None for no limit.  what: who is late, for the message.
    """

    def __init__(self, seconds: float | None, what: str = "The method"):
        self.seconds, self.what = seconds, what
        self._guard = threading.Lock()
        self._over = self._thrown = False

    def __enter__(self) -> time_limit:
        if self.seconds is not None:
            self._thread = threading.get_ident()
            self._set_off(self.seconds)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self.seconds is None:
            return
        late, closed = error if isinstance(error, _Interrupt) else None, False
        while not closed:
            try:
                with self._guard:
                    self._over = True
                self._timer.cancel()
                for _ in range(_ARRIVAL if self._thrown and late is None else 0):
                    time.sleep(0.001)
                closed = True
            except _Interrupt as arrived:  # here, at the last moment
                late = arrived
        if self._thrown:
            place = place_of(late or error) if late or error else ""
            raise TookTooLong(f"{self.what} did not answer within {self.seconds:g} s and was stopped{place}.") from None

    def _set_off(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._throw)
        self._timer.daemon = True
        self._timer.start()

    def _throw(self) -> None:
        with self._guard:
            if self._over:
                return
            self._thrown = True
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), ctypes.py_object(_Interrupt))
            self._set_off(1.0)  # once more, for code that catches everything


def limited(function: Callable[..., Any], seconds: float | None, what: str = "The method") -> Callable[..., Any]:
    """The same function under a time limit."""

    def within(*arguments: Any) -> Any:
        with time_limit(seconds, what):
            return function(*arguments)

    return within
