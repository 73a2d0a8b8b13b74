"""The solver as a named, typed endpoint: for gradio_client, curl and, where on, MCP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.runs import RunStore, kept_or_made
from gensot_demo.experiments.static_ot.heights_links import from_query, to_query
from gensot_demo.experiments.static_ot.heights_pictures import run_anew, run_stored
from gensot_demo.experiments.static_ot.heights_plane import run_plane
from gensot_demo.experiments.static_ot.heights_told import of_pictures, of_plane

from . import named

RUNS = RunStore(megabytes=20, size=lambda run: 40_000 + 16 * len(run.moments) * len(run.exact.points), button="Solve")
"""The latest runs of all visitors, by request."""


def solve_heights_endpoint(
    query: str, what: Literal["points", "pictures", "stored"] = "points"
) -> Iterator[dict[str, Any]]:
    """Heights of Brenier's map from noise to points or pictures; streams progress, the last is all.

    Args:
        query: the settings as in a shared link of the page, for example "points=random&number=50&tolerance=0.02" or
            "pictures=network/clocks&picture_tolerance=0.05".
        what: points in the plane, a set of pictures solved anew, or its stored heights.

    Returns:
        query, notes, done (0 to 1), samples, mass_error; at the end verdict (sentences) and heights. Points: also
        points, masses (exact), exact (heights by Newton's method), w2 (squared), discrete (POT's costs by draws).
        Pictures: names, fresh (draws of fresh noise), floor (mass error that exact heights would show with as many).
    """
    wanted, notes = from_query(query)
    plain = {"query": to_query(wanted), "notes": notes}
    if what == "points":
        yield from _points(wanted.plane, plain)
    elif what in ("pictures", "stored"):
        yield from _pictures(run_anew if what == "pictures" else run_stored, wanted.pictures, plain)
    else:
        raise InvalidRequest(f"What is {str(what)[:40]!r}; it must be points, pictures or stored.")


def _points(request: Any, plain: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for run in kept_or_made(RUNS, run_plane, request):
        if not run.moments:
            continue
        last = run.moments[-1]
        now = {**plain, "done": run.done, "samples": last.samples, "mass_error": last.mass_error}
        if run.complete:
            now |= {
                "verdict": of_plane(run),
                "points": run.exact.points.tolist(),
                "heights": last.heights.tolist(),
                "masses": last.masses.tolist(),
                "exact": run.exact.heights.tolist(),
                "w2": run.w2,
                "discrete": {str(d.draws): [d.cost, d.error] for d in run.discrete},
            }
        yield now


def _pictures(solve: Any, request: Any, plain: dict[str, Any]) -> Iterator[dict[str, Any]]:
    last = None
    for last in solve(request):
        counted = last.error if last.fresh else last.rounds[-1].counted if last.rounds else None
        now = {**plain, "done": last.done, "samples": last.samples, "mass_error": counted}
        if not last.complete:
            yield now
    if last is None:
        raise InvalidRequest(f"No heights are stored for {request.pictures}; ask for pictures instead.")
    yield now | {
        "verdict": of_pictures(last),
        "names": list(last.pictures.names),
        "heights": last.heights.tolist(),
        "fresh": last.fresh,
        "floor": last.floor,
    }


def publish() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(solve_heights_endpoint, "solve_heights", "long")
