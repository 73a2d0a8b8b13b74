"""A temperature that changes from piece to piece: a constant one on another clock.

On the clock s with ds = kappa_t dt / T, T = int kappa_t dt, the process dx = u dt + sqrt(kappa_t) dW with the cost
int |u|^2/(2 kappa_t) + (beta_t/2)|x - nu_t|^2 dt is the harmonic one of temperature T, stiffness beta_t T / kappa_t
and the same guide, and costs the same. Derived here; with one temperature the two clocks agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..harmonic import Protocol


@dataclass(frozen=True, eq=False)
class Clocked:
    """A protocol on its own clock s, and the real times (K + 1,) of its knots."""

    protocol: Protocol
    times: Tensor

    def clock(self, t: Tensor) -> Tensor:
        """s at real times t (T,), both in [0, 1]."""
        return _along(t, self.times, self.protocol.knots)

    def time(self, s: Tensor) -> Tensor:
        """The real time at s (T,)."""
        return _along(s, self.protocol.knots, self.times)

    def rate(self, s: Tensor) -> Tensor:
        """ds/dt at s (T,); at a knot that of the piece that begins there."""
        piece = torch.searchsorted(self.protocol.knots, s, right=True) - 1
        rates = self.protocol.knots.diff() / self.times.diff()
        return rates[piece.clamp(0, len(rates) - 1)]


def clocked(times: Tensor, stiffness: Tensor, guide: Tensor, start: Tensor, temperature: Tensor) -> Clocked:
    """times (K + 1,) from 0 to 1; stiffness (K,), guide (K, d) and temperature (K,) of the pieces; start (d,)."""
    if bool((temperature == temperature[0]).all()):
        return Clocked(Protocol(stiffness, guide, start, float(temperature[0]), times), times)
    heat = torch.cat([torch.zeros(1, dtype=times.dtype), (temperature * times.diff()).cumsum(0)])
    total = float(heat[-1])
    knots = heat / total
    knots[-1] = 1.0
    return Clocked(Protocol(stiffness * total / temperature, guide, start, total, knots), times)


def _along(x: Tensor, known: Tensor, values: Tensor) -> Tensor:
    return torch.from_numpy(np.interp(x.numpy(), known.numpy(), values.numpy()))
