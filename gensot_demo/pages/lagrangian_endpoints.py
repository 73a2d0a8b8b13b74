"""A demo of the Lagrangian view as a named, typed endpoint: for gradio_client, curl and, where on, MCP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gensot_demo.experiments.lagrangian.links import from_query, to_query
from gensot_demo.experiments.lagrangian.moving import LagrangianRequest, Moving

from . import named

_ABOUT = """{about}

    Args:
        query: the settings as in a shared link of the page, for example "{example}".

    Returns:
        query, notes, sentences, times; kinds (names); clouds: label, positions (moments, particles, 2) and kinds of
        each; terms of the velocity with symbol, words and active; falls (what falls); falling: label, times and values
        of each curve.
    """


def publish(name: str, about: str, example: str, kind: type[LagrangianRequest], run: Callable[[Any], Moving]) -> None:
    """Register the endpoint ``lagrangian_NAME`` with the Blocks that is being built."""

    def endpoint(query: str) -> dict[str, Any]:
        request, notes = from_query(kind, query, example)
        moving = run(request)
        return {"query": to_query(request), "notes": notes, **_plain(moving)}

    endpoint.__name__ = f"lagrangian_{name}_endpoint"
    endpoint.__doc__ = _ABOUT.format(about=about, example=example)
    named.publish(endpoint, f"lagrangian_{name}", "light")


def _plain(moving: Moving) -> dict[str, Any]:
    return {
        "sentences": list(moving.told),
        "times": moving.times.tolist(),
        "kinds": list(moving.kinds),
        "clouds": [
            {"label": cloud.label, "positions": cloud.positions.tolist(), "kinds": cloud.kinds.tolist()}
            for cloud in moving.clouds
        ],
        "terms": [{"symbol": term.symbol, "words": term.words, "active": term.active} for term in moving.terms],
        "falls": moving.falls,
        "falling": [
            {"label": one.label, "times": one.t.tolist(), "values": one.values.tolist()} for one in moving.falling
        ],
    }
