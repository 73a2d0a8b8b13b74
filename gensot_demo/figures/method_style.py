"""One colour, one dash and one marker per method, the same in every figure, wall and table."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

from .palette import DATA

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_MARKERS = ("circle", "square", "diamond", "triangle-up", "x", "cross")
_GLYPHS = {
    "circle": "●", "square": "■", "diamond": "◆", "triangle-up": "▲", "x": "✕", "cross": "✚",
    "triangle-down": "▼", "star": "★", "pentagon": "⬟", "hexagon": "⬢", "triangle-left": "◀", "triangle-right": "▶",
}  # fmt: skip


@dataclass(frozen=True)
class MethodStyle:
    """How a method is drawn: a palette colour, a plotly dash, a plotly marker and the same marker as a character."""

    colour: str
    dash: str
    marker: str

    @property
    def token(self) -> str:
        """The colour as app.css knows it, in both themes."""
        return f"data-{DATA.index(self.colour)}"

    @property
    def variable(self) -> str:
        """The CSS variable of the colour."""
        return f"--gensot-{self.token}"

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
    "apg": MethodStyle(DATA[6], "dash", "circle"),
    "cfg_zero_star": MethodStyle(DATA[2], "dot", "square"),
    "cfg_plus_plus": MethodStyle(DATA[3], "longdash", "triangle-down"),
    "autoguidance": MethodStyle(DATA[4], "dashdot", "star"),
    "pag": MethodStyle(DATA[7], "longdashdot", "pentagon"),
    "classifier": MethodStyle(DATA[2], "longdash", "hexagon"),
    "lgd": MethodStyle(DATA[1], "dash", "square"),
    "pigdm": MethodStyle(DATA[2], "dashdot", "triangle-up"),
    "mpgd": MethodStyle(DATA[6], "dot", "diamond"),
    "freedom": MethodStyle(DATA[5], "longdash", "triangle-down"),
    "tfg": MethodStyle(DATA[1], "dot", "star"),
    "repaint": MethodStyle(DATA[7], "dash", "hexagon"),
    "ddnm": MethodStyle(DATA[4], "dashdot", "pentagon"),
    "best_of_n": MethodStyle(DATA[5], "dot", "triangle-left"),
    "fk_steering": MethodStyle(DATA[6], "dashdot", "triangle-right"),
    "twisted_smc": MethodStyle(DATA[2], "longdashdot", "star"),
}


def method_style(name: str) -> MethodStyle:
    """The style of a method; one from outside gets one of its own that follows from its name alone."""
    if name in _KNOWN:
        return _KNOWN[name]
    number = crc32(name.encode())
    return MethodStyle((DATA[2], DATA[6])[number % 2], _DASHES[number // 2 % 6], _MARKERS[number // 12 % 6])
