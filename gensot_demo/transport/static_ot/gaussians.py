"""From one Gaussian to another: the map of optimal transport against that of flow matching, both in closed form.

Sources: Gelbrich, Math. Nachr. 147 (1990), and Peyre & Cuturi, arXiv 1803.00567, remark 2.31 (the Bures map and its
cost); Peyre, arXiv 2512.06797 (the map of flow matching). In whitened coordinates z = S0^{-1/2} (x - m0) the path
x_t = a y + m x of independent ends has the covariance a^2 C + m^2 I with C = S0^{-1/2} S1 S0^{-1/2}: its velocity is
linear and commutes with itself at all times, so that z_t = (a^2 C + m^2 I)^{1/2} z_0 whatever the schedule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ..errors import InvalidValue
from ..paths import SchedulePath

_FLATTEST = 1e-6  # standard deviation, relative to the largest, below which a Gaussian counts as flat
_NODES = 64  # of the quadrature in time


@dataclass(frozen=True, eq=False)
class Gaussian:
    """mean (d,) and covariance (d, d), symmetric and positive semi-definite, float64; raises :class:`InvalidValue`."""

    mean: Tensor
    covariance: Tensor

    def __post_init__(self) -> None:
        mean, covariance = self.mean, self.covariance
        if mean.dim() != 1 or covariance.shape != (len(mean), len(mean)):
            raise InvalidValue(
                f"a Gaussian needs a mean (d,) and a covariance (d, d), not {tuple(mean.shape)} and "
                f"{tuple(covariance.shape)}."
            )
        if not bool(torch.isfinite(mean).all() and torch.isfinite(covariance).all()):
            raise InvalidValue("mean and covariance of a Gaussian must hold finite numbers.")
        size = float(covariance.abs().max())
        if float((covariance - covariance.T).abs().max()) > 1e-9 * size:
            raise InvalidValue("the covariance of a Gaussian must be symmetric.")
        least = float(torch.linalg.eigvalsh(covariance)[0])
        if least < -1e-9 * size:
            raise InvalidValue(f"the covariance of a Gaussian has the eigenvalue {least:g}; none may be negative.")

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draws (n, d)."""
        noise = torch.randn(n, len(self.mean), generator=generator, dtype=self.mean.dtype)
        return self.mean + noise @ root(self.covariance)


def ellipse(along: float, across: float, angle: float, x: float = 0.0, y: float = 0.0) -> Gaussian:
    """The planar Gaussian around (x, y) with standard deviations ``along`` and ``across`` the direction ``angle``,
    radians."""
    if not all(math.isfinite(value) for value in (along, across, angle, x, y)) or min(along, across) < 0:
        raise InvalidValue(f"an ellipse has finite axes from 0 on, not {along:g} and {across:g} at angle {angle:g}.")
    c, s = math.cos(angle), math.sin(angle)
    turn = torch.tensor([[c, -s], [s, c]], dtype=torch.float64)
    scaled = turn * torch.tensor([along, across], dtype=torch.float64)
    return Gaussian(torch.tensor([x, y], dtype=torch.float64), scaled @ scaled.T)


def root(matrix: Tensor, power: float = 0.5) -> Tensor:
    """A power of symmetric matrices (..., d, d), eigenvalues below 0 by rounding taken as 0."""
    values, vectors = torch.linalg.eigh(0.5 * (matrix + matrix.mT))
    return (vectors * values.clamp(min=0)[..., None, :] ** power) @ vectors.mT


@dataclass(frozen=True, eq=False)
class GaussianTransport:
    """Source and target of equal dimension; raises :class:`InvalidValue` for a flat source: no map spreads a line over
    an area. The target may be flat."""

    source: Gaussian
    target: Gaussian

    def __post_init__(self) -> None:
        if len(self.source.mean) != len(self.target.mean):
            raise InvalidValue("source and target need as many coordinates.")
        widths = torch.linalg.eigvalsh(self.source.covariance).clamp(min=0).sqrt()
        if float(widths[0]) <= _FLATTEST * float(widths[-1]):
            raise InvalidValue(
                f"the source is flat: its widths are {', '.join(f'{w:g}' for w in widths.tolist())}. No map spreads "
                "what has no width; the target may be flat."
            )

    @cached_property
    def half(self) -> Tensor:
        """S0^{1/2} (d, d)."""
        return root(self.source.covariance)

    @cached_property
    def _inverse(self) -> Tensor:
        return root(self.source.covariance, -0.5)

    @cached_property
    def whitened(self) -> Tensor:
        """C = S0^{-1/2} S1 S0^{-1/2} (d, d)."""
        return self._inverse @ self.target.covariance @ self._inverse

    @cached_property
    def optimal(self) -> Tensor:
        """The linear part (d, d) of the optimal map, S0^{-1/2} (S0^{1/2} S1 S0^{1/2})^{1/2} S0^{-1/2}: symmetric."""
        return self._inverse @ root(self.half @ self.target.covariance @ self.half) @ self._inverse

    @cached_property
    def flow(self) -> Tensor:
        """The linear part (d, d) of the map of flow matching with independent ends, S0^{1/2} C^{1/2} S0^{-1/2}: the
        same for every scalar schedule."""
        return self.half @ root(self.whitened) @ self._inverse

    @property
    def translation(self) -> float:
        """|m1 - m0|^2: what moving the mean costs, on either way."""
        return float((self.target.mean - self.source.mean).square().sum())

    def cost(self, linear: Tensor) -> float:
        """E |T x - x|^2 of the map with this linear part (d, d) and the target's mean."""
        moved = (linear - torch.eye(len(linear), dtype=linear.dtype)) @ self.half
        return float(moved.square().sum()) + self.translation

    @cached_property
    def squared_distance(self) -> float:
        """W2^2 = |m1 - m0|^2 + tr(S0 + S1 - 2 (S0^{1/2} S1 S0^{1/2})^{1/2}), the squared Bures distance."""
        inner = root(self.half @ self.target.covariance @ self.half)
        both = self.source.covariance + self.target.covariance
        return max(float(torch.trace(both - 2 * inner)), 0.0) + self.translation

    @property
    def commutator(self) -> float:
        """|S0 S1 - S1 S0| / (|S0| |S1|) with Frobenius norms: 0 iff both maps are equal, at most sqrt 2."""
        s0, s1 = self.source.covariance, self.target.covariance
        size = float(torch.linalg.norm(s0) * torch.linalg.norm(s1))
        return float(torch.linalg.norm(s0 @ s1 - s1 @ s0)) / size if size else 0.0

    @property
    def swirl(self) -> float:
        """Radians by which flow matching turns the whitened source before it does what optimal transport does: the
        angle of Q in T_FM S0^{1/2} = T_OT S0^{1/2} Q; in the plane, for a target that is not flat."""
        q = torch.linalg.lstsq(self.optimal @ self.half, self.flow @ self.half).solution
        return math.atan2(float(q[1, 0] - q[0, 1]), float(q[0, 0] + q[1, 1]))

    def carry(self, linear: Tensor, x: Tensor) -> Tensor:
        """Where points (n, d) of the source arrive by a map's linear part."""
        return (x - self.source.mean) @ linear.T + self.target.mean

    def straight(self, x: Tensor, times: Tensor) -> Tensor:
        """Points (n, d) on their straight lines to the optimal map's images, at times (T,): (T, n, d)."""
        return torch.lerp(x, self.carry(self.optimal, x), times[:, None, None])

    def flown(self, x: Tensor, path: SchedulePath, times: Tensor) -> Tensor:
        """Points (n, d) on the flow of flow matching along a schedule, at times (T,): (T, n, d)."""
        a, _, m, _ = path.schedule(times)
        values, vectors = torch.linalg.eigh(self.whitened)
        sizes = (a[:, None] ** 2 * values.clamp(min=0) + m[:, None] ** 2).sqrt()  # (T, d)
        z = (x - self.source.mean) @ self._inverse @ vectors
        means = a[:, None] * self.target.mean + m[:, None] * self.source.mean
        return means[:, None] + (sizes[:, None] * z) @ vectors.T @ self.half

    def velocity(self, x: Tensor, path: SchedulePath, t: float) -> Tensor:
        """The velocity (n, d) of flow matching at states (n, d), E[a' y + m' x_0 | x], at a time inside (0, 1)."""
        a, da, m, dm = (float(part) for part in path.schedule(torch.tensor([t], dtype=torch.float64)))
        s0, s1 = self.source.covariance, self.target.covariance
        centre = a * self.target.mean + m * self.source.mean
        gain = torch.linalg.solve(a * a * s1 + m * m * s0, a * da * s1 + m * dm * s0)  # its transpose: both symmetric
        return (x - centre) @ gain + da * self.target.mean + dm * self.source.mean

    def kinetic_energy(self, path: SchedulePath) -> float:
        """int E |v_t|^2 dt of flow matching along a schedule, by Gauss's quadrature in t; at least ``cost(flow)``."""
        nodes, weights = np.polynomial.legendre.leggauss(_NODES)
        # t = sin^2: schedules may have a slope without bound at either end
        angle = torch.from_numpy(nodes + 1) * math.pi / 4
        t, weight = angle.sin() ** 2, torch.from_numpy(weights) * math.pi / 4 * (2 * angle).sin()
        a, da, m, dm = path.schedule(t)
        values, vectors = torch.linalg.eigh(self.whitened)
        values = values.clamp(min=0)
        sizes = (a[:, None] ** 2 * values + m[:, None] ** 2).sqrt()
        rates = (a[:, None] * da[:, None] * values + m[:, None] * dm[:, None]) / sizes  # of each whitened axis
        weighed = (vectors.T @ self.source.covariance @ vectors).diagonal()
        shift = (da[:, None] * self.target.mean + dm[:, None] * self.source.mean).square().sum(1)
        return float((weight * ((rates**2 * weighed).sum(1) + shift)).sum())


def costs_when_turned(pair: GaussianTransport, angles: Tensor) -> tuple[Tensor, Tensor]:
    """(cost of flow matching, W2^2), (A,) each, when a planar target is turned about its mean by angles (A,), radians.

    E |T x - x|^2 = tr(S0 + S1 - 2 T S0) + |m1 - m0|^2, with T_FM S0 of the trace of S0 C^{1/2}.
    """
    c, s = angles.cos(), angles.sin()
    turn = torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], -2)
    s0, s1 = pair.source.covariance, turn @ pair.target.covariance @ turn.mT
    half, inverse = root(s0), root(s0, -0.5)
    flown = s0 @ root(inverse @ s1 @ inverse)
    fixed = float(torch.trace(s0) + torch.trace(pair.target.covariance))
    return tuple((fixed - 2 * _trace(part)).clamp(min=0) + pair.translation for part in (flown, root(half @ s1 @ half)))


def _trace(matrices: Tensor) -> Tensor:
    return matrices.diagonal(dim1=-2, dim2=-1).sum(-1)
