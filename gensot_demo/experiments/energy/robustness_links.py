"""Requests of "Speed and accuracy" as query strings and back: what differs from the default.

Examples: ``v=1&start=spread&spread=1.2`` and ``v=1&start=drawn&points=-2,0;0,2;1,0.5``.
"""

from __future__ import annotations

from urllib.parse import quote

from ..links import VERSION, fields_of, ignored
from ..presets import named
from ..requests import InvalidRequest, parse
from .presets import ROBUSTNESS
from .robustness import RobustnessRequest

_EXAMPLE = "start=spread&spread=1.2"


def to_query(request: RobustnessRequest) -> str:
    """The query string without "?"."""
    fields, plain = [("v", str(VERSION))], RobustnessRequest()
    for name in RobustnessRequest.model_fields:
        value = getattr(request, name)
        if value != getattr(plain, name):
            fields.append((name, _text(value)))
    return "&".join(f"{key}={quote(value, safe=',;')}" for key, value in fields)


def from_query(query: str) -> tuple[RobustnessRequest, list[str]]:
    """The request in a query string and notes on what was ignored; raises InvalidRequest for a bad known value."""
    fields, notes = fields_of(query, _EXAMPLE, named(ROBUSTNESS, RobustnessRequest, to_query))
    values: dict = {}
    for key, text in fields:
        if key not in RobustnessRequest.model_fields:
            notes.append(ignored(key))
        elif key == "points":
            values[key] = tuple(_knot(part) for part in text.split(";") if part.strip())
        elif RobustnessRequest.model_fields[key].annotation in (int, float):
            values[key] = _number(key.replace("_", " "), text)
        else:
            values[key] = text
    return parse(RobustnessRequest, **values), notes


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ";".join(",".join(f"{number:.6g}" for number in knot) for knot in value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _knot(text: str) -> tuple[float, ...]:
    numbers = tuple(_number("a drawn point", part) for part in text.split(","))
    if len(numbers) != 2:
        raise InvalidRequest(f"A drawn point is {text[:40]!r}; it must be two numbers, such as -1,2.")
    return numbers


def _number(name: str, text: str) -> float | int:
    try:
        value = float(text)
    except ValueError:
        raise InvalidRequest(f"{name.capitalize()} is {text[:40]!r}; it must be a number.") from None
    return int(value) if value.is_integer() and abs(value) < 1e15 else value
