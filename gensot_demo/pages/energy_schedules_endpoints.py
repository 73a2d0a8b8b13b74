"""A comparison of schedules as a named, typed endpoint: for gradio_client, curl and, where on, MCP."""

from __future__ import annotations

from typing import Any

import gradio as gr

from gensot_demo.experiments import limits
from gensot_demo.experiments.energy.schedules_cloud import compare
from gensot_demo.experiments.energy.schedules_request import from_query, to_query
from gensot_demo.experiments.energy.schedules_told import of_ends, of_speed, of_steps
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.runs import RunStore, kept_or_made

KEPT = RunStore(8, 40, size=lambda _: 1_000_000, button="Run")
"""The latest runs of all visitors, by request."""


def schedules_endpoint(query: str) -> dict[str, Any]:
    """Compare schedules on the same data: speed, kinetic energy, where they end, and what few steps cost.

    Args:
        query: the settings as in a shared link of the page, for example "separation=1.2&schedules=cosine,condot,ot",
            "data=plane&target=ring&solver=heun" or "schedules=drawn&knots=0.25,0.9;0.5,0.5;0.75,0.1".

    Returns:
        query, notes, verdict (sentences), dimension, seconds, and for each schedule its label, energy with standard
        error, the interval of time over which it counts, floor (W2^2 / d between its ends), ends_part_by (largest
        distance from the shared end), errors (by number of steps), times and squared speeds.
    """
    try:
        request, notes = from_query(query)
        *_, result = kept_or_made(KEPT, compare, request)
    except InvalidRequest as error:
        raise gr.Error(str(error), print_exception=False) from None
    return {
        "query": to_query(request),
        "notes": [*notes, *result.notes],
        "verdict": [*of_speed(result), *of_ends(result), *of_steps(result)],
        "dimension": result.dimension,
        "seconds": result.seconds,
        "schedules": {
            ride.name: {
                "label": ride.label,
                "energy": ride.energy,
                "energy_error": ride.energy_error,
                "interval": list(ride.interval),
                "floor": ride.floor,
                "ends_part_by": ride.parting,
                "errors": {str(steps): error for steps, error in (ride.errors or {}).items()},
                "t": ride.t.tolist(),
                "speed_squared": ride.speed.tolist(),
            }
            for ride in result.rides
        },
    }


def publish() -> None:
    """Register the endpoint with the Blocks that is being built."""
    gr.api(schedules_endpoint, api_name="schedules", concurrency_id="device", concurrency_limit=limits.RUNS_AT_ONCE)
