"""Memory that runs have freed goes back to the machine: glibc would keep hundreds of megabytes for next time."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from functools import cache

EVERY = 20.0  # seconds


@cache
def give_back_freed_memory() -> Callable[[], None] | None:
    """From now on, in the background; returns what is called. None where the C library has no such call."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):  # musl, macOS, Windows
        return None

    def work() -> None:
        while True:
            time.sleep(EVERY)
            trim(0)  # some milliseconds, without Python's lock

    threading.Thread(target=work, daemon=True, name="freed memory").start()
    return lambda: trim(0)
