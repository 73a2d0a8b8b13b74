"""One equation, part Diffusion: segments that cross, and their average as a velocity."""

from __future__ import annotations

import gradio as gr

from gensot_demo.experiments.lagrangian.diffusion import (
    EXAMPLE,
    SCHEDULES,
    SOURCES,
    TARGETS,
    DiffusionRequest,
    first_view,
    run,
)
from gensot_demo.experiments.lagrangian.moving import LagrangianRequest
from gensot_demo.transport.targets import named_target

from .controls import slider_for
from .lagrangian_controls import LagrangianControls, seed_box
from .lagrangian_page import View, build_page

_EQUATION = r"""
Each particle has its own segment, drawn by its two ends:

$$x_t = a(t)\,y + m(t)\,x_0, \qquad \dot x_t = a'(t)\,y + m'(t)\,x_0 .$$

At one place and time many segments may pass. The mean of their velocities moves the same density:

$$v_t(x) = \mathbb E[\,a'(t)\,y + m'(t)\,x_0 \mid x_t = x\,], \qquad
\partial_t \alpha_t + \operatorname{div}(\alpha_t v_t) = 0 .$$

*Flow matching* learns this mean by regression (Lipman et al., arXiv 2210.02747); with a = sin, m = cos it is the
probability flow of *diffusion* (Song et al., arXiv 2011.13456). Here nothing is learnt: source and target are mixtures
of Gaussians, so the mean is a closed form over pairs of components, and particles follow it with Heun's method. The
optimal pairing is the exact assignment of the two drawn clouds (POT). By Jensen's inequality E|v|² of the mean is at
most that of the segments. Survey: Peyré, arXiv 2512.06797.

*Density and flux* are those of the drawn particles, both blurred by the same Gaussian: the blurred pair satisfies the
continuity equation exactly.
"""


class _Controls(LagrangianControls):
    kind = DiffusionRequest

    def _own(self) -> None:
        fields, parts = DiffusionRequest.model_fields, self.parts
        parts["source"] = gr.Radio(
            [("Noise", "noise"), *((named_target(name).label, name) for name in SOURCES[1:])], value="noise",
            label="Source", elem_classes="gensot-family",
        )  # fmt: skip
        parts["target"] = gr.Dropdown(
            [(named_target(name).label, name) for name in TARGETS], value=fields["target"].default, label="Target"
        )
        parts["pairing"] = gr.Radio(
            [("Independent", "independent"), ("Optimal transport", "optimal")], value="independent", elem_id="pairing",
            label="Which start goes with which end", elem_classes="gensot-family",
        )  # fmt: skip
        parts["schedule"] = gr.Radio(
            [(label, name) for name, (label, _) in SCHEDULES.items()], value="condot", label="Schedule",
            elem_classes="gensot-family",
        )  # fmt: skip
        parts["particles"] = slider_for(fields["particles"], "Particles")
        parts["seed"] = seed_box()

    def needless(self, request: LagrangianRequest) -> set[str]:
        return {"schedule"} if request.pairing == "optimal" else set()


def build() -> None:
    """The page's content, inside its Blocks."""
    build_page(
        View(
            name="diffusion",
            question="What is the velocity where paths cross?",
            seen="Left, every particle runs on its own segment from source to target, and segments cross. Right, each "
            "particle goes at the mean velocity of all segments that pass its place: paths bend and cross no more, "
            "and both clouds look the same at every moment, because one density has many motions.",
            first=first_view(),
            run=run,
            controls=_Controls,
            tries="*stand still and look*: the panels can hardly be told apart. Then *optimal pairing*: no segments "
            "meet, and the two motions become one.",
            falling=(
                "What does averaging save?",
                "Kinetic energy at each moment. The mean of several velocities is slower than they are, so averaging "
                "saves wherever segments meet; at the end, what is still averaged is where a particle began.",
            ),
            equation=_EQUATION,
            about="Particles on their own segments from a source to a target, beside particles on the average of all "
            "segments.",
            example=EXAMPLE,
        )
    )
