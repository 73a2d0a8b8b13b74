"""Figures of matrix stiffness: the plane with its ellipses, and the corridor's width. Layout only."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensot_demo.experiments.navigation.directions import (
    ELLIPSE_ROWS,
    TIMES,
    Cloud,
    DirectionsResult,
    Tuning,
)

from .curves import LEGEND_BELOW, curve, line_figure
from .palette import DATA, INK, MUTED, faded
from .transport import panel_style

_TURN = np.linspace(0, 2 * np.pi, 33)
_TIME = {"title": {"text": "time t"}, "range": [0, 1]}


def _ellipse(mean: NDArray[np.float64], covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Two standard deviations around a mean, and a row of nan that lifts the pen, (34, 2)."""
    sizes, axes = np.linalg.eigh(covariance)
    around = np.stack([np.cos(_TURN), np.sin(_TURN)], 1) * 2 * np.sqrt(np.maximum(sizes, 0))
    return np.concatenate([mean + around @ axes.T, np.full((1, 2), np.nan)])


def _line(places: NDArray[np.float64], name: str, line: dict, **other: Any) -> dict[str, Any]:
    places = places.astype(np.float32)
    plain = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
    return {**plain, "x": places[:, 0], "y": places[:, 1], "name": name, "line": line, **other}


def plane_figure(result: DirectionsResult, cloud: Cloud | None = None, tuning: Tuning | None = None) -> dict[str, Any]:
    """The corridor's centre line, and for each starting point the mean way and ellipses of each mode at a few times;
    below them the drawn particles, over them the tuned way."""
    data = []
    if cloud is not None:
        data += _trails(cloud)
    data.append(_line(result.centre, "centre of the corridor", {"color": MUTED, "width": 2, "dash": "dash"}))
    several = len(result.ways) > 1
    for number, way in enumerate(result.ways):
        style = panel_style(number)
        name = f"from start {number + 1}" if several else "mean way to each mode"
        for mode, places in enumerate(way.mode_means):
            line = np.concatenate([way.start[None], places, way.ends[mode][None]])
            data.append(
                _line(line, name, {"color": style.colour, "width": 2.5, "dash": style.dash}, showlegend=mode == 0)
            )
        rings = [
            _ellipse(way.mode_means[mode, row], way.mode_covariances[mode, row])
            for mode in range(len(way.mode_means))
            for row in ELLIPSE_ROWS
        ]
        data.append(
            _line(
                np.concatenate(rings), f"where 86 % of a mode are, at {len(ELLIPSE_ROWS)} times",
                {"color": faded(style.colour, 0.75), "width": 1},
                fill="toself", fillcolor=faded(style.colour, 0.07), showlegend=number == 0,
            )
        )  # fmt: skip
        points = np.concatenate([way.start[None], way.ends])
        data.append(
            {"type": "scatter", "mode": "markers", "x": points[:, 0], "y": points[:, 1],
             "marker": {"color": style.colour, "symbol": [style.marker, *["x"] * len(way.ends)], "size": 9},
             "name": "start and ends", "showlegend": number == 0, "hoverinfo": "skip"}
        )  # fmt: skip
    if tuning is not None:
        guide = _line(tuning.guide, "tuned guide, one place a piece", {"color": DATA[3], "width": 1, "dash": "dot"})
        data.append(guide | {"mode": "lines+markers", "marker": {"color": DATA[3], "symbol": "square", "size": 7}})
        data.append(_line(tuning.mean, "mean way, tuned", {"color": INK, "width": 3}))
    layout = {
        "xaxis": {"title": {"text": "x, length"}, "constrain": "domain"},
        "yaxis": {"title": {"text": "y, length"}, "scaleanchor": "x", "scaleratio": 1},
        "showlegend": True,
        "legend": dict(LEGEND_BELOW),
        "margin": {"l": 52, "r": 12, "t": 12, "b": 8},
        "height": 520,
        "meta": {"description": _described(result)},
    }
    return {"data": data, "layout": layout}


def _described(result: DirectionsResult) -> str:
    middle = len(TIMES) // 2
    return (
        f"{len(result.ways)} starting points; half way the tube is {result.across[middle]:.2f} wide across the "
        f"corridor and {result.along[middle]:.2f} along it."
    )


def _trails(cloud: Cloud) -> list[dict[str, Any]]:
    data = []
    for number, ways in enumerate(cloud.trails):
        ways = np.moveaxis(ways, 1, 0)
        broken = np.concatenate([ways, np.full((len(ways), 1, 2), np.nan)], 1).reshape(-1, 2)
        colour = panel_style(number).colour
        data.append(_line(broken, "particles", {"color": faded(colour, 0.22), "width": 1}, showlegend=number == 0))
        ends = cloud.ends[number].astype(np.float32)
        data.append(
            {"type": "scatter", "mode": "markers", "x": ends[:, 0], "y": ends[:, 1], "name": "ends",
             "hoverinfo": "skip", "marker": {"color": faded(colour, 0.3), "size": 3}, "showlegend": False}
        )  # fmt: skip
    return data


def width_figure(result: DirectionsResult) -> dict[str, Any]:
    """Half-widths of the tube along and across, and how far the mean is off the centre line."""
    curves = [
        curve("spread along", panel_style(0), TIMES, result.along),
        curve("spread across", panel_style(1), TIMES, result.across),
        curve(
            "mean off the centre, to the left" + (" (start 1)" if len(result.ways) > 1 else ""),
            panel_style(2),
            TIMES,
            result.off,
        ),
    ]
    return line_figure(curves, _TIME, {"title": {"text": "length"}}, _described(result))


def tuned_figure(tuning: Tuning) -> dict[str, Any]:
    """What was found: stiffness across on each piece, and the guide's offset on a second axis."""
    curves = [
        curve("stiffness across", panel_style(0), tuning.times, tuning.across),
        curve("offset of the guide (right axis)", panel_style(1), tuning.times, tuning.offsets) | {"yaxis": "y2"},
    ]
    said = f"Tuned: stiffness from {tuning.across.min():.3g} to {tuning.across.max():.3g}."
    y = {"title": {"text": "stiffness, 1/(length² time)"}, "rangemode": "tozero"}
    figure = line_figure(curves, _TIME, y, said)
    figure["layout"]["yaxis2"] = {
        "title": {"text": "offset, length"}, "overlaying": "y", "side": "right", "showgrid": False,
    }  # fmt: skip
    figure["layout"]["margin"]["r"] = 60
    return figure
