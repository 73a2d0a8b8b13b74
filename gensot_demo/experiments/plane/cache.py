"""Motions of earlier runs, so that a slider runs again only what depends on it. Bounded; shared by all visitors."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

from .methods import TransportMethod
from .motion import Motion
from .request import TransportRequest

_MEGABYTES = 200.0
_ALWAYS = ("target", "modes", "points", "source", "particles", "seed")


class MotionCache:
    """Motions by all that determines them. Thread-safe; the least recently used goes first."""

    def __init__(self, megabytes: float = _MEGABYTES):
        self._kept: OrderedDict[Hashable, Motion] = OrderedDict()
        self._guard = threading.Lock()
        self._bytes = megabytes * 1e6

    @staticmethod
    def key(method: TransportMethod, request: TransportRequest) -> Hashable:
        """The settings that the method's motion depends on, and nothing else."""
        return method.name, *(getattr(request, name) for name in (*_ALWAYS, *method.uses))

    def get(self, key: Hashable) -> Motion | None:
        with self._guard:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def clear(self) -> None:
        """Forget everything."""
        with self._guard:
            self._kept.clear()

    def keep(self, key: Hashable, motion: Motion) -> None:
        with self._guard:
            self._kept[key] = motion
            while len(self._kept) > 1 and sum(map(_size, self._kept.values())) > self._bytes:
                self._kept.popitem(last=False)


def _size(motion: Motion) -> int:
    return motion.x.numel() * motion.x.element_size()


MOTIONS = MotionCache()
