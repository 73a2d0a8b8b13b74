"""One equation, part Transformer tokens: attention as the velocity of tokens."""

from __future__ import annotations

import gradio as gr

from gensot_demo.experiments.lagrangian.moving import LagrangianRequest
from gensot_demo.experiments.lagrangian.tokens import MovingTokens, first_view, run
from gensot_demo.experiments.lagrangian.tokens_request import EXAMPLE, TokensRequest
from gensot_demo.figures.lagrangian_tokens import clusters_figure, law_figure, sentence_figure, sphere_figure

from . import lagrangian_tokens_counted
from .controls import slider_for
from .lagrangian_controls import LagrangianControls, seed_box
from .lagrangian_page import View, build_page
from .lagrangian_pieces import shown_where

_EQUATION = r"""
A head of attention moves each token xᵢ by what it looks at; depth is time, and layers are steps:

$$\dot x_i = \sum_j w_{ij}\, V x_j, \qquad
w_{ij} = \frac{e^{\beta\langle Q x_i, K x_j\rangle}}{\sum_k e^{\beta\langle Q x_i, K x_k\rangle}} .$$

On the circle and the sphere only its part along the sphere counts, that times I − xᵢxᵢᵀ: layer norm. The sum depends on
the tokens through their distribution α alone, so it is a velocity for the one equation. Only QᵀK matters of Q and K. If
V = c QᵀK is symmetric, each token climbs (c > 0) or descends (c < 0) the interaction energy

$$E = \frac{1}{2\beta n^2} \sum_{ij} e^{\beta \langle Q x_i, K x_j\rangle}, \qquad
\dot x_i = c\,\frac{n^2}{Z_i}\,\nabla_{x_i} E, \quad Z_i = \sum_k e^{\beta\langle Q x_i, K x_k\rangle} :$$

a gradient flow, in a metric that softmax stretches by Zᵢ (Geshkovski, Letrouit, Polyanskiy and Rigollet, arXiv
2312.10794). The curve is log(2βE)/β, which rises and falls with E.

*Gaussian tokens*: softmax tilts a Gaussian law N(m, S) to one with mean m + β S KᵀQ x, so the law stays Gaussian with

$$\dot m = V(m + \beta S K^\top Q\, m), \qquad
\dot S = \beta\,(V S K^\top Q\, S + S\, Q^\top K S V^\top) .$$

With V = c and QᵀK = a, both numbers, a variance s becomes s / (1 − 2βacst), infinite at t = 1 / (2βacs) (survey: Peyré,
arXiv 2512.06797); if V also turns by θ, c cos θ takes the place of c, and the law turns. Computed by SciPy; the run
ends where the largest variance has grown 16-fold, the mean or a token is 50 from the centre, or the solver has made as
many steps as fit in the time, as with a law that turns fast. Blow-ups without a formula are sought up to the depth
asked for.

*Computed* by Heun's method, back on the sphere after each stage, in steps of at most 0.05, coarser for several
hundred tokens, so that a run takes about a second at most. A run in the plane ends once a token is 50 from
the centre. *Clusters* are counted greedily: a token without one leads the next, with all within a cosine of 0.999, in
the plane within 10 % of the cloud's root mean square. *Density and flux* are those of the drawn tokens, blurred by one
Gaussian; for the sphere those of its picture.
"""


class _Controls(LagrangianControls):
    kind = TokensRequest

    def _own(self) -> None:
        fields, parts = TokensRequest.model_fields, self.parts
        parts["space"] = gr.Radio(
            [("Plane", "plane"), ("Circle", "circle"), ("Sphere", "sphere"), ("Gaussian tokens", "gaussian")],
            value="circle", label="Where tokens live", elem_id="space", elem_classes="gensot-family",
        )  # fmt: skip
        parts["start"] = gr.Radio(
            [("At random", "random"), ("A sentence", "sentence")], value="random", label="Tokens", elem_id="start",
            info="The sentence's embeddings are synthetic, made for this page.", elem_classes="gensot-family",
        )  # fmt: skip
        parts["beta"] = slider_for(
            fields["beta"], "Inverse temperature β", "0: all tokens count the same. High: only the best fit counts."
        )
        parts["looks"] = gr.Radio(
            [("Q = K: what is alike", "alike"), ("Q = −K: the opposite", "opposite"), ("One coordinate only", "first")],
            value="alike", label="Q and K: what a token looks for", elem_classes="gensot-family",
        )  # fmt: skip
        parts["ahead"] = slider_for(fields["ahead"], "Q turned by, degrees", "It then looks that far ahead.", step=5)
        parts["values"] = gr.Radio(
            [("V = I", "forward"), ("V = −I: repels", "repulsive"), ("One positive eigenvalue", "one_direction")],
            value="forward", label="V: what a token says", elem_classes="gensot-family",
        )  # fmt: skip
        parts["scale"] = slider_for(fields["scale"], "V scaled by")
        parts["turn"] = slider_for(fields["turn"], "V turned by, degrees", step=5)
        parts["tokens"] = slider_for(fields["tokens"], "Number of tokens")
        parts["depth"] = slider_for(fields["depth"], "Depth (time)", step=0.5)
        parts["spread"] = slider_for(fields["spread"], "Standard deviation along x")
        parts["ratio"] = slider_for(fields["ratio"], "Along y, as a share of that")
        parts["offset"] = slider_for(fields["offset"], "Mean along x")
        parts["seed"] = seed_box()

    def needless(self, request: LagrangianRequest) -> set[str]:
        assert isinstance(request, TokensRequest)
        gone = {"start"} if request.space == "gaussian" else {"spread", "ratio", "offset"}
        return gone | ({"tokens", "seed"} if request.sentence else set())


_PIECES = (
    *shown_where(
        lambda moving: moving.request.space == "sphere",
        "What does it look like in space?",
        "Each line is a token's way: hollow where it starts, filled where it ends. Drag to turn the sphere; its back "
        "is hidden here, while the player above looks through it from one side.",
        "sphere", 520, sphere_figure,
    ),
    *shown_where(
        lambda moving: moving.looked is not None,
        "Who looks at whom?",
        "A row is a word, its cells how much of its attention goes to each word. Words gather where they look: at the "
        "end the rows of a cluster are the same. The embeddings are synthetic, by three themes; no model was asked.",
        "sentence", 400, sentence_figure,
    ),
    *shown_where(
        lambda moving: moving.law is not None,
        "Does the cloud stay the Gaussian that its equation foretells?",
        "Lines are variances by the equation of the law, marks those of the tokens. They agree until the law nears its "
        "blow-up: more tokens follow it for longer, none follow it to infinity.",
        "law", 360, law_figure,
    ),
    *shown_where(
        lambda moving: moving.law is None,
        "How many clusters are left?",
        "Tokens count as one cluster where they can hardly be told apart. Where they gather, the number falls in steps "
        "and waits ever longer for the next: clusters far apart hardly look at one another.",
        "clusters", 300, clusters_figure,
    ),
)  # fmt: skip


def _seen(moving: MovingTokens) -> str:
    request = moving.request
    plain = request.normalised and request.looks == "alike" and request.ahead == request.turn == 0 < request.scale
    if request.space == "gaussian":
        return (
            "Each dot is a token, drawn from a Gaussian, and moves by the average of those that it looks at. Of "
            "endlessly many the law stays Gaussian, and its variance follows an equation; where that runs off to "
            "infinity, tokens that can be counted fall behind it."
        )
    if plain and request.values == "repulsive":
        return (
            "Each dot is a token, and each layer moves it a little away from the average of those that it looks at. It "
            "looks most at those that are like itself, so near ones part and all spread evenly."
        )
    if plain and request.values == "forward":
        return (
            "Each dot is a token, and each layer moves it a little towards the average of those that it looks at. It "
            "looks most at those that are like itself, so tokens gather in clusters; the mark says which."
        )
    return (
        "Each dot is a token, and each layer moves it a little by V times the average of those that it looks at. Q and "
        "K say at whom it looks, V where it then goes: tokens may gather, turn or part; the mark says where each ends."
    )


def build() -> None:
    """The page's content, inside its Blocks."""
    build_page(
        View(
            name="tokens",
            question="Where does attention carry the tokens?",
            seen=_seen,
            first=first_view(),
            run=run,
            controls=_Controls,
            tries="*Hot* and *cold*: one cluster or many. *Repulsion*: tokens spread evenly and the energy falls. "
            "*Gaussian tokens*: a law that becomes infinite at a known depth, and tokens that cannot follow it there.",
            falling=(
                "What do tokens minimise?",
                "How well tokens fit one another, as an energy. Where V goes with QᵀK each token climbs it, so with "
                "minus it can only fall; otherwise nothing forbids it to rise, and the sentences above say if it did.",
            ),
            equation=_EQUATION,
            about="Transformer tokens that attention moves in the plane, on the circle or on the sphere.",
            example=EXAMPLE,
            pieces=_PIECES,
            more=lagrangian_tokens_counted.section,
        )
    )
