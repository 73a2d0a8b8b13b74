"""The controls of the Compare page and their two directions: to a request, and from one (a link, a preset).

Each method's own controls are made from the fields of its class, so a method from outside gets them by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import gradio as gr
import numpy as np
from pydantic.fields import FieldInfo

from gensot_demo.backbones.emoji import load_collection
from gensot_demo.experiments import limits
from gensot_demo.experiments.images import to_png
from gensot_demo.experiments.requests import (
    DEFAULT_METHODS,
    CompareRequest,
    InvalidRequest,
    ReferenceChoice,
    parse,
)
from gensot_demo.guidance.base import GuidanceMethod
from gensot_demo.guidance.registry import REGISTRY
from gensot_demo.transport.catalogue import SAMPLERS

ASK_FOLLOW, ASK_CONDITIONS = "Follow a picture", "Conditions"
AVERAGE, EMOJI, DRAWING, UPLOAD = "An average", "An emoji", "A drawing", "A file"
NOTHING = "(none)"
_TAKE_BRUSH = (
    "() => { setTimeout(() => document.querySelector('#drawing button[aria-label=\"Brush\"]')?.click(), 700); }"
)
_USUAL_METHODS = {
    ASK_FOLLOW: list(DEFAULT_METHODS),
    ASK_CONDITIONS: ["unguided", "conditional", "cfg", "gensot"],
}
_AVERAGE_OF = "average of "
PATH_LABELS = {"cosine": "Cosine", "condot": "Straight (CondOT)", "vp": "VP-linear", "ve": "VE"}


@dataclass
class Controls:
    """Components in a fixed order, by name. ``settings`` are (method, field, component)."""

    parts: dict[str, gr.components.Component] = field(default_factory=dict)
    settings: list[tuple[str, str, gr.components.Component]] = field(default_factory=list)

    def __setitem__(self, name: str, component: gr.components.Component) -> None:
        self.parts[name] = component

    def __getitem__(self, name: str) -> gr.components.Component:
        return self.parts[name]

    def all(self) -> list[gr.components.Component]:
        """Every component whose value makes the request."""
        return [*self.parts.values(), *(component for _, _, component in self.settings)]

    def request(self, values: tuple[Any, ...]) -> CompareRequest:
        """The request of these values; raises InvalidRequest with a sentence."""
        at = dict(zip(self.parts, values, strict=False))
        settings: dict[str, dict[str, Any]] = {}
        for (method, name, _), value in zip(self.settings, values[len(self.parts) :], strict=True):
            settings.setdefault(method, {})[name] = value
        following = at["ask"] == ASK_FOLLOW
        return parse(
            CompareRequest,
            conditions=() if following else _conditions(at),
            references=_references(at) if following else (),
            strength=at["strength"],
            view_noise=at["view_noise"],
            steps=at["steps"],
            samples=at["samples"],
            seed=at["seed"],
            sampler=at["sampler"],
            path=at["path"],
            resolution=int(at["resolution"]),
            methods=[  # in the registry's order, however they were switched on
                {"name": name, "settings": settings.get(name, {})}
                for name in sorted(at["methods"] or [], key=list(REGISTRY.methods).index)
            ],
        )

    def values(self, request: CompareRequest) -> list[Any]:
        """What the components show for a request, in the order of :meth:`all`."""
        plain = _plain_values()
        plain |= _shown_conditions(request) | _shown_references(request)
        if not request.conditions and not request.references:
            plain["ask"] = ASK_CONDITIONS
        for name in ("strength", "view_noise", "steps", "samples", "seed", "sampler", "path"):
            plain[name] = getattr(request, name)
        plain["resolution"] = str(request.resolution)
        plain["methods"] = [choice.name for choice in request.methods]
        chosen = {choice.name: choice.settings for choice in request.methods}
        settings = [
            chosen.get(method, {}).get(name, REGISTRY.get(method).model_fields[name].default)
            for method, name, _ in self.settings
        ]
        return [plain[name] for name in self.parts] + settings


def _conditions(at: dict[str, Any]) -> list[dict[str, Any]]:
    chosen = []
    for number in ("1", "2"):
        name = at[f"condition_{number}"]
        if name and name != NOTHING:
            chosen.append({"name": name, "trust": at[f"condition_trust_{number}"]})
    return chosen


def _references(at: dict[str, Any]) -> list[dict[str, Any]]:
    kind, trust = at["reference_kind"], at["reference_trust"]
    if kind == AVERAGE:
        first = {"average": at["average"], "trust": trust}
    elif kind == EMOJI:
        first = {"emoji": at["emoji"], "trust": trust}
    elif kind == DRAWING:
        first = {"png": _drawing(at["drawing"]), "trust": trust}
    else:
        first = {"png": _file(at["file"]), "trust": trust}
    second = at["second"]
    if not second or second == NOTHING:
        return [first]
    kind, name = ("average", second.removeprefix(_AVERAGE_OF)) if second.startswith(_AVERAGE_OF) else ("emoji", second)
    return [first, {kind: name, "trust": at["second_trust"]}]


def _drawing(value: dict[str, Any] | None) -> bytes:
    picture = None if value is None else value.get("composite")
    if picture is None:
        raise InvalidRequest("The drawing is empty: draw something, or choose another picture to follow.")
    picture = np.asarray(picture)
    if picture.shape[-1] == 4:
        opacity = picture[..., 3:].astype(float) / 255
        picture = (picture[..., :3] * opacity + 255 * (1 - opacity)).astype(np.uint8)
    return to_png(picture)


def _file(path: str | None) -> bytes:
    if not path:
        raise InvalidRequest("No file is chosen: upload a picture, or choose another picture to follow.")
    size = Path(path).stat().st_size
    if size > limits.MAX_UPLOAD_BYTES:
        raise InvalidRequest(
            f"The picture file has {size / 1e6:.1f} MB; at most {limits.MAX_UPLOAD_BYTES / 1e6:.0f} MB are taken."
        )
    return Path(path).read_bytes()


def _plain_values() -> dict[str, Any]:
    return {
        "ask": ASK_FOLLOW,
        "reference_kind": AVERAGE,
        "average": "faces",
        "emoji": "cat face",
        "drawing": None,
        "file": None,
        "reference_trust": 1.0,
        "second": NOTHING,
        "second_trust": 1.0,
        "condition_1": "hearts",
        "condition_trust_1": 1.0,
        "condition_2": NOTHING,
        "condition_trust_2": 1.0,
    }


def _shown_conditions(request: CompareRequest) -> dict[str, Any]:
    if not request.conditions:
        return {}
    shown: dict[str, Any] = {"ask": ASK_CONDITIONS}
    for number, choice in zip(("1", "2"), request.conditions, strict=False):
        shown |= {f"condition_{number}": choice.name, f"condition_trust_{number}": choice.trust}
    return shown


def _shown_references(request: CompareRequest) -> dict[str, Any]:
    named = [choice for choice in request.references if choice.png is None]
    if not named:
        return {}
    first: ReferenceChoice = named[0]
    kind = {"reference_kind": EMOJI, "emoji": first.emoji} if first.emoji else {}
    kind = kind or {"reference_kind": AVERAGE, "average": first.average}
    shown = {"ask": ASK_FOLLOW, "reference_trust": first.trust, **kind}
    if len(named) > 1:
        second = named[1].emoji or _AVERAGE_OF + named[1].average
        shown |= {"second": second, "second_trust": named[1].trust}
    return shown


def _number(name: str, label: str, info: str) -> gr.Slider:
    """A slider for a field of the request, with its range and default."""
    return slider_for(CompareRequest.model_fields[name], label, info)


def slider_for(declared: FieldInfo, label: str, info: str | None = None) -> gr.Slider:
    """A slider with the bounds and the default of a declared number."""
    bounds = {type(item).__name__.lower(): item for item in declared.metadata}
    low = bounds["ge"].ge if "ge" in bounds else bounds["gt"].gt
    high = bounds["le"].le if "le" in bounds else bounds["lt"].lt
    step = 1 if declared.annotation is int else _step(float(high) - float(low))
    return gr.Slider(low, high, declared.default, step=step, label=label, info=info)


def _step(width: float) -> float:
    return 0.01 if width <= 5 else 0.1 if width <= 100 else 1.0


def setting_control(declared: FieldInfo, name: str) -> gr.components.Component:
    """The control of one field of a method: a slider, a switch, a choice, or a line of text."""
    label, info, default = declared.title or name.replace("_", " "), declared.description, declared.default
    if get_origin(declared.annotation) is Literal:
        return gr.Dropdown(list(get_args(declared.annotation)), value=default, label=label, info=info)
    if declared.annotation is bool:
        return gr.Checkbox(default, label=label, info=info)
    if declared.annotation in (int, float):
        bounded = {type(item).__name__.lower() for item in declared.metadata}
        if bounded & {"ge", "gt"} and bounded & {"le", "lt"}:
            return slider_for(declared, label, info)
        return gr.Number(default, label=label, info=info)
    return gr.Textbox(str(default), label=label, info=info)


def ask_controls(controls: Controls) -> None:
    """What is asked: a picture to follow, or conditions."""
    names = load_collection().condition_names()
    plain = _plain_values()
    controls["ask"] = gr.Radio([ASK_FOLLOW, ASK_CONDITIONS], value=ASK_FOLLOW, label="What is asked for")
    with gr.Group() as follow:
        kinds = [AVERAGE, EMOJI, DRAWING, UPLOAD]
        controls["reference_kind"] = gr.Radio(kinds, value=AVERAGE, label="Picture to follow")
        controls["average"] = gr.Dropdown(names, value=plain["average"], label="The average of all")
        controls["emoji"] = gr.Dropdown(
            list(load_collection().names), value=plain["emoji"], label="Emoji", visible=False, filterable=True
        )
        controls["drawing"] = gr.Sketchpad(
            type="numpy",
            label="Draw in any colours",
            visible=False,
            elem_id="drawing",
            canvas_size=(256, 256),
            height=380,
            layers=False,
            transforms=(),
            sources=(),
            brush=gr.Brush(default_size=16, default_color="#f2b705"),
        )
        controls["file"] = gr.File(
            label="A picture file, up to 8 MB", visible=False, file_types=["image"], type="filepath", height=120
        )
        controls["view_noise"] = gr.Slider(
            *limits.VIEW_NOISE,
            8.0,
            step=0.1,
            label="View noise",
            info="How blurred the view of the picture is, in standard deviations per pixel: large leaves more freedom.",
        )
        with gr.Accordion("Trust, and a second picture", open=False):
            controls["reference_trust"] = slider_for(ReferenceChoice.model_fields["trust"], "Trust in the picture")
            controls["second"] = gr.Dropdown(
                [NOTHING, *(_AVERAGE_OF + name for name in names), *load_collection().names],
                value=NOTHING,
                label="Second picture",
                filterable=True,
            )
            controls["second_trust"] = slider_for(ReferenceChoice.model_fields["trust"], "Trust in the second picture")
    with gr.Group(visible=False) as conditions:
        for number, title in (("1", "Condition"), ("2", "and")):
            choices = names if number == "1" else [NOTHING, *names]
            with gr.Row():
                controls[f"condition_{number}"] = gr.Dropdown(
                    choices, value=plain[f"condition_{number}"], label=title, filterable=True, min_width=140
                )
                controls[f"condition_trust_{number}"] = gr.Slider(
                    0, limits.MAX_TRUST, 1.0, step=0.1, label="Trust", min_width=120
                )
        controls["strength"] = _number("strength", "Strength", "Multiplies every trust: 1 asks once, 3 insists.")
    parts = dict(zip(kinds, ("average", "emoji", "drawing", "file"), strict=True))
    controls["ask"].change(
        lambda ask: [gr.update(visible=ask == ASK_FOLLOW), gr.update(visible=ask == ASK_CONDITIONS)],
        controls["ask"],
        [follow, conditions],
        api_visibility="private",
        show_progress="hidden",
    )
    # the editor starts without a tool in hand; a visitor who chose to draw wants the brush
    controls["reference_kind"].input(None, js=_TAKE_BRUSH, api_visibility="private")
    controls["reference_kind"].change(
        lambda kind: [gr.update(visible=kind == name) for name in parts],
        controls["reference_kind"],
        [controls[part] for part in parts.values()],
        api_visibility="private",
        show_progress="hidden",
    )


def run_controls(controls: Controls) -> None:
    """How it is sampled."""
    controls["samples"] = _number("samples", "Samples per method", "One column and one seed each.")
    controls["steps"] = _number("steps", "Steps", "From noise to picture.")
    controls["seed"] = gr.Number(
        CompareRequest.model_fields["seed"].default, precision=0, label="Seed of the first column", minimum=0
    )
    with gr.Accordion("Sampler, path and resolution", open=False):
        controls["sampler"] = gr.Dropdown(
            [(choice.label, name) for name, choice in SAMPLERS.items()], value="averaged", label="Sampler"
        )
        controls["path"] = gr.Dropdown(
            [(label, name) for name, label in PATH_LABELS.items()],
            value="cosine",
            label="Path of the methods without one of their own",
            info="Changes speed and energy, not what arrives.",
        )
        controls["resolution"] = gr.Radio(["64", "32"], value="64", label="Resolution, pixels")


def method_controls(controls: Controls) -> None:
    """Which methods take part, and the settings of each."""
    methods = REGISTRY.methods
    controls["methods"] = gr.CheckboxGroup(
        [(method.label, name) for name, method in methods.items()],
        value=[choice.name for choice in CompareRequest.model_fields["methods"].default],
        label="Methods",
    )
    abouts = []
    for name, method in methods.items():
        chosen = name in controls["methods"].value
        with gr.Accordion(f"{method.label}: what it does, settings", open=False, visible=chosen) as about:
            _explain(method)
            for field_name, declared in method.model_fields.items():
                controls.settings.append((name, field_name, setting_control(declared, field_name)))
        abouts.append(about)
    controls["methods"].change(
        lambda chosen: [gr.update(visible=name in (chosen or [])) for name in methods],
        controls["methods"],
        abouts,
        api_visibility="private",
        show_progress="hidden",
    )
    controls["ask"].input(  # by hand only: a link brings its own methods
        lambda ask: _USUAL_METHODS[ask],
        controls["ask"],
        controls["methods"],
        api_visibility="private",
        show_progress="hidden",
    )
    for problem in REGISTRY.problems:
        gr.Markdown(problem)


def _explain(method: type[GuidanceMethod]) -> None:
    lines = [method.summary]
    if method.equation:
        lines.append(f"$${method.equation}$$")
    lines.append(f"*Cost per step: {method.cost}.*" + (f" *Source: {method.source}.*" if method.source else ""))
    gr.Markdown("\n\n".join(lines), latex_delimiters=[{"left": "$$", "right": "$$", "display": True}])
