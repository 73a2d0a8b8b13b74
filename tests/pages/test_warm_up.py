"""The background thread that gives way to visitors."""

import threading
import time

import pytest

from gensot_demo.pages.warm_up import WarmUp
from gensot_demo.switches import switched_on


def counting(steps, done, pause=0.01):
    def job():
        for _ in range(steps):
            time.sleep(pause)
            done.append(threading.current_thread())
            yield

    return job


def wait_until(condition, patience=10.0):
    end = time.monotonic() + patience
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


def test_jobs_run_one_after_the_other_in_one_thread():
    first, second = [], []
    warm_up = WarmUp(delay=0.05)
    warm_up.add(counting(5, first))
    warm_up.add(counting(5, second))
    wait_until(lambda: len(second) == 5)
    assert len(first) == 5
    assert len({*first, *second}) == 1


def test_where_it_is_switched_off_nothing_is_computed():
    done = []
    WarmUp(delay=0, wanted=False).add(counting(1, done, pause=0))
    time.sleep(0.1)
    assert done == []


@pytest.mark.parametrize(
    ("text", "on"), [(None, True), ("", True), ("true", True), ("1", True), (" False ", False), ("0", False)]
)
def test_a_switch_is_on_unless_it_says_otherwise(text, on, monkeypatch):
    monkeypatch.delenv("GENSOT_WARM_UP", raising=False)
    if text is not None:
        monkeypatch.setenv("GENSOT_WARM_UP", text)
    assert switched_on("GENSOT_WARM_UP") is on


def test_nothing_moves_while_a_visitor_runs_and_all_goes_on_after():
    done = []
    warm_up = WarmUp(delay=0)
    warm_up.add(counting(40, done))
    wait_until(lambda: len(done) >= 2)
    with warm_up.set_aside():
        before = len(done)
        time.sleep(0.15)
        assert len(done) == before
    wait_until(lambda: len(done) == 40)


def test_a_run_that_is_left_lets_the_jobs_go_on():
    done = []
    warm_up = WarmUp(delay=0)

    @warm_up.yields_to
    def run():
        yield 1
        yield 2

    moments = run()
    assert next(moments) == 1
    warm_up.add(counting(3, done))
    time.sleep(0.1)
    assert done == []
    moments.close()
    wait_until(lambda: len(done) == 3)


def test_a_job_that_fails_does_not_stop_the_next():
    done = []

    def broken():
        yield
        raise RuntimeError("broken")

    warm_up = WarmUp(delay=0.05)
    warm_up.add(broken)
    warm_up.add(counting(2, done))
    wait_until(lambda: len(done) == 2)
