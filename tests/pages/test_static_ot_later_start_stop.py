"""Later start: Stop also ends what has been asked for and waits in line."""

import gradio as gr
import pytest

from gensot_demo.experiments.static_ot.later_start_request import LaterStartRequest
from gensot_demo.pages import static_ot_later_start as page
from gensot_demo.pages.static_ot_later_start_report import settings


@pytest.fixture
def controls():
    with gr.Blocks():
        yield page.LaterStartControls()


@pytest.fixture
def no_work(monkeypatch):
    """The runs that were begun, none of which computes."""
    begun = []
    for name in ("run_wall", "run_calls"):
        monkeypatch.setattr(page, name, lambda request: begun.append(request) or iter(()))
    return begun


def test_a_drawing_stopped_before_its_turn_never_begins(controls, no_work):
    mine, values = page._Drawing(), tuple(controls.values(LaterStartRequest(seed=5_551)))
    waiting = page._asked(controls, mine, values)
    mine.choose()  # Stop
    assert all(moment == [gr.skip()] * page._PARTS for moment in page._draw(controls, mine, waiting, values))
    assert not no_work
    list(page._draw(controls, mine, page._asked(controls, mine, values), values))
    assert [request.seed for request in no_work] == [5_551]


def test_a_preset_asks_before_it_waits(controls, no_work):
    mine = page._Drawing()
    number, *values = page._setter(controls, {"signal": 60.0})(mine)
    assert mine.number == number
    assert mine.of.signal == 60
    mine.choose()
    assert list(page._draw(controls, mine, number, tuple(values))) == [[gr.skip()] * page._PARTS]
    assert not no_work


def test_a_late_landing_of_what_waits_ends_nothing(controls, no_work):
    mine, values = page._Drawing(), tuple(controls.values(LaterStartRequest(seed=5_552)))
    waiting = page._asked(controls, mine, values)
    page._landing(controls, mine, values)
    assert mine.number == waiting
    page._landing(controls, mine, tuple(controls.values(LaterStartRequest(seed=5_553))))
    assert mine.number != waiting


def test_a_measurement_says_of_which_settings_it_is():
    told = settings(LaterStartRequest(model="truth", pictures="clocks", signal=2, tau=0.6))
    for words in ("exact, of its training pictures", "pictures of clocks", "2 % signal", "τ = 0.6", "DPM-Solver++"):
        assert words in told


def test_a_measurement_of_other_settings_is_marked(controls):
    mine, shown = page._Measuring(), LaterStartRequest(signal=20)
    assert page._mark(controls, mine, tuple(controls.values(LaterStartRequest()))) == ""  # nothing is shown
    mine.of = shown
    for other, told in (({"model": "truth"}, True), ({"signal": 5.0}, True), ({"draws": 16, "calls": 3}, False)):
        values = controls.values(shown.model_copy(update=other))
        assert ("Of other settings" in page._mark(controls, mine, tuple(values))) is told


def test_a_measurement_stopped_before_its_turn_never_begins(controls, no_work):
    mine, values = page._Measuring(), tuple(controls.values(LaterStartRequest(seed=5_554)))
    waiting = mine.choose()
    mine.choose()
    assert list(page._measure(controls, mine, waiting, values)) == [[gr.skip()] * page._MEASUREMENT]
    assert not no_work
