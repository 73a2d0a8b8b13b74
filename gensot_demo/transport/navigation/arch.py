"""A corridor over a single arch, tuned by gradient through the closed-form marginal: no simulation.

The loss is ours (the paper that optimises a corridor does not define its own):

    L = int_0^1 E d(x_t)^2 dt + price * mean(across) / 100,   d(x) = n(t).(x - c(t)),

c the arch's centre line, n(t) its unit normal; x_t of a matrix protocol whose guide is c + offset n and whose stiffness
is ``along`` along the arch and ``across`` (a piece each) across it. E d^2 = (n.(E x - c))^2 + n' Cov(x) n is exact.
The idea: Chertkov, arXiv 2605.02961 (LQ-GM-PID).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..mixtures import GaussianMixture
from .matrix import MatrixPath, MatrixProtocol, directed

SOFTEST, STIFFEST = 0.1, 900.0
"""Range of the stiffness across, whatever the search tries."""

_NODES = 6  # Gauss-Legendre in every piece: stiff ones have thin layers at their ends
_AT_ONCE = 3  # iterations between two reports
_ENOUGH = 1e-5  # relative decrease over one report at which the search ends


def arch_line(t: Tensor, end: Tensor, height: float) -> tuple[Tensor, Tensor]:
    """(centre, direction), (T, 2) each, of the arch t end + height sin(pi t) n from the origin to ``end`` (2,); n is
    the left normal of ``end``; the direction is a unit tangent."""
    normal = torch.stack([-end[1], end[0]]) / end.norm()
    centre = t[:, None] * end + height * torch.sin(torch.pi * t)[:, None] * normal
    tangent = end + height * torch.pi * torch.cos(torch.pi * t)[:, None] * normal
    return centre, tangent / tangent.norm(dim=1, keepdim=True)


def left_of(direction: Tensor) -> Tensor:
    """Unit normals (T, 2) to the left of unit directions (T, 2)."""
    return torch.stack([-direction[:, 1], direction[:, 0]], 1)


@dataclass(frozen=True, eq=False)
class ArchTask:
    """The corridor, where its particles end, and the price of a mean stiffness of 100 across."""

    target: GaussianMixture
    height: float
    along: float
    temperature: float
    drift: Tensor
    price: float
    pieces: int = 10

    def start(self, across: float) -> Tensor:
        """Parameters (2 pieces,): no offsets, and one stiffness everywhere."""
        share = (np.log(across) - np.log(SOFTEST)) / (np.log(STIFFEST) - np.log(SOFTEST))
        share = min(max(share, 1e-3), 1 - 1e-3)
        logit = float(np.log(share / (1 - share)))
        return torch.cat([torch.zeros(self.pieces), torch.full((self.pieces,), logit)]).double()

    def across(self, parameters: Tensor) -> Tensor:
        """Stiffness across of each piece, within its range for any parameters."""
        low, high = np.log(SOFTEST), np.log(STIFFEST)
        return torch.exp(low + (high - low) * torch.sigmoid(parameters[self.pieces :]))

    def offsets(self, parameters: Tensor) -> Tensor:
        """How far the guide lies to the left of the arch on each piece, data units."""
        return parameters[: self.pieces]

    def protocol(self, parameters: Tensor) -> MatrixProtocol:
        middle = (torch.arange(self.pieces, dtype=torch.float64) + 0.5) / self.pieces
        centre, direction = arch_line(middle, self.target.mean(), self.height)
        guide = centre + self.offsets(parameters)[:, None] * left_of(direction)
        return MatrixProtocol(
            directed(direction, self.along, self.across(parameters)), guide, torch.zeros(2, dtype=torch.float64),
            torch.full((self.pieces,), self.temperature, dtype=torch.float64), self.drift,
        )  # fmt: skip

    def parts(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """(int E d^2 dt, price of the stiffness), scalars, differentiable."""
        x, weight = map(torch.from_numpy, np.polynomial.legendre.leggauss(_NODES))
        first = torch.arange(self.pieces, dtype=torch.float64)[:, None]
        t = ((first + 0.5 + 0.5 * x) / self.pieces).flatten()
        weight = (0.5 * weight / self.pieces).repeat(self.pieces)
        mean, covariance = (
            MatrixPath(self.protocol(parameters)).at(t).moments(self.target.mean(), self.target.covariance())
        )
        centre, direction = arch_line(t, self.target.mean(), self.height)
        normal = left_of(direction)
        away = (normal * (mean - centre)).sum(1) ** 2 + (normal[:, None] @ covariance @ normal[..., None])[:, 0, 0]
        return weight @ away, self.price * self.across(parameters).mean() / 100

    def loss(self, parameters: Tensor) -> Tensor:
        distance, paid = self.parts(parameters)
        return distance + paid


@dataclass(frozen=True, eq=False)
class Tuned:
    """A moment of the search: its iterations, the parameters, the loss and its two parts."""

    iterations: int
    parameters: Tensor
    loss: float
    distance: float
    paid: float
    done: bool


def tune(task: ArchTask, parameters: Tensor, most: int = 60) -> Iterator[Tuned]:
    """Descend from ``parameters`` by L-BFGS with exact gradients; yields the start, then every third one, the last
    marked as done."""
    value = parameters.clone().requires_grad_()
    search = torch.optim.LBFGS([value], max_iter=_AT_ONCE, history_size=20, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        search.zero_grad()
        loss = task.loss(value)
        loss.backward()
        return loss

    before = _moment(task, 0, value, False)
    yield before
    for iterations in range(_AT_ONCE, most + 1, _AT_ONCE):
        with torch.enable_grad():
            search.step(closure)
        after = _moment(task, iterations, value, False)
        over = before.loss - after.loss < _ENOUGH * before.loss or iterations + _AT_ONCE > most
        before = _moment(task, iterations, value, True) if over else after
        yield before
        if over:
            return


def _moment(task: ArchTask, iterations: int, value: Tensor, done: bool) -> Tuned:
    with torch.no_grad():
        distance, paid = task.parts(value)
    return Tuned(iterations, value.detach().clone(), float(distance + paid), float(distance), float(paid), done)
