"""The map of a later start: Brenier's, to the network's training pictures of a class or of all, its heights stored."""

from __future__ import annotations

from functools import lru_cache

from gensot_demo.backbones.embedded import training_pictures
from gensot_demo.transport.static_ot.semi_discrete import Brenier

from .picture_heights import Solved, stored, stored_heights
from .picture_sets import picture_set


@lru_cache(maxsize=12)
def map_to(label: int | None) -> Brenier:
    """From noise in pixels to the training pictures of a class, or of all, in the order of the training's own."""
    return stored_heights(_name(label))


def known_of(label: int | None) -> Solved:
    """What was found of the heights when they were solved."""
    return stored(picture_set(_name(label)))[1]


def _name(label: int | None) -> str:
    return "network" if label is None else f"network/{training_pictures().classes[label]}"
