"""What one sees of a network's training, in sentences from the numbers of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from numpy.typing import NDArray

from gensot_demo.transport.lagrangian.particle_network import Moment

from .moving import Falling

if TYPE_CHECKING:
    from .neurons import NeuronsRequest

_LAZY = 10  # degrees: neurons that turn by less found nothing, they were there
_LEARNT = 0.02  # of the first loss: what is left when nothing is missing but time


def told(
    request: NeuronsRequest, losses: NDArray, moments: list[Moment], drifts: tuple[Falling, ...], least: float
) -> tuple[str, ...]:
    """losses: (steps + 1, 2), of the wide network and of the narrow one.  least: no network comes below."""
    lines = [_widths(request, losses, least), _moved(request, moments, losses)]
    rises = int((losses[1:, 0] > losses[:-1, 0] * (1 + 1e-9)).sum())
    if rises:
        lines.append(
            f"The loss rose in {rises} of {request.steps:,} steps; under the exact flow it never does: the Euler step "
            f"{request.step:g} is long for this start."
        )
    lines.append(_kept(request, moments, drifts))
    return tuple(lines)


def _widths(request: NeuronsRequest, losses: NDArray, least: float) -> str:
    wide, narrow = (float(loss) for loss in losses[-1])
    many, few = request.neurons, request.narrow
    first = f"from {losses[0, 0]:.2g} and {losses[0, 1]:.2g}"
    ends = f"{many} neurons end with loss {wide:.2g}, {few} with {narrow:.2g} ({first})"
    if least > 1e-9:
        return (
            f"{ends}, and no number of neurons comes below {least:.3g}: as relu(x) − relu(−x) = x, what a network says "
            "at opposite points differs by a linear function, and three waves differ otherwise."
        )
    if narrow > max(3 * wide, _LEARNT * float(losses[0, 1])):
        return (
            f"{ends}, {narrow / wide:.0f} times as much: in the wide cloud some neuron starts near every direction "
            "that is wanted; the few may have none there, and stick where no small move helps."
        )
    if wide > max(3 * narrow, _LEARNT * float(losses[0, 0])):
        return f"{ends}: here the few do better. A narrow network is a small sample of the same flow, and may be lucky."
    if narrow > _LEARNT * float(losses[0, 1]):
        return f"{ends}: neither has got there. Both are samples of one flow; it needs more time, or a larger start."
    return f"{ends}: both are samples of one flow, and the few have found the directions that are wanted, too."


def _moved(request: NeuronsRequest, moments: list[Moment], losses: NDArray) -> str:
    first, last = moments[0].networks[0], moments[-1].networks[0]
    turn = torch.nn.functional.cosine_similarity(first.u, last.u, dim=-1).clamp(-1, 1).acos().rad2deg()
    before, after = (network.places.norm(dim=-1).mean() for network in (first, last))
    half = f"Half of the {request.neurons} turn by more than {float(turn.median()):.2g}°, the mean of |u||v| goes from "
    half += f"{float(before):.2g} to {float(after):.2g}"
    if request.learns == "outputs":
        return f"{half}: the directions are frozen, neurons only move along their rays, and learning is linear in v."
    if float(losses[-1, 0]) > 0.5 * float(losses[0, 0]):
        return f"{half}, and so far they have not learnt half of it."
    if float(turn.median()) < _LAZY:
        return f"{half}: it learns and hardly moves (lazy training): with large weights a small turn changes G enough."
    if request.teacher in ("three_waves", "four_waves"):
        return f"{half}: they leave where they were (feature learning)."
    return f"{half}: they leave where they were and gather in a few directions (feature learning)."


def _kept(request: NeuronsRequest, moments: list[Moment], drifts: tuple[Falling, ...]) -> str:
    drift = float(drifts[0].values[-1])
    if request.learns != "both":
        return f"|u|² − v² is kept only where both weights learn; here it moves by up to {drift:.2g}."
    largest = float(moments[-1].networks[0].v.square().max())
    return (
        f"|u|² − v² stays for each neuron under the exact flow. Euler's steps of {request.step:g} let it drift by up "
        f"to {drift:.2g} (the largest v² is {largest:.2g}); half the step, about half the drift."
    )
