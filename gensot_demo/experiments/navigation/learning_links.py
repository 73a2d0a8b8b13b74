"""Requests of "Learn a guide" and "Experts" as query strings and back: only what differs from the default.

Examples: ``v=1&target=ring&stiffness=50&points=0,0;1,1.2;3,0`` and
``v=1&belief=0.5,-1,0,0.3,0,0.1;0.5,1,0,0.1,0,0.4&belief=1,0,-2,0.3,0,0.3&amplitudes=0.7,1.4&trusts=1,2``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from urllib.parse import quote

from pydantic import BaseModel

from ..links import VERSION, fields_of, ignored
from ..plane.request import thinned
from ..requests import InvalidRequest, parse
from .experts import MOST_MODES, ExpertsRequest, Mode
from .teacher import TeacherRequest

_POINTS_SENT = 40  # of a drawn teacher in a link
_ROWS = {"points": 2, "beliefs": 6}
_LISTS = ("amplitudes", "trusts")
_MODE_FORM = "weight; x, y; sxx, sxy, syy"


def to_query(request: TeacherRequest | ExpertsRequest) -> str:
    """The query string without "?"."""
    fields, plain = [("v", str(VERSION))], type(request)()
    for name in type(request).model_fields:
        value = getattr(request, name)
        if value == getattr(plain, name):
            continue
        if name == "beliefs":
            fields += [("belief", _rows_text(modes)) for modes in value]
        elif name == "points":
            fields.append((name, _rows_text(thinned(value, _POINTS_SENT))))
        elif name in _LISTS:
            fields.append((name, ",".join(f"{one:g}" for one in value)))
        else:
            fields.append((name, f"{value:.12g}" if isinstance(value, float) else str(value)))
    return "&".join(f"{key}={quote(value, safe='*:,;')}" for key, value in fields)


def teacher_from_query(query: str) -> tuple[TeacherRequest, list[str]]:
    """The request in a query string and notes on what was ignored; raises InvalidRequest for a bad known value."""
    return _from_query(TeacherRequest, query, "target=two_modes&stiffness=50")


def experts_from_query(query: str) -> tuple[ExpertsRequest, list[str]]:
    """As :func:`teacher_from_query`, for experts."""
    return _from_query(ExpertsRequest, query, "trusts=1,2&stiffness=50")


def _from_query(kind: type[BaseModel], query: str, example: str):
    fields, notes = fields_of(query, example)
    values: dict = {}
    for key, text in fields:
        if key == "belief" and "beliefs" in kind.model_fields:
            values.setdefault("beliefs", []).append(_rows(key, text, 6))
        elif key == "points" and key in kind.model_fields:
            values[key] = _rows(key, text, 2)
        elif key in _LISTS and key in kind.model_fields:
            values[key] = [_whole(one) if key == "trusts" else one for one in _numbers(key, text)]
        elif key in kind.model_fields and key not in _ROWS:
            values[key] = text if key == "target" else _whole(_numbers(key, text, 1)[0])
        else:
            notes.append(ignored(key))
    return parse(kind, **values), notes


def modes_in(text: str, who: str) -> list[list[float]]:
    """The modes of a belief as a person writes them, a line each: ``weight; x, y; sxx, sxy, syy``."""
    lines = [line for line in (text or "").splitlines() if line.strip()]
    if len(lines) > MOST_MODES:
        raise InvalidRequest(f"{who} has {len(lines):,} modes; at most {MOST_MODES} are taken.")
    return [_mode(line, f"{who}, line {number}") for number, line in enumerate(lines, 1)]


def text_of(modes: Sequence[Mode]) -> str:
    """A belief as lines for a person to edit."""
    return "\n".join("{:g}; {:g}, {:g}; {:g}, {:g}, {:g}".format(*mode) for mode in modes)


def _mode(line: str, where: str) -> list[float]:
    try:
        found = [float(part) for part in re.split(r"[;,\s]+", line.strip(" ;,\t"))]
    except ValueError:
        found = []
    if len(found) != 6:
        raise InvalidRequest(f"{where} is {line.strip()[:40]!r}; it must be six numbers: {_MODE_FORM}.")
    return found


def _rows_text(rows: Sequence[Sequence[float]]) -> str:
    return ";".join(",".join(f"{value:.4g}" for value in row) for row in rows)


def _rows(name: str, text: str, width: int) -> list[list[float]]:
    return [_numbers(name, row, width) for row in text.split(";") if row]


def _numbers(name: str, text: str, count: int | None = None) -> list[float]:
    try:
        found = [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise InvalidRequest(f"{name.capitalize()} holds {text[:40]!r}; it must be numbers.") from None
    if count is not None and len(found) != count:
        wanted = "one number" if count == 1 else f"{count} numbers in each entry"
        raise InvalidRequest(f"{name.capitalize()} holds {text[:40]!r}; it must be {wanted}.")
    return found


def _whole(value: float) -> float | int:
    return int(value) if math.isfinite(value) and value == int(value) else value
