"""Adaptive and matrix stiffness as named, typed endpoints: for gradio_client, curl and, where on, MCP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from gensot_demo.experiments.navigation.adaptive import AdaptiveRequest, AdaptiveResult, refinement
from gensot_demo.experiments.navigation.directions import TIMES, DirectionsRequest, Tuning, picture, tuned_corridor
from gensot_demo.experiments.navigation.tuned_links import from_query, to_query

from . import named


def adaptive_stiffness_endpoint(query: str) -> Iterator[dict[str, Any]]:
    """How far a protocol's few steps lead from the exact process, and the best protocols of 1, 2, 4 and 8 pieces.
    Streams {"done", "seconds"}, then the numbers.

    Args:
        query: the settings as in a shared link of the page, for example
            "target=ring&steps=8&temperature=0.002&pulls=5,60,20,3" (stiffness times temperature of each piece).

    Returns:
        query, notes, seconds, and candidates: by name label, stiffness (of each piece; null for the floor of any
        schedule), temperature, levels (information at each step), divergence (nats) and, over t, information,
        order_parameter and velocity_gradient, with step_times and speciation (a time).
    """
    request, notes = from_query(AdaptiveRequest, query)
    for moment in refinement(request):
        if moment.pieces:
            yield {"done": moment.done, "seconds": moment.seconds}
    plain = {"query": to_query(request), "notes": notes, "seconds": moment.seconds}
    yield {**plain, "candidates": _candidates(moment.result)}


def _candidates(result: AdaptiveResult) -> dict[str, Any]:
    return {
        one.name: {
            "label": one.label,
            "stiffness": None if one.stiffness is None else one.stiffness.tolist(),
            "temperature": one.temperature,
            "levels": one.levels.tolist(),
            "divergence": one.divergence,
            **({} if one.name not in result.motions else _lists(asdict(result.motions[one.name]))),
        }
        for one in result.candidates
    }


def matrix_stiffness_endpoint(query: str, tune: bool = False) -> Iterator[dict[str, Any]]:
    """A corridor that is tight across and loose along: where a process goes in it, in closed form.

    Args:
        query: the settings as in a shared link of the page, for example "along=1&across=100&drift=rotation&starts=4".
        tune: whether the guide and the stiffness across are tuned too, some seconds; streams {"iterations", "loss"}.

    Returns:
        query, notes, t, centre (of the corridor), along and across (half-widths of the tube), off (distance of the
        mean from the centre line), ways: for each start its mean, covariance, mode_means and mode_covariances over t,
        and ends; and, if asked for, tuned: first and now (loss, distance, paid, iterations), times, offsets, across.
    """
    request, notes = from_query(DirectionsRequest, query)
    found, tuned = picture(request), None
    for tuned in tuned_corridor(request) if tune else ():
        yield {"iterations": tuned.now.iterations, "loss": tuned.now.loss}
    ways = [_lists(asdict(way)) for way in found.ways]
    numbers = {name: getattr(found, name).tolist() for name in ("centre", "along", "across", "off")}
    answer = {"query": to_query(request), "notes": notes, "t": TIMES.tolist(), **numbers, "ways": ways}
    yield answer if tuned is None else {**answer, "tuned": _tuned(tuned)}


def _tuned(moment: Tuning) -> dict[str, Any]:
    told = {
        name: {key: getattr(one, key) for key in ("loss", "distance", "paid", "iterations")}
        for name, one in (("first", moment.first), ("now", moment.now))
    }
    return told | {name: getattr(moment, name).tolist() for name in ("times", "offsets", "across", "mean", "guide")}


def _lists(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value.tolist() if hasattr(value, "tolist") else value for name, value in fields.items()}


def publish_adaptive() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(adaptive_stiffness_endpoint, "adaptive_stiffness", "heavy")


def publish_directions() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(matrix_stiffness_endpoint, "matrix_stiffness", "heavy")
