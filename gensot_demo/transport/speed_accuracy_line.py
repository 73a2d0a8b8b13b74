"""The speed-accuracy relation on the line, by quantiles: no particle, no sample.

A flow on the line keeps the order, so all of it is the quantile function Q_t(u). A wrong start with distribution
function F~ in place of N(0, 1) has G(u) = F~(Phi^-1(u)) of its mass below the u-quantile of the true law, at every
time; hence
W1(t) = int |u - G(u)| dQ_t(u), linear in Q_t, D0 = int (G' - 1)^2 du and v_2(t)^2 = int (d_t Q_t)^2 du. Every velocity
on the line is a gradient, so the dissipation is int v_2^2 dt = c2. Source: as :mod:`.speed_accuracy`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .perturbed_start import WrongStart
from .speed_accuracy import NO_ERROR, Relation


def missing_mass(start: WrongStart, z: Tensor) -> Tensor:
    """|u - G(u)| at the levels u = Phi(z), (n,).

    Not by the first quantiles of a path, which may begin near N(0, 1) only: what that leaves is no fault of the start.
    """
    return (torch.special.ndtr(z) - start.cumulative(z)).abs()


def stieltjes(gap: Tensor, values: Tensor) -> Tensor:
    """int gap d(values) over the last axis by trapezia, (n,) and (..., n) -> (...): linear in both."""
    return values.diff(dim=-1) @ (0.5 * (gap[1:] + gap[:-1]))


def relation_on_line(
    t: Tensor, scores: tuple[Tensor, Tensor], quantiles: Tensor, velocity: Tensor, start: WrongStart
) -> Relation:
    """The relation of a flow with quantiles and their time derivatives (T, n) at times t (T,) from 0 to tau.

    scores: :func:`~.one_dimension.normal_scores`. Integrals over time by the trapezoidal rule. An infinite D0 gives
    rate, c1 and eta 0: the relation then says nothing.
    """
    z, weights = scores
    gap = missing_mass(start, z)
    start_error = start.chi_square()
    speed = velocity.square() @ weights
    silent = start_error <= NO_ERROR or math.isinf(start_error)
    rate = torch.zeros_like(speed) if silent else stieltjes(gap, velocity).square() / start_error
    total = float(torch.trapezoid(speed, t))
    return Relation(
        t=t, distance=stieltjes(gap, quantiles), start_error=start_error, between=t, rate=rate, speed=speed,
        c1=float(torch.trapezoid(rate, t)), c2=total, dissipation=total,
    )  # fmt: skip
