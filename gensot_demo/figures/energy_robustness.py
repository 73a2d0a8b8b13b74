"""Figures of "Speed and accuracy": densities, distances, bounds, rates, clouds, turning. Layout only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensot_demo.experiments.energy.robustness import SCHEDULES, Densities, LineResult
from gensot_demo.experiments.energy.robustness_plane import PlaneResult, TurningResult
from gensot_demo.transport.speed_accuracy import Relation

from .curves import LEGEND_BELOW, curve, line_figure
from .method_style import MethodStyle
from .palette import DATA, INK, MUTED, faded
from .schedule_style import schedule_style

_TURNED = (  # what is drawn over the rotation
    MethodStyle(DATA[0], "solid", "circle"),
    MethodStyle(DATA[1], "dash", "square"),
    MethodStyle(DATA[3], "dashdot", "triangle-up"),
)
_BARS = (
    ("eta", "η, the response", DATA[0], "η"),
    ("c1", "c₁, along the way", DATA[5], "c₁"),
    ("c2", "c₂ = D, dissipation", DATA[4], "c₂"),
)
_TRUE = MethodStyle(INK, "solid", "circle")
_WRONG = MethodStyle(DATA[1], "dash", "diamond")
_TIME = {"title": {"text": "time t, noise at 0, data at 1"}, "range": [0, 1]}
_ROUNDING = 1e-9  # of a distance
_LEAST_SHARE = 1e-3  # of the top: what a logarithmic bar still shows


def densities_figure(shown: Densities, what: str) -> dict[str, Any]:
    """True and wrong density over a place; ``what``: "start" or "end"."""
    top = 1.08 * max(float(shown.true.max()), float(np.quantile(shown.wrong, 0.995)))
    data = [curve("true", _TRUE, shown.x, shown.true), curve("wrong", _WRONG, shown.x, shown.wrong)]
    data[0]["fill"], data[0]["fillcolor"] = "tozeroy", faded(DATA[7], 0.15)
    seen = shown.x[(shown.true > 1e-3 * shown.true.max()) | (shown.wrong > 1e-3 * min(shown.wrong.max(), top))]
    x = {"title": {"text": f"x at the {what}"}, "range": [float(seen.min()) - 0.1, float(seen.max()) + 0.1]}
    y = {"title": {"text": "density"}, "range": [0, top]}
    return line_figure(data, x, y, f"True and wrong density at the {what}.")


def distance_figure(relations: Mapping[str, Relation]) -> dict[str, Any]:
    """W1 between the true and the wrong law over time, by schedule."""
    data = [curve(SCHEDULES[key], schedule_style(key), found.t, found.distance) for key, found in relations.items()]
    said = "; ".join(
        f"{SCHEDULES[key]}: {float(r.distance[0]):.3g} to {float(r.distance[-1]):.3g}" for key, r in relations.items()
    )
    y: dict[str, Any] = {"title": {"text": "W₁, length"}, "rangemode": "tozero"}
    if max(float(r.distance.max()) for r in relations.values()) < _ROUNDING:
        y["range"] = [-0.05, 1]
    return line_figure(data, _TIME, y, f"Error W₁ over time: {said}.")


def _responds(found: Relation) -> bool:
    """Whether there is a response: neither 0/0 nor an infinite bound."""
    return found.eta is not None and not math.isinf(found.start_error)


def bounds_figure(relations: Mapping[str, Relation], floor: float | None) -> dict[str, Any]:
    """eta, c1 and c2 (here the dissipation) side by side for every schedule, the floor of optimal transport as a line.

    On a logarithmic axis where the response is below a twentieth of the top. Where nothing is wrong, or D0 is infinite,
    there is no response: c2 alone.
    """
    names = [SCHEDULES[key] for key in relations]
    bars = _BARS if all(map(_responds, relations.values())) else _BARS[-1:]
    values = {part: [getattr(found, part) for found in relations.values()] for part, *_ in bars}
    top = max(max(row) for row in values.values())
    low = min((v for v in values.get("eta", ()) if v > 0), default=top)
    logarithmic = low < 0.05 * top
    bottom = max(0.5 * low, _LEAST_SHARE * 0.1 * top)
    data = []
    for part, label, colour, symbol in bars:
        data.append(
            {
                "type": "bar", "name": label, "x": names, "y": values[part],
                "marker": {"color": colour}, "text": [symbol] * len(names), "textposition": "outside",
                "textangle": 0, "cliponaxis": False, "textfont": {"size": 11},
                "hovertemplate": "%{x}: %{y:.4g}<extra>" + label + "</extra>",
            }
        )  # fmt: skip
    y: dict[str, Any] = {"title": {"text": "squared length / time"}, "rangemode": "tozero"}
    if logarithmic and top > 0:
        y |= {
            "title": {"text": "squared length / time, logarithmic"},
            "type": "log",
            "range": [np.log10(bottom), np.log10(1.6 * top)],
            "dtick": 1,
        }
    layout: dict[str, Any] = {
        "barmode": "group", "bargap": 0.22, "xaxis": {"tickangle": -25 if len(names) > 3 else 0, "automargin": True},
        "yaxis": y, "showlegend": True,
        "legend": {"orientation": "h", "y": 1.04, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        "margin": {"l": 58, "r": 12, "t": 76, "b": 64},
        "meta": {"description": _bars_said(relations, floor)},
    }  # fmt: skip
    if floor:
        layout["shapes"] = [
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": floor, "y1": floor, "showlegend": True,
             "name": f"W₂²/τ = {floor:.3g}, the floor of c₂", "line": {"color": INK, "width": 1.5, "dash": "dot"}}
        ]  # fmt: skip
    return {"data": data, "layout": layout}


def _bars_said(relations: Mapping[str, Relation], floor: float | None) -> str:
    parts = []
    for key, found in relations.items():
        eta = f"eta {found.eta:.4g}, c1 {found.c1:.4g}" if _responds(found) else "no eta"
        parts.append(f"{SCHEDULES[key]}: {eta}, c2 {found.c2:.4g}")
    return "; ".join(parts) + (f". Floor {floor:.4g}." if floor else ".")


def rates_figure(relations: Mapping[str, Relation]) -> dict[str, Any]:
    """The two sides of the relation over time: |dW1/dt|^2 / D0 below, the dissipation rate above, by schedule."""
    data: list[dict[str, Any]] = []
    for key, found in relations.items():
        style = schedule_style(key)
        above = curve(SCHEDULES[key], style, found.between, found.speed)
        above["line"] |= {"dash": "solid"}
        data.append(above | {"legendgroup": key})
        if not _responds(found):
            continue
        below = curve(f"{SCHEDULES[key]}, |Ẇ₁|²/D₀", style, found.between, found.rate)
        below["line"] |= {"dash": "dot", "width": 2}
        data.append(below | {"legendgroup": key, "showlegend": False})
    kinds = (("solid: dissipation rate", "solid"), ("dotted: |Ẇ₁|²/D₀", "dot"))
    for name, dash in kinds if any(map(_responds, relations.values())) else kinds[:1]:
        line = {"color": MUTED, "dash": dash, "width": 2}
        data.append({"type": "scatter", "mode": "lines", "name": name, "x": [None], "y": [None], "line": line})
    top = max(float(np.quantile(found.speed.numpy(), 0.97)) for found in relations.values())
    y = {"title": {"text": "squared length / time²"}, "range": [0, 1.25 * top if top > 0 else 1]}
    said = "Solid: dissipation rate. Dotted, below it at every time: the squared rate of W1 over D0."
    return line_figure(data, _TIME, y, said)


def cloud_figure(result: PlaneResult, end: int) -> dict[str, Any]:
    """Particles at the start (0) or the end (1): size and colour by how much the wrong start favours each."""
    x, w = result.ends[end], result.weights
    size = 3 + 9 * np.sqrt(np.clip(w, 0, 6) / 6)
    groups = (("less likely than it should be", w <= 1, DATA[7], "circle"), ("more likely", w > 1, DATA[1], "diamond"))
    data = [
        {
            "type": "scatter", "mode": "markers", "name": name, "x": x[chosen, 0].astype(np.float32),
            "y": x[chosen, 1].astype(np.float32), "customdata": w[chosen].astype(np.float32),
            "marker": {"color": colour, "symbol": symbol, "size": size[chosen].astype(np.float32), "opacity": 0.75},
            "hovertemplate": "weight %{customdata:.2f}<extra></extra>",
        }
        for name, chosen, colour, symbol in groups
    ]  # fmt: skip
    reach = 1.06 * float(np.abs(result.ends).max())
    what = ("start", "end")[end]
    layout = {
        "xaxis": {"range": [-reach, reach], "title": {"text": f"x₁ at the {what}"}},
        "yaxis": {"range": [-reach, reach], "scaleanchor": "x", "title": {"text": "x₂"}},
        "legend": dict(LEGEND_BELOW),
        "margin": {"l": 48, "r": 8, "t": 8, "b": 8},
        "meta": {"description": f"Particles at the {what}; {int((w > 1).sum())} of {len(w)} are favoured."},
    }
    return {"data": data, "layout": layout}


def turning_paths(result: TurningResult) -> dict[str, Any]:
    """Some exact flow lines under the rotation."""
    data = []
    for path in result.paths:
        data.append(
            {"type": "scatter", "mode": "lines", "x": path[:, 0].astype(np.float32), "y": path[:, 1].astype(np.float32),
             "line": {"color": DATA[0], "width": 1.5}, "showlegend": False, "hoverinfo": "skip", "opacity": 0.8}
        )  # fmt: skip
    for name, at, colour, symbol in (("noise", 0, DATA[7], "circle-open"), ("data", -1, DATA[1], "diamond")):
        ends = result.paths[:, at].astype(np.float32)
        data.append(
            {"type": "scatter", "mode": "markers", "name": name, "x": ends[:, 0], "y": ends[:, 1],
             "marker": {"color": colour, "symbol": symbol, "size": 8}, "hoverinfo": "skip"}
        )  # fmt: skip
    layout = {
        "xaxis": {"title": {"text": "x₁"}},
        "yaxis": {"title": {"text": "x₂"}, "scaleanchor": "x"},
        "legend": dict(LEGEND_BELOW),
        "margin": {"l": 48, "r": 8, "t": 8, "b": 8},
        "meta": {"description": f"{len(result.paths)} flow lines turned by {result.request.turn:g} radians in all."},
    }
    return {"data": data, "layout": layout}


def _over_turns(result: TurningResult, rows: list[tuple[str, MethodStyle, NDArray]], y: dict, said: str) -> dict:
    data = [curve(name, style, result.turns, values) for name, style, values in rows]
    x = {"title": {"text": "ω, radians per unit time"}, "range": [0, float(result.turns[-1])]}
    figure = line_figure(data, x, y, said)
    figure["layout"]["shapes"] = [
        {"type": "line", "x0": result.request.turn, "x1": result.request.turn, "y0": 0, "y1": 1, "yref": "paper",
         "line": {"color": MUTED, "width": 1.5, "dash": "dot"}}
    ]  # fmt: skip
    return figure


def turning_dissipation(result: TurningResult) -> dict[str, Any]:
    rows = [("dissipation", _TURNED[0], result.dissipation)]
    y = {"title": {"text": "squared length / time"}, "rangemode": "tozero"}
    return _over_turns(result, rows, y, f"Dissipation: {result.here['dissipation']:.3g} at the chosen rotation.")


def turning_response(result: TurningResult) -> dict[str, Any]:
    rows = [
        ("start turned along", _TURNED[0], np.full_like(result.turns, result.along)),
        ("start stays", _TURNED[1], result.fixed),
        ("start turned along, by Euler", _TURNED[2], result.euler_along),
    ]
    y = {"title": {"text": "η, squared length / time"}, "rangemode": "tozero"}
    return _over_turns(
        result, rows, y, "Response over rotation: exact with the start turned along, exact without, Euler."
    )


def turning_error(result: TurningResult) -> dict[str, Any]:
    rows = [(f"Euler, {result.request.euler} steps", _TURNED[2], result.euler_error)]
    y = {"title": {"text": "distance from the exact end, length"}, "rangemode": "tozero"}
    return _over_turns(result, rows, y, f"Euler's error: {result.here['euler_error']:.3g} at the chosen rotation.")


def line_figures(result: LineResult) -> list[dict[str, Any]]:
    """[start, end, distance, bounds, rates]."""
    return [
        densities_figure(result.start, "start"),
        densities_figure(result.end, "end"),
        distance_figure(result.relations),
        bounds_figure(result.relations, result.floor),
        rates_figure(result.relations),
    ]
