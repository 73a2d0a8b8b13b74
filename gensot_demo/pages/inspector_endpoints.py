"""One sample's story as a named, typed endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gensot_demo.experiments.compare import Update, compare
from gensot_demo.experiments.inspect import told
from gensot_demo.experiments.inspect.run import Asking, Inspection, inspect
from gensot_demo.experiments.links import from_query, to_query
from gensot_demo.experiments.runs import RUNS
from gensot_demo.figures.wall import data_address

from . import named


def inspect_endpoint(query: str, method: str = "gensot", column: int = 0) -> Iterator[dict[str, Any]]:
    """Tell what happened to one sample of a comparison. Streams {"doing", "done", "seconds"}, then the story.

    Args:
        query: the settings as in a shared link, see /compare. A run that is still kept is not made again.
        method: which method's sample, by name.
        column: which sample, from 0.

    Returns:
        query, notes, summary (two sentences), seconds, label, seed, film (noise level, state and predicted picture as
        data: addresses), energy (by method: times, kinetic), term (noise levels, size of the guidance term, unit,
        cosines of its direction), leaving (noise levels, distances of states and predictions from the unguided path,
        unit, final, and the noise level at which it was left or null), neighbours (names, distances in grey levels,
        spacing of the known pictures) or null, genealogy (grid rows, parents, line of the sample, ancestors, effective
        share) or null.
    """
    request, notes = from_query(query)
    request = request.model_copy(update={"beside": False})
    name = RUNS.find(request)
    result = RUNS.get(name) if name else None
    if result is None:
        for moment in compare(request):
            if isinstance(moment, Update):
                yield {"doing": "sampling", "done": moment.done, "seconds": moment.seconds}
            else:
                result = moment
        RUNS.keep(result)
    for moment in inspect(result, method, column):
        if isinstance(moment, Asking):
            yield {"doing": "asking the model", "done": moment.done, "seconds": moment.seconds}
        elif moment.complete:
            yield {**_plain(moment), "query": to_query(request)[0], "notes": notes}


def publish() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(inspect_endpoint, "inspect", "heavy")


def _plain(found: Inspection) -> dict[str, Any]:
    term, left, near, tree = found.term, found.leaving, found.neighbours, found.genealogy
    at = left.left
    return {
        "summary": told.summary(found),
        "seconds": found.seconds,
        "label": found.part.label,
        "seed": found.result.request.seeds[found.column],
        "film": [
            {"level": frame.sigma, "state": data_address(frame.state), "predicted": data_address(frame.predicted)}
            for frame in found.frames
        ],
        "energy": {
            name: {"times": one.t.tolist(), "kinetic": one.kinetic.tolist()} for name, one in found.energies.items()
        },
        "term": {
            "levels": _numbers(term.levels),
            "size": _numbers(term.size),
            "unit": term.unit,
            "to_end": _numbers(term.to_end),
            "to_reference": None if term.to_reference is None else _numbers(term.to_reference),
        },
        "leaving": {
            "levels": _numbers(left.levels),
            "states": _numbers(left.states),
            "predictions": _numbers(left.predictions),
            "unit": left.unit,
            "final": left.final,
            "left": None if at is None else float(left.levels[at]),
        },
        "neighbours": None
        if near is None
        else {"names": list(near.names), "distances": near.distances.tolist(), "spacing": near.spacing},
        "genealogy": None
        if tree is None
        else {
            "rows": tree.rows.tolist(),
            "parents": tree.parents.tolist(),
            "line": tree.line.tolist(),
            "ancestors": tree.ancestors.tolist(),
            "share": _numbers(tree.share),
        },
    }


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    """JSON knows neither NaN nor infinity: null."""
    return [float(value) if np.isfinite(value) else None for value in values]
