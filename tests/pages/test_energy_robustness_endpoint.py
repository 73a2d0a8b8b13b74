"""The endpoint of the speed-accuracy relation answers in numbers, and refuses in sentences."""

import json

import gradio as gr
import pytest

from gensot_demo.experiments.energy.robustness import RobustnessRequest
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.pages.energy_robustness import _pictured, _spatial
from gensot_demo.pages.energy_robustness_controls import StartControls, TurnControls, values_of
from gensot_demo.pages.energy_robustness_endpoints import speed_accuracy_endpoint
from gensot_demo.transport.errors import Explained


def test_the_endpoint_has_the_reference_case_and_the_plane():
    *told, answer = speed_accuracy_endpoint("shift=1", plane=True)
    shares = [moment["done"] for moment in told]
    assert shares == sorted(shares)
    assert shares
    json.loads(json.dumps(answer, allow_nan=False))
    assert answer["line"]["cosine"]["c2"] == pytest.approx(0.1997, abs=6e-5)
    assert answer["floor"] == pytest.approx(0.1440, abs=6e-5)
    assert answer["plane"]["ot"]["c2"] == pytest.approx(answer["plane_floor"])
    for part in ("line", "plane"):
        assert all(one["worst"] <= 1 + 1e-9 for one in answer[part].values())


def test_what_has_no_number_is_null():
    (answer,) = speed_accuracy_endpoint("start=spread&spread=1.6")
    assert answer["start_error"] is None
    assert answer["line"]["cosine"]["eta"] is None
    (answer,) = speed_accuracy_endpoint("shift=0")
    assert answer["line"]["ot"]["eta"] is None
    with pytest.raises(InvalidRequest, match="must be a number from -3 to 3"):
        next(speed_accuracy_endpoint("shift=nan"))


FAR_OUT = ((2.95, 0.0), (2.98, 4.0), (3.01, 0.0))
"""A drawn start that is a law, and that none of some hundred particles meets."""


def test_a_start_that_no_particle_meets_says_so():
    query = "start=drawn&points=" + ";".join(f"{x},{height}" for x, height in FAR_OUT)
    (answer,) = speed_accuracy_endpoint(query)
    assert answer["start_error"] > 1  # on the line it is a start as any other
    with pytest.raises(Explained, match="does not meet a single particle"):
        list(speed_accuracy_endpoint(query, plane=True))


@pytest.mark.parametrize("run", [_spatial, _pictured])
def test_the_page_says_so_too(run):
    request = RobustnessRequest(start="drawn", points=FAR_OUT, particles=50, steps=4)
    values = [part["value"] if isinstance(part, dict) else part for part in values_of(request)]
    line = list(run(tuple(values)))[-1][0]
    assert "does not meet a single particle" in line
    assert "alert" in line


def test_a_slider_takes_what_its_box_will_show():
    with gr.Blocks():
        start, turn = StartControls(), TurnControls()
    shift, euler = start["shift"], turn["euler"]
    assert [shift.preprocess(typed) for typed in (99, -99, None, 1.5)] == [3, -3, 0, 1.5]
    assert [euler.preprocess(typed) for typed in (None, 4, 7, 1000)] == [5, 5, 7, 100]
    assert shift.get_block_name() == "slider"  # what the browser draws
