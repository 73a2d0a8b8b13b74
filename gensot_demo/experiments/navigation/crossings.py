"""Where a polygon crosses itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_AT_ONCE = 400  # segments: 80,000 pairs


def crossings(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places (k, 2) where segments of a polygon (n, 2) properly cross, in order of the first segment; segments that
    only touch, as where a guide rests or turns back, do not count."""
    here, there = places[:-1][:_AT_ONCE], places[1:][:_AT_ONCE]
    first, second = np.triu_indices(len(here), 2)
    a, b, c, d = here[first], there[first], here[second], there[second]
    across = _turn(a, b, c) * _turn(a, b, d) < 0
    along = _turn(c, d, a) * _turn(c, d, b) < 0
    a, b, c, d = (rows[across & along] for rows in (a, b, c, d))
    share = _turn(c, d, a) / (_turn(c, d, a) - _turn(c, d, b))
    return a + share[:, None] * (b - a)


def _turn(a: NDArray, b: NDArray, c: NDArray) -> NDArray:
    """Twice the signed area of each triangle a, b, c."""
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
