"""The values of an axis as a person types them: numbers, ranges and names, separated by commas.

* ``1, 2, 4``: these numbers.
* ``1-10``: from 1 to 10 in steps of 1; ``10-1`` falls.
* ``1-10 (+2)``, ``10-1 (-3)``: in steps of that size, as far as they go.
* ``0-1 [5]``: five values at equal distances, both ends among them.
* ``red, "salt, pepper"``: names; one with a comma in it stands in double quotes, a double quote in one is doubled.

Numbers are counted before they are made, so no text makes more than ``most`` of them.
"""

from __future__ import annotations

import math
import re

from gensot_demo.experiments.requests import InvalidRequest

MAX_TEXT = 1000  # characters of one axis
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"  # one way to read any text: it is matched in one pass
_ITEM = re.compile(
    rf"(?P<first>{_NUMBER})"
    rf"(?:\s*-\s*(?P<last>{_NUMBER})\s*(?:\(\s*(?P<step>{_NUMBER})\s*\)|\[\s*(?P<count>\d+)\s*\])?)?"
)
_EXAMPLES = "1, 2, 4 or 1-10 or 1-10 (+2) or 0-1 [5]"


def numbers(text: str, most: int, whole: bool = False) -> tuple[float, ...]:
    """The numbers in a text, in its order, each once; ``whole``: values at equal distances are rounded.

    Raises InvalidRequest for what is no number, for a step that leads away, and for more than ``most`` values.

    >>> numbers("1, 2, 4", 10), numbers("10-1 (-3)", 10), numbers("0-1 [5]", 10)
    ((1.0, 2.0, 4.0), (10.0, 7.0, 4.0, 1.0), (0.0, 0.25, 0.5, 0.75, 1.0))
    """
    _require_short(text)
    found: dict[float, None] = {}
    for item in text.split(","):
        if item.strip():
            for value in _numbers_of(item.strip(), most, whole):
                found[value] = None
            _require_few(text, len(found), most)
    if not found:
        raise InvalidRequest(f"There is no value in {text[:40]!r}; write {_EXAMPLES}.")
    return tuple(found)


def names(text: str, most: int) -> tuple[str, ...]:
    """The names in a text, in its order, each once; raises InvalidRequest for an open quote or too many.

    >>> names('red, "salt, pepper", red', 10)
    ('red', 'salt, pepper')
    """
    _require_short(text)
    found = list(dict.fromkeys(name for name in _split(text) if name))
    _require_few(text, len(found), most)
    if not found:
        raise InvalidRequest(f"There is no value in {text[:40]!r}; write names with commas in between.")
    return tuple(found)


def quoted(name: str) -> str:
    """A name as :func:`names` reads it."""
    return '"' + name.replace('"', '""') + '"' if any(mark in name for mark in ',"') else name


def _numbers_of(item: str, most: int, whole: bool) -> list[float]:
    """The numbers of one item between commas."""
    match = _ITEM.fullmatch(item)
    if not match:
        raise InvalidRequest(f"{item[:40]!r} is neither a number nor a range; write {_EXAMPLES}.")
    first = _finite(match["first"])
    if match["last"] is None:
        return [first]
    last = _finite(match["last"])
    if match["count"] is not None:
        count = _count(match["count"])
        if count < 2:
            raise InvalidRequest(f"{item[:40]!r} asks for {count} values; at equal distances there are 2 or more.")
        _require_few(item, count, most)
        spaced = [first + (last - first) * (k / (count - 1)) for k in range(count)]
        return [_tidy(round(value) if whole else value) for value in spaced]
    step = math.copysign(1.0, last - first) if match["step"] is None else _finite(match["step"])
    if step == 0 or (last - first) * step < 0:
        raise InvalidRequest(
            f"{item[:40]!r}: a step of {step:g} does not lead from {first:g} to {last:g}; "
            f"it must be {'above' if last >= first else 'below'} 0."
        )
    span = (last - first) / step
    if not span < 1e15:
        raise InvalidRequest(f"{item[:40]!r} is more than 10^15 values; at most {most} are taken.")
    count = math.floor(span * (1 + 1e-9) + 1e-9) + 1
    _require_few(item, count, most)
    return [_tidy(first + k * step) for k in range(count)]


def _split(text: str) -> list[str]:
    """The stripped pieces between commas that are not inside double quotes."""
    pieces, piece, inside, at = [], "", False, 0
    while at < len(text):
        mark = text[at]
        if mark == '"' and inside and text[at + 1 : at + 2] == '"':
            piece, at = piece + '"', at + 1
        elif mark == '"':
            inside = not inside
        elif mark == "," and not inside:
            pieces.append(piece.strip())
            piece = ""
        else:
            piece += mark
        at += 1
    if inside:
        raise InvalidRequest(f"A double quote is open in {text[:40]!r}: close it, or write it twice.")
    return [*pieces, piece.strip()]


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise InvalidRequest(f"{text[:40]!r} is not a finite number.")
    return value


def _count(text: str) -> int:
    return int(text) if len(text) <= 15 else 10**15


def _tidy(value: float) -> float:
    """Without the last digits, where 0.1 + 0.2 differs from 0.3."""
    return float(f"{value:.12g}")


def _require_few(text: str, count: int, most: int) -> None:
    if count > most:
        raise InvalidRequest(f"{text[:40]!r} is {count:,} values; at most {most} are taken.")


def _require_short(text: str) -> None:
    if len(text) > MAX_TEXT:
        raise InvalidRequest(f"The values of an axis are {len(text):,} characters long; at most {MAX_TEXT} are read.")
