"""The latest finished sequences; bounded, oldest out first."""

from __future__ import annotations

from ..runs import RunStore

_CAPACITY, _MEGABYTES = 12, 120.0

SEQUENCES = RunStore(_CAPACITY, _MEGABYTES, size=lambda result: result.bytes, button="Run")
