"""Measures of what a sampler did, read from its trace alone.

Arrays are those of :meth:`~.conductor.Trace.delivered`: grid rows (S), states and predictions (S, n, d). ``outside``
counts coordinates that the trace leaves out because no data lie there: they carry noise only, so their share of the
speed is known exactly, (m')^2 each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .paths import PathPoints

_WEIGHTLESS = 1e-6


@dataclass(frozen=True)
class EnergyCurve:
    """Speed along a path. t, sigma, kinetic: (S,), kinetic = E|v_t|^2 per dimension, in squared data units per unit
    time squared; dissipated: (S,), its integral from the first row on; straightness: action - E|x_1 - x_0|^2 and
    path_length_ratio: E int |v| dt / E|x_1 - x_0|, both over the shown stretch and None unless the states follow the
    flow: a noisy trace is not a flow line, though its kinetic energy is that of the flow."""

    t: Tensor
    sigma: Tensor
    kinetic: Tensor
    dissipated: Tensor
    straightness: float | None
    path_length_ratio: float | None

    @property
    def action(self) -> float:
        """int E|v|^2 dt per dimension over the shown stretch."""
        return float(self.dissipated[-1])


def energy_curve(
    grid: PathPoints, index: Sequence[int], x: Tensor, predicted: Tensor, outside: int = 0, flow: bool = True
) -> EnergyCurve:
    """Kinetic energy of the probability flow along a trace (docs/FORMULAS.md 2); its time integral times d is the
    dissipation T S_tot of Ikeda et al., arXiv 2407.04495.

    flow: whether a deterministic sampler made the trace, so that its states move along flow lines.
    Rows without noise (m = 0: both ends of a path from a point) have no finite velocity and are left out.
    """
    rows = [n for n, i in enumerate(index) if float(grid.m[i]) > 0]
    at = [index[n] for n in rows]
    speeds = torch.stack([grid.velocity(i, x[n], predicted[n]).double() for n, i in zip(rows, at, strict=True)])
    dimension = speeds.shape[-1] + outside
    noise_only = outside * grid.dm[at].double() ** 2
    square = (speeds**2).sum(-1) + noise_only[:, None]  # (S, n)
    t = grid.t[at].double()
    kinetic = square.mean(1) / dimension
    total = _integral(t, kinetic)
    curve = EnergyCurve(t, grid.sigma[at].double(), kinetic, total, None, None)
    if not flow:
        return curve
    moved = (x[rows[-1]].double() - x[rows[0]].double()).square().sum(-1)
    moved = moved + outside * (grid.m[at[-1]].double() - grid.m[at[0]].double()) ** 2
    length = _integral(t, square.sqrt())[-1]
    return replace(
        curve,
        straightness=float(total[-1] - moved.mean() / dimension),
        path_length_ratio=float(length.mean() / moved.sqrt().mean()),
    )


def _integral(t: Tensor, values: Tensor) -> Tensor:
    """Cumulative trapezoidal integral over rows, starting at 0."""
    steps = t.diff().reshape(-1, *[1] * (values.dim() - 1))
    parts = 0.5 * (values[1:] + values[:-1]) * steps
    return torch.cat([torch.zeros_like(values[:1]), parts.cumsum(0)])


def order_parameter(predicted: Tensor, end: Tensor, centre: Tensor | None = None) -> Tensor:
    """E[(yhat_t - c).(x_1 - c)] / E|x_1 - c|^2 per row (S,): 0 before anything is decided, 1 once all is.

    ``centre`` c (d,) is subtracted so that what all samples have in common does not count as decided.
    Source: Chertkov, arXiv 2512.11859, order parameter, centred.
    """
    centre = torch.zeros_like(end[0]) if centre is None else centre
    target = (end - centre).double()
    return ((predicted - centre).double() * target).sum(-1).mean(-1) / target.square().sum(-1).mean()


@dataclass(frozen=True)
class EndLaw:
    """Moments of a law of terminal states: mean (d,), and the eigenvalues of its covariance but for zeros (k,)."""

    mean: Tensor
    variances: Tensor


def end_law(points: Tensor, weights: Tensor) -> EndLaw:
    """Moments of sum_i w_i delta(y - y_i) for points (N, d) and weights (N,) that add up to 1.

    What weighs less than 1e-6 of all is left out: the eigenvalues are those of an (n, n) table of n heavy points.
    """
    heavy = weights > _WEIGHTLESS * weights.max()
    points, weights = points[heavy].double(), weights[heavy].double()
    weights = weights / weights.sum()
    mean = weights @ points
    away = weights.sqrt()[:, None] * (points - mean)
    table = away @ away.T if len(points) < points.shape[1] else away.T @ away
    return EndLaw(mean, torch.linalg.eigvalsh(table).clamp(min=0.0))


def least_action(grid: PathPoints, index: Sequence[int], x: Tensor, law: EndLaw, outside: int = 0) -> float:
    """An estimate of the least action, per dimension, with which any path comes from where a trace starts to the law
    that it was asked for, in the same time; comparable with :attr:`EnergyCurve.action` of the same trace.

    Benamou and Brenier: the action is at least W2^2 / time; Gelbrich (1990): W2^2 is at least the distance of two
    Gaussians with the same moments, which is returned, so even the cheapest path may cost more. The start is noise of
    size m around a mean that is estimated from the states, without the bias that their noise gives to its square.
    """
    rows = [n for n, i in enumerate(index) if float(grid.m[i]) > 0]
    start, end = grid.point(index[rows[0]]), grid.point(index[rows[-1]])
    first = x[rows[0]].double()
    aim = end.a * law.mean.to(first) + end.g.to(first)
    shift = (first.mean(0) - aim).square().sum() - len(aim) * start.m**2 / len(first)
    spread = ((end.a**2 * law.variances + end.m**2).sqrt() - start.m).square().sum()
    dimension = len(aim) + outside
    noise_only = (dimension - len(law.variances)) * (end.m - start.m) ** 2
    return float(shift.clamp(min=0.0) + spread + noise_only) / (dimension * (end.t - start.t))
