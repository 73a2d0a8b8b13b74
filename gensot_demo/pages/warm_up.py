"""What the first visitor needs, computed before there is one; it waits while anybody's run has the device."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from gensot_demo.switches import switched_on

_UNTIL_SERVED = 2.0  # seconds: the server comes first, both want the same cores


class WarmUp:
    """Jobs, one after the other in a background thread: iterators whose every step is an interruption point.

    wanted: without, no job is ever done.
    """

    def __init__(self, delay: float = _UNTIL_SERVED, wanted: bool = True) -> None:
        self._wanted = wanted
        self._jobs: list[Callable[[], Iterator[Any]]] = []
        self._delay, self._timer = delay, None
        self._visitors = 0
        self._free = threading.Condition()
        self._step = threading.Lock()

    def add(self, job: Callable[[], Iterator[Any]]) -> None:
        """Queue a job; the first one starts the thread after `delay` seconds."""
        if not self._wanted:
            return
        with self._free:
            self._jobs.append(job)
            if self._timer is None or not self._timer.is_alive():
                self._timer = threading.Timer(self._delay, self._work)
                self._timer.daemon = True
                self._timer.start()

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """No job computes inside this block: at most the step under way is waited for."""
        with self._free:
            self._visitors += 1
        try:
            with self._step:
                pass
            yield
        finally:
            with self._free:
                self._visitors -= 1
                self._free.notify_all()

    def yields_to(self, run: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        """`run`, a visitor's run, with every job set aside until it ends."""

        @wraps(run)
        def first(*values: Any) -> Iterator[Any]:
            with self.set_aside():
                yield from run(*values)

        return first

    def _work(self) -> None:
        while True:
            with self._free:
                if not self._jobs:
                    self._timer = None
                    return
                job = self._jobs.pop(0)
            try:
                moments = job()
                while self._next(moments):
                    pass
            except Exception:  # the visitor's own run will tell them
                logging.getLogger(__name__).exception("a warm-up failed")

    def _next(self, moments: Iterator[Any]) -> bool:
        while True:
            with self._free:
                self._free.wait_for(lambda: self._visitors == 0)
            with self._step:
                if self._visitors == 0:
                    return next(moments, self) is not self


WARM_UP = WarmUp(wanted=switched_on("GENSOT_WARM_UP"))
