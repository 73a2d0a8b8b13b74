"""Figures of controlled transport: the guide's potential at a moment, with the particles on it. Layout only."""

from __future__ import annotations

from typing import Any

import numpy as np

from gensot_demo.experiments.lagrangian.controlled import SHOWN_TIMES, Landscape

from .lagrangian import STYLES
from .palette import INK

_CELLS = 40
_SHOWN = 150  # particles of each cloud


def landscape_figure(moving: Landscape, number: int) -> dict[str, Any]:
    """Contours of (beta / 2) |x - nu(t)|^2 at one of SHOWN_TIMES, on the colours that all of them share."""
    x0, x1, y0, y1 = moving.extent
    x, y = np.linspace(x0, x1, _CELLS), np.linspace(y0, y1, _CELLS)
    bowls = [moving.stiffness / 2 * ((x[None, :] - u) ** 2 + (y[:, None] - v) ** 2) for u, v in moving.guides]
    highest = float(max(bowl.max() for bowl in bowls)) or 1.0
    bowl = {
        "type": "contour", "x": x, "y": y, "z": bowls[number].astype(np.float32), "zmin": 0,
        "zmax": highest, "colorscale": [[0, "rgba(90,120,160,.45)"], [1, "rgba(90,120,160,.02)"]],
        "showscale": False, "contours": {"coloring": "heatmap", "start": 0, "end": highest, "size": highest / 16},
        "line": {"color": "rgba(90,120,160,.55)", "width": 1}, "hovertemplate": "%{z:.1f} nats per unit time",
        "name": "potential", "showlegend": False,
    }  # fmt: skip
    data: list[dict[str, Any]] = [bowl]
    dots = {"type": "scatter", "mode": "markers", "hoverinfo": "skip"}
    for (label, places), style in zip(moving.at(number), STYLES, strict=False):
        marker = {"color": style.colour, "symbol": style.marker, "size": 5, "opacity": 0.75}
        shown = places[:_SHOWN]
        data.append(dots | {"name": label, "x": shown[:, 0], "y": shown[:, 1], "marker": marker})
    at, cross = moving.guides[number], {"color": INK, "symbol": "cross", "size": 12}
    data.append(dots | {"name": "Guide", "x": [at[0]], "y": [at[1]], "marker": cross})
    quiet = {"showticklabels": False, "zeroline": False, "ticks": "", "showgrid": False, "constrain": "domain"}
    time = SHOWN_TIMES[number]
    layout = {
        "margin": {"l": 2, "r": 2, "t": 28, "b": 30}, "showlegend": True,
        "xaxis": quiet | {"range": [x0, x1]},
        "yaxis": quiet | {"range": [y0, y1], "scaleanchor": "x", "scaleratio": 1},
        "legend": {
            "orientation": "h", "y": -0.01, "yanchor": "top", "x": 0.5, "xanchor": "center", "itemsizing": "constant",
        },
        "annotations": [{
            "text": f"t = {time:g}", "showarrow": False, "xref": "paper", "yref": "paper", "x": 0.5, "y": 1,
            "xanchor": "center", "yanchor": "bottom", "font": {"size": 14},
        }],
        "meta": {
            "description": f"The guide's potential at t = {time:g}: a round bowl with its bottom at ({at[0]:.2f}, "
            f"{at[1]:.2f}), which moves along the guide, with the guided particles near it."
            if moving.stiffness else f"At t = {time:g} the potential is flat, and both clouds are one."
        },
    }  # fmt: skip
    return {"data": data, "layout": layout}
