"""Sampling that starts later as a named, typed endpoint: for gradio_client, curl and, where on, MCP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from gensot_demo.experiments.runs import RunStore, kept_or_made
from gensot_demo.experiments.static_ot.later_start import LaterStartCalls, run_calls
from gensot_demo.experiments.static_ot.later_start_links import from_query, to_query
from gensot_demo.experiments.static_ot.later_start_told import of_calls

from . import named

MEASURED = RunStore(megabytes=2, size=lambda run: 60_000, button="Measure")
"""The latest runs of all visitors, by request."""


def later_start_endpoint(query: str) -> Iterator[dict[str, Any]]:
    """Measure samples that start at a noised training picture against those from noise, at equal calls; streams
    progress with what is there so far.

    Args:
        query: the settings as in a shared link of the page, for example
            "model=network&pictures=clocks&signal=5&tau=0.2&finish=dpm&draws=64&budgets=5,10".

    Returns:
        query, notes, done (0 to 1), seconds, and so far: found (by way, then by calls: kid, judged, copies, distance,
        each with value and error, and calls, counted), exact and unseen (the same of draws from the law of the training
        pictures, which are copies, and of pictures kept from the network), and verdict (sentences).
    """
    request, notes = from_query(query)
    plain, there = {"query": to_query(request), "notes": notes}, -1
    for run in kept_or_made(MEASURED, run_calls, request.of_calls()):
        count = sum(map(len, run.found.values()))
        if run.complete or count != there:
            there = count
            yield plain | _told(run)


def _told(run: LaterStartCalls) -> dict[str, Any]:
    return {
        "done": run.done,
        "seconds": run.seconds,
        "found": {name: {str(calls): asdict(one) for calls, one in at.items()} for name, at in run.found.items()},
        "exact": asdict(run.exact),
        "unseen": asdict(run.unseen),
        "verdict": of_calls(run),
    }


def publish() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(later_start_endpoint, "later_start", "long")
