"""Small flows learnt from points by flow matching, many at once, along any scalar path.

Write (a, m) = rho (sin theta, cos theta), with the noise angle theta from 0 (noise) to pi/2 (data). Then
u = x / rho = sin(theta) y + cos(theta) eps has variance 1 on every path, and with w = cos(theta) y - sin(theta) eps the
conditional velocity is a' y + m' eps = (rho'/rho) x + rho theta' w. A network that predicts w from (u, theta) (the "v" of
Salimans & Ho, arXiv 2202.00512) therefore serves every path, du/dtheta = E[w | u] is the flow, and the loss of flow
matching (Lipman et al., arXiv 2210.02747, eq. 9), with t uniform, is

    E_t |v(x_t, t) - (a' y + m' eps)|^2 = int (a' m - a m') E|w_network(u, theta) - w|^2 dtheta.

So a path decides only how much each noise angle counts in training, a' m - a m', and where the steps of a sampler fall.
It is 1 for CondOT and pi/2 for the cosine path: these two are one training problem.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .errors import InvalidValue
from .paths import SchedulePath

SHORTEST = 1e-3
"""Times are kept in [SHORTEST, 1 - SHORTEST], as in arXiv 2306.06626: a' of the kinetic-optimal path has no limit at 0, m'
of the VP path none at 1."""

_TABLE = 4000
_FREQUENCIES = 4
_CHUNK = 25  # updates whose noise is drawn at once


class AngleLaw:
    """How often each noise angle is met in training on a path: theta in proportion to a' m - a m'.

    Drawing angles like this instead of drawing t and weighing the loss leaves the expected loss as it is, up to a
    constant factor, and takes away the variance of the weights, which grow without bound at the ends.
    Raises :class:`InvalidValue` for a path whose noise level does not fall strictly.
    """

    def __init__(self, path: SchedulePath):
        end = math.log((1 - SHORTEST) / SHORTEST)
        t = torch.sigmoid(torch.linspace(-end, end, _TABLE, dtype=torch.float64))
        a, da, m, dm = path.schedule(t)
        theta, turning = torch.atan2(a, m), da * m - a * dm
        if not bool((theta.diff() > 0).all()) or not bool((torch.isfinite(turning) & (turning > 0)).all()):
            raise InvalidValue(f"the noise level of the path {path.name or type(path).__name__} must fall at all times.")
        share = 0.5 * (turning[1:] + turning[:-1]) * theta.diff()
        self._angles = theta.numpy()
        self._below = np.concatenate([[0.0], (share.cumsum(0) / share.sum()).numpy()])
        self._density = (turning / share.sum()).numpy()

    @property
    def range(self) -> tuple[float, float]:
        """The least and the greatest angle."""
        return float(self._angles[0]), float(self._angles[-1])

    def quantile(self, share: NDArray) -> NDArray:
        """Angles below which lie these shares, any shape."""
        return np.interp(share, self._below, self._angles)

    def density(self, angles: NDArray) -> NDArray:
        """Probability per radian (K,) at angles (K,); 0 outside the range."""
        return np.interp(angles, self._angles, self._density, left=0.0, right=0.0)


class AngleNetworks:
    """G independent perceptrons of one shape that predict w (G, n, 2) from u (G, n, 2) and noise angles.

    seeds: (G,), the first weights of each; equal seeds start equal.  width: of each of the three hidden layers.
    """

    def __init__(self, seeds: Sequence[int], width: int = 64):
        sizes = [2 + 2 * _FREQUENCIES, width, width, width, 2]
        self.weights: list[Tensor] = []
        self.biases: list[Tensor] = []
        drawn = {seed: _first_weights(seed, sizes) for seed in set(seeds)}
        for layer in range(len(sizes) - 1):
            self.weights.append(torch.stack([drawn[seed][layer] for seed in seeds]))
            self.biases.append(torch.zeros(len(seeds), 1, sizes[layer + 1]))

    @property
    def parameters(self) -> list[Tensor]:
        return [*self.weights, *self.biases]

    @property
    def size(self) -> int:
        """Numbers in one network."""
        return sum(part[0].numel() for part in self.parameters)

    def __call__(self, u: Tensor, theta: Tensor | float) -> Tensor:
        """Predicted w (G, n, 2) at u (G, n, 2) and angles (G, n), or one angle for all."""
        theta = torch.as_tensor(theta, dtype=u.dtype).expand(u.shape[:2])
        phases = theta[..., None] * torch.arange(2, 2 * _FREQUENCIES + 1, 2, dtype=u.dtype)
        hidden = torch.cat([u, phases.cos(), phases.sin()], -1)
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = torch.baddbmm(bias, hidden, weight)
            if layer < last:
                hidden = torch.nn.functional.silu(hidden)
        return hidden

    def only(self, which: Sequence[int] | slice) -> AngleNetworks:
        """Some of the networks, sharing their numbers."""
        part = object.__new__(AngleNetworks)
        part.weights, part.biases = [w[which] for w in self.weights], [b[which] for b in self.biases]
        return part


def _first_weights(seed: int, sizes: Sequence[int]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    pairs = zip(sizes[:-1], sizes[1:], strict=True)
    return [torch.randn(one, two, generator=generator) * math.sqrt(1 / one) for one, two in pairs]


@dataclass(frozen=True, eq=False)
class Progress:
    """update: how many are done.  losses: (G, k) mean squared error of w per dimension of the last k updates, each at
    the angles of its own path."""

    update: int
    losses: Tensor


def train(
    networks: AngleNetworks,
    laws: Sequence[Sequence[AngleLaw]],
    points: Tensor,
    updates: int,
    batch: int = 256,
    rate: float = 4e-3,
    seed: int = 0,
) -> Iterator[Progress]:
    """Flow matching by Adam, the rate falling to 0 as half a cosine; yields every few updates; changes ``networks``.

    laws: P rows of S laws; network p S + s learns by law (p, s) from ``points[s]``, (S, N, 2), centred and scaled. The
    P networks of one s meet the same points, noise and quantiles of the angle in every update.
    """
    rows, count = len(laws), len(points)
    generators = [torch.Generator().manual_seed(seed + 7919 * s + 1) for s in range(count)]
    parameters = [part.requires_grad_(True) for part in networks.parameters]
    adam = torch.optim.Adam(parameters, lr=rate, betas=(0.9, 0.99))
    done = 0
    try:
        while done < updates:
            size = min(_CHUNK, updates - done)
            y, noise, shares = (torch.stack(part, 1) for part in zip(*(
                _minibatches(points[s], size, batch, generators[s]) for s in range(count)
            ), strict=True))  # (size, S, batch, ..)
            angles = np.stack([
                np.stack([laws[p][s].quantile(shares[:, s].numpy()) for s in range(count)], 1) for p in range(rows)
            ], 1)  # fmt: skip
            theta = torch.from_numpy(angles).float().flatten(1, 2)  # (size, G, batch)
            losses = torch.empty(size, rows * count)
            for k in range(size):
                progress = (done + k) / updates
                adam.param_groups[0]["lr"] = rate * 0.5 * (1 + math.cos(math.pi * progress))
                sine, cosine = theta[k].sin()[..., None], theta[k].cos()[..., None]
                clean, eps = y[k].repeat(rows, 1, 1), noise[k].repeat(rows, 1, 1)
                error = networks(sine * clean + cosine * eps, theta[k]) - (cosine * clean - sine * eps)
                each = error.square().mean((1, 2))
                adam.zero_grad(set_to_none=True)
                each.sum().backward()  # the networks share nothing: each gets its own gradient
                adam.step()
                losses[k] = each.detach()
            done += size
            yield Progress(done, losses.T)
    finally:
        for part in parameters:
            part.requires_grad_(False)


def _minibatches(points: Tensor, size: int, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """(points, noise, shares) of ``size`` minibatches; the shares of one are spread evenly over (0, 1)."""
    which = torch.randint(len(points), (size, batch), generator=generator)
    noise = torch.randn(size, batch, 2, generator=generator)
    shares = (torch.arange(batch) + torch.rand(size, batch, generator=generator)) / batch
    return points[which].float(), noise, shares


def euler(field, path: SchedulePath, start: Tensor, steps: int) -> Tensor:
    """The sample x_1 (..., n, 2) from x_0 by ``steps`` equal Euler steps in the path's own time.

    field(u, theta): E[w | u], learnt or exact; the velocity is ((a a' + m m') u + (a' m - a m') w) / rho.
    """
    t = torch.arange(steps, dtype=torch.float64) / steps
    a, da, m, dm = (part.tolist() for part in path.schedule(t.clamp(SHORTEST, 1 - SHORTEST)))
    x = start
    for k in range(steps):
        rho = math.hypot(a[k], m[k])
        u = x / rho
        growing, turning = (a[k] * da[k] + m[k] * dm[k]) / rho, (da[k] * m[k] - a[k] * dm[k]) / rho
        x = x + (growing * u + turning * field(u, math.atan2(a[k], m[k]))) / steps
    return x
