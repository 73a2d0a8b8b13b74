"""Errors that name the parameter, its value and the allowed range."""

from __future__ import annotations

import math


class Explained(Exception):
    """An error whose message is a sentence for the person, to be shown as it is."""


class InvalidValue(Explained, ValueError):
    """A parameter is not a finite number or lies outside its range; the message says which, what and where."""


def reason(error: Exception) -> str:
    """What to tell a person: the sentence of an explained error, else its kind and message."""
    return str(error) if isinstance(error, Explained) else f"{type(error).__name__}: {error}"


def require_number(name: str, value: float, low: float, high: float) -> float:
    """``value`` as a float, if it is finite and in [low, high]; raises :class:`InvalidValue` otherwise."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InvalidValue(f"{name} must be a number from {low:g} to {high:g}, not {value!r}.") from None
    if not math.isfinite(number) or not low <= number <= high:
        raise InvalidValue(f"{name} is {number:g}; it must be a finite number from {low:g} to {high:g}.")
    return number
