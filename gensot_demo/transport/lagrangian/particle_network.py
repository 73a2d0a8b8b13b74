"""Training a two-layer network is a flow of particles: its neurons, in a velocity that they make together.

G(z) = (1/n) sum_i v_i relu(u_i . z) with u_i in the plane, and data z_k at equal distances on the unit circle. Gradient
descent on the loss (1/2) mean r^2, r = G - y, with time counted without the 1/n, moves neuron i by

    du_i/dt = -mean_k[ r_k v_i 1{u_i . z_k > 0} z_k ] = v_i h(u_i),
    dv_i/dt = -mean_k[ r_k relu(u_i . z_k) ] = u_i . h(u_i),

where h, the pull, depends on the direction of u_i alone and on all neurons through r (arXiv 2512.06797;
docs/FORMULAS.md 5). |u_i|^2 - v_i^2 stays. A neuron is drawn at p_i = u_i |v_i|, which moves by
sign(v_i) (v_i^2 h + (u_i . h) u_i).

A direction between two neighbouring data points sees the same half of the circle as any other between them, so h is a
table with a row for each gap, and sums over neurons are sums over gaps: a step costs O(n + data), not O(n data).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import InvalidValue

DATA = 256
"""Data points on the circle, at angles 2 pi k / DATA."""
_LARGEST = 1e6  # a loss from which no run has come back
_QUARTER = DATA // 4

ANGLES = torch.arange(DATA, dtype=torch.float64) * (2 * math.pi / DATA)
CIRCLE = torch.stack([ANGLES.cos(), ANGLES.sin()], -1)
"""(DATA, 2): the data's inputs."""


@dataclass(frozen=True, eq=False)
class Neurons:
    """Input weights u (n, 2) and output weights v (n,), float64."""

    u: Tensor
    v: Tensor

    @property
    def places(self) -> Tensor:
        """(n, 2): where they are drawn."""
        return self.u * self.v.abs()[:, None]


def spread_start(count: int, scale: float) -> Neurons:
    """``count`` neurons that stand for a Gaussian start without chance: radii at the quantiles of ``scale`` N(0, I),
    directions at multiples of the golden angle, v = |u| for the first, third, ... and -|u| for the others."""
    number = torch.arange(count, dtype=torch.float64)
    radius = scale * torch.sqrt(-2 * torch.log((number + 0.5) / count))
    angle = 2 * math.pi * torch.frac(number * ((math.sqrt(5) - 1) / 2))
    u = radius[:, None] * torch.stack([angle.cos(), angle.sin()], -1)
    return Neurons(u, torch.where(number % 2 == 0, radius, -radius))


def random_start(count: int, scale: float, seed: int) -> Neurons:
    """u ~ scale N(0, I), v = |u| or -|u| with equal chance."""
    generator = torch.Generator().manual_seed(seed)
    u = scale * torch.randn(count, 2, generator=generator, dtype=torch.float64)
    sign = 2 * torch.randint(0, 2, (count,), generator=generator).double() - 1
    return Neurons(u, sign * u.norm(dim=-1))


@dataclass(frozen=True, eq=False)
class Moment:
    """Networks at a step of their training. networks: their neurons.  pulls: h at each neuron, (n, 2) each.
    outputs (networks, DATA): G at the data.  losses (networks,)."""

    step: int
    networks: tuple[Neurons, ...]
    pulls: tuple[Tensor, ...]
    outputs: Tensor
    losses: Tensor


def train(
    networks: Sequence[Neurons], wanted: Tensor, dt: float, steps: int, *, inputs: bool = True, outputs: bool = True
) -> Iterator[Moment]:
    """The moments 0, 1, ..., ``steps`` of networks that learn beside one another, each for itself: Euler's method.

    wanted: (DATA,) y at the data.  dt: the step.  inputs, outputs: whether u and v learn.

    Raises:
        InvalidValue: a loss leaves what can be computed; it says when.
    """
    sizes = [len(network.v) for network in networks]
    owner = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    share = 1 / torch.tensor(sizes, dtype=torch.float64)
    u, v = torch.cat([network.u for network in networks]), torch.cat([network.v for network in networks])
    for step in range(steps + 1):
        gap = DATA * owner + _gap(u)
        sums = torch.zeros(DATA * len(sizes), 2, dtype=torch.float64).index_add_(0, gap, v[:, None] * u)
        given = (_over_halves(sums.view(-1, DATA, 2), -_QUARTER) * CIRCLE).sum(-1) * share[:, None]
        residual = given - wanted
        losses = residual.square().mean(-1) / 2
        if not bool((losses < _LARGEST).all()):
            raise InvalidValue(f"training runs away at time {step * dt:.3g}: its loss passes {_LARGEST:g}.")
        pull = (_over_halves(residual[..., None] * CIRCLE, 1 - _QUARTER) / -DATA).view(-1, 2)[gap]
        yield Moment(step, tuple(map(Neurons, u.split(sizes), v.split(sizes))), pull.split(sizes), given, losses)
        du, dv = v[:, None] * pull, (u * pull).sum(-1)
        u, v = u + dt * du if inputs else u, v + dt * dv if outputs else v


def velocity(neurons: Neurons, pull: Tensor, *, inputs: bool = True, outputs: bool = True) -> Tensor:
    """(n, 2): d/dt of ``neurons.places`` under the flow, by the input weights' and the output weights' motion."""
    turning = neurons.v.square()[:, None] * pull * inputs
    growing = (neurons.u * pull).sum(-1, keepdim=True) * neurons.u * outputs
    return neurons.v.sign()[:, None] * (turning + growing)


def _gap(u: Tensor) -> Tensor:
    """(n,): number of the gap between neighbouring data points that holds each direction, its first end included."""
    turns = torch.atan2(u[:, 1], u[:, 0]) / (2 * math.pi)
    return torch.floor(DATA * turns).long() % DATA


def _over_halves(values: Tensor, first: int) -> Tensor:
    """(..., DATA, 2): at k, the sum of the half circle of values (..., DATA, 2) from number k + ``first`` on."""
    turned = values.roll(-first, dims=-2)
    # by differences of sums from the start: a matrix product this small wakes threads that cost more than it
    sums = torch.nn.functional.pad(torch.cat([turned, turned], -2).cumsum(-2), (0, 0, 1, 0))
    return sums[..., 2 * _QUARTER : 2 * _QUARTER + DATA, :] - sums[..., :DATA, :]


def out_of_reach(wanted: Tensor) -> float:
    """The loss below which no two-layer ReLU network without offsets comes, however wide.

    relu(x) - relu(-x) = x, so the odd part of G, (G(z) - G(-z))/2, is linear in z: all else that is odd in ``wanted``
    (DATA,) stays.
    """
    odd = (wanted - wanted.roll(2 * _QUARTER)) / 2
    linear = CIRCLE @ (2 * (odd[:, None] * CIRCLE).mean(0))
    return float((odd - linear).square().mean() / 2)
