"""The transport methods by name. Each takes a :class:`Setup` and yields the share done, then its :class:`Motion`.

Three kinds: processes that ask an oracle step by step (diffusion, flows, GenSOT, guided ones), couplings that are
solved once (optimal transport, Schroedinger bridge), and the flow between two mixtures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from torch import Tensor

from gensot_demo.transport.guides import drawn_protocol, guided_protocol
from gensot_demo.transport.harmonic import HarmonicPath
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.paths import CondOTPath, CosinePath, ProbabilityPath, VEPath, VPLinearPath
from gensot_demo.transport.targets import Target

from .motion import Motion

SIGMA_RANGE = (80.0, 0.01)  # noise levels of the flows: from nearly nothing known to nearly everything
NOISE_DEPTH = 13  # cells of 1/128 octave: narrower than a step of 500


@dataclass(frozen=True, eq=False)
class Source:
    """Where particles start. mixture: None for a point.  place: its mean (2,)."""

    label: str
    mixture: object | None
    place: Tensor

    @property
    def is_point(self) -> bool:
        return self.mixture is None


@dataclass(frozen=True, eq=False)
class Setup:
    """Everything that determines a motion. start (n, 2): where the particles are at t = 0.

    noise, later: what the particles meet, and what is left of it for those whose start was made of its beginning.
    draws (n, 2): of the target, for the couplings.  trusts: (condition, trust) for guided methods.
    """

    target: Target
    source: Source
    start: Tensor
    draws: Tensor
    noise: SharedNoise
    later: SharedNoise
    steps: int
    stiffness: float
    temperature: float
    amplitude: float
    guide: Tensor
    solver: str
    flow_solver: str
    trusts: tuple[tuple[str, float], ...] = ()

    @property
    def stand_in(self) -> float:
        """The target's variance per coordinate."""
        return self.target.mixture.covariance_trace() / 2


Moving = Iterator["float | Motion"]


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


def _sde(setup: Setup) -> Moving:
    from .processes import diffusion

    return diffusion(setup, VPLinearPath())


def _flow(path: Callable[[], ProbabilityPath]) -> Callable[[Setup], Moving]:
    def move(setup: Setup) -> Moving:
        from .processes import probability_flow

        return probability_flow(setup, path())

    return move


def _flow_matching(setup: Setup) -> Moving:
    from .processes import mixture_flow, probability_flow

    if setup.source.mixture is None or setup.source.label == GAUSSIAN:
        return probability_flow(setup, CondOTPath())
    return mixture_flow(setup)


def _optimal(setup: Setup) -> Moving:
    from .coupled import optimal_transport

    return optimal_transport(setup)


def _schroedinger(setup: Setup) -> Moving:
    from .coupled import schroedinger_bridge

    return schroedinger_bridge(setup)


def _gensot(shape: str) -> Callable[[Setup], Moving]:
    def move(setup: Setup) -> Moving:
        from .processes import guided_path

        return guided_path(setup, HarmonicPath(protocol_of(setup, shape)))

    return move


def protocol_of(setup: Setup, shape: str):
    """The protocol of a guide template, or of the drawn curve, from the source's place to the target's mean."""
    if shape == "drawn":
        return drawn_protocol(setup.guide, setup.stiffness, setup.source.place, temperature=setup.temperature)
    return guided_protocol(
        shape,
        setup.stiffness,
        setup.target.mixture.mean(),
        amplitude=setup.amplitude,
        temperature=setup.temperature,
        start=setup.source.place,
    )


def _steered(name: str, stochastic: bool = True) -> Callable[[Setup], Moving]:
    def move(setup: Setup) -> Moving:
        from .processes import steered

        return steered(setup, name, stochastic)

    return move


GAUSSIAN = "Gaussian"
_PATH = ("steps",)
_HARMONIC = ("steps", "stiffness", "temperature", "solver", "source")
_GUIDED = ("steps", "stiffness", "temperature", "solver", "source", "trusts")

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
            "Song et al., arXiv 2011.13456", _sde, (*_PATH, "solver"),
        ),
        TransportMethod(
            "flow_vp", "Probability flow (VP)",
            "The same marginals as the diffusion, without noise on the way: each start has one destination.",
            _FLOW_EQUATION, "Song et al., arXiv 2011.13456, eq. 13", _flow(VPLinearPath), (*_PATH, "flow_solver"),
        ),
        TransportMethod(
            "flow_cosine", "Probability flow (cosine)",
            "Another schedule of the same flow: the same destinations, reached at another pace.",
            _FLOW_EQUATION, "Nichol & Dhariwal, arXiv 2102.09672", _flow(CosinePath), (*_PATH, "flow_solver"),
        ),
        TransportMethod(
            "flow_ve", "Probability flow (VE)",
            "The start is a cloud eighty times as wide; it is drawn in, and the destinations are the same again.",
            _FLOW_EQUATION, "Karras et al., arXiv 2206.00364", _flow(lambda: VEPath(1.01 * SIGMA_RANGE[0])),
            (*_PATH, "flow_solver"),
        ),
        TransportMethod(
            "flow_matching", "Flow matching (CondOT)",
            "Start and end are paired at random on straight segments; their average velocity bends the paths.",
            r"v_t(x) = \mathbb{E}[\,y - x_0 \mid x_t = x\,],\quad x_t = (1-t)x_0 + t y",
            "Lipman et al., arXiv 2210.02747", _flow_matching, (*_PATH, "flow_solver", "source"),
        ),
        TransportMethod(
            "optimal_transport", "Optimal transport",
            "The cheapest pairing of starts and ends, solved exactly; paths are straight and never cross.",
            r"\min_{\pi}\mathbb{E}_\pi|y - x_0|^2,\quad x_t = (1-t)x_0 + t y", "Peyre & Cuturi, arXiv 1803.00567",
            _optimal, ("source",),
        ),
        TransportMethod(
            "schroedinger_bridge", "Schrödinger bridge",
            "The likeliest way for Brownian particles: the temperature blurs the cheapest pairing.",
            r"\min_\pi \mathbb{E}_\pi|y-x_0|^2 + 2\kappa\,\mathrm{KL}(\pi\,|\,p_0\otimes p_1)",
            "Leonard, arXiv 1308.0215", _schroedinger, ("source", "temperature"),
        ),
        *(
            TransportMethod(
                f"gensot_{name}", f"GenSOT ({label})", summary, _GENSOT_EQUATION, _GENSOT_SOURCE, _gensot(shape), uses
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
            r"\hat y = \mathbb{E}[y \mid x_t, c]", "Karras et al., arXiv 2206.00364", _steered("conditional"),
            _GUIDED, True,
        ),
        TransportMethod(
            "cfg_flow", "CFG flow",
            "Classifier-free guidance along the probability flow: scores are added, the product law is missed.",
            r"\hat y = D_\varnothing + \sum_m k_m (D_m - D_\varnothing)", "Ho & Salimans, arXiv 2207.12598",
            _steered("cfg", stochastic=False), ("steps", "flow_solver", "trusts"), True,
        ),
        TransportMethod(
            "cfg_sde", "CFG SDE",
            "The same sum of scores with noise on the way: nearer to the product law, not there.",
            r"\hat y = D_\varnothing + \sum_m k_m (D_m - D_\varnothing)", "Ho & Salimans, arXiv 2207.12598",
            _steered("cfg"), _GUIDED, True,
        ),
        TransportMethod(
            "gensot_weighted", "Weighted GenSOT",
            "The same sum of scores, repaired: path-integral weights and resampling lead to the product law.",
            r"\tfrac{\mathrm d\log W}{\mathrm dK} = \tfrac12\bigl(|\hat y|^2 - \textstyle\sum_m k_m |D_m|^2\bigr)",
            "Chertkov, arXiv 2512.11859; weights after Skreta et al., arXiv 2503.02819", _steered("gensot"),
            _GUIDED, True,
        ),
    )  # fmt: skip


METHODS: dict[str, TransportMethod] = {method.name: method for method in _all()}
