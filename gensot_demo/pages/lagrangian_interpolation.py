"""One equation, part Optimal transport: the cheapest motion from here to there, with ellipses to drag."""

from __future__ import annotations

from typing import Any

import gradio as gr

from gensot_demo.experiments.lagrangian.interpolation import (
    CLOUDS,
    EXAMPLE,
    InterpolationRequest,
    first_view,
    run,
)
from gensot_demo.experiments.lagrangian.moving import LagrangianRequest, Moving
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.experiments.static_ot.gaussians import FARTHEST, WIDEST
from gensot_demo.figures.ellipses import Ellipse, EllipsePad, ellipses_value, read_ellipses
from gensot_demo.transport.targets import named_target

from .controls import slider_for
from .lagrangian_controls import LagrangianControls, seed_box
from .lagrangian_page import Piece, View, build_page

_EQUATION = r"""
Of all motions from one law to another, optimal transport has the least kinetic energy (Benamou and Brenier):

$$W_2^2(\alpha_0, \alpha_1) = \min_{\alpha, v} \int_0^1 \mathbb E\,|v_t(x_t)|^2\,dt
\quad\text{with}\quad \partial_t \alpha_t + \operatorname{div}(\alpha_t v_t) = 0 .$$

Its particles go straight, at constant speed, to the images of Brenier's map T = ∇ψ:

$$x_t = (1-t)\,x_0 + t\,T(x_0), \qquad v_t(x_t) = T(x_0) - x_0 .$$

Between Gaussians T is the Bures map, beside the map of flow matching (both in closed form):

$$T = S_0^{-1/2}\big(S_0^{1/2} S_1 S_0^{1/2}\big)^{1/2} S_0^{-1/2}, \qquad
T_{FM} = S_0^{1/2}\big(S_0^{-1/2} S_1 S_0^{-1/2}\big)^{1/2} S_0^{-1/2} .$$

They are equal if and only if the covariances commute; even then the ways differ, since flow matching takes each axis
through √((1−t)² s₀² + t² s₁²) and optimal transport through (1−t) s₀ + t s₁.

Between clouds T is the exact assignment of the drawn particles (POT), and flow matching uses the exact velocity between
the two mixtures, followed with Heun's method. Survey: Peyré, arXiv 2512.06797.
"""
_OF_GAUSSIANS = ("source_along", "source_across", "source_angle", "target_along", "target_across", "target_angle")
_OF_GAUSSIANS += ("target_x", "target_y")


class _Controls(LagrangianControls):
    kind = InterpolationRequest

    def _own(self) -> None:
        fields, parts = InterpolationRequest.model_fields, self.parts
        parts["ends"] = gr.Radio(
            [("Two Gaussians", "gaussians"), ("Two clouds", "clouds")], value="gaussians", label="From what to what",
            elem_classes="gensot-family", elem_id="ends",
        )  # fmt: skip
        for end in ("source", "target"):
            parts[end] = gr.Dropdown(
                [(named_target(name).label, name) for name in CLOUDS[end]],
                value=fields[end].default,
                label=end.capitalize(),
            )
        parts["particles"] = slider_for(fields["particles"], "Particles")
        parts["seed"] = seed_box()
        with gr.Accordion("The ellipses in numbers", open=False):
            for name in _OF_GAUSSIANS:
                end, what = name.split("_")
                label = {"along": "first axis", "across": "second axis", "angle": "angle, degrees"}.get(what, what)
                parts[name] = slider_for(fields[name], f"{end.capitalize()}: {label}")

    def needless(self, request: LagrangianRequest) -> set[str]:
        return {"source", "target"} if request.ends == "gaussians" else set(_OF_GAUSSIANS)


def _pad() -> EllipsePad:
    gr.Markdown("Drag the ends of the axes, or the target's centre.", elem_classes="gensot-try")
    return EllipsePad(narrowest=0.1, widest=WIDEST, farthest=FARTHEST, elem_id="ellipses")


def _ellipses(moving: Moving) -> str:
    at = moving.request
    return ellipses_value(
        Ellipse(0, 0, at.source_along, at.source_across, at.source_angle),
        Ellipse(at.target_x, at.target_y, at.target_along, at.target_across, at.target_angle),
    )


def _dragged(drawing: Any, request: InterpolationRequest) -> InterpolationRequest:
    try:
        source, target = read_ellipses(drawing)
    except ValueError as error:
        raise InvalidRequest(str(error)) from None
    at = request.model_dump() | {"ends": "gaussians"}
    at |= {f"source_{name}": getattr(source, name) for name in ("along", "across", "angle")}
    at |= {f"target_{name}": value for name, value in target._asdict().items()}
    return parse(InterpolationRequest, **at)


def build() -> None:
    """The page's content, inside its Blocks."""
    build_page(
        View(
            name="interpolation",
            question="What is the cheapest way from here to there?",
            seen="Left, every particle goes straight and at constant speed to its place by optimal transport. Right, "
            "flow matching carries the same cloud to the same law, but the cloud draws together on the way and may "
            "turn within itself, because it averages over all pairs of ends instead of choosing the cheapest.",
            first=first_view(),
            run=run,
            controls=_Controls,
            tries="turn the target by its handle until it lies like the source: the turning goes, the haste stays. "
            "*Two modes to a ring*: the optimal motion cuts the cloud where that is cheapest.",
            falling=(
                "What does each way cost?",
                "Kinetic energy at each moment; the area under a curve is what the whole way costs. Optimal transport "
                "is level: at constant speed nothing is wasted on haste.",
            ),
            equation=_EQUATION,
            about="Displacement interpolation between two Gaussians or two clouds, beside flow matching.",
            example=EXAMPLE,
            pieces=(Piece(_pad, _ellipses, _dragged, place="beside"),),
        )
    )  # fmt: skip
