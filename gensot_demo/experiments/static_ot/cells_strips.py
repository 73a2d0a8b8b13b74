"""Where the two maps of "Cells" differ, finer than their grid: strips between borders are narrower than its squares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .cells import CellsResult

PARTS = 3
"""Places along a side of a square of the grid."""


def strips(result: CellsResult, half: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Axis (K,) of a fine grid in the square |x|, |y| <= half, and whether the maps differ at its places (K, K), row y.

    Brenier's point is computed at each place. The flow's is that of the grid's corners, or, in a square through which
    one border runs, that of the corner on the same side of it; the borders are known to 1e-4.
    """
    axis = result.axis.astype(np.float64)
    step = axis[1] - axis[0]
    first, last = np.searchsorted(axis, -half, "right") - 1, np.searchsorted(axis, half)
    first, last = max(int(first), 0), min(int(last), len(axis) - 1)
    within = (np.arange(PARTS) + 0.5) / PARTS
    fine = (axis[first:last, None] + step * within).ravel()
    scores = [
        x * fine[None, :] + y * fine[:, None] + h for (x, y), h in zip(result.points, result.heights, strict=True)
    ]
    brenier = np.argmax(scores, 0)
    return fine.astype(np.float32), brenier != _refined(result, first, last, within)


def _refined(result: CellsResult, first: int, last: int, within: NDArray[np.float64]) -> NDArray[np.int64]:
    """The flow's points at the places of the fine grid."""
    axis, labels = result.axis.astype(np.float64), result.flow.labels.astype(np.int64)
    step = axis[1] - axis[0]
    near = np.arange(first, last)[:, None] + (within > 0.5)
    found = labels[np.ix_(near.ravel(), near.ravel())]
    blocks = found.reshape(last - first, PARTS, last - first, PARTS).transpose(0, 2, 1, 3)
    start, end = result.flow.borders.astype(np.float64).transpose(1, 0, 2)
    columns, rows = np.floor(((start + end) / 2 - axis[0]) / step).astype(np.int64).T
    inside = (rows >= first) & (rows < last) & (columns >= first) & (columns < last)
    squares, place, count = np.unique(
        np.stack([rows, columns], 1)[inside], axis=0, return_index=True, return_counts=True
    )
    row, column = squares[count == 1].T
    start, end = (one[inside][place[count == 1]] for one in (start, end))
    along = end - start
    corners = np.stack(
        [labels[row, column], labels[row, column + 1], labels[row + 1, column], labels[row + 1, column + 1]]
    )
    here, other = corners[0], np.where(corners != corners[0], corners, -1).max(0)
    origin = np.stack([axis[column], axis[row]], 1) - start

    def side(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
        off = along[:, :1, None] * (origin[:, 1:, None] + y) - along[:, 1:, None] * (origin[:, :1, None] + x)
        return off > 0

    x, y = np.meshgrid(step * within, step * within)
    corner = np.zeros((1, 1, 1))
    same = (side(x[None], y[None]) == side(corner, corner)) | (other < 0)[:, None, None]
    blocks[row - first, column - first] = np.where(same, here[:, None, None], other[:, None, None])
    return blocks.transpose(0, 2, 1, 3).reshape(found.shape)
