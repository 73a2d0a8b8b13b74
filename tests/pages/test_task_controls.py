"""The Compare page's controls and a request, in both directions, without a browser."""

from __future__ import annotations

import gradio as gr
import numpy as np
import pytest

from gensot_demo.experiments.requests import CompareRequest, InvalidRequest, parse
from gensot_demo.guidance.registry import REGISTRY
from gensot_demo.pages.controls import METHODS, Controls, run_controls
from gensot_demo.pages.method_controls import by_family, method_controls, usual_methods
from gensot_demo.pages.models import model_choice
from gensot_demo.pages.task_controls import ask_controls
from gensot_demo.pages.task_values import (
    ASK_CONDITIONS,
    ASK_FOLLOW,
    ASK_RESTORE,
    ASK_REWARD,
    PAINTED,
    canvas_of,
    plain_values,
    restore_at,
    reward_at,
)


@pytest.fixture(scope="module")
def controls() -> Controls:
    with gr.Blocks():
        made = Controls()
        made["backbone"] = model_choice()
        ask_controls(made)
        method_controls(made)
        run_controls(made)
        made["beside"] = gr.Checkbox()
    return made


@pytest.mark.parametrize(
    "asked",
    [
        {"restore": {}},
        {"restore": {"kind": "blur", "noise": 0.3, "picture": {"average": "hands"}}},
        {"restore": {"mask": "random pixels"}, "conditions": [{"name": "hearts", "trust": 2.0}]},
        {"reward": {"kind": "colour", "colour": "#00ff00", "amount": -3}},
        {"reward": {"kind": "class", "target": "hands"}},
        {"backbone": "collection", "reward": {"kind": "class", "target": "red"}},
        {"references": [{"emoji": "clown face"}]},
        {"conditions": [{"name": "hands"}]},
        {"methods": [{"name": "unguided"}, {"name": "gensot", "settings": {"stiffness": 7.0}}]},
    ],
)
def test_a_request_is_shown_and_read_back(controls, asked):
    request = parse(CompareRequest, **{"backbone": "network", **asked})
    assert controls.request(tuple(controls.values(request))) == request


def test_every_method_is_in_one_family_and_no_family_is_empty(controls):
    shown = [name for methods in by_family().values() for name in methods]
    assert sorted(shown) == sorted(REGISTRY.methods)
    assert [part.removeprefix(METHODS) for part in controls.parts if part.startswith(METHODS)] == list(by_family())


@pytest.mark.parametrize("ask", [ASK_FOLLOW, ASK_CONDITIONS, ASK_RESTORE, ASK_REWARD])
def test_the_usual_methods_are_methods_that_there_are(ask):
    assert "unguided" in usual_methods(ask)
    assert set(usual_methods(ask)) <= set(REGISTRY.methods)
    CompareRequest(methods=[{"name": name} for name in usual_methods(ask)])


def values(**changes) -> dict:
    return {"backbone": "network", **plain_values(), **changes}


def test_what_is_painted_is_hidden():
    layer = np.zeros((20, 20, 4), np.uint8)
    painted = {"ask": ASK_RESTORE, "mask": PAINTED, "reference_kind": "An emoji"}
    for nothing in (None, {"layers": []}, {"layers": [layer]}):
        with pytest.raises(InvalidRequest, match="The mask is empty: paint over what to hide"):
            restore_at(values(**painted, mask_drawing=nothing))
    layer[:5, :, 3] = 255
    assert restore_at(values(**painted, mask_drawing={"layers": [layer]}))["mask_png"].startswith(b"\x89PNG")


def test_a_colour_is_read_as_pickers_write_it():
    reward = {"ask": ASK_REWARD, "reward_kind": "A colour"}
    for written, colour in (
        ("rgba(0, 255.0, 16.4, 1)", "#00ff10"),
        ("rgb(208,28,28)", "#d01c1c"),
        ("#D01C1C", "#D01C1C"),
    ):
        assert reward_at(values(**reward, reward_colour=written))["colour"] == colour
    with pytest.raises(InvalidRequest, match="'not-a-colour'; it must be # and six digits"):
        parse(CompareRequest, reward=reward_at(values(**reward, reward_colour="not-a-colour")))


def test_the_ground_to_paint_on_is_the_picture_chosen():
    ground = canvas_of("An emoji", "faces", "cat face", None, None)
    assert ground["background"].shape == (256, 256, 3)
    assert canvas_of("A drawing", "faces", "cat face", None, None) is None
    assert canvas_of("An emoji", "faces", "no such emoji", None, None) is None
