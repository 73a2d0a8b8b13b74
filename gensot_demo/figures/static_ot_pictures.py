"""Figures of the solver for pictures: mass error against draws, and the share of every picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from gensot_demo.experiments.static_ot.heights_pictures import PicturesRun

from .curves import curve, line_figure
from .palette import MUTED
from .static_ot_heights import ASCENT, NEWTON

_GUESS = NEWTON


def rounds_figure(run: PicturesRun) -> dict[str, Any] | None:
    """Mass error as the ascent counts it, against draws, and what counting alone would show."""
    if not run.rounds:
        return None
    rounds = np.array([(r.samples, r.counted, r.floor) for r in run.rounds])
    line = curve("as counted", ASCENT, rounds[:, 0], np.maximum(rounds[:, 1], 1e-6))
    line["marker"]["size"] = 7
    floor = {"type": "scatter", "mode": "lines", "x": rounds[:, 0], "y": np.maximum(rounds[:, 2], 1e-6)}
    floor |= {"name": "counting alone", "line": {"color": MUTED, "dash": "dot", "width": 1.5}}
    y = {"title": {"text": "mass in the wrong cell"}, "type": "log", "tickformat": ".2~%", "dtick": "D2"}
    x = {"title": {"text": "draws of noise"}, "type": "log"}
    said = f"After {run.rounds[-1].samples:,} draws {run.rounds[-1].counted:.1%} of the mass is in the wrong cell."
    return line_figure([line, floor], x, y, said)


def shares_figure(run: PicturesRun) -> dict[str, Any] | None:
    """Share of the noise over what it should be, of every picture, in order; dotted: exact shares counted with as many
    draws."""
    if run.masses is None:
        return None
    weights = run.pictures.weights
    place = np.arange(1, len(weights) + 1)
    rows = [("first guess", run.guess_masses, _GUESS), ("these heights", run.masses, ASCENT)]
    data = [curve(name, style, place, np.sort((m / weights).numpy())) for name, m, style in rows]
    data.append({
        "type": "scatter", "mode": "lines", "x": place, "y": np.sort((run.alike / weights).numpy()).astype(np.float32),
        "name": "exact shares, counted alike", "line": {"color": MUTED, "dash": "dot", "width": 2},
    })  # fmt: skip
    y = {"title": {"text": "share over what it should be"}, "rangemode": "tozero"}
    x = {"title": {"text": "pictures, in order of their share"}, "range": [0.5, len(weights) + 0.5]}
    said = f"{run.fresh:,} fresh draws: {run.error:.2%} in the wrong cell, {run.guess_error:.1%} with the first guess."
    return line_figure(data, x, y, said)
