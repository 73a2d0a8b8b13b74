"""Mixtures on a line, where quantiles give everything exactly: flow lines, speed in W2, and distances.

On a line the flow of any path keeps the order of its particles, so a flow line *is* a quantile line, and it is also the
optimal map between the laws at its ends. Levels are taken as normal scores z with u = Phi(z): both tails keep their
accuracy, and quantities of the form int f(u) du become int f(Phi(z)) phi(z) dz, whose integrand is analytic and decays,
so that the trapezoidal rule converges faster than any power of the spacing.
Source: Santambrogio, Optimal Transport for Applied Mathematicians, 2015, section 2.1; docs/FORMULAS.md 2 and 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from .errors import InvalidValue
from .mixtures import GaussianMixture
from .paths import PathPoints

_FARTHEST_SCORE = 8.0  # beyond it lie 1e-15 of the probability
_SPREADS = 9.0  # of a component's standard deviation that are integrated over
_NODES = 801
_LEVELS = 2001
_MOST_STEPS = 60
_SETTLED = 1e-13  # relative change of a quantile


class Row(NamedTuple):
    """A path at T times on a line: scales, shift, and their time derivatives, (T,) each; of a law alone da, dm and dg
    are zero. The sum is x_t = a y + g + m eps."""

    a: Tensor
    m: Tensor
    g: Tensor
    da: Tensor
    dm: Tensor
    dg: Tensor


Points = PathPoints | Row | Sequence[Tensor | float]
"""A path at T times; as a sequence (a, m, g) without derivatives: enough for laws, not for velocities."""


def rows_of(points: Points) -> Row:
    """The coefficients of ``points`` on a line, float64; a sequence (a, m, g) stands still.

    Raises :class:`InvalidValue` for a shift that has more than one coordinate.
    """
    if isinstance(points, Row):
        return points
    if isinstance(points, PathPoints):
        if points.g.shape[-1] != 1:
            raise InvalidValue(f"a path on a line has one coordinate, not {points.g.shape[-1]}.")
        parts = (points.a, points.m, points.g[:, 0], points.da, points.dm, points.dg[:, 0])
        return Row(*(part.double() for part in parts))
    a, m, g = torch.broadcast_tensors(*(torch.as_tensor(part, dtype=torch.float64).reshape(-1) for part in points))
    still = torch.zeros_like(a)
    return Row(a, m, g, still, still, still)


LAW = (1.0, 0.0, 0.0)
"""The mixture itself as ``points``."""


def line_mixture(weights: Sequence[float], means: Sequence[float], deviations: Sequence[float]) -> GaussianMixture:
    """A mixture on a line from weights, means and standard deviations, (N,) each."""
    means = torch.as_tensor(means, dtype=torch.float64)[:, None]
    variances = torch.as_tensor(deviations, dtype=torch.float64) ** 2
    return GaussianMixture(torch.as_tensor(weights, dtype=torch.float64), means, variances[:, None, None])


def normal_scores(count: int = 321, farthest: float = _FARTHEST_SCORE) -> tuple[Tensor, Tensor]:
    """Evenly spaced normal scores z (U,) and the weights (U,) with which they integrate over u = Phi(z) in (0, 1)."""
    z = torch.linspace(-farthest, farthest, count, dtype=torch.float64)
    weights = torch.exp(-0.5 * z**2)
    return z, weights / weights.sum()


class _Components(NamedTuple):
    """The marginal's components at T times: weights (N,), centres and standard deviations (T, N)."""

    weights: Tensor
    centres: Tensor
    deviations: Tensor

    def standardised(self, x: Tensor) -> Tensor:
        """(x - centre) / deviation for x (T, U), shape (T, U, N)."""
        return (x[:, :, None] - self.centres[:, None]) / self.deviations[:, None]

    def below(self, x: Tensor) -> Tensor:
        """P(x_t <= x), relatively accurate in the lower tail."""
        return torch.special.ndtr(self.standardised(x)) @ self.weights

    def density(self, x: Tensor) -> Tensor:
        scaled = self.weights / self.deviations / math.sqrt(2 * math.pi)
        return (torch.exp(-0.5 * self.standardised(x) ** 2) * scaled[:, None]).sum(2)


def _components(mixture: GaussianMixture, row: Row) -> _Components:
    if mixture.dimension != 1:
        raise InvalidValue(f"a mixture on a line has dimension 1, not {mixture.dimension}.")
    means, variances = mixture.means[:, 0], mixture.covariances[:, 0, 0]
    centres = row.a[:, None] * means + row.g[:, None]
    return _Components(
        mixture.log_prior.exp(), centres, torch.sqrt(row.a[:, None] ** 2 * variances + row.m[:, None] ** 2)
    )


def normal_quantiles(mixture: GaussianMixture, points: Points, z: Tensor) -> Tensor:
    """Q_t(Phi(z)) for normal scores z (U,), shape (T, U): where the flow carries the particle of score z.

    Newton's method on probit P(x_t <= x) = z, kept inside a bracket that shrinks at every step.
    """
    parts = _components(mixture, rows_of(points))
    each = parts.centres[:, None] + parts.deviations[:, None] * z[:, None]
    low, high = each.amin(2), each.amax(2)
    x = each @ parts.weights
    for _ in range(_MOST_STEPS):
        scaled = parts.standardised(x)
        tails = torch.special.ndtr(-scaled.abs())
        below = torch.where(scaled < 0, tails, 1 - tails) @ parts.weights
        above = torch.where(scaled < 0, 1 - tails, tails) @ parts.weights
        lower = below < above
        score = torch.special.ndtri(torch.where(lower, below, above))
        score = torch.where(lower, score, -score)
        low, high = torch.where(score < z, x, low), torch.where(score > z, x, high)
        density = (torch.exp(-0.5 * scaled**2) * (parts.weights / parts.deviations)[:, None]).sum(2)
        following = x - (score - z) * torch.exp(-0.5 * score**2) / density
        inside = (following >= low) & (following <= high)
        following = torch.where(inside, following, 0.5 * (low + high))
        change = (following - x).abs()
        x = following
        if bool((change <= _SETTLED * (1 + x.abs())).all()):
            break
    return x


def velocity(mixture: GaussianMixture, points: Points, x: Tensor) -> Tensor:
    """Probability-flow velocity E[a' y + g' + m' eps | x_t = x] at x (T, U), shape (T, U).

    Given its component n, y is Gaussian and the expectation is linear in x: a' mu_n + g' + (a a' s_n^2 + m m') /
    (a^2 s_n^2 + m^2) (x - a mu_n - g); no 0 * inf at either end as long as components have width or m > 0.
    """
    log_joint, level, slope = _pieces(mixture, points, x)
    shares = torch.softmax(log_joint, 2)
    return (shares * level[:, None]).sum(2) + (shares * slope[:, None]).sum(2) * x


class LinePredictor:
    """E[y | x = a y + m eps] of a mixture on a line, for many scales at once: states (S, U), scales (S, 1)."""

    def __init__(self, mixture: GaussianMixture):
        self._means, self._variances = mixture.means[:, 0], mixture.covariances[:, 0, 0]
        self._log_prior = mixture.log_prior

    def __call__(self, x: Tensor, a: Tensor, m: Tensor) -> Tensor:
        variance = a * a * self._variances + m * m
        away = x[:, :, None] - (a * self._means)[:, None]
        scale = (self._log_prior - 0.5 * torch.log(variance))[:, None]
        shares = torch.softmax(torch.addcmul(scale, away * away, (-0.5 / variance)[:, None]), 2)
        gain = a * self._variances / variance
        return (shares * torch.addcmul(self._means, away, gain[:, None])).sum(2)


def _pieces(mixture: GaussianMixture, points: Points, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """log(w_n p_n(x)) up to a constant (T, U, N), and the velocity of each component as level + slope x, (T, N)."""
    row = rows_of(points)
    parts = _components(mixture, row)
    means, variances = mixture.means[:, 0], mixture.covariances[:, 0, 0]
    slope = ((row.a * row.da)[:, None] * variances + (row.m * row.dm)[:, None]) / parts.deviations**2
    level = row.da[:, None] * means + row.dg[:, None] - slope * parts.centres
    log_weights = torch.log(parts.weights / parts.deviations)
    return log_weights[:, None] - 0.5 * parts.standardised(x) ** 2, level, slope


def _integration_grid(parts: _Components, nodes: int) -> Tensor:
    low = (parts.centres - _SPREADS * parts.deviations).amin(1)
    high = (parts.centres + _SPREADS * parts.deviations).amax(1)
    return low[:, None] + (high - low)[:, None] * torch.linspace(0, 1, nodes, dtype=torch.float64)


def speed_squared(mixture: GaussianMixture, points: Points, nodes: int = _NODES) -> Tensor:
    """v_2(t)^2 = int (d/dt Q_t)^2 du = E v_t^2, shape (T,): squared speed in W2. Trapezoidal rule over x, accurate to
    1e-10 while the narrowest component is wider than a hundredth of the law's extent."""
    x = _integration_grid(_components(mixture, rows_of(points)), nodes)
    log_joint, level, slope = _pieces(mixture, points, x)
    joint = torch.exp(log_joint)
    flux = (joint * level[:, None]).sum(2) + (joint * slope[:, None]).sum(2) * x
    density = joint.sum(2)
    return (flux**2 / density.clamp(min=1e-300)).sum(1) / density.sum(1)


def densities(mixture: GaussianMixture, points: Points, x: Tensor) -> Tensor:
    """p_t(x) at places x (X,), shape (T, X)."""
    row = rows_of(points)
    return _components(mixture, row).density(x.expand(len(row.a), -1))


def cumulative(mixture: GaussianMixture, points: Points, x: Tensor) -> Tensor:
    """P(x_t <= x) at places x (X,), shape (T, X)."""
    row = rows_of(points)
    return _components(mixture, row).below(x.expand(len(row.a), -1))


def wasserstein_2_squared(
    first: GaussianMixture, second: GaussianMixture, first_points: Points = LAW, second_points: Points = LAW
) -> Tensor:
    """W2^2 between the laws of the two mixtures at ``first_points`` and ``second_points``, shape (T,), by quadrature in
    normal scores: relative error 1e-9, or up to 1e-4 between modes so far apart that quantiles leap."""
    z, weights = normal_scores(_LEVELS)
    gap = normal_quantiles(first, first_points, z) - normal_quantiles(second, second_points, z)
    return gap**2 @ weights


def displacement(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    """Optimal transport between laws with quantiles ``start`` and ``end`` (U,) at the same levels: (1 - t) start + t
    end, shape (T, U) (McCann's interpolation). Its speed is constant and its action is W2^2."""
    return start + t[:, None] * (end - start)
