"""The guided tour: twelve stops, each an address of the app with something to try and something to notice.

What the browser needs goes into the page's head as data (:func:`data`); equations are drawn by Gradio's own KaTeX, in
blocks at the page's end that ``assets/tour.js`` moves to their place. ``[[stiffness]]`` and ``[[law asked for|law]]``
in a text mark a term of :mod:`.terms`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import gradio as gr

from .terms import TERMS

_TERM = re.compile(r"\[\[([^\]|]+)(?:\|([^\]]+))?\]\]")
_DELIMITERS = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "$", "right": "$", "display": False},
]


@dataclass(frozen=True)
class Stop:
    """One stop of the tour.

    name: in tests.  path, query: of the page and its state, in the page's own normal form.  text: what one sees and
    why.  to_try, notice: one thing each.  equation: LaTeX.  source: Markdown.  differs: what we found different from
    the source, or nothing.
    """

    name: str
    title: str
    path: str
    query: str
    text: str
    to_try: str
    notice: str
    equation: str
    source: str
    differs: str = ""


def _arxiv(number: str, authors: str) -> str:
    return f"[{authors}, arXiv {number}](https://arxiv.org/abs/{number})"


_CHERTKOV = _arxiv("2512.11859", "Chertkov")
_HARMONIC = _arxiv("2409.15166", "Behjoo & Chertkov")

STOPS = (
    Stop(
        "noise",
        "From noise to picture",
        "/",
        "v=1&condition=faces*1&strength=1&steps=20&backbone=network&method=unguided&method=conditional",
        "A picture begins as pure noise. At every step the network looks at it, gives its [[prediction]] of the "
        "finished picture, and a little noise is taken away. Early predictions are a blur of all that is still "
        "possible; late ones only sharpen what is decided.",
        "Click any picture of the wall. Its story opens below the wall: ten moments, from noise to picture.",
        "Each column is the same noise twice. The upper row was asked for nothing, the lower one for a face: the "
        "request alone makes the difference.",
        r"\frac{\mathrm dz}{\mathrm d\sigma} = \frac{z-\hat y(z,\sigma)}{\sigma},\qquad "
        r"\hat y(z,\sigma)=\mathbb E\,[\,y \mid y+\sigma\varepsilon=z\,]",
        f"{_arxiv('2206.00364', 'Karras et al.')}; {_arxiv('2011.13456', 'Song et al.')}",
    ),
    Stop(
        "guidance",
        "What guidance does",
        "/grid",
        "v=1&condition=hearts*1&steps=15&samples=1&backbone=network&method=cfg&x=strength:1, 2, 4, 8"
        "&y=method:cfg, apg, cfg_zero_star, gensot*particles:4",
        "[[Guidance]] pulls every prediction towards what was asked for, here a heart. To the right it pulls harder. "
        "Each row is another method, and all sixteen pictures begin with the same noise.",
        "Write 1, 3, 10 as Values of X and press Make the grid.",
        "At strength 1 all rows show the same heart, within a hair: there is nothing to exaggerate yet. At 8 it is "
        "another heart, and bleached but where adaptive projected guidance holds back.",
        r"\hat y_w = \hat y_\varnothing + w\,(\hat y_c-\hat y_\varnothing)",
        f"[[cfg|Classifier-free guidance]]: {_arxiv('2207.12598', 'Ho & Salimans')}",
    ),
    Stop(
        "product",
        "CFG is not the product law",
        "/transport",
        "v=1&target=four_modes&source=point&method=conditional&method=cfg_flow&method=cfg_sde&method=gensot_weighted"
        "&stiffness=0&steps=200&solver=euler&show=target&show=trails",
        "Strong [[cfg|classifier-free guidance]] is often said to sample the [[product law]]: the condition, counted "
        "three times. It does not. Adding predictions is right for clear pictures and wrong for noisy ones, and the "
        "error is carried along.",
        "Press Repeat on 8 seeds, below the table: it is not luck.",
        "In the table, only the weighted particles come near the [[floor]]; both CFG rows stay well above it. Their "
        "[[weights]] measure the error on the way, and resampling mends it.",
        r"D = D_\varnothing + w\,(D_c-D_\varnothing)\;\not=\;\hat y\text{ of }"
        r"\frac{p(y\mid c)^w\,p(y)^{1-w}}{Z},\qquad "
        r"\mathrm d\log W = \tfrac{\kappa}{2}\,w(w-1)\,\bigl|\nabla\log h_c-\nabla\log h_\varnothing\bigr|^2\,"
        r"\mathrm dt",
        f"{_arxiv('2207.12598', 'Ho & Salimans')}; weights after {_arxiv('2503.02819', 'Skreta et al.')}",
        "The weights are right for small Euler steps; the bridge step biases them. In many dimensions they "
        "collapse, and the app then says so.",
    ),
    Stop(
        "following",
        "Following a picture exactly",
        "/",
        "v=1&follow_average=faces*1&view_noise=4&steps=20&method=sdedit&method=dps&method=gensot",
        "A picture seen through noise asks for a known [[law asked for|law]]: the pictures that could have looked like "
        "this. [[GenSOT]] takes the view in as one more Gaussian factor, so its predictions stay exact and cost no "
        "extra call.",
        "Press Measure against the exact law, below the pictures.",
        "GenSOT's distance comes down to the [[floor]] of exact draws. DPS and SDEdit stay far above even the wrong "
        "law, however good their pictures look.",
        r"p_1(y)\;\propto\;p(y)\,e^{-|y-c|^2/2\tau^2}\quad\Rightarrow\quad K' = K+\tau^{-2},\quad H' = H+\tau^{-2}c",
        f"{_CHERTKOV}; DPS: {_arxiv('2209.14687', 'Chung et al.')}; SDEdit: {_arxiv('2108.01073', 'Meng et al.')}",
        "GenSOT's paper has a hard end only. The soft end, and that it is exact at no further call, is ours.",
    ),
    Stop(
        "destination",
        "The guide does not choose the destination",
        "/transport",
        "v=1&source=point&method=gensot_straight&method=gensot_v&method=gensot_s&method=gensot_frozen",
        "Four [[guide]]s lead the same particles along four corridors; the last one stops half-way, far from the "
        "target. The guide only shifts where the particles are on the way, and its shift is zero at the end.",
        "Raise Amplitude of the V and S guides to 3 and press Run.",
        "In the table, Moved is 0.00 below the first row: each particle ends where it ended in the first panel. Only "
        "the [[action]], what the way costs, has changed.",
        r"x_t \mid y \sim \mathcal N(\alpha_t\,y+\gamma_t,\;s_t^2 I),\qquad "
        r"\gamma''=\kappa\beta\,(\gamma-\nu),\quad \gamma_0=x_0,\;\gamma_1=0",
        f"{_CHERTKOV}; {_HARMONIC}",
        "The drift printed as u* = b (ŷ − μ) is not the optimal one: it differentiates a normaliser that depends on x. "
        "With the right drift the guide leaves not only the law alone but every single end, on the same noise.",
    ),
    Stop(
        "corridor",
        "Leading the way, and its price",
        "/navigation",
        "v=1",
        "So what is a guide for? To go through a passage, or round something. [[Stiffness]] decides how closely the "
        "process keeps to it; the price is paid in [[nat]]s, for guiding and for moving. All of this is a closed form: "
        "nothing is simulated until you ask.",
        "Set Stiffness β to 200.",
        "At stiffness 20 the mean follows only a third of the guide's swing; at 200 it follows four fifths, in a "
        "narrower tube, at two and a half times the cost. The law at the end stays.",
        r"\min_u\;\mathbb E\int_0^1\Bigl(\frac{|u|^2}{2\kappa}+\frac{\beta_t}{2}\,|x_t-\nu_t|^2\Bigr)\mathrm dt"
        r"\qquad\text{with}\quad x_1\sim p_1",
        _CHERTKOV,
        "The mean under a moving guide misses a term as printed, and one recursion has a sign error. Here both come "
        "from two linear equations, exact on every piece.",
    ),
    Stop(
        "costs",
        "What a path costs",
        "/energy",
        "v=1",
        "A [[schedule]] says how much noise is left when. All of them carry the same noise to the same ends; they "
        "differ in speed. The squared speed, added up, is the [[kinetic energy]], and haste is what few steps "
        "cannot follow.",
        "Press Nearly Gaussian.",
        "Before the press CondOT spends about nine times what optimal transport needs, the kinetic-optimal path only a "
        "tenth more than it; after, CondOT spends about 950 times as much. Yet the ends agree to the sixth decimal, "
        "but for VP-linear and VE, which start with some of the data in them.",
        r"\mathcal E = \frac1d\int_0^1\mathbb E\,|v_t(x_t)|^2\,\mathrm dt\;\ge\;\frac{W_2^2}{d}",
        f"{_arxiv('2306.06626', 'Shaul et al.')}; {_arxiv('2210.02747', 'Lipman et al.')}",
        "Straight conditional paths are not cheap in few dimensions: on one line and in the plane the cosine "
        "schedule beats CondOT.",
    ),
    Stop(
        "cheapest",
        "The cheapest path",
        "/kinetic_optimal",
        "v=1",
        "How much of the data is decided at each noise level? That one curve fixes the cheapest [[schedule]]: in polar "
        "coordinates its way is a straight line, at constant speed. For two points it costs less than half of CondOT.",
        "Press 64 points in 1024 dimensions.",
        "There CondOT is within three per cent of the cheapest: few points in many dimensions are told apart almost "
        "at once, and then the straight path is the right one.",
        r"\mathcal E_{\min}=2(1-\cos\Phi),\qquad "
        r"\Phi=\int_0^{\pi/2}\sqrt{1-\frac{1-\lambda(\tan\theta)}{\cos^2\theta}}\;\mathrm d\theta",
        _arxiv("2306.06626", "Shaul et al."),
        "The paper solves a boundary-value equation; the closed form is ours and the equation its check. The bound "
        "3n/√d of the theorem is very loose: it often exceeds what the integral can be at most.",
    ),
    Stop(
        "robust",
        "Why OT is robust",
        "/robustness",
        "v=1",
        "Start from a slightly wrong law: how wrong can the end become? At most by the [[dissipation]] of the path, "
        "times how wrong the start was. [[Optimal transport]] is the cheapest path, so it promises most.",
        "Choose Another variance under What is wrong with the start.",
        "All schedules answer with the same η, since on a line they are one map. What differs is the bill: the bound "
        "c₂ is three times as large for CondOT as for optimal transport, which stands on the floor.",
        r"\frac{(\Delta W_1)^2}{\tau\,D_0}\;\le\;\int v_2^2\,\mathrm dt\;\le\;\int\mathbb E\,|v_t|^2\,\mathrm dt",
        _arxiv("2407.04495", "Ikeda, Uda, Okanohara & Ito"),
        "For a shifted mean η is exactly .0872 for every such schedule; the paper's spread, .0854 to .0919, is "
        "numerical.",
    ),
    Stop(
        "cells",
        "Does diffusion find optimal transport?",
        "/optimal_transport",
        "v=1&tracers=disagreement",
        "Both maps send noise to eight points. [[Optimal transport]] cuts the plane into straight cells; diffusion's "
        "exact flow has curved ones. Nearly the same, and not quite: the particles followed here begin just where the "
        "two disagree.",
        "Press Octagon.",
        "The flow sends 3.8 % of the noise to another point, at half a per cent more cost. On the octagon, as on "
        "every regular polygon, nothing is left of the difference.",
        r"\nabla u(z)=y_i\ \text{where}\ \langle z,y_i\rangle+h_i\ \text{is largest},\qquad "
        r"\max_h\ \tfrac1n\textstyle\sum_i h_i-\mathbb E\,u(z)",
        f"{_arxiv('2410.13431', 'Wang et al.')}; {_arxiv('1603.05579', 'Kitagawa, Mérigot & Thibert')}",
        "The diffusion map is optimal from a late time on, up to O(e⁻⁵ᵀ); the whole map from noise to data in general "
        "is not.",
    ),
    Stop(
        "later",
        "Starting later, and its price",
        "/later_start",
        "v=1",
        "The first steps only decide roughly what a picture will be. Optimal transport can jump over them, and the "
        "network does the rest. But each cell leads to one training picture: with fresh noise the jump is the same as "
        "drawing a training picture and noising it.",
        "Raise Signal at the start, % to 60 and press Draw.",
        "At 5 per cent no sample is a copy, though after the jump half of them are still nearest to the picture they "
        "landed on. At 60 per cent copies appear, in the last row too, which merely draws a training picture.",
        r"z\;\mapsto\;y_{i(z)}+\sigma'\varepsilon,\qquad i(z)=\arg\max_i\,\langle z,y_i\rangle+h_i",
        f"{_arxiv('2307.11308', 'Li et al., DPM-OT')}; {_arxiv('2410.13431', 'Wang et al.')}",
        "The papers noise every target once and keep it. Drawn anew, the start has no prior error, and nothing is "
        "left of which noise goes where: it is a plain draw, which is the control in the last row.",
    ),
    Stop(
        "equation",
        "One equation",
        "/lagrangian",
        "v=1",
        "Diffusion, flow matching, optimal transport, the training of a network, the tokens of a transformer: "
        "particles move, and their density obeys one equation. Only the choice of the velocity differs. Here each "
        "particle keeps to its own segment on the left, and to the average of all segments on the right.",
        "Choose Optimal transport under Which start goes with which end. Then open Transformer tokens, above.",
        "The two panels have the same density at every moment, with other particles. Averaging halves the energy; "
        "optimal pairs need no averaging, and less energy still.",
        r"\partial_t\rho_t+\operatorname{div}(\rho_t v_t)=0,\qquad "
        r"v_t(x)=\mathbb E\,[\,a'y+m'x_0\mid x_t=x\,]",
        f"{_arxiv('2512.06797', 'Peyré')}; {_arxiv('2210.02747', 'Lipman et al.')}",
    ),
)


def data() -> str:
    """All that the browser needs of the tour and the glossary, as JSON that is safe inside a script."""
    found = {
        "stops": [
            {
                "title": stop.title,
                "path": stop.path,
                "query": stop.query,
                **{name: pieces(getattr(stop, name)) for name in ("text", "to_try", "notice")},
            }
            for stop in STOPS
        ],
        "terms": {key: TERMS[key] for key in sorted(terms_used())},
    }
    return json.dumps(found, ensure_ascii=False).replace("<", "\\u003c")


def terms_used() -> set[str]:
    """Keys of the terms that the stops mark."""
    texts = (getattr(stop, name) for stop in STOPS for name in ("text", "to_try", "notice"))
    return {piece[0] for text in texts for piece in pieces(text) if isinstance(piece, list)}


def pieces(text: str) -> list[str | list[str]]:
    """A text cut at its terms: plain pieces, and [key of the term, words shown]; raises KeyError for no such term."""
    cut: list[str | list[str]] = []
    end = 0
    for found in _TERM.finditer(text):
        key = found[1].lower()
        if key not in TERMS:
            raise KeyError(f"the tour's text marks {found[1]!r}, which is no term")
        cut += [text[end : found.start()], [key, found[2] or found[1]]]
        end = found.end()
    return [piece for piece in [*cut, text[end:]] if piece]


def equations(path: str) -> None:
    """The equations of a page's stops, out of sight until the tour shows them."""
    for number, stop in enumerate(STOPS, start=1):
        if stop.path == path:
            gr.Markdown(
                equation_text(stop),
                latex_delimiters=_DELIMITERS,
                elem_id=f"tour-equation-{number}",
                elem_classes="gensot-tour-equation",
            )


def equation_text(stop: Stop) -> str:
    """The equation with its source and what we found different, in Markdown."""
    source = _TERM.sub(lambda found: found[2] or found[1], stop.source)
    differs = f"\n\n**What we found different.** {stop.differs}" if stop.differs else ""
    return f"$${stop.equation}$$\n\nSource: {source}.{differs}"
