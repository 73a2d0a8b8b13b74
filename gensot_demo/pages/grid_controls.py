"""The controls of the Grid page and their two directions: what all cells share, the method, and three axes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from gensot_demo.experiments import limits
from gensot_demo.experiments.grid.axes import axes, axis
from gensot_demo.experiments.grid.request import PLACES, AxisChoice, GridRequest, grid_of
from gensot_demo.experiments.links import method_values
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.guidance.registry import REGISTRY

from .controls import BoundedSlider, Controls, run_controls
from .events import QUIET
from .grid_report import understood
from .task_controls import ask_controls, show_what_applies

_TITLES = {"x": "Columns (X)", "y": "Rows (Y)", "z": "Blocks (Z)"}


@dataclass
class GridControls:
    """base: what all cells share.  method, settings: of all cells, where the method is not varied.  names, texts: of
    each axis.  said: what is understood of each."""

    base: Controls = field(default_factory=Controls)
    method: gr.Dropdown | None = None
    settings: gr.Textbox | None = None
    names: dict[str, gr.Dropdown] = field(default_factory=dict)
    texts: dict[str, gr.Textbox] = field(default_factory=dict)
    said: dict[str, gr.HTML] = field(default_factory=dict)

    def all(self) -> list[gr.components.Component]:
        """Every component whose value makes the request."""
        axes = [part[place] for place in PLACES for part in (self.names, self.texts)]
        return [self.method, self.settings, *axes, *self.base.all()]

    def request(self, values: tuple[Any, ...]) -> GridRequest:
        """The request of these values; raises InvalidRequest with a sentence."""
        method, settings, *others = values
        typed, rest = others[: 2 * len(PLACES)], others[2 * len(PLACES) :]
        chosen = {
            place: parse(AxisChoice, name=typed[2 * n], text=(typed[2 * n + 1] or "").strip())
            for n, place in enumerate(PLACES)
            if typed[2 * n]
        }
        if "x" not in chosen:
            raise InvalidRequest("Nothing is varied: choose what changes along the columns.")
        said = "*".join([method, *(part.strip() for part in (settings or "").split(",") if part.strip())])
        return grid_of(self.base.request(tuple(rest), methods=[method_values(said)]), **chosen)

    def values(self, request: GridRequest) -> list[Any]:
        """What the components show for a request, in the order of :meth:`all`."""
        method = request.base.methods[0]
        settings = ", ".join(f"{key}:{value:g}" if isinstance(value, float) else f"{key}:{value}"
                             for key, value in method.settings.items())  # fmt: skip
        typed = []
        for choice in (request.x, request.y, request.z):
            typed += ["", ""] if choice is None else [choice.name, choice.text]
        return [method.name, settings, *typed, *self.base.values(request.base)]

    def understood(self, request: GridRequest) -> list[str]:
        """What is said below each axis for a request."""
        chosen = (request.x, request.y, request.z)
        return ["" if choice is None else understood(choice.name, choice.text) for choice in chosen]


def axis_controls(controls: GridControls) -> None:
    """What is varied: a setting and its values for each axis, with what is understood of them."""
    first, known = GridRequest.first_view(), [(label, name) for name, label in axes().items()]
    with gr.Column(elem_classes="gensot-axes"):
        for place, title in _TITLES.items():
            choice = getattr(first, place)
            with gr.Row():
                controls.names[place] = gr.Dropdown(
                    known if place == "x" else [("(nothing)", ""), *known],
                    value=choice.name if choice else "",
                    label=title,
                    filterable=True,
                    min_width=150,
                    scale=2,
                    elem_id=f"axis-{place}",
                )
                controls.texts[place] = gr.Textbox(
                    choice.text if choice else "",
                    label=f"Values of {place.upper()}",
                    placeholder="1, 2, 4   or   1-10 (+2)   or   0-1 [5]",
                    max_lines=1,
                    min_width=150,
                    scale=3,
                    elem_id=f"values-{place}",
                )
            controls.said[place] = gr.HTML(
                understood(choice.name, choice.text) if choice else "", elem_id=f"said-{place}"
            )
            _answer(controls, place)


def _answer(controls: GridControls, place: str) -> None:
    """Say at once what is understood; a setting chosen by hand brings values that suit it."""
    name, text, said = controls.names[place], controls.texts[place], controls.said[place]
    name.input(_example, name, [text, said], **QUIET)
    text.change(understood, [name, text], said, trigger_mode="always_last", **QUIET)  # input misses a paste


def _example(name: str) -> list[str]:
    example = axis(name).example if name else ""
    return [example, understood(name, example)]


def shared_controls(controls: GridControls) -> None:
    """What all cells share besides the model: what is asked of it, the method, and how it is sampled."""
    base = controls.base
    ask_controls(base)
    controls.method = gr.Dropdown(
        [(method.label, name) for name, method in REGISTRY.methods.items()],
        value="cfg",
        label="Method",
        info="Of all cells, unless the method is varied.",
        filterable=True,
        elem_id="method",
    )
    controls.settings = gr.Textbox(
        "", label="Its settings, where they differ from the defaults", info=_settings_of("cfg"), max_lines=2
    )
    controls.method.change(lambda name: gr.update(info=_settings_of(name)), controls.method, controls.settings, **QUIET)
    samples = BoundedSlider(1, limits.GRID_SAMPLES, 1, step=1, label="Samples in a cell")
    run_controls(base, samples)
    base["seed"].label = "Seed"
    show_what_applies(base)


def _settings_of(name: str) -> str:
    """Which settings a method has, with their defaults, as they are typed."""
    fields = REGISTRY.get(name).model_fields
    known = ", ".join(f"{field}:{declared.default}" for field, declared in fields.items())
    return f"As in {known}" if known else "This method has none."
