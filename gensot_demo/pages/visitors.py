"""Who asks, and how much one visitor may ask for at once.

A page is known by its session, which Gradio draws anew for every tab. A call by name is known by where it comes from:
its sessions are the caller's own choice. What a proxy says about that is believed only of the proxy next to the app, as
the last public address in the list; everything before it, the caller may have written.
"""

from __future__ import annotations

import inspect
import ipaddress
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import gradio as gr
from gradio.context import LocalContext

from gensot_demo.experiments import limits
from gensot_demo.experiments.device import TURNSTILE
from gensot_demo.experiments.requests import InvalidRequest

from .events import HEAVY, LONG


def whose() -> tuple[Hashable, Hashable | None]:
    """(visitor, run) of the event that this thread computes; (None, None) where it is nobody's."""
    return visitor(LocalContext.request.get(None)), LocalContext.event_id.get(None)


def visitor(request: gr.Request | None, by_name: bool = False) -> Hashable | None:
    """By what a visitor is known: the session, or, of a call by name, the address where one is told."""
    if not isinstance(request, gr.Request):
        return None
    return (address(request) if by_name else None) or request.session_hash


def address(request: gr.Request) -> str | None:
    """The public address that a request comes from; None where none can be believed."""
    client = getattr(request, "client", None)
    peer = _parsed(getattr(client, "host", None) or "")
    if peer is None or peer.is_global:
        return None if peer is None else str(peer)
    said = (request.headers or {}).get("x-forwarded-for") or ""  # of a proxy in our own network
    for one in reversed(said.split(",")):
        found = _parsed(one)
        if found is not None and found.is_global:
            return str(found)
    return None


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        return None


_UNTIL_SUPERSEDED = 10.0  # seconds: a page's older run ends at its next step, once a newer choice has been made


class Guests:
    """How many runs of each visitor compute now. Thread-safe."""

    def __init__(self, most: int = limits.RUNS_OF_ONE_VISITOR) -> None:
        self._most = most
        self._running: Counter[Hashable] = Counter()
        self._left = threading.Condition()

    @contextmanager
    def admitted(self, who: Hashable | None, patience: float = 0.0) -> Iterator[None]:
        """One run more inside this block. Where the visitor has as many as one may have, it waits ``patience`` seconds
        for one of them to end, and then raises InvalidRequest."""
        with self._left:
            if who is not None and not self._left.wait_for(lambda: self._running[who] < self._most, patience):
                raise InvalidRequest(
                    f"You already have {self._most} runs under way, the most at once for one visitor. Wait until one "
                    "of them has ended, or stop it."
                )
            self._running[who] += 1
        try:
            yield
        finally:
            with self._left:
                self._running[who] -= 1
                if self._running[who] <= 0:
                    del self._running[who]
                self._left.notify_all()

    def limited(self, run: Callable, by_name: bool) -> Callable:
        """``run``, a handler of an event, which is refused with a sentence where its visitor has too many runs."""

        @contextmanager
        def place() -> Iterator[None]:
            patience = 0.0 if by_name else _UNTIL_SUPERSEDED
            with self.admitted(visitor(LocalContext.request.get(None), by_name), patience):
                yield

        if inspect.isgeneratorfunction(run):

            @wraps(run)
            def stepwise(*values: Any, **named: Any) -> Iterator[Any]:
                try:
                    with place():
                        yield from run(*values, **named)
                except InvalidRequest as error:
                    raise gr.Error(str(error), print_exception=False) from None

            return stepwise

        @wraps(run)
        def whole(*values: Any, **named: Any) -> Any:
            try:
                with place():
                    return run(*values, **named)
            except InvalidRequest as error:
                raise gr.Error(str(error), print_exception=False) from None

        return whole


GUESTS = Guests()


def limit_visitors(app: gr.Blocks) -> None:
    """From now on turns on the device are a fair share of each visitor's, and the pages of ``app``, already built, may
    have so many runs each. Its endpoints by name count where they are published (named.py)."""
    TURNSTILE.whose = whose
    for event in app.fns.values():
        of_a_page = event.fn is not None and event.api_visibility == "private"
        if of_a_page and event.concurrency_id in (HEAVY["concurrency_id"], LONG["concurrency_id"]):
            event.fn = GUESTS.limited(event.fn, by_name=False)
