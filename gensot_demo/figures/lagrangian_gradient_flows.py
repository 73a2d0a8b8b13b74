"""Figures of gradient flows: how much of the mass has found each mode. Layout only."""

from __future__ import annotations

from typing import Any

from gensot_demo.experiments.lagrangian.gradient_flows import Descent

from .curves import LEGEND_BELOW
from .palette import DATA


def masses_figure(descent: Descent) -> dict[str, Any]:
    """Bars of each mode: wanted, and there at the end; of a descent that has a target."""
    bars = [
        {
            "type": "bar", "name": label, "x": list(descent.kinds), "y": (100 * masses).round(2).tolist(),
            "marker": {"color": DATA[number], "pattern": {"shape": shape}},
        }
        for number, (label, masses, shape) in enumerate(
            (("Wanted", descent.wanted, "/"), (f"At t = {descent.times[-1]:g}", descent.there, ""))
        )
    ]  # fmt: skip
    said = "; ".join(
        f"{name}: {100 * there:.1f} % of {100 * wanted:.1f} %"
        for name, there, wanted in zip(descent.kinds, descent.there, descent.wanted, strict=True)
    )
    layout = {
        "barmode": "group",
        "xaxis": {"title": {"text": "mode of the target"}, "type": "category"},
        "yaxis": {"title": {"text": "mass, %"}, "rangemode": "tozero"},
        "showlegend": True,
        "legend": dict(LEGEND_BELOW),
        "margin": {"l": 56, "r": 12, "t": 12, "b": 8},
        "meta": {"description": f"Mass of each mode at the end, of what is wanted: {said}."},
    }
    return {"data": bars, "layout": layout}
