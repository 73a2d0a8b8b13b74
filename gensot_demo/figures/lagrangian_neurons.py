"""Figures of a network's training: functions on the circle, what stays of each neuron, chance. Layout only."""

from __future__ import annotations

from typing import Any

import numpy as np

from gensot_demo.experiments.lagrangian.neurons import FIRST_STYLE, NeuronsMoving
from gensot_demo.experiments.lagrangian.neurons_luck import STARTS, WIDTHS, Luck

from .curves import curve, line_figure
from .lagrangian import STYLES
from .method_style import MethodStyle
from .palette import DATA, INK, MUTED

_ROLES = {
    "target": MethodStyle(INK, "solid", "star"),
    "start": MethodStyle(DATA[2], "dot", "triangle-down"),
    "between": MethodStyle(DATA[2], "dash", "cross"),
    "end": MethodStyle(DATA[2], "solid", STYLES[FIRST_STYLE].marker),
    "narrow": MethodStyle(DATA[3], "dashdot", STYLES[FIRST_STYLE + 1].marker),
}


def fitted_figure(moving: NeuronsMoving) -> dict[str, Any]:
    """What the networks say around the circle, and what they are to say."""
    curves = [curve(one.label, _ROLES[one.role], moving.angles, one.values) for one in moving.fitted]
    curves[0]["line"] |= {"width": 4}
    curves[0]["opacity"] = 0.45
    x = {"title": {"text": "angle of the data point, degrees"}, "range": [0, 360], "dtick": 45}
    wanted = moving.fitted[0].values
    gaps = "; ".join(f"{one.label}: {abs(one.values - wanted).max():.2g}" for one in moving.fitted[1:])
    said = f"Outputs around the circle. Largest distance from what is to be learnt: {gaps}."
    return line_figure(curves, x, {"title": {"text": "output G(z)"}}, said)


def drift_figure(moving: NeuronsMoving) -> dict[str, Any]:
    """How far |u|² − v² has gone from its start."""
    styles = STYLES[FIRST_STYLE:]
    curves = [curve(one.label, style, one.t, one.values) for one, style in zip(moving.drifts, styles, strict=False)]
    ends = "; ".join(f"{one.label} {one.values[-1]:.2g}" for one in moving.drifts)
    x = {"title": {"text": "time t"}, "range": [0, float(moving.times[-1])]}
    y = {"title": {"text": "drift of |u|² − v²"}, "rangemode": "tozero"}
    return line_figure(curves, x, y, f"Largest drift of |u|² − v² over time, at the end: {ends}.")


def luck_figure(luck: Luck) -> dict[str, Any]:
    """The loss of each start against the number of neurons, and the middle one of each number."""
    middle = np.median(luck.losses, axis=1)
    each = {
        "type": "scatter", "mode": "markers", "name": f"each of {STARTS} starts",
        "x": np.repeat(np.array(WIDTHS), STARTS), "y": luck.losses.ravel(),
        "marker": {"color": DATA[2], "symbol": "circle-open", "size": 8},
    }  # fmt: skip
    median = {
        "type": "scatter", "mode": "lines+markers", "name": "the middle one", "x": list(WIDTHS), "y": middle,
        "line": {"color": INK, "dash": "dash", "width": 1.5}, "marker": {"color": INK, "symbol": "diamond", "size": 9},
    }  # fmt: skip
    limit = {
        "type": "scatter", "mode": "lines", "name": "learnt below this", "x": [WIDTHS[0], WIDTHS[-1]],
        "y": [luck.limit] * 2, "line": {"color": MUTED, "dash": "dot", "width": 1.5},
    }  # fmt: skip
    x = {"title": {"text": "neurons"}, "type": "log", "tickvals": list(WIDTHS), "ticktext": [str(n) for n in WIDTHS]}
    y = {"title": {"text": f"loss at t = {luck.time:.3g}"}, "type": "log", "dtick": 1, "exponentformat": "power"}
    said = "; ".join(
        f"{width} neurons: {low:.2g} to {high:.2g}"
        for width, low, high in zip(WIDTHS, luck.losses.min(1), luck.losses.max(1), strict=True)
    )
    return line_figure([each, median, limit], x, y, f"Losses over {STARTS} starts by chance. {said}.")
