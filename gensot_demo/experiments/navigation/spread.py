"""What a target is worth once for all protocols: entropy and mean posterior variance at every noise level.

The posterior variance depends on the protocol only through K(t) = 1/sigma^2 (docs/FORMULAS.md 1.3, 1.4), so one table
per target serves every slider. The averages have fewer places per component where components are many.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.special import ndtri
from torch import Tensor

from gensot_demo.transport.diagnostics import NODES, expectation
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.targets import MOST_COMPONENTS, Target

LEVELS = 32
_FEW = 12  # components whose averages go by an even grid; more of them by shifted lattices, whose errors average out
_PAIRS, _PAIRS_ONCE = 20_000, 4_000_000  # places times components in one average, and in that of an entropy
_PAIRS_AT_ONCE = 4_000_000  # 32 MB each
_FEWEST = 16  # places per component
_FINE = 81  # nodes of the entropy per dimension and component, at most
_NOISIEST, _CLEANEST = 1e-3, 3e4  # K times the largest variance at the lowest level; K at the highest


@dataclass(frozen=True, eq=False)
class Spread:
    """entropy: H(p1) in nats.  mean (2,), covariance (2, 2) of the target.  widest: its largest variance."""

    entropy: float
    mean: Tensor
    covariance: Tensor
    widest: float
    _log_levels: NDArray[np.float64]
    _shape: CubicSpline

    @property
    def trace(self) -> float:
        return float(self.covariance.trace())

    def mmse(self, log_K: Tensor) -> Tensor:
        """E tr Cov(y | x_t), (T,), from tr Cov(y) at K = 0 to 0 at K = inf.

        Relative error on the named targets, t = .1 to .99: 4e-3 for at most 12 components, 7e-3 for more.
        """
        inside = np.clip(log_K.numpy(), self._log_levels[0], self._log_levels[-1])
        gaussian = 2 / (torch.exp(log_K) + 2 / self.trace)
        return gaussian * torch.from_numpy(np.exp(self._shape(inside)))


@lru_cache(maxsize=48)
def spread_of(target: Target) -> Spread:
    """The table of a target: 0.3 s of one core for two modes, 3 s for a hundred components. The latest are kept."""
    law = target.mixture
    covariance = law.covariance()
    widest, trace = float(torch.linalg.eigvalsh(covariance)[-1]), law.covariance_trace()
    log_levels = np.linspace(math.log(_NOISIEST / widest), math.log(_CLEANEST), LEVELS)
    shape = []
    for log_K in log_levels:
        # x = a y + m eps at a^2 + m^2 = 1
        a, m = math.sqrt(1 / (1 + math.exp(-log_K))), math.sqrt(1 / (1 + math.exp(log_K)))
        found = _average(law.marginal(a, m), lambda x, a=a, m=m: law.posterior_variance(x, a, m), NODES, _PAIRS)
        shape.append(math.log(max(found, 1e-300) * (math.exp(log_K) + 2 / trace) / 2))
    return Spread(entropy_of(law), law.mean(), covariance, widest, log_levels, CubicSpline(log_levels, shape))


def entropy_of(law: GaussianMixture) -> float:
    """H in nats of a planar mixture, by places that are fewer a component where components are many: the error is below
    1e-5 up to 24 of them, about 1e-3 for some hundred, .01 for thousands."""
    return -_average(law, law.log_density, _FINE, _PAIRS_ONCE)


def _average(law: GaussianMixture, function: Callable[[Tensor], Tensor], nodes: int, pairs: int) -> float:
    """E f(x) of x ~ ``law`` with about so many places times components."""
    count = len(law.means)
    fine = min(nodes, int(math.sqrt(pairs) / count)) | 1
    if count <= _FEW or fine > _FINE // 2:
        return expectation(law, function, fine)
    weights, chosen = law.log_prior.exp(), torch.arange(count)
    if count > MOST_COMPONENTS:  # heavy ones several times, equal weights
        even = (torch.arange(MOST_COMPONENTS, dtype=weights.dtype) + 0.5) / MOST_COMPONENTS
        chosen = torch.searchsorted(weights.cumsum(0), even).clamp(max=count - 1)
        weights = torch.full_like(even, 1 / MOST_COMPONENTS)
    z = _shifted_lattices(len(chosen), max(pairs // count**2, _FEWEST))
    x = law.means[chosen, None, :] + torch.einsum("nij,nqj->nqi", law.cholesky[chosen], z)
    parts = x.reshape(-1, 2).split(max(_PAIRS_AT_ONCE // count, 1))
    values = torch.cat([function(part) for part in parts])
    return float(weights @ values.reshape(len(chosen), -1).mean(1))


@lru_cache(maxsize=8)
def _shifted_lattices(count: int, places: int) -> Tensor:
    """(count, places, 2) standard normal places: for each component one lattice with the golden ratio, shifted."""
    shift = np.random.default_rng(0).random((count, 1, 2))
    k = np.arange(places)
    lattice = np.stack([(k + 0.5) / places, k * (math.sqrt(5) - 1) / 2], 1)
    return torch.from_numpy(ndtri(np.clip((lattice + shift) % 1, 1e-12, 1 - 1e-12)))
