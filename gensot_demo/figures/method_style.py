"""One colour, one dash and one marker per method, the same in every figure, wall and table."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

from .palette import DATA

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_MARKERS = ("circle", "square", "diamond", "triangle-up", "x", "cross")
_GLYPHS = {"circle": "●", "square": "■", "diamond": "◆", "triangle-up": "▲", "x": "✕", "cross": "✚"}


@dataclass(frozen=True)
class MethodStyle:
    """How a method is drawn: a palette colour, a plotly dash, a plotly marker and the same marker as a character."""

    colour: str
    dash: str
    marker: str

    @property
    def glyph(self) -> str:
        return _GLYPHS[self.marker]


_KNOWN = {
    "unguided": MethodStyle(DATA[7], "dot", "circle"),
    "conditional": MethodStyle(DATA[5], "dash", "square"),
    "cfg": MethodStyle(DATA[1], "dashdot", "triangle-up"),
    "sdedit": MethodStyle(DATA[4], "longdash", "x"),
    "dps": MethodStyle(DATA[3], "longdashdot", "cross"),
    "gensot": MethodStyle(DATA[0], "solid", "diamond"),
}


def method_style(name: str) -> MethodStyle:
    """The style of a method; one from outside gets one of its own that follows from its name alone."""
    if name in _KNOWN:
        return _KNOWN[name]
    number = crc32(name.encode())
    return MethodStyle((DATA[2], DATA[6])[number % 2], _DASHES[number // 2 % 6], _MARKERS[number // 12 % 6])
