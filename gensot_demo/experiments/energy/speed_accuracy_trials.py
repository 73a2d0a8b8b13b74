"""Random trials of the speed-accuracy relation: any targets, wrong starts, velocities and step sizes."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor

from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.paths import CondOTPath, CosinePath
from gensot_demo.transport.perturbed_start import GaussianStart, UniformStart, WrongStart
from gensot_demo.transport.speed_accuracy import normalised_weights, relation_of_particles

_ROUNDING = 1e-9


def trials(count: int, seed: int = 0, shrink: float = 1.0) -> tuple[int, float]:
    """(how many of ``count`` trials violate the relation, the largest ratio of its two sides over all).

    Each has 2 to 40 particles in 1 to 4 dimensions, a wrong start, and one of five motions: the flow of a random
    mixture, that flow turned, arbitrary velocities, steps as large as the cloud, or the most adverse direction. In
    every step (dW1)^2 <= D0 mean|dx|^2, and eta <= c1 <= c2, must hold. ``shrink`` replaces D0 by a share of it: a
    wrong bound, which such trials must be able to refute. 1000 trials take about 3 seconds.
    """
    generator = torch.Generator().manual_seed(seed)
    wrong, worst = 0, 0.0
    for number in range(count):
        states, weights, t = _trial(number % 5, generator)
        found = relation_of_particles(states, weights, t)
        ratio = found.worst / shrink
        if found.eta is not None:
            bounds = (found.eta, found.c1, found.c2)
            ratio = max(ratio, *(low / high for low, high in pairwise(bounds) if high > 1e-300))
        wrong += ratio > 1 + _ROUNDING
        worst = max(worst, ratio)
    return wrong, worst


def _trial(kind: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """States (T, N, d), weights (N,), times (T,)."""

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    def whole(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (1,), generator=generator))

    particles, dimension, rows = whole(2, 40), whole(1, 4), whole(2, 6)
    x = normal(particles, dimension)
    weights = _weights(x, generator)
    inner = torch.rand(rows - 2, generator=generator, dtype=torch.float64).sort().values
    t = torch.cat([torch.zeros(1).double(), 0.01 + 0.97 * inner, torch.ones(1).double()])
    t = t + torch.linspace(0, 1e-6, rows, dtype=torch.float64)  # no two at once
    law = GaussianMixture([1.0] * 3, 2 * normal(3, dimension), 0.1 * torch.eye(dimension).expand(3, -1, -1).double())
    path = (CosinePath(), CondOTPath())[whole(0, 1)]
    turn = normal(dimension, dimension)
    turn = 3 * (turn - turn.T)
    excess = weights - 1
    states = [x]
    for before, after in zip(t.tolist(), t[1:].tolist(), strict=False):
        here, h = states[-1], after - before
        match kind:
            case 0 | 1:
                points = path.at(min(max(before, 1e-6), 1 - 1e-3))
                v = points.velocity(0, here, law.predict(here, float(points.a), float(points.m)))
                step = h * (v + here @ turn * kind)
            case 2:
                step = h * normal(particles, dimension)
            case 3:
                step = 30 * normal(particles, dimension)
            case _:  # what has too much runs from what has too little
                step = excess[:, None] * normal(1, dimension) * math.exp(float(normal(1)))
        states.append(here + step)
    return torch.stack(states), weights, t


def _weights(x: Tensor, generator: torch.Generator) -> Tensor:
    """A wrong start along the first axis, or weights without any law behind them."""
    kind = int(torch.randint(0, 4, (1,), generator=generator))
    size = float(torch.rand(1, generator=generator))
    if kind == 3:
        return normalised_weights((3 * size * torch.randn(len(x), generator=generator, dtype=torch.float64)).exp())
    start: WrongStart = (
        GaussianStart([3 * size], [1.0]),
        GaussianStart([-size, size], [0.3 + size, 1.0], [1, 2]),
        UniformStart(0.5 + 2 * size),
    )[kind]
    ratio = start.ratio(x[:, 0])
    return normalised_weights(ratio if float(ratio.sum()) > 0 else torch.ones(len(x)))
