"""The endpoint of the speed-accuracy relation answers in numbers, and refuses in sentences."""

import json

import gradio as gr
import pytest

from gensot_demo.pages.energy_robustness_endpoints import speed_accuracy_endpoint


def test_the_endpoint_has_the_reference_case_and_the_plane():
    answer = speed_accuracy_endpoint("shift=1", plane=True)
    json.loads(json.dumps(answer, allow_nan=False))
    assert answer["line"]["cosine"]["c2"] == pytest.approx(0.1997, abs=6e-5)
    assert answer["floor"] == pytest.approx(0.1440, abs=6e-5)
    assert answer["plane"]["ot"]["c2"] == pytest.approx(answer["plane_floor"])
    for part in ("line", "plane"):
        assert all(one["worst"] <= 1 + 1e-9 for one in answer[part].values())


def test_what_has_no_number_is_null():
    answer = speed_accuracy_endpoint("start=spread&spread=1.6")
    assert answer["start_error"] is None
    assert speed_accuracy_endpoint("shift=0")["line"]["ot"]["eta"] is None
    with pytest.raises(gr.Error, match="must be a number from -3 to 3"):
        speed_accuracy_endpoint("shift=nan")
