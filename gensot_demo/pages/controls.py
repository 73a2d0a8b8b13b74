"""The controls of the Compare page and their two directions: to a request, and from one (a link, a preset).

Each method's own controls are made from the fields of its class, so a method from outside gets them by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin

import gradio as gr
from pydantic.fields import FieldInfo

from gensot_demo.backbones.catalogue import EMBEDDED
from gensot_demo.backbones.embedded import training_pictures
from gensot_demo.backbones.emoji import load_collection
from gensot_demo.experiments import limits
from gensot_demo.experiments.requests import (
    DEFAULT_METHODS,
    CompareRequest,
    ReferenceChoice,
    parse,
)
from gensot_demo.guidance.base import GuidanceMethod
from gensot_demo.guidance.registry import REGISTRY
from gensot_demo.transport.catalogue import SAMPLERS

from .models import FIRST, input_of
from .task_values import (
    ASK_CONDITIONS,
    ASK_FOLLOW,
    AVERAGE,
    AVERAGE_OF,
    DRAWING,
    EMOJI,
    NOTHING,
    UPLOAD,
    conditions_at,
    plain_values,
    references_at,
    shown_task,
)

_TAKE_BRUSH = (
    "() => { setTimeout(() => document.querySelector('#drawing button[aria-label=\"Brush\"]')?.click(), 700); }"
)
_USUAL_METHODS = {
    ASK_FOLLOW: list(DEFAULT_METHODS),
    ASK_CONDITIONS: ["unguided", "conditional", "cfg", "gensot"],
}
PATH_LABELS = {
    "cosine": "Cosine",
    "condot": "Straight (CondOT)",
    "vp": "VP-linear",
    "ve": "VE",
    "model": "The model's own, with its own timesteps",
}
_TAKEN_AS_THEY_ARE = ("beside", "strength", "view_noise", "steps", "samples", "seed", "sampler", "path")
_HIDDEN = {"api_visibility": "private", "show_progress": "hidden"}


@dataclass
class Controls:
    """Components in a fixed order, by name. ``settings`` are (method, field, component); groups hold what is shown
    together."""

    parts: dict[str, gr.components.Component] = field(default_factory=dict)
    settings: list[tuple[str, str, gr.components.Component]] = field(default_factory=list)
    groups: dict[str, gr.Group] = field(default_factory=dict)

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
        return parse(
            CompareRequest,
            **{name: at[name] for name in _TAKEN_AS_THEY_ARE},
            backbone=(at["backbone"] or "").strip(),
            negative=(at["negative"] or "").strip() if input_of(at["backbone"]) == "prompt" else "",
            conditions=conditions_at(at),
            references=references_at(at),
            resolution=int(at["resolution"]),
            methods=[  # in the registry's order, however they were switched on
                {"name": name, "settings": settings.get(name, {})}
                for name in sorted(at["methods"] or [], key=list(REGISTRY.methods).index)
            ],
        )

    def values(self, request: CompareRequest) -> list[Any]:
        """What the components show for a request, in the order of :meth:`all`."""
        plain = shown_task(request)
        for name in ("backbone", "negative", *_TAKEN_AS_THEY_ARE):
            plain[name] = getattr(request, name)
        plain["resolution"] = str(request.resolution)
        plain["methods"] = [choice.name for choice in request.methods]
        chosen = {choice.name: choice.settings for choice in request.methods}
        settings = [
            chosen.get(method, {}).get(name, REGISTRY.get(method).model_fields[name].default)
            for method, name, _ in self.settings
        ]
        return [plain[name] for name in self.parts] + settings


def _number(name: str, label: str, info: str) -> gr.Slider:
    """A slider for a field of the request, with its range and default."""
    return slider_for(CompareRequest.model_fields[name], label, info)


def _trust() -> gr.Slider:
    return gr.Slider(0, limits.MAX_TRUST, 1.0, step=0.1, label="Trust", min_width=120)


def slider_for(declared: FieldInfo, label: str, info: str | None = None, visible: bool = True) -> gr.Slider:
    """A slider with the bounds and the default of a declared number."""
    bounds = {type(item).__name__.lower(): item for item in declared.metadata}
    low = bounds["ge"].ge if "ge" in bounds else bounds["gt"].gt
    high = bounds["le"].le if "le" in bounds else bounds["lt"].lt
    step = 1 if declared.annotation is int else _step(float(high) - float(low))
    return gr.Slider(low, high, declared.default, step=step, label=label, info=info, visible=visible)


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
    plain = plain_values()
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
                [NOTHING, *(AVERAGE_OF + name for name in names), *load_collection().names],
                value=NOTHING,
                label="Second picture",
                filterable=True,
            )
            controls["second_trust"] = slider_for(ReferenceChoice.model_fields["trust"], "Trust in the second picture")
    controls.groups["follow"] = follow
    with gr.Group(visible=False) as controls.groups["conditions"]:
        for number, title in (("1", ""), ("2", "and ")):
            with gr.Row():
                for kind, known in (("condition", names), ("class", list(training_pictures().classes))):
                    controls[f"{kind}_{number}"] = gr.Dropdown(
                        known if number == "1" else [NOTHING, *known],
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
    controls["strength"] = slider_for(
        CompareRequest.model_fields["strength"], "Strength", "Multiplies every trust: 1 asks once, 3 insists.", False
    )
    parts = dict(zip(kinds, ("average", "emoji", "drawing", "file"), strict=True))
    # the editor starts without a tool in hand; a visitor who chose to draw wants the brush
    controls["reference_kind"].input(None, js=_TAKE_BRUSH, api_visibility="private")
    controls["reference_kind"].change(
        lambda kind: [gr.update(visible=kind == name) for name in parts],
        controls["reference_kind"],
        [controls[part] for part in parts.values()],
        **_HIDDEN,
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
        controls["resolution"] = gr.Radio(["64", "32"], value="64", label="Resolution of the exact collection, pixels")


def show_what_applies(controls: Controls) -> None:
    """Show what the chosen model can be asked for, and nothing else."""
    dropdowns = [f"{kind}_{number}" for kind in ("condition", "class") for number in ("1", "2")]
    groups = [controls.groups[name] for name in ("follow", "conditions", "prompts", "measure")]
    outputs = [*groups, *(controls[name] for name in (*dropdowns, "strength", "resolution", "beside"))]
    for name in ("ask", "backbone"):
        controls[name].change(
            lambda ask, backbone: _what_applies(ask, input_of(backbone), backbone, dropdowns),
            [controls["ask"], controls["backbone"]],
            outputs,
            **_HIDDEN,
        )


def _what_applies(ask: str, kind: str | None, backbone: str, dropdowns: list[str]) -> list[dict[str, Any]]:
    following, prompted = ask == ASK_FOLLOW, kind == "prompt"
    exact = backbone in EMBEDDED and EMBEDDED[backbone].exact
    visible = [following, not following and kind in ("condition", "class"), prompted, exact]
    visible += [name.startswith(f"{kind}_") for name in dropdowns]
    visible += [prompted or not following, kind == "condition", backbone == FIRST]
    return [gr.update(visible=value) for value in visible]


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
        **_HIDDEN,
    )
    controls["ask"].input(  # by hand only: a link brings its own methods
        lambda ask: _USUAL_METHODS[ask],
        controls["ask"],
        controls["methods"],
        **_HIDDEN,
    )
    for problem in REGISTRY.problems:
        gr.Markdown(problem)


def _explain(method: type[GuidanceMethod]) -> None:
    lines = [method.summary]
    if method.equation:
        lines.append(f"$${method.equation}$$")
    lines.append(f"*Cost per step: {method.cost}.*" + (f" *Source: {method.source}.*" if method.source else ""))
    gr.Markdown("\n\n".join(lines), latex_delimiters=[{"left": "$$", "right": "$$", "display": True}])
