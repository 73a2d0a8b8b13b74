"""Cells as a named, typed endpoint: for gradio_client, curl and, where on, MCP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gensot_demo.experiments.static_ot.cells import solve
from gensot_demo.experiments.static_ot.cells_decay import decays
from gensot_demo.experiments.static_ot.cells_links import from_query, to_query
from gensot_demo.experiments.static_ot.cells_told import of_decays, of_result
from gensot_demo.transport.static_ot.cell_rows import COARSE, HALF_WIDTH

from . import named


def transport_cells_endpoint(query: str, with_decays: bool = False) -> Iterator[dict[str, Any]]:
    """Noise sent to points of the plane by optimal transport and by the exact diffusion flow, and what differs. Streams
    {"done", "seconds"} where the decays are asked for, then all.

    Args:
        query: the settings as in a shared link of the page, for example "data=random&count=20&seed=3&time=0.5", or
            points of your own, "data=drawn&points=-1,0;1,0.5;2,1".
        with_decays: also how the errors fall with T; some seconds.

    Returns:
        query, notes, verdict (sentences), label, points (centred, variance 1 per coordinate), heights of Brenier's map,
        w2_squared (exact), cost of the flow, share_elsewhere, masses of the flow's cells, mass_error and mass_accuracy,
        grid_error; prior_error with its bounds lowest and highest; half_width of the square of noise and the
        indices of points on it, brenier and flow, row by row from below.  decays, if asked for: times and, by name,
        values and rate.
    """
    request, notes = from_query(query)
    result = solve(request)
    every = len(result.axis) // COARSE
    found: dict[str, Any] = {
        "query": to_query(request),
        "notes": notes,
        "verdict": of_result(result),
        "label": result.label,
        "points": result.points.tolist(),
        "heights": result.heights.tolist(),
        "w2_squared": result.w2,
        "cost": result.cost,
        "share_elsewhere": result.difference.share,
        "masses": result.flow.masses.tolist(),
        "mass_error": result.mass_error,
        "mass_accuracy": result.accuracy,
        "grid_error": result.worst,
        "prior_error": {
            "value": result.prior.value,
            "lowest": result.prior.lowest,
            "highest": result.prior.highest,
        },
        "half_width": HALF_WIDTH,
        "brenier": result.brenier.labels[::every, ::every].tolist(),
        "flow": result.flow.labels[::every, ::every].tolist(),
    }
    if with_decays:
        for last in decays(request):
            if last.done < 1:
                yield {"done": last.done, "seconds": last.seconds}
        found["verdict"] += of_decays(last)
        found["decays"] = {"times": last.times.tolist()} | {
            one.name: {"values": [None if value != value else value for value in one.values.tolist()], "rate": one.rate}
            for one in last.curves
        }
    yield found


def publish() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(transport_cells_endpoint, "transport_cells", "heavy")
