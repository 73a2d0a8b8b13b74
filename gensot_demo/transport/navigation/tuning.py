"""Stiffness and timing tuned by gradient through the closed forms: no simulation.

Where to be stiff, with so much stiffness to spend, so that a teacher is followed best (the guide is solved for anew at
every step); and when to be where along a corridor, so that the whole passage costs least.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..diagnostics import expected_log_green
from ..harmonic import HarmonicPath, Protocol
from .corridor import Curve
from .learning import Tracking

STEEPEST = 60.0
"""Largest ratio of a piece's share to the mean share: a protocol keeps some stiffness, and some time, everywhere."""

_RATE = 0.15
_FLATNESS = 1e-4  # per nat: keeps what nothing depends on from drifting


@dataclass(frozen=True)
class Tuned:
    """One step of a descent. shares: (K,), of all stiffness or of all time, by piece; their sum is 1."""

    protocol: Protocol
    shares: Tensor
    objective: float
    step: int


def tuned_stiffness(tracking: Tracking, steps: int = 60) -> Iterator[Tuned]:
    """Spread the protocol's mean stiffness over its pieces so that the teachers are followed best; yields each step.

    The guide is the learnt one throughout, so its own derivative is zero and only that of the stiffness is followed.
    """
    protocol = tracking.protocol
    total = float(protocol.stiffness @ protocol.knots.diff())

    def spent(shares: Tensor) -> Protocol:
        return replace(protocol, stiffness=total * shares / protocol.knots.diff())

    def objective(shares: Tensor) -> tuple[Tensor, Protocol]:
        learnt = replace(tracking, protocol=spent(shares.detach())).learnt()
        return replace(tracking, protocol=replace(spent(shares), guide=learnt.guide)).value(), learnt

    yield from _descend(objective, protocol, steps)


def tuned_timing(protocol: Protocol, curve: Curve, mean: Tensor, trace: float, steps: int = 60) -> Iterator[Tuned]:
    """Choose when the guide is where on ``curve`` so that the optimal cost is least; yields each step.

    mean (d,), trace: of the law at the end and of its covariance. The objective is -E log G, the optimal cost up to the
    entropy of the law, which no protocol changes. Piece k rests at the curve's parameter in the middle of its share.
    """

    def timed(shares: Tensor) -> Protocol:
        return replace(protocol, guide=curve(shares.cumsum(0) - 0.5 * shares))

    def objective(shares: Tensor) -> tuple[Tensor, Protocol]:
        now = timed(shares)
        return -expected_log_green(HarmonicPath(now), mean, trace), timed(shares.detach())

    yield from _descend(objective, protocol, steps)


def _descend(objective: Callable[[Tensor], tuple[Tensor, Protocol]], protocol: Protocol, steps: int) -> Iterator[Tuned]:
    """Adam on the logarithms of the shares over the pieces' lengths, from an even spread; the last step is the best
    one."""
    logits = torch.zeros(len(protocol.stiffness), dtype=protocol.stiffness.dtype, requires_grad=True)
    descent = torch.optim.Adam([logits], lr=_RATE)
    best: Tuned | None = None
    lengths = protocol.knots.diff()
    for step in range(steps + 1):
        spread = torch.softmax(logits + lengths.log(), 0) * (1 - 1 / STEEPEST) + lengths / STEEPEST
        value, now = objective(spread)
        found = Tuned(now, spread.detach(), float(value.detach()), step)
        best = found if best is None or found.objective < best.objective else best
        yield replace(best, step=step) if step == steps else found
        descent.zero_grad()
        (value + _FLATNESS * logits.square().sum()).backward()
        descent.step()
