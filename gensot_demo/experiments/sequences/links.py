"""A sequence request as a query string and back: only what differs from the default, readable, versioned.

Examples: ``v=1&motion=morph&from=cat face&to=dog face&frames=16``; ``motion=path&picture=red heart&size=0.5&
points=0.2,0.5;0.8,0.5``; ``motion=colour&picture=red heart&turn=180&memory=reference&trust=2``. A drawn or uploaded
picture does not travel.
"""

from __future__ import annotations

from urllib.parse import quote

from ..links import VERSION, fields_of, ignored, method_text, method_values
from ..requests import InvalidRequest, PictureChoice, parse
from .request import MOTIONS, SequenceRequest

_PLAIN = ("backbone", "frames", "view_noise", "steps", "seed", "sampler", "path", "noise", "memory", "trust")
_PICTURES = {"from": "start", "to": "end", "picture": "picture"}  # in the link: of a motion
_NUMBERS = ("size", "turn")
_AVERAGE = "average of "
_OWN = "own picture"


def to_query(request: SequenceRequest) -> tuple[str, list[str]]:
    """(query string without "?", notes on what does not travel)."""
    plain, motion = SequenceRequest(), request.motion
    fields, notes = [("v", str(VERSION)), ("motion", motion.kind)], []
    for key, name in _PICTURES.items():
        if name in type(motion).model_fields:
            fields.append((key, picture_text(getattr(motion, name))))
    if any(text == _OWN for _, text in fields):
        notes.append("The drawn or uploaded picture is not part of the link.")
    fields += [(name, _shown(getattr(motion, name))) for name in _NUMBERS if name in type(motion).model_fields]
    if motion.kind == "path":
        fields.append(("points", ";".join(f"{x:g},{y:g}" for x, y in motion.points)))
    for name in _PLAIN:
        if getattr(request, name) != getattr(plain, name):
            fields.append((name, _shown(getattr(request, name))))
    if request.methods != plain.methods:
        fields += [("method", method_text(choice)) for choice in request.methods]
    return "&".join(f"{key}={quote(value, safe='*:,;')}" for key, value in fields), notes


def from_query(query: str) -> tuple[SequenceRequest, list[str]]:
    """The request in a query string and notes on what was ignored; raises InvalidRequest for a bad known value."""
    fields, notes = fields_of(query, "motion=morph&from=cat face&to=dog face")
    found, values, methods = dict(fields), {}, []
    kind = found.get("motion", SequenceRequest().motion.kind)
    if kind not in MOTIONS:
        raise InvalidRequest(f"Motion is {kind[:40]!r}; it must be one of {', '.join(MOTIONS)}.")
    motion: dict = {}
    known = MOTIONS[kind].model_fields
    for key, text in fields:
        name = _PICTURES.get(key, key)
        if key == "method":
            methods.append(method_values(text))
        elif key in _PLAIN:
            values[key] = text
        elif name in known and key in _PICTURES:
            if text == _OWN:
                notes.append("The drawn or uploaded picture is not part of the link; another one stands in for it.")
            else:
                motion[name] = picture_choice(text)
        elif name in known and key in _NUMBERS:
            motion[name] = text
        elif name in known and key == "points":
            motion[name] = _points(text)
        elif key != "motion":
            notes.append(ignored(key))
    if methods:
        values["methods"] = methods
    return parse(SequenceRequest, motion=parse(MOTIONS[kind], **motion), **values), notes


def picture_text(choice: PictureChoice) -> str:
    """``cat face``, ``average of hearts``, or that it is somebody's own."""
    if choice.png is not None:
        return _OWN
    return choice.emoji if choice.emoji is not None else _AVERAGE + choice.average


def picture_choice(text: str) -> PictureChoice:
    """The same text as a choice; raises InvalidRequest for one without a name."""
    if text.startswith(_AVERAGE):
        return parse(PictureChoice, average=text.removeprefix(_AVERAGE))
    return parse(PictureChoice, emoji=text)


def _points(text: str) -> list[tuple[float, ...]]:
    try:
        places = [tuple(float(part) for part in place.split(",")) for place in text.split(";") if place]
    except ValueError:
        places = [()]
    if any(len(place) != 2 for place in places):
        raise InvalidRequest(f"Points are {text[:40]!r}; they must be pairs of numbers such as 0.2,0.5;0.8,0.5.")
    return places


def _shown(value: object) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)
