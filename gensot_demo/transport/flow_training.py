"""Small flows learnt from points by flow matching, many at once, along any scalar path.

Write (a, m) = rho (sin theta, cos theta), with the noise angle theta from 0 (noise) to pi/2 (data). Then
u = x / rho = sin(theta) y + cos(theta) eps has variance 1 on every path, and with w = cos(theta) y - sin(theta) eps
(the "v" of Salimans & Ho, arXiv 2202.00512) the conditional velocity is a' y + m' eps = (rho'/rho) x + rho theta' w. So
one network that predicts w from (u, theta) serves every path, du/dtheta = E[w | u] is the flow, and the loss of flow
matching (Lipman et al., arXiv 2210.02747), with t uniform, is

    E_t |v(x_t, t) - (a' y + m' eps)|^2 = int (a' m - a m') E|w_network(u, theta) - w|^2 dtheta.

A path decides only how much each noise angle counts in training, a' m - a m', and where the steps of a sampler fall.
That is 1 for CondOT and pi/2 for the cosine path: these two are one training problem.

What can be predicted of w has variance Gam(theta) = 1 - (1 - lambda) / cos^2 theta per coordinate
(:mod:`.data_separation`), so the network's output, of order 1, is multiplied by sqrt(Gam): a property of the data, the
same for every path. Without it, errors at theta near 0 would be multiplied by a' m - a m', which has no bound on a
kinetic-optimal path. For the same reason the data must be centred: Gam is 0 at theta = 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .data_separation import DataSeparation
from .errors import InvalidValue
from .paths import SchedulePath
from .perceptrons import FREQUENCIES, Perceptrons, with_phases

SHORTEST = 1e-3
"""Times are kept in [SHORTEST, 1 - SHORTEST]: a' of the kinetic-optimal path has no limit at 0, m' of VP none at 1."""

_TABLE, _NODES = 4000, 2049
_CHUNK = 25  # updates whose noise is drawn at once


class AngleLaw:
    """How noise angles are drawn in training on a path, with density q in proportion to (a' m - a m') sqrt(Gam).

    The loss at theta then has the weight 1 / sqrt(Gam). Its expectation is that of t drawn uniformly, up to a constant
    factor; the gradient of every sample has the same size, where uniform t lets weights grow without bound at the ends.
    Raises :class:`InvalidValue` for a path whose noise level does not fall strictly.

    scale: multiplies that expectation so that it is 1 for a network that predicts 0.
    """

    def __init__(self, path: SchedulePath, separation: DataSeparation):
        end = math.log((1 - SHORTEST) / SHORTEST)
        t = torch.sigmoid(torch.linspace(-end, end, _TABLE, dtype=torch.float64))
        a, da, m, dm = path.schedule(t)
        theta, turning = torch.atan2(a, m), da * m - a * dm
        if not bool((theta.diff() > 0).all()) or not bool((torch.isfinite(turning) & (turning > 0)).all()):
            raise InvalidValue(
                f"the noise level of the path {path.name or type(path).__name__} must fall at all times."
            )
        root = separation.rate(theta).sqrt()
        drawn, explained, weight = (_shares(theta, part) for part in (turning * root, turning * root**2, turning))
        self.scale = float(drawn.sum() / explained.sum())
        self._angles = theta.numpy()
        self._below = np.concatenate([[0.0], (drawn.cumsum(0) / drawn.sum()).numpy()])
        self._weight = (turning / weight.sum()).numpy()

    @property
    def range(self) -> tuple[float, float]:
        """The least and the greatest angle."""
        return float(self._angles[0]), float(self._angles[-1])

    def quantile(self, share: NDArray) -> NDArray:
        """Angles below which lie these shares of those drawn, any shape."""
        return np.interp(share, self._below, self._angles)

    def weight(self, angles: NDArray) -> NDArray:
        """a' m - a m' (K,) at angles (K,), scaled to integral 1 over the range: what errors there cost; NaN outside."""
        return np.interp(angles, self._angles, self._weight, left=np.nan, right=np.nan)


def _shares(theta: Tensor, density: Tensor) -> Tensor:
    return 0.5 * (density[1:] + density[:-1]) * theta.diff()


class AngleNetworks(Perceptrons):
    """G independent perceptrons of one shape that predict w (G, n, 2) from u (G, n, 2) and noise angles.

    seeds: (G,), the first weights of each; equal seeds start equal.  separations: (G,), of the data of each.
    width: of each of the three hidden layers.
    """

    def __init__(self, seeds: Sequence[int], separations: Sequence[DataSeparation], width: int = 64):
        super().__init__(seeds, 2 + 2 * FREQUENCIES, 2, width)
        grid = torch.linspace(0, math.pi / 2, _NODES, dtype=torch.float64)
        self._roots = torch.stack([one.rate(grid).sqrt().float() for one in separations])

    def __call__(self, u: Tensor, theta: Tensor | float) -> Tensor:
        """Predicted w (G, n, 2) at u (G, n, 2) and angles (G, n), or one angle for all."""
        return self.root(theta)[..., None] * self.output(u, theta)

    def root(self, theta: Tensor | float) -> Tensor:
        """sqrt(Gam) (G, n) or (G, 1)."""
        if not isinstance(theta, Tensor):
            theta = torch.full((len(self._roots), 1), theta)
        place = theta.clamp(0, math.pi / 2) * ((_NODES - 1) / (math.pi / 2))
        below = place.long().clamp(max=_NODES - 2)
        left, right = self._roots.gather(1, below), self._roots.gather(1, below + 1)
        return left + (place - below) * (right - left)

    def output(self, u: Tensor, theta: Tensor | float) -> Tensor:
        """w / sqrt(Gam)."""
        return self.through(with_phases(u, theta))

    def with_divergence(self, u: Tensor, theta: float) -> tuple[Tensor, Tensor]:
        """Predicted w (G, n, 2) and its divergence in u (G, n), exact: both derivatives go forward with the state."""
        hidden, last, rows = with_phases(u, theta), len(self.weights) - 1, u.shape[1]
        slopes = self.weights[0][:, :2].repeat_interleave(rows, 1)  # (G, 2 n, width): d/du_1, then d/du_2
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = torch.baddbmm(bias, hidden, weight)
            if layer:
                slopes = torch.bmm(slopes, weight)
            if layer < last:
                gate = torch.sigmoid(hidden)
                slopes = slopes * (gate * (1 + hidden * (1 - gate))).repeat(1, 2, 1)
                hidden = hidden * gate
        root = self.root(theta)
        return root[..., None] * hidden, root * (slopes[:, :rows, 0] + slopes[:, rows:, 1])

    def only(self, which: Sequence[int] | slice) -> AngleNetworks:
        part = super().only(which)
        part._roots = self._roots[which]
        return part


@dataclass(frozen=True, eq=False)
class Progress:
    """update: how many are done.  losses: (G, k) of the last k updates, each the loss of its own path less what no
    network can predict: 1 for one that predicts 0, and 0 for the best one, which knows the points by heart."""

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
    scales = torch.tensor([law.scale for row in laws for law in row])
    done = 0
    try:
        while done < updates:
            size = min(_CHUNK, updates - done)
            y, noise, shares = (
                torch.stack(part, 1)
                for part in zip(
                    *(_minibatches(points[s], size, batch, generators[s]) for s in range(count)), strict=True
                )
            )  # (size, S, batch, ..)
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
                target = cosine * clean - sine * eps
                output, root = networks.output(sine * clean + cosine * eps, theta[k]), networks.root(theta[k])
                # (|root output - w|^2 - |w|^2) / root
                each = (root[..., None] * output.square() - 2 * output * target).mean((1, 2))
                adam.zero_grad(set_to_none=True)
                each.sum().backward()  # the networks share nothing: each gets its own gradient
                adam.step()
                losses[k] = 1 + scales * each.detach()
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
