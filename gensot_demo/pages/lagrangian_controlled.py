"""One equation, part GenSOT: transport under a control, with a guide as a potential that must be paid for."""

from __future__ import annotations

from functools import partial

import gradio as gr

from gensot_demo.experiments.lagrangian.controlled import (
    EXAMPLE,
    SHAPES,
    SHOWN_TIMES,
    TARGETS,
    ControlledRequest,
    first_view,
    run,
)
from gensot_demo.experiments.lagrangian.moving import LagrangianRequest
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.lagrangian_controlled import landscape_figure
from gensot_demo.transport.targets import named_target

from .controls import slider_for
from .lagrangian_controls import LagrangianControls, seed_box
from .lagrangian_page import Piece, View, build_page

_EQUATION = r"""
Among all controls that bring particles from one place to the law p₁ at time 1, the least expensive:

$$dx = u\,dt + \sqrt\kappa\,dW, \qquad \min_u \; \mathbb E \int_0^1 \Big( \frac{|u|^2}{2\kappa} +
\frac{\beta_t}{2} |x - \nu_t|^2 \Big) dt, \qquad x_1 \sim p_1 .$$

The guide ν is the bottom of a bowl of stiffness β that moves, and its potential is a price per unit time. The optimal
control and the velocity of its density are

$$u = -a_t\,x + b_t\,\mathbb E[\,y \mid x_t = x\,] + r_t, \qquad
v = u - \frac{\kappa}{2} \nabla \log \alpha, \qquad \partial_t \alpha + \operatorname{div}(\alpha v) = 0 .$$

a, b and r follow from two scalar equations (docs/FORMULAS.md 1.2), and the mean of the possible ends from the mixture,
so nothing is learnt. Stiffness and guide enter a, b and r but not p₁: they say how to get there. Here κ = 1, and the
guide is constant on 20 pieces of time.

*How it is computed.* Particles along v make Heun's steps in the noise level, noisy ones the exact bridge's, 180 in all,
on one Brownian path for both clouds. Costs by formula: moments of the mixture, quadrature for the posterior variance
(docs/FORMULAS.md 1.4); costs by particles: averages over those drawn. Sources: Chertkov, arXiv 2512.11859; Behjoo &
Chertkov, arXiv 2409.15166.

*Density and flux* are those of the drawn particles, both blurred by the same Gaussian. Without noise the blurred pair
satisfies the continuity equation exactly; with noise it does up to the luck of this many particles.
"""


class _Controls(LagrangianControls):
    kind = ControlledRequest

    def _own(self) -> None:
        fields, parts = ControlledRequest.model_fields, self.parts
        parts["shape"] = gr.Radio(
            [(label, name) for name, label in SHAPES.items()], value="S", label="Guide", elem_id="shape",
            elem_classes="gensot-family",
        )  # fmt: skip
        parts["stiffness"] = slider_for(fields["stiffness"], "Stiffness β of the potential")
        parts["amplitude"] = slider_for(fields["amplitude"], "How far the guide swings out")
        parts["target"] = gr.Dropdown(
            [(named_target(name).label, name) for name in TARGETS], value=fields["target"].default, label="Target",
        )  # fmt: skip
        parts["motion"] = gr.Radio(
            [("Along v, without noise", "flow"), ("By u and noise", "noise")], value="flow", label="Particles move",
            elem_classes="gensot-family",
        )  # fmt: skip
        parts["particles"] = slider_for(fields["particles"], "Particles")
        parts["seed"] = seed_box()

    def needless(self, request: LagrangianRequest) -> set[str]:
        return {"amplitude"} if request.shape == "straight" else set()


def _landscapes() -> tuple[Piece, ...]:
    """A figure for each moment, side by side where there is room."""
    row: list[gr.Row] = []

    def figure(number: int) -> PlotlyFigure:
        if not row:
            gr.Markdown(
                "### What is the landscape that they cross?\nThe potential at four moments: a bowl that slides along "
                "the guide. Contours are prices per unit time; the guided stay low and are steered for it, the "
                "unguided climb.",
                elem_classes="gensot-question gensot-question-short",
            )
            row.append(gr.Row(elem_classes="gensot-pairings"))
        with row[0]:
            return PlotlyFigure(
                empty="The landscape appears here.", height=330, elem_id=f"landscape-{number}",
                filename=f"gensot-controlled-landscape-{number}",
            )  # fmt: skip

    return tuple(
        Piece(partial(figure, number), partial(landscape_figure, number=number)) for number in range(len(SHOWN_TIMES))
    )


def build() -> None:
    """The page's content, inside its Blocks."""
    build_page(
        View(
            name="controlled",
            question="What does a guide change, if not the destination?",
            seen="Left, particles cross a moving bowl and pay for every moment away from its bottom; right there is no "
            "bowl. Both must arrive with the same law, so the guide only bends the way: the same ends, from other "
            "routes at another price.",
            first=first_view(),
            run=run,
            controls=_Controls,
            tries="*stiff V*: the cloud is squeezed onto the guide, and the shares of the modes stay. Then move the "
            "stiffness to 0: the bowl is flat, and the two panels are one.",
            falling=(
                "What does each moment cost?",
                "The potential's price and the control's, together, in the same potential for both clouds: as these "
                "particles pay it, and by formula, once for each piece of the guide. The area under a curve is the "
                "whole cost.",
            ),
            equation=_EQUATION,
            about="Particles to one target under a guide's potential and without, and what each pays.",
            example=EXAMPLE,
            pieces=_landscapes(),
        )
    )
