"""Figures of two Gaussians: particles on the ways of both maps, and costs when the target is turned. Layout only."""

from __future__ import annotations

from typing import Any

import numpy as np

from gensot_demo.experiments.static_ot.gaussians import SCHEDULES, GaussiansResult

from .curves import curve, line_figure
from .method_style import MethodStyle
from .palette import DATA, INK, MUTED, faded
from .player import PanelFrames, player_value
from .static_ot_lines import Lines, lines_figure

OPTIMAL, FLOW = MethodStyle(DATA[0], "solid", "circle"), MethodStyle(DATA[1], "dash", "diamond")
_STARTS = ("from the right", "from above", "from the left", "from below")
_MARGIN, _GRID = 0.4, 48
_SOME = slice(6, 126, 3)  # particles whose whole way is drawn: they are in order of distance, the last far out


def ways_value(result: GaussiansResult, autoplay: bool) -> str:
    """The player's value: straight lines of the optimal map, lines of the flow beside them, over the target."""
    start = result.straight[0]
    sector = np.round(np.arctan2(start[:, 1], start[:, 0]) / (np.pi / 2)).astype(int) % 4
    places = np.concatenate([result.straight, result.flown]).reshape(-1, 2)
    reach = float(np.abs(places).max()) + _MARGIN
    schedule = SCHEDULES[result.request.schedule][0]
    panels = [
        PanelFrames("optimal", "Optimal transport", result.straight, sector, f"cost {result.least:.3f}",
                    OPTIMAL.glyph, OPTIMAL.colour),
        PanelFrames("flow", f"Flow matching, {schedule}", result.flown, sector, f"cost {result.cost:.3f}",
                    FLOW.glyph, FLOW.colour),
    ]  # fmt: skip
    description = (
        f"{len(start)} particles from the source to the target, on straight lines by optimal transport and on the "
        "lines of flow matching; colours say on which side of the source they began."
    )
    return player_value(
        result.times, (-reach, reach, -reach, reach), _STARTS, panels, _target(result, reach),
        ("trails", "target"), description, autoplay,
    )  # fmt: skip


def lines_figures(result: GaussiansResult) -> list[dict[str, Any]]:
    """Whole ways of some of the particles: of the optimal map, and of the flow."""
    ways = (
        Lines("Optimal transport", result.straight.swapaxes(0, 1)[_SOME], OPTIMAL, "straight, whatever the ellipses"),
        Lines(
            f"Flow matching, {SCHEDULES[result.request.schedule][0]}", result.flown.swapaxes(0, 1)[_SOME], FLOW,
            "ends as the optimal map" if result.equal else "ends elsewhere in the same cloud",
        ),
    )  # fmt: skip
    reach = float(np.abs(np.concatenate([way.places for way in ways])).max()) + 0.3
    return [lines_figure(way, reach, f"Lines of particles by {way.label}: {way.note}.", height=320) for way in ways]


def _target(result: GaussiansResult, reach: float) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The target's density on a grid; None where it is flat."""
    request = result.request
    if min(request.target_along, request.target_across) < 0.05:
        return None
    axis = np.linspace(-reach, reach, _GRID)
    x, y = np.meshgrid(axis - request.target_x, axis - request.target_y)
    turn = np.radians(request.target_angle)
    along = (x * np.cos(turn) + y * np.sin(turn)) / request.target_along
    across = (y * np.cos(turn) - x * np.sin(turn)) / request.target_across
    return axis, axis, np.exp(-0.5 * (along**2 + across**2))


def turning_figure(result: GaussiansResult) -> dict[str, Any]:
    """Both costs against the angle of the target; where it stands now, and where the maps are equal."""
    request = result.request
    data = [
        curve("flow matching", FLOW, result.angles, result.cost_at),
        curve("optimal transport, W₂²", OPTIMAL, result.angles, result.least_at)
        | {"fill": "tonexty", "fillcolor": faded(FLOW.colour, 0.15)},
        {
            "type": "scatter", "mode": "markers", "name": "now", "x": [request.target_angle] * 2,
            "y": [result.cost, result.least], "cliponaxis": False,
            "marker": {"color": INK, "symbol": [f"{FLOW.marker}-open", f"{OPTIMAL.marker}-open"], "size": 14,
                       "line": {"width": 2.5}},
        },
    ]  # fmt: skip
    x = {"title": {"text": "angle of the target, degrees"}, "range": [0, 180], "dtick": 45}
    y = {"title": {"text": "cost E|Tx − x|²"}, "rangemode": "tozero"}
    most = float((result.cost_at - result.least_at).max())
    said = (
        f"Costs while the target turns: at most {most:.3f} more by flow matching, at {result.worst:.0f} degrees; now "
        f"{result.cost:.3f} against {result.least:.3f} at {request.target_angle:g} degrees."
    )
    figure = line_figure(data, x, y, said)
    if request.source_along != request.source_across and request.target_along != request.target_across:
        aligned = sorted({request.source_angle % 90, request.source_angle % 90 + 90})
        aligned += [180.0] if aligned[0] == 0 else []
        line = {"color": MUTED, "width": 1, "dash": "dot"}
        figure["layout"]["shapes"] = [
            {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1, "line": line} for at in aligned
        ]
    return figure
