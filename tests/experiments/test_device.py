"""Turns on the device are taken in the order of asking, and handed back whatever happens."""

from __future__ import annotations

import threading
import time
from itertools import groupby

import pytest

from gensot_demo.experiments.device import Turnstile


def test_turns_come_in_the_order_of_asking():
    turn, order, threads = Turnstile(), [], []

    def visitor(number: int) -> None:
        with turn():
            order.append(number)

    with turn():
        for number in range(8):
            threads.append(threading.Thread(target=visitor, args=(number,), daemon=True))
            threads[-1].start()
            while len(turn._queue) < number + 2:  # until it has asked
                time.sleep(0.001)
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

    threads = [threading.Thread(target=visitor, args=(name,), daemon=True) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert most[0] == 1
    assert len(taken) == 60
    longest = max(len(list(run)) for _, run in groupby(taken[6:50]))
    assert longest <= 4  # a plain lock lets one thread take dozens of turns in a row


def test_a_turn_is_handed_back_after_an_error():
    turn = Turnstile()
    with pytest.raises(RuntimeError), turn():
        raise RuntimeError
    with turn():
        assert len(turn._queue) == 1
    assert len(turn._queue) == 0
