"""What the Grid page shows: its wall while cells come and when they are there, one cell's settings, axes in words."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gensot_demo.experiments.grid.joined import Cell
from gensot_demo.experiments.grid.request import AxisChoice, GridRequest
from gensot_demo.experiments.grid.run import GridResult
from gensot_demo.experiments.links import to_query
from gensot_demo.experiments.picture_settings import settings_text
from gensot_demo.experiments.requests import CompareRequest, InvalidRequest
from gensot_demo.figures.grid import axis_titles, block_title, labels
from gensot_demo.figures.method_style import method_style
from gensot_demo.figures.sheet import tiled
from gensot_demo.figures.wall import data_address, row_of, wall_item, wall_value

from . import report

_LARGEST = 256  # pixels a side of a tile on the wall
_LISTED = 12  # values named in full
_WAITING = "…"


def understood(name: str, text: str) -> str:
    """What the typed values of an axis are read as, or the error."""
    if not name:
        return ""
    try:
        choice = AxisChoice(name=name, text=text or "")
    except ValueError as error:
        return report.status(_sentence(error), kind="error")
    shown = labels(choice)
    more = f" and {len(shown) - _LISTED} more" if len(shown) > _LISTED else ""
    count = f"{len(shown)} value{'s' if len(shown) > 1 else ''}"
    return report.status(f"{count}: {', '.join(shown[:_LISTED])}{more}.")


def _sentence(error: ValueError) -> str:
    if isinstance(error, InvalidRequest) or not hasattr(error, "errors"):
        return str(error)
    return " ".join(str((item.get("ctx") or {}).get("error", item["msg"])) for item in error.errors())


class GridWall:
    """The wall of one run: a picture is written once, however often the wall is sent."""

    def __init__(self, request: GridRequest):
        self.request = request
        self._items = [wall_item("", _WAITING, f"{said}: not there yet") for said in map(_spoken, request.cells)]

    def cells(self, found: Mapping[int, Cell]) -> None:
        """Take in cells that have ended."""
        for number, cell in found.items():
            spoken = _spoken(cell.request)
            if cell.pictures is None:
                self._items[number] = wall_item("", cell.reason, f"{spoken}: {cell.reason}")
            else:
                near = f": nearest {', '.join(dict.fromkeys(cell.nearest))}" if cell.nearest else ""
                self._items[number] = wall_item(_address(cell.pictures, cell.request), "", spoken + near)

    def previews(self, found: Mapping[int, NDArray[np.uint8]]) -> None:
        """Take in what cells predict now."""
        for number, pictures in found.items():
            request = self.request.cells[number]
            self._items[number] = wall_item(_address(pictures, request), "", f"{_spoken(request)}: on its way")

    def value(self) -> str:
        """The wall's value."""
        request = self.request
        depth, height, width = request.shape
        names = labels(request.y)
        rows = []
        for n in range(depth * height):
            z, y = divmod(n, height)
            cell = request.cells[n * width]
            varied = request.y is not None and request.y.name == "method"
            style = method_style(cell.methods[0].name) if varied else None
            rows.append(
                row_of(
                    f"{z}.{y}",
                    names[y],
                    self._items[n * width : (n + 1) * width],
                    glyph=style.glyph if style else "",
                    colour=style.token if style else "",
                    section=block_title(request, z) if y == 0 else "",
                )
            )
        columns = labels(request.x)
        said = axis_titles(request)
        return wall_value(rows, columns, f"A grid of pictures. {said}", True, said)


def finished_wall(result: GridResult) -> str:
    """The wall of a finished grid."""
    wall = GridWall(result.request)
    wall.cells(dict(enumerate(result.cells)))
    return wall.value()


def cell_number(request: GridRequest, row: object, column: object) -> int:
    """The cell of a row's name and a column, as a browser sends them; raises InvalidRequest for none."""
    depth, height, width = request.shape
    try:
        z, y = (int(part) for part in str(row).split("."))
        x = int(column)
    except (TypeError, ValueError):
        raise InvalidRequest(f"There is no cell {str(row)[:20]!r}, {str(column)[:20]!r} in this grid.") from None
    if not (0 <= z < depth and 0 <= y < height and 0 <= x < width):
        raise InvalidRequest(f"There is no cell {row!r}, {column!r} in this grid.")
    return (z * height + y) * width + x


def detail(result: GridResult, number: int) -> str:
    """One cell: its pictures, its values along the axes, what it cost and became, and the way to Compare."""
    request, cell = result.request, result.cells[number]
    z, y, x = request.place(number)
    rows = [
        (choice.axis.label, labels(choice)[at])
        for choice, at in ((request.x, x), (request.y, y), (request.z, z))
        if choice is not None
    ]
    if "method" not in {choice.name for choice in request.chosen}:
        rows.append(("Method", cell.request.methods[0].method().label))
    rows.append(("Seeds", ", ".join(map(str, cell.request.seeds))))
    figure = ""
    if cell.pictures is not None:
        passes = f"{cell.calls:g}" + (f" forward + {cell.backwards:g} backward" if cell.backwards else "")
        rows += [("Calls a sample", passes), ("Seconds, its share of joint forwards", f"{cell.seconds:.2f}")]
        rows += [(f"{one.label}, {one.unit}", report.success_text(one)) for one in cell.success]
        if cell.nearest:
            rows.append(("Nearest known pictures", ", ".join(cell.nearest)))
        if cell.ess is not None:
            rows.append(("Effective share of particles", f"{100 * cell.ess:.0f} %"))
        figure = f'<img src="{_address(cell.pictures, cell.request)}" alt="{escape(_spoken(cell.request))}">'
    else:
        rows.append(("No picture", cell.reason))
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    link = f'<a href="./?{escape(to_query(cell.request)[0])}">Open in Compare</a>'
    return f'<div class="gensot-cell">{figure}<div><dl>{listed}</dl><p>{link}</p></div></div>'


def _spoken(request: CompareRequest) -> str:
    """A cell for people who do not see it."""
    asked = " and ".join(choice.name for choice in request.conditions)
    method = request.methods[0].method().label
    return ", ".join(filter(None, [method, asked, f"strength {request.strength:g}" if asked else "", _seeds(request)]))


def _seeds(request: CompareRequest) -> str:
    return f"seed {request.seed}" if request.samples == 1 else f"seeds {request.seed} to {request.seeds[-1]}"


def _address(pictures: NDArray[np.uint8], request: CompareRequest) -> str:
    """All samples of a cell as one picture that holds the settings which made it."""
    picture = tiled(pictures)
    if max(picture.shape) > 2 * _LARGEST:
        scale = 2 * _LARGEST / max(picture.shape)
        height, width = (round(scale * side) for side in picture.shape[:2])
        picture = np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS))
    return data_address(picture, settings_text(to_query(request)[0]))
