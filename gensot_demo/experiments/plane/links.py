"""A transport request as a query string and back: only what differs from the default, readable, versioned.

Example: ``v=1&target=modes&modes=1,1,.3,2;-1,0,.5,1&method=gensot_s&stiffness=50``. Drawn points do not travel.
"""

from __future__ import annotations

from typing import get_args
from urllib.parse import quote

from ..links import VERSION, fields_of, ignored
from ..requests import InvalidRequest, parse
from .presets import PRESETS
from .request import TransportRequest, thinned

_LISTS = {"methods": "method", "show": "show"}  # fields of words: one entry of the query for each
_ROWS = {"modes": 4, "guide": 2}  # fields of rows of so many numbers: 1,2;3,4
_GUIDE_SENT = 40  # points of a drawn guide in a link


def to_query(request: TransportRequest) -> tuple[str, list[str]]:
    """(query string without "?", notes on what does not travel)."""
    fields, notes = [("v", str(VERSION))], []
    plain = TransportRequest()
    for name in TransportRequest.model_fields:
        value = getattr(request, name)
        if value == getattr(plain, name):
            continue
        if name == "points":
            notes.append("The drawn or uploaded points are not part of the link.")
        elif name in _LISTS:
            fields += [(_LISTS[name], word) for word in value or ("",)]
        elif name in _ROWS:
            fields.append((name, ";".join(",".join(f"{v:.4g}" for v in row) for row in thinned(value, _GUIDE_SENT))))
        elif name == "values":
            fields.append((name, ",".join(f"{v:.6g}" for v in value)))
        else:
            fields.append((name, f"{value:.12g}" if isinstance(value, float) else str(value)))
    if request.target == "points":
        fields = [(key, value) for key, value in fields if key != "target"]
    return "&".join(f"{key}={quote(value, safe='*:,;')}" for key, value in fields), notes


def from_query(query: str) -> tuple[TransportRequest, list[str]]:
    """The request in a query string and notes on what was ignored; raises InvalidRequest for a bad known value."""
    fields, notes = fields_of(
        query, "target=ring&stiffness=20", lambda: ((item.title, to_query(item.request)[0]) for item in PRESETS)
    )
    values: dict = {}
    words = {short: name for name, short in _LISTS.items()}
    for key, text in fields:
        if key in words:
            values.setdefault(words[key], []).extend([text] if text else [])
        elif key in _ROWS:
            values[key] = [numbers_in(key, row, _ROWS[key]) for row in text.split(";") if row]
        elif key == "values":
            values[key] = numbers_in(key, text)
        elif key in TransportRequest.model_fields and key not in ("points", *_LISTS):
            whole = TransportRequest.model_fields[key].annotation is int
            values[key] = number_in(key, text, whole) if _is_number(key) else text
        else:
            notes.append(ignored(key))
    return parse(TransportRequest, **values), notes


def _is_number(name: str) -> bool:
    annotation = TransportRequest.model_fields[name].annotation
    return bool({int, float} & {annotation, *get_args(annotation)})


def number_in(name: str, text: str, whole: bool = False, allowed: str = "") -> float | int:
    """The number that a field of a link holds; raises InvalidRequest, which names what is ``allowed``, in words."""
    try:
        value = float(text)
    except ValueError:
        kind = allowed or ("a whole number" if whole else "a number")
        raise InvalidRequest(f"{name.replace('_', ' ').capitalize()} is {text[:40]!r}; it must be {kind}.") from None
    return int(value) if whole and value.is_integer() else value


def numbers_in(name: str, text: str, count: int | None = None) -> list[float]:
    """The numbers, parted by commas, that a field of a link holds; raises InvalidRequest."""
    try:
        found = [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise InvalidRequest(f"{name.capitalize()} hold {text[:40]!r}; they must be numbers.") from None
    if count is not None and len(found) != count:
        raise InvalidRequest(f"{name.capitalize()} hold {text[:40]!r}; each entry must be {count} numbers.")
    return found
