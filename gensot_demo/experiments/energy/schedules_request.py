"""Which schedules to compare, on which data: the request and its query string.

Examples: ``v=1&separation=1&schedules=cosine,condot,ot`` and ``v=1&data=plane&target=ring&solver=heun``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gensot_demo.experiments import limits
from gensot_demo.experiments.links import VERSION, fields_of, ignored
from gensot_demo.experiments.presets import named
from gensot_demo.experiments.requests import InvalidRequest, one_of, parse
from gensot_demo.transport.targets import TARGETS

from .presets import SCHEDULE_PRESETS

SCHEDULES = {
    "vp": "VP-linear",
    "cosine": "Cosine",
    "condot": "CondOT",
    "ve": "VE",
    "gensot": "GenSOT",
    "optimal": "Kinetic-optimal",
    "drawn": "Drawn by hand",
    "ot": "Optimal transport",
}
"""Names and labels, in the order in which they are shown."""

MOST_KNOTS = 12
KNOT_PLACES = 4  # decimals of a drawn knot: finer than a screen shows
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class SchedulesRequest(BaseModel):
    """Bring noise to data on several schedules. Link version 1.

    data: a mixture on a line, a named target in the plane, or the emoji collection.  modes, separation, width, tilt: of
    the mixture on the line, before it is scaled to variance 1: how many modes, how far neighbours are apart, their
    standard deviation, and the weight of the last mode against the first, as a power of ten.
    stiffness: of GenSOT, at temperature 1.  knots: of the drawn schedule, (time, share of noise) inside (0, 1).
    solver: of the runs with few steps.  seed: of the noise in the plane and of pictures.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Literal["line", "plane", "emoji"] = "line"
    schedules: tuple[str, ...] = ("vp", "cosine", "condot", "ve", "gensot", "optimal", "ot")
    modes: Annotated[int, Field(ge=1, le=5, title="Modes")] = 2
    separation: Annotated[float, Field(ge=0, le=4, title="Separation")] = 1.2
    width: Annotated[float, Field(ge=0.1, le=1, title="Width")] = 0.3
    tilt: Annotated[float, Field(ge=-1, le=1, title="Tilt")] = 0.0
    target: str = "ring"
    stiffness: Annotated[float, Field(ge=0, le=100, title="Stiffness")] = 5.0
    knots: tuple[tuple[Share, Share], ...] = Field(((0.25, 0.9), (0.5, 0.5), (0.75, 0.1)), max_length=MOST_KNOTS)
    solver: Literal["euler", "heun"] = "euler"
    seed: Annotated[int, Field(ge=0, le=limits.MAX_SEED, title="Seed")] = 0

    @field_validator("target")
    @classmethod
    def _known_target(cls, name: str) -> str:
        return one_of("target", name, TARGETS)

    @field_validator("knots")
    @classmethod
    def _as_in_a_link(cls, knots: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        """Rounded before anything is asked of them, so that a link holds the very drawing that was compared."""
        return tuple((round(t, KNOT_PLACES), round(share, KNOT_PLACES)) for t, share in knots)

    @field_validator("schedules")
    @classmethod
    def _known_schedules(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names:
            raise ValueError("no schedule is chosen; choose at least one.")
        chosen = {one_of("schedule", name, SCHEDULES) for name in names}
        return tuple(name for name in SCHEDULES if name in chosen)


def to_query(request: SchedulesRequest) -> str:
    """The query string without "?": only what differs from the default."""
    fields, plain = [("v", str(VERSION))], SchedulesRequest()
    for name in SchedulesRequest.model_fields:
        value = getattr(request, name)
        if value != getattr(plain, name):
            fields.append((name, _text(name, value)))
    return "&".join(f"{key}={quote(value, safe=',;')}" for key, value in fields)


def from_query(query: str) -> tuple[SchedulesRequest, list[str]]:
    """The request in a query string and notes on what was ignored; raises InvalidRequest for a bad known value."""
    fields, notes = fields_of(query, "target=ring&data=plane", named(SCHEDULE_PRESETS, SchedulesRequest, to_query))
    values: dict = {}
    for key, text in fields:
        if key == "schedules":
            values[key] = [name for name in text.split(",") if name]
        elif key == "knots":
            values[key] = knots_in(text)
        elif key in ("data", "target", "solver"):
            values[key] = text
        elif key in SchedulesRequest.model_fields:
            values[key] = _number(key, text)
        else:
            notes.append(ignored(key))
    return parse(SchedulesRequest, **values), notes


def knots_in(text: str) -> list[list[float]]:
    """``0.25,0.9;0.5,0.5`` as rows of time and share of noise."""
    rows = [[_number("knots", one) for one in row.split(",")] for row in text.split(";") if row.strip()]
    for row in rows:
        if len(row) != 2:
            raise InvalidRequest(f"Knots holds an entry of {len(row)} numbers; each is a time and a share of noise.")
    return rows


def _text(name: str, value: object) -> str:
    if name == "knots":
        return knots_text(value)
    if name == "schedules":
        return ",".join(value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def knots_text(knots: Sequence[Sequence[float]]) -> str:
    """The inverse of :func:`knots_in`."""
    return ";".join(",".join(f"{one:.{KNOT_PLACES}g}" for one in knot) for knot in knots)


def _number(name: str, text: str) -> float | int:
    try:
        value = float(text)
    except ValueError:
        raise InvalidRequest(f"{name.capitalize()} is {text[:40]!r}; it must be a number.") from None
    return int(value) if math.isfinite(value) and value == int(value) else value
