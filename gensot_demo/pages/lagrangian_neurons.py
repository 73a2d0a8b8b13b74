"""One equation, part Network training: the neurons of a two-layer network as particles, many beside few."""

from __future__ import annotations

import gradio as gr

from gensot_demo.experiments.lagrangian.moving import LagrangianRequest
from gensot_demo.experiments.lagrangian.neurons import EXAMPLE, NeuronsRequest, first_view, run
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.lagrangian_neurons import drift_figure, fitted_figure
from gensot_demo.transport.lagrangian.circle_teachers import TEACHERS

from . import lagrangian_neurons_luck
from .controls import slider_for
from .lagrangian_controls import LagrangianControls, seed_box
from .lagrangian_page import Piece, View, build_page

_EQUATION = r"""
The network has a plane of inputs, no offsets, and learns from 256 points z at equal distances on the unit circle:

$$G(z) = \frac1n \sum_i v_i\,\mathrm{relu}(u_i\cdot z), \qquad L = \tfrac12\,\mathbb E_z\,r^2, \qquad r = G - y .$$

Gradient descent, with time counted without the 1/n, moves every neuron in one velocity field:

$$\dot u_i = -\mathbb E[\,r\,v_i\,\mathbf 1\{u_i\cdot z>0\}\,z\,], \qquad
\dot v_i = -\mathbb E[\,r\,\mathrm{relu}(u_i\cdot z)\,] .$$

With the pull h(u) = −E[r 1{u·z > 0} z] they are vh and u·h. So |u|² − v² stays; and the drawn point p = u|v| moves by

$$\dot p = \mathrm{sign}(v)\,\big(v^2\,h + (u\cdot h)\,u\big), \qquad
\partial_t\alpha_t + \operatorname{div}(\alpha_t\,v_t[\alpha_t]) = 0 :$$

neurons only meet through r, which the whole cloud α makes. The number n stands nowhere in it: a wide and a narrow
network are a large and a small sample of the same flow (Chizat and Bach, arXiv 1805.09545; survey: Peyré, arXiv
2512.06797), the Wasserstein gradient flow of L.

*Computed* with explicit Euler steps of the length chosen. h depends on a direction only through which data it sees, so
it is a table of 256 rows, and a step costs as many operations as there are neurons. The start *spread evenly* has radii
at the quantiles of the Gaussian and directions at multiples of the golden angle; v = |u| or −|u| by turns. *Reference
run*: 120 neurons, scale 0.3, step 0.05; the tests hold it to losses .60574, .56275, .17187 and 8.61e-4 at t = 0, 1, 5
and 20.
"""


class _Controls(LagrangianControls):
    kind = NeuronsRequest

    def _own(self) -> None:
        fields, parts = NeuronsRequest.model_fields, self.parts
        parts["teacher"] = gr.Dropdown(
            [(teacher.label, name) for name, teacher in TEACHERS.items()], value=fields["teacher"].default,
            label="Function to learn", elem_id="teacher",
        )  # fmt: skip
        parts["neurons"] = slider_for(fields["neurons"], "Neurons of the wide network")
        parts["narrow"] = slider_for(fields["narrow"], "Neurons of the narrow one")
        parts["scale"] = slider_for(
            fields["scale"], "Scale of the start", "Small: they must move. Large: they hardly do."
        )
        parts["learns"] = gr.Radio(
            [("Both weights", "both"), ("Only u", "inputs"), ("Only v", "outputs")], value="both",
            label="What learns", elem_classes="gensot-family",
        )  # fmt: skip
        parts["time"] = slider_for(fields["time"], "Time of training", step=1)
        parts["step"] = slider_for(fields["step"], "Euler step", step=0.005)
        parts["start"] = gr.Radio(
            [("Spread evenly", "spread"), ("Drawn by chance", "random")], value="spread", label="Start",
            elem_classes="gensot-family",
        )  # fmt: skip
        parts["seed"] = seed_box(visible=False)

    def needless(self, request: LagrangianRequest) -> set[str]:
        return {"seed"} if request.start == "spread" else set()


def _fitted() -> PlotlyFigure:
    gr.Markdown(
        "### What have they learnt?\nThe network's output around the circle, at the start, on the way and at the end, "
        "over the function to learn. Each neuron adds or takes away a bump of half the circle, with a kink at a right "
        "angle to its direction; without neurons there, the narrow network has no kink to bend.",
        elem_classes=["gensot-lead", "gensot-energy-question"],
    )
    return PlotlyFigure(empty="The functions appear here.", height=380, elem_id="fitted", filename="gensot-fitted")


def _drifts() -> PlotlyFigure:
    gr.Markdown(
        "### What stays of each neuron?\n|u|² − v²: what the two weights of a neuron gain from its pull is the same, "
        "so the exact flow keeps their difference. Each Euler step adds step² (|du/dt|² − (dv/dt)²) to it; the curve "
        "is the largest drift of all neurons. *Half the step* halves it.",
        elem_classes=["gensot-lead", "gensot-energy-question"],
    )
    return PlotlyFigure(empty="The drift appears here.", height=280, elem_id="drift", filename="gensot-drift")


def build() -> None:
    """The page's content, inside its Blocks."""
    build_page(
        View(
            name="neurons",
            question="Where do neurons go when a network learns?",
            seen="Each particle is a neuron, drawn at its input weights u times |v|; circles add to the output, "
            "squares take away. They start as a small cloud, turn towards the directions that the function needs "
            "(dashed rays: those it is made of) and grow along them, because each is pulled by the error that all make "
            "together. Left many, right few: the same flow, seen in a large and a small sample.",
            first=first_view(),
            run=run,
            controls=_Controls,
            tries="*lazy: a large start*: the loss falls faster and the cloud hardly moves. Then a *narrow* network of "
            "10: few, but enough.",
            falling=(
                "Does the loss fall?",
                "Always along the exact flow, which is steepest descent in the space of clouds; Euler's steps must be "
                "short enough. The narrow network stops where no small move of its few neurons helps.",
            ),
            equation=_EQUATION,
            about="Training of a wide and of a narrow two-layer ReLU network on the circle, with neurons as particles.",
            example=EXAMPLE,
            pieces=(Piece(_fitted, fitted_figure), Piece(_drifts, drift_figure)),
            more=lagrangian_neurons_luck.section,
        )
    )
