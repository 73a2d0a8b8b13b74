"""A limit on the time that somebody else's Python code may take: an endless loop becomes an error with its line."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any

from .errors import Explained, place_of

_AGAIN = 1.0  # seconds until it is thrown once more, for code that catches everything


class TookTooLong(Explained):
    """Code did not come back within its time; the message says where it was."""


class _Interrupt(BaseException):
    """Thrown into the thread that is late; no `except Exception` of its own code stops it."""


def limited(function: Callable[..., Any], seconds: float | None, what: str = "The method") -> Callable[..., Any]:
    """The same function, which may take so many seconds; :class:`TookTooLong` is raised when they are over.

    It interrupts Python code, between two of its instructions; a single call of a library that does not come back is
    not interrupted. seconds: None for no limit.  what: who is late, for the message.
    """
    if seconds is None:
        return function

    def within(*arguments: Any) -> Any:
        # no `with`: what is thrown may arrive on the way into __enter__ or __exit__, where nothing would catch it
        watch = _Watch(seconds)
        try:
            try:
                watch.start()
                result = function(*arguments)
            finally:
                watch.stop()
        except (Exception, _Interrupt) as error:
            watch.stop()  # once more, where what was thrown arrived on the way into the line above
            if watch.thrown:
                raise _too_long(what, seconds, place_of(error)) from None
            raise
        if watch.thrown:
            raise _too_long(what, seconds, "")
        return result

    return within


def _too_long(what: str, seconds: float, place: str) -> TookTooLong:
    return TookTooLong(f"{what} did not answer within {seconds:g} s and was stopped{place}.")


class _Watch:
    """Throws into the thread that made it when its time is over, and each second from then on, until it is stopped.

    Only locks of the interpreter's own are used by the thread that is watched: those of Python's library are left
    locked where an exception arrives inside them.
    """

    def __init__(self, seconds: float):
        self.thrown = False
        self._seconds = seconds
        self._thread = threading.get_ident()
        self._begun = self._over = False
        self._guard, self._end = threading.Lock(), threading.Lock()
        self._end.acquire()

    def start(self) -> None:
        threading.Thread(target=self._run, name="time-limit", daemon=True).start()
        self._begun = True  # before, Python takes the new thread for this one, and would throw into it

    def stop(self) -> None:
        """Nothing is thrown from now on, and what was thrown and has not arrived never does."""
        with self._guard:
            first, self._over = not self._over, True
        self._throw(None)
        if first:
            self._end.release()

    def _run(self) -> None:
        wait = self._seconds
        while not self._end.acquire(timeout=wait):
            wait = _AGAIN if self._begun else 0.001
            with self._guard:
                if self._over:
                    return
                if self._begun:
                    self.thrown = True
                    self._throw(_Interrupt)

    def _throw(self, kind: type[_Interrupt] | None) -> None:
        """Into the thread that is watched; None takes back what has not arrived."""
        error = ctypes.py_object() if kind is None else ctypes.py_object(kind)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread), error)
