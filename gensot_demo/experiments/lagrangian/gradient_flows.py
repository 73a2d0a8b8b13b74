"""Gradient flows: particles that go downhill on an energy of their own density, beside others moved by noise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from gensot_demo.transport.lagrangian.fokker_planck import slowest_rate
from gensot_demo.transport.lagrangian.gradient_flow import Flow, box_around, heat, interaction, langevin
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.targets import Target, make_target, named_target

from .moving import Cloud, Falling, LagrangianRequest, Moving, Term, extent_of
from .presets import GRADIENT_FLOWS, Presets

ENERGIES = {"langevin": "Free energy (Langevin)", "heat": "Entropy (heat)", "interaction": "Kernel distance (MMD)"}
STARTS = ("noise", "one_place", "ring", "moons", "grid")
TARGETS = ("three_modes", "four_modes", "two_modes", "ring", "grid", "moons")
EXAMPLE = "energy=heat&start=moons"
_FALLS = {
    "langevin": "KL(α | π), nats",
    "heat": "∫ α log α (minus entropy), nats",
    "interaction": "½ MMD²(α, π), length²",
}
_CELLS = 64  # of the target drawn under the clouds
_NEAR = 0.02  # of mass: closer to what is wanted counts as arrived
_SAME = 1e-9  # nats: a divergence that is rounding


class GradientFlowRequest(LagrangianRequest):
    """energy: what falls. The heat equation has no target, the kernel distance no noise. Link version 1.

    duration: time of the first two; interaction_time, bandwidth (length): of the kernel distance.
    """

    presets: ClassVar[Presets] = GRADIENT_FLOWS

    energy: Literal["langevin", "heat", "interaction"] = "langevin"
    start: Literal["noise", "one_place", "ring", "moons", "grid"] = "noise"
    target: Literal["three_modes", "four_modes", "two_modes", "ring", "grid", "moons"] = "three_modes"
    duration: Annotated[float, Field(ge=0.2, le=8)] = 0.8
    bandwidth: Annotated[float, Field(ge=0.4, le=3)] = 1.0
    interaction_time: Annotated[float, Field(ge=5, le=60)] = 30.0
    particles: Annotated[int, Field(ge=50, le=1000)] = 400
    seed: Annotated[int, Field(ge=0, le=999_999)] = 0


@dataclass(frozen=True, eq=False)
class Descent(Moving):
    """wanted, there (modes,): mass of each mode in the target and in the first cloud at the end; None without one."""

    wanted: NDArray[np.float64] | None = None
    there: NDArray[np.float64] | None = None


def first_view() -> GradientFlowRequest:
    return GradientFlowRequest()


def start_of(name: str) -> Target:
    """Where particles set out: a round Gaussian, wide or narrow, or a target of the catalogue."""
    if name in ("noise", "one_place"):
        return make_target(name, [[0.0, 0.0]], 1.0 if name == "noise" else 0.3**2, modes=("all",))
    return named_target(name)


def run(request: GradientFlowRequest) -> Descent:
    """Particles down the energy, and for entropy and free energy as many that are moved by noise."""
    generator = torch.Generator().manual_seed(request.seed)
    start, target = start_of(request.start), named_target(request.target)
    x = start.mixture.sample(request.particles, generator)
    flow = _flow(request, start.mixture, target.mixture, x, generator)
    heats = request.energy == "heat"
    marks = start if heats else target
    clouds = tuple(
        Cloud(
            f"cloud-{number}", label, places.float().numpy(), v.float().numpy(),
            marks.mode_of(places[0 if heats else -1]).numpy(), note,
        )
        for number, ((places, v), (label, note)) in enumerate(zip(flow.clouds, _labels(request), strict=False))
    )  # fmt: skip
    wanted, there = (None, None) if heats else _masses(flow, target)
    lost = flow.energy[0] - flow.spent
    falling = (
        Falling("Energy", flow.times.numpy(), flow.energy.numpy()),
        Falling("Its start, less ∫ E|v|² dt", flow.times.numpy(), lost.numpy()),
    )
    return Descent(
        request=request, times=flow.times.numpy(), time="t", clouds=clouds, kinds=marks.modes,
        extent=extent_of(*(cloud.positions for cloud in clouds)), terms=_terms(request), falling=falling,
        falls=_FALLS[request.energy], told=_told(request, flow, target, wanted, there),
        target=None if heats else picture_of(target), wanted=wanted, there=there,
    )  # fmt: skip


def _flow(
    request: GradientFlowRequest,
    start: GaussianMixture,
    target: GaussianMixture,
    x: torch.Tensor,
    generator: torch.Generator,
) -> Flow:
    if request.energy == "heat":
        return heat(start, x, request.duration, generator)
    if request.energy == "langevin":
        return langevin(start, target, x, request.duration, generator)
    return interaction(target, x, request.interaction_time, request.bandwidth)


def _labels(request: GradientFlowRequest) -> tuple[tuple[str, str], ...]:
    if request.energy == "interaction":
        return (("Pushed and pulled", "each by all others and by the target"),)
    return ("Downhill, without noise", "v(x) = −∇ of the first variation"), (
        "By noise",
        "the same density, other paths",
    )


def _masses(flow: Flow, target: Target) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mass of each mode, wanted and there at the end: of the density where it is known, else of the particles."""
    wanted = target.by_mode(target.mixture.log_prior.exp()[None])[0]
    if flow.density is None:
        there = torch.bincount(target.mode_of(flow.clouds[0][0][-1]), minlength=len(wanted)).double()
    else:
        mode = target.mode_of(flow.box.centres)
        there = torch.zeros_like(wanted).index_add_(0, mode, flow.density[-1].reshape(-1))
    return wanted.numpy(), (there / there.sum()).numpy()


def picture_of(target: Target) -> tuple[NDArray, NDArray, NDArray]:
    """The density of a target on a grid, to lay under particles."""
    box = box_around(target.mixture, cells=_CELLS)
    density = target.mixture.log_density(box.centres).exp().reshape(_CELLS, _CELLS)
    return box.x.numpy(), box.y.numpy(), density.numpy()


def _terms(request: GradientFlowRequest) -> tuple[Term, ...]:
    energy = request.energy
    return (
        Term("∇log π(x)", "uphill on the target's log density: the force of a potential", energy == "langevin"),
        Term(
            "− ∇log α(x)",
            "from the crowded to the empty: what noise does to a density, done without any",
            energy != "interaction",
        ),
        Term(
            "+ E over α of (x − x′) k(x, x′)/h²",
            "pushed off by every other particle within about a bandwidth",
            energy == "interaction",
        ),
        Term(
            "− E over π of (x − y) k(x, y)/h²",
            "pulled by the target within about a bandwidth",
            energy == "interaction",
        ),
    )


def _told(
    request: GradientFlowRequest,
    flow: Flow,
    target: Target,
    wanted: NDArray[np.float64] | None,
    there: NDArray[np.float64] | None,
) -> tuple[str, ...]:
    if request.energy == "heat":
        away = [(places - places.mean(1, keepdim=True)).square().sum(2) for places, _ in flow.clouds]
        gained = [_mean_of(squares[-1] - squares[0]) for squares in away]
        return (
            "No noise acts on the left, and yet it spreads as the right does: E|x − mean|² grew by "
            f"{gained[0]} and {gained[1]} (± is the luck of {request.particles} particles, one standard error), where "
            f"diffusion says 4 t = {4 * request.duration:.2f}.",
            _paid(request, flow),
        )
    worst = int(np.abs(there - wanted).argmax())
    missing = float(abs(there[worst] - wanted[worst]))
    mode = f"{target.modes[worst]}: {100 * there[worst]:.1f} % of the mass, wanted {100 * wanted[worst]:.1f} %"
    if request.energy == "interaction":
        held = "No noise and no density is needed: particles hold one another off."
        if missing < _NEAR:
            return f"{held} At the end every mode has its mass within {100 * missing:.1f} %.", _paid(request, flow)
        return (
            f"{held} The mode least right at the end is {mode}. Beyond a bandwidth of {request.bandwidth:g} the pull "
            "fades, and what is far off stays behind.",
            _paid(request, flow),
        )
    if float(flow.energy[0]) < _SAME:
        return (
            "Start and target are one law, so v = 0 and nothing on the left moves. On the right noise moves each "
            "particle and the force brings others back: the density stays, the particles do not.",
        )
    return (
        "The density is the same in both panels at every moment; the particles are not. On the left each comes to rest "
        "once the densities agree, on the right none ever does.",
        _barrier(request.duration, _rate(request.target), mode, missing),
        _paid(request, flow),
    )


def _paid(request: GradientFlowRequest, flow: Flow) -> str:
    lost, spent = float(flow.energy[0] - flow.energy[-1]), float(flow.spent[-1])
    falls = f"The energy falls from {flow.energy[0]:.3g} to {flow.energy[-1]:.3g}."
    least = "No other motion of this density spends less."
    if request.energy == "interaction":  # the energy is that of the particles themselves
        return (
            f"{falls} What it lost, {lost:.4g}, is what the motion spent: ∫ E|v|² dt over these {request.particles} "
            f"particles is {spent:.4g}. {least}"
        )
    each = torch.trapezoid(flow.clouds[0][1].square().sum(2), flow.times, dim=0)
    luck = float(each.std() / len(each) ** 0.5)
    return (
        f"{falls} What it lost, {lost:.4g}, is what the motion spends: ∫ E|v|² dt over these {request.particles} "
        f"particles is {spent:.4g}, with a standard error of {luck:.2g} from their luck. {least}"
    )


def _mean_of(each: torch.Tensor) -> str:
    """The mean of (n,) and its standard error."""
    return f"{float(each.mean()):.2f} ± {float(each.std()) / len(each) ** 0.5:.2f}"


def _barrier(duration: float, rate: float, mode: str, missing: float) -> str:
    """rate: of the slowest difference, 0 where it is too small to tell."""
    half = np.log(2) / rate if rate else np.inf
    halves = f"halves in t = {half:,.0f}" if 20 <= half < 1e9 else f"halves in t = {half:.2g}"
    if not rate:
        halves = "fades too slowly for a rate to be told from rounding"
    if missing < _NEAR:
        return (
            f"After t = {duration:g} every mode has its mass within {100 * missing:.1f} %. What differs fades: "
            f"the slowest difference {halves}."
        )
    return (
        f"Each mode fills from nearby at once; then mass must go from mode to mode ({mode}). A difference between "
        f"modes {halves} at worst, because the density between them is small, and the flux is in proportion."
    )


@lru_cache(maxsize=len(TARGETS))
def _rate(name: str) -> float:
    target = named_target(name).mixture
    return slowest_rate(target, box_around(target))
