"""Adaptive stiffness and matrix stiffness as named, typed endpoints: for gradio_client, curl and MCP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gensot_demo.experiments.navigation.adaptive import AdaptiveRequest, AdaptiveResult, judge, refinement
from gensot_demo.experiments.navigation.adaptive_runs import Simulated, simulate
from gensot_demo.experiments.navigation.directions import (
    TIMES,
    DirectionsRequest,
    cloud,
    picture,
    tuned_corridor,
)
from gensot_demo.experiments.navigation.tuned_links import from_query, to_query

from . import named

_MOST_ITERATIONS = 60


def adaptive_stiffness_endpoint(query: str, refine: bool = False, particles: bool = False) -> Iterator[dict[str, Any]]:
    """Judge a protocol of pieces by how far its steps lead from the exact process. Streams {"doing", "done", "seconds"}
    while it searches or moves particles, then all.

    Args:
        query: the settings as in a shared link of the page, for example "temperature=0.002&pulls=5,60,20,3".
        refine: whether the best protocols of 1, 2, 4 and 8 pieces are searched.
        particles: whether particles are moved under each protocol too.

    Returns:
        query, notes, protocols: for each its name, label, stiffness (one per piece; null for the floor, which is no
        protocol), temperature, levels of information at the steps and divergence (KL in nats); motions: by name the
        speciation time and, at times t, information, order_parameter and velocity_gradient. With particles also
        simulated: by name t, distance (W2 to the target), end with its error, wrong_shares and expected_shares; and
        floor and power of that distance.
    """
    request, notes = from_query(AdaptiveRequest, query)
    if refine:
        share = 0.5 if particles else 1.0
        for moment in refinement(request):
            if moment.pieces:
                doing = f"searching {moment.pieces} pieces"
                yield {"doing": doing, "done": share * moment.done, "seconds": moment.seconds}
    result = judge(request)
    answer = {"query": to_query(request), "notes": notes, **_judged(result)}
    if particles:
        rest = 0.5 if refine else 1.0
        for run in simulate(result):
            if not run.complete:
                done = 1 - rest + rest * run.done
                yield {"doing": "moving particles", "done": done, "seconds": run.seconds}
        answer |= {
            "simulated": {one.candidate.name: _simulated(one) for one in run.runs},
            "floor": run.floor,
            "power": run.power,
        }
    yield answer


def _judged(result: AdaptiveResult) -> dict[str, Any]:
    return {
        "protocols": [
            {
                "name": one.name,
                "label": one.label,
                "stiffness": None if one.stiffness is None else one.stiffness.tolist(),
                "temperature": one.temperature,
                "levels": one.levels.tolist(),
                "divergence": one.divergence,
            }
            for one in result.candidates
        ],
        "motions": {
            name: {
                "speciation": motion.speciation,
                **{
                    part: getattr(motion, part).tolist()
                    for part in ("t", "information", "order_parameter", "velocity_gradient")
                },
            }
            for name, motion in result.motions.items()
        },
    }


def _simulated(one: Simulated) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in ("end", "error", "wrong_shares", "expected_shares")}
    return {"t": one.t.tolist(), "distance": one.distance.tolist(), **plain}


def matrix_stiffness_endpoint(query: str, particles: bool = False, tune: bool = False) -> Iterator[dict[str, Any]]:
    """A corridor that is tight across and loose along, in closed form. Streams {"doing", "done", "seconds"} while it
    tunes, then all.

    Args:
        query: the settings as in a shared link of the page, for example "corridor=straight&drift=rotation&starts=3".
        particles: whether particles are drawn, to be compared with the closed form.
        tune: whether the guide's offsets and the stiffness across are tuned in the corridor task.

    Returns:
        query, notes, centre (of the corridor), times; ways: for each starting point its start, mean and covariance over
        time; along and across (half-widths of the tube), off (distance of the mean from the centre line). With
        particles also drawn: ends, mean_error and covariance_error (largest, in standard errors), expected (the
        largest that exact draws would show). With tune also tuned: loss before and after, offsets, stiffness, guide and
        mean of the best protocol.
    """
    request, notes = from_query(DirectionsRequest, query)
    result = picture(request)
    answer: dict[str, Any] = {
        "query": to_query(request),
        "notes": notes,
        "centre": result.centre.tolist(),
        "times": TIMES.tolist(),
        "ways": [
            {"start": way.start.tolist(), "mean": way.mean.tolist(), "covariance": way.covariance.tolist()}
            for way in result.ways
        ],
        **{name: getattr(result, name).tolist() for name in ("along", "across", "off")},
    }
    if particles:
        drawn = cloud(result)
        plain = {name: getattr(drawn, name) for name in ("mean_error", "covariance_error", "expected")}
        answer["drawn"] = {"ends": drawn.ends.tolist(), **plain}
    if tune:
        for moment in tuned_corridor(request):
            share = 1.0 if moment.now.done else moment.now.iterations / _MOST_ITERATIONS
            yield {"doing": "tuning", "done": share, "seconds": moment.seconds}
        answer["tuned"] = {
            "before": moment.first.loss,
            "after": moment.now.loss,
            "offsets": moment.offsets.tolist(),
            "stiffness": moment.across.tolist(),
            "guide": moment.guide.tolist(),
            "mean": moment.mean.tolist(),
        }
    yield answer


def publish_adaptive() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(adaptive_stiffness_endpoint, "adaptive_stiffness", "heavy")


def publish_directions() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(matrix_stiffness_endpoint, "matrix_stiffness", "heavy")
