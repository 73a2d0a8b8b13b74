"""Cells: what falls with T is of the points that are shown, and Stop also ends what waits in line."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from threading import Event
from time import sleep

import gradio as gr
import pytest

from gensot_demo.experiments.static_ot.cells_decay import decays
from gensot_demo.experiments.static_ot.cells_request import CellsRequest
from gensot_demo.figures.pad import drawing_value
from gensot_demo.pages import static_ot_cells as page
from gensot_demo.pages.events import Latest
from gensot_demo.pages.static_ot_cells_turns import Choices, while_asked

SKIPPED = [gr.skip()] * 3


def test_of_other_points_nothing_stays():
    unseen = CellsRequest(data="random", count=2, seed=7_771)
    figure, sentences, status = page._known(unseen)
    assert (figure, sentences) == (None, "")
    assert "waiting" in status
    *_, last = decays(unseen)
    assert last.done == 1
    figure, sentences, status = page._known(CellsRequest(data="random", count=2, seed=7_771, time=1))
    assert figure["data"]
    assert "e^" in sentences or "stays" in sentences or "left" in sentences
    assert status == ""


@pytest.mark.parametrize("before", [0, 1])
def test_what_is_overtaken_ends_or_never_begins(before):
    latest = Latest()
    number = latest.choose()
    moments = while_asked(latest, number, iter([[1, 1, 1], [2, 2, 2], [3, 3, 3]]))
    if before:
        assert next(moments) == [1, 1, 1]
    latest.choose()
    assert list(moments) == [SKIPPED]


def test_what_is_asked_for_runs_to_its_end():
    latest = Latest()
    assert list(while_asked(latest, latest.choose(), iter([[1], [2]]))) == [[1], [2]]


def test_a_choice_that_is_overtaken_is_not_shown_and_one_that_waits_never_begins():
    latest, began, go = Choices(), Event(), Event()

    def slow(number):
        began.set()
        assert go.wait(20)
        return number

    with ThreadPoolExecutor() as pool:
        first = pool.submit(latest.newest, slow)
        assert began.wait(20)
        asked = latest.number
        second = pool.submit(latest.newest, lambda number: pytest.fail("was overtaken"))
        while latest.number == asked:
            sleep(0.001)
        assert latest.stop()
        go.set()
        assert first.result() is None
        assert second.result() is None
    assert latest.newest(lambda number: number) == latest.number
    assert not latest.stop()


def test_each_visitor_has_choices_of_their_own():
    mine, other = Choices(), deepcopy(Choices())
    mine.choose()
    assert other.number == -1


@pytest.mark.parametrize(
    ("points", "sentence"),
    [
        ([], "No points are drawn."),
        ([[1, 2]], "One point is drawn"),
        ([[0.01 * k, k % 3] for k in range(346)], "346 points are drawn; at most 32 are allowed."),
        ([[2, 3], [2.5, 1], [2, 3]], "Points 1 and 3 are 0 apart, both near (2, 3)"),
    ],
)
def test_a_drawing_that_cannot_be_used_leaves_what_is_shown_and_says_so(points, sentence):
    with gr.Blocks():
        controls = page._Controls()
    values = ("drawn", drawing_value("points", points=points), 4.0, 12, 0, "anywhere")
    found = page._show(controls, values)
    line = next(part for part in found if isinstance(part, str))
    assert sentence in line
    assert "What is shown is still of other points." in line
    assert len(found) == 14
