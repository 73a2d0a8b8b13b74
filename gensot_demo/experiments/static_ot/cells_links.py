"""Requests of "Cells" as query strings and back: only what differs from the default.

Examples: ``v=1&data=random&count=20&seed=3&time=0.5`` and ``v=1&data=drawn&points=-1,0;1,0.5;2,1``.
"""

from __future__ import annotations

from urllib.parse import quote

from ..links import VERSION, fields_of, ignored
from ..presets import named
from ..requests import InvalidRequest, parse
from .cells_request import CellsRequest
from .presets import CELLS


def to_query(request: CellsRequest) -> str:
    """The query string without "?"."""
    fields, plain = [("v", str(VERSION))], CellsRequest()
    for name in CellsRequest.model_fields:
        value = getattr(request, name)
        if value != getattr(plain, name):
            text = ";".join(f"{x:.6g},{y:.6g}" for x, y in value) if name == "points" else str(value)
            fields.append((name, text))
    return "&".join(f"{key}={quote(value, safe=',;')}" for key, value in fields)


def from_query(query: str) -> tuple[CellsRequest, list[str]]:
    """The request in a query string and notes on what was ignored; raises InvalidRequest for a bad known value."""
    fields, notes = fields_of(query, "data=random&count=20&seed=3", named(CELLS, CellsRequest, to_query))
    values: dict = {}
    for key, text in fields:
        if key not in CellsRequest.model_fields:
            notes.append(ignored(key))
        elif key == "points":
            values[key] = [_pair(row) for row in text.split(";") if row.strip()]
        else:
            values[key] = text
    return parse(CellsRequest, **values), notes


def _pair(row: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in row.split(","))
    except ValueError:
        raise InvalidRequest(
            f"Points holds {row.strip()[:40]!r}; it must be pairs of numbers, such as -1,0;1,0.5;2,1."
        ) from None
    return x, y
