"""The controls of the solver's page, for points and for pictures, and their two directions: to requests and back."""

from __future__ import annotations

from typing import Any

import gradio as gr

from gensot_demo.experiments.requests import parse
from gensot_demo.experiments.static_ot.heights_links import own_places, shown_places
from gensot_demo.experiments.static_ot.heights_request import SETS, PicturesRequest, PlaneRequest
from gensot_demo.experiments.static_ot.picture_sets import picture_set_keys

from .controls import BoundedSlider, NamedParts


class PlaneControls(NamedParts):
    """Which points, and how exact."""

    def _build(self) -> None:
        fields, parts = PlaneRequest.model_fields, self.parts
        parts["points"] = gr.Dropdown([(label, key) for key, label in SETS.items()], value="eight", label="Points")
        parts["number"] = BoundedSlider(
            1,
            200,
            fields["number"].default,
            step=1,
            label="How many, if drawn",
            info="From the normal law, by the seed.",
        )
        parts["own"] = gr.Textbox(
            "", label="Your own points", placeholder="1,0; -1,0.5; 0,-1", info="Used where Points says so.", lines=2
        )
        parts["tolerance"] = BoundedSlider(
            0.002, 0.3, fields["tolerance"].default, step=0.002, label="Until the mass error is",
            info="Share of the noise in a wrong cell, as the ascent counts it.",
        )  # fmt: skip
        parts["seed"] = gr.Number(
            0, precision=0, minimum=0, label="Seed", info="Of the points drawn, and of the noise."
        )

    def request(self, values: tuple[Any, ...]) -> PlaneRequest:
        at = dict(zip(self.parts, values, strict=True))
        at["own"] = own_places(at["own"]) if at["points"] == "own" else ()
        at["number"] = int(at["number"] or 0)
        at["seed"] = 0 if at["seed"] is None else at["seed"]
        return parse(PlaneRequest, **at)

    def values(self, request: PlaneRequest) -> list[Any]:
        shown = request.model_dump() | {"own": shown_places(request.own)}
        return [shown[name] for name in self.parts]


class PicturesControls(NamedParts):
    """Which pictures, and how exact."""

    def _build(self) -> None:
        fields, parts = PicturesRequest.model_fields, self.parts
        parts["pictures"] = gr.Dropdown(
            picture_set_keys(), value=fields["pictures"].default, label="Pictures", allow_custom_value=True,
            info="Or collection/ and any keyword, as collection/wink.", elem_id="pictures",
        )  # fmt: skip
        parts["tolerance"] = BoundedSlider(
            0.005,
            0.5,
            fields["tolerance"].default,
            step=0.005,
            label="Until the mass error is",
            info="For solving anew.",
        )
        parts["seed"] = gr.Number(0, precision=0, minimum=0, label="Seed of the noise")

    def request(self, values: tuple[Any, ...]) -> PicturesRequest:
        at = dict(zip(self.parts, values, strict=True))
        at["pictures"] = (at["pictures"] or "").strip()
        at["seed"] = 0 if at["seed"] is None else at["seed"]
        return parse(PicturesRequest, **at)

    def values(self, request: PicturesRequest) -> list[Any]:
        return [getattr(request, name) for name in self.parts]
