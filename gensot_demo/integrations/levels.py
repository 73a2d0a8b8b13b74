"""The noise levels that a diffusers network was trained at, and what its output says about the picture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import DDPMScheduler
from numpy.typing import NDArray
from torch import Tensor

PREDICTION_TYPES = ("epsilon", "v_prediction", "sample")
_LEAST_SIGNAL = 2.0**-24  # of a table that ends in pure noise (zero terminal signal): its last level is 4096, not inf
_TABLE_FIELDS = (
    "num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas", "rescale_betas_zero_snr",
)  # fmt: skip


@dataclass(frozen=True)
class NoiseTable:
    """Noise levels sigma = sqrt((1 - abar)/abar) of timesteps 0, 1, ..., T - 1, rising; log_sigma has shape (T,)."""

    log_sigma: NDArray[np.float64]

    @classmethod
    def of_config(cls, config: Mapping[str, Any]) -> NoiseTable:
        """The table of a variance-preserving scheduler config; raises ValueError for an unknown beta_schedule."""
        try:
            betas = DDPMScheduler(**{name: config[name] for name in _TABLE_FIELDS}).betas
        except NotImplementedError:
            raise ValueError(f"beta_schedule is {config['beta_schedule']!r}, which diffusers does not know.") from None
        signal = torch.cumprod(1 - betas.double(), 0).numpy()
        if signal[-1] == 0.0:
            signal[-1] = min(_LEAST_SIGNAL, signal[-2] / 4)
        return cls(0.5 * (np.log1p(-signal) - np.log(signal)))

    @property
    def sigma_min(self) -> float:
        """The lowest level."""
        return float(np.exp(self.log_sigma[0]))

    @property
    def sigma_max(self) -> float:
        """The highest level."""
        return float(np.exp(self.log_sigma[-1]))

    def timesteps(self, sigmas: NDArray[np.float64]) -> NDArray[np.float64]:
        """Real-valued timesteps of noise levels (S,), linear in log sigma between entries; clipped to the table."""
        return np.interp(np.log(sigmas), self.log_sigma, np.arange(len(self.log_sigma), dtype=np.float64))

    def sigmas(self, timesteps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Noise levels of real-valued timesteps (S,): the inverse of :meth:`timesteps`."""
        return np.exp(np.interp(timesteps, np.arange(len(self.log_sigma)), self.log_sigma))

    def network_scales(self, a: float, m: float) -> tuple[float, float, float]:
        """(factor, a', m'): x = a y + m eps times ``factor`` is what the network takes, a'^2 + m'^2 = 1.

        Below the lowest level the network is asked at the lowest with the same scale of y.
        """
        if m < self.sigma_min * a:
            unit = 1 / math.hypot(1.0, self.sigma_min)
            return unit / a, unit, self.sigma_min * unit
        size = math.hypot(a, m)
        return 1 / size, a / size, m / size


def predicted_state(prediction_type: str, output: Tensor, given: Tensor, a: float, m: float) -> Tensor:
    """E[y | given = a y + m eps] from a network's output, a^2 + m^2 = 1 (docs/FORMULAS.md 6); tensors of one shape."""
    if prediction_type == "sample":
        return output
    if prediction_type == "v_prediction":
        return a * given - m * output
    return (given - m * output) / a
