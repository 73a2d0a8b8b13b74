"""The borders of the cells of a map, as line segments: what a picture draws."""

from __future__ import annotations

import torch
from torch import Tensor

from .cell_rows import CellGrid, Crossings


def borders(grid: CellGrid, found: Crossings) -> Tensor:
    """Line segments (S, 2, 2) between cells: through each square's crossings, or from them to their middle where
    three or four cells meet."""
    squares = len(grid.axis) - 1
    vertical, row, column = found.edges.T
    across = torch.where(vertical == 1, 0, 1), torch.where(vertical == 1, 1, 0)  # to the square before: (row, column)
    rows = torch.cat([row, row - across[0]])
    columns = torch.cat([column, column - across[1]])
    places = torch.cat([found.places, found.places])
    inside = (rows >= 0) & (columns >= 0) & (rows < squares) & (columns < squares)
    square, places = (rows * squares + columns)[inside], places[inside]
    order = square.argsort(stable=True)
    square, places = square[order], places[order]
    _, group, count = torch.unique_consecutive(square, return_inverse=True, return_counts=True)
    first = count.cumsum(0) - count
    plain = first[count == 2]
    middle = torch.zeros(len(count), 2, dtype=torch.float64).index_add_(0, group, places) / count[:, None]
    star = count[group] > 2
    return torch.cat(
        [
            torch.stack([places[plain], places[plain + 1]], 1),
            torch.stack([places[star], middle[group[star]]], 1),
        ]
    )
