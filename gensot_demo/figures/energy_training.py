"""Figures of flows trained live: what was learnt, likelihood, error against calls, what a path weighs. Layout only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gensot_demo.experiments.energy.training import CALLS, TrainingRun
from gensot_demo.experiments.energy.training_task import PATHS, Task

from .curves import curve, line_figure
from .palette import DATA, INK, MUTED, faded
from .schedule_style import schedule_style

STYLES = {name: schedule_style(name) for name in PATHS}
_REACH = 2.8  # standard deviations shown
_GAP = 0.06
_BIN = 50  # updates that a point of the loss curve averages
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2)
_HEAVIEST = 4.0  # weight per radian shown: the kinetic-optimal one has no bound
_ANGLE = {
    "title": {"text": "noise angle θ, from noise to data"}, "range": [0, math.pi / 2],
    "tickvals": [k * math.pi / 8 for k in range(5)], "ticktext": ["0", "π/8", "π/4", "3π/8", "π/2"],
}  # fmt: skip


def learnt_figure(run: TrainingRun) -> dict[str, Any]:
    """The points that the flows saw, then samples of each flow from the same starts; one panel each."""
    names = run.request.paths if run.samples is not None else ()
    points = run.task.back(run.task.points[0], 0).numpy()
    clouds = [(f"{len(points):,} training points", points, INK)]
    clouds += [(PATHS[name], run.samples[p], STYLES[name].colour) for p, name in enumerate(names)]
    columns = 1 if len(clouds) == 1 else 2 if len(clouds) <= 4 else 3
    rows = -(-len(clouds) // columns)
    data, layout = [], {"showlegend": False, "height": 290 * rows, "margin": {"l": 8, "r": 8, "t": 8, "b": 8}}
    layout["annotations"] = []
    wide, high = (1 - _GAP * (columns - 1)) / columns, (1 - 1.5 * _GAP * rows) / rows
    ground = _density(run)
    for number, (label, places, colour) in enumerate(clouds):
        row, column = divmod(number, columns)
        suffix = str(number + 1) if number else ""
        left, top = column * (wide + _GAP), 1 - 1.5 * _GAP - row * (high + 1.5 * _GAP)
        quiet = {"range": [-_REACH, _REACH], "showticklabels": False, "zeroline": False, "ticks": ""}
        layout[f"xaxis{suffix}"] = quiet | {"domain": [left, left + wide], "anchor": f"y{suffix}"}
        layout[f"yaxis{suffix}"] = quiet | {
            "domain": [top - high, top], "anchor": f"x{suffix}", "scaleanchor": f"x{suffix}", "scaleratio": 1,
        }  # fmt: skip
        axes = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
        data += [ground | axes, _dots(label, places, colour) | axes]
        layout["annotations"].append({
            "text": label, "showarrow": False, "xref": "paper", "yref": "paper", "x": left + wide / 2, "y": top,
            "xanchor": "center", "yanchor": "bottom", "font": {"size": 13},
        })  # fmt: skip
    listed = ", ".join(PATHS[name] for name in names) or "nothing yet: press Train"
    layout["meta"] = {
        "description": f"The points seen in training, and samples after {run.updates:,} updates: {listed}."
    }
    return {"data": data, "layout": layout}


def _dots(label: str, places: ArrayLike, colour: str) -> dict[str, Any]:
    places = np.asarray(places, np.float32)
    marker = {"color": faded(colour, 0.75), "size": 5 if len(places) <= 100 else 3}
    plain = {"type": "scatter", "mode": "markers", "name": label, "hoverinfo": "skip"}
    return plain | {"x": places[:, 0], "y": places[:, 1], "marker": marker}


def _density(run: TrainingRun) -> dict[str, Any]:
    import torch

    axis = torch.linspace(-_REACH, _REACH, 64, dtype=torch.float64)
    places = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).reshape(-1, 2)
    values = run.task.law.log_density(places).exp().reshape(64, 64).numpy()
    return {
        "type": "heatmap", "x": axis.numpy().astype(np.float32), "y": axis.numpy().astype(np.float32),
        "z": np.sqrt(values).astype(np.float32), "showscale": False, "hoverinfo": "skip", "zsmooth": "best",
        "colorscale": [[0, faded(DATA[7], 0)], [1, faded(DATA[7], 0.45)]],
    }  # fmt: skip


def likelihood_figure(run: TrainingRun) -> dict[str, Any] | None:
    """What each flow loses to the true law, nats per dimension: held-out points filled, points seen in training hollow;
    a mark for each seed."""
    if not run.checks:
        return None
    check, data = run.checks[-1], []
    for p, name in reversed(list(enumerate(run.request.paths))):
        style = STYLES[name]
        for what, values, symbol in (("held out", check.held_out[p], ""), ("seen", check.seen[p], "-open")):
            data.append({
                "type": "scatter", "mode": "markers", "name": what, "x": values, "y": [PATHS[name]] * len(values),
                "marker": {"color": style.colour, "symbol": style.marker + symbol, "size": 12, "line": {"width": 2}},
                "hovertemplate": "%{x:.3f} nats<extra>" + f"{PATHS[name]}, {what}</extra>", "showlegend": False,
            })  # fmt: skip
    for what, symbol in (("held-out points", "circle"), ("points seen in training", "circle-open")):
        marker = {"color": MUTED, "symbol": symbol, "size": 10, "line": {"width": 2}}
        data.append({"type": "scatter", "mode": "markers", "name": what, "x": [None], "y": [None], "marker": marker})
    listed = "; ".join(
        f"{label} {held.mean():.3f} held out, {seen.mean():.3f} seen"
        for label, held, seen in zip(run.labels, check.held_out, check.seen, strict=True)
    )
    x = {"title": {"text": "nats per dimension below the true law (0)"}, "rangemode": "tozero", "zeroline": True}
    return line_figure(data, x, {"automargin": True, "type": "category"}, f"Lost to the true law: {listed}.")


def calls_figure(run: TrainingRun) -> dict[str, Any] | None:
    """Sample error against calls of the network: each on its own path, dotted with the exact velocity."""
    if run.calls is None:
        return None
    calls, low = run.calls, max(run.calls.floor - 2 * run.calls.floor_spread, 0.3 * run.calls.floor)
    ends = [CALLS[0] * 0.85, CALLS[-1] * 1.18]
    data = [
        {
            "type": "scatter", "mode": "lines", "x": [*ends, *ends[::-1]],
            "y": [low, low, *[calls.floor + 2 * calls.floor_spread] * 2], "fill": "toself",
            "fillcolor": faded(MUTED, 0.18), "line": {"width": 0}, "name": "exact draws", "hoverinfo": "skip",
        }
    ]  # fmt: skip
    for p, name in enumerate(run.request.paths):
        style, own = STYLES[name], calls.own[p]
        exact = curve(f"{PATHS[name]}, exact velocity", style, CALLS, calls.exact[p])
        exact |= {"mode": "lines", "opacity": 0.75, "showlegend": False}
        exact["line"] = {"color": style.colour, "dash": "dot", "width": 1.3}
        line = curve(PATHS[name], style, CALLS, own.mean(0))
        line["marker"]["size"] = 8
        if len(own) > 1:
            line["error_y"] = {"array": own.std(0, ddof=1).astype(np.float32), "width": 3, "thickness": 1}
        data += [exact, line]
    data.append({
        "type": "scatter", "mode": "lines", "x": [None], "y": [None], "name": "dotted: with the exact velocity",
        "line": {"color": MUTED, "dash": "dot", "width": 1.3},
    })  # fmt: skip
    x = {"title": {"text": "calls of the network (Euler steps)"}, "type": "log", "tickvals": list(CALLS)}
    x |= {"ticktext": [str(k) for k in CALLS], "range": [math.log10(end) for end in ends]}
    y = {"title": {"text": "sliced W₂ to exact draws"}, "type": "log"}
    y |= {"tickvals": _TICKS, "ticktext": [f"{tick:g}" for tick in _TICKS]}
    said = "; ".join(
        f"{label} {row[0]:.2f} at {CALLS[0]} calls and {row[-1]:.2f} at {CALLS[-1]}"
        for label, row in zip(run.labels, calls.own.mean(1), strict=True)
    )
    return line_figure(data, x, y, f"Sample error: {said}; exact draws {calls.floor:.3f}.")


def weight_figure(run: TrainingRun) -> dict[str, Any] | None:
    """How much each path weighs an error at each noise angle, in training and in sampling; None until it is known."""
    if not isinstance(run.task, Task):
        return None
    data = [
        curve(PATHS[name], STYLES[name], run.task.angles, run.task.weights[p])
        for p, name in enumerate(run.request.paths)
    ]
    y = {"title": {"text": "weight per radian"}, "range": [0, _HEAVIEST]}
    said = "; ".join(
        f"{label}: {np.nanmean(w[:33]):.2f} near the noise, {np.nanmean(w[-33:]):.2f} near the data"
        for label, w in zip(run.labels, run.task.weights, strict=True)
    )
    return line_figure(data, dict(_ANGLE), y, f"Weight of each noise angle. {said}.")


def field_figure(run: TrainingRun) -> dict[str, Any] | None:
    """Where the learnt velocity is wrong: mean squared error against the exact one, at each noise angle."""
    if run.field_error is None:
        return None
    data = [
        curve(PATHS[name], STYLES[name], run.task.compared, run.field_error[p].mean(0))
        for p, name in enumerate(run.request.paths)
    ]
    y = {"title": {"text": "squared error per dimension"}, "type": "log", "dtick": 1, "exponentformat": "power"}
    worst = run.task.compared[int(run.field_error.mean((0, 1)).argmax())]
    return line_figure(data, dict(_ANGLE), y, f"Largest at the angle {worst:.2f}.")


def loss_figure(run: TrainingRun) -> dict[str, Any] | None:
    """The loss of each path over updates, averaged over 50 of them and over seeds."""
    if run.losses is None or run.losses.shape[2] < _BIN:
        return None
    bins = run.losses.shape[2] // _BIN
    means = run.losses[:, :, : bins * _BIN].reshape(*run.losses.shape[:2], bins, _BIN).mean((1, 3))
    at = _BIN * (np.arange(bins) + 0.5)
    data = [curve(PATHS[name], STYLES[name], at, means[p]) for p, name in enumerate(run.request.paths)]
    x = {"title": {"text": "updates"}, "range": [0, run.request.updates]}
    last = ", ".join(f"{label} {row[-1]:.2f}" for label, row in zip(run.labels, means, strict=True))
    return line_figure(data, x, {"title": {"text": "loss, of 1 at no knowledge"}}, f"Training loss, last: {last}.")


def progress_figure(run: TrainingRun) -> dict[str, Any] | None:
    """What the flows lose to the true law on held-out points, over updates; dotted: on points seen in training."""
    if not run.checks:
        return None
    at, data = [check.update for check in run.checks], []
    for p, name in enumerate(run.request.paths):
        style = STYLES[name]
        seen = curve(f"{PATHS[name]}, seen", style, at, [check.seen[p].mean() for check in run.checks])
        seen |= {"mode": "lines", "showlegend": False, "line": {"color": style.colour, "dash": "dot", "width": 1.3}}
        line = curve(PATHS[name], style, at, [check.held_out[p].mean() for check in run.checks])
        line["marker"]["size"] = 8
        data += [seen, line]
    x = {"title": {"text": "updates"}, "range": [0, run.request.updates * 1.03]}
    said = f"Held-out points after {at[-1]:,} updates: " + ", ".join(
        f"{label} {row.mean():.3f}" for label, row in zip(run.labels, run.checks[-1].held_out, strict=True)
    )
    return line_figure(data, x, {"title": {"text": "nats per dimension below the law"}, "zeroline": True}, said + ".")
