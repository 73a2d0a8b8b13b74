"""The solver as a named, typed endpoint: for gradio_client, curl and, where on, MCP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.runs import RunStore, kept_or_made
from gensot_demo.experiments.static_ot.heights_links import Wanted, from_query, to_query
from gensot_demo.experiments.static_ot.heights_pictures import PicturesRun, run_anew, run_stored
from gensot_demo.experiments.static_ot.heights_plane import run_plane
from gensot_demo.experiments.static_ot.heights_told import of_pictures, of_plane

from . import named
from .static_ot_heights_pictures import FOUND

RUNS = RunStore(megabytes=20, size=lambda run: 40_000 + 16 * len(run.moments) * len(run.exact.points), button="Solve")
"""The latest runs of all visitors, by request."""

_ANEW = "Of pictures these are the stored heights; those solved anew are not part of the link."
_SHARE = 0.7  # of the time that points and stored heights take together, that of the points


def solve_heights_endpoint(
    query: str, what: Literal["points", "pictures", "stored", "shown"] = "points"
) -> Iterator[dict[str, Any]]:
    """Heights of Brenier's map from noise to points or pictures; streams progress, the last is all.

    Args:
        query: the settings as in a shared link of the page, for example "points=random&number=50&tolerance=0.02" or
            "pictures=network/clocks&picture_tolerance=0.05".
        what: points in the plane, a set of pictures solved anew, or its stored heights. shown: as the page, points
            and, as "pictures", stored heights with their names, verdict and error (null where none are stored).

    Returns:
        query, notes, done (0 to 1), samples, mass_error; at the end verdict (sentences) and heights. Points: also
        points, masses (exact), exact (heights by Newton's method), w2 (squared), discrete (POT's costs by draws).
        Pictures: names, fresh (draws of fresh noise), floor (mass error that exact heights would show with as many).
    """
    wanted, notes = from_query(query)
    plain = {"query": to_query(wanted), "notes": notes}
    if what == "points":
        yield from _points(wanted.plane, plain)
    elif what == "pictures":
        yield from _pictures(run_anew(wanted.pictures), wanted.pictures.pictures, plain)
    elif what == "stored":
        yield from _pictures(kept_or_made(FOUND, run_stored, wanted.pictures), wanted.pictures.pictures, plain)
    elif what == "shown":
        yield from _shown(wanted, plain)
    else:
        raise InvalidRequest(f"What is {str(what)[:40]!r}; it must be points, pictures, stored or shown.")


def _shown(wanted: Wanted, plain: dict[str, Any]) -> Iterator[dict[str, Any]]:
    found: dict[str, Any] = {}
    for found in _points(wanted.plane, plain):
        if "heights" not in found:
            yield found | {"done": _SHARE * found["done"]}
    last = None
    for last in kept_or_made(FOUND, run_stored, wanted.pictures):
        yield {**plain, "done": _SHARE + (1 - _SHARE) * last.done}
    pictures = None if last is None else {"set": wanted.pictures.pictures, **_told(last)}
    yield found | {"notes": [*plain["notes"], _ANEW], "pictures": pictures}


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


def _pictures(moments: Iterator[PicturesRun], name: str, plain: dict[str, Any]) -> Iterator[dict[str, Any]]:
    last = None
    for last in moments:
        now = {**plain, "done": last.done, "samples": last.samples, "mass_error": _counted(last)}
        if not last.complete:
            yield now
    if last is None:
        raise InvalidRequest(f"No heights are stored for {name}; ask for pictures instead.")
    yield now | _told(last)


def _counted(run: PicturesRun) -> float | None:
    """The mass error that was counted last."""
    return run.error if run.fresh else run.rounds[-1].counted if run.rounds else None


def _told(run: PicturesRun) -> dict[str, Any]:
    return {
        "verdict": of_pictures(run),
        "names": list(run.pictures.names),
        "heights": run.heights.tolist(),
        "mass_error": _counted(run),
        "fresh": run.fresh,
        "floor": run.floor,
    }


def publish() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(solve_heights_endpoint, "solve_heights", "long")
