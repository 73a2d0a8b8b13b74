"""Shares of the device by time, played with a clock of our own: no thread, no waiting."""

from __future__ import annotations

import heapq
from collections import Counter

import pytest

from gensot_demo.experiments.fair_share import CREDIT, NOBODY, REMEMBERED, FairShare


def played(runs: dict[str, tuple], until: float, share=None) -> tuple[Counter, list[tuple[float, str, float]]]:
    """(seconds of the device by account, (when, who, waited) of every turn).

    runs: by account (seconds of a turn, seconds between the end of a turn and the next question, first question, and
    perhaps the number of turns). One device; times to the end of the last turn that begins before ``until``.
    """
    share = FairShare() if share is None else share
    now, had, turns = 0.0, Counter(), []
    left = {name: run[3] if len(run) > 3 else 10**9 for name, run in runs.items()}
    coming = [(run[2], name) for name, run in runs.items()]
    heapq.heapify(coming)
    asked: dict[str, float] = {}
    while now < until:
        while coming and coming[0][0] <= now + 1e-12:
            at, name = heapq.heappop(coming)
            share.ask(name)
            asked[name] = at
        name, again = share.choose(now)
        if name is NOBODY:
            events = [at for at in (again, coming[0][0] if coming else None) if at is not None]
            if not events:
                break
            now = max(now, min(events))
            continue
        share.begin(name)
        turns.append((now, name, now - asked.pop(name)))
        seconds = runs[name][0]
        ends = now + seconds
        while coming and coming[0][0] < ends:  # who asks during the turn is in line when it ends
            at, other = heapq.heappop(coming)
            share.ask(other)
            asked[other] = at
        now = ends
        share.end(seconds, now)
        had[name] += seconds
        left[name] -= 1
        if left[name]:
            heapq.heappush(coming, (now + runs[name][1], name))
    return had, turns


class FirstComeFirstServed(FairShare):
    """What the tests below must tell from a fair share."""

    def choose(self, now):
        waiting = [(one.since, name) for name, one in self._accounts.items() if one.wanting]
        return (NOBODY, None) if self.busy or not waiting else (min(waiting)[1], None)


STEPS = [
    {"quick": (0.002, 0.001, 0.0), "slow": (0.1, 0.001, 0.0)},
    {"quick": (0.004, 0.0, 0.0), "middle": (0.03, 0.0, 0.0), "slow": (0.25, 0.0, 0.0)},
    {"a": (0.01, 0.002, 0.0), "b": (0.01, 0.002, 0.0), "c": (0.08, 0.002, 0.0), "d": (0.3, 0.002, 0.0)},
]


@pytest.mark.parametrize("runs", STEPS)
def test_equal_time_for_unequal_turns(runs):
    had, _ = played(runs, 60.0)
    even = sum(had.values()) / len(runs)
    assert even * len(runs) > 45.0  # of 60: the device idles no more than it must
    assert had == {name: pytest.approx(even, rel=0.1) for name in runs}


@pytest.mark.parametrize("runs", STEPS)
def test_first_come_first_served_would_not_share_time(runs):
    had, _ = played(runs, 60.0, FirstComeFirstServed())
    assert max(had.values()) > 5 * min(had.values())


def test_light_work_waits_for_little_more_than_the_turn_under_way():
    runs = {f"heavy {n}": (0.2, 0.01, 0.0) for n in range(8)} | {"slider": (0.01, 1.0, 0.53)}
    waits = [waited for _, name, waited in played(runs, 60.0)[1] if name == "slider"]
    assert len(waits) > 30
    assert max(waits[1:]) < 0.41  # the first time it is level with all who had no turn yet
    in_turn = [waited for _, name, waited in played(runs, 60.0, FirstComeFirstServed())[1] if name == "slider"]
    assert sum(in_turn) / len(in_turn) > 1.0  # behind all eight


def test_nobody_starves_behind_a_stream_of_newcomers():
    share, now, newest, had = FairShare(), 0.0, 5, 0.0
    for name in ("old", *range(newest)):
        share.ask(name)
    since, longest = 0.0, 0.0
    while now < 60:  # five in line, each comes back under a new name
        name, _ = share.choose(now)
        share.begin(name)
        seconds = 0.1 if name == "old" else 0.02
        now += seconds
        share.end(seconds, now)
        if name == "old":
            longest, since, had = max(longest, now - since), now, had + seconds
        else:
            newest += 1
        share.ask("old" if name == "old" else newest)
    assert longest < 1.0
    assert had == pytest.approx(60 / 6, rel=0.2)


def test_a_newcomer_begins_level_with_the_others():
    had, turns = played({"old": (0.05, 0.001, 0.0), "new": (0.05, 0.001, 30.0)}, 40.0)
    after = [name for at, name, _ in turns if at > 30.2]
    assert abs(after.count("old") - after.count("new")) <= 2
    assert had["new"] == pytest.approx(5.0, rel=0.1)


def test_who_stays_away_saves_up_no_time():
    runs = {"busy": (0.05, 0.001, 0.0), "other": (0.05, 0.001, 0.0), "back": (0.05, 4.0, 0.0, 3)}
    share = FairShare()
    played(runs, 10.0, share)
    share.ask("back")
    share.ask("busy")
    most = 0
    now = 10.0
    while share.choose(now)[0] == "back":
        share.begin("back")
        now += 0.05
        share.end(0.05, now)
        share.ask("back")
        most += 1
    assert most * 0.05 <= CREDIT + 0.15


def test_two_runs_of_one_visitor_share_its_share():
    share, had = FairShare(), Counter()
    for name in ("greedy", "greedy", "greedy", "modest"):
        share.ask(name)
    now = 0.0
    while now < 10:
        name, _ = share.choose(now)
        share.begin(name)
        now += 0.1
        share.end(0.1, now)
        share.ask(name)
        had[name] += 0.1
    assert had["greedy"] == pytest.approx(had["modest"], rel=0.05)


def test_the_device_does_not_idle_for_who_is_not_due():
    had, _ = played({"a": (0.01, 0.5, 0.0), "b": (0.01, 0.0, 0.0)}, 10.0)
    assert had["a"] + had["b"] > 9.5  # turns this short are not worth waiting for
    had, _ = played({"a": (0.1, 0.5, 0.0), "b": (0.1, 0.0, 0.0)}, 10.0)
    assert had["a"] + had["b"] > 9.3


def test_a_place_that_is_given_up_keeps_nobody_waiting():
    share = FairShare()
    share.ask("gone")
    share.ask("stays")
    share.withdraw("gone")
    assert share.choose(0.0) == ("stays", None)


def test_accounts_are_forgotten():
    share, now = FairShare(), 0.0
    for number in range(3000):
        share.ask(number)
        share.begin(number)
        now += 0.1
        share.end(0.1, now)
    assert len(share) <= REMEMBERED / 0.1 + 2
