"""Flow matching from one mixture to another with independent coupling: x_t = (1 - t) x_0 + t y, in closed form.

The velocity is E[y - x_0 | x_t] (Lipman et al., arXiv 2210.02747; Albergo & Vanden-Eijnden, arXiv 2209.15571); given
the pair of components it is linear in x_t, so it is a mixture's posterior over pairs.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .mixtures import GaussianMixture


class MixtureFlow:
    """The flow from ``source`` to ``target``; (N, M) components make N M pairs."""

    def __init__(self, source: GaussianMixture, target: GaussianMixture):
        self.source, self.target = source, target
        n, m = len(source.means), len(target.means)
        self.pairs = n * m
        self._from = torch.arange(n).repeat_interleave(m)
        self._to = torch.arange(m).repeat(n)
        self._log_prior = source.log_prior[self._from] + target.log_prior[self._to]

    def _pairs_at(self, t: float) -> tuple[Tensor, Tensor, Tensor]:
        """Means (P, d), covariances (P, d, d) of x_t and Cov(y - x_0, x_t) (P, d, d), for each pair."""
        spread0, spread1 = self.source.covariances[self._from], self.target.covariances[self._to]
        mean = (1 - t) * self.source.means[self._from] + t * self.target.means[self._to]
        return mean, (1 - t) ** 2 * spread0 + t**2 * spread1, t * spread1 - (1 - t) * spread0

    def velocity(self, x: Tensor, t: float) -> tuple[Tensor, Tensor]:
        """(v (n, d), probabilities of the target's components given x (n, M)) at time t in [0, 1]."""
        mean, covariance, cross = self._pairs_at(t)
        precision = torch.linalg.inv(covariance)
        slope = cross @ precision  # v = drift + slope (x - mean)
        drift = self.target.means[self._to] - self.source.means[self._from]
        level = drift - torch.einsum("pij,pj->pi", slope, mean)
        pull = torch.einsum("pij,pj->pi", precision, mean)
        constant = self._log_prior - 0.5 * (pull * mean).sum(1) + 0.5 * torch.logdet(precision)
        square = (x[:, :, None] * x[:, None, :]).flatten(1)
        log_w = torch.log_softmax(constant + x @ pull.T - 0.5 * square @ precision.flatten(1).T, 1)
        w = log_w.exp()
        mean_slope = (w @ slope.flatten(1)).reshape(-1, *slope.shape[1:])
        velocity = w @ level + torch.einsum("bij,bj->bi", mean_slope, x)
        return velocity, w.reshape(len(x), len(self.source.means), -1).sum(1)
