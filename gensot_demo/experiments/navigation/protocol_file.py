"""A protocol as JSON and back: one place, one stiffness, one temperature for every piece, and the target."""

from __future__ import annotations

import json
from typing import Any

from gensot_demo.transport.guides import SHAPES

from ..requests import InvalidRequest, parse
from .request import MOST_MODES, MOST_PIECES, ProtocolRequest

FORMAT, VERSION = "gensot-protocol", 1
MOST_CHARACTERS = 2_000_000
_NAMES = ("format", "version", "target", "modes", "start", "times", "stiffness", "guide", "temperature", "template")


def to_json(request: ProtocolRequest) -> str:
    """The protocol as text; ``template`` says which drawing it came from, and the rest is enough without it."""
    target, _ = request.law()
    course = request.course(target.mixture.mean())
    template = {"shape": request.shape, "amplitude": request.amplitude} if request.shape in SHAPES else None
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "target": request.target,
        "start": list(request.start),
        "times": course.times.tolist(),
        "stiffness": request.per_piece("stiffness").tolist(),
        "temperature": request.per_piece("temperature").tolist(),
        "guide": course.protocol.guide.tolist(),
    }
    content |= {"modes": [list(mode) for mode in request.modes]} if request.target == "modes" else {}
    content |= {"template": template} if template else {}
    return json.dumps(content, indent=1, allow_nan=False)


def from_json(text: str) -> ProtocolRequest:
    """The request of an exported or hand-written protocol; raises InvalidRequest with a sentence."""
    content = _read(text)
    unknown = sorted(str(name)[:40] for name in content if name not in _NAMES)
    if unknown:
        raise InvalidRequest(f"The protocol has {unknown[0]!r}; it may have {', '.join(_NAMES)}.")
    if content.get("format", FORMAT) != FORMAT or content.get("version", VERSION) != VERSION:
        raise InvalidRequest(f"The file is no protocol of version {VERSION} with the format {FORMAT!r}.")
    guide = _rows(content, "guide", MOST_PIECES)
    modes = _rows(content, "modes", MOST_MODES)
    values: dict[str, Any] = {name: content[name] for name in ("start", "stiffness", "temperature") if name in content}
    values |= {"target": content.get("target", "modes" if modes else "two_modes"), "modes": modes}
    template = content.get("template")
    pieces = len(guide) or 20
    if isinstance(template, dict) and not set(template) - {"shape", "amplitude"}:
        values |= template
        if values.get("shape") not in SHAPES:
            raise InvalidRequest(
                f"The template is {_shown(values.get('shape'))}; it must be one of {', '.join(SHAPES)}."
            )
    elif template is not None:
        raise InvalidRequest(f"The template is {_shown(template)}; it must hold shape and amplitude.")
    elif guide:
        values |= {"shape": "pieces", "guide": guide, "times": _rows(content, "times", MOST_PIECES + 1)}
        values["times"] = _uneven(values["times"])
    else:
        raise InvalidRequest("The protocol has no guide; it needs one place [x, y] for every piece, or a template.")
    for name in ("stiffness", "temperature"):
        if isinstance(values.get(name), list):
            values[name] = _shortest(values[name])
    if not isinstance(values["target"], str):
        raise InvalidRequest(f"The target is {_shown(values['target'])}; it must be a name.")
    return parse(ProtocolRequest, pieces=pieces, **values)


def _read(text: str) -> dict[str, Any]:
    if len(text) > MOST_CHARACTERS:
        raise InvalidRequest(f"The file has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read.")
    try:
        content = json.loads(text, parse_constant=_no_number)
    except InvalidRequest:
        raise
    except (ValueError, RecursionError):
        raise InvalidRequest(f"The file is no JSON: it begins with {text[:40]!r}.") from None
    if not isinstance(content, dict):
        raise InvalidRequest(f"The file holds {_shown(content)}; it must be a JSON object with guide and stiffness.")
    return content


def _no_number(name: str) -> None:
    raise InvalidRequest(f"The file holds {name}; every number must be finite.")


def _rows(content: dict[str, Any], name: str, most: int) -> list:
    rows = content.get(name) or []
    if not isinstance(rows, list):
        raise InvalidRequest(f"{name.capitalize()} is {_shown(rows)}; it must be a list.")
    if len(rows) > most:
        raise InvalidRequest(f"The file holds {len(rows):,} {name}; at most {most} are taken.")
    return rows


def _uneven(times: list) -> list:
    """The times, or nothing where they are those of equal pieces."""
    count = len(times) - 1
    numbers = all(isinstance(t, int | float) and not isinstance(t, bool) for t in times)
    equal = numbers and count > 0 and all(abs(t - k / count) < 1e-12 for k, t in enumerate(times))
    return [] if equal else times


def _shortest(values: list) -> list:
    """One number in place of a list of equal ones."""
    return values[:1] if values and all(type(v) is type(values[0]) and v == values[0] for v in values) else values


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
