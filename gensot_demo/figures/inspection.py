"""Figures of one sample: its guidance term, its leaving, its energy among others', its particles. Layout only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gensot_demo.experiments.inspect.guidance_term import GuidanceTerm
from gensot_demo.experiments.inspect.leaving import Leaving
from gensot_demo.experiments.population import Genealogy
from gensot_demo.transport.measures import EnergyCurve

from .curves import curve, line_figure
from .method_style import MethodStyle, method_style
from .palette import DATA, MUTED, faded

_FALLING = {"title": {"text": "noise level σ, falling"}, "type": "log", "autorange": "reversed"}
_SECOND = MethodStyle(DATA[5], "dot", "square")
_RESTING, _CHOSEN = 1.5, 3.5  # line widths
_TOP = 0.74  # share of the height below the effective share


def term_figure(method: str, term: GuidanceTerm) -> dict[str, Any] | None:
    """Size of the guidance term above, its direction below, against the falling noise level; None where it is 0."""
    if term.silent:
        return None
    style = method_style(method)
    seen = np.isfinite(term.levels)
    size = {**curve("size", style, term.levels[seen], term.size[seen]), "yaxis": "y2", "showlegend": False}
    aims = [curve("cosine with: the finished picture", style, term.levels[seen], term.to_end[seen])]
    if term.to_reference is not None:
        aims.append(curve("the picture asked for", _SECOND, term.levels[seen], term.to_reference[seen]))
    at = term.strongest
    figure = line_figure(
        [size, *aims],
        _FALLING,
        {"title": {"text": "direction"}, "range": [-1.08, 1.08], "domain": [0, 0.46], "tickvals": [-1, 0, 1]},
        f"Size of the guidance term in {term.unit} and cosine of its direction at each noise level. Largest: "
        f"{term.size[at]:.1f} at noise level {term.levels[at]:.3g}.",
    )
    figure["layout"]["yaxis2"] = {
        "title": {"text": f"size, {term.unit}"}, "domain": [0.56, 1], "rangemode": "tozero", "anchor": "x",
    }  # fmt: skip
    figure["layout"]["shapes"] = [_level(0.0)]
    return figure


def leaving_figure(method: str, leaving: Leaving) -> dict[str, Any]:
    """Distance from the unguided path against the falling noise level, and where it counts as left."""
    style = method_style(method)
    seen = np.isfinite(leaving.levels) & (leaving.levels > 0)
    levels = leaving.levels[seen]
    curves = [
        curve("states", MethodStyle(style.colour, "solid", style.marker), levels, leaving.states[seen]),
        curve("predictions", MethodStyle(MUTED, "dot", "circle"), levels, leaving.predictions[seen]),
    ]
    told = f"Distance from the unguided path at each noise level; {leaving.final:.1f} {leaving.unit} at the end."
    at = leaving.left
    if at is not None and seen[at]:
        curves.append(
            {
                "type": "scatter", "mode": "markers", "name": "left here",
                "x": [float(leaving.levels[at])], "y": [float(leaving.states[at])],
                "marker": {"color": DATA[1], "symbol": "star", "size": 15},
            }
        )  # fmt: skip
        told += f" Left at noise level {leaving.levels[at]:.3g}."
    y = {"title": {"text": f"distance, {leaving.unit}"}, "rangemode": "tozero"}
    return line_figure(curves, _FALLING, y, told)


def own_energy_figure(method: str, labels: Mapping[str, str], energies: Mapping[str, EnergyCurve]) -> dict[str, Any]:
    """Kinetic energy of the samples of one seed under every method over time; the chosen one is bold."""
    curves = []
    for name in [*(other for other in energies if other != method), method]:
        if name not in energies:
            continue
        drawn = curve(labels[name], method_style(name), energies[name].t, energies[name].kinetic)
        if name == method:
            drawn["line"]["width"] = _CHOSEN
        else:
            drawn["opacity"] = 0.6
        curves.append(drawn)
    x = {"title": {"text": "time t, from noise (0) to picture (1)"}, "range": [0, 1]}
    y = {"title": {"text": "|v|² per dimension, 1/time²"}, "type": "log"}
    totals = "; ".join(f"{labels[name]} {one.action:.2f}" for name, one in energies.items())
    return line_figure(curves, x, y, f"Kinetic energy of this seed's sample over time. Spent in all: {totals}.")


def genealogy_figure(method: str, tree: Genealogy) -> dict[str, Any]:
    """Who descends from whom: a row per particle, a column per kept step; above, the effective share."""
    style = method_style(method)
    weighed = np.isfinite(tree.share)
    share = {
        **curve("effective share", MethodStyle(MUTED, "solid", "circle"), tree.rows[weighed], tree.share[weighed]),
        "yaxis": "y2",
    }
    survivors = tree.alive[1:]
    lines = [
        _links(tree, ~survivors, "died out", faded(MUTED, 0.45), 1, "dot"),
        _links(tree, survivors, "has descendants at the end", style.colour, _RESTING, "solid"),
        {
            "type": "scatter", "mode": "lines", "name": "became this sample", "x": tree.rows, "y": tree.line + 1,
            "line": {"color": DATA[1], "width": _CHOSEN},
        },
        share,
    ]  # fmt: skip
    particles = tree.parents.shape[1]
    shapes = [_level(row, "x") for row in tree.resampled]
    if tree.coalescence is not None:
        at = tree.coalescence
        lines.append(
            {
                "type": "scatter", "mode": "markers", "name": "common ancestor of all",
                "x": [int(tree.rows[at])], "y": [int(tree.line[at]) + 1],
                "marker": {"color": DATA[1], "symbol": "star", "size": 15},
            }
        )  # fmt: skip
    marks = np.unique(np.linspace(1, particles, min(particles, 8)).round().astype(int)).tolist()
    figure = line_figure(
        lines,
        {"title": {"text": "step, from noise (0) to picture"}},
        {"title": {"text": "particle"}, "domain": [0, _TOP - 0.06], "tickvals": marks, "range": [0.4, particles + 0.6]},
        f"Family tree of {particles} particles: {tree.ancestors[0]} of the first ones have descendants at the end.",
    )
    figure["layout"] |= {
        "yaxis2": {
            "title": {"text": "share"}, "domain": [_TOP, 1], "range": [0, 1.08], "tickvals": [0, 0.5, 1],
            "tickformat": ".0%", "anchor": "x",
        },
        "shapes": shapes,
        "height": 420,
    }  # fmt: skip
    return figure


def _links(tree: Genealogy, chosen: ArrayLike, name: str, colour: str, width: float, dash: str) -> dict[str, Any]:
    """One trace of all links (moment n, parent) to (moment n + 1, child) that are chosen (S - 1, P)."""
    moments, children = np.nonzero(chosen)
    x: list[int | None] = []
    y: list[int | None] = []
    for n, child in zip(moments.tolist(), children.tolist(), strict=True):
        x += [int(tree.rows[n]), int(tree.rows[n + 1]), None]
        y += [int(tree.parents[n, child]) + 1, child + 1, None]
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": x, "y": y, "hoverinfo": "skip",
        "line": {"color": colour, "width": width, "dash": dash},
    }  # fmt: skip


def _level(at: float, axis: str = "y") -> dict[str, Any]:
    """A thin line across the lower figure at a value of one axis."""
    across = "y" if axis == "x" else "x"
    ends = {"xref": "paper"} if axis == "y" else {"yref": "paper"}
    low, high = (0, 1) if axis == "y" else (0, _TOP - 0.06)
    return {
        "type": "line", **ends, f"{across}0": low, f"{across}1": high, f"{axis}0": at, f"{axis}1": at,
        "line": {"color": MUTED, "dash": "dot", "width": 1},
    }  # fmt: skip
