"""Figures that all demos of the Lagrangian view share: the player and what falls over time. Layout only."""

from __future__ import annotations

from typing import Any

from gensot_demo.experiments.lagrangian.moving import Moving

from .curves import curve, line_figure
from .method_style import MethodStyle
from .palette import DATA
from .player import Clock, PanelFrames, VelocityField, player_value

STYLES = (
    MethodStyle(DATA[0], "solid", "circle"),
    MethodStyle(DATA[1], "dash", "square"),
    MethodStyle(DATA[2], "dot", "diamond"),
    MethodStyle(DATA[3], "dashdot", "triangle-up"),
    MethodStyle(DATA[4], "longdash", "x"),
)
_LAYERS = {"lagrangian": ("trails", "guide", "target"), "eulerian": ("density", "field", "guide", "target")}


def clouds_value(moving: Moving, autoplay: bool) -> str:
    """The player's value: a panel for each cloud, seen as the request wants."""
    view = moving.request.view
    panels = [
        PanelFrames(
            name=cloud.name, label=cloud.label, note=cloud.note, glyph=style.glyph, colour=style.colour,
            positions=cloud.positions, destination=cloud.kinds, guide=cloud.guide,
            field=VelocityField(*moving.flux(cloud)),
        )
        for cloud, style in zip(moving.clouds, STYLES[moving.first_style :], strict=False)
    ]  # fmt: skip
    seen = "particles and their trails" if view == "lagrangian" else "density and flux at fixed places"
    names = ", ".join(cloud.label for cloud in moving.clouds)
    return player_value(
        moving.shares, moving.extent, moving.kinds, panels, moving.target, _LAYERS[view],
        f"{names}, from {moving.time} = 0 to {moving.times[-1]:.3g}: {seen}.", autoplay,
        particles=view == "lagrangian", clock=Clock(moving.time, float(moving.times[-1])), field="Flux α v",
    )  # fmt: skip


def falling_figure(moving: Moving) -> dict[str, Any]:
    """What the motion spends or makes smaller, over its time."""
    styles = STYLES[moving.first_style :]
    curves = [curve(one.label, style, one.t, one.values) for one, style in zip(moving.falling, styles, strict=False)]
    y = {"title": {"text": moving.falls}} | ({"type": "log"} if moving.log else {"rangemode": "tozero"})
    ends = "; ".join(f"{one.label} from {one.values[0]:.3g} to {one.values[-1]:.3g}" for one in moving.falling)
    x = {
        "title": {"text": moving.time if len(moving.time) > 1 else f"time {moving.time}"},
        "range": [0, float(moving.times[-1])],
    }
    figure = line_figure(curves, x, y, f"{moving.falls} over time: {ends}.")
    figure["layout"]["showlegend"] = len(curves) > 1
    return figure
