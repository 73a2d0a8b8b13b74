"""Gaussian probability paths x_t = a y + g + m eps, with values and derivatives together.

A path is evaluated at many times at once (:meth:`ProbabilityPath.at`); samplers then walk over the rows.
Sources: Shaul et al., arXiv 2306.06626 (kinetic-optimal paths); Lipman et al., arXiv 2210.02747 (flow matching).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from .errors import InvalidValue

_LOGIT_LIMIT = 60.0  # 1 - t is resolved to 1e-16 only, but t itself to 1e-26: enough for every noise level in use
_BISECTIONS = 60


@dataclass(frozen=True)
class PathPoint:
    """A path at one time. Scalars are floats; ``g``, ``dg``, ``push`` have shape (d,) or (1,).

    ``x_t = a y + g + m eps``; ``da, dg, dm`` are time derivatives; ``log_K = 2 log(a / m)``.
    The stochastic dynamics with these marginals, the time reversal of the noising process, is
    ``dx = (-relaxation x + pull E[y|x] + push) dt + sqrt(diffusivity) dW``.
    """

    t: float
    a: float
    da: float
    m: float
    dm: float
    log_K: float
    relaxation: float
    pull: float
    diffusivity: float
    g: Tensor
    dg: Tensor
    push: Tensor

    @property
    def sigma(self) -> float:
        """Noise level m / a of z = (x - g) / a; inf at the start of a path from a point."""
        return math.inf if self.log_K == -math.inf else math.exp(-0.5 * self.log_K)


@dataclass(frozen=True)
class PathPoints:
    """A path at T times: the columns of :class:`PathPoint`, shapes (T,) and (T, d) or (T, 1)."""

    t: Tensor
    a: Tensor
    da: Tensor
    m: Tensor
    dm: Tensor
    log_K: Tensor
    relaxation: Tensor
    pull: Tensor
    diffusivity: Tensor
    g: Tensor
    dg: Tensor
    push: Tensor

    def __len__(self) -> int:
        return len(self.t)

    @property
    def sigma(self) -> Tensor:
        """Noise levels, shape (T,)."""
        return torch.exp(-0.5 * self.log_K)

    def point(self, index: int) -> PathPoint:
        """Row ``index`` with floats for scalars."""
        row = {f.name: getattr(self, f.name)[index] for f in fields(self)}
        return PathPoint(**{k: v if k in ("g", "dg", "push") else float(v) for k, v in row.items()})

    def to(self, device: torch.device | str, dtype: torch.dtype) -> PathPoints:
        """The same table with its shifts on ``device`` in ``dtype``; scalars stay float64 on the CPU."""
        return replace(self, **{k: getattr(self, k).to(device=device, dtype=dtype) for k in ("g", "dg", "push")})

    def velocity(self, index: int, x: Tensor, predicted: Tensor) -> Tensor:
        """Probability-flow velocity a' yhat + g' + (m'/m)(x - a yhat - g) at row ``index`` (n, d).

        Defined where m > 0. Source: Lipman et al. 2210.02747, eq. 15, for a shifted path.
        """
        p = self.point(index)
        return p.da * predicted + p.dg + (p.dm / p.m) * (x - p.a * predicted - p.g)


class ProbabilityPath(ABC):
    """A map from time in [0, 1] to :class:`PathPoints`; sigma = m / a falls strictly with time."""

    name: str = ""

    @property
    def corners(self) -> Tensor:
        """Times (C,) at which a derivative of the path jumps: where a quadrature should begin anew."""
        return torch.empty(0, dtype=torch.float64)

    @abstractmethod
    def at(self, t: Tensor | float) -> PathPoints:
        """The path at times ``t``, a scalar or shape (T,), each in [0, 1]."""

    def log_information(self, t: Tensor) -> Tensor:
        """log K (T,) at times ``t`` (T,) in [0, 1]: that column of :meth:`at` alone."""
        return self.at(t).log_K

    def times_of_sigma(self, sigma: Tensor) -> Tensor:
        """Times at which the noise level is ``sigma`` (S,), by bisection in logit t; clipped to the path's range."""
        target = -2.0 * torch.log(torch.as_tensor(sigma, dtype=torch.float64))
        low, high = torch.full_like(target, -_LOGIT_LIMIT), torch.full_like(target, _LOGIT_LIMIT)
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            below = self.log_information(torch.sigmoid(middle)) < target
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return torch.sigmoid(0.5 * (low + high))


def time_tensor(t: Tensor | float, dtype: torch.dtype = torch.float64) -> Tensor:
    """Times as a 1-D tensor in [0, 1]; raises :class:`InvalidValue` otherwise."""
    times = torch.as_tensor(t, dtype=dtype).reshape(-1)
    if not bool(((times >= 0) & (times <= 1)).all()):
        raise InvalidValue(f"time must lie in [0, 1]; got values from {times.min():g} to {times.max():g}.")
    return times


class SchedulePath(ProbabilityPath):
    """A path without shift (g = 0) given by its two schedules; subclasses return (a, a', m, m')."""

    @abstractmethod
    def schedule(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(a, a', m, m') at times t, each of shape (T,)."""

    def log_information(self, t: Tensor) -> Tensor:
        a, _, m, _ = self.schedule(t)
        return _log_snr(a, m)

    def at(self, t: Tensor | float) -> PathPoints:
        times = time_tensor(t)
        a, da, m, dm = self.schedule(times)
        # at the two ends the drift has no finite value: relaxation is -+inf there
        decay = torch.where(m > 0, dm / m, -torch.inf)
        relaxation = da / a - 2 * decay
        zero = torch.zeros(len(times), 1, dtype=times.dtype)
        return PathPoints(
            t=times, a=a, da=da, m=m, dm=dm, log_K=_log_snr(a, m), relaxation=relaxation,
            pull=2 * (da - a * decay), diffusivity=2 * m * (da * m / a - dm), g=zero, dg=zero, push=zero,
        )  # fmt: skip


def _log_snr(a: Tensor, m: Tensor) -> Tensor:
    return 2 * (torch.log(a) - torch.log(m))


class CosinePath(SchedulePath):
    """a = sin(pi t / 2), m = cos(pi t / 2); also called the trigonometric path."""

    name = "Cosine"

    def schedule(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        half_pi = math.pi / 2
        a, m = torch.sin(half_pi * t), torch.sin(half_pi * (1 - t))
        return a, half_pi * m, m, -half_pi * a


class CondOTPath(SchedulePath):
    """a = t, m = 1 - t: straight conditional paths (Lipman et al., arXiv 2210.02747)."""

    name = "CondOT"

    def schedule(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        one = torch.ones_like(t)
        return t, one, 1 - t, -one


class VPLinearPath(SchedulePath):
    """Variance preserving with linear noise rate: a = xi(1 - t), m = sqrt(1 - a^2),
    xi(s) = exp(-s^2 (beta_max - beta_min) / 4 - s beta_min / 2) (Song et al., arXiv 2011.13456)."""

    name = "VP-linear"

    def __init__(self, beta_min: float = 0.1, beta_max: float = 20.0):
        self.beta_min, self.beta_max = beta_min, beta_max

    def schedule(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        s = 1 - t
        log_a = -0.25 * s**2 * (self.beta_max - self.beta_min) - 0.5 * s * self.beta_min
        rate = 0.5 * s * (self.beta_max - self.beta_min) + 0.5 * self.beta_min  # d log a / dt
        a, m = torch.exp(log_a), torch.sqrt(-torch.expm1(2 * log_a))
        return a, rate * a, m, -rate * a**2 / m


class VEPath(SchedulePath):
    """Variance exploding: a = 1, m = sigma falling from ``sigma_max`` to 0 as
    m = sigma_max (1 - t)^rho (Karras et al., arXiv 2206.00364, eq. 5 with sigma_min = 0)."""

    name = "VE"

    def __init__(self, sigma_max: float = 80.0, rho: float = 7.0):
        self.sigma_max, self.rho = sigma_max, rho

    def schedule(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        one = torch.ones_like(t)
        m = self.sigma_max * (1 - t) ** self.rho
        return one, 0 * one, m, -self.rho * self.sigma_max * (1 - t) ** (self.rho - 1)
