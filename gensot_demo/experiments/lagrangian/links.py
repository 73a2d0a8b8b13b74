"""A request of the Lagrangian view as a query string and back: only what differs from the default, readable."""

from __future__ import annotations

from typing import Any, Literal, TypeVar, get_origin
from urllib.parse import quote

from ..links import VERSION, fields_of, ignored
from ..plane.links import number_in
from ..presets import named
from ..requests import parse
from .moving import LagrangianRequest

R = TypeVar("R", bound=LagrangianRequest)


def to_query(request: LagrangianRequest) -> str:
    """The query string without "?": fields are words, numbers and yes or no."""
    fields, plain = [("v", str(VERSION))], type(request)()
    for name in type(request).model_fields:
        value = getattr(request, name)
        if value != getattr(plain, name):
            fields.append((name, _text(value)))
    return "&".join(f"{key}={quote(text)}" for key, text in fields)


def from_query(kind: type[R], query: str, example: str) -> tuple[R, list[str]]:
    """The request in a query string and notes on what was ignored; raises InvalidRequest for a bad known value.

    example: a query of this demo, to show in messages.
    """
    fields, notes = fields_of(query, example, named(kind.presets, kind, to_query))
    values: dict[str, Any] = {}
    for key, text in fields:
        declared = kind.model_fields.get(key)
        if declared is None:
            notes.append(ignored(key))
        elif declared.annotation is bool or declared.annotation is str or get_origin(declared.annotation) is Literal:
            values[key] = text
        else:
            values[key] = number_in(key, text, whole=declared.annotation is int)
    return parse(kind, **values), notes


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
