"""Tokens of a transformer as particles: attention is their velocity.

x_i' = sum_j w_ij V x_j with w_ij = softmax_j(beta <Q x_i, K x_j>); with layer normalisation each token stays on the
sphere and only the tangential part (I - x x') of that moves it. Depth is time (Geshkovski, Letrouit, Polyanskiy and
Rigollet, arXiv 2312.10794; docs/FORMULAS.md 5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_NOTHING = 80.0


@dataclass(frozen=True, eq=False)
class Attention:
    """One head. looks: Q'K (d, d), as only this product of Q and K counts; values: V (d, d); beta: the inverse
    temperature, from 0 on; normalised: whether tokens stay on the unit sphere."""

    looks: Tensor
    values: Tensor
    beta: float = 1.0
    normalised: bool = False

    def scores(self, x: Tensor) -> Tensor:
        """(..., n, n) of tokens (..., n, d): how well the query of each fits the key of each, <Q x_i, K x_j>."""
        return (x @ self.looks.to(x)) @ x.mT

    def weights(self, x: Tensor) -> Tensor:
        """(..., n, n): how much each token looks at each; rows sum to one."""
        return torch.softmax(self._logits(x, -1), -1)

    def _logits(self, x: Tensor, over: int | tuple[int, int]) -> Tensor:
        """beta times the scores, none further than e^{-80} below the largest over these dimensions: what is smaller
        counts for nothing, and exponentials that small take a processor ten times as long."""
        query = x @ (self.beta * self.looks).to(x)
        logits = query @ x.mT
        if 2 * float(query.norm(dim=-1).amax() * x.norm(dim=-1).amax()) <= _NOTHING:  # none can be so small
            return logits
        return torch.maximum(logits, logits.amax(over, keepdim=True) - _NOTHING, out=logits)

    def soft_score(self, x: Tensor) -> Tensor:
        """(...) of tokens (..., n, d): (1/beta) log mean_ij e^{beta <Q x_i, K x_j>}, the mean score at beta = 0.

        An increasing function of the interaction energy (1/2 beta) mean_ij e^{beta <Q x_i, K x_j>}, without overflow.
        """
        if self.beta == 0:
            return self.scores(x).mean((-2, -1))
        total = torch.logsumexp(self._logits(x, (-2, -1)), (-2, -1))
        return (total - 2 * math.log(x.shape[-2])) / self.beta

    def velocity(self, x: Tensor) -> Tensor:
        """(..., n, d) of tokens (..., n, d), on the unit sphere where that is asked for."""
        v = self.weights(x) @ (x @ self.values.to(x).mT)
        return v - (x * v).sum(-1, keepdim=True) * x if self.normalised else v

    def placed(self, x: Tensor) -> Tensor:
        """The tokens, put back on the sphere where they have to be."""
        return x / x.norm(dim=-1, keepdim=True) if self.normalised else x

    def step(self, x: Tensor, v: Tensor, h: float) -> Tensor:
        """The tokens after a time h, from where their velocity is v: Heun's method, of second order."""
        ahead = self.placed(x + h * v)
        return self.placed(x + h / 2 * (v + self.velocity(ahead)))


def followed(
    start: Tensor, attention: Attention, times: Tensor, steps: int = 1, largest: float = math.inf
) -> tuple[Tensor, Tensor]:
    """Positions and velocities (F, ..., n, d) at these times, from ``start`` at the first of them.

    steps: of the integration, between two times.  Ends earlier, with fewer times, once a token is further than
    ``largest`` from the origin.
    """
    x = attention.placed(start)
    positions, velocities = [x], [attention.velocity(x)]
    for before, after in zip(times[:-1].tolist(), times[1:].tolist(), strict=True):
        for n in range(steps):
            x = attention.step(x, attention.velocity(x) if n else velocities[-1], (after - before) / steps)
        positions.append(x)
        velocities.append(attention.velocity(x))
        if float(x.norm(dim=-1).max()) > largest:
            break
    return torch.stack(positions), torch.stack(velocities)


def rises(attention: Attention) -> int | None:
    """1 if the interaction energy can only rise along the flow, -1 if it can only fall, 0 if it cannot change, as
    nothing moves or nothing is looked for, None if that is unknown.

    With V = c Q'K, symmetric, x_i' is c times its gradient at x_i over the positive sum that softmax divides by, so the
    energy rises for c > 0 and falls for c < 0, with and without the sphere (arXiv 2312.10794, sec. 3.4).
    """
    looks, values = attention.looks, attention.values
    if not float(looks.norm()) or not float(values.norm()):
        return 0
    if not torch.allclose(looks, looks.mT):
        return None
    share = float((looks * values).sum() / looks.square().sum())
    if not torch.allclose(values, share * looks, atol=1e-9):
        return None
    return 1 if share > 0 else -1
