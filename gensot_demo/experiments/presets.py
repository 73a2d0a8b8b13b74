"""Presets in a link: ``preset=straight-is-cheapest`` stands for the settings of the button with that title.

Further fields of the link override the preset's: ``preset=ring&seed=3``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

from .requests import InvalidRequest

KEY = "preset"
Presets = Callable[[], Iterable[tuple[str, str]]]
"""(title, query) of each preset of a page; asked only when a link names one."""


def slug(title: str) -> str:
    """A title as it stands in a link: ``ω = 6, few steps`` is ``w-6-few-steps``."""
    words = re.findall("[a-z0-9]+", title.lower().replace("ω", "w").replace(",", "").replace("'", ""))
    return "-".join(words)


def named(changes: Iterable[tuple[str, dict[str, Any]]], kind: type, to_query: Callable[[Any], str]) -> Presets:
    """Presets that are (title, fields of a request) each."""
    return lambda: ((title, to_query(kind(**change))) for title, change in changes)


def expanded(fields: list[tuple[str, str]], presets: Presets) -> list[tuple[str, str]]:
    """The fields of a link with its preset's in the place of ``preset=``; of two, the last counts. Raises
    InvalidRequest, which lists the presets that there are, for any other."""
    names = [text for key, text in fields if key == KEY]
    if not names:
        return fields
    own = [(key, text) for key, text in fields if key != KEY]
    known = {slug(title): query for title, query in presets()}
    if names[-1] not in known:
        raise InvalidRequest(f"The preset {names[-1][:60]!r} is not known here; there are {', '.join(known)}.")
    overridden = {"v", *(key for key, _ in own)}
    told = parse_qsl(known[names[-1]], keep_blank_values=True)
    return [*((key, text) for key, text in told if key not in overridden), *own]
