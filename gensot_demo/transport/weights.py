"""Log-weights of a population on its way: path-integral rates, potentials, likelihood ratios (docs/FORMULAS.md 1.6)."""

from __future__ import annotations

import torch
from torch import Tensor

from .errors import InvalidValue
from .steering import Prediction


class Weights:
    """``log``: (n,) since the last resampling, None as long as nothing has been weighted."""

    def __init__(self) -> None:
        self.log: Tensor | None = None
        self._promised: Tensor | None = None

    def gather(self, prediction: Prediction, gathered: float, eps: Tensor | None = None, grip: float | None = None):
        """What one step adds. ``gathered`` is its information K' - K.

        eps: (n, d), the step's standard normals, and ``grip``: by how many of its standard deviations a unit of the
        prediction moves the step; both needed where the law of ``prediction.unguided`` is to be restored:
        log p/q = -grip Delta.eps - grip^2 |Delta|^2 / 2 for Delta = state - unguided.
        """
        if prediction.log_weight_rate is not None:
            self._add(gathered * prediction.log_weight_rate)
        self.promise(prediction.log_potential)
        if prediction.unguided is not None:
            if eps is None or grip is None:
                raise InvalidValue("these weights need a sampler whose every step adds noise: take the bridge step.")
            away = prediction.state - prediction.unguided
            self._add(-grip * (away * eps).sum(1) - 0.5 * grip**2 * (away**2).sum(1))

    def promise(self, log_potential: Tensor | None) -> None:
        """The potential where the population is now; its increase goes into the weights."""
        if log_potential is not None:
            self._add(log_potential if self._promised is None else log_potential - self._promised)
            self._promised = log_potential

    def survive(self, rows: Tensor) -> None:
        """Resampled: ``rows`` (n,) go on with equal weights."""
        self.log = torch.zeros_like(self.log)
        if self._promised is not None:
            self._promised = self._promised[rows]

    def _add(self, change: Tensor) -> None:
        self.log = change if self.log is None else self.log + change
