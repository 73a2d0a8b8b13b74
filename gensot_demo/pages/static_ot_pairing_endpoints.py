"""Flows trained on pairings as a named, typed endpoint: for gradio_client, curl and, where on, MCP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gensot_demo.experiments.runs import RunStore, kept_or_made
from gensot_demo.experiments.static_ot.pairing import CALLS, run_pairing
from gensot_demo.experiments.static_ot.pairing_request import SIZES, from_query, to_query
from gensot_demo.experiments.static_ot.pairing_told import of_flows, of_pairs

from . import named

RUNS = RunStore(megabytes=40, size=lambda run: 400_000 + 50_000 * run.request.seeds, button="Train")
"""The latest runs of all visitors, by request."""


def train_pairing_endpoint(query: str) -> Iterator[dict[str, Any]]:
    """Train small flows on differently paired noise and data; streams progress, the last is all.

    Args:
        query: the settings as in a shared link of the page, for example
            "target=moons&points=256&minibatch=32&updates=1500&pairings=independent,minibatch,whole&seeds=1".

    Returns:
        query, notes, done (0 to 1), updates, seconds; at the end also sentences, least (W2 squared, one per seed),
        plans (cost of a minibatch's plan and its standard error, by size), calls, floor, and by pairing, one per seed:
        cost, crossing, swapped (of the pairs), energy, straightness, length, lines_crossing (of the flow), error
        (sliced W2, one row per seed, by calls).
    """
    request, notes = from_query(query)
    plain = {"query": to_query(request), "notes": notes}
    told = -1.0
    for run in kept_or_made(RUNS, run_pairing, request):
        now = {**plain, "done": run.done, "updates": run.updates, "seconds": run.seconds}
        if run.complete:
            parts = {
                "cost": run.pairs.cost, "crossing": run.pairs.crossing, "swapped": run.pairs.swapped,
                "energy": run.learnt.energy, "straightness": run.learnt.straightness, "length": run.learnt.length,
                "lines_crossing": run.learnt.crossing, "error": run.calls.error,
            }  # fmt: skip
            yield now | {
                "sentences": [*of_pairs(run), *of_flows(run)],
                "least": list(run.task.least),
                "plans": {str(size): list(plan) for size, plan in zip(SIZES, run.task.plans, strict=True)},
                "calls": list(CALLS),
                "floor": run.calls.floor,
                **{
                    part: {name: rows[p].tolist() for p, name in enumerate(request.pairings)}
                    for part, rows in parts.items()
                },
            }
        elif run.done - told > 0.05:
            told = run.done
            yield now


def publish() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(train_pairing_endpoint, "train_pairing", "long")
