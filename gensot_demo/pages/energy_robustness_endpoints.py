"""The speed-accuracy relation as a named, typed endpoint: for gradio_client, curl and, where on, MCP."""

from __future__ import annotations

import math
from typing import Any

import gradio as gr

from gensot_demo.experiments.energy.robustness import on_line
from gensot_demo.experiments.energy.robustness_links import from_query, to_query
from gensot_demo.experiments.energy.robustness_plane import in_plane
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.speed_accuracy import Relation

from . import energy_robustness_report as words


def speed_accuracy_endpoint(query: str, plane: bool = False) -> dict[str, Any]:
    """What a wrong start costs: the response and its bounds for every schedule.

    Args:
        query: the settings as in a shared link of the page, for example "law=three&start=shift&shift=1".
        plane: whether particles in the plane are coupled too, about two seconds.

    Returns:
        query, notes, verdict (sentences), start_error (D0, null where infinite), floor (W2 squared), and by schedule
        under line, and plane: eta and tightness (null for 0/0 and for an infinite D0), c1, c2, dissipation, worst
        (largest ratio of the two sides over time, at most 1), t and distance (W1).
    """
    try:
        request, notes = from_query(query)
    except InvalidRequest as error:
        raise gr.Error(str(error), print_exception=False) from None
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
        try:
            for moment in in_plane(request):
                last = moment
        except InvalidValue as error:  # a start that no particle meets
            raise gr.Error(str(error), print_exception=False) from None
        answer["plane"] = {name: _numbers(found) for name, found in last.relations.items()}
        answer["plane_floor"] = last.floor
        answer["plane_verdict"] = words.of_plane(last)
    return answer


def _numbers(found: Relation) -> dict[str, Any]:
    plain = {name: getattr(found, name) for name in ("eta", "c1", "c2", "dissipation", "tightness", "worst")}
    if math.isinf(found.start_error):
        plain |= {"eta": None, "tightness": None}
    return {**plain, "t": found.t.tolist(), "distance": found.distance.tolist()}


def publish() -> None:
    """Register the endpoint with the Blocks that is being built."""
    gr.api(speed_accuracy_endpoint, api_name="speed_accuracy")
