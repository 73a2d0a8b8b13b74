"""A finished grid as plain numbers and texts: what the API and the command line hand out."""

from __future__ import annotations

from typing import Any

from gensot_demo.experiments import links

from .joined import Cell
from .request import PLACES, GridRequest, to_query
from .run import GridResult


def numbers(result: GridResult) -> dict[str, Any]:
    """query, notes, axes (name, label, values), seconds, and cells, x fastest: where each is, its own query for
    Compare, costs per sample, success, nearest known pictures, or the reason why it has no pictures."""
    request = result.request
    query, notes = to_query(request)
    named = zip(PLACES, (request.x, request.y, request.z), strict=True)
    return {
        "query": query,
        "notes": notes,
        "axes": {
            place: {"name": choice.name, "label": choice.axis.label, "values": list(choice.values)}
            for place, choice in named
            if choice is not None
        },
        "seconds": result.seconds,
        "failed": sum(cell.pictures is None for cell in result.cells),
        "cells": [{**_where(request, n), **_plain(cell)} for n, cell in enumerate(result.cells)],
    }


def _where(request: GridRequest, number: int) -> dict[str, Any]:
    """The value of each axis in one cell."""
    along = dict(zip(("z", "y", "x"), request.place(number), strict=True))
    named = zip(PLACES, (request.x, request.y, request.z), strict=True)
    return {place: choice.values[along[place]] for place, choice in named if choice is not None}


def _plain(cell: Cell) -> dict[str, Any]:
    return {
        "query": links.to_query(cell.request)[0],
        "reason": cell.reason or None,
        "calls": cell.calls,
        "backwards": cell.backwards,
        "seconds": cell.seconds,
        "ess": cell.ess,
        "nearest": list(cell.nearest),
        "success": [
            {"label": one.label, "unit": one.unit, "value": one.value, "error": one.error} for one in cell.success
        ],
    }
