"""What pages share in their wiring: the first view is kept when it is whole, and gives way to a visitor's."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.runs import RunStore
from gensot_demo.pages.events import followed, keep_first


@dataclass(frozen=True)
class Moment:
    """Of a run whose partial and last results are of one kind."""

    request: str
    done: float


def moments(request: str):
    for done in (0.2, 0.6, 1.0):
        yield Moment(request, done)


def test_the_last_moment_of_a_first_view_is_kept_and_no_earlier_one():
    store = RunStore()
    steps = keep_first(moments, "first", Moment, store)
    for _ in range(3):
        next(steps)
        assert store.find("first") is None
    assert list(steps) == []
    assert store.get(store.find("first")).done == 1.0


def test_a_faster_visitor_is_not_overtaken():
    store = RunStore()
    steps = keep_first(moments, "first", Moment, store)
    next(steps)
    name = store.keep(Moment("first", 1.0))
    assert list(steps) == []
    assert store.find("first") == name


def test_a_link_is_followed_with_notes_or_the_line_says_why_not():
    def broken():
        raise InvalidRequest("steps is 1000000000: at most 200.")

    assert followed(lambda: ("wanted", []), "plain") == ("wanted", gr.update(visible=False))
    wanted, line = followed(lambda: ("wanted", ["depth is not known."]), "plain")
    assert wanted == "wanted"
    assert line["visible"]
    assert "depth is not known" in line["value"]
    wanted, line = followed(broken, "plain", "first grid")
    assert wanted == "plain"
    assert "1000000000" in line["value"]
    assert "first grid is shown" in line["value"]
