"""Turns on the device: one at a time, an account's own in the order of asking, handed back whatever happens."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from itertools import groupby

import pytest

from gensot_demo.experiments.device import TURNSTILE, TimeUsedUp, Turnstile
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.turns import in_turn


def until(condition) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def begun(target, *values) -> threading.Thread:
    thread = threading.Thread(target=target, args=values, daemon=True)
    thread.start()
    return thread


def test_turns_of_one_account_come_in_the_order_of_asking():
    turn, order, threads = Turnstile(), [], []

    def visitor(number: int) -> None:
        with turn():
            order.append(number)

    with turn():
        for number in range(8):
            threads.append(begun(visitor, number))
            until(lambda number=number: turn.waiting == number + 1)
    for thread in threads:
        thread.join(timeout=5)
    assert order == list(range(8))


def test_one_at_a_time_and_no_run_starves_another():
    turn, inside, most, taken = Turnstile(), [0], [0], []

    def visitor(name: str) -> None:
        for _ in range(20):
            with turn():
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                taken.append(name)
                time.sleep(0.001)
                inside[0] -= 1

    for thread in [begun(visitor, name) for name in "abc"]:
        thread.join(timeout=10)
    assert most[0] == 1
    assert len(taken) == 60
    longest = max(len(list(run)) for _, run in groupby(taken[6:50]))
    assert longest <= 4  # a plain lock lets one thread take dozens of turns in a row


def test_the_next_turn_is_of_who_has_had_the_least():
    who = threading.local()
    ticks = itertools.count()
    turn = Turnstile(lambda: (who.name, None), clock=lambda: float(next(ticks) % 2**20))
    order: list[str] = []

    def visitor(name: str) -> None:
        who.name = name
        with turn():
            order.append(name)

    who.name = "host"
    with turn():
        threads = []
        for count, name in enumerate(("greedy", "greedy", "greedy", "modest")):
            threads.append(begun(visitor, name))
            until(lambda count=count: turn.waiting == count + 1)
    for thread in threads:
        thread.join(timeout=5)
    assert order == ["greedy", "modest", "greedy", "greedy"]  # first come, first served would have it last


def test_a_turn_is_handed_back_after_an_error():
    turn = Turnstile()
    with pytest.raises(RuntimeError), turn():
        raise RuntimeError
    assert turn.free
    with turn():
        assert not turn.free
    assert turn.free


def test_a_closed_run_gives_the_device_back():
    turn = Turnstile()

    def steps():
        while True:
            with turn():
                time.sleep(0.001)
            yield

    run = steps()
    next(run)
    run.close()
    assert turn.free
    with turn():
        other = begun(lambda: next(steps()))
        until(lambda: turn.waiting == 1)
    other.join(timeout=5)
    assert turn.free
    assert turn.waiting == 0


def test_many_accounts_in_many_threads_all_get_through():
    who = threading.local()
    turn = Turnstile(lambda: (who.name, None))
    ended = []

    def visitor(number: int) -> None:
        who.name = number % 7
        for _ in range(30):
            with turn():
                time.sleep(0.0002 if number % 2 else 0.001)
            time.sleep(0.0005)
        ended.append(number)

    for thread in [begun(visitor, number) for number in range(16)]:
        thread.join(timeout=60)
    assert sorted(ended) == list(range(16))
    assert turn.free


def test_a_run_has_only_so_much_of_the_device():
    at = [0.0]
    turn = Turnstile(lambda: ("visitor", "run 1"), clock=lambda: at[0], most=lambda: 10.0)
    for _ in range(4):
        with turn():
            at[0] += 3.0
        at[0] += 100.0  # thinking and waiting do not count
    with pytest.raises(TimeUsedUp, match="10 seconds"), turn():
        pass
    turn.whose = lambda: ("visitor", "run 2")
    with turn():
        at[0] += 1.0
    assert turn.free


def test_what_a_run_found_before_its_time_was_up_has_been_told(monkeypatch):
    from gensot_demo.experiments import turns

    at = [0.0]
    turn = Turnstile(lambda: ("visitor", "run"), clock=lambda: at[0], most=lambda: 5.0)
    monkeypatch.setattr(turns, "TURNSTILE", turn)

    def work():
        for n in range(100):
            at[0] += 2.0
            yield n

    found = []
    with pytest.raises(InvalidRequest, match="5 seconds"):
        found.extend(in_turn(work()))
    assert found == [0, 1, 2]


def test_a_comparison_that_is_closed_leaves_the_device_after_its_step(monkeypatch):
    from gensot_demo.experiments import compare as experiment
    from gensot_demo.experiments.requests import CompareRequest, MethodChoice, ReferenceChoice

    taken = []

    class Counted(Turnstile):
        def __call__(self):
            taken.append(True)
            return super().__call__()

    turn = Counted()
    monkeypatch.setattr(experiment, "TURNSTILE", turn)
    methods = (MethodChoice(name="unguided"),)
    references = (ReferenceChoice(average="faces"),)
    request = CompareRequest(references=references, methods=methods, steps=40, samples=1, resolution=32)
    run = experiment.compare(request)
    next(run)
    so_far = len(taken)
    assert so_far < 20  # of more than 40
    run.close()
    assert turn.free
    assert len(taken) == so_far
    with turn():
        pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_copy_of_the_process_made_during_a_turn_has_the_device_to_itself():
    with TURNSTILE():
        copy = os.fork()
        if not copy:
            try:
                signal.alarm(20)
                with TURNSTILE():
                    os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(copy, 0)
        assert status == 0
        assert not TURNSTILE.free


def test_an_interrupt_while_waiting_leaves_nothing_behind(monkeypatch):
    names = ["host"]
    turn = Turnstile(lambda: (names[-1], None))

    class Interrupted(threading.Condition):
        def wait(self, timeout=None):
            raise KeyboardInterrupt

    with turn():
        monkeypatch.setattr("gensot_demo.experiments.device.threading.Condition", Interrupted)
        names.append("visitor")
        with pytest.raises(KeyboardInterrupt), turn():
            pass
    assert not turn._lines
    assert turn.free
