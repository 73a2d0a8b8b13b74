"""Couplings between two clouds: the cheapest one, and the entropic one of a Schroedinger bridge. Solved by POT.

Sources: Peyre & Cuturi, Computational Optimal Transport, arXiv 1803.00567; Leonard, arXiv 1308.0215 (Schroedinger
bridges); Chen, Georgiou & Pavon, arXiv 2005.10963 (its flow).
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor

from .errors import InvalidValue

MOST_COUPLED = 1000  # points on either side: 0.1 s exactly, 0.1 s entropic at temperature 1
_TOLERANCE = 1e-9
_MOST_SWEEPS = 3000
_USELESS = 0.5  # defect of the end marginal from which on the sweeps have failed, not just not converged


def _cost(x: Tensor, y: Tensor) -> np.ndarray:
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist").square().numpy()


def optimal_assignment(x: Tensor, y: Tensor) -> Tensor:
    """The permutation (n,) that minimises sum |x_i - y_{p(i)}|^2 for clouds (n, d) of equal size, exactly."""
    import ot

    if x.shape != y.shape:
        raise InvalidValue(f"an assignment needs clouds of equal size, not {tuple(x.shape)} and {tuple(y.shape)}.")
    plan = ot.emd([], [], _cost(x, y), numItermax=1_000_000)
    return torch.from_numpy(plan.argmax(1))


class SchroedingerBridge:
    """The likeliest evolution of Brownian particles, dx = sqrt(temperature) dW, from one cloud to another.

    Its static part is the entropic plan P_ij = u_i exp(-|x_i - y_j|^2 / (2 kappa)) v_j; given both ends a particle is a
    Brownian bridge. start (n, d), end (k, d), equal weights.  marginal_error: largest relative defect of a column sum.
    """

    def __init__(self, start: Tensor, end: Tensor, temperature: float):
        import ot

        self.start, self.end, self.temperature = start, end, temperature
        cost = _cost(start, end)
        rows = cost.min(1, keepdims=True)  # potentials that only keep exp() in range; the plan does not change
        columns = (cost - rows).min(0, keepdims=True)
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):  # judged by the defect below
            plan, log = ot.sinkhorn(
                [], [], cost - rows - columns, 2 * temperature, numItermax=_MOST_SWEEPS, stopThr=_TOLERANCE, log=True
            )
            self._log_u = torch.from_numpy(np.log(log["u"]) + rows[:, 0] / (2 * temperature))
            self._log_v = torch.from_numpy(np.log(log["v"]) + columns[0] / (2 * temperature))
        self.marginal_error = float(abs(plan.sum(0) * len(end) - 1).max())
        if not self.marginal_error < _USELESS:
            raise InvalidValue(
                f"temperature is {temperature:g}: too small against squared distances up to {cost.max():.3g}."
            )

    @property
    def plan(self) -> Tensor:
        """P (n, k), computed anew each time: 8 MB for 1000 points on either side."""
        return (self._log_u[:, None] + self._log_v - _square(self.start, self.end) / (2 * self.temperature)).exp()

    def partners(self, uniform: Tensor) -> Tensor:
        """The end (n,) of each start, drawn from its row of the plan by uniform numbers (n,)."""
        rows = torch.cumsum(self.plan, 1)
        return torch.searchsorted(rows, (uniform * rows[:, -1])[:, None]).squeeze(1).clamp(max=len(self.end) - 1)

    def position(self, t: float, x: Tensor, y: Tensor, eps: Tensor) -> Tensor:
        """Particles at time t on their bridges from x to y (n, d), with standard noise eps (n, d)."""
        return (1 - t) * x + t * y + (self.temperature * t * (1 - t)) ** 0.5 * eps

    def log_posteriors(self, x: Tensor, t: float) -> tuple[Tensor, Tensor]:
        """log p(end | x_t = x) (n, k) and log p(start | x_t = x) (n, n), for t in (0, 1)."""
        ahead = self._log_v - _square(x, self.end) / (2 * self.temperature * (1 - t))
        behind = self._log_u - _square(x, self.start) / (2 * self.temperature * t)
        return torch.log_softmax(ahead, 1), torch.log_softmax(behind, 1)

    def velocity(self, x: Tensor, t: float) -> tuple[Tensor, Tensor]:
        """(v (n, d), probabilities of the ends given x (n, k)). The current velocity v, whose flow has the bridge's
        marginals, is the mean of forward and backward drift, ((E[y|x] - x)/(1-t) + (x - E[x_0|x])/t) / 2."""
        ahead, behind = self.log_posteriors(x, t)
        ends = ahead.exp()
        return 0.5 * ((ends @ self.end - x) / (1 - t) + (x - behind.exp() @ self.start) / t), ends


def _square(x: Tensor, y: Tensor) -> Tensor:
    return (x**2).sum(1, keepdim=True) - 2 * x @ y.T + (y**2).sum(1)
