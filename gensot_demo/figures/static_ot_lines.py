"""Lines from a source to a target: where each begins, its way, and where it ends. Layout only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .method_style import MethodStyle
from .palette import MUTED, faded

_TITLE = 46  # pixels


@dataclass(frozen=True)
class Lines:
    """Lines (n, K, 2), what they are, a note below their name, and their style."""

    label: str
    places: ArrayLike
    style: MethodStyle
    note: str = ""


def lines_figure(
    lines: Lines, reach: float, description: str, ground: ArrayLike | None = None, height: int = 300
) -> dict[str, Any]:
    """Open rings where lines begin, marks of their own kind where they end; ``ground`` (m, 2): dots beneath."""
    quiet = {"range": [-reach, reach], "showticklabels": False, "zeroline": False, "ticks": "", "showgrid": False}
    note = f"<br><span style='font-size:11px'>{lines.note}</span>" if lines.note else ""
    layout: dict[str, Any] = {
        "showlegend": False, "height": height, "margin": {"l": 6, "r": 6, "t": _TITLE, "b": 6},
        "meta": {"description": description},
        "xaxis": quiet | {"constrain": "domain"},
        "yaxis": quiet | {"scaleanchor": "x", "constrain": "domain", "constraintoward": "top"},
        "annotations": [{
            "text": f"<b>{lines.label}</b>{note}", "showarrow": False, "xref": "paper", "yref": "paper",
            "x": 0.5, "y": 1, "xanchor": "center", "yanchor": "bottom", "font": {"size": 13},
        }],
    }  # fmt: skip
    data = []
    if ground is not None:
        below = np.asarray(ground, np.float32)
        marker = {"color": faded(MUTED, 0.35), "size": 4}
        data.append({"mode": "markers", "x": below[:, 0], "y": below[:, 1], "marker": marker})
    plain = {"type": "scatter", "hoverinfo": "skip"}
    return {"data": [plain | trace for trace in [*data, *_drawn(lines)]], "layout": layout}


def _drawn(lines: Lines) -> list[dict[str, Any]]:
    places = np.asarray(lines.places, np.float32)
    parted = np.concatenate([places, np.full_like(places[:, :1], np.nan)], 1).reshape(-1, 2)  # one trace, many lines
    start, end = places[:, 0], places[:, -1]
    colour = lines.style.colour
    return [
        {"mode": "lines", "x": parted[:, 0], "y": parted[:, 1], "line": {"color": faded(colour, 0.5), "width": 1.2}},
        {"mode": "markers", "x": start[:, 0], "y": start[:, 1],
         "marker": {"color": MUTED, "symbol": "circle-open", "size": 5, "line": {"width": 1}}},
        {"mode": "markers", "x": end[:, 0], "y": end[:, 1],
         "marker": {"color": colour, "symbol": lines.style.marker, "size": 6}},
    ]  # fmt: skip
