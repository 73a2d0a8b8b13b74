"""Turns on the compute device: visitors take them one forward at a time, each a fair share of its time."""

from __future__ import annotations

import math
import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from . import limits
from .fair_share import NOBODY, FairShare
from .requests import InvalidRequest

Caller = tuple[Hashable, Hashable | None]
_RUNS_COUNTED = 1000


class TimeUsedUp(InvalidRequest):
    """A run has had the device for as long as one run may."""


def run_seconds() -> float:
    """How long one run may have the device, in seconds: GENSOT_RUN_SECONDS, else limits.RUN_SECONDS; 0 for ever.

    Raises ValueError with a sentence for what is no such number.
    """
    text = os.environ.get("GENSOT_RUN_SECONDS") or str(limits.RUN_SECONDS)
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise ValueError(f"GENSOT_RUN_SECONDS is {text!r}; it must be a number of seconds, 0 or more, 0 for ever")
    return seconds


@dataclass(eq=False)
class _Ticket:
    """Somebody's place in line. look: when to see whether a turn has become due, or None to be told."""

    told: threading.Condition
    due: bool = False
    look: float | None = None


class Turnstile:
    """A lock for one turn at a time, each account's turns in the order of asking. Thread-safe; not to be nested.

    whose: who asks, as (account, run), called whenever a turn is asked for; by default everybody is one account and no
    run is limited.  clock: seconds.  most: gives the seconds of the device that one run may have.
    """

    def __init__(
        self,
        whose: Callable[[], Caller] = lambda: (None, None),
        clock: Callable[[], float] = time.perf_counter,
        most: Callable[[], float] = run_seconds,
    ) -> None:
        self.whose = whose
        self._clock, self._most = clock, most
        self._used: OrderedDict[Hashable, float] = OrderedDict()
        self._renew()

    def _renew(self) -> None:
        """Nobody has the device and nobody waits. A copy of this process, as one to which a GPU is lent, has none of
        the threads that do."""
        self._guard = threading.Lock()
        self._share = FairShare()
        self._lines: dict[Hashable, deque[_Ticket]] = {}

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        with self._guard:
            return sum(map(len, self._lines.values()))

    @property
    def free(self) -> bool:
        """Whether nobody has the device."""
        with self._guard:
            return not self._share.busy

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """One turn, as soon as it is due. Raises TimeUsedUp where the run has had all of its time."""
        account, run = self.whose()
        with self._guard:
            self._require_time(run)
            self._wait(account)
        began = self._clock()
        try:
            yield
        finally:
            ended = self._clock()
            with self._guard:
                self._charge(run, ended - began)
                self._share.end(ended - began, ended)
                self._hand_on()

    def _wait(self, account: Hashable) -> None:
        ticket = _Ticket(threading.Condition(self._guard))
        line = self._lines.setdefault(account, deque())
        line.append(ticket)
        self._share.ask(account)
        try:
            self._hand_on()
            while not ticket.due:
                look, ticket.look = ticket.look, None
                ticket.told.wait(None if look is None else max(look - self._clock(), 0.0))
                self._hand_on()
        except BaseException:  # an interrupt; the place must not stay taken
            if ticket.due:
                self._share.end(0.0, self._clock())
            else:
                line.remove(ticket)
                if not line:
                    del self._lines[account]
                self._share.withdraw(account)
            self._hand_on()
            raise

    def _hand_on(self) -> None:
        """Begin the next turn if one is due; if one will be, somebody looks again then."""
        chosen, look = self._share.choose(self._clock())
        if look is not None:
            waits = next(line[0] for line in self._lines.values() if line)
            waits.look = look
            waits.told.notify()
        elif chosen is not NOBODY:
            self._share.begin(chosen)
            ticket = self._lines[chosen].popleft()
            if not self._lines[chosen]:
                del self._lines[chosen]
            ticket.due = True
            ticket.told.notify()

    def _require_time(self, run: Hashable | None) -> None:
        most = self._most() if run is not None else 0.0
        if most and self._used.get(run, 0.0) >= most:
            raise TimeUsedUp(
                f"This run has computed for {most:g} seconds, as long as one run may; what it found until then stays. "
                "Fewer steps, samples or methods come to an end."
            )

    def _charge(self, run: Hashable | None, seconds: float) -> None:
        if run is not None:
            self._used[run] = self._used.pop(run, 0.0) + seconds
            while len(self._used) > _RUNS_COUNTED:
                self._used.popitem(last=False)


TURNSTILE = Turnstile()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=TURNSTILE._renew)
