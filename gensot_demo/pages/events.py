"""What the events of all pages share: how heavy work waits in line, how the address follows, how a link is copied."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import gradio as gr
from gradio.events import Dependency

from gensot_demo.backbones.errors import BackboneUnavailable
from gensot_demo.experiments import limits
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.runs import RunStore

from . import report

R = TypeVar("R")

QUIET = {"show_progress": "hidden", "api_visibility": "private"}
HEAVY = {**QUIET, "concurrency_id": "device", "concurrency_limit": limits.RUNS_AT_ONCE}
LONG = {**QUIET, "concurrency_id": "minutes", "concurrency_limit": limits.LONG_RUNS_AT_ONCE}
FRESH_SEEDS = 1_000_000
"""From how many a new seed is drawn: enough, and short enough to read."""


def fresh_seed() -> int:
    """A seed that nobody chose."""
    return secrets.randbelow(FRESH_SEEDS)


_numbers = itertools.count()


class Latest:
    """The number of a visitor's latest choice, in a gr.State: what still runs for another one ends itself."""

    number = -1
    stopped = False
    said = ""

    def choose(self) -> int:
        """The number of a new choice."""
        self.number, self.stopped, self.said = next(_numbers), False, ""
        return self.number

    def stop(self, said: str = "") -> str:
        """The visitor wants nothing more; the page's line says so, which is returned."""
        self.choose()
        self.stopped, self.said = True, said
        return said


def while_latest(latest: Latest, number: int, moments: Iterator[list[Any]], parts: int) -> Iterator[list[Any]]:
    """The moments of what was chosen under this number, ``parts`` values each, the page's line first, until the visitor
    chooses something else. What a Stop says is said again: a moment may still have been on its way."""
    while latest.number == number:
        moment = next(moments, None)
        if moment is None:
            return
        yield moment
    yield [latest.said or gr.skip(), *[gr.skip()] * (parts - 1)]


_ADDRESS = "(q) => { if (q) window.gensot.replaceQuery(q); window.gensot.ready('#status'); }"
_COPY = "(q) => { window.gensot.copyLink(q); }"


def address_follows(event: Dependency, query: gr.Textbox) -> Dependency:
    """After this event the address holds ``query``, and the status line no longer says that it waits."""
    return event.then(None, query, None, js=_ADDRESS, api_visibility="private")


def ready(event: Dependency, line: str = "#status") -> Dependency:
    """After this event a status line no longer says that it waits."""
    return event.then(None, js=f"() => {{ window.gensot.ready('{line}'); }}", api_visibility="private")


def copies_link(button: gr.Button, query: gr.Textbox, link: Callable | None = None, *wiring: Any) -> None:
    """The button copies the address of ``query``; ``link`` and its inputs and outputs bring that up to date before."""
    copy = {"js": _COPY, "api_visibility": "private"}
    if link is None:
        button.click(None, query, None, **copy)
    else:
        button.click(link, *wiring, **QUIET).success(None, query, None, **copy)


def followed(
    read: Callable[[], tuple[R, list[str]]], plain: R, instead: str = "first view"
) -> tuple[R, dict[str, Any]]:
    """(the request of a link, the line above the page). ``read`` follows the link: its request, and notes on what it
    left out; where it raises, the request is ``plain`` and the line says why."""
    try:
        wanted, notes = read()
    except (InvalidRequest, BackboneUnavailable) as error:
        text = f"The link could not be followed. {error} The {instead} is shown instead."
        return plain, gr.update(value=report.status(text, kind="error"), visible=True)
    if notes:
        return wanted, gr.update(value=report.status(" ".join(notes)), visible=True)
    return wanted, gr.update(visible=False)


def keep_first(run: Callable[[Any], Iterator[Any]], request: Any, result: type, store: RunStore) -> Iterator[None]:
    """The run that the first visitor needs, step by step, unless a visitor was faster; its last moment is kept."""
    last = None
    for moment in run(request):
        if store.find(request):
            return
        last = moment
        yield
    if isinstance(last, result):
        store.keep(last)
