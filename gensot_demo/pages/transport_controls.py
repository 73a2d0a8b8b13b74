"""The controls of the Transport page and their two directions: to a request, and from one (a link, a preset)."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr
import numpy as np
import torch

from gensot_demo.experiments import limits
from gensot_demo.experiments.plane.methods import METHODS
from gensot_demo.experiments.plane.request import (
    DETERMINISTIC,
    MOST_GUIDE_POINTS,
    STOCHASTIC,
    TransportRequest,
)
from gensot_demo.experiments.plane.run import target_for
from gensot_demo.experiments.plane.table_file import read_points
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.figures.pad import DrawingPad, backdrop_value, drawing_value, read_drawing
from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.guides import smooth_curve
from gensot_demo.transport.targets import TARGETS, named_target

from .controls import slider_for

DRAW, FILE = "draw", "file"
HIDDEN = "hidden"  # stays on the page: a pad that was left out of it would come without its properties
NOTHING = "(none)"
_EXTENT = (-4.0, 4.0, -4.0, 4.0)
_GUIDED = [name for name, method in METHODS.items() if method.guided]
_FREE = [name for name, method in METHODS.items() if not method.guided]
_SHAPED = ("gensot_v", "gensot_s", "gensot_frozen")
_VARIED = {
    "nothing": "nothing",
    "stiffness": "stiffness",
    "temperature": "temperature",
    "steps": "steps",
    "trust": "trust",
}
QUIET = {"show_progress": "hidden", "api_visibility": "private"}


class TransportControls:
    """Components by name, in a fixed order; :meth:`request` and :meth:`values` translate."""

    def __init__(self) -> None:
        self.parts: dict[str, gr.components.Component] = {}
        self._build()

    def all(self) -> list[gr.components.Component]:
        return list(self.parts.values())

    def __getitem__(self, name: str) -> gr.components.Component:
        return self.parts[name]

    # ---- layout --------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        parts, fields = self.parts, TransportRequest.model_fields
        named = [(named_target(name).label, name) for name in TARGETS]
        parts["target"] = gr.Dropdown(
            [*named, ("Draw your own", DRAW), ("A file (CSV)", FILE)], value="two_modes", label="Target"
        )
        parts["drawing"] = DrawingPad(
            tools=["modes", "points"], extent=_EXTENT, visible=HIDDEN, elem_id="target-pad", label="Draw the target"
        )
        parts["file"] = gr.File(
            label="Two columns of numbers, up to 32 MB",
            file_types=[".csv", ".txt", ".tsv"],
            type="filepath",
            visible=False,
            height=120,
        )
        parts["source"] = gr.Dropdown(
            [("A point, the origin", "point"), ("Gaussian noise", "gaussian"), *named], value="gaussian", label="Source"
        )
        parts["methods"] = gr.CheckboxGroup(
            [(METHODS[name].label, name) for name in _FREE],
            value=[name for name in fields["methods"].default if name in _FREE],
            label="Methods",
            elem_id="methods",
        )
        parts["guided"] = gr.CheckboxGroup(
            [(METHODS[name].label, name) for name in _GUIDED], value=[], label="Guided by a label", elem_id="guided"
        )
        with gr.Accordion("Guide: stiffness, temperature, your own curve", open=True):
            parts["stiffness"] = gr.Slider(
                0, 200, 20, step=1, label="Stiffness β", info="How hard GenSOT is held to its guide."
            )
            parts["temperature"] = slider_for(
                fields["temperature"], "Temperature κ", "Noise on the way, of GenSOT and the Schrödinger bridge."
            )
            parts["amplitude"] = slider_for(fields["amplitude"], "Amplitude of the V and S guides")
            parts["guide"] = DrawingPad(
                _first_guide(),
                tools=["curve", "knots"],
                extent=_EXTENT,
                visible=HIDDEN,
                elem_id="guide-pad",
                label="Draw the guide, from source to target",
            )
        with gr.Accordion("Label: what is asked for, and how much it counts", open=False) as self._label:
            names = list(named_target("two_modes").conditions)
            parts["condition"] = gr.Dropdown(names, value="right", label="Condition", info="Soft labels by position.")
            parts["trust"] = slider_for(fields["trust"], "Trust (the strength w of CFG)")
            parts["second_condition"] = gr.Dropdown([NOTHING, *names], value=NOTHING, label="Second condition")
            parts["second_trust"] = slider_for(fields["second_trust"], "Second trust")
        with gr.Accordion("Run: steps, solver, particles, a row of values", open=False):
            parts["steps"] = slider_for(fields["steps"], "Steps")
            parts["solver"] = _solver("solver", STOCHASTIC, "Solver of the stochastic methods")
            parts["flow_solver"] = _solver("flow_solver", DETERMINISTIC, "Solver of the flows")
            parts["particles"] = gr.Slider(50, 4000, 2000, step=50, label="Particles per method")
            parts["seed"] = gr.Number(7, precision=0, minimum=0, maximum=limits.MAX_SEED, label="Seed")
            with gr.Row():
                parts["vary"] = gr.Dropdown(
                    [(label, name) for name, label in _VARIED.items()], value="nothing", label="Vary", min_width=120
                )
                parts["values"] = gr.Textbox("5, 20, 50", label="Values", min_width=120)
        parts["show"] = gr.Textbox(",".join(fields["show"].default), visible="hidden", elem_id="layers")
        self._reveal()

    def _reveal(self) -> None:
        """Show only what the choices need."""
        parts = self.parts
        parts["target"].change(
            _for_target,
            [parts["target"], parts["condition"], parts["second_condition"]],
            [parts["drawing"], parts["file"], parts["condition"], parts["second_condition"]],
            **QUIET,
        )
        for name in ("target", "source"):
            parts[name].change(_guide_backdrop, [parts["target"], parts["source"]], parts["guide"], **QUIET)
        parts["methods"].change(
            lambda chosen: [
                gr.update(visible=_shown("gensot_drawn" in (chosen or []))),
                gr.update(visible=any(name in (chosen or []) for name in _SHAPED)),
            ],
            parts["methods"],
            [parts["guide"], parts["amplitude"]],
            **QUIET,
        )
        parts["guided"].input(lambda chosen: gr.update(open=bool(chosen)), parts["guided"], self._label, **QUIET)

    # ---- translation ---------------------------------------------------------------------------------------------

    def request(self, values: tuple[Any, ...]) -> tuple[TransportRequest, list[str]]:
        """(the request of these values, notes on what was read); raises InvalidRequest with a sentence."""
        at = dict(zip(self.parts, values, strict=True))
        chosen, notes = _target(at)
        same = ("source", "stiffness", "temperature", "amplitude", "trust", "second_trust", "steps", "solver")
        same += ("flow_solver", "particles", "seed", "vary")
        request = parse(
            TransportRequest,
            **chosen,
            **{name: at[name] for name in same},
            methods=[*(at["methods"] or []), *(at["guided"] or [])],
            guide=_guide(at) if "gensot_drawn" in (at["methods"] or []) else (),
            condition=_condition(at, "condition", chosen),
            second_condition=_condition(at, "second_condition", chosen),
            values=_list(at["values"]) if at["vary"] != "nothing" else (),
            show=[name for name in (at["show"] or "").split(",") if name],
        )
        target_for(request)  # what cannot be a target is said before anything is waited for
        return request, notes

    def values(self, request: TransportRequest) -> list[Any]:
        """What the components show for a request."""
        own = request.target in ("modes", "points")
        known = {name: getattr(request, name) for name in self.parts if name in TransportRequest.model_fields}
        conditions = _conditions_of(DRAW if own else request.target)
        shown: dict[str, Any] = known | {
            "target": DRAW if own else request.target,
            "drawing": gr.update(
                value=drawing_value(request.target, modes=request.modes, points=request.points) if own else None,
                visible=_shown(own),
            ),
            "file": None,
            "methods": [name for name in request.methods if name in _FREE],
            "guided": [name for name in request.methods if name in _GUIDED],
            "guide": gr.update(
                value=drawing_value("curve", curve=request.guide) if request.guide else _first_guide(),
                visible=_shown("gensot_drawn" in request.methods),
            ),
            "condition": gr.update(choices=conditions, value=request.condition or _first_condition(conditions)),
            "second_condition": gr.update(choices=[NOTHING, *conditions], value=request.second_condition or NOTHING),
            "values": ", ".join(f"{value:g}" for value in request.values) or "5, 20, 50",
            "show": ",".join(request.show),
        }
        return [shown[name] for name in self.parts]


def _shown(visible: bool) -> bool | str:
    return True if visible else HIDDEN


def _solver(field: str, names: tuple[str, ...], label: str) -> gr.Dropdown:
    choices = [(SAMPLERS[name].label, name) for name in names]
    return gr.Dropdown(choices, value=TransportRequest.model_fields[field].default, label=label)


def _first_guide() -> str:
    """A wave to begin with, over the default target."""
    backdrop = json.loads(_guide_backdrop("two_modes", "gaussian"))["backdrop"]
    return drawing_value("curve", curve=[[0, 0], [1, 1.2], [2, -0.6], [3, 0.5]], backdrop=backdrop)


def _conditions_of(target: str) -> list[str]:
    return list(named_target(target).conditions) if target in TARGETS else ["right", "upper"]


def _for_target(target: str, condition: str, second: str) -> list[Any]:
    """Updates of [drawing, file, condition, second condition] for a chosen target."""
    names = _conditions_of(target)
    first = condition if condition in names and "label" not in names else _first_condition(names)
    return [
        gr.update(visible=_shown(target == DRAW)),
        gr.update(visible=target == FILE),
        gr.update(choices=names, value=first),
        gr.update(choices=[NOTHING, *names], value=second if second in names else NOTHING),
    ]


def _first_condition(names: list[str]) -> str:
    return "label" if "label" in names else "right"


def _condition(at: dict[str, Any], name: str, chosen: dict[str, Any]) -> str:
    """The chosen condition, empty where it is what the request takes by itself or not one of the target's."""
    known = _conditions_of(chosen["target"])
    usual = _first_condition(known) if name == "condition" else NOTHING
    return at[name] if at[name] in known and at[name] != usual else ""


def _target(at: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """(fields of the request, notes) of the chosen target."""
    if at["target"] == FILE:
        if not at["file"]:
            raise InvalidRequest("No file is chosen: upload a table with two columns, or choose a target.")
        points, notes = read_points(at["file"])
        return {"target": "points", "points": points.tolist()}, notes
    if at["target"] != DRAW:
        return {"target": at["target"]}, []
    try:
        drawing = read_drawing(at["drawing"])
    except ValueError as error:
        raise InvalidRequest(f"The drawing cannot be read: {error}.") from None
    if drawing.tool == "points":
        return {"target": "points", "points": drawing.points.tolist()}, []
    return {"target": "modes", "modes": drawing.modes.tolist()}, []


def _guide(at: dict[str, Any]) -> list[list[float]]:
    try:
        drawing = read_drawing(at["guide"])
    except ValueError as error:
        raise InvalidRequest(f"The guide cannot be read: {error}.") from None
    rows = drawing.curve
    if drawing.tool == "knots":
        start, end = _ends(at["target"], at["source"])
        rows = smooth_curve(torch.from_numpy(np.array([start, *drawing.knots.tolist(), end]))).numpy()
    if len(rows) > MOST_GUIDE_POINTS:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_GUIDE_POINTS).round().astype(int)]
    return rows.tolist()


def _ends(target: str, source: str) -> tuple[list[float], list[float]]:
    """Where a guide starts and ends: the source's place and the target's mean, as far as they are named."""
    start = named_target(source).mixture.mean().tolist() if source in TARGETS else [0.0, 0.0]
    end = named_target(target).mixture.mean().tolist() if target in TARGETS else [0.0, 0.0]
    return start, end


def _guide_backdrop(target: str, source: str) -> str:
    start, end = _ends(target, source)
    backdrop: dict[str, Any] = {"start": start, "end": end}
    if target in TARGETS:
        draws = named_target(target).mixture.sample(200, torch.Generator().manual_seed(0))
        backdrop["points"] = draws.clamp(-8, 8).tolist()
    return backdrop_value(backdrop)


def _list(text: str | None) -> list[float]:
    """Numbers written as in "5, 20, 50"."""
    try:
        return [float(part) for part in (text or "").replace(";", ",").split(",") if part.strip()]
    except ValueError:
        raise InvalidRequest(f"The values are {text[:40]!r}; write numbers with commas, as in 5, 20, 50.") from None
