"""Figures of "Learn a guide" and "Experts": the plane, what it costs, tuning, descent. Layout only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensot_demo.experiments.navigation.experts import ExpertsResult
from gensot_demo.experiments.navigation.passage import Density, Passage
from gensot_demo.experiments.navigation.simulated import DescentMoment
from gensot_demo.experiments.navigation.teacher import TeacherResult, TuningMoment
from gensot_demo.transport.navigation.learning import Cost

from .curves import LEGEND_BELOW, curve, line_figure
from .method_style import MethodStyle
from .palette import DATA, INK, MUTED, faded

_TEACHER = MethodStyle(INK, "dash", "square")
_LEARNT = MethodStyle(DATA[0], "solid", "circle")
_NAIVE = MethodStyle(DATA[7], "dot", "x")
_GUIDE = MethodStyle(DATA[1], "solid", "diamond")
_EXPERTS = (
    MethodStyle(DATA[3], "dash", "square"),
    MethodStyle(DATA[2], "dashdot", "diamond"),
    MethodStyle(DATA[4], "longdash", "triangle-up"),
    MethodStyle(DATA[6], "dot", "cross"),
)
_SEEN = 0.08  # of its top: where a density's colour begins
_PARTS = (
    ("following", "straying from the teacher", DATA[0], ""),
    ("penalty", "penalty on the guide", DATA[1], "x"),
    ("spread", "spread (floor)", DATA[7], "/"),
    ("disagreement", "disagreement (floor)", DATA[3], "."),
)


def teacher_plane(result: TeacherResult) -> dict[str, Any]:
    """Teacher, learnt guide, the process's mean with its tube, and the target."""
    data = [
        _density(result.density, DATA[7], "target"),
        _tube(result.learnt),
        curve("mean before", _NAIVE, *result.naive.mean.T),
        curve("teacher", _TEACHER, *result.teacher.T),
        curve("mean after", _LEARNT, *result.learnt.mean.T),
        _guide(result.learnt, "learnt guide"),
        _start(),
    ]
    return _plane(
        data,
        f"The way from the origin to {result.target.label}. The learnt guide swings {result.swing:.2f} times "
        f"as far out as the teacher; the process's mean strays {result.stray(result.after):.2f} from it, "
        f"{result.stray(result.before):.2f} with the teacher as its guide.",
        [result.teacher, result.learnt.mean, _corners(result.density)],
    )


def sideways_figure(result: TeacherResult) -> dict[str, Any]:
    """How far to the left of the straight way teacher, guide and mean are, over time."""
    t, side, knots = result.learnt.t, result.sideways, result.learnt.knots
    guide = curve("learnt guide", _GUIDE, knots, np.append(side.guide, side.guide[-1]))
    guide["mode"], guide["line"] = "lines", guide["line"] | {"shape": "hv", "width": 1.5}
    data = [
        guide,
        curve("mean before", _NAIVE, t, side.naive),
        curve("teacher", _TEACHER, t, side.teacher),
        curve("mean after", _LEARNT, t, side.learnt),
    ]
    said = f"The guide reaches {abs(side.guide).max():.2f} to a side, the teacher {abs(side.teacher).max():.2f}."
    return line_figure(data, _time_axis(), {"title": {"text": "to the left, data units"}}, said)


def experts_plane(result: ExpertsResult) -> dict[str, Any]:
    """Every expert's teacher and belief, the consensus guide, the mean with its tube, and the fused law."""
    data = [_density(result.density, DATA[0], "fused law")]
    trusts = result.request.trusts
    for number, (belief, k) in enumerate(zip(result.beliefs, trusts, strict=True)):
        if k:
            data.append(_outline(belief, _EXPERTS[number]))
    data.append(_tube(result.learnt))
    for number, (teacher, k) in enumerate(zip(result.teachers, trusts, strict=True)):
        label = f"expert {number + 1}, trust {k}"
        data.append(curve(label, _EXPERTS[number], *teacher.T) | {"opacity": 1.0 if k else 0.35})
    data += [
        curve("mean of process", _LEARNT, *result.learnt.mean.T),
        _guide(result.learnt, "guide"),
        _start(),
    ]
    x, y = (float(v) for v in result.fused.mean())
    named = ", ".join(map(str, trusts))
    said = f"{len(trusts)} experts with trusts {named}: the fused law has mean ({x:.2f}, {y:.2f})."
    beliefs = [_corners(belief) for belief, k in zip(result.beliefs, trusts, strict=True) if k]
    ways = result.teachers.reshape(-1, 2)
    return _plane(data, said, [ways, result.learnt.guide, _corners(result.density), *beliefs])


def cost_bars(rows: Sequence[tuple[str, Cost]], unit: str) -> dict[str, Any]:
    """What each guide costs, part by part, one bar for each row; the first row stands on top."""
    names = [name for name, _ in rows][::-1]
    data = []
    for part, label, colour, pattern in _PARTS:
        values = [getattr(cost, part) for _, cost in rows][::-1]
        if max(values) <= 0:
            continue
        data.append(
            {
                "type": "bar", "orientation": "h", "name": label, "x": values, "y": names,
                "marker": {"color": colour, "pattern": {"shape": pattern, "solidity": 0.25}},
                "hovertemplate": "%{x:.3f}<extra>" + label + "</extra>",
            }
        )  # fmt: skip
    totals = [
        {"x": cost.total, "y": name, "text": f"{cost.total:.3f}", "showarrow": False, "xanchor": "left", "xshift": 6}
        for name, cost in rows
    ]
    most = max(cost.total for _, cost in rows)
    layout = {
        "barmode": "stack",
        "xaxis": {"title": {"text": unit}, "range": [0, 1.3 * most]},
        "yaxis": {"automargin": True},
        "annotations": totals,
        "legend": {**LEGEND_BELOW, "traceorder": "normal"},
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "meta": {"description": "; ".join(f"{name}: {c.total:.3f}, floor {c.floor:.3f}" for name, c in rows) + "."},
    }
    return {"data": data, "layout": layout}


def profile_figure(moment: TuningMoment) -> dict[str, Any]:
    """The stiffness of each piece, or how far along the teacher the guide is at each time."""
    knots = moment.passage.knots
    if moment.what == "stiffness":
        even = float(moment.profile @ np.diff(knots))
        y = np.append(moment.profile, moment.profile[-1])
        tuned = curve("tuned", _LEARNT, knots, np.maximum(y, 1e-3)) | {"mode": "lines"}
        tuned["line"] |= {"shape": "hv"}
        before = curve("even", _NAIVE, [0, 1], [even, even])
        axis = {"title": {"text": "stiffness β"}, "type": "log"}
        said = f"Stiffness over time, from {moment.profile.min():.2g} to {moment.profile.max():.3g}; even, {even:.3g}."
    else:
        tuned = curve("tuned", _LEARNT, knots, np.concatenate([[0], moment.profile]))
        before = curve("even", _NAIVE, [0, 1], [0, 1])
        axis = {"title": {"text": "share of the teacher's way"}, "range": [0, 1.02]}
        said = "How much of the teacher's way lies behind the guide, over time."
    return line_figure([before, tuned], _time_axis(), axis, said)


def objective_figure(moment: TuningMoment) -> dict[str, Any]:
    """The objective over the steps of tuning."""
    unit = "½ mean squared distance" if moment.what == "stiffness" else "optimal cost, nats"
    line = curve("objective", _LEARNT, np.arange(len(moment.objectives)), moment.objectives)
    x = {"title": {"text": "step"}, "range": [0, moment.steps]}
    first, last = moment.objectives[0], moment.objectives[-1]
    figure = line_figure([line], x, {"title": {"text": unit}}, f"From {first:.3g} to {last:.3g}.")
    figure["layout"]["showlegend"] = False
    return figure


def descent_figure(moments: Sequence[DescentMoment], result: ExpertsResult) -> dict[str, Any]:
    """The objective over seconds: simulation and Adam against the linear solve."""
    seconds = np.maximum([one.seconds for one in moments], 1e-4)
    exact = np.array([one.exact for one in moments]) + result.constant
    ensemble = np.array([one.simulated for one in moments]) + result.constant
    latest = max(float(seconds[-1]), 1.0)
    data = [
        curve("Adam, as its ensemble sees it", _NAIVE, seconds[1:], ensemble[1:]),
        curve("Adam, exact cost", MethodStyle(DATA[1], "solid", "square"), seconds[1:], exact[1:]),
        {
            "type": "scatter", "mode": "lines", "name": f"exact optimum {result.optimum:.3f}",
            "x": [1e-3, latest * 1.3], "y": [result.optimum] * 2,
            "line": {"color": MUTED, "dash": "dash", "width": 1.5},
        },
        {
            "type": "scatter", "mode": "markers", "name": f"linear solve, {1000 * result.seconds:.0f} ms",
            "x": [result.seconds], "y": [result.optimum],
            "marker": {"color": DATA[0], "symbol": "star", "size": 14},
        },
    ]  # fmt: skip
    x = {"title": {"text": "seconds"}, "type": "log", "range": [-2.5, float(np.log10(latest * 1.3))], "dtick": 1}
    y = {"title": {"text": "objective J"}}
    last = moments[-1]
    reached = last.exact + result.constant
    said = f"After {last.seconds:.1f} s Adam is at {reached:.3f}; the optimum is {result.optimum:.3f}."
    return line_figure(data, x, y, said)


# --- parts -----------------------------------------------------------------------------------------------------------


def _time_axis() -> dict[str, Any]:
    return {"title": {"text": "time t"}, "range": [0, 1]}


def _plane(data: list[dict], description: str, framed: Sequence[NDArray]) -> dict[str, Any]:
    """A figure with one scale for both axes that shows all of ``framed``, places (n, 2) each."""
    places = np.concatenate(framed)
    low, high = places.min(0), places.max(0)
    room = 0.06 * float((high - low).max())
    axis = {"zeroline": False}
    figure = line_figure(
        data, axis | {"title": {"text": "x, data units"}}, axis | {"title": {"text": "y, data units"}}, description
    )
    for name, n in (("xaxis", 0), ("yaxis", 1)):
        figure["layout"][name] |= {"range": [float(low[n]) - room, float(high[n]) + room]}
    figure["layout"]["yaxis"] |= {"scaleanchor": "x", "scaleratio": 1}
    return figure


def _density(density: Density, colour: str, name: str) -> dict[str, Any]:
    top = float(density.values.max())
    return {
        "type": "contour",
        "name": name,
        "showlegend": True,
        "showscale": False,
        "x": density.x.astype(np.float32),
        "y": density.y.astype(np.float32),
        "z": density.values.astype(np.float32),
        "contours": {"start": _SEEN * top, "end": top, "size": 0.15 * top},
        "zmin": 0,
        "zmax": top,
        "colorscale": [
            [0, faded(colour, 0)],
            [0.08, faded(colour, 0)],
            [0.09, faded(colour, 0.16)],
            [1, faded(colour, 0.6)],
        ],
        "line": {"width": 0},
        "hoverinfo": "skip",
    }


def _corners(density: Density) -> NDArray:
    """Lower left and upper right of where a law is seen."""
    seen = density.values >= _SEEN * density.values.max()
    x, y = density.x[seen.any(0)], density.y[seen.any(1)]
    return np.array([[x[0], y[0]], [x[-1], y[-1]]])


def _outline(density: Density, style: MethodStyle) -> dict[str, Any]:
    """The line where a belief falls to a fifth of its top; the legend has its expert's way."""
    level = 0.2 * float(density.values.max())
    return {
        "type": "contour",
        "showlegend": False,
        "showscale": False,
        "x": density.x.astype(np.float32),
        "y": density.y.astype(np.float32),
        "z": density.values.astype(np.float32),
        "contours": {"start": level, "end": level, "size": 1, "coloring": "none"},
        "line": {"color": style.colour, "dash": style.dash, "width": 1},
        "hoverinfo": "skip",
    }


def _tube(passage: Passage) -> dict[str, Any]:
    """One standard deviation to both sides of the mean, without the target's own width."""
    left, right = _sides(passage.mean, passage.half_width)
    outline = np.concatenate([left, right[::-1]]).astype(np.float32)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "tube (± one sd)",
        "x": outline[:, 0],
        "y": outline[:, 1],
        "fill": "toself",
        "fillcolor": faded(DATA[0], 0.14),
        "line": {"width": 0, "color": DATA[0]},
        "hoverinfo": "skip",
    }


def _sides(mean: NDArray, width: NDArray) -> tuple[NDArray, NDArray]:
    along = np.gradient(mean, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12)
    across = np.stack([-along[:, 1], along[:, 0]], 1) * width[:, None]
    return mean + across, mean - across


def _guide(passage: Passage, name: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "x": passage.guide[:, 0].astype(np.float32),
        "y": passage.guide[:, 1].astype(np.float32),
        "line": {"color": faded(DATA[1], 0.55), "width": 1},
        "marker": {"color": DATA[1], "symbol": "diamond", "size": 6},
    }


def _start() -> dict[str, Any]:
    marker = {"color": INK, "symbol": "circle-open", "size": 11, "line": {"width": 2}}
    return {"type": "scatter", "mode": "markers", "name": "start", "x": [0], "y": [0], "marker": marker}
