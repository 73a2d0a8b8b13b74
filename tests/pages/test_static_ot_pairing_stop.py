"""Pairing: what was asked for before a Stop or another choice ends, or never begins."""

import gradio as gr

from gensot_demo.pages import static_ot_pairing as page
from gensot_demo.pages.events import Latest, while_latest

SKIPPED = [gr.skip()] * len(page._SLOTS)


def test_what_waits_in_line_does_not_begin_after_a_stop():
    latest, begun = Latest(), []
    moments = (begun.append(n) or [n] for n in range(3))
    number = latest.choose()
    page._stopped(latest)
    assert list(while_latest(latest, number, moments, len(SKIPPED))) == [[page._STOPPED, *SKIPPED[1:]]]
    assert begun == []


def test_another_choice_ends_what_runs_and_only_that():
    latest = Latest()
    number = latest.choose()
    moments = while_latest(latest, number, iter([["a"], ["b"], ["c"]]), len(SKIPPED))
    assert next(moments) == ["a"]
    assert list(while_latest(latest, latest.choose(), iter([["d"]]), len(SKIPPED))) == [["d"]]
    assert list(moments) == [SKIPPED]


def test_the_first_view_is_shown_to_who_has_chosen_nothing():
    assert list(while_latest(Latest(), -1, iter([["a"], ["b"]]), len(SKIPPED))) == [["a"], ["b"]]
