"""The speed-accuracy relation as a named, typed endpoint: for gradio_client, curl and, where on, MCP."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from gensot_demo.experiments.energy.robustness import on_line
from gensot_demo.experiments.energy.robustness_links import from_query, to_query
from gensot_demo.experiments.energy.robustness_plane import in_plane
from gensot_demo.transport.speed_accuracy import Relation

from . import energy_robustness_report as words
from . import named


def speed_accuracy_endpoint(query: str, plane: bool = False) -> Iterator[dict[str, Any]]:
    """What a wrong start costs: the response and its bounds for every schedule. With particles it streams {"done",
    "seconds"}, then the numbers.

    Args:
        query: the settings as in a shared link of the page, for example "law=three&start=shift&shift=1".
        plane: whether particles in the plane are coupled too, about two seconds.

    Returns:
        query, notes, verdict (sentences), start_error (D0, null where infinite), floor (W2 squared), and by schedule
        under line, and plane: eta and tightness (null for 0/0 and for an infinite D0), c1, c2, dissipation, worst
        (largest ratio of the two sides over time, at most 1), t and distance (W1). With particles also plane_floor and
        plane_verdict.
    """
    request, notes = from_query(query)
    result = on_line(request)
    answer = {
        "query": to_query(request),
        "notes": notes,
        "verdict": words.of_line(result),
        "start_error": None if math.isinf(result.start_error) else result.start_error,
        "floor": result.floor,
        "line": {name: _numbers(found) for name, found in result.relations.items()},
    }
    if plane:
        for last in in_plane(request):
            if not last.complete:
                yield {"done": last.done, "seconds": last.seconds}
        answer["plane"] = {name: _numbers(found) for name, found in last.relations.items()}
        answer["plane_floor"] = last.floor
        answer["plane_verdict"] = words.of_plane(last)
    yield answer


def _numbers(found: Relation) -> dict[str, Any]:
    plain = {name: getattr(found, name) for name in ("eta", "c1", "c2", "dissipation", "tightness", "worst")}
    if math.isinf(found.start_error):
        plain |= {"eta": None, "tightness": None}
    return {**plain, "t": found.t.tolist(), "distance": found.distance.tolist()}


def publish() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(speed_accuracy_endpoint, "speed_accuracy", "heavy")
