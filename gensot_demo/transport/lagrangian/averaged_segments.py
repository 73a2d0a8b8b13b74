"""Flow matching as a continuity equation: particles one by one on their segments, and the average of those that meet.

Segments x_t = a y + c x_0 from a source to a target cross. Their mean velocity where they meet,
v_t(x) = E[a' y + c' x_0 | x_t = x], moves another cloud with the same law at every time (arXiv 2512.06797, sec. 2;
docs/FORMULAS.md 2 and 5). With the optimal pairing no two segments meet and nothing is averaged.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor

from ..mixture_flow import Coefficients, MixtureFlow
from ..mixtures import GaussianMixture
from ..paths import SchedulePath


def on_segments(start: Tensor, end: Tensor, path: SchedulePath, times: Tensor) -> tuple[Tensor, Tensor]:
    """Positions and velocities (F, n, 2) of particles on their own segments from ``start`` to ``end`` (n, 2)."""
    a, da, m, dm = (part[:, None, None] for part in path.schedule(times))
    return a * end + m * start, da * end + dm * start


def on_average(
    start: Tensor, source: GaussianMixture, target: GaussianMixture, path: SchedulePath, times: Tensor
) -> tuple[Tensor, Tensor]:
    """The same of particles that move with the mean velocity of all segments, for independent ends: Heun's method, one
    step between moments."""
    flow = MixtureFlow(source, target, lambda t: _coefficients(path, t))
    positions, velocities = [start], [flow.velocity(start, float(times[0]))[0]]
    for before, after in itertools.pairwise(times.tolist()):
        x, slope, h = positions[-1], velocities[-1], after - before
        x = x + h / 2 * (slope + flow.velocity(x + h * slope, after)[0])
        positions.append(x)
        velocities.append(flow.velocity(x, after)[0])
    return torch.stack(positions), torch.stack(velocities)


def _coefficients(path: SchedulePath, t: float) -> Coefficients:
    a, da, m, dm = (float(part) for part in path.schedule(torch.tensor(t, dtype=torch.float64)))
    return Coefficients(a, da, m, dm)


def opposed(start: Tensor, end: Tensor) -> float:
    """The share of pairs of segments that run past one another: <x - x', y - y'> < 0. Of independent ends it is a half,
    as x - x' is as likely as x' - x; the optimal pairing has none (its cyclical monotonicity), so no two of it ever
    meet."""
    x, y = start[:, None] - start, end[:, None] - end
    n = len(start)
    return float(((x * y).sum(-1) < 0).sum()) / max(1, n * (n - 1))
