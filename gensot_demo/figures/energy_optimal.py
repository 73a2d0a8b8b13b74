"""Figures of "Kinetic-optimal paths": when data are decided, the paths, their costs, many dimensions. Layout only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gensot_demo.experiments.energy.optimal import OptimalResult, PathCost
from gensot_demo.experiments.energy.optimal_sweep import DIMENSIONS, Sweep

from .curves import curve, line_figure
from .method_style import MethodStyle
from .palette import DATA, MUTED, faded
from .schedule_style import schedule_style

_LAMBDA = MethodStyle(DATA[0], "solid", "circle")
_BOUND = MethodStyle(DATA[7], "dash", "x")
_PARTS_OF_TIME = 10  # a mark on a path at the end of each
_PATTERNS = {"optimal": "", "condot": "/", "cosine": "x", "vp": ".", "drawn": "+"}
_SIGNAL = {"title": {"text": "signal over noise, a/m (log scale)"}, "type": "log", "dtick": 1}


def separation_figure(result: OptimalResult) -> dict[str, Any]:
    """lambda over signal to noise: the estimates with their standard errors, and the curve through them."""
    s = result.separation
    line = curve("λ, interpolated", _LAMBDA, s.curve_r, s.curve) | {"mode": "lines", "hoverinfo": "skip"}
    exact = not s.standard_error.any()
    dots = {
        "type": "scatter", "mode": "markers", "name": "by quadrature" if exact else "estimate ± 2 standard errors",
        "x": s.r.astype(np.float32), "y": s.value.astype(np.float32),
        "marker": {"color": DATA[0], "symbol": "circle", "size": 6},
        "hovertemplate": "a/m = %{x:.3g}<br>λ = %{y:.3f}<extra></extra>",
    }  # fmt: skip
    if not exact:
        dots["error_y"] = {
            "type": "data", "array": (2 * s.standard_error).astype(np.float32), "color": DATA[0], "thickness": 1.2,
            "width": 3,
        }  # fmt: skip
    half = {
        "type": "scatter", "mode": "lines", "name": f"half decided, a/m = {s.decided:.2g}",
        "x": [s.decided] * 2, "y": [0, 0.5], "line": {"color": MUTED, "dash": "dash", "width": 1.5},
    }  # fmt: skip
    said = f"{result.label}: data separation rises from 0 to 1; half is decided at a/m = {s.decided:.2g}."
    worst = float(s.standard_error.max())
    said += " Exact." if exact else f" Standard errors up to {worst:.1g}."
    x = _SIGNAL | {"range": [math.log10(s.curve_r[0]), math.log10(s.curve_r[-1])]}
    return line_figure([line, dots, half], x, {"title": {"text": "decided, λ"}, "range": [-0.03, 1.05]}, said)


def plane_figure(result: OptimalResult) -> dict[str, Any]:
    """Every path in the quarter plane of signal a and noise m, with a mark at each tenth of time."""
    data = []
    for path in result.paths:
        style = schedule_style(path.name)
        line = curve(path.label, style, path.a, path.m)
        marked = np.arange(len(path.t)) % ((len(path.t) - 1) // _PARTS_OF_TIME) == 0
        line["marker"] |= {"size": np.where(marked, 8, 0).astype(np.int16)}
        line["text"] = [f"t = {t:.2f}" for t in path.t]
        line["hovertemplate"] = "%{text}: a = %{x:.2f}, m = %{y:.2f}<extra>" + path.label + "</extra>"
        data.append(line)
    data.append(data.pop(0))  # the cheapest lies on top
    most = max(1.0, *(float(max(path.a.max(), path.m.max())) for path in result.paths))
    said = "Paths from noise alone, a = 0 and m = 1, to data alone, a = 1 and m = 0, with marks at equal times."
    room = [-0.04 * most, 1.06 * most]
    figure = line_figure(
        data,
        {"title": {"text": "signal a"}, "range": room, "zeroline": False, "constrain": "domain"},
        {"title": {"text": "noise m"}, "range": room, "zeroline": False, "constrain": "domain"},
        said,
    )
    figure["layout"]["yaxis"] |= {"scaleanchor": "x", "scaleratio": 1}
    return figure


def energy_bars(result: OptimalResult) -> dict[str, Any]:
    """The kinetic energy of each path, with standard errors; the cheapest on top."""
    rows = result.paths[::-1]
    values = [path.energy for path in rows]
    bars = [
        {
            "type": "bar", "orientation": "h", "name": path.label, "x": [path.energy], "y": [path.label],
            "marker": {
                "color": schedule_style(path.name).colour,
                "pattern": {"shape": _PATTERNS[path.name], "solidity": 0.25},
            },
            "error_x": {"type": "data", "array": [2 * path.error], "color": MUTED, "thickness": 1.5},
            "hovertemplate": "%{y}: %{x:.4f}<extra></extra>",
        }
        for path in rows
    ]  # fmt: skip
    numbers = [
        {
            "x": path.energy + 2 * path.error, "y": path.label, "text": _amount(path), "showarrow": False,
            "xanchor": "left", "xshift": 6,
        }
        for path in rows
    ]  # fmt: skip
    layout = {
        "showlegend": False,
        "barmode": "stack",
        "xaxis": {"title": {"text": "kinetic energy per coordinate"}, "range": [0, 1.3 * max(values)]},
        "yaxis": {"automargin": True},
        "annotations": numbers,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 48},
        "meta": {"description": "Kinetic energy: " + "; ".join(f"{p.label} {_amount(p)}" for p in result.paths) + "."},
    }
    return {"data": bars, "layout": layout}


def _amount(path: PathCost) -> str:
    error = f" ± {2 * path.error:.1g}" if path.error >= 5e-4 else ""
    return f"{path.energy:.3f}{error}{' *' if path.until < 1 else ''}"


def speed_figure(result: OptimalResult) -> dict[str, Any]:
    """Speed squared over time; the area below a curve is its energy."""
    data = [curve(path.label, schedule_style(path.name), path.t, path.speed) for path in result.paths]
    data[0]["line"] |= {"width": 3}
    data.append(data.pop(0))
    usual = [float(np.quantile(path.speed, 0.97)) for path in result.paths if path.name != "vp"]
    top = 1.25 * max(*usual, 1.2 * result.best.energy)
    said = f"The cheapest path keeps its speed: {result.best.energy:.3f} at every time; the others vary."
    y = {"title": {"text": "speed², per coordinate"}, "range": [0, top]}
    return line_figure(data, {"title": {"text": "time t, noise to data"}, "range": [0, 1]}, y, said)


def undecided_figure(sweep: Sweep, dimension: int) -> dict[str, Any]:
    """int |1 - lambda| dr over dimensions, with the theorem's bound and the ceiling that every data set has."""
    d = sweep.dimension
    found = curve("found", _LAMBDA, d, sweep.undecided) | {"mode": "lines+markers"}
    found["marker"] |= {"size": 8}
    found["error_y"] = {"type": "data", "array": 2 * sweep.error, "color": DATA[0], "thickness": 1.2, "width": 3}
    bound = curve("the theorem's bound 3n/√d", _BOUND, d, sweep.bound)
    bound["marker"] |= {"size": 8}
    ceiling = _level("never above π/2", math.pi / 2)
    low, high = float(sweep.undecided.min()), float(sweep.bound.max())
    y = {
        "title": {"text": "∫ |1 − λ| dr"}, "type": "log", "dtick": 1,
        "range": [math.log10(low) - 0.3, math.log10(high) + 0.3],
    }  # fmt: skip
    said = f"{sweep.count} random points: what is undecided falls to {sweep.undecided[-1]:.3f}, the bound to "
    said += f"{sweep.bound[-1]:.3g}."
    here = _here(dimension, low / 2, high * 2)
    return line_figure([bound, ceiling, found, here], _dimensions(), y, said)


def sweep_figure(sweep: Sweep, dimension: int) -> dict[str, Any]:
    """Energies of the cheapest and of the straight path over dimensions."""
    d = sweep.dimension
    straight = curve("CondOT (straight)", schedule_style("condot"), d, sweep.straight)
    best = curve("Kinetic optimal", schedule_style("optimal"), d, sweep.optimal)
    for line in (straight, best):
        line["marker"] |= {"size": 8}
    gap = {
        "type": "scatter", "mode": "lines", "name": "what the straight path wastes", "fill": "toself",
        "x": np.concatenate([d, d[::-1]]), "y": np.concatenate([sweep.optimal, sweep.straight[::-1]]),
        "fillcolor": faded(DATA[1], 0.18), "line": {"width": 0, "color": DATA[1]}, "hoverinfo": "skip",
    }  # fmt: skip
    said = f"Energies in {d[-1]:,.0f} dimensions: cheapest {sweep.optimal[-1]:.3f}, CondOT {sweep.straight[-1]:.3f}."
    y = {"title": {"text": "kinetic energy per coordinate"}, "range": [0, 2.15]}
    data = [gap, _level("limit 2", 2.0), straight, best, _here(dimension, 0, 2.15)]
    return line_figure(data, _dimensions(), y, said)


def _dimensions() -> dict[str, Any]:
    first, last = math.log10(DIMENSIONS[0]), math.log10(DIMENSIONS[-1])
    return {
        "title": {"text": "dimensions d (log scale)"}, "type": "log", "range": [first - 0.15, last + 0.15],
        "tickvals": list(DIMENSIONS), "ticktext": [str(d) for d in DIMENSIONS],
    }  # fmt: skip


def _level(name: str, value: float) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": [DIMENSIONS[0] / 1.3, DIMENSIONS[-1] * 1.3],
        "y": [value, value], "line": {"color": MUTED, "dash": "dash", "width": 1.5}, "hoverinfo": "skip",
    }  # fmt: skip


def _here(dimension: int, low: float, high: float) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": f"d = {dimension}, as set", "x": [dimension] * 2, "y": [low, high],
        "line": {"color": MUTED, "dash": "dot", "width": 1.5}, "hoverinfo": "skip",
    }  # fmt: skip
