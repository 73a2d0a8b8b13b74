"""Displacement interpolation: a cloud, or a Gaussian, carried to another on straight lines, beside flow matching."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from gensot_demo.transport.couplings import optimal_assignment
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.lagrangian.averaged_segments import on_average, on_segments
from gensot_demo.transport.paths import CondOTPath
from gensot_demo.transport.static_ot.gaussians import GaussianTransport, ellipse
from gensot_demo.transport.targets import named_target

from ..requests import InvalidRequest
from ..static_ot.cells_told import percent
from ..static_ot.gaussians import COMMUTING, Angle, Place, Width
from .moving import FRAMES, Cloud, Falling, LagrangianRequest, Moving, Term, extent_of
from .presets import INTERPOLATION, Presets

EXAMPLE = "target_angle=90&target_across=0.2"
CLOUDS = {
    "source": ("two_modes", "three_modes", "ring"),
    "target": ("two_modes", "three_modes", "ring", "moons", "spiral"),
}
_PATH = CondOTPath()
_SIDES = ("began to the right", "above", "to the left", "below")


class InterpolationRequest(LagrangianRequest):
    """ends: two Gaussians, given as in :class:`GaussiansRequest`, or two clouds of the catalogue. Link version 1."""

    presets: ClassVar[Presets] = INTERPOLATION

    ends: Literal["gaussians", "clouds"] = "gaussians"
    source: Literal["two_modes", "three_modes", "ring"] = "two_modes"
    target: Literal["two_modes", "three_modes", "ring", "moons", "spiral"] = "ring"
    source_along: Annotated[float, Field(ge=0.1, le=2)] = 1.4
    source_across: Annotated[float, Field(ge=0.1, le=2)] = 0.5
    source_angle: Angle = 0.0
    target_along: Width = 1.7
    target_across: Width = 0.6
    target_angle: Angle = 55.0
    target_x: Place = 0.0
    target_y: Place = 0.0
    particles: Annotated[int, Field(ge=50, le=1000)] = 300
    seed: Annotated[int, Field(ge=0, le=999_999)] = 0


@dataclass(frozen=True)
class _Ways:
    """Positions and velocities (F, n, 2) of both motions; kinds (n,) and their names; same_ends: whether both take each
    particle to the same place; least: W2^2 of the two laws, if known."""

    optimal: tuple[Tensor, Tensor]
    averaged: tuple[Tensor, Tensor]
    kinds: Tensor
    names: tuple[str, ...]
    same_ends: bool
    least: float | None


def first_view() -> InterpolationRequest:
    return InterpolationRequest()


def run(request: InterpolationRequest) -> Moving:
    """Raises InvalidRequest for Gaussians that have no map."""
    times = torch.linspace(0, 1, FRAMES, dtype=torch.float64)
    generator = torch.Generator().manual_seed(request.seed)
    ways = (_between_gaussians if request.ends == "gaussians" else _between_clouds)(request, times, generator)
    labels = ("Optimal transport", "Flow matching")
    ends = "to the same places, by other ways" if ways.same_ends else "to other places of the same law"
    notes = ("straight, at constant speed", ends)
    motions = (ways.optimal, ways.averaged)
    clouds = tuple(
        Cloud(f"cloud-{n}", label, x.float().numpy(), v.float().numpy(), ways.kinds.numpy(), note)
        for n, (label, note, (x, v)) in enumerate(zip(labels, notes, motions, strict=True))
    )
    falling = tuple(
        Falling(label, times.numpy(), v.square().sum(-1).mean(1).numpy())
        for label, (_, v) in zip(labels, motions, strict=True)
    )
    return Moving(
        request=request, times=times.numpy(), time="t", clouds=clouds, kinds=ways.names,
        extent=extent_of(*(cloud.positions for cloud in clouds)), terms=_terms(ways), falling=falling,
        falls="kinetic energy E|v|², length²/time²", told=_told(ways, falling),
    )  # fmt: skip


def _between_gaussians(request: InterpolationRequest, times: Tensor, generator: torch.Generator) -> _Ways:
    wanted = request
    try:
        source = ellipse(wanted.source_along, wanted.source_across, math.radians(wanted.source_angle))
        turned = math.radians(wanted.target_angle)
        target = ellipse(wanted.target_along, wanted.target_across, turned, wanted.target_x, wanted.target_y)
        pair = GaussianTransport(source, target)
    except InvalidValue as error:
        raise InvalidRequest(str(error)) from None
    x = source.sample(wanted.particles, generator)
    optimal = on_segments(x, pair.carry(pair.optimal, x), _PATH, times)
    flown = pair.flown(x, _PATH, times)
    inside = times.clamp(1e-9, 1 - 1e-9).tolist()
    speeds = torch.stack([pair.velocity(places, _PATH, t) for places, t in zip(flown, inside, strict=True)])
    sides = (torch.atan2(x[:, 1], x[:, 0]) / (math.pi / 2)).round().long() % 4
    return _Ways(optimal, (flown, speeds), sides, _SIDES, pair.commutator < COMMUTING, pair.squared_distance)


def _between_clouds(request: InterpolationRequest, times: Tensor, generator: torch.Generator) -> _Ways:
    source, target = named_target(request.source), named_target(request.target)
    start, end = (one.mixture.sample(request.particles, generator) for one in (source, target))
    end = end[optimal_assignment(start, end)]
    averaged = on_average(start, source.mixture, target.mixture, _PATH, times)
    return _Ways(on_segments(start, end, _PATH, times), averaged, source.mode_of(start), source.modes, False, None)


def _terms(ways: _Ways) -> tuple[Term, ...]:
    return (
        Term("T(x₀)", "where the particle is to go: by the cheapest map of all"),
        Term("− x₀", "where it set out: together one straight way at constant speed, v = ∇φ of some function φ"),
        Term(
            "+ haste",
            "flow matching alone: it averages over all pairs of ends, so the cloud draws together on the way and "
            "spreads again",
        ),
        Term("+ turning", "flow matching alone: the cloud turns within itself", active=not ways.same_ends),
    )


def _told(ways: _Ways, falling: tuple[Falling, ...]) -> tuple[str, ...]:
    own, mean = (float(np.trapezoid(one.values, one.t)) for one in falling)
    known = "" if ways.least is None else f" (of the two laws: W₂² = {ways.least:.3f})"
    first = (
        f"Optimal transport spends ∫ E|v|² dt = {own:.3f}, the squared distance of the two clouds{known}, evenly over "
        "time: no other motion between them spends less."
    )
    apart = float((ways.optimal[0][-1] - ways.averaged[0][-1]).norm(dim=1).mean())
    if ways.same_ends:
        return (
            first,
            f"The covariances commute: flow matching moves every particle to the very same place, and yet spends "
            f"{mean:.3f}, because on the way the cloud draws together and spreads again.",
        )
    if ways.least is not None:
        return (
            first,
            f"Flow matching reaches the same law and spends {mean:.3f}, {percent(mean / own - 1)} more: its particles "
            f"end {apart:.2f} away, in the mean, from where optimal transport takes them.",
        )
    drawn = f"{percent(mean / own - 1)} more" if mean >= own else "less by the luck of these draws"
    return (
        first,
        f"Flow matching goes to the law, not to these drawn ends, and spends {mean:.3f}, {drawn}: its particles end "
        f"{apart:.2f} away, in the mean, from where optimal transport takes them.",
    )
