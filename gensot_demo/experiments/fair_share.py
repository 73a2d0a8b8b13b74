"""Who comes next on a device that several accounts want: whoever has had the least of its time.

Start-time fair queueing (Goyal, Vin, Cheng, "Start-time fair queuing", SIGCOMM 1996) with measured seconds. Every
account has a tag, the seconds that it has had, counted from the virtual time at which it came. The virtual time is what
everybody would have had by now, were the device shared evenly. So accounts that always want the device get equal
seconds of it however long their single turns are, nobody waits for ever, and a newcomer begins level with the others.

A run asks for its next turn only after the last one has ended, and would always be too late for it: short turns and
long ones would simply alternate. Hence the device waits a moment for a run that is still due, if the others' turns are
much longer than that (Iyer, Druschel, "Anticipatory scheduling", SOSP 2001).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable
from dataclasses import dataclass

MOMENT = 0.005  # seconds for which the device waits for a run that is still due
_MUCH_LONGER = 4  # times that moment, at least, is the turn that the moment is meant to forestall
CREDIT = 0.25  # seconds of the device that an account may save up by staying away
NOBODY = object()
REMEMBERED = 5.0  # seconds for which an account stays known after its last turn


@dataclass
class _Account:
    tag: float
    wanting: int = 0
    since: int = 0  # when, in the order of asking, it began to want a turn
    turn: float = 0.0  # seconds of its last turn
    left: float = -math.inf  # when that ended


class FairShare:
    """The order of turns; knows no threads and no clock, times come in seconds. At most one turn is under way."""

    def __init__(self) -> None:
        self._accounts: dict[Hashable, _Account] = {}
        self._virtual = 0.0
        self._holder: Hashable = NOBODY
        self._last: Hashable = NOBODY
        self._order = itertools.count()
        self.busy = False

    def __len__(self) -> int:
        """How many accounts are remembered."""
        return len(self._accounts)

    def ask(self, name: Hashable) -> None:
        """An account wants one turn more."""
        account = self._accounts.get(name)
        if account is None:
            account = self._accounts[name] = _Account(self._virtual)
        account.tag = max(account.tag, self._virtual - CREDIT)
        if not account.wanting:
            account.since = next(self._order)
        account.wanting += 1

    def withdraw(self, name: Hashable) -> None:
        """An account wants one turn less."""
        self._accounts[name].wanting -= 1

    def choose(self, now: float) -> tuple[Hashable, float | None]:
        """(whose turn it is, None), (NOBODY, when to choose again), or (NOBODY, None) until something has changed."""
        wanting = [(account.tag, account.since, name) for name, account in self._accounts.items() if account.wanting]
        if self.busy or not wanting:
            return NOBODY, None
        tag, _, name = min(wanting, key=lambda one: one[:2])
        last = self._accounts.get(self._last)
        due = last is not None and not last.wanting and last.tag < tag and now < last.left + MOMENT
        if due and self._accounts[name].turn > _MUCH_LONGER * MOMENT:
            return NOBODY, last.left + MOMENT
        return name, None

    def begin(self, name: Hashable) -> None:
        """The account that was chosen takes its turn."""
        account = self._accounts[name]
        account.wanting -= 1
        account.since = next(self._order)
        self.busy, self._holder = True, name
        self._virtual = max(self._virtual, account.tag)

    def end(self, seconds: float, now: float) -> None:
        """The turn under way has ended after so many seconds."""
        account = self._accounts[self._holder]
        account.tag += seconds
        account.turn, account.left = seconds, now
        self.busy, self._last = False, self._holder
        sharing = {name for name, one in self._accounts.items() if one.wanting} | {self._holder}
        self._virtual += seconds / len(sharing)
        known = {
            name: one
            for name, one in self._accounts.items()
            if one.wanting or one.tag > self._virtual or now <= one.left + REMEMBERED
        }
        if not any(one.wanting for one in known.values()):  # nobody was kept waiting: nothing is held against anybody
            known = {name: one for name, one in known.items() if now <= one.left + REMEMBERED}
        self._accounts = known
