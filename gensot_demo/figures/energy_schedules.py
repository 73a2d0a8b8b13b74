"""Figures of the page Energy, part Schedules: pictures of every schedule, speeds, few steps. Layout only."""

from __future__ import annotations

from typing import Any

import numpy as np

from gensot_demo.experiments.energy.schedules_request import SCHEDULES
from gensot_demo.experiments.energy.schedules_result import (
    IN_NOISE,
    STEPS,
    LinePicture,
    PlanePicture,
    Ride,
    SchedulesResult,
    Strip,
)

from .curves import curve, line_figure
from .palette import DATA, INK, MUTED, SEQUENTIAL, faded
from .schedule_style import schedule_style
from .wall import wall_row, wall_value

_TIME = {"title": {"text": "time t, noise (0) to data (1)"}, "range": [0, 1]}
_OUT_OF_FRAME = 2.5  # the frame of the speeds: so many times the largest energy of a moderate schedule
_FINE = 301  # places along a flow line that enters the frame on its way
_LEAST_ERROR = 1e-6  # shown on a logarithmic axis


def pictures_of(result: SchedulesResult) -> list[dict[str, Any] | None]:
    """A figure for every schedule of which there is a picture on the line or in the plane, in order; else None."""
    top = _brightest(result)
    found: list[dict[str, Any] | None] = []
    for ride in result.rides:
        if isinstance(ride.picture, LinePicture):
            found.append(_space_time(ride, ride.picture, result, top))
        elif isinstance(ride.picture, PlanePicture):
            found.append(_ways(ride, ride.picture, result))
        else:
            found.append(None)
    return found


def _brightest(result: SchedulesResult) -> float:
    """The density at full colour: that of the data where they are densest, the same in every picture."""
    ends = [ride.picture.density[-1].max() for ride in result.rides if isinstance(ride.picture, LinePicture)]
    return float(max(ends, default=1.0))


def _space_time(ride: Ride, picture: LinePicture, result: SchedulesResult, top: float) -> dict[str, Any]:
    bytes_ = np.clip(255 * np.sqrt(picture.density.T / top), 0, 255).round().astype(np.uint8)
    heat = {
        "type": "heatmap", "x": np.float32(picture.t), "y": np.float32(result.places), "z": bytes_, "zmin": 0,
        "zmax": 255, "showscale": False, "hoverinfo": "skip", "zsmooth": "fast",
        "colorscale": [[n / (len(SEQUENTIAL) - 1), colour] for n, colour in enumerate(SEQUENTIAL)],
    }  # fmt: skip
    reach = float(result.places[-1])
    t, lines = picture.t, picture.lines.T
    if np.abs(lines).max() > reach:  # they enter at the frame
        t = np.linspace(0, 1, _FINE)
        lines = np.stack([np.interp(t, picture.t, line) for line in lines])
        lines[np.abs(lines) > reach] = np.nan
    gaps = np.full((len(lines), 1), np.nan)
    flow = {
        "type": "scatter", "mode": "lines", "showlegend": False, "hoverinfo": "skip",
        "x": np.float32(np.concatenate([np.tile(t, (len(lines), 1)), gaps], 1).ravel()),
        "y": np.float32(np.concatenate([lines, gaps], 1).ravel()),
        "line": {"color": DATA[1], "width": 1.3},
    }  # fmt: skip
    said = f"{ride.label}: density over time and eleven quantile lines from noise to data; energy {ride.energy:.3g}."
    layout = _small(ride, said) | {
        "xaxis": {"title": {"text": "time t"}, "range": [0, 1], "tickvals": [0, 0.5, 1], "showgrid": False},
        "yaxis": {"title": {"text": "x"}, "range": [-reach, reach], "dtick": 2, "showgrid": False, "zeroline": False},
    }
    return {"data": [heat, flow], "layout": layout}


def _ways(ride: Ride, picture: PlanePicture, result: SchedulesResult) -> dict[str, Any]:
    density, count = result.density, picture.ways.shape[1]
    reach = 1.05 * max(3.0, float(np.abs(density.x).max()), float(np.abs(density.y).max()))
    ways = np.where((np.abs(picture.ways) > reach).any(2, keepdims=True), np.nan, picture.ways)
    gaps = np.full((count, 1), np.nan)
    x, y = (np.float32(np.concatenate([ways[:, :, axis].T, gaps], 1).ravel()) for axis in (0, 1))
    start, end = ways[0], ways[-1]
    top = float(density.values.max())
    data = [
        {
            "type": "contour", "x": np.float32(density.x), "y": np.float32(density.y), "z": np.float32(density.values),
            "contours": {"start": 0.08 * top, "end": top, "size": 0.2 * top}, "showscale": False, "hoverinfo": "skip",
            "colorscale": [[0, faded(DATA[7], 0.0)], [1, faded(DATA[7], 0.55)]], "line": {"width": 0},
        },
        {
            "type": "scatter", "mode": "lines", "x": x, "y": y, "hoverinfo": "skip",
            "line": {"color": schedule_style(ride.name).colour, "width": 1.3},
        },
        _dots(start, "circle-open", 5), _dots(end, "circle", 4),
    ]  # fmt: skip
    axis = {"range": [-reach, reach], "dtick": 2, "zeroline": False}
    said = f"{ride.label}: the ways of {count} particles from noise to the target; energy {ride.energy:.3g}."
    layout = _small(ride, said) | {"xaxis": dict(axis), "yaxis": axis | {"scaleanchor": "x", "scaleratio": 1}}
    return {"data": data, "layout": layout}


def _dots(places: np.ndarray, symbol: str, size: int) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "markers", "x": np.float32(places[:, 0]), "y": np.float32(places[:, 1]),
        "marker": {"color": INK, "symbol": symbol, "size": size, "line": {"width": 1}}, "hoverinfo": "skip",
    }  # fmt: skip


def _small(ride: Ride, description: str) -> dict[str, Any]:
    return {
        "height": 250,
        "showlegend": False,
        "margin": {"l": 34, "r": 6, "t": 30, "b": 36},
        "title": {
            "text": f"{schedule_style(ride.name).glyph} {ride.label}",
            "x": 0.5,
            "xanchor": "center",
            "font": {"size": 13},
        },
        "meta": {"description": description},
    }


def strips_of(result: SchedulesResult) -> str | None:
    """One sample on its way on every schedule, at the same times; None before there is one."""
    rides = [ride for ride in result.rides if isinstance(ride.picture, Strip)]
    if not rides:
        return None
    times = [f"t = {t:.3g}" for t in np.linspace(0, 1, len(rides[0].picture.t))]
    rows = [
        wall_row(
            ride.name,
            ride.label,
            list(ride.picture.pictures),
            note=f"energy {ride.energy:.3g}",
            glyph=schedule_style(ride.name).glyph,
            colour=schedule_style(ride.name).token,
            alternatives=[f"{ride.label} at t = {t:.2f}" for t in ride.picture.t],
        )
        for ride in rides
    ]
    return wall_value(rows, times, "One sample on its way from noise to picture, a row for every schedule.", False)


def speed_figure(result: SchedulesResult) -> dict[str, Any]:
    """Squared speed over time: the area under a curve is its energy."""
    curves = [
        curve(f"{ride.label} {ride.energy:.3g}", schedule_style(ride.name), ride.t, ride.speed) for ride in result.rides
    ]
    moderate = [ride.energy for ride in result.rides if ride.name not in IN_NOISE]
    top = _OUT_OF_FRAME * max(moderate or [min(ride.energy for ride in result.rides)]) or 1.0
    outside = [ride.label for ride in result.rides if ride.speed.max() > top]
    y = {"title": {"text": "squared speed E|v|² / d"}, "range": [0, top]}
    said = "Squared speed over time. Energies: " + "; ".join(f"{r.label} {r.energy:.3g}" for r in result.rides) + "."
    if outside:
        said += f" {', '.join(outside)} leave the frame."
    figure = line_figure(curves, dict(_TIME), y, said)
    return figure


def steps_figure(result: SchedulesResult) -> dict[str, Any] | None:
    """Distance from the exact end against the number of steps; None before any is known."""
    curves = []
    for ride in result.rides:
        if ride.errors and ride.name != "ot":
            steps = [n for n in STEPS if n in ride.errors]
            line = curve(
                ride.label, schedule_style(ride.name), steps, [max(ride.errors[n], _LEAST_ERROR) for n in steps]
            )
            line["marker"]["size"] = 8
            curves.append(line)
    if not curves:
        return None
    tops = [max(c["y"]) for c in curves]
    low = min(min(c["y"]) for c in curves)
    high = min(max(tops), 3.0)
    x = {"title": {"text": "number of steps"}, "type": "log", "tickvals": list(STEPS), "ticktext": list(STEPS)}
    y = {
        "title": {"text": "distance from the exact end, sd"},
        "type": "log",
        "range": [np.log10(0.7 * low), np.log10(1.4 * high)],
        **_ticks(0.7 * low, 1.4 * high),
    }
    best = min((r for r in result.rides if r.errors and r.name != "ot"), key=lambda r: r.errors[max(r.errors)])
    said = f"Distance from the exact end over the number of steps, 2 to 64; at most steps {best.label} is nearest."
    figure = line_figure(curves, x, y, said)
    figure["layout"]["annotations"] = _line_of_transport(result)
    return figure


def _ticks(low: float, high: float) -> dict[str, Any]:
    """Of a logarithmic axis, as plain numbers: powers of ten, and 2 and 5 of them where the axis is short."""
    between = (1, 2, 5) if high < 50 * low else (1,)
    exponents = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    values = [k * 10.0**n for n in exponents for k in between if low <= k * 10.0**n <= high]
    return {"tickvals": values, "ticktext": [f"{value:.6f}".rstrip("0").rstrip(".") for value in values]}


def _line_of_transport(result: SchedulesResult) -> list[dict[str, Any]]:
    if result.ride("ot") is None:
        return []
    text = f"{SCHEDULES['ot']}: 0 at any number of steps"
    place = {"xref": "paper", "yref": "paper", "x": 0.01, "y": 0.01, "xanchor": "left", "yanchor": "bottom"}
    return [place | {"text": text, "showarrow": False, "font": {"size": 12, "color": MUTED}}]
