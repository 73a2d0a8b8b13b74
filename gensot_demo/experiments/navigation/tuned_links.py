"""Requests of "Adaptive stiffness" and "Matrix stiffness" as query strings and back: what differs from the default.

Examples: ``v=1&temperature=0.002&pulls=5,60,20,3`` and ``v=1&corridor=straight&drift=rotation&starts=3``.
"""

from __future__ import annotations

from typing import TypeVar, get_args
from urllib.parse import quote

from pydantic import BaseModel

from ..links import VERSION, fields_of, ignored
from ..requests import InvalidRequest, parse
from .adaptive import AdaptiveRequest
from .directions import DirectionsRequest
from .presets import ADAPTIVE, DIRECTIONS

Request = TypeVar("Request", AdaptiveRequest, DirectionsRequest)
_PRESETS = {AdaptiveRequest: ADAPTIVE, DirectionsRequest: DIRECTIONS}
_EXAMPLES = {AdaptiveRequest: "steps=8&pulls=5,60,20,3", DirectionsRequest: "corridor=arch&across=100"}


def to_query(request: AdaptiveRequest | DirectionsRequest) -> str:
    """The query string without "?"."""
    fields, plain = [("v", str(VERSION))], type(request)()
    for name in type(request).model_fields:
        value = getattr(request, name)
        if value != getattr(plain, name):
            fields.append((name, _text(value)))
    return "&".join(f"{key}={quote(value, safe=',')}" for key, value in fields)


def from_query(kind: type[Request], query: str) -> tuple[Request, list[str]]:
    """The request in a query string and notes on what was ignored; raises InvalidRequest for a bad known value."""
    fields, notes = fields_of(
        query, _EXAMPLES[kind], lambda: ((title, to_query(request)) for title, request in _PRESETS[kind])
    )
    values: dict = {}
    for key, text in fields:
        if key not in kind.model_fields:
            notes.append(ignored(key))
        elif key == "pulls":
            values[key] = pulls_in(text)
        else:
            values[key] = _value(kind, key, text)
    return parse(kind, **values), notes


def pulls_in(text: str) -> tuple[float, ...]:
    """The pieces that a person has written, separated by commas; raises InvalidRequest for what is no number."""
    try:
        return tuple(float(part) for part in (text or "").replace(";", ",").split(",") if part.strip())
    except ValueError:
        raise InvalidRequest(f"The pieces are {text[:40]!r}; they must be numbers, such as 5, 60, 20.") from None


def _text(value: object) -> str:
    match value:
        case bool():
            return "1" if value else "0"
        case tuple():
            return ",".join(f"{one:.6g}" for one in value)
        case float():
            return f"{value:.12g}"
    return str(value)


def _value(kind: type[BaseModel], name: str, text: str) -> object:
    annotation = kind.model_fields[name].annotation
    if not {int, float} & {annotation, *get_args(annotation)}:
        return text
    try:
        value = float(text)
    except ValueError:
        raise InvalidRequest(f"{name.replace('_', ' ').capitalize()} is {text[:40]!r}; it must be a number.") from None
    return int(value) if value.is_integer() and abs(value) < 1e15 else value
