"""GenSOT as controlled transport: the same target with a guide's potential to pay for, and without."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field

from gensot_demo.transport.diagnostics import guide_at
from gensot_demo.transport.guides import guide_curve, guided_protocol
from gensot_demo.transport.harmonic import Protocol
from gensot_demo.transport.lagrangian.controlled import Controlled, controlled, exact_cost, exact_total
from gensot_demo.transport.targets import Target, named_target

from .gradient_flows import picture_of
from .moving import FRAMES, Cloud, Falling, LagrangianRequest, Moving, Term, extent_of
from .presets import CONTROLLED, Presets

SHAPES = {"S": "S-tunnel", "V": "V-neck", "straight": "Straight", "V frozen": "V, frozen at its apex"}
TARGETS = ("two_modes", "three_modes", "four_modes", "ring")
EXAMPLE = "shape=V&stiffness=50"
SHOWN_TIMES = (0.15, 0.4, 0.65, 0.9)
_EACH = 3  # steps between two moments
_PIECES = 20  # of the guide, which jumps between them
_PRICED = torch.arange(1, FRAMES - 1, (FRAMES - 1) // _PIECES)  # a moment in each piece, at the same share of it


class ControlledRequest(LagrangianRequest):
    """shape, amplitude (length) and stiffness of the guide; motion: along the probability flow, or by the noisy
    process. Link version 1."""

    presets: ClassVar[Presets] = CONTROLLED

    shape: Literal["S", "V", "straight", "V frozen"] = "S"
    stiffness: Annotated[float, Field(ge=0, le=100)] = 20.0
    amplitude: Annotated[float, Field(ge=0, le=2)] = 1.5
    target: Literal["two_modes", "three_modes", "four_modes", "ring"] = "two_modes"
    motion: Literal["flow", "noise"] = "flow"
    particles: Annotated[int, Field(ge=50, le=1000)] = 400
    seed: Annotated[int, Field(ge=0, le=999_999)] = 0


@dataclass(frozen=True, eq=False)
class Landscape(Moving):
    """guides (4, 2): the potential's middle at SHOWN_TIMES.  stiffness: of the potential there."""

    guides: NDArray[np.float64] | None = None
    stiffness: float = 0.0

    def at(self, number: int) -> list[tuple[str, NDArray[np.float32]]]:
        """Labels and positions (n, 2) of both clouds at one of SHOWN_TIMES."""
        frame = round(SHOWN_TIMES[number] * (len(self.times) - 1))
        return [(cloud.label, cloud.positions[frame]) for cloud in self.clouds]


def first_view() -> ControlledRequest:
    return ControlledRequest()


def run(request: ControlledRequest) -> Landscape:
    """Both clouds on the same noise, and what each pays in the same potential."""
    target = named_target(request.target)
    mean = target.mixture.mean()
    guided = guided_protocol(request.shape, request.stiffness, mean, _PIECES, request.amplitude)
    free = replace(guided, stiffness=torch.zeros_like(guided.stiffness))
    runs = [
        controlled(protocol, target.mixture, request.seed, request.particles, FRAMES, _EACH, request.motion == "noise")
        for protocol in (guided, free)
    ]
    curve = guide_curve(request.shape, torch.linspace(0, 1, 61, dtype=torch.float64), mean, request.amplitude).numpy()
    times = runs[0].t.numpy()
    clouds = tuple(
        Cloud(
            f"cloud-{number}", label, one.positions.float().numpy(), one.velocities.float().numpy(),
            target.mode_of(one.positions[-1]).numpy(), note, curve if number == 0 and request.stiffness else None,
        )
        for number, (one, label, note) in enumerate(zip(runs, ("Guided", "Unguided"), _notes(request), strict=True))
    )  # fmt: skip
    return Landscape(
        request=request, times=times, time="t", clouds=clouds, kinds=target.modes,
        extent=extent_of(*(cloud.positions for cloud in clouds)), terms=_terms(request),
        falling=_costs(runs, guided, target), falls="running cost, nats per unit time",
        told=_told(request, runs, guided, target), target=picture_of(target),
        guides=guide_at(guided, torch.tensor(SHOWN_TIMES, dtype=torch.float64)).numpy(), stiffness=request.stiffness,
    )  # fmt: skip


def _notes(request: ControlledRequest) -> tuple[str, str]:
    moved = "by u and noise" if request.motion == "noise" else "along v, without noise"
    return f"stiffness {request.stiffness:g}, {moved}", f"stiffness 0, {moved}"


def _costs(runs: list[Controlled], potential: Protocol, target: Target) -> tuple[Falling, ...]:
    out = []
    for one, label in zip(runs, ("Guided", "Unguided"), strict=True):
        t = one.t[_PRICED]
        paid = sum(one.running_cost(potential))[_PRICED]
        exact = sum(exact_cost(one.path, potential, target.mixture, t))
        out += [Falling(label, t.numpy(), paid.numpy()), Falling(f"{label}, by formula", t.numpy(), exact.numpy())]
    return tuple(out)


def _terms(request: ControlledRequest) -> tuple[Term, ...]:
    return (
        Term(
            "b(t) E[ y | xₜ = x ]", "pulled to the mean of the ends still possible from here, harder as time runs out"
        ),
        Term("− a(t) x", "held by the potential and by the deadline, in proportion to the place"),
        Term("+ r(t)", "pulled towards where the guide is and will be, the same for all", request.stiffness > 0),
        Term("− ½ ∇log α(x)", "from the crowded to the empty: the process's noise, as it moves a density"),
    )


def _told(request: ControlledRequest, runs: list[Controlled], potential: Protocol, target: Target) -> tuple[str, ...]:
    count = len(target.modes)
    wanted = target.by_mode(target.mixture.log_prior.exp()[None])[0]
    shares = [torch.bincount(target.mode_of(one.positions[-1]), minlength=count) / request.particles for one in runs]
    largest = int(wanted.argmax())
    luck = 100 * float(torch.sqrt(wanted[largest] * (1 - wanted[largest]) / request.particles))
    ends = float((runs[0].positions[-1] - runs[1].positions[-1]).norm(dim=1).mean())
    same = (
        f"The guide does not choose the destination: {target.modes[largest]} gets {100 * shares[0][largest]:.1f} % of "
        f"the guided and {100 * shares[1][largest]:.1f} % of the unguided, wanted {100 * wanted[largest]:.1f} % (luck: "
        f"± {luck:.1f}). Both read the same noise, and on average their ends lie {ends:.2g} apart."
    )
    if not request.stiffness:
        return same, "At stiffness 0 there is no potential, and the two clouds are one."
    (guided, control), (strayed, least) = (exact_total(one.path, potential, target.mixture) for one in runs)
    seen = [
        sum(float(torch.trapezoid(part, one.t)) for part in one.running_cost(potential)) for one in runs
    ]  # over all t, by the trapezoidal rule
    return (
        same,
        f"In this potential the guided pay {guided:.2f} for where they are and {control:.2f} for being steered, "
        f"{guided + control:.2f} nats by formula and {seen[0]:.2f} by these particles. The unguided are steered for "
        f"{least:.2f}, the least there is, but would pay {strayed:.2f} for where they are: {strayed + least:.2f} "
        f"({seen[1]:.2f} by these particles).",
    )
