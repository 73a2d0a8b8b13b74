"""Diffusion and flow matching: particles on their own segments beside particles on the average of all segments."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field

from gensot_demo.transport.couplings import optimal_assignment
from gensot_demo.transport.lagrangian.averaged_segments import on_average, on_segments, opposed
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.paths import CondOTPath, CosinePath, SchedulePath
from gensot_demo.transport.targets import Target, named_target

from .moving import FRAMES, Cloud, Falling, LagrangianRequest, Moving, Term, extent_of
from .presets import DIFFUSION, Presets

SCHEDULES: dict[str, tuple[str, SchedulePath]] = {
    "condot": ("Straight (flow matching)", CondOTPath()), "cosine": ("Cosine (diffusion)", CosinePath()),
}  # fmt: skip
SOURCES = ("noise", "two_modes", "ring")
TARGETS = ("two_modes", "three_modes", "ring", "moons", "checkerboard", "spiral")
_LAST = 1 - 1e-6  # a velocity at the very end of a schedule is 0 * inf
EXAMPLE = "target=moons&pairing=optimal"


class DiffusionRequest(LagrangianRequest):
    """pairing: which start goes with which end. Only independent ends leave a choice of schedule. Link version 1."""

    presets: ClassVar[Presets] = DIFFUSION

    source: Literal["noise", "two_modes", "ring"] = "noise"
    target: Literal["two_modes", "three_modes", "ring", "moons", "checkerboard", "spiral"] = "three_modes"
    pairing: Literal["independent", "optimal"] = "independent"
    schedule: Literal["condot", "cosine"] = "condot"
    particles: Annotated[int, Field(ge=50, le=1000)] = 300
    seed: Annotated[int, Field(ge=0, le=999_999)] = 0


def first_view() -> DiffusionRequest:
    return DiffusionRequest()


def run(request: DiffusionRequest) -> Moving:
    """Both clouds, in closed form but for the Heun steps of the second."""
    generator = torch.Generator().manual_seed(request.seed)
    source, target = _source(request.source), named_target(request.target)
    start, end = (law.sample(request.particles, generator) for law in (source, target.mixture))
    optimal = request.pairing == "optimal"
    path = SCHEDULES["condot" if optimal else request.schedule][1]
    times = torch.linspace(0, _LAST, FRAMES, dtype=torch.float64)
    if optimal:
        end = end[optimal_assignment(start, end)]
    single = on_segments(start, end, path, times)
    averaged = single if optimal else on_average(start, source, target.mixture, path, times)
    past = opposed(start, end)
    notes = (f"{100 * past:.0f} % of pairs run past one another", "v(x): the mean of all that pass x")
    labels = ("One by one", "On average")
    clouds = tuple(
        Cloud(f"cloud-{n}", label, x.float().numpy(), v.float().numpy(), target.mode_of(x[-1]).numpy(), note)
        for n, (label, note, (x, v)) in enumerate(zip(labels, notes, (single, averaged), strict=True))
    )
    falling = tuple(
        Falling(label, times.numpy(), v.square().sum(-1).mean(1).numpy())
        for label, (_, v) in zip(labels, (single, averaged), strict=True)
    )
    return Moving(
        request=request, times=times.numpy(), time="t", clouds=clouds, kinds=target.modes,
        extent=extent_of(*(cloud.positions for cloud in clouds)), terms=_terms(request), falling=falling,
        falls="kinetic energy E|v|², length²/time²", told=_told(optimal, past, falling, target, clouds),
    )  # fmt: skip


def _source(name: str) -> GaussianMixture:
    if name == "noise":
        return GaussianMixture(torch.ones(1), torch.zeros(1, 2), torch.eye(2)[None])
    return named_target(name).mixture


def _terms(request: DiffusionRequest) -> tuple[Term, ...]:
    optimal = request.pairing == "optimal"
    rate = {"condot": ("", "−"), "cosine": ("a′(t) ", "+ m′(t) ")}["condot" if optimal else request.schedule]
    return (
        Term(f"{rate[0]}E[ y | xₜ = x ]", "towards the mean of the ends of all segments that pass here now"),
        Term(f"{rate[1]} E[ x₀ | xₜ = x ]", "away from the mean of their starts"),
        Term(
            "(averaged)",
            "the two means run over all segments that meet here; without meetings each particle keeps its own segment",
            active=not optimal,
        ),
    )


def _told(
    optimal: bool, past: float, falling: tuple[Falling, ...], target: Target, clouds: tuple[Cloud, ...]
) -> tuple[str, ...]:
    own, mean = (float(np.trapezoid(one.values, one.t)) for one in falling)
    if optimal:
        return (
            "Optimal pairing: no two segments run past one another, so none ever meet, and the average over those that "
            "pass a place is the one segment that does. Both panels are the same motion.",
            f"The energy ∫ E|v|² dt = {own:.2f} is the squared Wasserstein distance of these two clouds: the least.",
        )
    wanted = torch.bincount(torch.as_tensor(clouds[0].kinds), minlength=len(target.modes)) / len(clouds[0].kinds)
    got = torch.bincount(torch.as_tensor(clouds[1].kinds), minlength=len(target.modes)) / len(clouds[1].kinds)
    most = int((wanted - got).abs().argmax())
    return (
        f"Independent ends: {100 * past:.0f} % of pairs run past one another, and where segments meet a place has no "
        "one velocity. Their mean gives it one: particles on average never cross, and yet the density is the same at "
        "every moment. Stand still and look: the two panels agree up to the luck of this many particles.",
        f"Averaging spends less: ∫ E|v|² dt = {mean:.2f} against {own:.2f}. Both clouds reach the modes in the "
        f"same shares, up to luck ({target.modes[most]}: {100 * wanted[most]:.0f} % and {100 * got[most]:.0f} %), with "
        "other particles.",
    )
