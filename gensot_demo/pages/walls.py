"""The walls of the Compare page: samples while they come and when they are there, and the truth."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from gensot_demo.experiments.asking import backbone_of
from gensot_demo.experiments.beside import Difference, differences, truth_beside
from gensot_demo.experiments.compare import CompareResult, Update
from gensot_demo.experiments.links import to_query
from gensot_demo.experiments.picture_settings import settings_text
from gensot_demo.experiments.requests import CompareRequest, InvalidRequest
from gensot_demo.experiments.runs import RUNS
from gensot_demo.figures.method_style import method_style
from gensot_demo.figures.wall import wall_row, wall_value
from gensot_demo.guidance.registry import REGISTRY

from . import report


def _columns(request: CompareRequest) -> list[str]:
    return [f"seed {seed}" for seed in request.seeds]


def _row(request: CompareRequest, name: str, pictures, note: str, captions=(), alternatives=()) -> dict:
    style = method_style(name)
    query = to_query(request)[0]
    label = REGISTRY.get(name).label
    return wall_row(
        name,
        label,
        pictures,
        note=note,
        glyph=style.glyph,
        colour=style.token,
        captions=captions,
        alternatives=alternatives,
        texts=[settings_text(query, method=name, seed=str(seed)) for seed in request.seeds],
    )


def running_wall(request: CompareRequest, moment: Update) -> str:
    """The predicted pictures of a running comparison."""
    rows = [_row(request, name, pictures, "") for name, pictures in moment.pictures.items()]
    title = f"{backbone_of(request).info.label}: what each method predicts now"
    return wall_value(rows, _columns(request), "Predicted pictures while the comparison runs", True, title)


def finished_wall(result: CompareResult, title: str = "") -> str:
    """A row per method, a column per seed; the nearest known picture's name below each."""
    rows = []
    for name, part in result.methods.items():
        captions, alternatives = [], [f"{part.label}, seed {seed}" for seed in result.request.seeds]
        if part.nearest is not None:
            near = "" if result.backbone.info.exact else "≈ "  # a network's picture is none of those it learnt from
            captions = [near + result.backbone.names[i] for i in part.nearest]
            alternatives = [
                f"{said}: nearest emoji {nearest}, {away:.1f} grey levels away"
                for said, nearest, away in zip(alternatives, captions, part.distance, strict=True)
            ]
        rows.append(_row(result.request, name, part.pictures, report.calls_of(part), captions, alternatives))
    return wall_value(rows, _columns(result.request), "Samples: one row per method, one column per seed", True, title)


def beside(wanted: bool, run_name: str) -> Iterator[list[Any]]:
    """Updates of [wall of the truth, its run name, what differs] for the run that is shown."""
    nothing = ["", "", ""]
    try:
        result = RUNS.get(run_name) if wanted and run_name else None
        if result is None or result.request.backbone != "network":
            yield nothing
            return
        for moment in truth_beside(result.request):
            if isinstance(moment, CompareResult):
                wall = finished_wall(moment, "A perfect model: what each method does there")
                yield [wall, RUNS.keep(moment), _differences(differences(result, moment))]
    except InvalidRequest as error:
        yield ["", "", report.status(str(error), kind="error")]


def _differences(found: dict[str, Difference]) -> str:
    """How far the network's samples are from the exact ones, in a sentence per method."""
    lines = "".join(
        f"<li>{escape(d.label)}: {d.same} of {d.samples} samples are nearest to the same picture as the exact one; "
        f"{d.grey_levels:.0f} grey levels apart (root mean square).</li>"
        for d in found.values()
    )
    return (
        '<p class="gensot-law">The perfect model is the network\'s training pictures themselves, so that every '
        "prediction is exact. What is bad there too is the method's fault; what is bad only on the network is the "
        f'network\'s.</p><ul class="gensot-verdict">{lines}</ul>'
    )
