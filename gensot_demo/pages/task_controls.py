"""The controls of the Compare page that say what is asked for: a picture to follow or restore, a reward, conditions."""

from __future__ import annotations

from typing import Any

import gradio as gr

from gensot_demo.backbones.catalogue import EMBEDDED
from gensot_demo.backbones.embedded import training_pictures
from gensot_demo.backbones.emoji import load_collection
from gensot_demo.experiments import limits
from gensot_demo.experiments.requests import CompareRequest, ReferenceChoice, RestoreChoice, RewardChoice

from .controls import BoundedSlider, Controls, slider_for
from .events import QUIET
from .models import FIRST, input_of
from .task_values import (
    ASK_CONDITIONS,
    ASK_FOLLOW,
    ASK_RESTORE,
    ASK_REWARD,
    AVERAGE,
    AVERAGE_OF,
    DRAWING,
    EMOJI,
    MASKS,
    NOTHING,
    PAINTED,
    RESTORES,
    REWARDS,
    UPLOAD,
    canvas_of,
    plain_values,
)

_BRUSH = "#e0218a"  # in no emoji's way, and seen on all of them


_CANVAS = {
    "type": "numpy", "visible": False, "canvas_size": (256, 256), "height": 380, "layers": False, "transforms": (),
    "sources": (),
}  # fmt: skip


def own_picture(colour: str) -> tuple[gr.Sketchpad, gr.File]:
    """Where a person draws a picture, with a brush of this colour, and where they bring one; out of sight at first."""
    brush = gr.Brush(default_size=16, default_color=colour)
    pad = gr.Sketchpad(label="Draw in any colours", elem_id="drawing", brush=brush, **_CANVAS)
    file = gr.File(label="A picture file, up to 8 MB", visible=False, file_types=["image"], type="filepath", height=120)
    return pad, file


def take_brush(editor: str) -> str:
    """An editor starts without a tool in hand; a visitor who chose to draw wants the brush."""
    press = f"document.querySelector('#{editor} button[aria-label=\"Brush\"]')?.click()"
    return f"() => {{ setTimeout(() => {press}, 700); }}"


def ask_controls(controls: Controls) -> None:
    """What is asked: a picture to follow or to restore, a reward, or conditions."""
    controls["ask"] = gr.Radio(
        [ASK_FOLLOW, ASK_CONDITIONS, ASK_RESTORE, ASK_REWARD], value=ASK_FOLLOW, label="What is asked for"
    )
    _picture_controls(controls)
    _follow_controls(controls)
    _restore_controls(controls)
    _reward_controls(controls)
    _condition_controls(controls)
    controls["strength"] = slider_for(
        CompareRequest.model_fields["strength"],
        "Strength",
        "Multiplies every condition's trust: 1 asks once, 3 insists.",
        visible=False,
    )
    controls["ask"].input(  # by hand only: a link brings its own
        _usual_values, [controls[name] for name in _USUAL], [controls[name] for name in _USUAL[1:]], **QUIET
    )


_USUAL = ("ask", "reference_kind", "condition_1", "class_1")


def _usual_values(ask: str, kind: str, condition: str, label: str) -> list[Any]:
    """[kind of picture, condition, class] that a task of this kind begins with: a single picture is restored, not an
    average, and conditions are added by the visitor."""
    plain = plain_values()
    if ask == ASK_CONDITIONS:
        first = [condition, label]
        return [gr.skip(), *(plain["condition_1"] if name == NOTHING else gr.skip() for name in first)]
    if ask in (ASK_RESTORE, ASK_REWARD):
        return [EMOJI if ask == ASK_RESTORE and kind == AVERAGE else gr.skip(), NOTHING, NOTHING]
    return [gr.skip()] * 3


def _picture_controls(controls: Controls) -> None:
    names, plain = load_collection().condition_names(), plain_values()
    kinds = [AVERAGE, EMOJI, DRAWING, UPLOAD]
    with gr.Group() as controls.groups["picture"]:
        controls["reference_kind"] = gr.Radio(kinds, value=AVERAGE, label="Picture")
        controls["average"] = gr.Dropdown(names, value=plain["average"], label="The average of all")
        controls["emoji"] = gr.Dropdown(
            list(load_collection().names), value=plain["emoji"], label="Emoji", visible=False, filterable=True
        )
        controls["drawing"], controls["file"] = own_picture("#f2b705")
    parts = dict(zip(kinds, ("average", "emoji", "drawing", "file"), strict=True))
    controls["reference_kind"].input(None, js=take_brush("drawing"), api_visibility="private")
    controls["reference_kind"].change(
        lambda kind: [gr.update(visible=kind == name) for name in parts],
        controls["reference_kind"],
        [controls[part] for part in parts.values()],
        **QUIET,
    )


def _follow_controls(controls: Controls) -> None:
    names = load_collection().condition_names()
    with gr.Group() as controls.groups["follow"]:
        controls["view_noise"] = BoundedSlider(
            *limits.VIEW_NOISE,
            8.0,
            step=0.1,
            label="View noise",
            info="How blurred the view of the picture is, in standard deviations per pixel: large leaves more freedom.",
        )
        with gr.Accordion("Trust, and a second picture", open=False):
            controls["reference_trust"] = slider_for(ReferenceChoice.model_fields["trust"], "Trust in the picture")
            controls["second"] = gr.Dropdown(
                [NOTHING, *(AVERAGE_OF + name for name in names), *load_collection().names],
                value=NOTHING,
                label="Second picture",
                filterable=True,
            )
            controls["second_trust"] = slider_for(ReferenceChoice.model_fields["trust"], "Trust in the second picture")


def _restore_controls(controls: Controls) -> None:
    plain = plain_values()
    with gr.Group(visible=False) as controls.groups["restore"]:
        controls["restore_kind"] = gr.Radio(
            list(RESTORES), value=plain["restore_kind"], label="What has become of the picture"
        )
        controls["mask"] = gr.Radio([*MASKS, PAINTED], value=plain["mask"], label="What is hidden")
        controls["mask_drawing"] = gr.ImageEditor(
            label="Paint over what to hide",
            elem_id="mask-drawing",
            **_CANVAS,
            brush=gr.Brush(default_size=24, colors=[_BRUSH], default_color=_BRUSH, color_mode="fixed"),
        )
        controls["restore_noise"] = slider_for(
            RestoreChoice.model_fields["noise"],
            "Noise of the measurement",
            "Standard deviation of each measured number, where black is -1 and white 1: 0.1 is 13 of 255 grey levels.",
        )
    pictured = [controls[name] for name in ("mask", "reference_kind", "average", "emoji", "drawing", "file")]
    controls["mask"].input(None, js=take_brush("mask-drawing"), api_visibility="private")
    gr.on(
        [controls["restore_kind"].change, controls["mask"].change],
        lambda kind, mask: [
            gr.update(visible=RESTORES[kind] == "mask"),
            gr.update(visible=RESTORES[kind] == "mask" and mask == PAINTED),
        ],
        [controls["restore_kind"], controls["mask"]],
        [controls["mask"], controls["mask_drawing"]],
        **QUIET,
    )
    gr.on(  # what is painted over is the picture itself
        [controls["mask"].input, *(controls[name].input for name in ("reference_kind", "average", "emoji"))],
        lambda mask, *values: canvas_of(*values) if mask == PAINTED else gr.skip(),
        pictured,
        controls["mask_drawing"],
        **QUIET,
    )


def _reward_controls(controls: Controls) -> None:
    plain = plain_values()
    with gr.Group(visible=False) as controls.groups["reward"]:
        controls["reward_kind"] = gr.Radio(list(REWARDS), value=plain["reward_kind"], label="What is rewarded")
        controls["reward_colour"] = gr.ColorPicker(
            plain["reward_colour"], label="Colour", visible=False, elem_id="reward-colour"
        )
        for kind, known in (
            ("condition", load_collection().condition_names()),
            ("class", list(training_pictures().classes)),
        ):
            controls[f"reward_{kind}"] = gr.Dropdown(
                known, value=plain[f"reward_{kind}"], label=f"Rewarded {kind}", filterable=True, visible=False
            )
        controls["reward_amount"] = BoundedSlider(
            -limits.MAX_REWARD,
            limits.MAX_REWARD,
            RewardChoice.model_fields["amount"].default,
            step=0.1,
            label="Amount",
            info="Nats of log-probability per 10 grey levels, of a class per nat. Below 0 the opposite is wanted.",
        )


def _condition_controls(controls: Controls) -> None:
    names, plain = load_collection().condition_names(), plain_values()
    with gr.Group(visible=False) as controls.groups["conditions"]:
        for number, title in (("1", ""), ("2", "and ")):
            with gr.Row():
                for kind, known in (("condition", names), ("class", list(training_pictures().classes))):
                    controls[f"{kind}_{number}"] = gr.Dropdown(
                        [NOTHING, *known],
                        value=plain[f"{kind}_{number}"],
                        label=f"{title}{kind}".capitalize(),
                        filterable=True,
                        min_width=140,
                        visible=kind == input_of(FIRST),
                    )
                controls[f"condition_trust_{number}"] = _trust()
    with gr.Group(visible=False) as controls.groups["prompts"]:
        for number, title, example in (("1", "Prompt", "a cat"), ("2", "and prompt", "a painting")):
            with gr.Row():
                controls[f"prompt_{number}"] = gr.Textbox(
                    label=title, placeholder=example, min_width=140, max_lines=3, max_length=limits.MAX_PROMPT_TYPED
                )
                controls[f"prompt_trust_{number}"] = _trust()
        controls["negative"] = gr.Textbox(label="Negative prompt", info="What guidance leads away from.", max_lines=3)


def _trust() -> gr.Slider:
    return BoundedSlider(0, limits.MAX_TRUST, 1.0, step=0.1, label="Trust", min_width=120)


_SWITCHED_GROUPS = ("picture", "follow", "restore", "reward", "conditions", "prompts", "measure")
_BY_KIND = tuple(f"{kind}_{number}" for kind in ("condition", "class") for number in ("1", "2"))
_SWITCHED = (*_BY_KIND, "reward_colour", "reward_condition", "reward_class", "strength", "resolution", "beside")


def show_what_applies(controls: Controls) -> None:
    """Show what the chosen model can be asked for, and nothing else; of what the page has."""
    known = {**controls.groups, **controls.parts}
    here = [n for n, name in enumerate((*_SWITCHED_GROUPS, *_SWITCHED)) if name in known]

    def shown(*values: str) -> list[dict[str, Any]]:
        updates = _what_applies(*values)
        return [updates[n] for n in here]

    gr.on(
        [controls[name].change for name in ("ask", "backbone", "reward_kind")],
        shown,
        [controls["ask"], controls["backbone"], controls["reward_kind"]],
        [known[(*_SWITCHED_GROUPS, *_SWITCHED)[n]] for n in here],
        **QUIET,
    )


def _what_applies(ask: str, backbone: str, reward: str) -> list[dict[str, Any]]:
    """Whether each of _SWITCHED_GROUPS and _SWITCHED is in sight."""
    kind = input_of(backbone)
    following, prompted, rewarded = ask == ASK_FOLLOW, kind == "prompt", REWARDS[reward]
    conditioned = not following and kind in ("condition", "class")
    exact = backbone in EMBEDDED and EMBEDDED[backbone].exact
    visible = [ask in (ASK_FOLLOW, ASK_RESTORE), following, ask == ASK_RESTORE, ask == ASK_REWARD]
    visible += [conditioned, prompted, exact]
    visible += [name.startswith(f"{kind}_") for name in _BY_KIND]
    visible += [rewarded == "colour", *(rewarded == "class" and kind == known for known in ("condition", "class"))]
    visible += [prompted or conditioned, kind == "condition", backbone == FIRST]
    return [gr.update(visible=value) for value in visible]
