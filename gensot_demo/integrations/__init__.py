"""What others can import to bring GenSOT to any diffusers pipeline: a scheduler and a guider.

May import from transport, guidance and backbones only. diffusers itself is imported when one of the two is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .guider import GenSOTGuidance
    from .scheduler import GenSOTScheduler

__all__ = ["GenSOTGuidance", "GenSOTScheduler"]

_HOMES = {"GenSOTScheduler": "scheduler", "GenSOTGuidance": "guider"}


def __getattr__(name: str) -> type:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
