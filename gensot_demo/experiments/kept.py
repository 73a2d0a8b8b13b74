"""What several requests share and takes long to find, kept in memory by what determines it."""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Set
from typing import Any, Generic, TypeVar

import numpy as np
import torch

T = TypeVar("T")
MEGABYTES = 120.0


class Kept(Generic[T]):
    """At most ``most`` things of ``megabytes`` together, and always the latest; the least recently used goes first.
    Thread-safe."""

    def __init__(self, most: int, megabytes: float = MEGABYTES) -> None:
        self._most, self._bytes = most, megabytes * 1e6
        self._found: OrderedDict[Hashable, T] = OrderedDict()
        self._sizes: dict[Hashable, int] = {}
        self._guard = threading.Lock()

    def get(self, key: Hashable) -> T | None:
        with self._guard:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def keep(self, key: Hashable, found: T) -> T:
        """Returns what was kept under the key: of two that were found at the same time, the first."""
        with self._guard:
            found = self._found.setdefault(key, found)
            self._found.move_to_end(key)
            if key not in self._sizes:
                self._sizes[key] = bytes_of(found)
            while len(self._found) > 1 and (len(self._found) > self._most or sum(self._sizes.values()) > self._bytes):
                oldest, _ = self._found.popitem(last=False)
                del self._sizes[oldest]
        return found


def bytes_of(value: Any) -> int:
    """Bytes of the arrays and tensors that a thing holds, each once, however deep in dataclasses and collections."""
    seen: dict[int, int] = {}

    def count(one: Any) -> None:
        if id(one) in seen:
            return
        seen[id(one)] = 0
        if isinstance(one, np.ndarray):
            seen[id(one)] = one.nbytes
        elif isinstance(one, torch.Tensor):
            seen[id(one)] = one.element_size() * one.nelement()
        elif dataclasses.is_dataclass(one):
            for part in dataclasses.fields(one):
                count(getattr(one, part.name, None))
        elif isinstance(one, Mapping):
            for part in one.values():
                count(part)
        elif isinstance(one, list | tuple | Set):
            for part in one:
                count(part)

    count(value)
    return sum(seen.values())
