"""Figures of sampling that starts later: walls of samples beside what they resemble, and quality against calls."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensot_demo.backbones.embedded import training_pictures
from gensot_demo.experiments.failures.failure import Number
from gensot_demo.experiments.static_ot.later_start import Landings, LaterStart, LaterStartCalls
from gensot_demo.experiments.static_ot.later_start_methods import label_of
from gensot_demo.experiments.static_ot.later_start_quality import Quality, diverged
from gensot_demo.experiments.static_ot.later_start_request import LaterStartRequest

from .curves import curve, line_figure
from .method_style import MethodStyle
from .palette import DATA, MUTED, faded
from .wall import data_address, row_of, wall_item, wall_row, wall_value

STYLES = {
    "ddim": MethodStyle(DATA[4], "dot", "circle"),
    "dpm": MethodStyle(DATA[1], "dashdot", "triangle-up"),
    "heun": MethodStyle(DATA[3], "longdash", "square"),
    "gensot": MethodStyle(DATA[6], "longdashdot", "cross"),
    "jump": MethodStyle(DATA[0], "solid", "diamond"),
    "smoothed": MethodStyle(DATA[2], "dash", "star"),
    "draw": MethodStyle(DATA[7], "dot", "x"),
}
_SPREAD = {"jump": 0.97, "draw": 1.03}  # of the two that should coincide, so that both are seen
_GAP = 3  # white pixels between a sample and what it resembles


def landing_wall(landings: Landings, request: LaterStartRequest) -> str:
    """Where the jump lands: pictures, and the same noised; where smoothed, the averages in a row of their own."""
    rows = []
    for name, states in landings.states.items():
        words = [f"of {n:.1f}" for n in landings.blended] if name == "smoothed" else list(landings.names)
        label = "An average of pictures" if name == "smoothed" else "The picture of the cell"
        pairs = _pairs(landings.targets[name], states)
        said = [f"{label}: {word}; right, noised" for word in words]
        style = STYLES[name]
        rows.append(wall_row(
            name, label, pairs, note="left; right, with its noise", glyph=style.glyph, colour=style.token,
            captions=words, alternatives=said,
        ))  # fmt: skip
    return wall_value(rows, _columns(request), "Where the jump lands, before the model is asked", False)


def samples_wall(run: LaterStart) -> str | None:
    """A row per method; each sample has the training picture most like it on its right, once the run is complete. None
    before anything is there."""
    if not run.rows:
        return None
    rows = [_row(name, row, run) for name, row in run.rows.items()]
    said = "Samples: one row per method, one column per seed; right of each, the nearest training picture"
    return wall_value(rows, _columns(run.request), said if run.complete else "What each method predicts now", False)


def _row(name: str, row, run: LaterStart) -> dict:
    style, calls = STYLES[name], f"{row.calls:g} call{'s' * (row.calls != 1)}"
    plain = {"glyph": style.glyph, "colour": style.token}
    if row.nearest is None:
        blank = np.full_like(row.pictures, 255)
        return wall_row(name, row.label, _pairs(row.pictures, blank), note=f"{calls} so far", **plain)
    known = training_pictures()
    likes = ((known.points[row.nearest].reshape(-1, 3, 32, 32) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    items = []
    for picture, like, index, away, copied in zip(
        row.pictures, likes, row.nearest, row.distance, row.copied, strict=True
    ):
        said = "diverged" if diverged(away) else f"{'copy! ' if copied else ''}{away:.0f} grey levels"
        far = "but the sampler diverged" if diverged(away) else f"{away:.1f} grey levels away"
        about = f"{row.label}: nearest training picture {known.names[index]}, {far}"
        pair = _pairs(picture[None], like[None])[0]
        items.append(wall_item(data_address(pair), said, about + (", a copy" if copied else "")))
    return row_of(name, row.label, items, note=calls, **plain)


def _pairs(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    gap = np.full((len(left), left.shape[1], _GAP, 3), 255, np.uint8)
    return list(np.concatenate([left, gap, right], axis=2))


def _columns(request: LaterStartRequest) -> list[str]:
    return [f"seed {request.seed + k}" for k in range(request.samples)]


def distance_figure(run: LaterStartCalls | None) -> dict[str, Any] | None:
    """Squared kernel distance to the law of the training pictures against calls, with standard errors."""
    y = {"title": {"text": "KID in the judge's features"}, "type": "log", "tickvals": list(_TICKS)}
    y |= {"ticktext": [f"{tick:g}" for tick in _TICKS]}
    return _against_calls(run, lambda q: q.kid, y, "Distance to the law")


def judged_figure(run: LaterStartCalls | None) -> dict[str, Any] | None:
    """Share of samples that the judge takes for what was asked, against calls."""
    what = "any of the classes" if run is None or run.request.label is None else run.request.pictures
    y = {"title": {"text": f"judged to be {what}, %"}, "range": [0, 104]}
    return _against_calls(run, lambda q: q.judged, y, f"Judged to be {what}, per cent")


def copies_figure(run: LaterStartCalls | None) -> dict[str, Any] | None:
    """Share of samples that are copies of training pictures, against calls."""
    y = {"title": {"text": "copies of training pictures, %"}, "range": [-3, 104]}
    return _against_calls(run, lambda q: q.copies, y, "Copies, per cent")


def nearness_figure(run: LaterStartCalls | None) -> dict[str, Any] | None:
    """Mean distance to the nearest training picture, against calls: 0 is a copy."""
    y = {"title": {"text": "to the nearest training picture, grey levels"}, "range": [-2, _FARTHEST]}
    return _against_calls(
        run, lambda q: q.distance, y, "Distance to the nearest training picture, grey levels", _FARTHEST
    )


def _against_calls(
    run: LaterStartCalls | None, read: Callable[[Quality], Number | None], y: dict, what: str, top: float = math.inf
) -> dict[str, Any] | None:
    """``top``: end of the figure; a value beyond it gets a mark there, and is named."""
    if run is None or not any(run.found.values()):
        return None
    budgets, log = run.request.budgets, y.get("type") == "log"
    ends = [budgets[0] * 0.85, budgets[-1] * 1.18]
    data = [
        *_level("never seen by the network", read(run.unseen), ends, "dot", log),
        *_level("exact draws (all copies)", read(run.exact), ends, "dash", log),
    ]
    said = []
    for name, found in run.found.items():
        at = [(calls, read(one)) for calls, one in sorted(found.items()) if read(one) is not None]
        if not at:
            continue
        label, style = label_of(name, run.request), STYLES[name]
        x = [calls * _SPREAD.get(name, 1.0) for calls, _ in at]
        values = np.array([one.value for _, one in at])
        beyond = values > top
        errors = np.array([one.error or 0.0 for _, one in at])
        line = curve(label, style, x, np.maximum(values, _FLOOR) if log else np.where(beyond, np.nan, values))
        line["marker"]["size"] = 9
        line["customdata"] = np.stack([values, errors, [calls for calls, _ in at]], 1).astype(np.float32)
        line["hovertemplate"] = (
            "%{customdata[2]} calls: %{customdata[0]:.3g} ± %{customdata[1]:.2g}<extra>%{fullData.name}</extra>"
        )
        below = np.minimum(errors, np.maximum(values - _FLOOR, 0)) if log else errors
        line["error_y"] = {
            "array": errors.astype(np.float32), "arrayminus": below.astype(np.float32), "symmetric": False,
            "width": 3, "thickness": 1,
        }  # fmt: skip
        data.append(line)
        if beyond.any():
            off = [(place, one.value) for place, (_, one) in zip(x, at, strict=True) if one.value > top]
            data.append(_off_the_figure(label, style, off, top))
        last = "diverged" if top < math.inf and diverged(values[-1]) else f"{values[-1]:.2g}"
        said.append(f"{label} {last} at {at[-1][0]} calls")
    if log:
        y = y | {"range": [math.log10(_FLOOR), math.log10(_highest(data))]}
    x = {"title": {"text": "calls of the model for one sample"}, "type": "log", "tickvals": list(budgets)}
    x |= {"ticktext": [str(calls) for calls in budgets], "range": [math.log10(end) for end in ends]}
    figure = line_figure(data, x, y, f"{what}: {'; '.join(said)}.")
    figure["layout"] |= {"showlegend": False}  # one for all figures stands above them
    return figure


_TICKS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_FARTHEST = 90.0  # grey levels shown: what is farther looks like no picture
_FLOOR = 0.004  # of the axis of distances: an unbiased estimate may fall below 0, and is then drawn here


def _off_the_figure(label: str, style: MethodStyle, off: list[tuple[float, float]], top: float) -> dict[str, Any]:
    """Marks at the upper end for (x, value) beyond it, which say how far or that the sampler diverged."""
    words = ["diverged" if diverged(value) else f"{value:.0f}" for _, value in off]
    return {
        "type": "scatter", "mode": "markers+text", "x": [place for place, _ in off], "y": [top * 0.97] * len(off),
        "text": [f"{style.glyph} {word} ↑" for word in words], "textposition": "bottom center",
        "textfont": {"color": style.colour, "size": 11}, "cliponaxis": False, "name": f"{label}, off the figure",
        "marker": {"color": style.colour, "symbol": "triangle-up-open", "size": 11, "line": {"width": 2}},
        "hovertemplate": [f"{word}, beyond this figure<extra>{label}</extra>" for word in words],
    }  # fmt: skip


def _level(label: str, one: Number | None, ends: list[float], dash: str, log: bool) -> list[dict[str, Any]]:
    """A line across at a known value, with the band of its standard error."""
    if one is None:
        return []
    value, error = one.value, one.error or 0.0
    low, high = (max(end, _FLOOR) if log else end for end in (value - error, value + error))
    band = {
        "type": "scatter", "mode": "lines", "x": [*ends, *ends[::-1]], "y": [low, low, high, high], "fill": "toself",
        "fillcolor": faded(MUTED, 0.14), "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False,
    }  # fmt: skip
    line = {
        "type": "scatter", "mode": "lines", "x": ends, "y": [max(value, _FLOOR) if log else value] * 2, "name": label,
        "line": {"color": MUTED, "dash": dash, "width": 1.5},
        "hovertemplate": f"{value:.3g} ± {error:.2g}<extra>{label}</extra>",
    }  # fmt: skip
    return [band, line]


def _highest(data: list[dict[str, Any]]) -> float:
    tops = [float(np.max(np.asarray(one["y"]) + one.get("error_y", {}).get("array", 0))) for one in data]
    return 1.25 * max(*tops, 10 * _FLOOR)
