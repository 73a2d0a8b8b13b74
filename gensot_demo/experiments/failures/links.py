"""A failure as a query string and back. Example: ``show=oversaturation&seed=7``."""

from __future__ import annotations

from typing import Any

from ..links import fields_of, ignored
from ..requests import parse
from .catalogue import FAILURES
from .run import FailureRequest

FIRST = next(iter(FAILURES))
_FIELDS = {"show": "name", "seed": "seed"}


def from_query(query: str) -> tuple[FailureRequest, list[str]]:
    """The request in a query string and notes on what was ignored; raises InvalidRequest for a bad known value."""
    fields, notes = fields_of(query, "show=oversaturation&seed=7")
    values: dict[str, Any] = {"name": FIRST}
    for key, text in fields:
        if key in _FIELDS:
            values[_FIELDS[key]] = text
        else:
            notes.append(ignored(key))
    return parse(FailureRequest, **values), notes
