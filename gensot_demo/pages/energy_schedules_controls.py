"""Controls of the page Energy, part Schedules."""

from __future__ import annotations

from typing import Any

import gradio as gr

from gensot_demo.experiments.energy.schedules_request import SCHEDULES, SchedulesRequest
from gensot_demo.figures.pad import DrawingPad, drawing_value
from gensot_demo.transport.targets import TARGETS, named_target

from .controls import NamedParts, slider_for

_DATA = (("On a line", "line"), ("In the plane", "plane"), ("Emoji", "emoji"))
_PAD = {"start": [0.0, 1.0], "end": [1.0, 0.0]}


class SchedulesControls(NamedParts):
    """Everything that makes a request, in the order of its fields."""

    def _build(self) -> None:
        fields = SchedulesRequest.model_fields
        plain = SchedulesRequest()
        self.parts["data"] = gr.Radio(list(_DATA), value="line", label="Data", elem_id="data")
        self.parts["modes"] = slider_for(fields["modes"], "Modes")
        self.parts["separation"] = slider_for(fields["separation"], "Separation", "Between neighbouring modes.")
        self.parts["width"] = slider_for(fields["width"], "Width of a mode", "Its standard deviation.")
        self.parts["tilt"] = slider_for(fields["tilt"], "Tilt", "Weight of the last mode, log₁₀ of times the first's.")
        self.parts["target"] = gr.Dropdown(
            [(named_target(name).label, name) for name in TARGETS], value=plain.target, label="Target", visible=False
        )
        self.parts["schedules"] = gr.CheckboxGroup(
            [(label, name) for name, label in SCHEDULES.items()],
            value=list(plain.schedules),
            label="Schedules",
            elem_id="schedules",
        )
        self.parts["stiffness"] = slider_for(fields["stiffness"], "Stiffness of GenSOT", step=0.5)
        self.parts["knots"] = DrawingPad(
            _drawing(plain), tools=["knots"], extent=(-0.12, 1.12, -0.12, 1.12), height=240, visible="hidden",
            elem_id="schedule-pad", label="Share of noise over time, from all (upper left) to none (lower right)",
        )  # fmt: skip
        self.parts["seed"] = gr.Number(plain.seed, precision=0, minimum=0, label="Seed of the noise", visible=False)

    def values(self, request: SchedulesRequest) -> list[Any]:
        """What the controls show for a request."""
        on_line, drawn = request.data == "line", "drawn" in request.schedules
        shown = {
            "data": request.data,
            **{
                name: gr.update(value=getattr(request, name), visible=on_line)
                for name in ("modes", "separation", "width", "tilt")
            },
            "target": gr.update(value=request.target, visible=request.data == "plane"),
            "schedules": list(request.schedules),
            "stiffness": gr.update(value=request.stiffness, visible="gensot" in request.schedules),
            "knots": gr.update(value=_drawing(request), visible=True if drawn else "hidden"),
            "seed": gr.update(value=request.seed, visible=not on_line),
        }
        return [shown[name] for name in self.parts]


def _drawing(request: SchedulesRequest) -> str:
    return drawing_value("knots", knots=request.knots, backdrop=_PAD)
