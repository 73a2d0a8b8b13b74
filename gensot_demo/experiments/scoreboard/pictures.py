"""The Scoreboard's rows on models of pictures: frequencies against the exact law, or a judge where none is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from gensot_demo.backbones.base import Backbone
from gensot_demo.experiments.asking import Asked, ask_for, backbone_of
from gensot_demo.experiments.drawing import Cost, draw, mean_cost
from gensot_demo.experiments.measuring import measure
from gensot_demo.experiments.needs import Needs, needs
from gensot_demo.experiments.requests import CompareRequest, InvalidRequest

from .rows import Row
from .tasks import ScoreTask, Variant

Judging = Callable[[Tensor, CompareRequest], dict[str, Any]]  # pixels (n, 3, res, res) of a method's draws: Row fields


def picture_rows(
    task: ScoreTask,
    level: float,
    group: Sequence[Variant],
    steps: int,
    draws: int,
    budget: str,
    judging: Judging | None = None,
) -> Iterator[Row]:
    """A row for each variant of a group of different methods, drawn together on the same noise."""
    request = task.request(level, tuple(variant.choice for variant in group), steps)
    backbone = backbone_of(request)
    asked = ask_for(request, backbone)
    rows = {
        v.method.name: Row(
            task.backbone, task.name, level, v.method.name, v.method.label, budget, v.setting, v.value, steps
        )
        for v in group
    }
    needed = {v: needs(v.method, asked.task) for v in group}
    able = [v for v, found in needed.items() if isinstance(found, Needs)]
    for variant, found in needed.items():
        if variant not in able:
            yield replace(rows[variant.method.name], failed=found)
    if not able:
        return
    request = request.model_copy(update={"methods": tuple(variant.choice for variant in able)})
    found = (
        _against_the_law(request, draws) if backbone.info.exact else _judged(request, asked, backbone, draws, judging)
    )
    for variant in able:
        row = rows[variant.method.name]
        values = found.get(row.method)
        yield replace(row, **values) if values else replace(row, failed="it did not come to its end.")


def _against_the_law(request: CompareRequest, draws: int) -> dict[str, dict[str, Any]]:
    try:
        *_, last = measure(request, draws)
    except InvalidRequest as error:
        return {choice.name: {"failed": str(error)} for choice in request.methods}
    return {
        name: _spent(last.costs[name], draws) | {
            "statistic": "total variation", "distance": report.distance, "error": report.error,
            "floor": report.floor, "spread": report.floor_spread, "power": report.power,
            "effective": report.effective, "ideal": report.ideal,
        }
        for name, report in last.reports.items()
    }  # fmt: skip


def _judged(
    request: CompareRequest, asked: Asked, backbone: Backbone, draws: int, judging: Judging | None
) -> dict[str, dict[str, Any]]:
    states: dict[str, list[Tensor]] = {}
    costs: dict[str, list[Cost]] = {}
    for _, chunk in draw(request, draws, asked, backbone):
        for name, part in chunk.items():
            states.setdefault(name, []).append(part.states.cpu())
            costs.setdefault(name, []).append(part.cost)
    found = {}
    for name, parts in states.items():
        spent = mean_cost(costs[name], [len(part) for part in parts])
        ends = torch.cat(parts)
        opinion = judging(backbone.pixels(ends), request) if judging else {}
        found[name] = _spent(spent, len(ends)) | opinion | _met(asked, backbone, ends)
    return found


def _met(asked: Asked, backbone: Backbone, ends: Tensor) -> dict[str, Any]:
    done = asked.success(ends, backbone.pictures(ends))
    return {"success": done[0].value, "unit": done[0].unit, "quantity": done[0].label} if done else {}


def _spent(cost: Cost, draws: int) -> dict[str, Any]:
    return {
        "draws": draws, "calls": cost.calls, "backwards": cost.backwards, "seconds": cost.seconds, "ess": cost.ess
    }  # fmt: skip
