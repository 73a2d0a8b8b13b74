"""Colours of cells: as few as it takes that cells that touch, in either of two pictures, never share one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COLOURS = 8
"""How many there are."""


def colours_of(count: int, *pictures: NDArray[np.uint8]) -> NDArray[np.int64]:
    """A colour from 0 to 7 for each of ``count`` points (count,), given where each place of the pictures (M, M) goes.

    The point with the fewest colours left comes first, of equals the one with most neighbours (Brelaz); it takes the
    colour least used so far. If none is left, the one that fewest of its neighbours have. Up to eight points: one each.
    """
    if count <= COLOURS:
        return np.arange(count)
    touching = np.zeros((count, count), bool)
    for picture in pictures:
        for one, other in ((picture[1:], picture[:-1]), (picture[:, 1:], picture[:, :-1])):
            apart = one != other
            touching[one[apart], other[apart]] = True
    touching |= touching.T
    colours = np.full(count, -1)
    used = np.zeros(COLOURS, int)
    for _ in range(count):
        near = np.stack([(touching & (colours == c)).sum(1) for c in range(COLOURS)], 1)
        order = np.where(colours < 0, (near > 0).sum(1) * count + touching.sum(1), -1)
        point = int(order.argmax())
        colours[point] = int(np.lexsort((np.arange(COLOURS), used, near[point]))[0])
        used[colours[point]] += 1
    return colours
