"""Weighted atoms: a point cloud or a picture collection as an exact oracle (the denoiser of its own training set)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import threshold

from .errors import InvalidValue
from .oracles import Answer, DiscretePosterior, Query


class WeightedAtoms(DiscretePosterior):
    """sum_i w_i delta(y - y_i): points (N, d), weights (N,) or None for uniform.

    E[y | x] = sum_i softmax_i(log w_i + r u.y_i - r^2 |y_i|^2 / 2) y_i with u = x/m, r = a/m (docs/FORMULAS.md 1.6).
    Queries of one call share two matrix products. Centre the points for accuracy in float32.
    """

    def __init__(
        self,
        points: Tensor,
        weights: Tensor | None = None,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ):
        points = torch.as_tensor(points)
        if points.dim() != 2 or not len(points) or not bool(torch.isfinite(points).all()):
            raise InvalidValue(f"points must be a non-empty (N, d) table of finite numbers, not {tuple(points.shape)}.")
        weights = torch.ones(len(points), dtype=torch.float64) if weights is None else torch.as_tensor(weights).double()
        if weights.shape != (len(points),) or not bool((torch.isfinite(weights) & (weights > 0)).all()):
            raise InvalidValue(f"weights must be {len(points)} positive numbers.")
        self.points = points.to(device=device, dtype=dtype)
        self.log_prior = torch.log(weights / weights.sum()).to(device=device, dtype=dtype)
        self.dimension, self.dtype, self.device = points.shape[1], dtype, torch.device(device)
        self._half_square = 0.5 * (points.double() ** 2).sum(1).to(device=device, dtype=dtype)

    def _log_posteriors(self, queries: Sequence[Query]) -> list[Tensor]:
        """Per query the normalised log posterior over atoms, (C, n, N)."""
        scaled = [self.scaled(query) for query in queries]
        overlaps = torch.cat([r * u for u, r in scaled]) @ self.points.T
        out, row = [], 0
        for query, (u, r) in zip(queries, scaled, strict=True):
            evidence = overlaps[row : row + len(u)] - r * r * self._half_square
            row += len(u)
            out.append(torch.stack([torch.log_softmax(evidence + self.log_weights(c), 1) for c in query.conditions]))
        return out

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        known = [query.m == 0.0 and query.a != 0.0 for query in queries]
        if any(known):
            asked = iter(self.answer([query for query, k in zip(queries, known, strict=True) if not k]))
            return [_at_the_end(query) if k else next(asked) for query, k in zip(queries, known, strict=True)]
        if not queries:
            return []
        silent = 0.01 * torch.finfo(self.dtype).eps / len(self.points)  # what the arithmetic cannot tell from 0
        weights = [threshold(lp.exp(), silent, 0.0) for lp in self._log_posteriors(queries)]  # and denormals are slow
        shapes = [w.shape[:2] for w in weights]
        rows = torch.cat([w.reshape(-1, len(self.points)) for w in weights])
        near, points = self._in_play(rows)
        blocks = torch.split(rows[:, near] @ points, [c * n for c, n in shapes])
        answers = []
        for query, w, block, shape in zip(queries, weights, blocks, shapes, strict=True):
            predicted = block.reshape(*shape, self.dimension)
            pullback = None
            if query.cotangent is not None:
                v = query.cotangent(predicted)
                along = w[0][:, near] * ((v @ points.T) - (v * predicted[0]).sum(1, keepdim=True))
                pullback = along @ points - along.sum(1, keepdim=True) * predicted[0]
            answers.append(Answer(predicted, pullback))
        return answers

    def _in_play(self, weights: Tensor) -> tuple[Tensor | slice, Tensor]:
        """Which atoms have a weight (n, N) in any row, and their points: at low noise few do, and the rest costs
        nothing."""
        heard = (weights > 0).any(0).nonzero()[:, 0]
        if len(heard) > len(self.points) // 2:
            return slice(None), self.points
        return heard, self.points[heard]

    def posterior(self, x: Tensor, a: float, m: float, condition: Tensor | None = None) -> Tensor:
        """p(atom | x), (n, N)."""
        return self._log_posteriors([Query(x, a, m, (condition,))])[0][0].exp()

    def log_posterior(self, x: Tensor, a: float, m: float) -> Tensor:
        return self._log_posteriors([Query(x, a, m)])[0][0]

    def nearest(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Index of and Euclidean distance to the nearest atom of each state, (n,) and (n,)."""
        x = x.to(self.points)
        index = (self._half_square - x @ self.points.T).argmin(1)
        return index, torch.linalg.vector_norm(x - self.points[index], dim=1)

    def neighbours(self, x: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Indices of and Euclidean distances to the ``count`` nearest atoms of each state (n, d), nearest first: both
        (n, min(count, N))."""
        x = x.to(self.points)
        index = (self._half_square - x @ self.points.T).topk(min(count, len(self.points)), largest=False).indices
        away = torch.linalg.vector_norm(x[:, None] - self.points[index], dim=2)
        away, order = away.sort(dim=1)
        return index.gather(1, order), away

    def spacing(self) -> Tensor:
        """Distance of each atom to its nearest other one (N,); inf for a single atom."""
        away = torch.cdist(self.points, self.points)
        return away.fill_diagonal_(torch.inf).amin(1)

    def mean(self, condition: Tensor | None = None) -> Tensor:
        return self.log_weights(condition).exp() @ self.points

    def covariance_trace(self, condition: Tensor | None = None) -> float:
        w = self.log_weights(condition).exp()
        return float(2 * (w @ self._half_square) - (w @ self.points).square().sum())

    def sample(self, n: int, generator: torch.Generator, condition: Tensor | None = None) -> Tensor:
        w = self.log_weights(condition).exp()
        return self.points[torch.multinomial(w.cpu(), n, replacement=True, generator=generator).to(self.device)]

    def gaussian_view(self, mean: Tensor, precision: float) -> WeightedAtoms:
        """p1(y) N(y; mean, I/precision) / Z: atoms reweighted."""
        away = ((self.points - mean.to(self.points)) ** 2).sum(1).double()
        log_w = self.log_prior.double() - 0.5 * precision * away
        return WeightedAtoms(self.points, torch.softmax(log_w, 0).clamp(min=1e-300), self.dtype, self.device)

    def log_marginal(self, x: Tensor, a: float, m: float, condition: Tensor | None = None) -> Tensor:
        square = torch.cdist(x.to(self.points), a * self.points) ** 2
        kernel = -0.5 * square / m**2 - 0.5 * self.dimension * math.log(2 * math.pi * m**2)
        return torch.logsumexp(kernel + self.log_weights(condition), dim=1)


def _at_the_end(query: Query) -> Answer:
    """Without noise the state itself is the answer."""
    predicted = (query.x / query.a).expand(len(query.conditions), -1, -1)
    return Answer(predicted, None if query.cotangent is None else torch.zeros_like(query.x))
