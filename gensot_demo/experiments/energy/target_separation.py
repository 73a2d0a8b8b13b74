"""The data separation of a named target in the plane, found once for every part that asks."""

from __future__ import annotations

from functools import lru_cache

from gensot_demo.transport.data_separation import DataSeparation, separation_of_mixture
from gensot_demo.transport.targets import TARGETS, named_target

from ..device import TURNSTILE


@lru_cache(len(TARGETS))
def separation_of_target(name: str) -> DataSeparation:
    """By quadrature, which takes up to a second the first time."""
    with TURNSTILE():
        return separation_of_mixture(named_target(name).mixture)
