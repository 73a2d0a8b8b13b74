"""Training requests as query strings and back: only what differs from the default.

Example: ``v=1&target=ring&points=64&seeds=3&paths=condot,ko``.
"""

from __future__ import annotations

from urllib.parse import quote

from ..links import VERSION, fields_of, ignored
from ..presets import named
from ..requests import InvalidRequest, parse
from .presets import TRAINING
from .training_task import TrainingRequest


def to_query(request: TrainingRequest) -> str:
    """The query string without "?"."""
    fields, plain = [("v", str(VERSION))], TrainingRequest()
    for name in type(request).model_fields:
        value = getattr(request, name)
        if value != getattr(plain, name):
            fields.append((name, ",".join(value) if name == "paths" else str(value)))
    return "&".join(f"{key}={quote(value, safe=',')}" for key, value in fields)


def from_query(query: str) -> tuple[TrainingRequest, list[str]]:
    """The request in a query string and notes on what was ignored; raises InvalidRequest for a bad known value."""
    fields, notes = fields_of(query, "target=ring&points=64&seeds=3", named(TRAINING, TrainingRequest, to_query))
    values: dict = {}
    for key, text in fields:
        if key not in TrainingRequest.model_fields:
            notes.append(ignored(key))
        elif key == "paths":
            values[key] = tuple(part for part in text.split(",") if part)
        elif key == "target":
            values[key] = text
        else:
            values[key] = _whole(key, text)
    return parse(TrainingRequest, **values), notes


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidRequest(f"{name.capitalize()} is {text[:40]!r}; it must be a whole number.") from None
