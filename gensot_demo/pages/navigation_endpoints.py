"""A protocol's closed form as an endpoint."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from gensot_demo.experiments.navigation.closed_form import SHOWN_TIMES, closed_form
from gensot_demo.experiments.navigation.links import from_query, to_query
from gensot_demo.experiments.navigation.protocol_file import from_json, to_json

from . import named


def protocol_endpoint(query: str = "", protocol: dict | None = None) -> dict[str, Any]:
    """What a protocol of navigation costs and how its process moves, in closed form.

    Args:
        query: the page's link after "?", as in "shape=V&stiffness=5,50&target=three_modes".
        protocol: or an exported protocol: guide (one place for every piece), stiffness, temperature, start, target.

    Returns:
        costs (guiding, kinetic, total in nats; root mean square lag; splitting time; gain of an S), mean and half_width
        at times t, mean and variance at five times, notes, the query and the protocol itself.
    """
    request, notes = (from_json(json.dumps(protocol)), []) if protocol else from_query(query)
    form = closed_form(request)
    shown = [round(100 * t) for t in SHOWN_TIMES]
    return {
        "costs": asdict(form.costs),
        "t": form.t.tolist(),
        "mean": form.mean.tolist(),
        "half_width": form.half_width.tolist(),
        "at": {
            f"{t:g}": {"mean": form.mean[k].tolist(), "variance": float(form.within[k] + form.between[k])}
            for t, k in zip(SHOWN_TIMES, shown, strict=True)
        },
        "notes": [*notes, *form.notes],
        "query": to_query(request)[0],
        "protocol": json.loads(to_json(request)),
    }


def publish() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(protocol_endpoint, "protocol", "light")
