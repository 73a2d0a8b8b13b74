"""The failure modes as an endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gensot_demo.experiments.failures.links import from_query
from gensot_demo.experiments.failures.run import DEFAULT_SEED, FailureRequest, FailureResult, run_failure
from gensot_demo.experiments.requests import parse
from gensot_demo.figures.wall import data_address

from . import named
from .failures_report import address


def failure_endpoint(name: str = "", seed: int = DEFAULT_SEED, query: str = "") -> Iterator[dict[str, Any]]:
    """Run a failure mode of guided sampling. Streams {"doing", "done", "seconds"}, then what was seen.

    Args:
        name: "oversaturation", "step_size", "particles", "stiff", "hard_end", "memorised" or "prior_error".
        seed: of the noise of the first sample.
        query: or both as in a shared link of the page, for example "show=stiff&seed=7".

    Returns:
        name, title, sees, why, mends, sentence (what the numbers of this run say), shown (whether the failure shows),
        mended (whether what mends it does), seconds, and variants: by label the page and query that open it, its
        numbers by column (value, error, unit), its pictures (data: addresses) or why it ended early.
    """
    request = parse(FailureRequest, name=name, seed=seed) if name else from_query(query)[0]
    for moment in run_failure(request):
        if isinstance(moment, FailureResult):
            yield _plain(moment)
        else:
            yield {"doing": moment.doing, "done": moment.done, "seconds": moment.seconds}


def publish() -> None:
    """Register the endpoint with the Blocks that is being built."""
    named.publish(failure_endpoint, "failure", "heavy")


def _plain(result: FailureResult) -> dict[str, Any]:
    failure, evidence = result.request.failure, result.evidence
    return {
        **{name: getattr(failure, name) for name in ("name", "title", "sees", "why", "mends")},
        "sentence": evidence.sentence,
        "shown": evidence.shown,
        "mended": evidence.mended,
        "seconds": result.seconds,
        "variants": {variant.label: _variant(result, variant) for variant in result.variants},
    }


def _variant(result: FailureResult, variant) -> dict[str, Any]:
    where, page = address(variant)
    numbers = {
        column.label: {"value": number.value, "error": number.error, "unit": column.unit}
        for column, number in zip(result.evidence.columns, result.evidence.rows[variant.name], strict=True)
    }
    pictured = result.transport is None and variant.name in result.finished.results
    return {
        "page": page,
        "query": where.partition("?")[2],
        "numbers": numbers,
        "pictures": [data_address(p) for p in result.finished.part(variant.name).pictures] if pictured else [],
        "error": result.finished.errors.get(variant.name),
    }
