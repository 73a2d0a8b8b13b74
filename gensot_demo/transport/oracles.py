"""The one interface behind which a Gaussian mixture, a picture collection and a network are the same thing.

An oracle answers ``E[y | x = a y + m eps]``. It is the only thing that a sampler or a guidance method may ask.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

Condition = Any  # what it means is the oracle's affair; None is "no condition"


@dataclass(frozen=True)
class Variant:
    """A condition to be answered worse than the model can: by a "weak" snapshot of it, or with its self-attention
    "perturbed"; for oracles that list the kind in ``variants``. As hashable as the condition in it."""

    kind: Literal["weak", "perturbed"]
    condition: Condition


@dataclass(frozen=True)
class Query:
    """One question about n states.

    x: (n, d), already shifted by -g.  a, m: scale and noise of the path; a = 0 asks for the mean.
    conditions: the predicted state is wanted under each of them (None: unconditional).
    cotangent: maps the predictions (C, n, d) to vectors (n, d); the answer then also holds Cov(y|x) v under the first
    condition, which is (m^2/a) (d yhat/dx)^T v: what gradient-based guidance needs. Costs one backward pass.
    """

    x: Tensor
    a: float
    m: float
    conditions: tuple[Condition, ...] = (None,)
    cotangent: Callable[[Tensor], Tensor] | None = None


@dataclass(frozen=True)
class Answer:
    """predicted: (C, n, d), one block per condition.  pullback: (n, d) or None."""

    predicted: Tensor
    pullback: Tensor | None = None


class Oracle(ABC):
    """Predicts terminal states. ``dimension`` is d; all tensors live on ``device`` in ``dtype``.

    variants: the kinds of :class:`Variant` that may be asked.
    """

    variants: Collection[str] = ()
    dimension: int
    dtype: torch.dtype
    device: torch.device

    @abstractmethod
    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """All queries in one forward."""

    def predict(self, x: Tensor, a: float, m: float, condition: Condition = None) -> Tensor:
        """E[y | x = a y + m eps] for x (n, d), shape (n, d)."""
        return self.answer([Query(x, a, m, (condition,))])[0].predicted[0]


class DiscretePosterior(Oracle):
    """What mixtures and atoms share: the posterior is a weighted sum over components, and a condition is a vector of
    log-likelihoods log p(c | component), shape (N,), that multiplies the prior weights."""

    log_prior: Tensor

    def log_weights(self, condition: Tensor | None = None) -> Tensor:
        """Normalised log-probabilities of the components under ``condition``, (N,)."""
        if condition is None:
            return self.log_prior
        return torch.log_softmax(self.log_prior + condition.to(self.log_prior), dim=0)

    @staticmethod
    def scaled(query: Query) -> tuple[Tensor, float]:
        """(u, r) = (x/m, a/m), finite for m > 0; at a = 0 the state carries no information. m = 0 < a is not for here:
        there the state is known."""
        if query.a == 0.0 or query.m == 0.0:
            return torch.zeros_like(query.x), 0.0
        return query.x / query.m, query.a / query.m

    @abstractmethod
    def log_posterior(self, x: Tensor, a: float, m: float) -> Tensor:
        """log p(component | x) at x (n, d), shape (n, N); differentiable."""

    def log_likelihoods(self, x: Tensor, a: float, m: float, conditions: Sequence[Tensor]) -> Tensor:
        """log p(c | x) of each condition at x (n, d), shape (M, n): the classifier that belongs to this oracle."""
        told = torch.stack(tuple(conditions)).to(self.log_prior)
        return torch.logsumexp(self.log_posterior(x, a, m) + told[:, None], dim=2)

    @abstractmethod
    def mean(self, condition: Tensor | None = None) -> Tensor:
        """E[y | c], (d,)."""

    @abstractmethod
    def covariance_trace(self, condition: Tensor | None = None) -> float:
        """tr Cov(y | c)."""

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator, condition: Tensor | None = None) -> Tensor:
        """n exact draws, (n, d)."""

    @abstractmethod
    def log_marginal(self, x: Tensor, a: float, m: float, condition: Tensor | None = None) -> Tensor:
        """Log density of x = a y + m eps at x (n, d), shape (n,); m > 0."""


def entropy_of(probabilities: Tensor) -> Tensor:
    """Entropy in nats of rows of probabilities (n, N) -> (n,)."""
    return torch.special.entr(probabilities).sum(-1)
