"""Lines from noise to data in panels side by side: where each begins, its way, and where it ends. Layout only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .method_style import MethodStyle
from .palette import MUTED, faded

_GAP, _TITLE = 0.03, 52  # of the width; pixels


@dataclass(frozen=True)
class Lines:
    """A panel: lines (n, K, 2), what they are, a note below their name, and their style."""

    label: str
    places: ArrayLike
    style: MethodStyle
    note: str = ""


def lines_figure(
    panels: Sequence[Lines], reach: float, description: str, ground: ArrayLike | None = None, height: int = 330
) -> dict[str, Any]:
    """Open rings where lines begin, marks of the panel's own kind where they end; ``ground`` (m, 2): dots beneath."""
    layout: dict[str, Any] = {
        "showlegend": False, "height": height, "margin": {"l": 6, "r": 6, "t": _TITLE, "b": 6}, "annotations": [],
        "meta": {"description": description},
    }  # fmt: skip
    data, count = [], len(panels)
    wide = (1 - _GAP * (count - 1)) / count
    for number, panel in enumerate(panels):
        suffix = str(number + 1) if number else ""
        left = number * (wide + _GAP)
        quiet = {"range": [-reach, reach], "showticklabels": False, "zeroline": False, "ticks": "", "showgrid": False}
        layout[f"xaxis{suffix}"] = quiet | {
            "domain": [left, left + wide],
            "anchor": f"y{suffix}",
            "constrain": "domain",
        }
        layout[f"yaxis{suffix}"] = quiet | {
            "domain": [0, 1], "anchor": f"x{suffix}", "scaleanchor": f"x{suffix}", "constrain": "domain",
            "constraintoward": "top",
        }  # fmt: skip
        axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}", "type": "scatter", "hoverinfo": "skip"}
        if ground is not None:
            below = np.asarray(ground, np.float32)
            marker = {"color": faded(MUTED, 0.35), "size": 4}
            data.append(axes | {"mode": "markers", "x": below[:, 0], "y": below[:, 1], "marker": marker})
        data += [axes | trace for trace in _drawn(panel)]
        note = f"<br><span style='font-size:11px'>{panel.note}</span>" if panel.note else ""
        layout["annotations"].append({
            "text": f"<b>{panel.label}</b>{note}", "showarrow": False, "xref": "paper", "yref": "paper",
            "x": left + wide / 2, "y": 1, "xanchor": "center", "yanchor": "bottom", "font": {"size": 13},
        })  # fmt: skip
    return {"data": data, "layout": layout}


def _drawn(panel: Lines) -> list[dict[str, Any]]:
    places = np.asarray(panel.places, np.float32)
    parted = np.concatenate([places, np.full_like(places[:, :1], np.nan)], 1).reshape(-1, 2)  # one trace, many lines
    start, end = places[:, 0], places[:, -1]
    colour = panel.style.colour
    return [
        {"mode": "lines", "x": parted[:, 0], "y": parted[:, 1], "line": {"color": faded(colour, 0.5), "width": 1.2}},
        {"mode": "markers", "x": start[:, 0], "y": start[:, 1],
         "marker": {"color": MUTED, "symbol": "circle-open", "size": 5, "line": {"width": 1}}},
        {"mode": "markers", "x": end[:, 0], "y": end[:, 1],
         "marker": {"color": colour, "symbol": panel.style.marker, "size": 6}},
    ]  # fmt: skip
