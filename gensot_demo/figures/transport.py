"""Figures of the Transport page: panels for the player and the curves over time. Layout only."""

from __future__ import annotations

from typing import Any

import numpy as np

from gensot_demo.experiments.plane.motion import Curve, accumulated, grid_of
from gensot_demo.experiments.plane.run import Panel, TransportResult
from gensot_demo.experiments.plane.scene import FIELD_TIMES, scene_of

from .curves import curve, line_figure
from .method_style import MethodStyle
from .palette import DATA, MUTED, faded
from .player import PanelFrames, Tube, VelocityField, player_value

_STYLES = (
    MethodStyle(DATA[0], "solid", "circle"),
    MethodStyle(DATA[1], "dash", "square"),
    MethodStyle(DATA[2], "dot", "diamond"),
    MethodStyle(DATA[3], "dashdot", "triangle-up"),
    MethodStyle(DATA[4], "longdash", "x"),
    MethodStyle(DATA[6], "longdashdot", "cross"),
)
_TIME = {"title": {"text": "time t, from source (0) to target (1)"}, "range": [0, 1]}


def panel_style(number: int) -> MethodStyle:
    """The style of a panel by its place: the same in the player, the curves and the table."""
    return _STYLES[number % len(_STYLES)]


def player_of(result: TransportResult, autoplay: bool = True) -> str:
    """The player's value: all panels that have moved."""
    scene = scene_of(result)
    numbers = {panel.name: number for number, panel in enumerate(result.panels)}
    panels = []
    for part in scene.panels:
        panel, style = part.panel, panel_style(numbers[part.panel.name])
        tube = panel.motion.tube
        panels.append(
            PanelFrames(
                name=panel.name,
                label=panel.label,
                note=calls_of(panel),
                glyph=style.glyph,
                colour=style.colour,
                positions=part.positions,
                destination=part.destination,
                guide=None if tube is None else tube.guide,
                tube=None if tube is None else Tube(tube.mean, tube.half_width),
                field=None if part.field is None else VelocityField(*scene.field_axes, FIELD_TIMES, part.field),
            )
        )
    names = ", ".join(panel.label for panel in result.moving)
    return player_value(
        scene.times,
        scene.extent,
        result.target.modes,
        panels,
        scene.density,
        result.request.show,
        f"Particles move from {result.source.label} to {result.target.label}, by {names}.",
        autoplay,
    )


def calls_of(panel: Panel) -> str:
    """What one particle costs, in words."""
    calls = panel.motion.calls
    return f"{calls:.0f} calls a particle" if calls else "solved once, no calls"


def _curves(result: TransportResult, pick) -> list[dict]:
    """One curve for each panel for which ``pick`` gives (t, values)."""
    found = []
    for number, panel in enumerate(result.panels):
        picked = pick(panel) if panel.motion is not None else None
        if picked is not None:
            found.append(curve(panel.label, panel_style(number), *picked))
    return found


def _shown(values: Curve) -> tuple[np.ndarray, np.ndarray]:
    t = grid_of(values)
    return t, values.at(t)


def _figure(result: TransportResult, curves: list[dict], y: dict, description: str) -> dict[str, Any]:
    return line_figure(curves, _TIME, y, description)


def speed_figure(result: TransportResult) -> dict[str, Any]:
    curves = _curves(result, lambda panel: _shown(panel.motion.speed))
    y = {"title": {"text": "mean speed E|v|, length/time"}, "type": "log", "dtick": "D2"}
    return _figure(result, curves, y, "Mean speed of the probability flow over time.")


def kinetic_figure(result: TransportResult) -> dict[str, Any]:
    curves = _curves(result, lambda panel: _shown(panel.motion.kinetic))
    y = {"title": {"text": "kinetic energy E|v|², length²/time²"}, "type": "log"}
    return _figure(result, curves, y, "Kinetic energy of the probability flow over time.")


def dissipation_figure(result: TransportResult) -> dict[str, Any]:
    def picked(panel: Panel):
        t = grid_of(panel.motion.kinetic)
        return t[1:], accumulated(panel.motion.kinetic, t)[1:]

    totals = "; ".join(f"{panel.label} {panel.motion.action():.3g}" for panel in result.moving)
    y = {"title": {"text": "dissipation ∫E|v|² dt, length²/time"}, "type": "log"}
    return _figure(result, _curves(result, picked), y, f"Dissipation so far. In all: {totals}.")


def distance_figure(result: TransportResult) -> dict[str, Any] | None:
    """W2 to the law over time with the floor that a perfect sampler reaches; None until it is measured."""
    curves = _curves(
        result, lambda panel: None if panel.distance is None else (panel.distance.t, panel.distance.values)
    )
    if not curves:
        return None
    floors = {(m.floor, m.floor_spread) for m in (panel.measures for panel in result.panels) if m is not None}
    for floor, spread in sorted(floors):
        curves += _floor(floor, spread)
    y = {"title": {"text": "W₂ to the law asked for, length"}, "type": "log"}
    return _figure(result, curves, y, "Distance of the particles from the law that is asked for, over time.")


def _floor(floor: float, spread: float) -> list[dict]:
    """What one cloud of exact draws scores: mean as a dotted line, two standard deviations as a band."""
    low, high = max(floor - 2 * spread, 0.2 * floor), floor + 2 * spread
    band = {"x": [0, 1, 1, 0], "y": [low, low, high, high], "fill": "toself", "fillcolor": faded(MUTED, 0.14)}
    line = {"x": [0, 1], "y": [floor, floor], "line": {"color": MUTED, "dash": "dot", "width": 1.5}}
    plain = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
    return [
        plain | band | {"line": {"width": 0}, "showlegend": False, "name": "floor, two standard deviations"},
        plain | line | {"name": f"floor {floor:.2f}"},
    ]


def entropy_figure(result: TransportResult) -> dict[str, Any]:
    curves = _curves(result, lambda panel: (panel.motion.entropy.t, panel.motion.entropy.values))
    y = {"title": {"text": "entropy of the destination, nats"}, "rangemode": "tozero"}
    return _figure(result, curves, y, "How undecided the mode of arrival still is, given where a particle is now.")
