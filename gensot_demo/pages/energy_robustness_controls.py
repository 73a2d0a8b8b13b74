"""The controls of "Speed and accuracy" and their two directions: to a request, and from one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from gensot_demo.experiments.energy.presets import DRAWN_START
from gensot_demo.experiments.energy.robustness import (
    BACKBONES,
    LAWS,
    MOST_POINTS,
    STARTS,
    RobustnessRequest,
)
from gensot_demo.experiments.plane.request import thinned
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.figures.pad import DrawingPad, drawing_value, read_drawing
from gensot_demo.transport.targets import TARGETS, named_target

from .controls import BoundedSlider, NamedParts

_FIELDS = RobustnessRequest.model_fields
_OF_START = {
    "shift": ("shift",), "spread": ("spread",), "modes": ("apart", "width"), "uniform": ("half_width",),
    "drawn": ("points",),
}  # fmt: skip
SWITCHED = ("shift", "spread", "apart", "width", "half_width", "points")
HIGHEST = 4.0  # of the pad: how many times as likely


def _slider(name: str, label: str, info: str | None = None, visible: bool = True, step: float = 0.01, **more: Any):
    """For a field of the request, with its range and default."""
    declared = _FIELDS[name]
    (low,) = (item.ge for item in declared.metadata if hasattr(item, "ge"))
    (high,) = (item.le for item in declared.metadata if hasattr(item, "le"))
    step = 1 if declared.annotation is int else step
    return BoundedSlider(low, high, declared.default, step=step, label=label, info=info, visible=visible, **more)


class StartControls(NamedParts):
    """The law on the line and the wrong start."""

    def _build(self) -> None:
        parts = self.parts
        laws = [(label, name) for name, label in LAWS.items()]
        parts["law"] = gr.Dropdown(laws, value="reference", label="Data on the line", elem_id="law")
        parts["start"] = gr.Dropdown(
            [(label, name) for name, label in STARTS.items()], value="shift", label="What is wrong with the start",
            elem_id="start",
        )  # fmt: skip
        parts["shift"] = _slider("shift", "Shift of the mean", "Should be 0.", step=0.1)
        parts["spread"] = _slider("spread", "Standard deviation", "Should be 1.", visible=False)
        parts["apart"] = _slider("apart", "Modes at ± this", visible=False)
        parts["width"] = _slider("width", "Standard deviation of each mode", visible=False)
        parts["half_width"] = _slider("half_width", "Half its width", visible=False)
        parts["points"] = DrawingPad(
            drawn(DRAWN_START), tools=("curve",), extent=(-3.0, 3.0, 0.0, HIGHEST), height=300, visible="hidden",
            label="How many times as likely as it should be (1: right)",
            empty="Draw from left to right: height is how many times as likely a start is there.", elem_id="pad",
        )  # fmt: skip


class SpaceControls(NamedParts):
    """The plane and its rotation."""

    def _build(self) -> None:
        self.parts["target"] = gr.Dropdown(
            [(named_target(name).label, name) for name in TARGETS], value=_FIELDS["target"].default,
            label="Data in the plane", elem_id="target",
        )  # fmt: skip
        self.parts["angle"] = _slider("angle", "Direction of the error, degrees", step=5, elem_id="angle")


class TurnControls(NamedParts):
    """The rotation of the flow."""

    def _build(self) -> None:
        self.parts["turn"] = _slider("turn", "Rotation ω, radians per unit time", step=0.1)
        self.parts["euler"] = _slider("euler", "Steps of Euler's method")


class PictureControls(NamedParts):
    """What runs on pictures."""

    def _build(self) -> None:
        parts = self.parts
        names = [(label, name) for name, label in BACKBONES.items()]
        parts["backbone"] = gr.Dropdown(names, value=_FIELDS["backbone"].default, label="Pictures", elem_id="backbone")
        parts["particles"] = _slider("particles", "Particles")
        parts["steps"] = _slider("steps", "Steps")
        parts["seed"] = gr.Number(_FIELDS["seed"].default, precision=0, minimum=0, label="Seed")


NAMES = (
    "law", "start", *SWITCHED, "target", "angle", "turn", "euler", "backbone", "particles", "steps", "seed",
)  # fmt: skip


def drawn(points: tuple[tuple[float, float], ...]) -> str:
    """A pad's value for a drawn ratio."""
    inside = [(x, min(max(y, 0.0), HIGHEST)) for x, y in points]
    return drawing_value("curve", curve=inside)


def request_of(*values: Any) -> RobustnessRequest:
    """The request of all controls' values, in the order of :data:`NAMES`; raises InvalidRequest with a sentence."""
    at = dict(zip(NAMES, values, strict=True))
    try:
        curve = read_drawing(at["points"]).curve.tolist() if at["start"] == "drawn" else []
    except ValueError as error:
        raise InvalidRequest(f"The drawing cannot be read: {error}.") from None
    at["points"] = tuple(tuple(point) for point in thinned(curve, MOST_POINTS)) if curve else ()
    at["seed"] = at["seed"] or 0
    return parse(RobustnessRequest, **at)


def shown_for(start: str) -> list[Any]:
    """Which of the start's own controls are in sight."""
    wanted = _OF_START.get(start, ())
    return [gr.update(visible=(name in wanted) or ("hidden" if name == "points" else False)) for name in SWITCHED]


def values_of(request: RobustnessRequest) -> list[Any]:
    """What all controls show for a request, in the order of :data:`NAMES`."""
    values: list[Any] = []
    wanted = _OF_START[request.start]
    for name in NAMES:
        value = getattr(request, name)
        if name == "points":
            value = drawn(request.points or DRAWN_START)
        if name in SWITCHED:
            visible = name in wanted or ("hidden" if name == "points" else False)
            values.append(gr.update(value=value, visible=visible))
        else:
            values.append(value)
    return values


def setter(change: dict[str, Any]) -> Callable[..., list[Any]]:
    """A handler that sets what a button names and leaves the rest as it is, a drawing too."""

    def changed(*values: Any) -> list[Any]:
        at = dict(zip(NAMES, values, strict=True)) | change
        shown = dict(zip(SWITCHED, shown_for(at["start"]), strict=True))
        return [
            shown[name] | ({"value": change[name]} if name in change and name != "points" else {}) if name in shown
            else (change[name] if name in change else gr.skip())
            for name in NAMES
        ]  # fmt: skip

    return changed
