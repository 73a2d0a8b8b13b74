"""The player: up to six panels of moving particles, on the same axes and at the same time.

The drawing is `player.js` (state and controls), `player_axes.js` (what is at rest: axes, target, guides and tubes, one
plotly figure), `player_canvas.js` and `player_marks.js` (what moves: particles, trails, density and velocities, on one
canvas over the figure), `player_names.js` (titles and legend), `player_picture.js` (a moment as a picture) and
`player_film.js` (all moments as a film).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import ArrayLike, NDArray

from gensot_demo.figures import palette
from gensot_demo.figures.component import PALETTE, PLOTLY_ADDRESS
from gensot_demo.figures.component import SCRIPT_ADDRESS as FIGURE_ADDRESS

_PARTS = ("", "_axes", "_canvas", "_film", "_marks", "_names", "_picture")
SCRIPTS = {f"player{part}.js": Path(__file__).with_name(f"player{part}.js") for part in _PARTS}
"""The player's ES modules, served by the app shell side by side."""

SCRIPT_ADDRESS = (
    f"gensot/player/{sha256(b''.join(path.read_bytes() for path in SCRIPTS.values())).hexdigest()[:12]}/player.js"
)
"""Where the app shell serves the first of them, below the app's root. The version lets browsers keep them."""

MOST_PANELS = 6
MOST_MODES = 12
LAYERS = ("particles", "trails", "density", "field", "guide", "pairing", "target")
"""What a visitor can switch on and off: the names that ``show`` takes and the select event gives."""

_LABELS = ("Particles", "Trails", "Density", "Velocity field", "Guide and tube", "Start to end", "Target")
_SPEEDS = {"0.25": "¼×", "0.5": "½×", "1": "1×", "2": "2×"}
_FILMS = {"gif": "GIF", "mp4": "MP4", "webm": "WebM"}
_UNDEFINED = -32768  # of int16: no velocity here

_ICONS = {
    "back": '<path d="M6.5 6v12"/><path class="gensot-player-solid" d="M17.5 6.5v11L9.5 12z"/>',
    "forward": '<path d="M17.5 6v12"/><path class="gensot-player-solid" d="M6.5 6.5v11l8-5.5z"/>',
    "play": '<path class="gensot-player-solid gensot-player-if-paused" d="M8 5.5v13l10.5-6.5z"/>'
    '<path class="gensot-player-solid gensot-player-if-playing" d="M7 5.5h3.5v13H7zM13.5 5.5H17v13h-3.5z"/>',
    "loop": '<path d="M17 3.5 20 6.5l-3 3"/><path d="M4 11.5v-1a4 4 0 0 1 4-4h12"/>'
    '<path d="M7 20.5 4 17.5l3-3"/><path d="M20 12.5v1a4 4 0 0 1-4 4H4"/>',
    "download": '<path d="M12 4v11M7.5 10.5 12 15l4.5-4.5M5 19.5h14"/>',
    "film": '<rect x="3.5" y="5" width="17" height="14" rx="2"/><path d="M8 5v14M16 5v14M3.5 12h4.5M16 12h4.5"/>',
}


def bar_button(name: str, label: str, state: str = "") -> str:
    """A button with one of the player's icons, as HTML."""
    icon = f'<svg viewBox="0 0 24 24" aria-hidden="true">{_ICONS[name]}</svg>'
    return f'<button type="button" data-do="{name}" aria-label="{label}" title="{label}"{state}>{icon}</button>'


# Both are constants: Gradio evaluates templates as code, so nothing that a visitor wrote may reach them.
_HTML = (
    '<div class="gensot-player" role="group" data-state="empty"><div class="gensot-player-stage">'
    '<div class="gensot-player-plot"></div><canvas class="gensot-player-canvas" aria-hidden="true"></canvas>'
    '<div class="gensot-player-titles"></div></div>'
    '<ul class="gensot-player-legend" aria-label="Destinations"></ul>'
    '<div class="gensot-player-bar"><div class="gensot-player-buttons">'
    + bar_button("back", "One frame back")
    + bar_button("play", "Play")
    + bar_button("forward", "One frame forward")
    + '</div><div class="gensot-player-scrub"><input type="range" min="0" max="1" step="any" value="0" '
    'aria-label="Time"><output aria-live="off">t = 0.00</output></div>'
    '<div class="gensot-player-options"><div class="gensot-player-speeds" role="group" aria-label="Speed">'
    + "".join(
        f'<button type="button" data-speed="{speed}" aria-pressed="false">{text}</button>'
        for speed, text in _SPEEDS.items()
    )
    + "</div>"
    + bar_button("loop", "Loop", ' aria-pressed="false"')
    + bar_button("download", "Download PNG")
    + bar_button("film", "Save film", ' aria-expanded="false"')
    + '</div></div><div class="gensot-player-film gensot-save" role="group" aria-label="Save film" hidden>'
    "<span>Save film</span>"
    + "".join(f'<button type="button" data-film="{kind}">{name}</button>' for kind, name in _FILMS.items())
    + '<button type="button" data-film="" hidden>Cancel</button><span role="status"></span></div>'
    '<div class="gensot-player-layers" role="group" aria-label="What is shown">'
    + "".join(
        f'<button type="button" data-layer="{name}" aria-pressed="false">{label}</button>'
        for name, label in zip(LAYERS, _LABELS, strict=True)
    )
    + '</div><p class="gensot-player-note"></p></div>'
)
_ON_LOAD = f"""
const root = new URL(window.gradio_config?.root || "/", window.location.href).pathname.replace(/\\/$/, "");
Promise.all([import(`${{root}}/{SCRIPT_ADDRESS}`), import(`${{root}}/{FIGURE_ADDRESS}`)])
  .then(([player, common]) => player.mount({{
    element, props, watch, common, palette: {json.dumps(PALETTE)},
    plotly: `${{root}}/{PLOTLY_ADDRESS}`,
    select: (data) => trigger("select", data),
  }}))
  .catch((error) => {{
    element.querySelector(".gensot-player-note").textContent =
      "The player could not be loaded. Reload the page to try again.";
    console.error(error);
  }});
"""


class Player(gr.HTML):
    """Moving particles on the page; its value is the JSON text of :func:`player_value`, or None for ``empty``.

    A new value starts from its beginning and plays once, or stands at its end: without ``autoplay``, or where the
    visitor asks for reduced motion. Loop, speed, zoom, and what the visitor switched on or off by hand, stay.

    Its ``select`` event fires when the visitor switches something on or off; ``gr.EventData`` then holds ``show`` (a
    list of names out of ``LAYERS``) and ``frame`` (an index into the value's times). They come from the visitor's
    browser: check them.
    """

    def __init__(
        self,
        value: str | None = None,
        *,
        empty: str = "Nothing to play yet.",
        filename: str = "gensot",
        elem_classes: list[str] | str | None = None,
        html_template: str = _HTML,
        js_on_load: str = _ON_LOAD,
        **other: Any,
    ):
        """
        Parameters:
            value: the first value, or None.
            empty: what to do to get something to play, shown while there is nothing.
            filename: name of a downloaded picture or film, without extension.
        """
        classes = [elem_classes] if isinstance(elem_classes, str) else list(elem_classes or [])
        if "gensot-figure-block" not in classes:
            classes.append("gensot-figure-block")
        other.setdefault("apply_default_css", False)
        own = {"empty": empty, "filename": filename, "elem_classes": classes}
        super().__init__(value, html_template=html_template, js_on_load=js_on_load, **(other | own))

    def api_info(self) -> dict[str, Any]:
        return {"type": "string", "description": "panels of moving particles as JSON text"}

    def example_payload(self) -> str:
        return '{"times": [0, 1], "panels": []}'

    def example_value(self) -> str:
        return self.example_payload()


@dataclass(frozen=True)
class Tube:
    """A band around a curve: ``centre`` (k, 2), and ``half_width`` (k,) in the same units."""

    centre: ArrayLike
    half_width: ArrayLike


@dataclass(frozen=True)
class VelocityField:
    """Velocities on a grid, at a few times. Between the times they are interpolated linearly.

    ``x`` (gx,) and ``y`` (gy,) are the grid, ``times`` (T,) increases within those of the frames, ``vectors`` is
    (T, gy, gx, 2). NaN says that the field is undefined there: nothing is drawn.
    """

    x: ArrayLike
    y: ArrayLike
    times: ArrayLike
    vectors: ArrayLike


@dataclass(frozen=True)
class PanelFrames:
    """One panel: n particles at F recorded times.

    ``positions`` is (F, n, 2), ``destination`` (n,) holds indices into the modes, ``guide`` (k, 2) a curve.
    ``colour`` is one of `palette`, for the panel's glyph and tube; the particles take theirs from their destination.
    """

    name: str
    label: str
    positions: ArrayLike
    destination: ArrayLike
    note: str = ""
    glyph: str = "●"
    colour: str = palette.DATA[0]
    guide: ArrayLike | None = None
    tube: Tube | None = None
    field: VelocityField | None = None


@dataclass(frozen=True)
class Clock:
    """How a time of the frames is said: its ``name``, and what it is at the frames' time 1; it begins with 0."""

    name: str
    end: float


def player_value(
    times: ArrayLike,
    extent: Sequence[float],
    modes: Sequence[str],
    panels: Sequence[PanelFrames],
    target: tuple[ArrayLike, ArrayLike, ArrayLike] | None,
    show: Sequence[str],
    description: str,
    autoplay: bool = True,
    particles: bool = True,
    clock: Clock | None = None,
    field: str = _LABELS[LAYERS.index("field")],
) -> str:
    """The player's value as JSON text. Positions travel as int16: a 65535th of the box that holds a panel's particles.

    Parameters:
        times: (F,) the frames' times, increasing, from 0 to 1 or a part of it; F >= 2. Playing is linear in time.
        extent: x0, x1, y0, y1 of every panel's axes. Particles outside appear when the visitor zooms out.
        modes: names of the destinations, 1 to 12.
        panels: 1 to 6, with different names. Each may have a number of particles of its own.
        target: x (k,), y (l,) and density z (l, k) to lay under every panel, or None.
        show: what is on at first beside the particles, out of ``LAYERS``.
        description: what the player shows, in a sentence, for people who do not see it.
        autoplay: whether it starts by itself. It never does where the visitor asks for reduced motion.
        particles: whether they are on at first.
        clock: what the frames' times are called and how long they last, where that is not t from 0 to 1.
        field: what the arrows are.

    A value that differs from the one before in what is shown only, keeps the moment at which the player stands.

    Raises:
        ValueError: a shape does not fit, a number is not finite, a name is unknown or comes twice.
    """
    times = _finite(times, "times", (None,))
    if len(times) < 2 or times[0] < 0 or times[-1] > 1 or (np.diff(times) <= 0).any():
        raise ValueError(f"times is {times}; it must be at least two increasing numbers between 0 and 1")
    x0, x1, y0, y1 = _finite(extent, "extent", (4,)).tolist()
    if not (x0 < x1 and y0 < y1):
        raise ValueError(f"extent is {(x0, x1, y0, y1)}; it must be x0 < x1, y0 < y1")
    if not 1 <= len(modes) <= MOST_MODES:
        raise ValueError(f"modes has {len(modes)} names; it must have 1 to {MOST_MODES}")
    if not 1 <= len(panels) <= MOST_PANELS:
        raise ValueError(f"panels has {len(panels)} entries; it must have 1 to {MOST_PANELS}")
    if len({panel.name for panel in panels}) < len(panels):
        raise ValueError(f"panels has names {[panel.name for panel in panels]}; they must differ")
    if unknown := set(show) - set(LAYERS):
        raise ValueError(f"show has {sorted(unknown)}; it must be names out of {LAYERS}")
    return json.dumps(
        {
            "times": times.tolist(),
            "extent": [x0, x1, y0, y1],
            "modes": list(modes),
            "panels": [_panel(panel, times, len(modes)) for panel in panels],
            "target": None if target is None else _target(*target),
            "show": [*(["particles"] if particles else []), *show],
            "clock": None if clock is None else {"name": clock.name, "end": clock.end},
            "field": field,
            "description": description,
            "autoplay": autoplay,
        },
        allow_nan=False,
    )


def _panel(panel: PanelFrames, times: NDArray[np.float64], modes: int) -> dict[str, Any]:
    who = f"panel {panel.name!r}: "
    if panel.colour not in palette.DARK:
        raise ValueError(f"{who}colour is {panel.colour!r}; it must be one of the palette")
    positions = _finite(panel.positions, f"{who}positions", (len(times), None, 2))
    particles = positions.shape[1]
    destination = np.asarray(panel.destination)
    if destination.shape != (particles,) or not np.isin(destination, np.arange(modes)).all():
        raise ValueError(f"{who}destination must hold {particles} integers from 0 to {modes - 1}")
    low, high = positions.min((0, 1)), positions.max((0, 1))
    width = np.maximum(high - low, 1e-6)
    steps = np.rint((positions - low) / width * 65535) - 32768
    tube = panel.tube
    if tube is not None:
        centre = _finite(tube.centre, f"{who}tube centre", (None, 2))
        tube = {
            "centre": _short(centre),
            "half_width": _short(_finite(tube.half_width, f"{who}tube half_width", (len(centre),))),
        }
    return {
        "name": panel.name,
        "label": panel.label,
        "note": panel.note,
        "glyph": panel.glyph,
        "colour": panel.colour,
        "particles": particles,
        "positions": _base64(steps, "<i2"),
        "box": [low[0], low[0] + width[0], low[1], low[1] + width[1]],
        "destination": _base64(destination, "u1"),
        "guide": None if panel.guide is None else _short(_finite(panel.guide, f"{who}guide", (None, 2))),
        "tube": tube,
        "field": None if panel.field is None else _field(panel.field, f"{who}field "),
    }


def _field(field: VelocityField, who: str) -> dict[str, Any]:
    x, y, times = (_finite(getattr(field, name), who + name, (None,)) for name in ("x", "y", "times"))
    vectors = np.asarray(field.vectors, dtype=np.float64)
    if vectors.shape != (len(times), len(y), len(x), 2) or not len(times):
        raise ValueError(f"{who}vectors has shape {vectors.shape}; it must be (times, y, x, 2)")
    if (np.diff(times) <= 0).any():
        raise ValueError(f"{who}times is {times}; it must increase")
    defined = np.isfinite(vectors).all(-1, keepdims=True)
    scale = float(np.abs(vectors, where=defined, out=np.zeros_like(vectors)).max(initial=0.0)) or 1.0
    steps = np.where(defined, np.rint(np.where(defined, vectors, 0.0) / scale * 32767), _UNDEFINED)
    return {
        "x": _short(x),
        "y": _short(y),
        "times": times.tolist(),
        "vectors": _base64(steps, "<i2"),
        "scale": scale,
    }


def _target(x: ArrayLike, y: ArrayLike, z: ArrayLike) -> dict[str, Any]:
    x, y = _finite(x, "target x", (None,)), _finite(y, "target y", (None,))
    z = _finite(z, "target z", (len(y), len(x)))
    return {"x": _short(x), "y": _short(y), "z": _short(z)}


def _finite(values: ArrayLike, name: str, shape: tuple[int | None, ...]) -> NDArray[np.float64]:
    """The values as float64. None in ``shape`` is any length from 1."""
    array = np.asarray(values, dtype=np.float64)
    fits = array.ndim == len(shape) and array.size > 0
    if not fits or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        wanted = ", ".join("n" if length is None else str(length) for length in shape)
        raise ValueError(f"{name} has shape {array.shape}; it must be ({wanted})")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has {int((~np.isfinite(array)).sum())} entries that are not finite")
    return array


def _short(array: NDArray[np.float64]) -> list:
    """The array as lists of numbers with five digits: what a screen can show."""
    return np.vectorize(lambda number: float(f"{number:.5g}"), otypes=[float])(array).tolist()


def _base64(array: NDArray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array.astype(kind)).tobytes()).decode("ascii")
