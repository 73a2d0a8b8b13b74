"""What is lost by starting from N(0, I) instead of the law p_T of noised data: the prior error, and its map.

The flow from T on carries p_T to N(0, I) exactly, so its cost is an upper bound of W2^2. It is nearly the optimal map:
its Jacobian is symmetric up to commutators of the data's moments, of size e^{-5T} (e^{-7T} where the second moments are
isotropic). Source: docs/FORMULAS.md 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from .flow_cells import checked_points, noise_level

_STEP = 0.08  # of log sigma
_FURTHER = 6.0  # in T: what is left of the way changes the map by e^{-12} of what it did
_NODES = 14  # along an axis, for N(0, I)
_TOTAL = 800  # nodes for p_T, over all points
_DEGREE = 9


def to_noise(points: Tensor, x: Tensor, time: float) -> tuple[Tensor, Tensor]:
    """Where the flow takes states x (k, 2) of time T as T grows without limit, (k, 2), with its Jacobian (k, 2, 2).

    In s = log(m/a): dx/ds = a^2 x - a E[y|x], dJ/ds = (a^2 - (a/m)^2 Cov(y|x)) J; Runge-Kutta of order 4.
    """
    points = checked_points(points)
    state = torch.cat([x.T, torch.eye(2, dtype=torch.float64).flatten()[:, None].expand(4, len(x))])
    for s, h in _steps(time):
        one = _rate(points, s, state)
        two = _rate(points, s + h / 2, state + h / 2 * one)
        three = _rate(points, s + h / 2, state + h / 2 * two)
        state = state + h / 6 * (one + 2 * two + 2 * three + _rate(points, s + h, state + h * three))
    return state[:2].T, state[2:].T.reshape(-1, 2, 2)


def _steps(time: float) -> list[tuple[float, float]]:
    s, last, found = math.log(noise_level(time)), math.log(noise_level(time + _FURTHER)), []
    while s < last:
        found.append((s, min(_STEP * max(1.0, math.exp(0.4 * s)), last - s)))
        s += found[-1][1]
    return found


def _rate(points: Tensor, s: float, state: Tensor) -> Tensor:
    a = 1 / math.sqrt(1 + math.exp(2 * s))
    r = math.exp(-s)
    m = a / r
    x, jacobian = state[:2], state[2:].view(2, 2, -1)
    evidence = r / m * (points @ x) - 0.5 * r * r * points.square().sum(1, keepdim=True)
    weights = torch.from_numpy(np.exp((evidence - evidence.amax(0)).numpy()))  # torch would wake its threads
    weights /= weights.sum(0)
    mean = points.T @ weights
    squares = torch.stack([points[:, 0] ** 2, points[:, 0] * points[:, 1], points[:, 1] ** 2]) @ weights
    xx, xy, yy = squares - torch.stack([mean[0] ** 2, mean[0] * mean[1], mean[1] ** 2])
    grow = -r * r * torch.stack([torch.stack([xx, xy]), torch.stack([xy, yy])])
    turned = a * a * jacobian + torch.einsum("ijk,jlk->ilk", grow, jacobian)
    return torch.cat([a * a * x - a * mean, turned.reshape(4, -1)])


@dataclass(frozen=True)
class PriorError:
    """At time T. highest: root mean square way of the flow from p_T to N(0, I), an upper bound of W2 between them.
    lowest: Gelbrich's bound by means and covariances.  turned: how far the flow's map is from the optimal one, root
    mean square, to leading order: the part of the way that is no gradient, sqrt(highest^2 - W2^2)."""

    highest: float
    lowest: float
    turned: float

    @property
    def value(self) -> float:
        """W2(p_T, N(0, I)), to the order to which ``turned`` is right."""
        return math.sqrt(max(self.highest**2 - self.turned**2, self.lowest**2))


def prior_error(points: Tensor, time: float) -> PriorError:
    """Of centred points (n, 2) at time T > 0; quadrature by Gauss-Hermite nodes."""
    points = checked_points(points)
    a = math.exp(-time)
    m = math.sqrt(-math.expm1(-2 * time))
    nodes, weights = _normal(max(4, min(_NODES, round(math.sqrt(_TOTAL / len(points))))))
    x = (a * points[:, None] + m * nodes).flatten(0, 1)
    way = (to_noise(points, x, time)[0] - x).square().sum(1).view(len(points), -1)
    spread = torch.linalg.eigvalsh(points.T @ points / len(points))
    lowest = (torch.sqrt(1 + a * a * (spread - 1)) - 1).square().sum()
    return PriorError(math.sqrt(float((way @ weights).mean())), math.sqrt(float(lowest)), _turned(points, time))


def _turned(points: Tensor, time: float) -> float:
    """Norm of the divergence-free part w of the flow's way u under N(0, I): w has the curl of u, and on curls of total
    Hermite degree k the inverse of the Hodge Laplacian is 1/(k + 2), so |w|^2 = sum_k |curl_k|^2 / (k + 2)."""
    nodes, weights = _normal(_NODES)
    jacobian = to_noise(points, nodes, time)[1]
    return norm_of_curl(jacobian[:, 1, 0] - jacobian[:, 0, 1], nodes, weights)


def norm_of_curl(curl: Tensor, nodes: Tensor, weights: Tensor) -> float:
    """|w| in L2(N(0, I)) of the field w in the plane that has this curl (k,) and no Gaussian divergence."""
    columns = [_hermite(nodes[:, axis]) for axis in (0, 1)]
    parts = torch.einsum("k,ki,kj->ij", weights * curl, *columns)
    degrees = torch.arange(_DEGREE)
    total = degrees[:, None] + degrees
    return math.sqrt(float((parts.square() / (total + 2))[total < _DEGREE].sum()))


def _hermite(x: Tensor) -> Tensor:
    """Normalised Hermite polynomials of degrees 0 to 8 at x (k,): (k, 9)."""
    found = [torch.ones_like(x), x]
    for k in range(1, _DEGREE - 1):
        found.append((x * found[k] - math.sqrt(k) * found[k - 1]) / math.sqrt(k + 1))
    return torch.stack(found, 1)


@cache
def _normal(count: int) -> tuple[Tensor, Tensor]:
    """Nodes (count^2, 2) and weights of a rule that is exact for N(0, I) up to degree 2 count - 1 along each axis."""
    x, w = np.polynomial.hermite_e.hermegauss(count)
    x, w = torch.from_numpy(x), torch.from_numpy(w / w.sum())
    return torch.cartesian_prod(x, x), (w[:, None] * w).flatten()
