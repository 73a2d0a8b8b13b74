"""Controls of the page Optimal transport, part Later start."""

from __future__ import annotations

from typing import Any

import gradio as gr

from gensot_demo.backbones.embedded import training_pictures
from gensot_demo.experiments.requests import parse
from gensot_demo.experiments.static_ot.later_start_request import ANY, BUDGETS, FINISHES, MODELS, LaterStartRequest

from .controls import NamedParts, slider_for


class LaterStartControls(NamedParts):
    """Everything that makes a request, in the order of the page."""

    def _build(self) -> None:
        fields, plain, parts = LaterStartRequest.model_fields, LaterStartRequest(), self.parts
        parts["signal"] = slider_for(
            fields["signal"], "Signal at the start, %",
            "Share of the later start that is picture; the rest is noise.", step=0.1,
        )  # fmt: skip
        parts["calls"] = slider_for(fields["calls"], "Calls", "Of the model for one sample, the same for all ways.")
        parts["tau"] = slider_for(
            fields["tau"], "Smoothing τ", "0 is the map itself: whole pictures. More blends more of them."
        )
        parts["finish"] = gr.Dropdown(
            [(label, name) for name, label in FINISHES.items()], value=plain.finish, label="After the jump, sample with"
        )
        parts["pictures"] = gr.Dropdown(
            [("any", ANY), *((name, name) for name in training_pictures().classes)], value=plain.pictures, label="Class"
        )
        parts["model"] = gr.Radio([(label, name) for name, label in MODELS.items()], value=plain.model, label="Model")
        with gr.Accordion("GenSOT, seeds and the measurement", open=False):
            parts["stiffness"] = slider_for(
                fields["stiffness"], "Stiffness of GenSOT's path", "Where on its way it spends its calls.", step=0.5
            )
            parts["samples"] = slider_for(fields["samples"], "Samples on the wall")
            parts["seed"] = gr.Number(plain.seed, precision=0, minimum=0, label="Seed of the first column")
            parts["draws"] = slider_for(fields["draws"], "Samples measured", "Of every way at every number of calls.")
            parts["budgets"] = gr.CheckboxGroup(
                [(f"{calls} calls", calls) for calls in BUDGETS], value=list(plain.budgets), label="Measured at"
            )

    def of_measuring(self) -> list[gr.components.Component]:
        """What only the measurement depends on."""
        return [self.parts[name] for name in ("draws", "budgets")]

    def request(self, values: tuple[Any, ...]) -> LaterStartRequest:
        """The request of these values; raises InvalidRequest with a sentence."""
        at = dict(zip(self.parts, values, strict=True))
        at["budgets"] = tuple(at["budgets"] or ())
        at["seed"] = 0 if at["seed"] is None else at["seed"]
        return parse(LaterStartRequest, **at)

    def values(self, request: LaterStartRequest) -> list[Any]:
        """What the controls show for a request."""
        shown = [getattr(request, name) for name in self.parts]
        return [list(one) if isinstance(one, tuple) else one for one in shown]
