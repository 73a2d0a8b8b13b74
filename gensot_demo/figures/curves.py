"""What all line figures of the app share: one style per curve that does not need colour alone, quiet axes, a legend."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .method_style import MethodStyle

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


def line_figure(curves: list[dict], x: dict, y: dict, description: str, bottom: int = 96) -> dict[str, Any]:
    """A figure of curves with a legend below; ``bottom``: pixels for axis title and legend."""
    layout = {
        "xaxis": x,
        "yaxis": y,
        "showlegend": True,
        "legend": {"orientation": "h", "y": -0.28, "yanchor": "top", "x": 0, "itemsizing": "constant"},
        "margin": {"l": 56, "r": 12, "t": 12, "b": bottom},
        "meta": {"description": description},
    }
    return {"data": curves, "layout": layout}
