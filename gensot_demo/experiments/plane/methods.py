"""The transport methods by name: how each is called, explained, drawn from its settings, and run.

A method takes a :class:`Setup` and yields the share done, then its :class:`Motion`. Three kinds: processes that ask an
oracle step by step (diffusion, flows, GenSOT, guided ones), couplings that are solved once (optimal transport,
Schroedinger bridge), and the flow between two mixtures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from gensot_demo.transport.paths import CosinePath, VEPath, VPLinearPath

from .coupled import optimal_transport, schroedinger_bridge
from .processes import diffusion, flow_matching, gensot, probability_flow, steered
from .setup import SIGMA_RANGE, Moving, Setup


@dataclass(frozen=True)
class TransportMethod:
    """name: in links.  label, summary: in plain words.  equation: LaTeX.  guided: aims at the guided law.
    uses: the settings that it depends on, so that nothing else makes it run again."""

    name: str
    label: str
    summary: str
    equation: str
    source: str
    move: Callable[[Setup], Moving] = field(repr=False)
    uses: tuple[str, ...] = ()
    guided: bool = False


_PATH = ("steps",)
_HARMONIC = ("steps", "stiffness", "temperature", "solver")
_TRUSTS = ("condition", "trust", "second_condition", "second_trust")
_GUIDED = (*_HARMONIC, *_TRUSTS)

_FLOW_EQUATION = r"\dot x = \dot a\,\hat y + \tfrac{\dot m}{m}(x - a\hat y),\quad x_t = a_t y + m_t \varepsilon"
_GENSOT_EQUATION = (
    r"\min_u \mathbb{E}\!\int_0^1 \tfrac{|u|^2}{2\kappa} + \tfrac{\beta}{2}|x_t - \nu_t|^2\,\mathrm dt,\quad"
    r"\mathrm dx = u\,\mathrm dt + \sqrt{\kappa}\,\mathrm dW,\; x_1 \sim p_1"
)
_GENSOT_SOURCE = "Chertkov, arXiv 2512.11859; Behjoo & Chertkov, arXiv 2409.15166"


def _all() -> tuple[TransportMethod, ...]:
    return (
        TransportMethod(
            "diffusion_sde", "Diffusion SDE (VP)",
            "Noise is removed while new noise is added: every particle wanders and decides late.",
            r"\mathrm dx = \bigl(\tfrac12\beta x + \beta\nabla\log p_t\bigr)\mathrm dt + \sqrt{\beta}\,\mathrm dW",
            "Song et al., arXiv 2011.13456", partial(diffusion, path=VPLinearPath()), (*_PATH, "solver"),
        ),
        TransportMethod(
            "flow_vp", "Probability flow (VP)",
            "The same marginals as the diffusion, without noise on the way: each start has one destination.",
            _FLOW_EQUATION, "Song et al., arXiv 2011.13456, eq. 13",
            partial(probability_flow, path=VPLinearPath()), (*_PATH, "flow_solver"),
        ),
        TransportMethod(
            "flow_cosine", "Probability flow (cosine)",
            "Another schedule of the same flow: the same destinations, reached at another pace.",
            _FLOW_EQUATION, "Nichol & Dhariwal, arXiv 2102.09672",
            partial(probability_flow, path=CosinePath()), (*_PATH, "flow_solver"),
        ),
        TransportMethod(
            "flow_ve", "Probability flow (VE)",
            "The start is a cloud eighty times as wide; it is drawn in, and the destinations are the same again.",
            _FLOW_EQUATION, "Karras et al., arXiv 2206.00364",
            partial(probability_flow, path=VEPath(1.01 * SIGMA_RANGE[0])), (*_PATH, "flow_solver"),
        ),
        TransportMethod(
            "flow_matching", "Flow matching (CondOT)",
            "Start and end are paired at random on straight segments; their average velocity bends the paths.",
            r"v_t(x) = \mathbb{E}[\,y - x_0 \mid x_t = x\,],\quad x_t = (1-t)x_0 + t y",
            "Lipman et al., arXiv 2210.02747", flow_matching, (*_PATH, "flow_solver"),
        ),
        TransportMethod(
            "optimal_transport", "Optimal transport",
            "The cheapest pairing of starts and ends, solved exactly; paths are straight and never cross.",
            r"\min_{\pi}\mathbb{E}_\pi|y - x_0|^2,\quad x_t = (1-t)x_0 + t y", "Peyre & Cuturi, arXiv 1803.00567",
            optimal_transport,
        ),
        TransportMethod(
            "schroedinger_bridge", "Schrödinger bridge",
            "The likeliest way for Brownian particles: the temperature blurs the cheapest pairing.",
            r"\min_\pi \mathbb{E}_\pi|y-x_0|^2 + 2\kappa\,\mathrm{KL}(\pi\,|\,p_0\otimes p_1)",
            "Leonard, arXiv 1308.0215", schroedinger_bridge, ("temperature",),
        ),
        *(
            TransportMethod(
                f"gensot_{name}", f"GenSOT ({label})", summary, _GENSOT_EQUATION, _GENSOT_SOURCE,
                partial(gensot, shape=shape), uses,
            )
            for name, shape, label, summary, uses in (
                ("straight", "straight", "straight guide", "Held to a straight corridor at constant speed.", _HARMONIC),
                ("v", "V", "V guide", "Led around by a V; the destination is not the guide's to choose.",
                 (*_HARMONIC, "amplitude")),
                ("s", "S", "S guide", "Led through an S-shaped tunnel; stiff guides are followed, soft ones cut short.",
                 (*_HARMONIC, "amplitude")),
                ("frozen", "V frozen", "frozen guide", "The guide stops at the apex of the V, far from the target.",
                 (*_HARMONIC, "amplitude")),
                ("drawn", "drawn", "drawn guide", "Led along the curve that you draw.", (*_HARMONIC, "guide")),
            )
        ),
        TransportMethod(
            "conditional", "Conditional",
            "The model's own conditional law, trust 1: not the law asked for when the trust is another.",
            r"\hat y = \mathbb{E}[y \mid x_t, c]", "Karras et al., arXiv 2206.00364",
            partial(steered, name="conditional"), _GUIDED, True,
        ),
        TransportMethod(
            "cfg_flow", "CFG flow",
            "Classifier-free guidance along the probability flow: scores are added, the product law is missed.",
            r"\hat y = D_\varnothing + \sum_m k_m (D_m - D_\varnothing)", "Ho & Salimans, arXiv 2207.12598",
            partial(steered, name="cfg", stochastic=False), ("steps", "flow_solver", *_TRUSTS), True,
        ),
        TransportMethod(
            "cfg_sde", "CFG SDE",
            "The same sum of scores with noise on the way: nearer to the product law, not there.",
            r"\hat y = D_\varnothing + \sum_m k_m (D_m - D_\varnothing)", "Ho & Salimans, arXiv 2207.12598",
            partial(steered, name="cfg"), _GUIDED, True,
        ),
        TransportMethod(
            "gensot_weighted", "Weighted GenSOT",
            "The same sum of scores, repaired: path-integral weights and resampling lead to the product law.",
            r"\tfrac{\mathrm d\log W}{\mathrm dK} = \tfrac12\bigl(|\hat y|^2 - \textstyle\sum_m k_m |D_m|^2\bigr)",
            "Chertkov, arXiv 2512.11859; weights after Skreta et al., arXiv 2503.02819",
            partial(steered, name="gensot"), _GUIDED, True,
        ),
    )  # fmt: skip


METHODS: dict[str, TransportMethod] = {method.name: method for method in _all()}
