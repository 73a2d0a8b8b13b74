"""The flow of x_t = a y + c x_0 + g + m eps between two mixtures with independent coupling, in closed form.

With a = t, c = 1 - t this is flow matching (Lipman et al., arXiv 2210.02747; Albergo & Vanden-Eijnden, arXiv
2209.15571); with the coefficients of a harmonic path it is GenSOT from a spread-out start. The velocity is
E[d/dt x_t | x_t]: given the pair of components it is linear in x_t, so it is a mixture's posterior over pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .mixtures import GaussianMixture


@dataclass(frozen=True)
class Coefficients:
    """Scales of end (a), start (c) and noise (m) with their time derivatives, and the shift g with its own (d,)."""

    a: float
    da: float
    c: float
    dc: float
    m: float = 0.0
    dm: float = 0.0
    g: Tensor | float = 0.0
    dg: Tensor | float = 0.0


def straight(t: float) -> Coefficients:
    """x_t = t y + (1 - t) x_0."""
    return Coefficients(t, 1.0, 1 - t, -1.0)


class MixtureFlow:
    """The flow from ``source`` to ``target``; (N, M) components make N M pairs.

    coefficients: those of time t in [0, 1]; straight segments unless told.
    """

    def __init__(
        self,
        source: GaussianMixture,
        target: GaussianMixture,
        coefficients: Callable[[float], Coefficients] = straight,
    ):
        self.source, self.target, self.coefficients = source, target, coefficients
        n, m = len(source.means), len(target.means)
        self.pairs = n * m
        self._from = torch.arange(n).repeat_interleave(m)
        self._to = torch.arange(m).repeat(n)
        self._log_prior = source.log_prior[self._from] + target.log_prior[self._to]

    def velocity(self, x: Tensor, t: float) -> tuple[Tensor, Tensor]:
        """(v (n, d), probabilities of the target's components given x (n, M)) at time t, where Cov(x_t) is regular."""
        k = self.coefficients(t)
        mean0, spread0 = self.source.means[self._from], self.source.covariances[self._from]
        mean1, spread1 = self.target.means[self._to], self.target.covariances[self._to]
        unit = torch.eye(x.shape[1], dtype=x.dtype)
        mean = k.a * mean1 + k.c * mean0 + k.g
        precision = torch.linalg.inv(k.a**2 * spread1 + k.c**2 * spread0 + k.m**2 * unit)
        cross = k.a * k.da * spread1 + k.c * k.dc * spread0 + k.m * k.dm * unit  # Cov(d/dt x_t, x_t)
        slope = cross @ precision  # v = drift + slope (x - mean)
        level = k.da * mean1 + k.dc * mean0 + k.dg - torch.einsum("pij,pj->pi", slope, mean)
        pull = torch.einsum("pij,pj->pi", precision, mean)
        constant = self._log_prior - 0.5 * (pull * mean).sum(1) + 0.5 * torch.logdet(precision)
        square = (x[:, :, None] * x[:, None, :]).flatten(1)
        w = torch.softmax(constant + x @ pull.T - 0.5 * square @ precision.flatten(1).T, 1)
        mean_slope = (w @ slope.flatten(1)).reshape(-1, *slope.shape[1:])
        velocity = w @ level + (mean_slope * x[:, None, :]).sum(2)
        return velocity, w.reshape(len(x), len(self.source.means), -1).sum(1)
