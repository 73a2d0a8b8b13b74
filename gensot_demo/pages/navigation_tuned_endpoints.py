"""Adaptive and matrix stiffness as named, typed endpoints: for gradio_client, curl and, where on, MCP."""

from __future__ import annotations

from typing import Any

import gradio as gr

from gensot_demo.experiments.navigation.adaptive import AdaptiveRequest, judge
from gensot_demo.experiments.navigation.directions import TIMES, DirectionsRequest, picture
from gensot_demo.experiments.navigation.tuned_links import from_query, to_query
from gensot_demo.experiments.requests import InvalidRequest


def adaptive_stiffness_endpoint(query: str) -> dict[str, Any]:
    """How far few steps, equal in time, lead from the exact process under a stiffness in pieces, in closed form.

    Args:
        query: the settings as in a shared link of the page, for example "steps=8&temperature=0.002&pulls=5,60,20,3".

    Returns:
        query, notes, and candidates: by name (none, own, floor) label, divergence in nats, stiffness of each piece
        (null for the floor, which has none), temperature and the levels of information at the steps.
    """
    try:
        request, notes = from_query(AdaptiveRequest, query)
        result = judge(request)
    except InvalidRequest as error:
        raise gr.Error(str(error), print_exception=False) from None
    return {
        "query": to_query(request),
        "notes": notes,
        "candidates": {
            one.name: {
                "label": one.label,
                "divergence": one.divergence,
                "stiffness": None if one.stiffness is None else one.stiffness.tolist(),
                "temperature": one.temperature,
                "levels": one.levels.tolist(),
            }
            for one in result.candidates
        },
    }


def matrix_stiffness_endpoint(query: str) -> dict[str, Any]:
    """How a corridor that is stiff in one direction only carries a process, in closed form.

    Args:
        query: the settings as in a shared link of the page, for example "corridor=arch&across=100&starts=3".

    Returns:
        query, notes, t, along and across (half-width of the tube in the corridor's directions), off (distance of the
        mean from the centre line) and ways: for each starting point its start, mean and covariance at times t.
    """
    try:
        request, notes = from_query(DirectionsRequest, query)
        result = picture(request)
    except InvalidRequest as error:
        raise gr.Error(str(error), print_exception=False) from None
    return {
        "query": to_query(request),
        "notes": notes,
        "t": TIMES.tolist(),
        **{name: getattr(result, name).tolist() for name in ("along", "across", "off")},
        "ways": [
            {name: getattr(way, name).tolist() for name in ("start", "mean", "covariance")} for way in result.ways
        ],
    }


def publish_adaptive() -> None:
    """Register the endpoint with the Blocks that is being built."""
    gr.api(adaptive_stiffness_endpoint, api_name="adaptive_stiffness")


def publish_directions() -> None:
    """Register the endpoint with the Blocks that is being built."""
    gr.api(matrix_stiffness_endpoint, api_name="matrix_stiffness")
