"""A sequence as a named, typed endpoint: for gradio_client, curl and, where switched on, MCP."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from typing import Any

from gensot_demo.experiments.runs import kept_or_made
from gensot_demo.experiments.sequences.film_files import to_gif
from gensot_demo.experiments.sequences.kept import SEQUENCES
from gensot_demo.experiments.sequences.links import from_query
from gensot_demo.experiments.sequences.run import Progress, SequenceResult, sequence
from gensot_demo.experiments.sequences.verdict import numbers

from . import named


def sequence_endpoint(query: str) -> Iterator[dict[str, Any]]:
    """Follow a moving reference by several guidance methods. Streams {"done": share, "seconds": s}, then the result.

    Args:
        query: the settings as in a shared link of the Sequences page, for example
            "motion=morph&from=cat face&to=dog face&frames=12&view_noise=4&steps=12&method=dps&method=gensot". Also
            "motion=path&picture=red heart&size=0.5&points=0.2,0.5;0.8,0.5" (from left and from top, shares of the
            side) and "motion=colour&picture=red heart&turn=360". Frames 8 to 24; "noise=fresh"; "memory=guide", or
            "memory=reference&trust=1".

    Returns:
        query, notes, verdict (sentences), seconds, reference and methods: by name change, changes (grey levels from
        frame to frame), energy (squared grey levels), energy_over_least, jump, success (distance to the frame's
        reference with its error), distances, nearest, switches, kinetic, calls, backwards and seconds; gif: all films
        side by side as a data: address.
    """
    request, notes = from_query(query)
    for moment in kept_or_made(SEQUENCES, sequence, request):
        if isinstance(moment, Progress):
            yield {"done": moment.done, "seconds": moment.seconds}
            continue
        yield plain(moment, notes)


def plain(result: SequenceResult, notes: Sequence[str] = ()) -> dict[str, Any]:
    """All numbers of a sequence and its films; its notes after those of the link."""
    out = numbers(result)
    address = "data:image/gif;base64," + base64.b64encode(to_gif(result)).decode("ascii")
    return {**out, "notes": [*notes, *out["notes"]], "gif": address}


def publish() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(sequence_endpoint, "sequence", "heavy")
