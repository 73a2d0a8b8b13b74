"""What many starts by chance do, as named, typed endpoints: for gradio_client, curl and MCP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from gensot_demo.experiments.lagrangian.links import from_query, to_query
from gensot_demo.experiments.lagrangian.neurons import EXAMPLE, NeuronsRequest
from gensot_demo.experiments.lagrangian.neurons_luck import WIDTHS, by_chance
from gensot_demo.experiments.lagrangian.tokens_counted import BETAS, DEPTHS, Counted, CountRequest, count
from gensot_demo.experiments.requests import parse
from gensot_demo.experiments.turns import in_turn

from . import named


def neurons_luck_endpoint(query: str) -> Iterator[dict[str, Any]]:
    """Train networks of several widths from a dozen starts by chance each: is a narrow one unlucky? Streams {"done",
    "time"}, then all.

    Args:
        query: the settings as in a shared link of the page, for example "scale=0.5&seed=3". See /lagrangian_neurons.

    Returns:
        query, notes, sentences, time of the training, widths, losses (a row of starts for each width), limit (the loss
        below which a start has learnt) and learnt (how many have, by width).
    """
    request, notes = from_query(NeuronsRequest, query, EXAMPLE)
    for luck in in_turn(by_chance(request)):
        if luck.done < 1:
            yield {"done": luck.done, "time": luck.time}
    yield {
        "query": to_query(request),
        "notes": notes,
        "sentences": list(luck.told),
        "time": luck.time,
        "widths": list(WIDTHS),
        "losses": luck.losses.tolist(),
        "limit": float(luck.limit),
        "learnt": np.asarray(luck.learnt).tolist(),
    }


def count_clusters_endpoint(
    space: Literal["circle", "sphere"] = "circle", tokens: int = 64
) -> Iterator[dict[str, Any]]:
    """Count the clusters of transformer tokens over many seeds, for several temperatures. Streams {"done", "seconds"},
    then all.

    Args:
        space: where the tokens live.
        tokens: how many, 2 to 128.

    Returns:
        space, tokens, betas, depths, seconds and counts: for each beta and each depth the number of clusters by seed.
    """
    request = parse(CountRequest, space=space, tokens=tokens)
    for moment in in_turn(count(request)):
        if not moment.complete:
            yield {"done": moment.done, "seconds": moment.seconds}
    yield _counted(moment)


def _counted(moment: Counted) -> dict[str, Any]:
    return {
        "space": moment.request.space,
        "tokens": moment.request.tokens,
        "betas": list(BETAS),
        "depths": list(DEPTHS),
        "seconds": moment.seconds,
        "counts": [[at.tolist() for at in row] for row in moment.counts],
    }


def publish_luck() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(neurons_luck_endpoint, "neurons_luck", "heavy")


def publish_counts() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(count_clusters_endpoint, "count_clusters", "long")
