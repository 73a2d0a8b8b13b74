"""The cheapest Gaussian path to given data, in closed form, and what any path costs.

Energies are per dimension for data centred and scaled to (1/d) E|y|^2 = 1. In polar form (a, m) = rho (sin th, cos th)
the speed of every path is ``(1/d) E|v|^2 = rho'^2 + rho^2 th'^2 Gam(th)``, Gam = 1 - (1 - lambda(tan th)) / cos^2 th:
with phi' = sqrt(Gam) th' this is the flat plane, so the cheapest path is a straight line in (rho, phi).
Source: Shaul, Chen, Nickel, Le, Lipman, arXiv 2306.06626 (kinetic optimal paths); closed form: docs/FORMULAS.md 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .data_separation import DataSeparation
from .errors import InvalidValue
from .paths import ProbabilityPath, SchedulePath

CUT_OFF = 1e-5  # of time, left out at an end where the energy diverges logarithmically (VP at the data, GenSOT at both)
_NEAR, _NEARER = 1e-7, 1e-9  # where an end is tested for that
_DIVERGES = 1e-6  # speed^2 times the time left: tends to 0 at an end of finite energy
_FINE = 48  # places of the inverse between two levels
_FLATTEST = 1e-3  # of Phi: below, the data are Gaussian within the arithmetic, and every direction costs nothing
_PANELS, _NODES = 24, 12  # quadrature in time: even panels besides those of the data's levels; nodes of each
_GRADED = torch.tensor([10.0**-k for k in range(2, 9)], dtype=torch.float64)  # edges of panels towards both ends
_ODE = (0.001, 0.98)  # times between which the paper's equation is solved: its slope is infinite at 0


class KineticOptimalPath(SchedulePath):
    """The path of least kinetic energy for one data set, with its speed constant in time.

    ``phi(th) = int_0^th sqrt(Gam)``, Phi = phi(pi/2), c = 2 (1 - cos Phi); rho^2 = 1 - c t + c t^2 and
    phi_t = atan2(t sin Phi, 1 - t + t cos Phi), th_t = phi^{-1}(phi_t). a'(0) is infinite: Gam(0) = 0.
    Raises :class:`InvalidValue` for Gaussian data, where Gam = 0 throughout and the energy is 0 on many paths.

    energy: c, the kinetic energy per dimension.  angle: Phi, pi/2 where lambda = 1 (then this is CondOT).
    """

    name = "Kinetic optimal"

    def __init__(self, separation: DataSeparation):
        self.separation = separation
        self._root = separation.root_rate
        self._phi = self._root.antiderivative()
        self.angle = float(self._phi(math.pi / 2))
        if self.angle < _FLATTEST:
            raise InvalidValue(
                "the data are Gaussian with equal variance in every direction: noise becomes data at no cost, every "
                "angle of the path is free, and there is no single cheapest path."
            )
        self.energy = 2 * (1 - math.cos(self.angle))
        fine = np.linspace(0, 1, _FINE + 1)[:-1]
        knots = self._root.x
        self._theta = np.append((knots[:-1, None] + np.diff(knots)[:, None] * fine).ravel(), knots[-1])
        self._table = np.maximum.accumulate(self._phi(self._theta))

    def phi(self, theta: Tensor) -> Tensor:
        """int_0^theta sqrt(Gam) at angles (T,) in [0, pi/2]."""
        return torch.from_numpy(self._phi(theta.numpy()))

    def angles(self, t: Tensor) -> Tensor:
        """th (T,) at times t (T,): a = rho sin th, m = rho cos th."""
        target = torch.atan2(t * math.sin(self.angle), 1 - t + t * math.cos(self.angle)).numpy()
        above = np.clip(np.searchsorted(self._table, target), 1, len(self._table) - 1)
        low, high = self._theta[above - 1], self._theta[above]
        width = np.maximum(self._table[above] - self._table[above - 1], 1e-300)
        theta = low + (high - low) * np.clip((target - self._table[above - 1]) / width, 0, 1)
        for _ in range(4):
            step = (self._phi(theta) - target) / np.maximum(self._root(theta), 1e-12)
            theta = np.clip(theta - step, low, high)
        return torch.from_numpy(theta)

    def schedule(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        theta = self.angles(t)
        square = 1 - self.energy * t * (1 - t)
        rho = square.sqrt()
        drho = self.energy * (t - 0.5) / rho
        turn = math.sin(self.angle) / square / torch.from_numpy(self._root(theta.numpy())).clamp(min=1e-12)
        sine, cosine = torch.sin(theta), torch.where(t < 1, torch.sin(math.pi / 2 - theta), 0.0)
        return rho * sine, drho * sine + rho * turn * cosine, rho * cosine, drho * cosine - rho * turn * sine

    def times_of_sigma(self, sigma: Tensor) -> Tensor:
        """In closed form: the line is cut by the ray of angle phi at t = sin phi / (sin phi + sin(Phi - phi))."""
        phi = self.phi(torch.atan2(torch.ones_like(sigma), sigma).double())
        ahead = torch.sin(phi)
        return ahead / (ahead + torch.sin(self.angle - phi))

    def ode_disagreement(self) -> float:
        """Largest difference in th, in radians, between the closed form and the paper's boundary-value equation
        th' = sqrt((c - c^2/4) / Gam) / (1 - c t + c t^2), solved from t = .001 to .98. Tens of milliseconds."""
        from scipy.integrate import solve_ivp

        c, root = self.energy, self._root
        scale = math.sqrt(c - c * c / 4)

        def slope(t: float, theta: NDArray) -> NDArray:
            return scale / np.maximum(root(np.clip(theta, 0, math.pi / 2)), 1e-9) / (1 - c * t + c * t * t)

        t = np.linspace(*_ODE, 60)
        exact = self.angles(torch.from_numpy(t)).numpy()
        solved = solve_ivp(slope, _ODE, exact[:1], "LSODA", t, rtol=1e-9, atol=1e-11)
        return float(np.abs(solved.y[0] - exact).max()) if solved.success else math.inf


def speed_squared(path: ProbabilityPath, separation: DataSeparation, t: Tensor) -> Tensor:
    """(1/d) E|v_t|^2 (T,) at times (T,) in (0, 1), for data in units in which they have variance 1 per coordinate.

    a'^2 + m'^2 - (a' - a m'/m)^2 (1 - lambda(a/m)), written without its cancellations; plus |g'|^2 / d for a path
    with a shift g. docs/FORMULAS.md 2.
    """
    parts = _speed_parts(path, t, separation.dimension)
    return parts.constant + parts.turning * separation.rate(parts.theta)


class _SpeedParts(NamedTuple):
    """Speed squared = constant + turning Gam(theta), each (T,)."""

    constant: Tensor
    turning: Tensor
    theta: Tensor


def _speed_parts(path: ProbabilityPath, t: Tensor, dimension: int) -> _SpeedParts:
    p = path.at(t)
    square = p.a**2 + p.m**2
    radial, turning = p.a * p.da + p.m * p.dm, p.da * p.m - p.a * p.dm
    shift = p.dg.square().sum(1) / dimension
    return _SpeedParts(radial**2 / square + shift, turning**2 / square, torch.atan2(p.a, p.m))


def energy_interval(path: ProbabilityPath, separation: DataSeparation) -> tuple[float, float]:
    """The times over which the energy of a path is finite: (0, 1), less 1e-5 at an end where it diverges."""
    ends = torch.tensor([_NEAR, _NEARER, 1 - _NEARER, 1 - _NEAR], dtype=torch.float64)
    far_first, first, last, far_last = speed_squared(path, separation, ends).tolist()
    # a fast end is not an infinite one: VE starts at speed 560, and slows down evenly from there
    pairs = ((first, far_first), (last, far_last))
    first, last = (near * _NEARER > max(_DIVERGES, 0.1 * far * _NEAR) for near, far in pairs)
    return (CUT_OFF if first else 0.0), (1 - CUT_OFF if last else 1.0)


def kinetic_energy(path: ProbabilityPath, separation: DataSeparation) -> float:
    """int (1/d) E|v_t|^2 dt over :func:`energy_interval`; the relative error of the quadrature is below 1e-4.

    Equal to E_c - int (a' - a m'/m)^2 (1 - lambda) dt where both terms are finite: 2 - int (1 - lambda) dr for CondOT,
    c for the kinetic-optimal path. VP has a finite value for a density only; for points it grows as log(1 / cut-off).
    """
    if isinstance(path, KineticOptimalPath) and path.separation is separation:
        return path.energy
    return _rule(path, separation)(separation)


def energy_with_error(path: ProbabilityPath, separation: DataSeparation) -> tuple[float, float]:
    """The kinetic energy and its standard error, which is 0 where the separation is exact."""
    if isinstance(path, KineticOptimalPath) and path.separation is separation:
        return path.energy, separation.error_of(lambda one: KineticOptimalPath(one).energy)
    rule = _rule(path, separation)
    return rule(separation), separation.error_of(rule)


def _rule(path: ProbabilityPath, separation: DataSeparation) -> Callable[[DataSeparation], float]:
    """Quadrature in time for one path, as a function of lambda: the path is asked only once."""
    low, high = energy_interval(path, separation)
    levels = path.times_of_sigma(1 / torch.tan(separation.angles))
    even = torch.linspace(low, high, _PANELS + 1, dtype=torch.float64)
    edges = torch.cat([even, levels, _GRADED, 1 - _GRADED, path.corners])
    t, weight = _gauss(torch.unique(edges[(edges >= low) & (edges <= high)]))
    parts = _speed_parts(path, t, separation.dimension)
    constant, turning, theta = float(weight @ parts.constant), weight * parts.turning, parts.theta
    return lambda one: constant + float(turning @ one.rate(theta))


def conditional_energy(path: ProbabilityPath) -> float:
    """E_c = int (a'^2 + m'^2) dt, the energy of the paths to single points; inf where it diverges (VP)."""
    ends = path.at(torch.tensor([_NEARER, 1 - _NEARER], dtype=torch.float64))
    if bool(((ends.da**2 + ends.dm**2) * _NEARER > _DIVERGES).any()):
        return math.inf
    even = torch.linspace(0, 1, 8 * _PANELS + 1, dtype=torch.float64)
    t, weight = _gauss(torch.unique(torch.cat([even, _GRADED, 1 - _GRADED, path.corners])))
    p = path.at(t)
    return float(weight @ (p.da**2 + p.dm**2))


def _gauss(edges: Tensor) -> tuple[Tensor, Tensor]:
    """Gauss-Legendre times and weights of the panels between ``edges`` (P + 1,)."""
    nodes, weights = (torch.from_numpy(part) for part in np.polynomial.legendre.leggauss(_NODES))
    half = 0.5 * edges.diff()[:, None]
    return (edges[:-1, None] + half * (1 + nodes)).reshape(-1), (half * weights).reshape(-1)
