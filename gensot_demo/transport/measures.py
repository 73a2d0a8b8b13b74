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
