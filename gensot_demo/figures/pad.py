"""The drawing pad: a square of the plane on which a person draws modes, points, one curve or knots.

The pad itself is `pad.js` (pointers, keys and buttons), `pad_drawing.js` (what is drawn, and its history),
`pad_picture.js` (how it looks) and `pad_plane.js` (geometry). Its value is JSON text that comes from the visitor's
browser: a page reads it with :func:`read_drawing`, which checks it, and writes it with :func:`drawing_value`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from reprlib import Repr
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import ArrayLike, NDArray

from gensot_demo.figures import palette

_MODULES = ("pad.js", "pad_drawing.js", "pad_picture.js", "pad_plane.js")
SCRIPTS = {name: Path(__file__).with_name(name) for name in _MODULES}
"""The pad's ES modules, served by the app shell side by side."""

_VERSION = sha256(b"".join(path.read_bytes() for path in SCRIPTS.values())).hexdigest()[:12]
SCRIPT_ADDRESS = f"gensot/pad/{_VERSION}/pad.js"
"""Where the app shell serves the first of them, below the app's root. The version lets browsers keep them."""

TOOLS = ("modes", "points", "curve", "knots")
"""What can be drawn."""

MOST = {"modes": 12, "points": 2000, "curve": 2000, "knots": 24}
"""How many rows a drawing may have of each."""

FARTHEST = 1000.0
"""Coordinates lie between minus and plus this."""

SIZES = (0.02, 5.0)
"""The standard deviation of a mode."""

WEIGHTS = (0.001, 1000.0)
"""The weight of a mode, relative to the other modes."""

BACKDROP_POINTS, BACKDROP_PATHS = 600, 60
"""How many points and how many paths a backdrop may have."""

_LONGEST = 1_000_000  # characters of a value; the largest drawing and backdrop together have fewer

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = 60

_COLOURS = {"data": palette.DATA, "ink": palette.INK, "muted": palette.MUTED, "line": palette.LINE}
_COLOURS["paper"] = palette.PAPER
_OPTIONS = {
    "limits": {"counts": MOST, "size": SIZES, "weight": WEIGHTS, "backdrop": [BACKDROP_POINTS, BACKDROP_PATHS]},
    "colours": _COLOURS,
    "dark": palette.DARK,
}


def _icon_button(action: str, title: str, path: str) -> str:
    return (
        f'<button type="button" data-do="{action}" title="{title}" disabled>'
        f'<svg viewBox="0 0 24 24" aria-hidden="true"><path d="{path}"/></svg>'
        f'<span class="gensot-unseen">{title}</span></button>'
    )


def _slider(name: str, title: str, limits: tuple[float, float]) -> str:
    low, high = (f"{math.log10(limit):.2f}" for limit in limits)
    return (
        f'<label data-for="modes"><span>{title}</span><input type="range" data-of="{name}" min="{low}" max="{high}" '
        f'step="0.01" value="0" aria-label="{title} of the selected mode" disabled><output></output></label>'
    )


_HTML = (
    '<div class="gensot-pad"><div class="gensot-pad-label"></div><div class="gensot-pad-bar">'
    '<div class="gensot-pad-tools" role="group" aria-label="Drawing tool"></div>'
    '<div class="gensot-pad-actions" role="group" aria-label="History">'
    + _icon_button("undo", "Undo", "M9 7 4.5 11.5 9 16M5 11.5h9a5 5 0 0 1 0 8h-3")
    + _icon_button("redo", "Redo", "m15 7 4.5 4.5L15 16M19 11.5h-9a5 5 0 0 0 0 8h3")
    + _icon_button("clear", "Clear", "M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 10.5v6M13.5 10.5v6")
    + '</div></div><div class="gensot-pad-plane"><canvas tabindex="0" role="application"></canvas>'
    '<p class="gensot-pad-hint"></p><span class="gensot-pad-where" aria-hidden="true"></span></div>'
    '<div class="gensot-pad-panel">'
    + _slider("size", "Size", SIZES)
    + _slider("weight", "Weight", (0.05, 20.0))
    + '<button type="button" data-do="erase" data-for="points" aria-pressed="false">Eraser</button>'
    '<button type="button" data-do="remove" data-for="modes knots" disabled>Delete</button>'
    '<p class="gensot-pad-status" role="status" aria-live="polite"></p></div></div>'
)

# Both are constants: Gradio evaluates templates as code, so nothing that a visitor wrote may reach them.
_ON_LOAD = f"""
const root = new URL(window.gradio_config?.root || "/", window.location.href).pathname.replace(/\\/$/, "");
import(`${{root}}/{SCRIPT_ADDRESS}`)
  .then((module) => module.mount({{ element, props, watch, send: () => trigger("input"), ...{json.dumps(_OPTIONS)} }}))
  .catch((error) => {{
    element.querySelector(".gensot-pad-hint").textContent = "The pad could not be loaded. Reload the page.";
    console.error(error);
  }});
"""


class DrawingPad(gr.HTML):
    """A pad to draw on; its value is the JSON text of :func:`drawing_value`, or None.

    Its ``input`` event fires when a person has changed the drawing or taken another tool: at the end of a stroke, and
    150 ms after the last change otherwise. The handler's input is then the new text; read it with
    :func:`read_drawing`. Listen with ``trigger_mode="always_last"``: else Gradio drops what is drawn while a handler
    runs. Such a handler must not answer with the drawing that it was given, as a person may have drawn on; what it can
    answer with is :func:`backdrop_value`.

    A value set from Python is shown, can be undone by the person, and fires no ``input``. While a change by hand is
    under way only its backdrop is taken.

    Hide it with ``visible="hidden"``, not ``False``: Gradio mounts a component that was left out of the page without
    its own properties.

    All four kinds are kept in the value; the ``tool`` in hand says which one counts, the others are shown faintly.
    """

    def __init__(
        self,
        value: str | None = None,
        *,
        tools: Sequence[str] = TOOLS,
        extent: tuple[float, float, float, float] = (-4.0, 4.0, -4.0, 4.0),
        height: int = 360,
        label: str | None = None,
        empty: str = "",
        scale: int | None = None,
        visible: bool = True,
        elem_id: str | None = None,
        elem_classes: list[str] | str | None = None,
        render: bool = True,
        key: int | str | None = None,
        html_template: str = _HTML,
        js_on_load: str = _ON_LOAD,
        **other: Any,
    ):
        """
        Parameters:
            value: the first drawing, or None.
            tools: which of `TOOLS` to offer, in this order; the first is in hand where the value names none of them.
            extent: left, right, lower and upper end of the plane; both axes have the same scale.
            height: width of the pad in pixels, and its height if the extent is square, 160 to 420. A phone's pad is as
                wide as its page, up to 420.
            label: shown above the pad, and its name in the API.
            empty: what to do, shown while nothing is drawn; each tool has a sentence of its own if this is empty.
        """
        tools, extent = list(tools), [float(end) for end in extent]
        if not tools or len(set(tools)) < len(tools) or not set(tools) <= set(TOOLS):
            raise ValueError(f"tools is {tools}; it must name one or more of {', '.join(TOOLS)}, each once")
        if len(extent) != 4 or not all(-FARTHEST <= end <= FARTHEST for end in extent):
            raise ValueError(f"extent is {extent}; it must be four numbers between {-FARTHEST:g} and {FARTHEST:g}")
        if extent[0] >= extent[1] or extent[2] >= extent[3]:
            raise ValueError(f"extent is {extent}; it must be left < right, lower < upper")
        if not 160 <= height <= 420:
            raise ValueError(f"height is {height}; it must be between 160 and 420 pixels")
        classes = [elem_classes] if isinstance(elem_classes, str) else list(elem_classes or [])
        if "gensot-pad-block" not in classes:
            classes.append("gensot-pad-block")
        own = {"tools": tools, "extent": extent, "height": height, "empty": empty}
        super().__init__(
            value,
            label=label,
            scale=scale,
            visible=visible,
            elem_id=elem_id,
            elem_classes=classes,
            render=render,
            key=key,
            html_template=html_template,
            js_on_load=js_on_load,
            apply_default_css=False,
            **(other | own),
        )

    def api_info(self) -> dict[str, Any]:
        return {"type": "string", "description": "a drawing as JSON text: tool, modes, points, curve, knots"}

    def example_payload(self) -> str:
        return drawing_value("modes", modes=[[-1, 0, 0.3, 1], [1, 0, 0.3, 1]])

    def example_value(self) -> str:
        return self.example_payload()


def _rows(width: int) -> NDArray[np.float64]:
    return np.zeros((0, width))


@dataclass(frozen=True, eq=False)
class Drawing:
    """What a person has drawn; the arrays are float64 and read-only."""

    tool: str = "modes"
    """The tool in hand, one of `TOOLS`: which of the following counts."""

    modes: NDArray[np.float64] = field(default_factory=lambda: _rows(4))
    """(n, 4): x, y, standard deviation, weight relative to the others."""

    points: NDArray[np.float64] = field(default_factory=lambda: _rows(2))
    """(n, 2), without an order."""

    curve: NDArray[np.float64] = field(default_factory=lambda: _rows(2))
    """(n, 2), in the order in which it was drawn."""

    knots: NDArray[np.float64] = field(default_factory=lambda: _rows(2))
    """(n, 2), in order from the start to the end, without these two."""


def read_drawing(value: str | Mapping | None) -> Drawing:
    """The drawing that a pad's value describes; None is an empty one. A backdrop is passed over.

    Raises ValueError, with a sentence for the person, where the value is no drawing or exceeds a limit of this module.
    """
    if value is None:
        return Drawing()
    if isinstance(value, str):
        value = _parsed(value)
    if not isinstance(value, Mapping):
        raise ValueError(f"the drawing is {_shown(value)}; it must be a JSON object with tool, {', '.join(TOOLS)}")
    return Drawing(tool=_tool(value.get("tool", TOOLS[0])), **{name: _table(name, value.get(name)) for name in TOOLS})


def drawing_value(
    tool: str,
    *,
    modes: ArrayLike = (),
    points: ArrayLike = (),
    curve: ArrayLike = (),
    knots: ArrayLike = (),
    backdrop: Mapping[str, Any] | None = None,
) -> str:
    """A pad's value as JSON text, with four decimals; the arguments are those of `Drawing`.

    ``backdrop`` is drawn faintly beneath and may hold ``points`` (n, 2), ``paths`` (a list of (n, 2)), ``start`` and
    ``end`` (two numbers each). With both ends and no knots, the knots tool begins with four on the straight line.

    Raises ValueError where :func:`read_drawing` would, and where the backdrop exceeds its limits.
    """
    rows = {"modes": modes, "points": points, "curve": curve, "knots": knots}
    value: dict[str, Any] = {"tool": _tool(tool)}
    value |= {name: _table(name, np.asarray(given).tolist()).round(4).tolist() for name, given in rows.items()}
    if backdrop is not None:
        value["backdrop"] = _checked_backdrop(backdrop)
    return json.dumps(value, separators=(",", ":"))


def backdrop_value(backdrop: Mapping[str, Any]) -> str:
    """A value that gives a pad another backdrop, as in :func:`drawing_value`, and leaves its drawing as it is."""
    return json.dumps({"backdrop": _checked_backdrop(backdrop)}, separators=(",", ":"))


def _parsed(text: str) -> Any:
    if len(text) > _LONGEST:
        raise ValueError(f"the drawing has {len(text)} characters; it may have {_LONGEST} at most")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"the drawing is {_shown(text)}; it must be JSON text") from None


def _tool(name: Any) -> str:
    if not isinstance(name, str) or name not in TOOLS:
        raise ValueError(f"tool is {_shown(name)}; it must be one of {', '.join(TOOLS)}")
    return name


def _table(name: str, rows: Any, most: int | None = None) -> NDArray[np.float64]:
    """Checked rows of points, or of modes, as a read-only array."""
    most = MOST[name] if most is None else most
    rows = [] if rows is None else rows
    width = 4 if name == "modes" else 2
    if not isinstance(rows, list | tuple):
        raise ValueError(f"{name} is {_shown(rows)}; it must be a list")
    if len(rows) > most:
        raise ValueError(f"{name} has {len(rows)} entries; it may have {most} at most")
    limits = [("x", (-FARTHEST, FARTHEST)), ("y", (-FARTHEST, FARTHEST)), ("size", SIZES), ("weight", WEIGHTS)][:width]
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list | tuple) or len(row) != width:
            raise ValueError(f"{name}, entry {number}, is {_shown(row)}; it must be {width} numbers")
        for (part, (low, high)), entry in zip(limits, row, strict=True):
            if isinstance(entry, bool) or not isinstance(entry, int | float) or not low <= entry <= high:  # nor NaN
                raise ValueError(
                    f"{name}, entry {number}: {part} is {_shown(entry)}; it must be a number from {low:g} to {high:g}"
                )
    table = np.array(rows, dtype=np.float64).reshape(-1, width)
    table.flags.writeable = False
    return table


def _checked_backdrop(backdrop: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := set(backdrop) - {"points", "paths", "start", "end"}:
        raise ValueError(f"backdrop has {', '.join(sorted(unknown))}; it may have points, paths, start and end")
    paths = backdrop.get("paths", ())
    if len(paths) > BACKDROP_PATHS:
        raise ValueError(f"backdrop paths has {len(paths)} entries; it may have {BACKDROP_PATHS} at most")

    def table(name: str, rows: Any, most: int) -> list:
        return _table(f"backdrop {name}", np.asarray(rows).tolist(), most).round(4).tolist()

    checked: dict[str, Any] = {
        "points": table("points", backdrop.get("points", ()), BACKDROP_POINTS),
        "paths": [table(f"path {number}", path, BACKDROP_POINTS) for number, path in enumerate(paths, start=1)],
    }
    for name in ("start", "end"):
        if backdrop.get(name) is not None:
            checked[name] = table(name, [backdrop[name]], 1)[0]
    return checked


def _shown(value: Any) -> str:
    """A value that may be anything, short enough for a sentence."""
    return _SHORT.repr(value)
