"""Figures of the Scoreboard: what closeness costs, and what a judge sees as the strength grows. Layout only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gensot_demo.experiments.scoreboard.rows import Row

from .method_style import method_style
from .palette import MUTED

_HEIGHT = 360
_USUAL = 1.0  # own strength of a method as it is


def _shown(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows by method, in the order of arrival."""
    by_method: dict[str, list[Row]] = {}
    for row in rows:
        by_method.setdefault(row.method, []).append(row)
    return by_method


def _points(rows: list[Row], x: list[float], y: list[float], named: list[str], spread: list[float] | None) -> dict:
    style = method_style(rows[0].method)
    return {
        "type": "scatter",
        "mode": "lines+markers" if len(rows) > 1 else "markers",
        "name": rows[0].label,
        "x": x,
        "y": y,
        "text": named,
        "hovertemplate": "%{text}<extra></extra>",
        "line": {"color": style.colour, "dash": style.dash, "width": 1.5},
        "marker": {"color": style.colour, "symbol": style.marker, "size": 11},
        **({"error_y": {"type": "data", "array": spread, "thickness": 1, "width": 3}} if spread else {}),
    }


def _figure(data: list[dict], x: dict, y: dict, description: str, shapes: list[dict] | None = None) -> dict[str, Any]:
    layout = {
        "xaxis": x,
        "yaxis": y,
        "showlegend": False,  # the table's marks are the legend: a dozen names leave a phone no room for a figure
        "margin": {"l": 60, "r": 12, "t": 12, "b": 52},
        "height": _HEIGHT,
        "shapes": shapes or [],
        "meta": {"description": description},
    }
    return {"data": data, "layout": layout}


def price_figure(rows: Sequence[Row]) -> dict[str, Any] | None:
    """Distance in floors against passes a sample, both logarithmic; a line joins one method's own strengths."""
    valid = [row for row in rows if row.valid]
    if not valid:
        return None
    data = []
    for some in _shown(valid).values():
        some = sorted(some, key=lambda row: row.value or _USUAL)
        named = [f"{row.label}{row.own}: {row.ratio:.2f} times the floor, {row.cost:.0f} passes" for row in some]
        spread = [row.error / row.floor for row in some]
        data.append(_points(some, [row.cost for row in some], [row.ratio for row in some], named, spread))
    wrong = max(row.power / row.floor for row in valid)
    x = _passes(valid)
    marks = [0.5, 1, 2, 5, 10, 20, 50]
    y = {"title": {"text": "distance, in floors"}, "type": "log", "tickvals": marks}
    best = min(valid, key=lambda row: row.ratio)
    return _figure(
        data, x, y,
        f"Distance from the law against cost for {len(valid)} settings. Nearest: {best.label}, {best.ratio:.2f} "
        f"floors. Lower is nearer; 1 is what exact draws score, {wrong:.1f} a deliberately wrong law.",
        [_level(1.0, "dot"), _level(wrong, "dash")],
    )  # fmt: skip


def quality_figure(rows: Sequence[Row]) -> dict[str, Any] | None:
    """Diversity against the judge's accuracy, or KID against cost without a class; a curve per method over strength."""
    judged = [row for row in rows if row.kid is not None]
    if not judged:
        return None
    with_class = all(row.accuracy is not None for row in judged)
    data = []
    for some in _shown(judged).values():
        some = sorted(some, key=lambda row: (row.level, row.value or _USUAL))
        named = [f"{row.label}{row.own} at {row.level:g}: {_said(row)}" for row in some]
        x = [row.accuracy if with_class else row.cost for row in some]
        y = [row.diversity if with_class else row.kid for row in some]
        data.append(_points(some, x, y, named, None if with_class else [row.kid_error for row in some]))
    if with_class:
        x_axis = {"title": {"text": "share that the judge gives the class asked for"}, "range": [-0.03, 1.03]}
        y_axis = {"title": {"text": "diversity (training: 1)"}, "rangemode": "tozero"}
        told = "Diversity against accuracy as the strength grows; up and to the right is better."
    else:
        x_axis = _passes(judged)
        y_axis = {"title": {"text": "KID to exact draws of the law asked for"}}
        told = "KID against cost; lower is nearer to the law asked for."
    return _figure(data, x_axis, y_axis, told)


def _passes(rows: list[Row]) -> dict[str, Any]:
    marks = [n * 10**k for k in range(5) for n in (1, 2, 5)]
    return {"title": {"text": "forward and backward passes a sample"}, "type": "log", "tickvals": marks}


def _said(row: Row) -> str:
    accuracy = "" if row.accuracy is None else f"accuracy {row.accuracy:.2f}, "
    diversity = "" if row.diversity is None else f"diversity {row.diversity:.2f}, "
    return f"{accuracy}KID {row.kid:.3f} ± {row.kid_error:.3f}, {diversity}{row.cost:.0f} passes"


def _level(y: float, dash: str) -> dict[str, Any]:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y,
        "line": {"color": MUTED, "dash": dash, "width": 1},
    }  # fmt: skip
