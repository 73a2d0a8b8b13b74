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
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any

import gradio as gr
from gradio.context import LocalContext

from gensot_demo.experiments import limits
from gensot_demo.experiments.device import TURNSTILE
from gensot_demo.experiments.requests import InvalidRequest

from . import report
from .events import HEAVY, LONG


def whose() -> tuple[Hashable, Hashable | None]:
    """(visitor, run) of the event that this thread computes; (None, None) where it is nobody's."""
    run = LocalContext.event_id.get(None)
    return GUESTS.named(run) or visitor(LocalContext.request.get(None)), run


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
        return None if peer is None else _household(peer)
    for one in reversed(_forwarded(request.headers or {}).split(",")):  # by a proxy in our own network
        found = _parsed(one)
        if found is not None and found.is_global:
            return _household(found)
    return None


def _forwarded(headers: Any) -> str:
    """All lines of X-Forwarded-For, in their order: a proxy may add one of its own to what the caller sent."""
    lines = headers.getlist("x-forwarded-for") if hasattr(headers, "getlist") else [headers.get("x-forwarded-for")]
    return ",".join(filter(None, lines))


def _household(found: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Of IPv6, all that one customer has are one: 2^64 addresses."""
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))


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
        self._named: dict[Hashable, Hashable] = {}
        self._left = threading.Condition()

    def named(self, run: Hashable | None) -> Hashable | None:
        """Whose run this is, of those asked for by name that compute now; None for any other."""
        return self._named.get(run)

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

    def limited(self, run: Callable, by_name: bool, told: Callable[[str], Any] | None = None) -> Callable:
        """``run``, a handler of an event, which is refused with a sentence where its visitor has too many runs.

        told: gives the outputs that show the sentence where the run would have shown how far it is.
        """

        @contextmanager
        def place() -> Iterator[None]:
            who, number = visitor(LocalContext.request.get(None), by_name), LocalContext.event_id.get(None)
            with self.admitted(who, 0.0 if by_name else _UNTIL_SUPERSEDED):
                if by_name and number is not None:
                    self._named[number] = who
                try:
                    yield
                finally:
                    self._named.pop(number, None)

        if inspect.isgeneratorfunction(run):

            @wraps(run)
            def stepwise(*values: Any, **named: Any) -> Iterator[Any]:
                begun = False
                try:
                    with place():
                        begun = True
                        yield from run(*values, **named)
                except InvalidRequest as error:
                    if told is not None and not begun:
                        yield told(str(error))
                    raise gr.Error(str(error), print_exception=False) from None

            stepwise.unlimited = run
            return stepwise

        @wraps(run)
        def whole(*values: Any, **named: Any) -> Any:
            try:
                with place():
                    return run(*values, **named)
            except InvalidRequest as error:
                raise gr.Error(str(error), print_exception=False) from None

        whole.unlimited = run
        return whole


GUESTS = Guests()


def unlimited(run: Callable) -> Callable:
    """What :meth:`Guests.limited` was given, for callers inside a run that has been counted already."""
    return getattr(run, "unlimited", run)


def limit_visitors(app: gr.Blocks) -> None:
    """From now on turns on the device are a fair share of each visitor's, and the pages of ``app``, already built, may
    have so many runs each. Its endpoints by name count where they are published (named.py)."""
    TURNSTILE.whose = whose
    for event in app.fns.values():
        of_a_page = event.fn is not None and event.api_visibility == "private"
        if of_a_page and event.concurrency_id in (HEAVY["concurrency_id"], LONG["concurrency_id"]):
            event.fn = GUESTS.limited(event.fn, by_name=False, told=_status_line(event.outputs))


def _status_line(outputs: Sequence[gr.blocks.Block]) -> Callable[[str], Any] | None:
    """Values of these outputs that leave all as it is, but for a sentence in the page's line about its run."""
    lines = [str(one.elem_id or "").endswith(("status", "measured")) for one in outputs]
    if True not in lines:
        return None
    at = lines.index(True)

    def told(sentence: str) -> Any:
        line = report.status(f"{sentence} What is shown stays.", kind="error")
        return line if len(lines) == 1 else [line if number == at else gr.skip() for number in range(len(lines))]

    return told
