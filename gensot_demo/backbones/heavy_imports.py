"""diffusers, imported by one thread at a time.

While it is first imported diffusers puts another module in its own place, so a second thread that imports it in these
seconds is handed the unfinished one and finds no class in it. Two visitors of an app that has just started are such
threads.
"""

from __future__ import annotations

import threading
from types import ModuleType

_GUARD = threading.Lock()


def diffusers() -> ModuleType:
    """The package; some seconds the first time."""
    with _GUARD:
        import diffusers as package
    return package
