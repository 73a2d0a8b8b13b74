"""Figures of flows trained on differently paired noise and data. Layout only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gensot_demo.experiments.static_ot.pairing import CALLS, PairingRun
from gensot_demo.experiments.static_ot.pairing_request import PAIRINGS, SIZES

from .curves import curve, line_figure
from .method_style import MethodStyle
from .palette import DATA, INK, MUTED, faded
from .static_ot_lines import Lines, lines_figure

STYLES = dict(
    zip(
        PAIRINGS,
        (
            MethodStyle(DATA[1], "dash", "diamond"),
            MethodStyle(DATA[2], "dashdot", "square"),
            MethodStyle(DATA[0], "solid", "circle"),
        ),
        strict=True,
    )
)
_REACH = 2.9
_BIN = 50  # updates that a point of the loss curve averages
_TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2)
_DISTANCES = (0.05, 0.1, 0.2, 0.5, 1, 2, 4, 8)


def pairs_figures(run: PairingRun) -> list[dict[str, Any]]:
    """The pairs that the networks are shown: the same noise, a figure for each pairing."""
    if run.pairs is None:
        return []
    figures = []
    for p, (name, label) in enumerate(zip(run.request.pairings, run.labels, strict=True)):
        note = f"{100 * run.pairs.crossing[p, 0]:.1f} % of two lines cross"
        lines = Lines(label, run.pairs.lines[p], STYLES[name], note)
        figures.append(lines_figure(lines, _REACH, f"Pairs of noise and data as straight lines, {label}: {note}."))
    return figures


def flows_figures(run: PairingRun) -> list[dict[str, Any]]:
    """Lines of the learnt flows, from the noise of the pairs shown, over the data set; a figure for each pairing."""
    found, figures = run.learnt, []
    if found is None:
        return []
    for p, (name, label) in enumerate(zip(run.request.pairings, run.labels, strict=True)):
        note = f"straightness {found.straightness[p, 0]:.2f}, {100 * found.crossing[p, 0]:.1f} % cross"
        said = f"Lines of the flow after {run.updates:,} updates, over the data set, {label}: {note}."
        lines = Lines(label, found.lines[p], STYLES[name], note)
        figures.append(lines_figure(lines, _REACH, said, run.task.points[0].numpy()))
    return figures


def calls_figure(run: PairingRun) -> dict[str, Any] | None:
    """Error of samples against calls of the network; bars: standard deviation over seeds."""
    if run.calls is None:
        return None
    calls, ends = run.calls, [CALLS[0] * 0.85, CALLS[-1] * 1.18]
    low = max(calls.floor - 2 * calls.floor_spread, 0.3 * calls.floor)
    data = [
        {
            "type": "scatter", "mode": "lines", "x": [*ends, *ends[::-1]],
            "y": [low, low, *[calls.floor + 2 * calls.floor_spread] * 2], "fill": "toself",
            "fillcolor": faded(MUTED, 0.18), "line": {"width": 0}, "name": "draws from the data", "hoverinfo": "skip",
        }
    ]  # fmt: skip
    for p, (name, label) in enumerate(zip(run.request.pairings, run.labels, strict=True)):
        own = calls.error[p]
        line = curve(label, STYLES[name], CALLS, own.mean(0))
        line["marker"]["size"] = 8
        if len(own) > 1:
            line["error_y"] = {"array": own.std(0, ddof=1).astype(np.float32), "width": 3, "thickness": 1}
        data.append(line)
    x = {"title": {"text": "calls of the network (Euler steps)"}, "type": "log", "tickvals": list(CALLS)}
    x |= {"ticktext": [str(k) for k in CALLS], "range": [math.log10(end) for end in ends]}
    y = {"title": {"text": "sliced W₂ to the data set"}, "type": "log"}
    y |= {"tickvals": _TICKS, "ticktext": [f"{tick:g}" for tick in _TICKS]}
    said = "; ".join(
        f"{label} {row[0]:.2f} at 1 call and {row[-1]:.2f} at {CALLS[-1]}"
        for label, row in zip(run.labels, calls.error.mean(1), strict=True)
    )
    return line_figure(data, x, y, f"Sample error: {said}; draws from the data {calls.floor:.3f}.")


def spent_figure(run: PairingRun) -> dict[str, Any] | None:
    """What the pairs cost, what the flow spends, and how far it carries, beside W2^2."""
    if run.pairs is None:
        return None
    data = []
    for p, (name, label) in reversed(list(enumerate(zip(run.request.pairings, run.labels, strict=True)))):
        style = STYLES[name]
        rows = [("pairs cost E|y − x₀|²", run.pairs.cost[p], style.marker + "-open")]
        if run.learnt is not None:
            rows.append(("flow spends ∫ E|v|² dt", run.learnt.energy[p], style.marker))
            rows.append(("flow carries E|x₁ − x₀|²", run.learnt.displacement[p], "line-ns-open"))
        for what, values, symbol in rows:
            data.append({
                "type": "scatter", "mode": "markers", "x": values, "y": [label] * len(values), "name": what,
                "marker": {"color": style.colour, "symbol": symbol, "size": 13, "line": {"width": 2}},
                "hovertemplate": "%{x:.3f}<extra>" + f"{label}: {what}</extra>", "showlegend": False,
            })  # fmt: skip
    legend = {"pairs cost": "circle-open", "flow spends": "circle", "flow carries": "line-ns-open"}
    for what, symbol in legend.items():
        marker = {"color": MUTED, "symbol": symbol, "size": 10, "line": {"width": 2}}
        data.append({"type": "scatter", "mode": "markers", "name": what, "x": [None], "y": [None], "marker": marker})
    least = run.task.least[0]
    shown = [run.task.least[0], run.pairs.cost.max()]
    if run.learnt is not None:
        shown += [run.learnt.displacement.min(), run.learnt.energy.max()]
    ends = [math.log10(0.8 * min(shown)), math.log10(1.25 * max(shown))]
    x = {"title": {"text": "mean squared distance"}, "type": "log", "range": ends}
    x |= {"tickvals": _DISTANCES, "ticktext": [f"{tick:g}" for tick in _DISTANCES]}
    said = "; ".join(f"{label} {row.mean():.2f}" for label, row in zip(run.labels, run.pairs.cost, strict=True))
    figure = line_figure(
        data, x, {"automargin": True, "type": "category"}, f"Pairs cost {said}; W2 squared is {least:.3f}."
    )
    figure["layout"] |= _mark(least, f"W₂² = {least:.2f}", upright=True)
    return figure


def plans_figure(run: PairingRun) -> dict[str, Any] | None:
    """Cost of a minibatch's best plan against its size, with W2^2, which no size reaches."""
    if run.task is None:
        return None
    mean, error = (np.array(part) for part in zip(*run.task.plans, strict=True))
    line = curve("plan of a minibatch", STYLES["minibatch"], SIZES, mean)
    line["marker"]["size"] = 8
    line["error_y"] = {"array": error.astype(np.float32), "width": 3, "thickness": 1}
    size = run.request.minibatch
    now = {
        "type": "scatter", "mode": "markers", "name": "now", "x": [size], "y": [mean[SIZES.index(size)]],
        "marker": {"color": INK, "symbol": "square-open", "size": 16, "line": {"width": 2.5}},
    }  # fmt: skip
    least = run.task.least[0]
    ends = [math.log10(SIZES[0] * 0.85), math.log10(SIZES[-1] * 1.18)]
    x = {"title": {"text": "pairs in a minibatch"}, "type": "log", "range": ends, "tickvals": list(SIZES)}
    x |= {"ticktext": [str(k) for k in SIZES]}
    y = {"title": {"text": "cost E|y − x₀|²"}, "range": [0, 4.2]}
    said = (
        f"Cost of a minibatch's plan: {mean[0]:.2f} for {SIZES[0]} pairs, {mean[-1]:.2f} for {SIZES[-1]}; W2 squared "
    )
    figure = line_figure([line, now], x, y, said + f"is {least:.3f}, independent pairs cost 4.")
    figure["layout"] |= _mark(least, f"W₂² = {least:.2f}: whole data set", upright=False)
    return figure


def _mark(value: float, text: str, upright: bool) -> dict[str, Any]:
    """A dotted line across at a value, with its name."""
    line = {"color": STYLES["whole"].colour, "width": 1.5, "dash": "dot"}
    if upright:
        shape = {"type": "line", "x0": value, "x1": value, "yref": "paper", "y0": 0, "y1": 1, "line": line}
        place = {"x": math.log10(value), "yref": "paper", "y": 1, "xanchor": "left", "yanchor": "bottom"}
        room = {"margin": {"l": 56, "r": 12, "t": 30, "b": 110}}
    else:
        shape = {"type": "line", "y0": value, "y1": value, "xref": "paper", "x0": 0, "x1": 1, "line": line}
        place, room = {"y": value, "xref": "paper", "x": 0.01, "xanchor": "left", "yanchor": "bottom"}, {}
    note = place | {"text": text, "showarrow": False, "font": {"size": 12, "color": STYLES["whole"].colour}}
    return room | {"shapes": [shape], "annotations": [note]}


def loss_figure(run: PairingRun) -> dict[str, Any] | None:
    """The loss over updates as a share of what the pairs cost: 1 knows nothing."""
    if run.losses is None or run.losses.shape[2] < _BIN:
        return None
    bins = run.losses.shape[2] // _BIN
    means = run.losses[:, :, : bins * _BIN].reshape(*run.losses.shape[:2], bins, _BIN).mean((1, 3))
    at = _BIN * (np.arange(bins) + 0.5)
    data = [
        curve(label, STYLES[name], at, means[p])
        for p, (name, label) in enumerate(zip(run.request.pairings, run.labels, strict=True))
    ]
    x = {"title": {"text": "updates"}, "range": [0, run.request.updates]}
    y = {"title": {"text": "loss E|v − (y − x₀)|²"}, "type": "log"}
    y |= {"tickvals": [0.02, 0.05, *_TICKS[2:], 4], "ticktext": [f"{t:g}" for t in (0.02, 0.05, *_TICKS[2:], 4)]}
    last = ", ".join(f"{label} {row[-1]:.2f}" for label, row in zip(run.labels, means, strict=True))
    return line_figure(data, x, y, f"Training loss, last: {last}.")
