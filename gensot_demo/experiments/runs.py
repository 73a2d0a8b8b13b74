"""The latest finished runs, so that a click on a picture finds its trajectory; bounded, oldest out first."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from . import limits
from .compare import CompareResult
from .requests import InvalidRequest


class RunStore:
    """Results by an unguessable name. Thread-safe; holds at most ``capacity`` runs of ``megabytes`` together for all
    visitors, and always the latest. A result has a ``request``.
    """

    def __init__(
        self,
        capacity: int = limits.RUNS_KEPT,
        megabytes: float = limits.MEGABYTES_KEPT,
        size: Callable[[Any], int] | None = None,
        button: str = "Compare",
    ):
        """size: bytes of a result, where it is no comparison.  button: what makes a run again."""
        self._runs: OrderedDict[str, Any] = OrderedDict()
        self._guard = threading.Lock()
        self._size, self._button = size or _bytes, button
        self._capacity, self._bytes = capacity, megabytes * 1e6

    def keep(self, result: Any) -> str:
        """Store a result; returns its name."""
        name = secrets.token_urlsafe(12)
        with self._guard:
            self._runs[name] = result
            while len(self._runs) > 1 and (
                len(self._runs) > self._capacity or sum(map(self._size, self._runs.values())) > self._bytes
            ):
                self._runs.popitem(last=False)
        return name

    def find(self, request: Any) -> str | None:
        """The name of a kept run of this very request, which determines its result, or None."""
        with self._guard:
            return next((name for name, result in self._runs.items() if result.request == request), None)

    def get(self, name: str) -> Any:
        """The result of that name; raises InvalidRequest when it is not kept any more."""
        with self._guard:
            if name not in self._runs:
                raise InvalidRequest(f"This run is not kept any more; press {self._button} to make it again.")
            self._runs.move_to_end(name)
            return self._runs[name]


def kept_or_made(store: RunStore, run: Callable[[Any], Iterator[Any]], request: Any) -> Iterator[Any]:
    """The moments of a run; of one that is kept, its result alone. A run that has come to its end is kept."""
    name = store.find(request)
    if name is not None:
        yield store.get(name)
        return
    last = None
    for last in run(request):
        yield last
    if last is not None and getattr(last, "complete", True) and not getattr(last, "cut", False):
        store.keep(last)


def _bytes(result: CompareResult) -> int:
    return sum(part.states.nbytes + part.predicted.nbytes for part in result.methods.values())


RUNS = RunStore()
