"""What one sees of a network's training, in sentences from the numbers of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from numpy.typing import NDArray

from gensot_demo.transport.lagrangian.circle_teachers import TEACHERS
from gensot_demo.transport.lagrangian.particle_network import Moment

from .moving import Falling

if TYPE_CHECKING:
    from .neurons import NeuronsRequest

_LAZY = 10  # degrees: neurons that turn by less found nothing, they were there
_LEARNT = 0.02  # of the loss of a network that says 0: what is left when nothing is missing but time
_SHORT, _SHORT_FOR_SCALE = 0.5, 1.25  # step, and step times scale²: up to here half of it halves the drift, ± 10 %


def learnt_below(wanted: torch.Tensor) -> float:
    """The loss at which a network has learnt ``wanted`` (DATA,). It does not depend on where the network started."""
    return _LEARNT * float(wanted.square().mean() / 2)


def told(
    request: NeuronsRequest, losses: NDArray, moments: list[Moment], drifts: tuple[Falling, ...], least: float
) -> tuple[str, ...]:
    """losses: (steps + 1, 2), of the wide network and of the narrow one.  least: no network comes below."""
    lines = [_widths(request, losses, least), _moved(request, moments, losses, least)]
    rises = int((losses[1:, 0] > losses[:-1, 0] * (1 + 1e-9)).sum())
    if rises:
        lines.append(
            f"The loss rose in {rises} of {request.steps:,} steps; under the exact flow it never does: the Euler step "
            f"{request.step:g} is long for this start."
        )
    lines.append(_kept(request, moments, drifts, rises == 0))
    return tuple(lines)


def _widths(request: NeuronsRequest, losses: NDArray, least: float) -> str:
    wide, narrow = (float(loss) for loss in losses[-1])
    many, few = request.neurons, request.narrow
    first = f"from {short(losses[0, 0])} and {short(losses[0, 1])}"
    ends = f"{many} neurons end with loss {short(wide)}, {few} with {short(narrow)} ({first})"
    if least > 1e-9:
        return (
            f"{ends}, and no number of neurons comes below {least:.3g}: as relu(x) − relu(−x) = x, what a network says "
            "at opposite points differs by a linear function, and three waves differ otherwise."
        )
    limit = learnt_below(TEACHERS[request.teacher].values)
    if narrow > max(3 * wide, limit):
        if request.learns == "outputs":
            return f"{ends}, {short(narrow / wide)} times as much: of so few frozen directions one can make less."
        return (
            f"{ends}, {short(narrow / wide)} times as much: in the wide cloud some neuron starts near every direction "
            "that is wanted; the few may have none there, and stick where no small move helps."
        )
    if wide > max(3 * narrow, limit):
        return f"{ends}: here the few do better. A narrow network is a small sample of the same flow, and may be lucky."
    if min(narrow, wide) > limit:
        return (
            f"{ends}: neither has got there. Both are samples of one flow; it may need more time, a larger start or "
            "more neurons."
        )
    if max(narrow, wide) > limit:
        return f"{ends}: both are samples of one flow, and they are about as far."
    return f"{ends}: both are samples of one flow, and the few have found the directions that are wanted, too."


def _moved(request: NeuronsRequest, moments: list[Moment], losses: NDArray, least: float) -> str:
    first, last = moments[0].networks[0], moments[-1].networks[0]
    turn = torch.nn.functional.cosine_similarity(first.u, last.u, dim=-1).clamp(-1, 1).acos().rad2deg()
    before, after = (network.places.norm(dim=-1).mean() for network in (first, last))
    size = f"the mean of |u||v| goes from {short(float(before))} to {short(float(after))}"
    if request.learns == "outputs":
        return (
            f"The directions are frozen and neurons only move along their rays; {size}. G is linear in v, so the loss "
            "has no place to stick but its least for these directions."
        )
    half = f"Half of the {request.neurons} turn by more than {short(float(turn.median()))}°, {size}"
    if least > 1e-9:
        return f"{half}: the error that has to stay, seen on any half of the circle, pulls at no neuron."
    if float(losses[-1, 0]) > 0.5 * float(losses[0, 0]):  # least is 0 here: all of it can be learnt
        return f"{half}, and so far they have not learnt half of it."
    if float(turn.median()) < _LAZY:
        return f"{half}: it learns and hardly moves (lazy training): with large weights a small turn changes G enough."
    if request.teacher == "four_waves":
        return f"{half}: they leave where they were (feature learning)."
    return f"{half}: they leave where they were and gather in a few directions (feature learning)."


def _kept(request: NeuronsRequest, moments: list[Moment], drifts: tuple[Falling, ...], falls: bool) -> str:
    """falls: the loss, in every step."""
    drift = float(drifts[0].values[-1])
    if request.learns != "both":
        return f"|u|² − v² is kept only where both weights learn; here it moves by up to {short(drift)}."
    largest = float(moments[-1].networks[0].v.square().max())
    drifted = (
        f"|u|² − v² stays for each neuron under the exact flow. Euler's steps of {request.step:g} let it drift by up "
        f"to {short(drift)} (the largest v² is {short(largest)})"
    )
    short_enough = request.step <= _SHORT and request.step * request.scale**2 <= _SHORT_FOR_SCALE
    return f"{drifted}; half the step, about half the drift." if falls and short_enough else f"{drifted}."


def short(value: float) -> str:
    """Two digits, and whole numbers from 10 on."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
