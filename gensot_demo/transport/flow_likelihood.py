"""The likelihood of a flow, by the instantaneous change of variables with the exact divergence.

Sources: Chen et al., arXiv 1806.07366, theorem 1; Song et al., arXiv 2011.13456, section 4.3 (there with an estimate of
the divergence). The flow is written in the noise angle, du/dtheta = w(u, theta), see :mod:`.flow_training`: a change of
path leaves it as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator

import torch
from torch import Tensor

from .mixtures import GaussianMixture

Field = Callable[[Tensor, float], Tensor]
"""field(u (..., n, d), theta): the velocity du/dtheta, of the same shape."""

Moving = Callable[[Tensor, float], tuple[Tensor, Tensor]]
"""As a field, with the divergence (..., n) of the velocity beside it."""

_NEAREST = 1e-3  # radians from either end at which the exact field is still asked: it is 0/0 there


def log_likelihood(moving: Moving, u: Tensor, steps: int = 48, end: float = math.pi / 2) -> Tensor:
    """log density at u (..., n, d) of N(0, I) carried from theta = 0 to ``end``: (..., n) nats; by Runge-Kutta steps
    of order 4, back from the end.
    """
    return _drained(likelihood_steps(moving, u, steps, end))


def likelihood_steps(
    moving: Moving, u: Tensor, steps: int = 48, end: float = math.pi / 2
) -> Generator[float, None, Tensor]:
    """:func:`log_likelihood` step by step: yields the share done, returns the log density."""
    h = -end / steps
    gathered = torch.zeros(u.shape[:-1], dtype=u.dtype)
    for k in range(steps):
        theta = end + k * h
        w1, d1 = moving(u, theta)
        w2, d2 = moving(u + 0.5 * h * w1, theta + 0.5 * h)
        w3, d3 = moving(u + 0.5 * h * w2, theta + 0.5 * h)
        w4, d4 = moving(u + h * w3, max(theta + h, 0.0))
        u = u + h / 6 * (w1 + 2 * w2 + 2 * w3 + w4)
        gathered = gathered + h / 6 * (d1 + 2 * d2 + 2 * d3 + d4)
        yield (k + 1) / steps
    return gathered - 0.5 * (u.square().sum(-1) + u.shape[-1] * math.log(2 * math.pi))


def _drained(steps: Generator[float, None, Tensor]) -> Tensor:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def with_divergence(field: Field) -> Moving:
    """The field and its divergence, exact, by one derivative in forward mode for each of the d directions."""

    def moving(u: Tensor, theta: float) -> tuple[Tensor, Tensor]:
        divergence = torch.zeros(u.shape[:-1], dtype=u.dtype)
        for axis in range(u.shape[-1]):
            along = torch.zeros_like(u)
            along[..., axis] = 1.0
            velocity, change = torch.func.jvp(lambda at: field(at, theta), (u,), (along,))
            divergence = divergence + change[..., axis]
        return velocity, divergence

    return moving


def exact_field(law: GaussianMixture) -> Field:
    """E[cos(theta) y - sin(theta) eps | u] = (E[y | u] - sin(theta) u) / cos(theta) of a mixture, in its own dtype."""

    def field(u: Tensor, theta: float) -> Tensor:
        theta = min(max(theta, _NEAREST), math.pi / 2 - _NEAREST)
        a, m = math.sin(theta), math.cos(theta)
        flat = u.reshape(-1, u.shape[-1]).to(law.dtype)
        return ((law.predict(flat, a, m) - a * flat) / m).reshape(u.shape).to(u.dtype)

    return field
