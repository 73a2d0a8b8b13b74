"""Figures of "Cells": two maps from noise to points, where they differ, how noise travels, what decays. Layout only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensot_demo.experiments.static_ot.cells import Cells, CellsResult
from gensot_demo.experiments.static_ot.cells_decay import TIMES, Decays
from gensot_demo.experiments.static_ot.cells_strips import strips

from .curves import LEGEND_BELOW, curve, line_figure
from .method_style import MethodStyle
from .palette import DATA, INK, MUTED, PAPER
from .player import PanelFrames, player_value

_LEAST_HALF = 3.2  # of the pictures' width
_TINT = 0.42
_NEAR = 0.6  # of the pictures' width: where most noise is, and strips can be seen
_STYLES = {
    "share": ("sent elsewhere than by Brenier", MethodStyle(DATA[1], "solid", "square")),
    "distance": ("distance to the flow from T = ∞", MethodStyle(DATA[2], "dash", "triangle-up")),
    "prior": ("prior error W₂", MethodStyle(DATA[0], "solid", "circle")),
    "mass": ("mass error", MethodStyle(DATA[3], "dashdot", "diamond")),
    "tail": ("from T on: flow − optimal map", MethodStyle(DATA[6], "dot", "cross")),
}


def cells_figure(result: CellsResult, cells: Cells, name: str) -> dict[str, Any]:
    """Noise coloured by the point it goes to, with the points, numbered; ``name``: of the map."""
    inside, axis = _inside(result)
    count = len(result.points)
    scale = [
        (stop, DATA[result.colours[point]])
        for point in range(count)
        for stop in (point / count, (point + 1) / count)
    ]  # fmt: skip
    picture = {
        "type": "heatmap", "x": axis, "y": axis, "z": cells.labels[np.ix_(inside, inside)] + np.uint8(1),
        "zmin": 0.5, "zmax": count + 0.5, "colorscale": scale, "showscale": False, "opacity": _TINT,
        "hovertemplate": "noise at (%{x:.2f}, %{y:.2f})<br>goes to point %{z}<extra></extra>",
    }  # fmt: skip
    said = f"{name}: the plane of noise in {count} cells, one for each point of {result.label.lower()}."
    return _plane([picture, _lines(cells.borders, PAPER, 2.5, ""), _points(result)], result, said)


def difference_figure(result: CellsResult) -> dict[str, Any]:
    """Filled: noise that the two maps send to different points, in the middle of the plane, where most noise is.
    Brenier's borders are thin, so that they hide nothing; the flow's are the other edges."""
    share = f"{100 * result.difference.share:.1f} % of the noise"
    near = _NEAR * _half(result)
    data: list[dict[str, Any]] = []
    if not result.same:
        data.append(_filled(*strips(result, near)))
    borders = result.brenier.borders[np.abs(result.brenier.borders).max((1, 2)) < near]
    data += [_lines(borders, MUTED, 1, "borders by Brenier"), _points(result)]
    if not result.same:
        data.append(
            {
                "type": "scatter", "mode": "markers", "x": [None], "y": [None],
                "name": f"filled: to different points, {share}",
                "marker": {"symbol": "square", "size": 12, "color": DATA[1]},
            }
        )  # fmt: skip
    said = f"The two maps send {share} to different points." if not result.same else "The two maps are the same."
    return _with_legend(_plane(data, result, said, near))


def _filled(axis: NDArray[np.float32], places: NDArray[np.bool_]) -> dict[str, Any]:
    """These places in one colour, on the paper's."""
    return {
        "type": "heatmap", "x": axis, "y": axis, "z": places.astype(np.uint8), "zmin": 0, "zmax": 1,
        "showscale": False, "hoverinfo": "skip",
        "colorscale": [(0, PAPER), (0.5, PAPER), (0.5, DATA[1]), (1, DATA[1])],
    }  # fmt: skip


def _with_legend(figure: dict[str, Any]) -> dict[str, Any]:
    figure["layout"] |= {
        "showlegend": True,
        "legend": {**LEGEND_BELOW, "itemsizing": "trace"},
        "margin": {"l": 34, "r": 8, "t": 8, "b": 8},
    }
    return figure


def masses_figure(result: CellsResult) -> dict[str, Any]:
    """By how much the mass of each flow cell is off the 1/n of Brenier's, in percent of 1/n."""
    count = len(result.points)
    off = 100 * (result.flow.masses * count - 1)
    most = max(float(np.abs(off).max()), 100 * result.accuracy, 1e-6)
    bars = {
        "type": "bar", "x": [str(point + 1) for point in range(count)], "y": off,
        "marker": {"color": [DATA[colour] for colour in result.colours]},
        "hovertemplate": "point %{x}: %{y:+.3g} %<extra></extra>",
    }  # fmt: skip
    worst = int(np.abs(off).argmax()) + 1
    layout = {
        "showlegend": False,
        "xaxis": {"title": {"text": "point"}, "type": "category"},
        "yaxis": {
            "title": {"text": f"mass off 1/{count}, %"}, "range": [-1.15 * most, 1.15 * most], "zeroline": True,
            "zerolinecolor": MUTED, "exponentformat": "power",
        },
        "margin": {"l": 64, "r": 8, "t": 8, "b": 44},
        "meta": {"description": f"Mass of the flow's cells: at most {most:.2g} % off, at point {worst}."},
    }  # fmt: skip
    return {"data": [bars], "layout": layout}


def tracers_player(result: CellsResult) -> str | None:
    """The same noise on straight lines and on flow lines, for the player; None where nothing is to be followed."""
    found = result.tracers
    if not len(found.by_flow):
        return None
    names = []
    for colour in range(int(result.colours.max()) + 1):
        members = [str(point + 1) for point in np.flatnonzero(result.colours == colour)]
        names.append(f"to {', '.join(members)}")
    half = _reach(result)
    panels = [
        PanelFrames("brenier", "Brenier: straight", found.straight, result.colours[found.by_brenier]),
        PanelFrames("flow", "Diffusion: flow", found.flow, result.colours[found.by_flow], glyph="◆", colour=DATA[1]),
    ]
    said = f"{len(found.by_flow)} noise points travel to {result.label.lower()}, on straight lines and on flow lines."
    return player_value(
        found.times, (-half, half, -half, half), names, panels, None, ["trails"], said, autoplay=False
    )  # fmt: skip


def ways_figure(result: CellsResult) -> dict[str, Any]:
    """The same noise on its straight line and on its flow line, each whole; the flow's in the colour of its point."""
    found = result.tracers
    straight = np.stack([found.straight[0], found.straight[-1]], 1)
    lines = [_lines(straight.astype(np.float32), MUTED, 1.2, "straight, by Brenier")]
    lines[0]["line"]["dash"] = "dot"
    colours = result.colours[found.by_flow]
    for number, colour in enumerate(np.unique(colours)):
        ways = found.flow[:, colours == colour].transpose(1, 0, 2).astype(np.float32)
        lines.append(_lines(ways, DATA[colour], 1.8, "along the flow") | {"showlegend": number == 0})
    x, y = found.flow[0].T.astype(np.float32)
    lines.append(
        {
            "type": "scatter", "mode": "markers", "x": x, "y": y, "name": "noise",
            "marker": {"symbol": "circle-open", "size": 6, "color": INK, "line": {"width": 1.2}},
            "hovertemplate": "noise at (%{x:.2f}, %{y:.2f})<extra></extra>",
        }
    )  # fmt: skip
    said = f"{len(x)} noise points with the straight and the curved way to where each map sends them."
    return _with_legend(_plane([*lines, _points(result)], result, said, _reach(result)))


def decay_figure(found: Decays, time: float) -> dict[str, Any]:
    """Everything that falls with T, and what does not, on a log scale; ``time``: the T that is set."""
    data, least = [], 1.0
    for one in found.curves:
        name, style = _STYLES[one.name]
        if not np.isfinite(one.values).any():
            continue
        falls = one.rate is not None and one.rate > 0.05
        line = curve(f"{name}{f', e^(−{one.rate:.1f} T)' if falls else ''}", style, found.times, one.values)
        line["marker"]["size"] = 8
        line["hovertemplate"] = "T = %{x}: %{y:.3g}<extra>" + name + "</extra>"
        least = min(least, float(np.nanmin(one.values)))
        data.append(line)
    low = math.log10(least) - 0.5
    data.append(
        {
            "type": "scatter", "mode": "lines", "name": f"T = {time:g}, as set", "x": [time, time],
            "y": [10**low, 2.0], "line": {"color": MUTED, "dash": "dot", "width": 1.5}, "hoverinfo": "skip",
        }
    )  # fmt: skip
    x = {"title": {"text": "time T at which the noising ends"}, "range": [0, max(TIMES[-1], time) + 0.1]}
    y = {
        "title": {"text": "error (log scale)"}, "type": "log", "range": [low, 0.3], "exponentformat": "power",
        "dtick": 1 if low > -8 else 2,
    }  # fmt: skip
    told = [f"{_STYLES[c.name][0]} falls as e^(-{c.rate:.1f} T)" for c in found.curves if c.rate and c.rate > 0.05]
    return line_figure(data, x, y, "; ".join(told) + ".")


def _half(result: CellsResult) -> float:
    return max(_LEAST_HALF, float(np.abs(result.points).max()) + 0.35)


def _reach(result: CellsResult) -> float:
    """Half the width that holds points and ways."""
    ways = np.abs(result.tracers.flow).max(initial=0.0)
    return max(float(np.abs(result.points).max()), float(ways)) + 0.3


def _inside(result: CellsResult) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Which of the grid's lines are shown, and where they are."""
    shown = np.flatnonzero(np.abs(result.axis) <= _half(result) + 0.05)
    return shown, result.axis[shown]


def _plane(data: list[dict], result: CellsResult, said: str, half: float | None = None) -> dict[str, Any]:
    half = _half(result) if half is None else half
    axis = {"range": [-half, half], "constrain": "domain", "zeroline": False, "showgrid": False, "dtick": 1}
    if half > 5:
        axis.pop("dtick")
    layout = {
        "showlegend": False,
        "xaxis": axis,
        "yaxis": axis | {"scaleanchor": "x", "scaleratio": 1},
        "margin": {"l": 34, "r": 8, "t": 8, "b": 30},
        "meta": {"description": said},
    }
    return {"data": data, "layout": layout}


def _lines(segments: NDArray[np.float32], colour: str, width: float, name: str) -> dict[str, Any]:
    """Lines (S, k, 2) as one trace."""
    gaps = np.full((len(segments), 1, 2), np.nan, np.float32)
    x, y = np.concatenate([segments, gaps], 1).reshape(-1, 2).T
    return {
        "type": "scatter", "mode": "lines", "x": np.ascontiguousarray(x), "y": np.ascontiguousarray(y), "name": name,
        "line": {"color": colour, "width": width}, "hoverinfo": "skip",
    }  # fmt: skip


def _points(result: CellsResult) -> dict[str, Any]:
    x, y = result.points.T
    count = len(x)
    size, letters = (20, 11) if count <= 12 else (17, 11) if count <= 20 else (15, 9)  # pixels
    return {
        "type": "scatter", "mode": "markers+text", "x": x, "y": y, "showlegend": False,
        "text": [str(point + 1) for point in range(count)], "textfont": {"color": PAPER, "size": letters},
        "marker": {
            "color": [DATA[colour] for colour in result.colours], "size": size,
            "line": {"color": PAPER, "width": 2},
        },
        "hovertemplate": "point %{text} at (%{x:.2f}, %{y:.2f})<extra></extra>",
    }  # fmt: skip
