"""The chart of a failure: measured curves with their errors, closed forms without. Layout only."""

from __future__ import annotations

import math
from typing import Any

from gensot_demo.experiments.failures.failure import Chart

from .curves import line_figure
from .palette import MUTED
from .transport import panel_style

_EXACT_DASHES = ("dash", "dot")
_BELOW = 4.0


def chart_figure(chart: Chart) -> dict[str, Any]:
    """All curves on logarithmic axes; what a closed form says is grey, dashed and without marks."""
    shown, exact = [], 0
    for number, curve in enumerate(chart.curves):
        line = {"type": "scatter", "name": curve.label, "x": list(curve.x), "y": list(curve.y)}
        if curve.exact:
            line |= {"mode": "lines", "line": {"color": MUTED, "dash": _EXACT_DASHES[exact % 2], "width": 1.5}}
            exact += 1
        else:
            style = panel_style(number)
            line |= {
                "mode": "lines+markers",
                "line": {"color": style.colour, "width": 2},
                "marker": {"color": style.colour, "symbol": style.marker, "size": 9},
                "error_y": {"type": "data", "array": list(curve.error), "thickness": 1, "width": 3},
            }
        shown.append(line)
    ticks = sorted({x for curve in chart.curves for x in curve.x})
    x = {"title": {"text": chart.x}, "type": "log", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}
    seen = [y for curve in chart.curves if not curve.exact for y in curve.y]
    reach = [math.log10(min(seen) / _BELOW), math.log10(max(seen) * 1.3)]  # a closed form may fall far below
    y = {"title": {"text": chart.y}, "type": "log", "dtick": 1, "range": reach}
    ends = "; ".join(f"{c.label} from {c.y[0]:.2g} to {c.y[-1]:.2g}" for c in chart.curves)
    figure = line_figure(shown, x, y, f"{chart.title} {ends}.")
    figure["layout"]["title"] = {"text": chart.title, "x": 0.02, "xanchor": "left", "font": {"size": 15}}
    figure["layout"]["margin"]["t"] = 44
    return figure
