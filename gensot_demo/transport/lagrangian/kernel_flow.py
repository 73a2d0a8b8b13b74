"""The gradient flow of half the squared kernel distance (MMD) to a mixture, by interaction of particles.

E = (1/2) int int k(x, y) d(rho - pi)(x) d(rho - pi)(y), k(x, y) = exp(-|x - y|^2 / (2 h^2)), has the first variation
f = k * (rho - pi), the witness, so v = -grad k * rho + grad k * pi: particles push one another off and are drawn to pi
(Arbel et al., arXiv 1906.04370). k is a narrower Gaussian with itself, so with g of standard deviation h / sqrt(2)

    E = pi_ h^2 int (g * rho - g * pi)^2,    f = 2 pi_ h^2 g * (g * rho - g * pi),    pi_ = 3.14159...

The integral is a sum over an even grid of spacing h / 2.5, exact to 1e-13 for Gaussians; g * pi is a mixture. So n
particles cost n times the grid's lines, not n^2, and dE/dt = -E|v|^2 holds for the particles themselves.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor

from ..errors import InvalidValue
from ..mixtures import GaussianMixture
from .blurred import blurred

_FINER = 2.5  # grid spacings in a bandwidth
_MARGIN = 6.0  # standard deviations of g around all that may be reached


class KernelFlow:
    """The energy and the velocity towards ``target`` with bandwidth h, on a grid over [low, high] (2,) and a margin."""

    def __init__(self, target: GaussianMixture, bandwidth: float, low: Tensor, high: Tensor):
        if not bandwidth > 0:
            raise InvalidValue(f"The bandwidth is {bandwidth:g}; it must be above 0.")
        self.bandwidth, self._width = bandwidth, bandwidth / math.sqrt(2)
        self._spacing, reach = bandwidth / _FINER, _MARGIN * self._width
        self._axes = [
            torch.arange(float(low[n]) - reach, float(high[n]) + reach + self._spacing, self._spacing).double()
            for n in range(2)
        ]
        y, x = torch.meshgrid(self._axes[1], self._axes[0], indexing="ij")
        places = torch.stack([x.reshape(-1), y.reshape(-1)], 1)
        self._wanted = torch.exp(target.marginal(1.0, self._width).log_density(places)).reshape(x.shape)

    def _excess(self, x: Tensor) -> Tensor:
        """g * rho - g * pi on the grid."""
        return blurred(x, torch.zeros_like(x), *self._axes, self._width)[0] - self._wanted

    def energy(self, x: Tensor) -> float:
        """Half the squared distance of the particles x (n, 2) to the target, each particle with itself included."""
        return math.pi * self.bandwidth**2 * self._spacing**2 * float(self._excess(x).square().sum())

    def velocity(self, x: Tensor) -> Tensor:
        """v = -grad of the witness at the particles, (n, 2)."""
        return -self._slope(x, self._excess(x))

    def _slope(self, x: Tensor, excess: Tensor) -> Tensor:
        """The gradient of f at x."""
        kernels, slopes = [], []
        for axis, place in zip(self._axes, x.T, strict=True):
            away = axis[None, :] - place[:, None]
            kernels.append(torch.exp(-away.square() / (2 * self._width**2)))
            slopes.append(kernels[-1] * away / self._width**2)
        scale = self._spacing**2 * 2 * math.pi * self.bandwidth**2 / (2 * math.pi * self._width**2)
        east = ((kernels[1] @ excess) * slopes[0]).sum(1)
        north = ((slopes[1] @ excess) * kernels[0]).sum(1)
        return scale * torch.stack([east, north], 1)

    def run(self, x: Tensor, times: Tensor, substeps: int = 1) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Positions and velocities (F, n, 2), energy (F,) and int E|v|^2 dt until then (F,), by Heun's method."""
        places, speeds, energy, spent = [x], [self.velocity(x)], [self.energy(x)], [0.0]
        for before, after in pairwise(times.tolist()):
            x, v, h, gone = places[-1], speeds[-1], (after - before) / substeps, spent[-1]
            for _ in range(substeps):
                middle = x + h / 2 * v
                between = self.velocity(middle)
                x, first = x + h * between, v
                v = self.velocity(x)
                mean = [part.square().sum(1).mean() for part in (first, between, v)]
                gone += h / 6 * float(mean[0] + 4 * mean[1] + mean[2])
            places.append(x)
            speeds.append(v)
            energy.append(self.energy(x))
            spent.append(gone)
        return torch.stack(places), torch.stack(speeds), torch.tensor(energy), torch.tensor(spent)
