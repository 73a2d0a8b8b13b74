"""A Gaussian mixture with full covariances: every guided law, marginal and moment in closed form."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .errors import InvalidValue
from .oracles import Answer, DiscretePosterior, Query


class GaussianMixture(DiscretePosterior):
    """sum_n w_n N(mu_n, Sigma_n): weights (N,), means (N, d), covariances (N, d, d) positive definite.

    Posteriors use the eigenvectors of each Sigma_n, so a new noise level costs no factorisation (docs/FORMULAS.md 1.3).
    Raises :class:`InvalidValue` for weights that are not positive or a covariance that is not positive definite.
    """

    def __init__(self, weights: Tensor, means: Tensor, covariances: Tensor, dtype: torch.dtype = torch.float64):
        means = torch.as_tensor(means, dtype=dtype)
        weights = torch.as_tensor(weights, dtype=dtype)
        covariances = torch.as_tensor(covariances, dtype=dtype)
        n, d = means.shape
        if weights.shape != (n,) or not bool((torch.isfinite(weights) & (weights > 0)).all()):
            raise InvalidValue(f"weights must be {n} positive numbers, not {weights.tolist()}.")
        if covariances.shape != (n, d, d) or not bool(torch.isfinite(covariances).all()):
            raise InvalidValue(f"covariances must have shape ({n}, {d}, {d}) and be finite.")
        self.cholesky, failed = torch.linalg.cholesky_ex(covariances)
        if bool((failed > 0).any()):
            raise InvalidValue(f"covariance {int(failed.argmax())} is not positive definite.")
        self.means, self.covariances = means, covariances
        self.log_prior = torch.log(weights / weights.sum())
        self.dimension, self.dtype, self.device = d, dtype, means.device
        self._variances, self._axes = torch.linalg.eigh(covariances)  # (N, d), (N, d, d)
        self._means_along = torch.einsum("nij,ni->nj", self._axes, means)

    def _posterior(self, u: Tensor, r: float, condition: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Log responsibilities (n, N), component means in eigen-axes (n, N, d) and variances (N, d)."""
        shrink = 1 / (1 + r * r * self._variances)
        along = torch.einsum("nij,bi->bnj", self._axes, u)
        evidence = -0.5 * ((along - r * self._means_along) ** 2 * shrink).sum(-1) + 0.5 * torch.log(shrink).sum(-1)
        logits = self.log_weights(condition) + evidence
        means = (self._means_along + r * self._variances * along) * shrink
        return torch.log_softmax(logits, dim=1), means, self._variances * shrink

    def _expanded(self, u: Tensor, r: float) -> tuple[Tensor, Tensor, Tensor]:
        """Log evidence (n, N) as one matrix product over the monomials of u, and the component means as the affine
        maps u -> shrunk + gain u, (N, d) and (N, d, d): what a prediction needs, for hundreds of components at once."""
        shrink = 1 / (1 + r * r * self._variances)
        precision = torch.einsum("nij,nj,nkj->nik", self._axes, shrink, self._axes)
        gain = r * torch.einsum("nij,nj,nkj->nik", self._axes, self._variances * shrink, self._axes)
        shrunk = torch.einsum("nij,nj->ni", precision, self.means)
        constant = 0.5 * torch.log(shrink).sum(1) - 0.5 * r * r * (shrunk * self.means).sum(1)
        square = (u[:, :, None] * u[:, None, :]).flatten(1)
        log_evidence = constant + u @ (r * shrunk).T - 0.5 * (square @ precision.flatten(1).T)
        return log_evidence, shrunk, gain

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        answers = []
        for query in queries:
            if query.m == 0.0 and query.a != 0.0:
                known = (query.x / query.a).expand(len(query.conditions), -1, -1)
                answers.append(Answer(known, None if query.cotangent is None else torch.zeros_like(query.x)))
                continue
            u, r = self.scaled(query)
            log_evidence, shrunk, gain = self._expanded(u, r)
            blocks = [torch.softmax(log_evidence + self.log_weights(c), dim=1) for c in query.conditions]
            predicted = torch.stack([_expected(weights, shrunk, gain, u) for weights in blocks])
            pullback = None
            if query.cotangent is not None:
                posterior = self._posterior(u, r, query.conditions[0])
                pullback = self._covariance_times(*posterior, predicted[0], query.cotangent(predicted))
            answers.append(Answer(predicted, pullback))
        return answers

    def _collapse(self, log_w: Tensor, means: Tensor) -> Tensor:
        return torch.einsum("bn,nij,bnj->bi", log_w.exp(), self._axes, means)

    def _covariance_times(self, log_w: Tensor, means: Tensor, var: Tensor, yhat: Tensor, v: Tensor) -> Tensor:
        """Cov(y | x) v, (n, d), by the law of total covariance."""
        w = log_w.exp()
        centres = torch.einsum("nij,bnj->bni", self._axes, means) - yhat[:, None, :]
        between = torch.einsum("bn,bni,bnk,bk->bi", w, centres, centres, v)
        return between + torch.einsum("bn,nij,nj,nkj,bk->bi", w, self._axes, var, self._axes, v)

    def posterior_variance(self, x: Tensor, a: float, m: float, condition: Tensor | None = None) -> Tensor:
        """tr Cov(y | x), (n,): its mean over x is the mmse of the diagnostics."""
        if m == 0.0 and a != 0.0:
            return torch.zeros(len(x), dtype=self.dtype)
        u, r = self.scaled(Query(x, a, m))
        log_w, means, var = self._posterior(u, r, condition)
        centres = torch.einsum("nij,bnj->bni", self._axes, means) - self._collapse(log_w, means)[:, None, :]
        return (log_w.exp() * ((centres**2).sum(-1) + var.sum(-1))).sum(-1)

    def log_posterior(self, x: Tensor, a: float, m: float) -> Tensor:
        u, r = self.scaled(Query(x, a, m))
        return torch.log_softmax(self._expanded(u, r)[0] + self.log_prior, dim=1)

    def component_probabilities(self, x: Tensor, a: float, m: float, condition: Tensor | None = None) -> Tensor:
        """p(component | x), (n, N)."""
        u, r = self.scaled(Query(x, a, m))
        return torch.softmax(self._expanded(u, r)[0] + self.log_weights(condition), dim=1)

    def mean(self, condition: Tensor | None = None) -> Tensor:
        return self.log_weights(condition).exp() @ self.means

    def covariance(self, condition: Tensor | None = None) -> Tensor:
        """Cov(y | c), (d, d)."""
        w = self.log_weights(condition).exp()
        centred = self.means - w @ self.means
        return torch.einsum("n,nij->ij", w, self.covariances) + torch.einsum("n,ni,nj->ij", w, centred, centred)

    def covariance_trace(self, condition: Tensor | None = None) -> float:
        return float(self.covariance(condition).trace())

    def sample(self, n: int, generator: torch.Generator, condition: Tensor | None = None) -> Tensor:
        which = torch.multinomial(self.log_weights(condition).exp(), n, replacement=True, generator=generator)
        eps = torch.randn(n, self.dimension, generator=generator, dtype=self.dtype)
        return self.means[which] + torch.einsum("nij,nj->ni", self.cholesky[which], eps)

    def marginal(self, a: float, m: float, g: Tensor | float = 0.0) -> GaussianMixture:
        """The law of a y + g + m eps, again a mixture."""
        eye = torch.eye(self.dimension, dtype=self.dtype)
        return GaussianMixture(
            self.log_prior.exp(), a * self.means + g, a * a * self.covariances + m * m * eye, self.dtype
        )

    def tilted(self, condition: Tensor) -> GaussianMixture:
        """The conditional law as a mixture of its own."""
        return GaussianMixture(self.log_weights(condition).exp(), self.means, self.covariances, self.dtype)

    def gaussian_view(self, mean: Tensor, precision: float) -> GaussianMixture:
        """p1(y) N(y; mean, I/precision) / Z: the exact law of the soft end (docs/FORMULAS.md 1.6)."""
        shrink = 1 / (1 + precision * self._variances)
        away = torch.einsum("nij,ni->nj", self._axes, mean - self.means)
        log_w = self.log_prior - 0.5 * precision * (away**2 * shrink).sum(-1) + 0.5 * torch.log(shrink).sum(-1)
        means = self.means + torch.einsum("nij,nj->ni", self._axes, precision * self._variances * shrink * away)
        covariances = torch.einsum("nij,nj,nkj->nik", self._axes, self._variances * shrink, self._axes)
        return GaussianMixture(torch.softmax(log_w, 0), means, covariances, self.dtype)

    def log_density(self, x: Tensor) -> Tensor:
        """log p(x), (n,)."""
        along = torch.einsum("nij,bni->bnj", self._axes, x[:, None, :] - self.means)
        each = -0.5 * (along**2 / self._variances + torch.log(2 * math.pi * self._variances)).sum(-1)
        return torch.logsumexp(each + self.log_prior, dim=1)

    def log_marginal(self, x: Tensor, a: float, m: float, condition: Tensor | None = None) -> Tensor:
        law = self if condition is None else self.tilted(condition)
        return law.marginal(a, m).log_density(x)


def two_modes() -> GaussianMixture:
    """The reference target of the papers' cases: weights .7/.3 at (3, +-1.2), standard deviation .3."""
    return GaussianMixture([0.7, 0.3], [[3.0, 1.2], [3.0, -1.2]], 0.09 * torch.eye(2).expand(2, 2, 2))


def _expected(weights: Tensor, shrunk: Tensor, gain: Tensor, u: Tensor) -> Tensor:
    """sum_n w_n (shrunk_n + gain_n u), (n, d)."""
    mean_gain = (weights @ gain.flatten(1)).reshape(-1, *gain.shape[1:])
    return weights @ shrunk + (mean_gain * u[:, None, :]).sum(2)
