"""Figures of a protocol: the plane with guide, mean and tube, the diagnostics over time, the cloud at five times."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gensot_demo.experiments.navigation.closed_form import SHOWN_TIMES, ClosedForm, extent_of
from gensot_demo.experiments.navigation.cloud import Cloud
from gensot_demo.experiments.plane.scene import Extent, density_of

from .curves import LEGEND_BELOW, curve, line_figure
from .method_style import MethodStyle
from .palette import DATA, INK, MUTED, PAPER, SEQUENTIAL, faded

_MEAN, _GUIDE = MethodStyle(DATA[0], "solid", "circle"), MethodStyle(DATA[1], "dash", "square")
_SUM, _PLAIN = MethodStyle(DATA[7], "dot", "diamond"), MethodStyle(DATA[2], "solid", "triangle-up")
_MARKERS = ("circle", "square", "diamond", "triangle-up", "x", "cross", "star", "pentagon")
_CLOUD = 400  # particles in a snapshot
_TIME = {"title": {"text": "time t"}, "range": [0, 1]}


def plane_figure(form: ClosedForm) -> dict[str, Any]:
    """Target density, guide, mean, tube and the covariance ellipses at five times."""
    extent = extent_of(form)
    data = [
        _target(form, extent),
        _tube(form),
        _line(form.guide, "guide", line={"color": DATA[1], "dash": "dash", "width": 2}),
        _line(form.mean, "mean", line={"color": DATA[0], "width": 3}),
    ]
    for number, places in enumerate(form.ellipses[1:]):
        data.append(
            _line(
                places,
                "covariance at t = ¼, ½, ¾, 1",
                line={"color": INK, "width": 1},
                legendgroup="ellipse",
                showlegend=number == 0,
            )
        )
    data.append(
        {
            "type": "scatter", "mode": "markers+text", "x": form.centres[:, 0], "y": form.centres[:, 1],
            "text": [f"{t:g}" for t in SHOWN_TIMES], "textposition": "top center", "showlegend": False,
            "marker": {"color": INK, "size": 6}, "textfont": {"size": 11, "color": INK}, "hovertemplate": "t = %{text}",
            "cliponaxis": False, "name": "mean at t",
        }
    )  # fmt: skip
    ends = form.mean[-1]
    layout = _square(extent) | {
        "height": 520,
        "legend": dict(LEGEND_BELOW),
        "margin": {"l": 44, "r": 12, "t": 12, "b": 8},
        "meta": {
            "description": f"The plane: guide, mean and tube from ({form.mean[0, 0]:.2f}, {form.mean[0, 1]:.2f}) "
            f"to the target's mean ({ends[0]:.2f}, {ends[1]:.2f}); root mean square lag {form.costs.lag:.3f}."
        },
    }
    layout["xaxis"] |= {"title": {"text": "x, data units"}}
    layout["yaxis"] |= {"title": {"text": "y, data units"}}
    return {"data": data, "layout": layout}


def diagnostic_figures(form: ClosedForm) -> list[dict[str, Any]]:
    """Offset, adherence, cost so far, variance flow, drift effort, order parameter, velocity gradient."""
    t, costs = form.t, form.costs
    kinetic = np.interp(form.t_drift, form.t_cost, form.guiding_so_far)
    return [
        _over_time(
            [("guide", _GUIDE, t, form.guide_across), ("mean", _MEAN, t, form.across)],
            "offset across the way, data units",
            f"Offset of guide and mean from the straight way. Root mean square lag {costs.lag:.3f}.",
        ),
        _over_time(
            [("adherence", _MEAN, form.t_cost, form.adherence)],
            "A(t), nats per time",
            f"Guiding cost per unit of time; {costs.guiding:.2f} nats in all.",
        ),
        _over_time(
            [
                ("guiding", _GUIDE, form.t_cost, form.guiding_so_far),
                ("kinetic", _MEAN, form.t_drift, form.kinetic_so_far),
                ("total", _SUM, form.t_drift, form.kinetic_so_far + kinetic),
            ],
            "cost so far, nats",
            f"Costs so far; in all {costs.guiding:.2f} guiding and {costs.kinetic:.2f} kinetic.",
        ),
        _over_time(
            [
                ("noise on the way", _GUIDE, t, form.within),
                ("the target's spread", _MEAN, t, form.between),
                ("together", _SUM, t, form.within + form.between),
            ],
            "variance tr Cov x, data units²",
            "Variance of the state: noise on the way falls to zero at both ends, the target's spread grows to its own.",
        ),
        _over_time(
            [("drift effort", _MEAN, form.t_drift, form.drift_effort)],
            "E|u|², data units² per time²",
            "Mean square of the drift, up to t = .99.",
        ),
        _with_mark(
            _over_time(
                [("order parameter", _MEAN, t, form.order)],
                "share decided",
                f"Order parameter; the widest direction starts to be decided at t = {costs.splitting:.3f}.",
            ),
            costs.splitting,
        ),
        _over_time(
            [("velocity gradient", _MEAN, t[form.t <= 0.99], form.gradient[form.t <= 0.99])],
            "tr E[∇u], per time",
            "Mean divergence of the drift, up to t = .99: above zero trajectories part.",
        ),
    ]


def snapshot_figures(cloud: Cloud, form: ClosedForm) -> list[dict[str, Any]]:
    """The cloud at each of the five times, on the same axes, with mean and covariance of the closed form."""
    extent = extent_of(form)
    figures = []
    for number, t in enumerate(SHOWN_TIMES):
        data = [
            _tube(form),
            _line(form.mean, "mean", line={"color": DATA[0], "width": 1.5}),
            *_particles(cloud.snapshots[number][:_CLOUD], cloud.destination[:_CLOUD], cloud.result.target.modes),
            _line(form.ellipses[number], "covariance, exact", line={"color": INK, "width": 2}),
        ]
        layout = _square(extent) | {
            "height": 250,
            "showlegend": False,
            "margin": {"l": 26, "r": 6, "t": 28, "b": 24},
            "title": {"text": f"t = {t:g}", "x": 0.5, "font": {"size": 13}},
            "meta": {"description": f"{len(cloud.destination)} particles at t = {t:g}, mean and covariance ellipse."},
        }
        figures.append({"data": data, "layout": layout})
    return figures


def _particles(x: np.ndarray, destination: np.ndarray, modes: tuple[str, ...]) -> list[dict[str, Any]]:
    found = []
    for mode, name in enumerate(modes):
        rows = destination == mode
        marker = {"size": 4, "opacity": 0.55, "color": DATA[mode % len(DATA)], "symbol": _MARKERS[mode % len(_MARKERS)]}
        found.append(
            {
                "type": "scatter", "mode": "markers", "x": np.float32(x[rows, 0]), "y": np.float32(x[rows, 1]),
                "marker": marker, "name": f"to {name}", "hoverinfo": "name",
            }
        )  # fmt: skip
    return found


def _over_time(lines: list[tuple[str, MethodStyle, ArrayLike, ArrayLike]], what: str, told: str) -> dict[str, Any]:
    curves = [curve(name, style, t, values) for name, style, t, values in lines]
    figure = line_figure(curves, dict(_TIME), {"title": {"text": what}}, told)
    figure["layout"]["showlegend"] = len(lines) > 1
    return figure


def _with_mark(figure: dict[str, Any], t: float) -> dict[str, Any]:
    figure["layout"] |= {
        "shapes": [
            {
                "type": "line", "x0": t, "x1": t, "yref": "paper", "y0": 0, "y1": 1,
                "line": {"color": MUTED, "dash": "dot"},
            }
        ],
        "annotations": [
            {
                "x": t, "yref": "paper", "y": 1, "text": f"splits at {t:.2f}", "showarrow": False,
                "xanchor": "right" if t > 0.5 else "left", "yanchor": "top", "font": {"size": 11, "color": MUTED},
            }
        ],
    }  # fmt: skip
    return figure


def _target(form: ClosedForm, extent: Extent) -> dict[str, Any]:
    x, y, z = density_of(form.target, extent, ())
    shades = SEQUENTIAL[:4]
    scale = [[0, faded(PAPER, 0)]] + [[(n + 1) / len(shades), shade] for n, shade in enumerate(shades)]
    return {
        "type": "contour", "x": np.float32(x), "y": np.float32(y), "z": np.float32(z), "colorscale": scale,
        "showscale": False, "hoverinfo": "skip", "opacity": 0.7, "line": {"width": 0}, "name": "target",
        "contours": {"start": 0.05, "end": 1, "size": 0.19, "coloring": "fill"},
    }  # fmt: skip


def _line(places: np.ndarray, name: str, **more: Any) -> dict[str, Any]:
    plain = {"type": "scatter", "mode": "lines", "name": name, "hoverinfo": "name"}
    return plain | {"x": np.float32(places[:, 0]), "y": np.float32(places[:, 1])} | more


def _tube(form: ClosedForm) -> dict[str, Any]:
    """The band of one half-width on both sides of the mean."""
    across = form.half_width[:, None] * _normals(form.mean)
    band = np.concatenate([form.mean + across, (form.mean - across)[::-1]])
    return _line(band, "tube, mean ± s", fill="toself", fillcolor=faded(DATA[0], 0.16), line={"width": 0})


def _normals(places: np.ndarray) -> np.ndarray:
    """Unit vectors across a curve (T, 2); the last direction known where it rests."""
    along = np.gradient(places, axis=0)
    length = np.linalg.norm(along, axis=1)
    unit = np.where(length[:, None] > 1e-9, along / np.maximum(length, 1e-9)[:, None], [1.0, 0.0])
    return np.stack([-unit[:, 1], unit[:, 0]], 1)


def _square(extent: Extent) -> dict[str, Any]:
    x0, x1, y0, y1 = extent
    return {
        "xaxis": {"range": [x0, x1], "zeroline": False, "constrain": "domain"},
        "yaxis": {"range": [y0, y1], "zeroline": False, "scaleanchor": "x", "constrain": "domain"},
    }
