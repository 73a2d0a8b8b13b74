"""The controls of the Compare page and their two directions: to a request, and from one (a link, a preset).

Each method's own controls are made from the fields of its class, so a method from outside gets them by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin

import gradio as gr
from pydantic.fields import FieldInfo

from gensot_demo.experiments.requests import CompareRequest, parse
from gensot_demo.guidance.registry import REGISTRY
from gensot_demo.transport.catalogue import SAMPLERS

from .models import input_of
from .task_values import conditions_at, references_at, restore_at, reward_at, shown_task

METHODS = "methods of "  # the part that holds a family's chosen methods is named after the family
PATH_LABELS = {
    "cosine": "Cosine",
    "condot": "Straight (CondOT)",
    "vp": "VP-linear",
    "ve": "VE",
    "model": "The model's own, with its own timesteps",
}
_TAKEN_AS_THEY_ARE = ("beside", "strength", "view_noise", "steps", "samples", "seed", "sampler", "path", "first_noise")


class NamedParts:
    """Components by name, in a fixed order; a page's own kind builds them and translates to a request and back."""

    def __init__(self) -> None:
        self.parts: dict[str, gr.components.Component] = {}
        self._build()

    def all(self) -> list[gr.components.Component]:
        return list(self.parts.values())

    def __getitem__(self, name: str) -> gr.components.Component:
        return self.parts[name]

    def _build(self) -> None:
        raise NotImplementedError


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

    def families(self, names: Iterable[str]) -> dict[str, list[str]]:
        """The chosen methods by the part that holds them."""
        names = set(names)
        parts = [part for part in self.parts if part.startswith(METHODS)]
        return {
            part: [n for n, method in REGISTRY.methods.items() if n in names and METHODS + method.family == part]
            for part in parts
        }

    def request(self, values: tuple[Any, ...], methods: list[dict[str, Any]] | None = None) -> CompareRequest:
        """The request of these values; raises InvalidRequest with a sentence.

        methods: fields of each method, on a page that has other controls for them.
        """
        at = dict(zip(self.parts, values, strict=False))
        settings: dict[str, dict[str, Any]] = {}
        for (method, name, _), value in zip(self.settings, values[len(self.parts) :], strict=True):
            settings.setdefault(method, {})[name] = value
        return parse(
            CompareRequest,
            **{name: at[name] for name in _TAKEN_AS_THEY_ARE if name in at},
            backbone=(at["backbone"] or "").strip(),
            negative=(at["negative"] or "").strip() if input_of(at["backbone"]) == "prompt" else "",
            conditions=conditions_at(at),
            references=references_at(at),
            restore=restore_at(at),
            reward=reward_at(at),
            resolution=int(at["resolution"]),
            methods=methods
            or [  # in the registry's order, however they were switched on
                {"name": name, "settings": settings.get(name, {})}
                for name in sorted(_chosen(at), key=list(REGISTRY.methods).index)
            ],
        )

    def values(self, request: CompareRequest) -> list[Any]:
        """What the components show for a request, in the order of :meth:`all`."""
        plain = shown_task(request)
        for name in ("backbone", "negative", *_TAKEN_AS_THEY_ARE):
            plain[name] = getattr(request, name)
        plain["resolution"] = str(request.resolution)
        plain |= self.families([choice.name for choice in request.methods])
        chosen = {choice.name: choice.settings for choice in request.methods}
        settings = [
            chosen.get(method, {}).get(name, REGISTRY.get(method).model_fields[name].default)
            for method, name, _ in self.settings
        ]
        return [plain[name] for name in self.parts] + settings


def _chosen(at: dict[str, Any]) -> list[str]:
    return [name for part, names in at.items() if part.startswith(METHODS) for name in names or []]


def _number(name: str, label: str, info: str) -> gr.Slider:
    """A slider for a field of the request, with its range and default."""
    return slider_for(CompareRequest.model_fields[name], label, info)


class BoundedSlider(gr.Slider):
    """A slider that takes what is typed into its number box as the box itself will show it once it is left: the nearest
    value allowed, and 0 for an empty one. A plain one refuses the former in an event and breaks off at the latter."""

    def get_block_name(self) -> str:
        return "slider"

    def preprocess(self, payload: float | None) -> float:
        # the minimum comes first: max keeps it where the other is no number
        return super().preprocess(min(max(self.minimum, payload or 0), self.maximum))


def slider_for(
    declared: FieldInfo, label: str, info: str | None = None, *, step: float | None = None, visible: bool = True
) -> BoundedSlider:
    """A slider with the bounds and the default of a declared number; no arrow back to the latter, whose click is no
    input to an event."""
    bounds = {type(item).__name__.lower(): item for item in declared.metadata}
    low = bounds["ge"].ge if "ge" in bounds else bounds["gt"].gt
    high = bounds["le"].le if "le" in bounds else bounds["lt"].lt
    step = 1 if declared.annotation is int else step or _step(float(high) - float(low))
    return BoundedSlider(low, high, declared.default, step=step, label=label, info=info, visible=visible, buttons=[])


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


def run_controls(controls: Controls, samples: gr.Slider | None = None) -> None:
    """How it is sampled; ``samples``: another control of how many there are."""
    controls["samples"] = samples or _number("samples", "Samples per method", "One column and one seed each.")
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
        controls["first_noise"] = _number(
            "first_noise", "First noise level", "0 is the model's own. From less noise on pictures come out too alike."
        )
        controls["resolution"] = gr.Radio(["64", "32"], value="64", label="Resolution of the exact collection, pixels")
