"""Requests of "Kinetic-optimal paths" as query strings and back: only what differs from the default.

Examples: ``v=1&data=random&count=16&dimension=1024`` and ``v=1&data=drawn&points=-1,0;1,0.5;2,1&schedule=0.3,0.9``.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from ..links import VERSION, fields_of, ignored
from ..presets import named
from ..requests import InvalidRequest, parse
from .optimal_request import OptimalRequest
from .presets import OPTIMAL

_ROWS = ("points", "schedule")


def to_query(request: OptimalRequest) -> str:
    """The query string without "?"."""
    fields, plain = [("v", str(VERSION))], OptimalRequest()
    for name in OptimalRequest.model_fields:
        value = getattr(request, name)
        if value != getattr(plain, name):
            fields.append((name, _text_of(value) if name in _ROWS else str(value)))
    return "&".join(f"{key}={quote(value, safe=',;')}" for key, value in fields)


def from_query(query: str) -> tuple[OptimalRequest, list[str]]:
    """The request in a query string and notes on what was ignored; raises InvalidRequest for a bad known value."""
    fields, notes = fields_of(query, "data=random&count=16&dimension=1024", named(OPTIMAL, OptimalRequest, to_query))
    values: dict = {}
    for key, text in fields:
        if key not in OptimalRequest.model_fields:
            notes.append(ignored(key))
        elif key in _ROWS:
            values[key] = [_pair(key, row) for row in text.split(";") if row.strip()]
        else:
            values[key] = text
    return parse(OptimalRequest, **values), notes


def _text_of(rows: Sequence[Sequence[float]]) -> str:
    return ";".join(",".join(f"{value:.12g}" for value in row) for row in rows)


def _pair(name: str, row: str) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in row.split(","))
    except ValueError:
        raise InvalidRequest(
            f"{name.capitalize()} holds {row.strip()[:40]!r}; it must be pairs of numbers, such as 0.3,0.9;0.6,0.4."
        ) from None
    return x, y
