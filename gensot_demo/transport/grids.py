"""Where a sampler stops along a path: times uniform in t, or set by noise levels shared by every schedule."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from .paths import PathPoints, ProbabilityPath, SchedulePath

_EDGE = 1e-6  # schedules without a start of their own are evaluated on [1e-6, 1]


def uniform_times(path: ProbabilityPath, steps: int) -> PathPoints:
    """``steps`` equal intervals of [0, 1]; a path that does not start from a point begins at t = 1e-6."""
    t = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    if isinstance(path, SchedulePath):
        t[0] = _EDGE
    return path.at(t)


def noise_levels(steps: int, sigma_max: float, sigma_min: float, rho: float = 7.0) -> Tensor:
    """``steps`` levels falling from sigma_max to sigma_min, evenly in sigma^(1/rho)
    (Karras et al., arXiv 2206.00364, eq. 5); rho = inf is even in log sigma."""
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    if math.isinf(rho):
        return sigma_max * (sigma_min / sigma_max) ** ramp
    return (sigma_max ** (1 / rho) + ramp * (sigma_min ** (1 / rho) - sigma_max ** (1 / rho))) ** rho


def at_noise_levels(path: ProbabilityPath, sigmas: Tensor) -> PathPoints:
    """The path where its noise level is each of ``sigmas`` (S,), then its end t = 1: S intervals.

    log K is the nominal one, so that all schedules read the very same noise.
    """
    t = torch.cat([path.times_of_sigma(sigmas), torch.ones(1, dtype=torch.float64)])
    nominal = torch.cat([-2 * torch.log(sigmas), torch.full((1,), math.inf, dtype=torch.float64)])
    return replace(path.at(t), log_K=nominal)
