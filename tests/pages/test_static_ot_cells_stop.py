"""Cells: what falls with T is of the points that are shown, and Stop also ends what waits in line."""

import gradio as gr
import pytest

from gensot_demo.experiments.static_ot.cells_decay import decays
from gensot_demo.experiments.static_ot.cells_request import CellsRequest
from gensot_demo.pages import static_ot_cells as page
from gensot_demo.pages.events import Latest

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
    moments = page.while_asked(latest, number, iter([[1, 1, 1], [2, 2, 2], [3, 3, 3]]))
    if before:
        assert next(moments) == [1, 1, 1]
    latest.choose()
    assert list(moments) == [SKIPPED]


def test_what_is_asked_for_runs_to_its_end():
    latest = Latest()
    assert list(page.while_asked(latest, latest.choose(), iter([[1], [2]]))) == [[1], [2]]
