"""Code that does not come back is stopped, says where it was, and leaves its thread as it found it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from gensot_demo.transport.errors import place_of, reason, require_number
from gensot_demo.transport.time_limit import TookTooLong, limited


def endless() -> None:
    while True:
        pass


def endless_and_deaf() -> None:
    while True:
        try:
            while True:
                pass
        except Exception:
            pass


@pytest.mark.parametrize("loop", [endless, endless_and_deaf])
def test_an_endless_loop_is_stopped_and_its_line_is_named(loop):
    with pytest.raises(
        TookTooLong, match=r"Mine did not answer within 0.2 s and was stopped \(test_time_limit.py, line"
    ):
        limited(loop, 0.2, "Mine")()


def test_it_works_in_any_thread_and_for_that_thread_only():
    said = []

    def work() -> None:
        try:
            limited(endless, 0.2)()
        except TookTooLong as error:
            said.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert len(said) == 1


def test_code_in_time_is_left_alone():
    assert limited(lambda a, b: a + b, 5.0)(1, 2) == 3
    with pytest.raises(ZeroDivisionError):
        limited(lambda: 1 / 0, 5.0)()
    assert limited(len, None) is len
    limited(int, 0.05)()
    time.sleep(0.2)  # nothing may arrive after it


def spin(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_many_that_end_at_the_limit_never_leak():
    """The function's end and the end of the time race, at its beginning too: either it is late, or nothing ever
    arrives, and nobody goes on watching."""
    late, random = 0, np.random.default_rng(0)
    for seconds in [0.0, 1e-5, 0.001, 0.003] * 100:
        try:
            limited(spin, seconds)(seconds + random.uniform(0, 0.011))
        except TookTooLong:
            late += 1
        for _ in range(1000):
            pass
    assert 40 < late < 400  # of 400, about half: both ends came
    time.sleep(1.1)  # what is left running would throw once more
    assert not [thread for thread in threading.enumerate() if thread.name == "time-limit"]


def test_the_place_is_the_innermost_line_of_ones_own():
    with pytest.raises(ValueError, match="steps must be a number") as ours:
        require_number("steps", "many", 1, 2)
    assert place_of(ours.value).startswith(" (test_time_limit.py, line ")
    with pytest.raises(ValueError, match="invalid literal") as theirs:
        int("x")
    assert reason(theirs.value).startswith("ValueError: invalid literal")
    assert f"({Path(__file__).name}, line" in reason(theirs.value)
    with pytest.raises(SyntaxError) as unread:
        compile("a = 1\nb = = 2\n", "/somewhere/mine.py", "exec")
    assert reason(unread.value) == "SyntaxError: invalid syntax (mine.py, line 2)"
