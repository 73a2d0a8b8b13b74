"""Figures of adaptive stiffness: divergences, information and decisions over time, distances. Layout only."""

from __future__ import annotations

from typing import Any

import numpy as np

from gensot_demo.experiments.navigation.adaptive import AdaptiveResult
from gensot_demo.experiments.navigation.adaptive_runs import Simulation

from .curves import curve, line_figure
from .method_style import MethodStyle
from .palette import DATA, MUTED
from .transport import panel_style

_ORDER = ("none", "own", "refined1", "refined2", "refined4", "refined8")
_TIME = {"title": {"text": "time t"}, "range": [0, 1]}
_FLOOR = MethodStyle(MUTED, "dot", "star")


def style_of(name: str) -> MethodStyle:
    """The style of a candidate, the same in every figure and table."""
    return _FLOOR if name == "floor" else panel_style(_ORDER.index(name))


def _few(result: AdaptiveResult) -> list[str]:
    """No stiffness, the person's own, and the finest refined one: more lines would hide each other."""
    return ["none", "own", *([result.refined[-1].name] if result.refined else [])]


def divergence_figure(result: AdaptiveResult) -> dict[str, Any]:
    """A mark for every candidate, on a logarithmic axis; its name and value stand above it."""
    shown = result.candidates[::-1]
    rows, values = list(range(len(shown))), [one.divergence for one in shown]
    low, high = np.log10(min(values)), np.log10(max(values))
    room = 0.08 * max(high - low, 0.3)
    styles = [style_of(one.name) for one in shown]
    marks = {
        "type": "scatter",
        "mode": "markers+text",
        "x": values,
        "y": rows,
        "marker": {"color": [s.colour for s in styles], "symbol": [s.marker for s in styles], "size": 11},
        "text": [f"{one.label}: {one.divergence:.3g}" for one in shown],
        "textposition": ["top right" if np.log10(v) < 0.5 * (low + high) else "top left" for v in values],
        "hoverinfo": "skip",
    }
    stems = {
        "type": "scatter",
        "mode": "lines",
        "x": [v for value in values for v in (result.candidates[-1].divergence, value, None)],
        "y": [v for row in rows for v in (row, row, None)],
        "line": {"color": MUTED, "width": 1},
        "hoverinfo": "skip",
    }
    layout = {
        "xaxis": {
            "title": {"text": "divergence of the steps, nats"},
            "type": "log",
            "range": [low - room, high + room],
            "dtick": "D2" if high - low < 1.5 else 1,
        },
        "yaxis": {"visible": False, "range": [-0.5, len(shown) - 0.2]},
        "showlegend": False,
        "height": 90 + 40 * len(shown),
        "margin": {"l": 12, "r": 12, "t": 8, "b": 52},
        "meta": {"description": "; ".join(f"{one.label}: {one.divergence:.3g} nats" for one in result.candidates)},
    }
    return {"data": [stems, marks], "layout": layout}


def _over_time(result: AdaptiveResult, pick: str, y: dict, said: str, marks: bool = False) -> dict[str, Any]:
    curves = []
    for name in _few(result):
        motion, candidate, style = result.motions[name], result.candidate(name), style_of(name)
        values = getattr(motion, pick)
        if "range" in y:  # a line that leaves the axes would be drawn over what stands around them
            low = 10 ** y["range"][0] if y.get("type") == "log" else y["range"][0]
            values = np.where(values < low, np.nan, values)
        one = curve(candidate.label, style, motion.t, values)
        if marks:  # the marks are the sampler's steps
            one["mode"] = "lines"
            del one["marker"]
            steps = {
                "type": "scatter",
                "mode": "markers",
                "name": f"{candidate.label}, steps",
                "x": motion.step_times[1:],
                "y": candidate.levels[1:],
                "marker": {"color": style.colour, "symbol": style.marker, "size": 8},
                "showlegend": False,
                "hovertemplate": "step at t = %{x:.3f}: K = %{y:.3g}<extra></extra>",
            }
            curves.append(steps)
        curves.append(one)
    return line_figure(curves, _TIME, y, said)


def information_figure(result: AdaptiveResult) -> dict[str, Any]:
    low = min(result.motions[name].information[3] for name in _few(result))
    high = result.candidates[-1].levels[-1]
    y = {
        "title": {"text": "information K, 1/length²"},
        "type": "log",
        "range": [np.log10(low), np.log10(3 * high)],
        "dtick": 2,
    }
    return _over_time(result, "information", y, "Information about the end over time, with a mark at each step.", True)


def order_figure(result: AdaptiveResult) -> dict[str, Any]:
    y = {"title": {"text": "share of the end that is known"}, "range": [0, 1.02]}
    figure = _over_time(result, "order_parameter", y, "Order parameter over time.")
    lines = []
    for name in _few(result):
        at, style = result.motions[name].speciation, style_of(name)
        lines.append(
            {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper",
             "line": {"color": style.colour, "dash": "dot", "width": 1.5}}
        )  # fmt: skip
    figure["layout"]["shapes"] = lines
    return figure


def gradient_figure(result: AdaptiveResult) -> dict[str, Any]:
    top = max(float(result.motions[name].velocity_gradient.max()) for name in _few(result))
    early = [float(np.quantile(result.motions[name].velocity_gradient, 0.1)) for name in _few(result)]
    low = max(min(early), -3 * max(top, 10.0))
    y = {
        "title": {"text": "divergence of the velocity, 1/time"},
        "range": [min(low, -2.0) * 1.1, max(top, 2.0) * 1.15],
        "zeroline": True,
    }
    return _over_time(result, "velocity_gradient", y, "Mean divergence of the drift over time: above 0 ways part.")


def distance_figure(simulation: Simulation) -> dict[str, Any] | None:
    """W2 of the states to the target over time, with the floor that exact draws reach; None before any has arrived."""
    if not simulation.runs:
        return None
    shown = [run for run in simulation.runs if run.candidate.name in {*_named(simulation), "floor"}]
    curves = [curve(run.candidate.label, style_of(run.candidate.name), run.t, run.distance) for run in shown]
    floor = simulation.floor_over_time
    curves.append(
        {"type": "scatter", "mode": "lines", "x": [0, 1], "y": [floor, floor], "name": f"exact draws {floor:.2f}",
         "line": {"color": DATA[7], "width": 1.5, "dash": "dashdot"}, "hoverinfo": "skip"}
    )  # fmt: skip
    y = {"title": {"text": "W₂ to the target, length"}, "rangemode": "tozero"}
    return line_figure(curves, _TIME, y, "Distance of the particles from the target over time.")


def decided_figure(simulation: Simulation) -> dict[str, Any] | None:
    """The share of particles whose mode is decided by each time, as stairs."""
    runs = [run for run in simulation.runs if run.candidate.name in _named(simulation)]
    if not runs:
        return None
    curves = []
    for run in runs:
        share = [(run.decided <= at + 1e-12).mean() for at in run.t]
        one = curve(run.candidate.label, style_of(run.candidate.name), run.t, share)
        one["line"]["shape"] = "hv"
        one["marker"]["size"] = 7
        curves.append(one)
    y = {"title": {"text": "share of particles decided"}, "range": [0, 1.02]}
    return line_figure(curves, _TIME, y, "Share of particles decided by each time.")


def _named(simulation: Simulation) -> list[str]:
    refined = [run.candidate.name for run in simulation.runs if run.candidate.name.startswith("refined")]
    return ["none", "own", *refined[-1:]]
