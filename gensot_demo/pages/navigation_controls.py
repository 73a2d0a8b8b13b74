"""The controls of the Draw part and their two directions: to a request, and from one (a link, a case, a file)."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr
import torch

from gensot_demo.experiments import limits
from gensot_demo.experiments.navigation.request import COLDEST, HOTTEST, MOST_KNOTS, ProtocolRequest
from gensot_demo.experiments.plane.request import thinned
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.figures.pad import DrawingPad, drawing_value, read_drawing
from gensot_demo.transport.guides import SHAPES, guide_curve
from gensot_demo.transport.targets import TARGETS, named_target

from .controls import BoundedSlider, NamedParts, slider_for
from .events import QUIET
from .navigation_report import SHAPES as NAMES

DRAW, HIDDEN = "draw", "hidden"
EXTENT = (-4.0, 4.0, -4.0, 4.0)
_STIFFEST_SLID = 200
_TEMPLATE_KNOTS = 7
_BACKDROP_POINTS = 200
_PER_PIECE = "Several numbers, each for an equal share of the time: 5, 5, 50. Empty: the slider."


class NavigationControls(NamedParts):
    """Components by name, in a fixed order; :meth:`request` and :meth:`values` translate."""

    def _build(self) -> None:
        parts, fields = self.parts, ProtocolRequest.model_fields
        parts["shape"] = gr.Radio(
            [(label, name) for name, label in NAMES.items()], value="S", label="Guide", elem_id="shape"
        )
        parts["pad"] = DrawingPad(
            pad_value(ProtocolRequest()), tools=["knots", "curve"], extent=EXTENT, elem_id="guide-pad",
            label="Drag the guide's knots, or draw it freehand",
        )  # fmt: skip
        parts["stiffness"] = BoundedSlider(
            0, _STIFFEST_SLID, 20, step=1, label="Stiffness β", info="How hard the path is held to the guide."
        )
        parts["temperature"] = BoundedSlider(
            COLDEST, HOTTEST, 1, step=0.01, label="Temperature κ", info="How much noise there is on the way."
        )
        parts["amplitude"] = slider_for(fields["amplitude"], "Amplitude of the V and the S")
        named = [(named_target(name).label, name) for name in TARGETS]
        parts["target"] = gr.Dropdown([*named, ("Draw your own", DRAW)], value="two_modes", label="Target")
        parts["drawing"] = DrawingPad(
            tools=["modes"], extent=EXTENT, visible=HIDDEN, elem_id="target-pad", label="Draw the target"
        )
        with gr.Accordion("Per piece, start, cloud", open=False):
            parts["stiffness_pieces"] = gr.Textbox("", label="Stiffness per piece", info=_PER_PIECE)
            parts["temperature_pieces"] = gr.Textbox("", label="Temperature per piece", info=_PER_PIECE)
            parts["pieces"] = slider_for(fields["pieces"], "Pieces of the guide")
            parts["start"] = gr.Textbox("0, 0", label="Start x, y")
            parts["particles"] = BoundedSlider(50, 4000, 2000, step=50, label="Particles of the cloud")
            parts["steps"] = slider_for(fields["steps"], "Steps of the cloud")
            parts["seed"] = gr.Number(7, precision=0, minimum=0, maximum=limits.MAX_SEED, label="Seed")
        parts["held"] = gr.Textbox("", visible=HIDDEN, elem_id="held")
        parts["target"].change(
            lambda target: gr.update(visible=True if target == DRAW else HIDDEN),
            parts["target"],
            parts["drawing"],
            **QUIET,
        )

    def request(self, values: tuple[Any, ...]) -> ProtocolRequest:
        """The request of these values; raises InvalidRequest with a sentence."""
        at = dict(zip(self.parts, values, strict=True))
        fields: dict[str, Any] = {
            name: at[name] for name in ("shape", "amplitude", "pieces", "particles", "steps", "seed")
        }
        for name in ("stiffness", "temperature"):
            several = _numbers(name, at[f"{name}_pieces"])
            fields[name] = several or (at[name],)
        fields["start"] = _numbers("start", at["start"])
        fields["target"] = at["target"]
        if at["target"] == DRAW:
            fields |= {"target": "modes", "modes": _drawing(at["drawing"]).modes.tolist()}
        if at["shape"] == "knots":
            fields["knots"] = _drawing(at["pad"]).knots.tolist()
        elif at["shape"] == "curve":
            fields["guide"] = thinned(_drawing(at["pad"]).curve.tolist(), 200)
        elif at["shape"] == "pieces":
            fields |= _held(at["held"])
        request = parse(ProtocolRequest, **fields)
        request.law()
        return request

    def values(self, request: ProtocolRequest) -> list[Any]:
        """What the components show for a request."""
        own = request.target == "modes"
        shown: dict[str, Any] = {
            name: getattr(request, name) for name in ("shape", "amplitude", "pieces", "particles", "steps", "seed")
        }
        for name, most in (("stiffness", _STIFFEST_SLID), ("temperature", HOTTEST)):
            several = getattr(request, name)
            alone = len(several) == 1 and several[0] <= most
            shown[name] = min(sum(several) / len(several), most)
            shown[f"{name}_pieces"] = "" if alone else ", ".join(f"{value:g}" for value in several)
        shown |= {
            "pad": pad_value(request),
            "target": DRAW if own else request.target,
            "drawing": gr.update(
                value=drawing_value("modes", modes=request.modes) if own else None, visible=True if own else HIDDEN
            ),
            "start": f"{request.start[0]:g}, {request.start[1]:g}",
            "held": json.dumps({"guide": request.guide, "times": request.times}) if request.shape == "pieces" else "",
        }
        return [shown[name] for name in self.parts]


def pad_value(request: ProtocolRequest) -> str:
    """The guide of a request on the pad: a template as knots to drag, over start, end and draws of the target."""
    law = request.law()[0].mixture
    end, start = law.mean(), torch.tensor(request.start, dtype=torch.float64)
    draws = law.sample(_BACKDROP_POINTS, torch.Generator().manual_seed(0)).clamp(-20, 20)
    backdrop = {"points": draws.tolist(), "start": start.tolist(), "end": end.tolist()}
    if request.shape == "curve":
        return drawing_value("curve", curve=request.guide, backdrop=backdrop)
    knots = list(request.knots)
    if request.shape in SHAPES:
        t = torch.linspace(0, 1, _TEMPLATE_KNOTS + 2, dtype=torch.float64)[1:-1]
        knots = (start + guide_curve(request.shape, t, end - start, request.amplitude)).tolist()
    elif request.shape == "pieces":
        knots = thinned(request.guide, MOST_KNOTS)
    return drawing_value("knots", knots=knots, backdrop=backdrop)


def _drawing(value: Any):
    try:
        return read_drawing(value)
    except ValueError as error:
        raise InvalidRequest(f"The drawing cannot be read: {error}.") from None


def _held(text: str | None) -> dict[str, Any]:
    """An imported guide, place by place; it comes back from the browser, so it is checked again by the request."""
    try:
        found = json.loads(text or "{}")
        guide, times = found["guide"], found.get("times") or []
        return {"guide": guide, "times": times, "pieces": len(guide)}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidRequest("No guide is imported: choose a protocol file below, or another guide.") from None


def _numbers(name: str, text: str | None) -> list[float]:
    try:
        return [float(part) for part in (text or "").replace(";", ",").split(",") if part.strip()]
    except ValueError:
        wanted = "two numbers, as in 0, 0" if name == "start" else "numbers with commas, as in 5, 5, 50"
        raise InvalidRequest(f"{name.capitalize()} is {text[:40]!r}; write {wanted}.") from None
