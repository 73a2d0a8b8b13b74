"""Figures of controlled transport: the guide's potential at four moments, with the particles on it. Layout only."""

from __future__ import annotations

from typing import Any

import numpy as np

from gensot_demo.experiments.lagrangian.controlled import SHOWN_TIMES, Landscape

from .lagrangian import STYLES
from .palette import INK

_CELLS = 40
_SHOWN = 150  # particles of each cloud
_GAP = 0.05


def landscape_figure(moving: Landscape) -> dict[str, Any]:
    """Contours of (beta / 2) |x - nu(t)|^2 at four times, in two rows."""
    x0, x1, y0, y1 = moving.extent
    x, y = np.linspace(x0, x1, _CELLS), np.linspace(y0, y1, _CELLS)
    bowls = [moving.stiffness / 2 * ((x[None, :] - u) ** 2 + (y[:, None] - v) ** 2) for u, v in moving.guides]
    highest = float(max(bowl.max() for bowl in bowls)) or 1.0
    data: list[dict[str, Any]] = []
    layout: dict[str, Any] = {
        "annotations": [], "margin": {"l": 8, "r": 8, "t": 8, "b": 40}, "showlegend": True,
        "legend": {"orientation": "h", "y": -0.02, "yanchor": "top", "x": 0, "itemsizing": "constant"},
        "meta": {
            "description": "The guide's potential at t = " + ", ".join(f"{t:g}" for t in SHOWN_TIMES)
            + ": a round bowl that moves along the guide, with the guided particles near its bottom."
        },
    }  # fmt: skip
    wide, high = (1 - _GAP) / 2, (1 - 3 * _GAP) / 2
    for number, time in enumerate(SHOWN_TIMES):
        row, column = divmod(number, 2)
        suffix = str(number + 1) if number else ""
        left, top = column * (wide + _GAP), 1 - _GAP - row * (high + 1.5 * _GAP)
        quiet = {"showticklabels": False, "zeroline": False, "ticks": "", "showgrid": False}
        layout[f"xaxis{suffix}"] = quiet | {
            "range": [x0, x1], "domain": [left, left + wide], "anchor": f"y{suffix}", "constrain": "domain",
        }  # fmt: skip
        layout[f"yaxis{suffix}"] = quiet | {
            "range": [y0, y1], "domain": [top - high, top], "anchor": f"x{suffix}", "scaleanchor": f"x{suffix}",
            "scaleratio": 1, "constrain": "domain",
        }  # fmt: skip
        axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
        bowl = {
            "type": "contour", "x": x, "y": y, "z": bowls[number].astype(np.float32), "zmin": 0,
            "zmax": highest, "colorscale": [[0, "rgba(90,120,160,.45)"], [1, "rgba(90,120,160,.02)"]],
            "showscale": False, "contours": {"coloring": "heatmap", "start": 0, "end": highest, "size": highest / 16},
            "line": {"color": "rgba(90,120,160,.55)", "width": 1}, "hovertemplate": "%{z:.1f} nats per unit time",
            "name": "potential", "showlegend": False,
        }  # fmt: skip
        data.append(bowl | axes)
        for (label, places), style in zip(moving.at(number), STYLES, strict=False):
            marker = {"color": style.colour, "symbol": style.marker, "size": 4, "opacity": 0.75}
            dots = {"type": "scatter", "mode": "markers", "name": label, "showlegend": number == 0, "marker": marker}
            shown = places[:_SHOWN]
            data.append(dots | {"x": shown[:, 0], "y": shown[:, 1], "legendgroup": label, "hoverinfo": "skip"} | axes)
        cross = {"color": INK, "symbol": "cross", "size": 11}
        guide = {"type": "scatter", "mode": "markers", "name": "Guide", "marker": cross, "showlegend": number == 0}
        at = moving.guides[number]
        data.append(guide | {"x": [at[0]], "y": [at[1]], "legendgroup": "guide", "hoverinfo": "skip"} | axes)
        layout["annotations"].append({
            "text": f"t = {time:g}", "showarrow": False, "xref": "paper", "yref": "paper", "x": left + wide / 2,
            "y": top, "xanchor": "center", "yanchor": "bottom", "font": {"size": 13},
        })  # fmt: skip
    return {"data": data, "layout": layout}
