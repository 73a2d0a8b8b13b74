"""Endpoints are registered and answer in one way."""

from __future__ import annotations

import doctest
import math

import gradio as gr
import pytest

from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.pages import named


def published(endpoint, work="light"):
    """The function that Gradio calls, and its event."""
    with gr.Blocks() as app:
        named.publish(endpoint, "tried", work)
    (event,) = app.fns.values()
    return event.fn, event


def test_its_examples_hold():
    assert doctest.testmod(named).failed == 0


def test_a_sentence_reaches_the_caller_and_numbers_are_json():
    def tried(query: str) -> dict:
        """Does it."""
        if query == "bad":
            raise InvalidRequest("Steps is 9.")
        return {"value": math.inf, "list": (1.0, math.nan)}

    answer, event = published(tried)
    assert answer("good") == {"value": None, "list": [1.0, None]}
    with pytest.raises(gr.Error, match=r"Steps is 9\."):
        answer("bad")
    assert event.api_name == event.name == "tried"


def test_light_work_has_a_line_of_its_own_and_long_work_not_that_of_comparisons():
    def tried(query: str) -> dict:
        """Does it."""
        return {}

    lines = {work: published(tried, work)[1].concurrency_id for work in ("light", "heavy", "long")}
    assert len(set(lines.values())) == 3


def test_a_stream_is_closed_with_its_caller():
    ended = []

    def tried(query: str):
        """Does it."""
        try:
            for n in range(10):
                yield {"done": n / 10}
        finally:
            ended.append(True)

    tried.__annotations__["return"] = dict
    moments = published(tried, "heavy")[0]("x")
    assert next(moments) == {"done": 0.0}
    moments.close()
    assert ended == [True]
