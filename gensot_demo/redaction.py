"""What neither a log nor an answer may hold: tokens and passwords, and where a person's own files lie.

Libraries put addresses, headers and paths into the texts of their exceptions; those texts reach logs, and sentences
that a visitor reads.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|(^|_)(KEYS?|PAT|PWD)(_|$)|API_?KEY", re.IGNORECASE)
_SHORTEST = 6  # characters: shorter values are words such as "true"
_PLACES = ("HF_HOME", "HF_HUB_CACHE", "GRADIO_TEMP_DIR", "HOME")
_SHAPES = (
    (re.compile(r"\bhf_[A-Za-z0-9]{8,}"), "hf_…"),  # a token of the Hub, wherever it came from
    (re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?(?:\w+\s+)?)[\w.~+/=-]{4,}"), r"\1…"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{16,}"), r"\1 …"),
    (re.compile(r"(?i)\b(token|password|secret|api_?key|signature)(=|%3D|['\"]?:\s*['\"]?)[^\s&'\",]{4,}"), r"\1\2…"),
    (re.compile(r"(://)[^\s/@:]*:[^\s/@]*@"), r"\1…@"),  # a user's password in the address of a proxy
)


def without_secrets(text: str) -> str:
    """The text with every token, password and secret variable's value as an ellipsis."""
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST and value in text and _SECRET_NAME.search(name):
            text = text.replace(value, "…")
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text


def for_strangers(text: str) -> str:
    """The same, and folders of this machine by their variable: ``$HF_HOME/hub`` in place of where that is."""
    text = without_secrets(text)
    for name in _PLACES:
        value = os.environ.get(name, "").rstrip("/")
        if value.count("/") > 1 or (name == "HOME" and value.count("/") == 1 and len(value) > 1):
            text = text.replace(value, f"${name}")
    home = str(Path.home())
    return text if home.count("/") < 2 else text.replace(home, "~")


class Redacted:
    """A text stream that writes no secrets; all else is the stream's own."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(without_secrets(text) if isinstance(text, str) else text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def guard_output() -> None:
    """From now on nothing secret is printed or logged by this process. Handlers made earlier keep what they have."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, Redacted):
            setattr(sys, name, Redacted(stream))
