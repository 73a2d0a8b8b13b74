"""One colour, dash and marker per schedule, the same in every figure about energy."""

from __future__ import annotations

from .method_style import MethodStyle
from .palette import DATA

_STYLES = {
    "vp": MethodStyle(DATA[3], "dashdot", "triangle-up"),
    "cosine": MethodStyle(DATA[2], "dash", "square"),
    "condot": MethodStyle(DATA[1], "solid", "diamond"),
    "ve": MethodStyle(DATA[4], "longdash", "x"),
    "gensot": MethodStyle(DATA[6], "longdashdot", "cross"),
    "optimal": MethodStyle(DATA[0], "solid", "circle"),
    "drawn": MethodStyle(DATA[5], "dot", "star"),
    "ot": MethodStyle(DATA[7], "dot", "hexagon"),
}


def schedule_style(name: str) -> MethodStyle:
    """The style of a schedule by its short name, as ``condot``; the kinetic-optimal one is ``optimal`` or ``ko``."""
    return _STYLES["optimal" if name == "ko" else name]
