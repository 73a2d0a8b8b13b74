"""Errors that name the parameter, its value and the allowed range."""

from __future__ import annotations

import math
import sysconfig
import traceback
from pathlib import Path

from gensot_demo.redaction import for_strangers

_LIBRARIES = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
_NOT_ONES_OWN = tuple(str(Path(place).resolve()) for place in (*_LIBRARIES, Path(__file__).parents[1]))


class Explained(Exception):
    """An error whose message is a sentence for the person, to be shown as it is."""


class InvalidValue(Explained, ValueError):
    """A parameter is not a finite number or lies outside its range; the message says which, what and where."""


def reason(error: BaseException) -> str:
    """What to tell a person: the sentence of an explained error, else its kind, message and place in their own code."""
    if isinstance(error, Explained):
        return str(error)
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}{_place(error.filename, error.lineno)}"
    return for_strangers(f"{type(error).__name__}: {error}{place_of(error)}")


def place_of(error: BaseException) -> str:
    """`` (file.py, line 14)`` of the innermost call in code that is neither ours nor a library's; or nothing."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.endswith(".py") and not str(Path(frame.filename).resolve()).startswith(_NOT_ONES_OWN):
            return _place(frame.filename, frame.lineno)
    return ""


def _place(file: str | None, line: int | None) -> str:
    return f" ({Path(file).name}, line {line})" if file and line else ""


def require_number(name: str, value: float, low: float, high: float) -> float:
    """``value`` as a float, if it is finite and in [low, high]; raises :class:`InvalidValue` otherwise."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InvalidValue(f"{name} must be a number from {low:g} to {high:g}, not {value!r}.") from None
    if not math.isfinite(number) or not low <= number <= high:
        raise InvalidValue(f"{name} is {number:g}; it must be a finite number from {low:g} to {high:g}.")
    return number
