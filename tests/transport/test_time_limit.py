"""Code that does not come back is stopped, says where it was, and leaves its thread as it found it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from gensot_demo.transport.errors import place_of, reason, require_number
from gensot_demo.transport.time_limit import TookTooLong, limited, time_limit


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
    with pytest.raises(ZeroDivisionError), time_limit(5.0):
        _ = 1 / 0
    with time_limit(None):
        pass
    with time_limit(0.05):
        pass
    time.sleep(0.2)  # nothing may arrive after the block


def test_many_that_end_at_the_limit_never_leak():
    """The end of the block and the end of the time race: either the block is late, or nothing ever arrives."""
    for _ in range(60):
        try:
            with time_limit(0.005):
                end = time.perf_counter() + 0.005
                while time.perf_counter() < end:
                    pass
        except TookTooLong:
            pass
        for _ in range(1000):
            pass


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
