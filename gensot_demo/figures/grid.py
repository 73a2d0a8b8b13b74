"""A grid of settings as a sheet for a file and as tiles for a wall."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gensot_demo.experiments.grid.joined import Cell
from gensot_demo.experiments.grid.request import AxisChoice, GridRequest
from gensot_demo.experiments.grid.run import GridResult
from gensot_demo.guidance.registry import REGISTRY

from .sheet import Block, sheet, tiled


def labels(choice: AxisChoice | None) -> list[str]:
    """What the values of an axis are called; one empty label where there is no such axis."""
    if choice is None:
        return [""]
    if choice.name == "method":
        return [_method_label(text) for text in choice.shown]
    return choice.shown


def _method_label(text: str) -> str:
    """``gensot*particles:8`` as ``GenSOT, particles 8``."""
    name, *settings = text.split("*")
    return ", ".join([REGISTRY.get(name).label, *(setting.replace(":", " ") for setting in settings)])


def axis_titles(request: GridRequest) -> str:
    """``Columns: Strength. Rows: Method. Blocks: Seed.``"""
    named = (("Columns", request.x), ("Rows", request.y), ("Blocks", request.z))
    return " ".join(f"{where}: {choice.axis.label}." for where, choice in named if choice is not None)


def block_title(request: GridRequest, z: int) -> str:
    """The heading of one of the grids along z, empty where there is but one."""
    return "" if request.z is None else f"{request.z.axis.label}: {labels(request.z)[z]}"


def tile(cell: Cell) -> NDArray[np.uint8] | str:
    """A cell's pictures as one, or why there are none."""
    return cell.reason if cell.pictures is None else tiled(cell.pictures)


def grid_sheet(result: GridResult) -> Image.Image:
    """The whole grid with its axes written on it, one block per z."""
    request = result.request
    depth, height, width = request.shape
    tiles = [tile(cell) for cell in result.cells]
    rows = [tiles[at : at + width] for at in range(0, len(tiles), width)]
    blocks = [
        Block(labels(request.x), labels(request.y), rows[z * height : (z + 1) * height], block_title(request, z))
        for z in range(depth)
    ]
    return sheet(blocks, axis_titles(request))
