"""What is kept in memory is bounded by number and by bytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from gensot_demo.experiments.kept import Kept, bytes_of


@dataclass
class Cloud:
    places: np.ndarray
    parts: dict
    name: str = "cloud"


def test_bytes_are_counted_wherever_they_are_and_once():
    shared = np.zeros(1000)
    cloud = Cloud(shared, {"a": [torch.zeros(10, dtype=torch.float32)], "again": (shared,)})
    assert bytes_of(cloud) == 8000 + 40
    assert bytes_of("text") == 0


def test_the_least_recently_used_goes_when_there_are_too_many_or_too_large_ones():
    kept: Kept[np.ndarray] = Kept(3, megabytes=1.0)
    for name in "abc":
        kept.keep(name, np.zeros(10))
    kept.get("a")
    kept.keep("d", np.zeros(10))
    assert kept.get("b") is None
    assert kept.get("a") is not None
    kept.keep("large", np.zeros(120_000))
    assert sum(kept.get(name) is not None for name in "acd") == 3 - 1  # the number
    kept.keep("larger", np.zeros(1_000_000))
    assert [name for name in ("a", "c", "d", "large") if kept.get(name) is not None] == []
    assert kept.get("larger") is not None  # the latest stays, whatever its size


def test_of_two_found_at_once_the_first_is_kept():
    kept: Kept[int] = Kept(2)
    assert kept.keep("a", 1) == 1
    assert kept.keep("a", 2) == 1
