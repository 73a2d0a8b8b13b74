"""A grid of settings as a named, typed endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gensot_demo.experiments import links
from gensot_demo.experiments.grid.numbers import numbers
from gensot_demo.experiments.grid.request import from_query
from gensot_demo.experiments.grid.run import GridResult, estimate, run_grid
from gensot_demo.experiments.picture_settings import settings_text
from gensot_demo.experiments.runs import RunStore, kept_or_made
from gensot_demo.figures.sheet import tiled
from gensot_demo.figures.wall import data_address

from . import named

GRIDS = RunStore(12, 80, size=lambda result: result.nbytes, button="Make the grid")
"""The latest runs of all visitors, by request."""


def grid_endpoint(query: str) -> Iterator[dict[str, Any]]:
    """Vary one to three settings and make every combination with the same noise. Streams {"estimate", "calls"}, then
    {"done": share, "seconds": s, "cells": how many have ended}, then the result.

    Args:
        query: the settings that all cells share as in a link of /compare, with x, y and z as axis:values, for example
            "condition=hearts&backbone=network&steps=15&samples=1&method=cfg&x=strength:1,2,4&y=method:cfg,gensot".
            Axes: method, strength, steps, view_noise, trust, condition, follow, seed, sampler, path, backbone,
            resolution, restore_noise, reward_amount, and every method's settings, such as stiffness or cfg.rescale.
            Values: "1,2,4", "1-10", "1-10 (+2)", "0-1 [5]", names. 1 to 4 samples in a cell.

    Returns:
        query, notes, axes (name, label, values), seconds, failed (how many cells) and cells, x fastest: values along
            x, y and z, query (for /compare), picture (a data: address with all samples, whose file holds the query),
            calls, backwards, seconds, success, nearest known pictures, or reason where there is no picture.
    """
    request, notes = from_query(query)
    cost = estimate(request)
    yield {"estimate": cost.sentence, "calls": cost.calls}
    ended = 0
    for moment in kept_or_made(GRIDS, run_grid, request):
        if isinstance(moment, GridResult):
            yield plain(moment, notes)
        else:
            ended += len(moment.cells)
            yield {"done": moment.done, "seconds": moment.seconds, "cells": ended}


def plain(result: GridResult, notes: Sequence[str] = ()) -> dict[str, Any]:
    """All numbers and pictures of a grid; its notes after those of the link."""
    out = numbers(result)
    for told, cell in zip(out["cells"], result.cells, strict=True):
        text = settings_text(links.to_query(cell.request)[0])
        told["picture"] = None if cell.pictures is None else data_address(tiled(cell.pictures), text)
    return {**out, "notes": [*notes, *out["notes"]]}


def publish() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(grid_endpoint, "grid", "heavy")
