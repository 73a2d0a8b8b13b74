"""Kinetic-optimal paths as a named, typed endpoint: for gradio_client, curl and, where on, MCP."""

from __future__ import annotations

from typing import Any

from gensot_demo.experiments.energy.optimal import explored
from gensot_demo.experiments.energy.optimal_links import from_query, to_query
from gensot_demo.experiments.energy.optimal_told import of_result

from . import named


def kinetic_optimal_endpoint(query: str) -> dict[str, Any]:
    """The cheapest path from noise to some data, what other paths cost, and when the data are decided.

    Args:
        query: the settings as in a shared link of the page, for example "data=random&count=64&dimension=1024",
            "data=drawn&points=-1,0;1,0.5;2,1", or a schedule of your own as knots of time and share of noise,
            "data=ring&schedule=0.3,0.9;0.6,0.4".

    Returns:
        query, notes, verdict (sentences), label, dimension, count (null for a density), seconds; separation: lambda
        with standard_error at signal over noise r; undecided with undecided_error and the theorem's bound; disagreement
        of the paper's equation in radians; paths: for each its energy, error, until (the last time counted), and a, m
        and speed (squared, per coordinate) at times t.
    """
    request, notes = from_query(query)
    result = explored(request)
    s = result.separation
    return {
        "query": to_query(request),
        "notes": notes,
        "verdict": of_result(result),
        "label": result.label,
        "dimension": result.dimension,
        "count": result.count,
        "seconds": result.seconds,
        "separation": {"r": s.r.tolist(), "lambda": s.value.tolist(), "standard_error": s.standard_error.tolist()},
        "undecided": result.undecided,
        "undecided_error": result.undecided_error,
        "bound": result.bound,
        "disagreement": result.disagreement,
        "paths": {
            path.name: {
                "energy": path.energy,
                "error": path.error,
                "until": path.until,
                **{name: getattr(path, name).tolist() for name in ("t", "a", "m", "speed")},
            }
            for path in result.paths
        },
    }


def publish() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(kinetic_optimal_endpoint, "kinetic_optimal", "light")
