"""Flows trained live as a named, typed endpoint: for gradio_client, curl and, where on, MCP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gensot_demo.experiments.energy.training import CALLS, run_training
from gensot_demo.experiments.energy.training_links import from_query, to_query
from gensot_demo.experiments.energy.training_told import of_training
from gensot_demo.experiments.runs import RunStore, kept_or_made

from . import named

RUNS = RunStore(megabytes=40, size=lambda run: 250_000 * run.request.seeds, button="Train")
"""The latest runs of all visitors, by request."""


def train_flow_endpoint(query: str) -> Iterator[dict[str, Any]]:
    """Train small flows on several paths and measure likelihood and sample error; streams progress, the last is all.

    Args:
        query: the settings as in a shared link of the page, for example
            "target=moons&points=256&updates=1500&paths=vp,condot,ko&seeds=1".

    Returns:
        query, notes, done (0 to 1), updates, seconds; at the end also verdict (sentences), and by path: held_out and
        seen (nats per dimension below the true law, one per seed) and error (sliced W2 by calls, one row per seed);
        crossed (trained on, sampled along, seed, calls), exact (by path, with the exact velocity), floor, calls.
    """
    request, notes = from_query(query)
    plain = {"query": to_query(request), "notes": notes}
    checks = -1
    for run in kept_or_made(RUNS, run_training, request):
        now = {**plain, "done": run.done, "updates": run.updates, "seconds": run.seconds}
        if run.complete:
            last, calls, names = run.checks[-1], run.calls, request.paths
            yield now | {
                "verdict": of_training(run),
                "held_out": {name: last.held_out[p].tolist() for p, name in enumerate(names)},
                "seen": {name: last.seen[p].tolist() for p, name in enumerate(names)},
                "error": {name: calls.own[p].tolist() for p, name in enumerate(names)},
                "exact": {name: calls.exact[p].tolist() for p, name in enumerate(names)},
                "crossed": calls.error.tolist(),
                "floor": calls.floor,
                "calls": list(CALLS),
            }
        elif len(run.checks) != checks:
            checks = len(run.checks)
            yield now


def publish() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(train_flow_endpoint, "train_flow", "long")
