"""Stiffness in pieces, chosen so that a sampler of few equal time steps errs least (AdaPID).

A bridge step freezes the prediction. In the information K it is the Euler step of dH = yhat dK + dB(K), so by Girsanov
the law of its whole path lies from the exact one by

    KL = (1/2) sum_k int_{K_k}^{K_{k+1}} (mmse(K_k) - mmse(K)) dK,

because yhat is a martingale: E|yhat(K) - yhat(K_k)|^2 = mmse(K_k) - mmse(K). This is exact for every protocol, needs
the target's mmse curve once, and does not depend on the guide: a stiffness only decides where in K the steps fall.
Source of the question: Chertkov & Behjoo, arXiv 2512.11858; the criterion is ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.optimize import minimize
from torch import Tensor

from ..diagnostics import posterior_variance
from ..harmonic import HarmonicPath, Protocol
from ..mixtures import GaussianMixture
from ..paths import VEPath

TEMPERATURES = (1e-3, 10.0)
LOADS = (0.01, 900.0)
"""Ranges of the temperature kappa and of kappa times the stiffness, which alone shapes the path in time."""

_TABLE = 121  # levels of log K that are asked for; between them a monotone cubic
_FINE = 601  # of the interpolated curve
_FARTHEST_LOGIT, _SECTION, _SECTIONS = 60.0, 101, 7  # 120 / 100^7: exact to rounding
_NODES = 25  # per dimension and component
_NOTHING_KNOWN = 1e-4  # of the widest variance: at less information the mmse is that of the prior


@dataclass(frozen=True, eq=False)
class InformationCurve:
    """mmse of a law against information, from nothing known to noise ``blur``.

    information (L,): K, rising.  mmse (L,): E tr Cov(y | K).  area (L,): int_0^K mmse dK, twice the information (nats).
    """

    information: NDArray[np.float64]
    mmse: NDArray[np.float64]
    area: NDArray[np.float64]

    @property
    def last(self) -> float:
        """K at which a run stops."""
        return float(self.information[-1])

    def divergence(self, levels: NDArray[np.float64]) -> float:
        """KL in nats of a bridge sampler that stops at these K (N + 1,), from 0 to :attr:`last`."""
        at = np.log(np.maximum(levels, self.information[0]))
        log_K = np.log(self.information)
        mmse = np.interp(at, log_K, self.mmse)
        area = np.where(levels < self.information[0], levels * self.mmse[0], np.interp(at, log_K, self.area))
        return 0.5 * float(np.sum(mmse[:-1] * np.diff(levels) - np.diff(area)))

    def best_levels(self, steps: int) -> NDArray[np.float64]:
        """The levels (steps + 1,) of least divergence that any schedule could have, by dynamic programming over the
        table: the floor for all protocols."""
        K = np.concatenate([[0.0], self.information])
        mmse = np.concatenate([self.mmse[:1], self.mmse])
        area = np.concatenate([[0.0], self.area])
        step = 0.5 * (mmse[:, None] * (K[None, :] - K[:, None]) - (area[None, :] - area[:, None]))
        step = np.where(np.arange(len(K))[None, :] > np.arange(len(K))[:, None], step, np.inf)
        least, came = step[0], []
        for _ in range(steps - 1):
            through = least[:, None] + step
            came.append(through.argmin(0))
            least = through.min(0)
        at = [len(K) - 1]
        for back in reversed(came):
            at.append(int(back[at[-1]]))
        return K[[0, *reversed(at)]]


def information_curve(target: GaussianMixture, blur: float = 0.05) -> InformationCurve:
    """The curve of a law, down to noise of standard deviation ``blur`` in data units."""
    widest = float(torch.linalg.eigvalsh(target.covariance())[-1])
    coarse = np.linspace(math.log(_NOTHING_KNOWN / widest), -2 * math.log(blur), _TABLE)
    path = VEPath(1.01 * math.exp(-0.5 * coarse[0]))
    points = path.at(path.times_of_sigma(torch.from_numpy(np.exp(-0.5 * coarse))))
    log_K = np.linspace(coarse[0], coarse[-1], _FINE)
    mmse = PchipInterpolator(coarse, posterior_variance(points, target, _NODES).numpy())(log_K)
    K = np.exp(log_K)
    # int mmse dK = int mmse K dlogK, by the trapezoidal rule on an even grid; below the table mmse is constant
    rising = 0.5 * (mmse[1:] * K[1:] + mmse[:-1] * K[:-1]) * np.diff(log_K)
    return InformationCurve(K, mmse, mmse[0] * K[0] + np.concatenate([[0.0], np.cumsum(rising)]))


def _time_of(path: HarmonicPath, log_K: float) -> float:
    """When the information is this, by sections in logit t: the search for protocols asks thousands of times, and a
    hundred times at once cost hardly more than one."""
    low, high = -_FARTHEST_LOGIT, _FARTHEST_LOGIT
    for _ in range(_SECTIONS):
        logits = torch.linspace(low, high, _SECTION, dtype=torch.float64)
        above = int(torch.searchsorted(path.log_information(torch.sigmoid(logits)), log_K))
        above = min(max(above, 1), _SECTION - 1)
        low, high = float(logits[above - 1]), float(logits[above])
    return 1 / (1 + math.exp(-0.5 * (low + high)))


def levels_of(stiffness: Tensor, steps: int, last: float, temperature: float = 1.0) -> NDArray[np.float64]:
    """The K (steps + 1,) at which equal time steps of a protocol with these equal pieces (P,) stop, the last at
    ``last``."""
    still = torch.zeros(len(stiffness), 1, dtype=torch.float64)
    path = HarmonicPath(Protocol(stiffness, still, still[0], temperature))
    end = _time_of(path, math.log(last))
    levels = path.log_information(torch.linspace(0, end, steps + 1, dtype=torch.float64)).exp().numpy()
    levels[-1] = last
    return levels


@dataclass(frozen=True)
class Refined:
    """The best protocol of so many equal pieces. stiffness (P,); divergence: KL in nats; levels (steps + 1,)."""

    stiffness: Tensor
    temperature: float
    divergence: float
    levels: NDArray[np.float64]

    @property
    def pieces(self) -> int:
        return len(self.stiffness)


def refine(
    curve: InformationCurve, steps: int, pieces: tuple[int, ...] = (1, 2, 4, 8), temperature: float | None = None
) -> Iterator[Refined]:
    """The best stiffness of 1, 2, 4, 8 pieces, each found from the one before it; yields as it goes.

    pieces: each a multiple of the one before.  temperature: held there, or chosen too where it is None.
    Local descent in logarithms from the halved pieces; the first from the best of a coarse grid.
    """
    fixed = temperature is not None
    hottest = (math.log(temperature),) * 2 if fixed else tuple(np.log(TEMPERATURES))
    loads = tuple(np.log(LOADS))

    def protocol(logs: NDArray[np.float64]) -> tuple[Tensor, float]:
        kappa = math.exp(np.clip(logs[0], *hottest))
        return torch.from_numpy(np.exp(np.clip(logs[1:], *loads)) / kappa), kappa

    def divergence(logs: NDArray[np.float64]) -> float:
        stiffness, kappa = protocol(logs)
        return curve.divergence(levels_of(stiffness, steps, curve.last, kappa))

    tried = [np.array([k, w]) for k in np.linspace(*hottest, 1 if fixed else 9) for w in np.linspace(*loads, 7)]
    logs = min(tried, key=divergence)
    for count in pieces:
        logs = np.concatenate([logs[:1], np.repeat(logs[1:], count // (len(logs) - 1))])
        bounds = [hottest, *[loads] * count]
        logs = minimize(divergence, logs, method="L-BFGS-B", bounds=bounds, options={"maxiter": 25}).x
        stiffness, kappa = protocol(logs)
        levels = levels_of(stiffness, steps, curve.last, kappa)
        yield Refined(stiffness, kappa, curve.divergence(levels), levels)
