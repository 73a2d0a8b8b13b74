"""The controls of the Sequences page: every request survives them, and bad input is said in a sentence."""

from __future__ import annotations

import gradio as gr
import numpy as np
import pytest

from gensot_demo.experiments.requests import InvalidRequest, MethodChoice
from gensot_demo.experiments.sequences.request import AlongPath, Morph, SequenceRequest, TurningColour
from gensot_demo.experiments.sequences.run import followers
from gensot_demo.pages.sequences_controls import SequenceControls
from gensot_demo.pages.task_values import DRAWING, UPLOAD


@pytest.fixture(scope="module")
def controls():
    with gr.Blocks():
        return SequenceControls()


def changed(controls: SequenceControls, request: SequenceRequest, **values) -> list:
    at = dict(zip(controls.parts, controls.values(request), strict=True))
    return list((at | values).values())


@pytest.mark.parametrize(
    "request_",
    [
        SequenceRequest(),
        SequenceRequest(motion=Morph(start={"emoji": "cat face"}, end={"average": "hearts"}), noise="fresh"),
        SequenceRequest(motion=AlongPath(points=((0.1, 0.9), (0.5, 0.25), (1.0, 0.0)), size=0.4), memory="guide"),
        SequenceRequest(
            motion=TurningColour(picture={"emoji": "dog face"}, turn=-90.0),
            backbone="collection",
            memory="reference",
            trust=2.0,
            methods=(
                MethodChoice(name="sdedit"),
                MethodChoice(name="gensot", settings={"stiffness": 5.0, "temperature": 0.5}),
            ),
        ),
    ],
)
def test_what_is_shown_is_what_is_asked(controls, request_):
    assert controls.request(tuple(controls.values(request_))) == request_


def test_a_drawing_and_a_file_are_pictures(controls, tmp_path):
    drawn = np.full((20, 20, 4), 255, np.uint8)
    drawn[5:15, 5:15, :3] = 0
    path = SequenceRequest(motion=AlongPath())
    found = controls.request(changed(controls, path, source=DRAWING, drawing={"composite": drawn}))
    assert found.motion.picture.png is not None
    for source, sentence in ((DRAWING, "The drawing is empty"), (UPLOAD, "No file is chosen")):
        with pytest.raises(InvalidRequest, match=sentence):
            controls.request(changed(controls, path, source=source))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"points": None}, "The path is empty"),
        ({"points": '{"tool":"curve","curve":[[0.5,0.5]]}'}, "The path is empty"),
        ({"points": "rubbish"}, "The path cannot be read"),
        ({"picture": None}, "Emoji is empty"),
        ({"methods": []}, "no method is chosen"),
        ({"frames": 30}, "from 8 to 24"),
        ({"settings": "gensot*stiffness:-5", "methods": ["gensot"]}, "Stiffness is '-5'"),
        ({"seed": None}, "Seed"),
    ],
)
def test_bad_input_is_said(controls, values, sentence):
    with pytest.raises(InvalidRequest, match=sentence):
        controls.request(changed(controls, SequenceRequest(motion=AlongPath()), **values))


def test_only_methods_that_can_follow_are_offered():
    names = [name for _, name in followers()]
    assert {"unguided", "sdedit", "dps", "gensot"} <= set(names)
    assert "ddnm" not in names
