"""Requests of sampling that starts later as query strings and back: only what differs from the default.

Example: ``v=1&pictures=clocks&signal=20&calls=5&tau=0&finish=ddim``.
"""

from __future__ import annotations

from urllib.parse import quote

from ..links import VERSION, fields_of, ignored
from ..plane.links import number_in
from ..presets import named
from ..requests import allowed, parse
from .later_start_request import LaterStartRequest
from .presets import LATER_START

_EXAMPLE = "pictures=clocks&signal=20&calls=5"
_WHOLE = ("calls", "samples", "seed", "draws")
_NUMBERS = ("signal", "tau", "stiffness")


def to_query(request: LaterStartRequest) -> str:
    """The query string without "?"."""
    fields, plain = [("v", str(VERSION))], LaterStartRequest()
    for name in type(request).model_fields:
        value = getattr(request, name)
        if value != getattr(plain, name):
            shown = ",".join(map(str, value)) if name == "budgets" else f"{value:.12g}" if name in _NUMBERS else value
            fields.append((name, str(shown)))
    return "&".join(f"{key}={quote(value, safe=',')}" for key, value in fields)


def from_query(query: str) -> tuple[LaterStartRequest, list[str]]:
    """The request in a query string and notes on what was ignored; raises InvalidRequest for a bad known value."""
    fields, notes = fields_of(
        query, "pictures=clocks&signal=20&calls=5", named(LATER_START, LaterStartRequest, to_query)
    )
    values: dict = {}
    for key, text in fields:
        if key not in LaterStartRequest.model_fields:
            notes.append(ignored(key))
        elif key == "budgets":
            values[key] = tuple(number_in(key, part, whole=True) for part in text.split(",") if part)
        elif key in (*_WHOLE, *_NUMBERS):
            values[key] = number_in(key, text, key in _WHOLE, allowed(LaterStartRequest, key))
        else:
            values[key] = text
    return parse(LaterStartRequest, **values), notes
