"""Figures of the solver: cells while heights rise, heights against the exact ones, errors against draws, smoothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensot_demo.experiments.static_ot.heights_plane import PlaneRun, cells_at
from gensot_demo.experiments.static_ot.heights_told import Smoothed

from .curves import LEGEND_BELOW, curve, line_figure
from .method_style import MethodStyle
from .palette import DATA, INK, MUTED, PAPER, faded

ASCENT = MethodStyle(DATA[0], "solid", "circle")
NEWTON = MethodStyle(DATA[1], "dash", "diamond")
POT = MethodStyle(DATA[2], "dashdot", "square")
_REACH = 3.3  # of the noise that is drawn
_FEW = 12  # points whose shares are written beside them
_BINS = (  # of mass over weight: name, upper edge, colour
    ("less than half", 0.5, faded(DATA[0], 0.75)),
    ("too little", 0.9, faded(DATA[0], 0.35)),
    ("right to 10 %", 1.1, faded(MUTED, 0.12)),
    ("too much", 2.0, faded(DATA[1], 0.35)),
    ("more than double", np.inf, faded(DATA[1], 0.75)),
)
_LEAST_ERROR = 1e-4  # where the axis of errors ends: far below what drawing finds
_MARKERS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "hexagon", "pentagon")


def cells_figure(run: PlaneRun, index: int) -> dict[str, Any]:
    """Cells at one moment of the ascent (or the exact ones, where there is none yet), coloured by how much of the noise
    they hold against what they should; rings hold 39, 86 and 99 % of the noise."""
    if run.moments:
        moment = run.moments[min(index, len(run.moments) - 1)]
        cells, masses, when = cells_at(run, moment.heights), moment.masses, f"after {moment.samples:,} draws"
    else:
        cells = cells_at(run, run.exact.heights.numpy())
        masses, when = cells.masses, "at the exact heights"
    ratio = masses / run.exact.weights.numpy()
    points = run.exact.points.numpy()
    reach = max(_REACH, 1.08 * float(np.abs(points).max()))
    polygons = cells.polygons(reach)
    data, low = [], -1.0
    for name, high, colour in _BINS:
        chosen = [p for p, r in zip(polygons, ratio, strict=True) if low < r <= high and len(p)]
        low = high
        data += _areas(f"{name} ({len(chosen)})", chosen, colour)
    data.append(_points(points, ratio))
    layout = _plane(reach) | {"meta": {"description": _said(ratio, when)}}
    layout["shapes"] = [
        {
            "type": "circle", "x0": -r, "x1": r, "y0": -r, "y1": r, "layer": "above",
            "line": {"color": faded(MUTED, 0.5), "width": 1, "dash": "dot"},
        }
        for r in (1, 2, 3)
    ]  # fmt: skip
    return {"data": data, "layout": layout}


def _said(ratio: NDArray[np.float64], when: str) -> str:
    return (
        f"Laguerre cells of {len(ratio)} points {when}: masses between {ratio.min():.2f} and {ratio.max():.2f} of what "
        f"they should be."
    )


def _areas(name: str, polygons: list[NDArray[np.float64]], colour: str) -> list[dict[str, Any]]:
    """The areas, and a swatch for the legend, which would show no more than their border."""
    x: list[float | None] = []
    y: list[float | None] = []
    for corners in polygons:
        closed = np.concatenate([corners, corners[:1]]).round(3).tolist()
        x += [*(c[0] for c in closed), None]
        y += [*(c[1] for c in closed), None]
    areas = {
        "type": "scatter", "mode": "lines", "x": x or [None], "y": y or [None], "fill": "toself", "fillcolor": colour,
        "line": {"color": faded(INK, 0.55), "width": 1}, "hoverinfo": "skip", "showlegend": False, "legendgroup": name,
    }  # fmt: skip
    swatch = {
        "type": "scatter", "mode": "markers", "x": [None], "y": [None], "name": name, "legendgroup": name,
        "marker": {"symbol": "square", "size": 12, "color": colour, "line": {"color": faded(INK, 0.55), "width": 1}},
    }  # fmt: skip
    return [areas, swatch]


def _points(points: NDArray[np.float64], ratio: NDArray[np.float64] | None) -> dict[str, Any]:
    few = len(points) <= _FEW and ratio is not None
    return {
        "type": "scatter", "mode": "markers+text" if few else "markers", "x": points[:, 0], "y": points[:, 1],
        "marker": {"color": INK, "size": 8 if few else 5, "line": {"color": PAPER, "width": 1}}, "name": "points",
        "text": [f"×{r:.2f}" for r in ratio] if few else None, "textposition": "top center", "textfont": {"color": INK},
        "customdata": None if ratio is None else ratio, "showlegend": False,
        "hovertemplate": "%{x:.2f}, %{y:.2f}" + ("<br>× %{customdata:.3f}" * (ratio is not None)) + "<extra></extra>",
    }  # fmt: skip


def _plane(reach: float) -> dict[str, Any]:
    axis = {"range": [-reach, reach], "zeroline": False, "showgrid": False, "constrain": "domain"}
    return {
        "xaxis": axis,
        "yaxis": axis | {"scaleanchor": "x", "scaleratio": 1},
        "margin": {"l": 28, "r": 8, "t": 8, "b": 8},
        "legend": dict(LEGEND_BELOW),
        "showlegend": True,
        "hovermode": "closest",
    }


def heights_figure(run: PlaneRun, index: int) -> dict[str, Any] | None:
    """Heights at one moment against the exact ones, points in the order of these."""
    if not run.moments:
        return None
    moment, exact = run.moments[min(index, len(run.moments) - 1)], run.exact.heights.numpy()
    order = np.argsort(exact)
    place = np.arange(1, len(order) + 1)
    data = [
        {
            "type": "scatter", "mode": "lines+markers", "x": place, "y": exact[order], "name": "exact (Newton)",
            "line": {"color": NEWTON.colour, "dash": NEWTON.dash, "width": 1.5},
            "marker": {"color": NEWTON.colour, "symbol": NEWTON.marker + "-open", "size": 8},
        },
        {
            "type": "scatter", "mode": "markers", "x": place, "y": moment.heights[order], "name": "of the ascent",
            "marker": {"color": ASCENT.colour, "symbol": ASCENT.marker, "size": 7},
        },
    ]  # fmt: skip
    every = np.concatenate([exact, *(m.heights for m in run.moments)])
    margin = 0.06 * max(float(np.ptp(every)), 0.1)
    y = {"title": {"text": "height"}, "range": [every.min() - margin, every.max() + margin]}
    worst = float(np.abs(moment.heights - exact).max())
    said = f"Heights after {moment.samples:,} draws; the largest error is {worst:.3g}."
    x = {"title": {"text": "point, in the order of exact heights"}, "range": [0.5, len(order) + 0.5]}
    return line_figure(data, x | {"tickformat": "d"}, y, said)


def error_figure(run: PlaneRun, index: int) -> dict[str, Any] | None:
    """Mass error against draws: exact, as the ascent counts it, and what counting alone would show."""
    if not run.moments:
        return None
    at = np.array([m.samples for m in run.moments])
    exact = np.array([max(m.mass_error, 1e-16) for m in run.moments])
    rounds = np.array([(r.samples, r.counted, r.floor) for r in run.rounds])
    data = [
        curve("exact, of these heights", ASCENT, at, exact),
        {
            "type": "scatter", "mode": "markers", "x": rounds[:, 0], "y": np.maximum(rounds[:, 1], 1e-16),
            "name": "as counted", "marker": {"color": DATA[5], "symbol": "square-open", "size": 8},
        },
        {
            "type": "scatter", "mode": "lines", "x": rounds[:, 0], "y": np.maximum(rounds[:, 2], 1e-16),
            "name": "counting alone", "line": {"color": MUTED, "dash": "dot", "width": 1.5},
        },
        _here(at, exact, index),
    ]  # fmt: skip
    every = np.concatenate([exact, rounds[:, 1], rounds[:, 2]])
    low, high = max(float(every.min()), _LEAST_ERROR), max(float(every.max()), 2 * _LEAST_ERROR)
    y = {"title": {"text": "mass in the wrong cell"}, "type": "log", "tickformat": ".2~%", "dtick": "D2"}
    y["range"] = [math.log10(0.8 * low), math.log10(1.25 * high)]
    x = {"title": {"text": "draws of noise"}, "type": "log"}
    return line_figure(data, x, y, f"Mass error goes from {exact[0]:.3g} to {exact[-1]:.3g}.")


def dual_figure(run: PlaneRun, index: int) -> dict[str, Any] | None:
    """How far the dual value lies below its maximum, against draws."""
    if not run.moments:
        return None
    at = np.array([m.samples for m in run.moments])
    gap = np.maximum([run.best_dual - m.dual for m in run.moments], 1e-16)
    data = [curve("below the maximum", ASCENT, at, gap), _here(at, gap, index)]
    y = {"title": {"text": "dual below its maximum"}, "type": "log", "exponentformat": "power"}
    x = {"title": {"text": "draws of noise"}, "type": "log"}
    return line_figure(data, x, y, f"The dual rises to {gap[-1]:.2g} below its maximum of {run.best_dual:.4f}.")


def _here(at: NDArray, values: NDArray, index: int) -> dict[str, Any]:
    index = min(index, len(at) - 1)
    return {
        "type": "scatter", "mode": "markers", "x": [at[index]], "y": [values[index]], "name": "the moment shown",
        "marker": {"color": DATA[1], "symbol": "diamond-open", "size": 13, "line": {"width": 2}}, "hoverinfo": "skip",
    }  # fmt: skip


def newton_figure(run: PlaneRun) -> dict[str, Any]:
    """Mass error of each step of Newton's method."""
    error = np.maximum(run.newton_errors, 1e-16)
    data = [curve("Newton's method", NEWTON, np.arange(len(error)), error)]
    data[0]["marker"]["size"] = 8
    y = {"title": {"text": "mass in the wrong cell"}, "type": "log", "exponentformat": "power"}
    x = {"title": {"text": "step"}, "tickformat": "d", "range": [-0.3, len(error) - 0.7]}
    return line_figure(data, x, y, f"Mass error after each step: {', '.join(f'{e:.1e}' for e in error)}.")


def discrete_figure(run: PlaneRun) -> dict[str, Any] | None:
    """Cost of POT's discrete problem by draws, against W2 squared."""
    if not run.discrete:
        return None
    draws = [d.draws for d in run.discrete]
    data = [
        {
            "type": "scatter", "mode": "lines+markers", "x": draws, "y": [d.cost for d in run.discrete],
            "error_y": {"array": [2 * d.error for d in run.discrete], "width": 4}, "name": "POT, a finite sample",
            "line": {"color": POT.colour, "dash": POT.dash},
            "marker": {"color": POT.colour, "symbol": POT.marker, "size": 8},
        },
        {
            "type": "scatter", "mode": "lines", "x": [draws[0] * 0.8, draws[-1] * 1.25], "y": [run.w2, run.w2],
            "name": "W₂², all of the noise", "line": {"color": NEWTON.colour, "dash": NEWTON.dash, "width": 2},
        },
    ]  # fmt: skip
    said = ", ".join(f"{d.cost:.4f} ± {d.error:.4f} with {d.draws:,} draws" for d in run.discrete)
    x = {"title": {"text": "draws of noise"}, "type": "log", "tickvals": draws, "ticktext": [f"{d:,}" for d in draws]}
    y = {"title": {"text": "mean squared distance"}}
    return line_figure(data, x, y, f"Discrete optimal cost {said}; W2 squared is {run.w2:.4f}.")


def smoothed_figure(run: PlaneRun, found: Smoothed) -> dict[str, Any]:
    """Where draws of noise arrive by the smoothed map, by the cell they are in, over the exact cells."""
    points = run.exact.points.numpy()
    reach = max(_REACH, 1.08 * float(np.abs(points).max()))
    cells = cells_at(run, run.exact.heights.numpy())
    data = [_areas("cells", cells.polygons(reach), faded(MUTED, 0.04))]
    kinds = len(DATA)
    for kind in range(min(kinds, len(points))):
        chosen = found.cell % kinds == kind
        data.append({
            "type": "scatter", "mode": "markers", "x": found.sent[chosen, 0].astype(np.float32),
            "y": found.sent[chosen, 1].astype(np.float32), "hoverinfo": "skip", "showlegend": False,
            "marker": {"color": faded(DATA[kind], 0.75), "size": 6, "symbol": _MARKERS[kind]},
        })  # fmt: skip
    data.append(_points(points, None))
    said = f"{len(found.sent)} draws of noise, sent by the map smoothed at tau {found.tau:g}."
    layout = _plane(reach) | {"showlegend": False, "meta": {"description": said}}
    return {"data": data, "layout": layout}
