"""The experiments as named, typed endpoints: for gradio_client, curl and, where switched on, MCP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gensot_demo.experiments.compare import CompareResult, Update, compare
from gensot_demo.experiments.law import LawReport
from gensot_demo.experiments.links import from_query, to_query
from gensot_demo.experiments.measuring import measure
from gensot_demo.experiments.plane.links import from_query as transport_from_query
from gensot_demo.experiments.plane.numbers import numbers
from gensot_demo.experiments.plane.run import Progress, transport
from gensot_demo.experiments.runs import RUNS, kept_or_made
from gensot_demo.figures.wall import data_address

from . import named


def compare_endpoint(query: str) -> Iterator[dict[str, Any]]:
    """Compare guidance methods on one task with the same noise. Streams {"done": share, "seconds": s}, then the result.

    Args:
        query: the settings as in a shared link, for example
            "follow_average=faces&view_noise=8&samples=4&steps=30&seed=7&method=dps&method=gensot*stiffness:50".
            Conditions: "condition=red*2". Model: "backbone=network". To restore a picture:
            "restore=mask:centre&restore_emoji=cat face&restore_noise=0.1", or super_resolution, blur, colourise. A
            reward: "reward=brightness*2" (nats per 10 grey levels), symmetry, "reward=colour:d01c1c*2",
            "reward=class:hearts*1". Fields left out take their defaults; unknown ones are ignored with a note.

    Returns:
        query, notes, verdict (sentences), seconds, and methods: by name its label, calls and backwards per sample,
        seconds, energy (action per dimension), nearest emoji, pictures (data: addresses, one per seed) and law
        (distance from the exact law with floor and power; null for a model whose law is not known).
    """
    request, notes = from_query(query)
    for moment in kept_or_made(RUNS, compare, request.model_copy(update={"beside": False})):
        if isinstance(moment, Update):
            yield {"done": moment.done, "seconds": moment.seconds}
        else:
            yield plain(moment, notes)


def measure_endpoint(query: str, draws: int = 384) -> Iterator[dict[str, Any]]:
    """Measure how far each method's samples are from the exact law asked for. Streams what is known so far.

    Args:
        query: the settings as in a shared link, see /compare.
        draws: samples per method, 64 to 1024.

    Returns:
        query, notes, done (share), verdict (sentences), seconds, and laws: by method name distance, error, floor,
            power, effective number and more.
    """
    request, notes = from_query(query)
    for moment in measure(request, draws):
        yield {
            "query": to_query(request)[0],
            "notes": notes,
            "done": moment.done,
            "verdict": list(moment.verdict.sentences),
            "seconds": moment.seconds,
            "laws": {name: _law(report) for name, report in moment.reports.items()},
        }


def transport_endpoint(query: str) -> Iterator[dict[str, Any]]:
    """Move particles in the plane by several methods with the same noise. Streams {"doing", "done", "seconds"}, then
    the numbers.

    Args:
        query: the settings as in a shared link of the Transport page, for example
            "target=ring&source=gaussian&method=optimal_transport&method=gensot_s&stiffness=50&steps=100&seed=7".
            Drawn modes: "target=modes&modes=1,1,.3,2;-1,0,.5,1" (x, y, standard deviation, weight). One setting over a
            row of values: "vary=stiffness&values=5,20,50". Fields left out take their defaults.

    Returns:
        query, notes, verdict (sentences), seconds, target, and panels: by label action, length, straightness, calls,
        mode shares with standard errors and exact shares, W2 with its error, floor and power, and the distance of the
        ends from those of the first panel.
    """
    request, notes = transport_from_query(query)
    for moment in transport(request):
        if isinstance(moment, Progress):
            yield {"doing": moment.doing, "done": _share_of_all(moment), "seconds": moment.seconds}
        elif moment.complete:
            yield {**numbers(moment), "notes": [*notes, *moment.notes]}


def _share_of_all(moment: Progress) -> float:
    """The share of moving, measuring and following the distance together; each of them counts from 0 for itself."""
    for word, (begins, ends) in {"Measuring": (0.6, 0.8), "Distance": (0.8, 1.0)}.items():
        if moment.doing.startswith(word):
            return begins + (ends - begins) * moment.done
    return 0.6 * moment.done


def publish_transport() -> None:
    """Register the Transport page's endpoint with the Blocks that is being built."""
    named.publish(transport_endpoint, "transport", "heavy")


def publish() -> None:
    """Register the endpoints with the Blocks that is being built."""
    named.publish(compare_endpoint, "compare", "heavy")
    named.publish(measure_endpoint, "measure", "long")


def _law(report: LawReport) -> dict[str, Any]:
    return {**vars(report), "telling": bool(report.telling), "grouped": bool(report.grouped)}


def plain(result: CompareResult, notes: Sequence[str] = ()) -> dict[str, Any]:
    """All numbers and pictures of a comparison; its notes after those of the link."""
    names = result.backbone.names
    return {
        "query": to_query(result.request)[0],
        "notes": [*notes, *result.notes],
        "verdict": list(result.verdict.sentences),
        "seconds": result.seconds,
        "methods": {
            name: {
                "label": part.label,
                "calls": part.calls,
                "backwards": part.backwards,
                "seconds": part.seconds,
                "energy": part.energy.action if part.energy else None,
                "least_energy": part.least,
                "dissipation": part.dissipation,
                "nearest": [] if part.nearest is None else [names[i] for i in part.nearest],
                "pictures": [data_address(picture) for picture in part.pictures],
                "success": [
                    {"label": one.label, "unit": one.unit, "value": one.value, "error": one.error}
                    for one in part.success
                ],
                "law": _law(result.reports[name]) if name in result.reports else None,
            }
            for name, part in result.methods.items()
        },
    }
