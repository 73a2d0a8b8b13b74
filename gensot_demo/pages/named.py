"""Endpoints by name: for gradio_client, curl and, as tools, MCP. One place says how they are registered and answer."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, Literal

import gradio as gr

from gensot_demo.backbones.errors import BackboneUnavailable
from gensot_demo.experiments import limits
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.transport.errors import Explained

from .events import HEAVY, LONG
from .visitors import GUESTS

_SENTENCES = (InvalidRequest, BackboneUnavailable, Explained)
_SECTION = re.compile(r"^(Args|Returns):$")
_ARGUMENT = re.compile(r"^\w+: ")


def publish(endpoint: Callable, name: str, work: Literal["light", "heavy", "long"]) -> None:
    """Register an endpoint with the Blocks that is being built.

    endpoint: typed, with a docstring that describes Args and Returns; where it is a generator, its ``done`` is told as
    progress too, which MCP passes on.  work: light for what never makes others wait, heavy for seconds, long for
    minutes. Errors that are sentences become the caller's.
    """
    answering = _stepwise(endpoint) if inspect.isgeneratorfunction(endpoint) else _whole(endpoint)
    answering.__name__ = answering.__qualname__ = name  # an MCP tool is named so
    answering.__doc__ = one_line_each(inspect.getdoc(endpoint) or "")
    if work == "light":
        waits = {"concurrency_limit": limits.LIGHT_AT_ONCE}
    else:
        chosen = HEAVY if work == "heavy" else LONG
        waits = {key: chosen[key] for key in ("concurrency_id", "concurrency_limit")}
    if work != "light" or inspect.isgeneratorfunction(endpoint):
        answering = GUESTS.limited(answering, by_name=True)
    gr.api(answering, api_name=name, **waits)


def one_line_each(text: str) -> str:
    """A docstring with each argument's description on one line: of several, MCP's tools would get the first only.

    >>> print(one_line_each("Does it.\\n\\nArgs:\\n    query: settings,\\n        as in x.\\n    draws: many."))
    Does it.
    <BLANKLINE>
    Args:
        query: settings, as in x.
        draws: many.
    """
    lines: list[str] = []
    section = ""
    for words in map(str.strip, text.splitlines()):
        if found := _SECTION.match(words):
            section = found[1]
            lines.append(words)
        elif not words or not section:
            lines.append(words)
        elif (lines[-1].endswith(":") and _SECTION.match(lines[-1])) or (section == "Args" and _ARGUMENT.match(words)):
            lines.append(f"    {words}")
        else:
            lines[-1] += f" {words}"
    return "\n".join(lines)


def finite(value: Any) -> Any:
    """The same with null for NaN and infinity, which JSON does not know and other languages' readers refuse.

    >>> finite({"error": float("nan"), "t": [0.5, float("inf")]})
    {'error': None, 't': [0.5, None]}
    """
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {key: finite(one) for key, one in value.items()}
        case list() | tuple():
            return [finite(one) for one in value]
    return value


def _whole(endpoint: Callable) -> Callable:
    @wraps(endpoint)
    def answer(*values: Any, **named: Any) -> Any:
        try:
            return finite(endpoint(*values, **named))
        except _SENTENCES as error:
            raise gr.Error(str(error), print_exception=False) from None

    return answer


def _stepwise(endpoint: Callable) -> Callable:
    @wraps(endpoint)
    def answer(*values: Any, **named: Any) -> Iterator[Any]:
        progress = gr.Progress()
        try:
            for moment in endpoint(*values, **named):
                if isinstance(moment, dict) and "done" in moment:
                    progress((round(100 * moment["done"]), 100), desc=moment.get("doing", "computing, percent"))
                yield finite(moment)
        except _SENTENCES as error:
            raise gr.Error(str(error), print_exception=False) from None

    return answer
