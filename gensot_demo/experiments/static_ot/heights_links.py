"""The solver's settings as a query string and back: only what differs from the default.

Example: ``v=1&points=random&number=200&seed=3&tau=0.1&pictures=network/clocks&picture_tolerance=0.02``.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple
from urllib.parse import quote

from ..links import VERSION, fields_of, ignored
from ..plane.links import number_in
from ..requests import InvalidRequest, allowed, parse
from .heights_request import PicturesRequest, PlaneRequest
from .presets import HEIGHTS

TAU = 0.0, 1.0
DEFAULT_TAU = 0.1
_PICTURES = {"pictures": "pictures", "picture_tolerance": "tolerance", "picture_seed": "seed"}
_EXAMPLE = "points=random&number=40&seed=1"


class Wanted(NamedTuple):
    """What a link asks for: points, pictures, and the smoothing shown (in units of the potential, 0 to 1)."""

    plane: PlaneRequest = PlaneRequest()
    pictures: PicturesRequest = PicturesRequest()
    tau: float = DEFAULT_TAU


def to_query(wanted: Wanted) -> str:
    """The query string without "?"."""
    fields = [("v", str(VERSION))]
    for name in PlaneRequest.model_fields:
        value = getattr(wanted.plane, name)
        if value != PlaneRequest.model_fields[name].default:
            fields.append((name, _places(value) if name == "own" else f"{value}"))
    for key, name in _PICTURES.items():
        value = getattr(wanted.pictures, name)
        if value != PicturesRequest.model_fields[name].default:
            fields.append((key, f"{value}"))
    if wanted.tau != DEFAULT_TAU:
        fields.append(("tau", _exactly(wanted.tau)))
    return "&".join(f"{key}={quote(value, safe=',;/')}" for key, value in fields)


def from_query(query: str) -> tuple[Wanted, list[str]]:
    """What a query string asks for, and notes on what was ignored; raises InvalidRequest for a bad known value."""
    fields, notes = fields_of(
        query, _EXAMPLE, lambda: ((title, to_query(Wanted(PlaneRequest(**change)))) for title, change in HEIGHTS)
    )
    plane: dict[str, Any] = {}
    pictures: dict[str, Any] = {}
    tau = DEFAULT_TAU
    for key, text in fields:
        if key == "own":
            plane[key] = own_places(text)
        elif key in PlaneRequest.model_fields:
            plane[key] = text if key == "points" else _number(key, text, PlaneRequest, key)
        elif key in _PICTURES:
            name = _PICTURES[key]
            pictures[name] = text if key == "pictures" else _number(key, text, PicturesRequest, name)
        elif key == "tau":
            tau = smoothing(text)
        else:
            notes.append(ignored(key))
    return Wanted(parse(PlaneRequest, **plane), parse(PicturesRequest, **pictures), tau), notes


def smoothing(text: str | float) -> float:
    """A tau in its range; raises InvalidRequest."""
    try:
        tau = float(text)
    except (TypeError, ValueError):
        tau = math.nan
    if not TAU[0] <= tau <= TAU[1]:
        raise InvalidRequest(f"Tau is {str(text)[:40]!r}; it must be a number from {TAU[0]:g} to {TAU[1]:g}.")
    return tau


def own_places(text: str) -> tuple[tuple[float, ...], ...]:
    """Points from text such as ``1,0; -1,0.5``; raises InvalidRequest for what are no numbers."""
    found = []
    for part in (text or "").replace("\n", ";").split(";"):
        if part.strip():
            try:
                found.append(tuple(float(number) for number in part.split(",")))
            except ValueError:
                raise InvalidRequest(
                    f"{part.strip()[:40]!r} is no point; write two numbers with a comma between, as 1.2,-0.5."
                ) from None
    return tuple(found)


def _places(own: tuple[tuple[float, float], ...]) -> str:
    return ";".join(f"{_exactly(x)},{_exactly(y)}" for x, y in own)


def _exactly(number: float) -> str:
    """The shortest text that is read as this very number."""
    return repr(float(number)).removesuffix(".0")


def shown_places(own: tuple[tuple[float, float], ...]) -> str:
    """Points as they are written on the page."""
    return _places(own).replace(";", "; ")


def _number(key: str, text: str, kind: type, name: str) -> float | int:
    """The number of a link's field, which is ``name`` in the request; what is wrong with it is said of the field."""
    whole, range_ = kind.model_fields[name].annotation is int, allowed(kind, name)
    number = number_in(key, text, whole, range_)
    try:
        parse(kind, **{name: number})
    except InvalidRequest:
        what = key.replace("_", " ").capitalize()
        raise InvalidRequest(f"{what} is {text[:40]}; it must be {range_}.") from None
    return number
