"""The controls of the Transport page and their two directions: to a request, and from one (a link, a preset)."""

from __future__ import annotations

from typing import Any

import gradio as gr

from gensot_demo.experiments import limits
from gensot_demo.experiments.plane.drawn_guide import backdrop_of, guide_through
from gensot_demo.experiments.plane.methods import METHODS
from gensot_demo.experiments.plane.request import (
    DETERMINISTIC,
    MOST_GUIDE_POINTS,
    STOCHASTIC,
    VARIED,
    TransportRequest,
    thinned,
)
from gensot_demo.experiments.plane.run import target_for
from gensot_demo.experiments.plane.table_file import read_points
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.figures.pad import DrawingPad, backdrop_value, drawing_value, read_drawing
from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.targets import TARGETS, named_target

from .controls import BoundedSlider, NamedParts, slider_for
from .events import QUIET

DRAW, FILE = "draw", "file"
HIDDEN = "hidden"  # stays on the page: a pad that was left out of it would come without its properties
_LABELS = [("right", "right"), ("upper", "upper"), ("the label of Four modes", "label")]
_EXTENT = (-4.0, 4.0, -4.0, 4.0)
_GUIDED = [name for name, method in METHODS.items() if method.guided]
_FREE = [name for name, method in METHODS.items() if not method.guided]
_SHAPED = ("gensot_v", "gensot_s", "gensot_frozen")
_TAKEN_AS_THEY_ARE = set(TransportRequest.model_fields) - {"target", "methods", "guide", "values", "show"}


class TransportControls(NamedParts):
    """Components by name, in a fixed order; :meth:`request` and :meth:`values` translate."""

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
            parts["stiffness"] = BoundedSlider(
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
            parts["condition"] = gr.Dropdown(
                [("the target's own label, else right", ""), *_LABELS], value="", label="Condition",
                info="Right and upper are soft labels by position, and every target has them.",
            )  # fmt: skip
            parts["trust"] = slider_for(fields["trust"], "Trust (the strength w of CFG)")
            parts["second_condition"] = gr.Dropdown([("none", ""), *_LABELS], value="", label="Second condition")
            parts["second_trust"] = slider_for(fields["second_trust"], "Second trust")
        with gr.Accordion("Run: steps, solver, particles, a row of values", open=False):
            parts["steps"] = slider_for(fields["steps"], "Steps")
            parts["solver"] = _solver("solver", STOCHASTIC, "Solver of the stochastic methods")
            parts["flow_solver"] = _solver("flow_solver", DETERMINISTIC, "Solver of the flows")
            parts["particles"] = BoundedSlider(50, 4000, 2000, step=50, label="Particles per method")
            parts["seed"] = gr.Number(7, precision=0, minimum=0, maximum=limits.MAX_SEED, label="Seed")
            with gr.Row():
                parts["vary"] = gr.Dropdown(list(VARIED), value="nothing", label="Vary", min_width=120)
                parts["values"] = gr.Textbox("5, 20, 50", label="Values", min_width=120)
        parts["show"] = gr.Textbox(",".join(fields["show"].default), visible="hidden", elem_id="layers")
        self._reveal()

    def _reveal(self) -> None:
        """Show only what the choices need."""
        parts = self.parts
        parts["target"].change(
            lambda target: [gr.update(visible=_shown(target == DRAW)), gr.update(visible=target == FILE)],
            parts["target"],
            [parts["drawing"], parts["file"]],
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
        request = parse(
            TransportRequest,
            **chosen,
            **{name: value for name, value in at.items() if name in _TAKEN_AS_THEY_ARE},
            methods=[*(at["methods"] or []), *(at["guided"] or [])],
            guide=_guide(at) if "gensot_drawn" in (at["methods"] or []) else (),
            values=_list(at["values"]) if at["vary"] != "nothing" else (),
            show=[name for name in (at["show"] or "").split(",") if name],
        )
        target_for(request)  # what cannot be a target is said before anything is waited for
        return request, notes

    def values(self, request: TransportRequest) -> list[Any]:
        """What the components show for a request."""
        own = request.target in ("modes", "points")
        known = {name: getattr(request, name) for name in self.parts if name in TransportRequest.model_fields}
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
    wave = [[0, 0], [1, 1.2], [2, -0.6], [3, 0.5]]
    return drawing_value("curve", curve=wave, backdrop=backdrop_of("two_modes", "gaussian"))


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
    if drawing.tool == "knots":
        return guide_through(drawing.knots.tolist(), at["target"], at["source"])
    return thinned(drawing.curve.tolist(), MOST_GUIDE_POINTS)


def _guide_backdrop(target: str, source: str) -> str:
    return backdrop_value(backdrop_of(target, source))


def _list(text: str | None) -> list[float]:
    """Numbers written as in "5, 20, 50"."""
    try:
        return [float(part) for part in (text or "").replace(";", ",").split(",") if part.strip()]
    except ValueError:
        raise InvalidRequest(f"The values are {text[:40]!r}; write numbers with commas, as in 5, 20, 50.") from None
