"""A comparison of schedules as a named, typed endpoint: for gradio_client, curl and, where on, MCP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gensot_demo.experiments.energy.schedules_cloud import compare
from gensot_demo.experiments.energy.schedules_request import from_query, to_query
from gensot_demo.experiments.energy.schedules_told import of_ends, of_speed, of_steps
from gensot_demo.experiments.runs import RunStore, kept_or_made

from . import named

KEPT = RunStore(8, 40, size=lambda _: 1_000_000, button="Run")
"""The latest runs of all visitors, by request."""


def schedules_endpoint(query: str) -> Iterator[dict[str, Any]]:
    """Compare schedules on the same data: speed, kinetic energy, where they end, and what few steps cost. Streams
    {"doing", "done", "seconds"} where that takes seconds, then the numbers.

    Args:
        query: the settings as in a shared link of the page, for example "separation=1.2&schedules=cosine,condot,ot",
            "data=plane&target=ring&solver=heun" or "schedules=drawn&knots=0.25,0.9;0.5,0.5;0.75,0.1".

    Returns:
        query, notes, verdict (sentences), dimension, seconds, and for each schedule its label, energy with standard
        error, the interval of time over which it counts, floor (W2^2 / d between its ends), ends_part_by (largest
        distance from the shared end), errors (by number of steps), times and squared speeds.
    """
    request, notes = from_query(query)
    told = 0.0
    for result in kept_or_made(KEPT, compare, request):
        if not result.complete and result.done > told:
            told = result.done
            yield {"doing": result.doing, "done": result.done, "seconds": result.seconds}
    yield {
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
    named.publish(schedules_endpoint, "schedules", "heavy")
