"""One equation, part Gradient flows: particles downhill on an energy of their own density."""

from __future__ import annotations

import gradio as gr

from gensot_demo.experiments.lagrangian.gradient_flows import (
    ENERGIES,
    EXAMPLE,
    STARTS,
    TARGETS,
    GradientFlowRequest,
    first_view,
    run,
)
from gensot_demo.experiments.lagrangian.moving import LagrangianRequest
from gensot_demo.figures.lagrangian_gradient_flows import masses_figure
from gensot_demo.transport.targets import named_target

from .controls import slider_for
from .lagrangian_controls import LagrangianControls, seed_box
from .lagrangian_page import View, build_page
from .lagrangian_pieces import shown_where

_EQUATION = r"""
An energy E of densities has a slope, its first variation δE/δα, a function of the place. Particles that go down it
lower the energy as fast as their motion pays for:

$$v = -\nabla \frac{\delta E}{\delta \alpha}, \qquad
\partial_t \alpha + \operatorname{div}(\alpha v) = 0, \qquad \frac{dE}{dt} = -\int |v|^2\, d\alpha .$$

Entropy gives the *heat equation*, the divergence from a density π the *Fokker-Planck equation*, and a kernel an
*interaction*:

$$E = \int \alpha \log \alpha : \quad v = -\nabla \log \alpha$$

$$E = \mathrm{KL}(\alpha\,\vert\,\pi) : \quad v = \nabla \log \pi - \nabla \log \alpha$$

$$E = \tfrac12 \mathrm{MMD}^2(\alpha, \pi) = \tfrac12 \iint k \, d(\alpha - \pi)\, d(\alpha - \pi) : \quad
v = -\nabla \, k * (\alpha - \pi)$$

The first two densities also belong to noise, Brownian and *Langevin's* motion:

$$dx = \nabla \log \pi(x)\, dt + \sqrt 2\, dW .$$

Sources: Jordan, Kinderlehrer & Otto 1998; Arbel et al., arXiv 1906.04370; survey: Peyré, arXiv 2512.06797.

*How it is computed.* Heat: from a mixture of Gaussians the density stays one, in closed form. Free energy: the
Fokker-Planck equation on a grid of 80 × 80 cells with Scharfetter and Gummel's flux; each step is a Markov kernel that
keeps π, so mass is conserved, nothing becomes negative and KL cannot rise. Particles follow −∇ log(α/π) of that grid
by Runge and Kutta's method; the noisy ones make Leimkuhler and Matthews' steps, and the arrows at their places are v
there. The half-life is ln 2 over the second eigenvalue of the same grid's generator. Kernel distance: k(x, y) is
h² exp(−|x − y|²/2h²), against the mixture itself, not against draws of it; its energy is that of these particles, each
with itself included.

*Density and flux* are those of the drawn particles, both blurred by the same Gaussian: the blurred pair satisfies the
continuity equation exactly.
"""
_SAME = "yet the density is the same at every moment, because only v, the mean motion at a place, moves mass."
_SEEN = {
    "langevin": "Left, every particle goes downhill on the free energy of the whole cloud: it rests where densities "
    f"agree, and waits before a barrier. Right, each is moved by its own noise and never rests, {_SAME}",
    "heat": "Left, every particle goes from the crowded to the empty, so that the cloud spreads without any noise. "
    f"Right, each is moved by noise alone, {_SAME}",
    "interaction": "Particles push one another off and are pulled by the target, both within about a bandwidth, until "
    "the two are in balance. Nobody feels what lies a few bandwidths away, so a short one leaves particles behind.",
}
_STARTS = {"noise": "Noise", "one_place": "One place"}


class _Controls(LagrangianControls):
    kind = GradientFlowRequest

    def _own(self) -> None:
        fields, parts = GradientFlowRequest.model_fields, self.parts
        parts["energy"] = gr.Radio(
            [(label, name) for name, label in ENERGIES.items()], value="langevin", label="What falls",
            elem_id="energy", elem_classes="gensot-family",
        )  # fmt: skip
        parts["start"] = gr.Radio(
            [(_STARTS.get(name) or named_target(name).label, name) for name in STARTS], value="noise", label="Start",
            elem_classes="gensot-family",
        )  # fmt: skip
        parts["target"] = gr.Dropdown(
            [(named_target(name).label, name) for name in TARGETS], value=fields["target"].default, label="Target π",
            elem_id="target",
        )  # fmt: skip
        parts["duration"] = slider_for(fields["duration"], "How long, t")
        parts["bandwidth"] = slider_for(fields["bandwidth"], "Bandwidth h of the kernel")
        parts["bandwidth"].visible = False
        parts["interaction_time"] = slider_for(fields["interaction_time"], "How long, t")
        parts["interaction_time"].visible = False
        parts["particles"] = slider_for(fields["particles"], "Particles")
        parts["seed"] = seed_box()

    def needless(self, request: LagrangianRequest) -> set[str]:
        return {
            "heat": {"target", "bandwidth", "interaction_time"},
            "langevin": {"bandwidth", "interaction_time"},
            "interaction": {"duration"},
        }[request.energy]


_MASSES = shown_where(
    lambda moving: moving.wanted is not None,
    "Has the mass found its modes?",
    "All mass counts for the mode that is likeliest there. Down the free energy each mode fills from nearby at once; "
    "from one mode to another mass must pass where there is next to none, which takes exponentially long in the "
    "barrier's height. The kernel knows no barriers, but sees no farther than its bandwidth.",
    "masses", 300, masses_figure,
)  # fmt: skip


def build() -> None:
    """The page's content, inside its Blocks."""
    build_page(
        View(
            name="gradient_flows",
            question="Can particles sample without noise?",
            seen=lambda moving: _SEEN[moving.request.energy],
            first=first_view(),
            run=run,
            controls=_Controls,
            tries="*stand still and look*: the arrows of both panels agree, the particles do not. Then *low barriers*: "
            "all modes get their mass. Then *short sight*: what is beyond a bandwidth pulls no more.",
            falling=(
                "What pays for the motion?",
                "The energy, and what is left of its start after ∫ E|v|² dt, added up over the particles on the left: "
                "the two are one curve, but for the luck of this many particles and, for the free energy, the 1 to 2 % "
                "that the grid is off where the target is steep.",
            ),
            equation=_EQUATION,
            about="Particles down the gradient of entropy, free energy or a kernel distance, beside particles moved by "
            "noise.",
            example=EXAMPLE,
            pieces=_MASSES,
        )
    )
