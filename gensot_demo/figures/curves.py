"""What all line figures of the app share: one style per curve that does not need colour alone, quiet axes, a legend."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .method_style import MethodStyle

# Measured from the frame and not from the axes, whose height depends on the legend's.
LEGEND_BELOW = {
    "orientation": "h", "yref": "container", "y": 0.01, "yanchor": "bottom", "x": 0, "itemsizing": "constant"
}  # fmt: skip
_MARKS = 7  # markers per curve: enough to tell curves apart without colour


def curve(label: str, style: MethodStyle, x: ArrayLike, y: ArrayLike) -> dict[str, Any]:
    """A line with its method's colour and dash, and a few of its markers."""
    shown = {"color": style.colour}
    x, y = np.asarray(x, dtype=np.float32), np.asarray(y, dtype=np.float32)
    step = max(1, len(x) // _MARKS)
    sizes = np.where(np.arange(len(x)) % step == step // 2, 8, 0)
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": label,
        "x": x,
        "y": y,
        "line": {**shown, "dash": style.dash, "width": 2},
        "marker": {**shown, "symbol": style.marker, "size": sizes.astype(np.int16), "line": {"width": 0}},
    }


def line_figure(curves: list[dict], x: dict, y: dict, description: str) -> dict[str, Any]:
    """A figure of curves; its legend stands at the bottom of the frame and takes the room that it needs."""
    layout = {
        "xaxis": x,
        "yaxis": y,
        "showlegend": True,
        "legend": dict(LEGEND_BELOW),
        "margin": {"l": 56, "r": 12, "t": 12, "b": 8},
        "meta": {"description": description},
    }
    return {"data": curves, "layout": layout}
