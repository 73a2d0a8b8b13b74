"""Flow matching on pairs of noise and data, x_t = (1 - t) x_0 + t y, for several pairings side by side.

Of pairs that are not independent, E[y - x_0 | x_t] does not follow from a denoiser at a noise level, as those that
:mod:`..flow_training` trains: these networks learn the velocity v(x, t) itself. Lipman et al., arXiv 2210.02747; Tong
et al., arXiv 2302.00482 (without smoothing). Straightness is that of Liu et al., arXiv 2209.03003.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..perceptrons import FREQUENCIES, Perceptrons, with_phases
from .pairing import Pairing

Velocity = Callable[[Tensor, float], Tensor]
"""velocity(x (..., n, d), t): of the same shape."""

_CHUNK = 10  # updates whose pairs are made at once


class VelocityNetworks(Perceptrons):
    """G independent networks that predict v (G, n, 2) from x (G, n, 2) and times (G, n), or one time for all."""

    def __init__(self, seeds: Sequence[int], width: int = 64):
        super().__init__(seeds, 2 + 2 * FREQUENCIES, 2, width)

    def __call__(self, x: Tensor, t: Tensor | float) -> Tensor:
        return self.through(with_phases(x, t * (math.pi / 2)))


@dataclass(frozen=True, eq=False)
class Progress:
    """update: how many are done.  losses, costs: (G, k) of the last k updates, E|v - (y - x_0)|^2 and E|y - x_0|^2."""

    update: int
    losses: Tensor
    costs: Tensor


def train_paired(
    networks: VelocityNetworks,
    pairings: Sequence[Sequence[Pairing]],
    points: Tensor,
    updates: int,
    batch: int = 256,
    rate: float = 4e-3,
    seed: int = 0,
) -> Iterator[Progress]:
    """Adam, the rate falling to 0 as half a cosine; yields every few updates; changes ``networks``.

    pairings: P rows of S; network p S + s learns from ``points[s]``, (S, N, 2), paired by (p, s). The P networks of one
    s meet the same noise, points drawn and times in every update.
    """
    rows, count = len(pairings), len(points)
    generators = [torch.Generator().manual_seed(seed + 7919 * s + 1) for s in range(count)]
    parameters = [part.requires_grad_(True) for part in networks.parameters]
    adam = torch.optim.Adam(parameters, lr=rate, betas=(0.9, 0.99))
    done = 0
    try:
        while done < updates:
            size = min(_CHUNK, updates - done)
            losses, costs = torch.empty(size, rows * count), torch.empty(size, rows * count)
            for k in range(size):
                noise, t, partners = _minibatch(pairings, points, batch, generators)
                adam.param_groups[0]["lr"] = rate * 0.5 * (1 + math.cos(math.pi * (done + k) / updates))
                target = partners - noise
                states = noise + t[..., None] * target
                each = (networks(states, t) - target).square().sum(-1).mean(1)
                adam.zero_grad(set_to_none=True)
                each.sum().backward()  # the networks share nothing: each gets its own gradient
                adam.step()
                losses[k], costs[k] = each.detach(), target.square().sum(-1).mean(1)
            done += size
            yield Progress(done, losses.T, costs.T)
    finally:
        for part in parameters:
            part.requires_grad_(False)


def _minibatch(
    pairings: Sequence[Sequence[Pairing]], points: Tensor, batch: int, generators: Sequence[torch.Generator]
) -> tuple[Tensor, Tensor, Tensor]:
    """(noise (G, batch, 2), times (G, batch) spread evenly over (0, 1), partners (G, batch, 2))."""
    noise, times, partners = [], [], [[] for _ in pairings]
    for s, generator in enumerate(generators):
        drawn = points[s][torch.randint(len(points[s]), (batch,), generator=generator)]
        noise.append(torch.randn(batch, 2, generator=generator, dtype=points.dtype))
        times.append((torch.arange(batch) + torch.rand(batch, generator=generator)) / batch)
        for p, row in enumerate(pairings):
            partners[p].append(row[s](noise[s], drawn))
    rows = len(pairings)
    found = torch.stack([torch.stack(row) for row in partners]).flatten(0, 1)
    return torch.stack(noise).float().repeat(rows, 1, 1), torch.stack(times).repeat(rows, 1), found.float()


@dataclass(frozen=True, eq=False)
class Travel:
    """Where a flow takes starts (..., n, d).  lines: (..., n, K + 1, d), also between.  energy: int E|v|^2 dt (...).
    displacement: E|x_1 - x_0|^2 (...).  straightness: int E|v - (x_1 - x_0)|^2 dt / E|x_1 - x_0|^2 (...), 0 where every
    line is straight and run at constant speed.  length: mean of path length over the length of the chord (...)."""

    lines: Tensor
    energy: Tensor
    displacement: Tensor
    straightness: Tensor
    length: Tensor


def travel(velocity: Velocity, start: Tensor, steps: int = 48) -> Travel:
    """Runge-Kutta of order 4 with equal steps; integrals by Simpson's rule over every two of them (``steps`` even)."""
    h = 1 / steps
    x, places, speeds = start, [start], []
    for k in range(steps):
        t = k * h
        one = velocity(x, t)
        two = velocity(x + 0.5 * h * one, t + 0.5 * h)
        three = velocity(x + 0.5 * h * two, t + 0.5 * h)
        four = velocity(x + h * three, t + h)
        speeds.append(one)
        x = x + h / 6 * (one + 2 * two + 2 * three + four)
        places.append(x)
    speeds.append(velocity(x, 1.0))
    lines, rates = torch.stack(places, -2), torch.stack(speeds, -2)  # (..., n, K + 1, d)
    weights = torch.ones(steps + 1, dtype=start.dtype)
    weights[1:-1:2], weights[2:-1:2] = 4, 2
    weights = weights * (h / 3)
    chord = x - start
    squares = chord.square().sum(-1)
    energy = (rates.square().sum(-1) @ weights).mean(-1)
    bent = ((rates - chord[..., None, :]).square().sum(-1) @ weights).mean(-1)
    ran = lines.diff(dim=-2).norm(dim=-1).sum(-1)
    return Travel(lines, energy, squares.mean(-1), bent / squares.mean(-1), (ran / squares.sqrt()).mean(-1))


def few_calls(velocity: Velocity, start: Tensor, calls: int) -> Tensor:
    """Where ``calls`` equal Euler steps lead from starts (..., n, d)."""
    x = start
    for k in range(calls):
        x = x + velocity(x, k / calls) / calls
    return x
