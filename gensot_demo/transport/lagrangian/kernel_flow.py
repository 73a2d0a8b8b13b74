"""The gradient flow of half the squared kernel distance (MMD) to a mixture, by interaction of particles.

E = (1/2) int int k(x, y) d(rho - pi)(x) d(rho - pi)(y) with k(x, y) = h^2 exp(-|x - y|^2 / (2 h^2)), a Gaussian kernel
scaled so that its force is the distance itself where that is small. The first variation is k * (rho - pi), the witness:

    v(x) = E_rho[(x - x') e^{-|x - x'|^2 / (2 h^2)}] - E_pi[(x - y) e^{-|x - y|^2 / (2 h^2)}]

so particles push one another off and are drawn to pi (Arbel et al., arXiv 1906.04370). With g the Gaussian of
standard deviation w = h / sqrt(2), k is 2 pi h^4 g * g, so E is half of 2 pi h^4 times the integral of
(g * rho - g * pi)^2. That is a sum over an even grid of spacing h / 2.2, with a relative error of 1e-9; g * pi is a
mixture. So n particles cost n times the grid's lines, not n^2, and dE/dt = -E|v|^2 holds for the particles themselves.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor

from ..errors import InvalidValue
from ..mixtures import GaussianMixture

_FINER = 2.2  # grid spacings in a bandwidth
_LONGEST = 1.0  # step: the velocity's slope is at most about 1 by the kernel's scale
_MARGIN = 5.0  # standard deviations of g around all that may be reached


class KernelFlow:
    """The energy and the velocity towards ``target`` with bandwidth h, on a grid over [low, high] (2,) and a margin."""

    def __init__(self, target: GaussianMixture, bandwidth: float, low: Tensor, high: Tensor):
        if not bandwidth > 0:
            raise InvalidValue(f"The bandwidth is {bandwidth:g}; it must be above 0.")
        self._width, self._spacing = bandwidth / math.sqrt(2), bandwidth / _FINER
        reach = _MARGIN * self._width
        self._axes = [
            torch.arange(float(low[n]) - reach, float(high[n]) + reach + self._spacing, self._spacing).double()
            for n in range(2)
        ]
        y, x = torch.meshgrid(self._axes[1], self._axes[0], indexing="ij")
        places = torch.stack([x.reshape(-1), y.reshape(-1)], 1)
        self._wanted = torch.exp(target.marginal(1.0, self._width).log_density(places)).reshape(x.shape)
        self._scale = 2 * math.pi * bandwidth**4 * self._spacing**2

    def at(self, x: Tensor) -> tuple[float, Tensor]:
        """Half the squared distance of the particles x (n, 2) to the target, each with itself included, and their
        velocity (n, 2)."""
        away = [axis[None, :] - place[:, None] for axis, place in zip(self._axes, x.T, strict=True)]
        across, along = (
            torch.exp(-part.square() / (2 * self._width**2)) / (self._width * math.sqrt(2 * math.pi)) for part in away
        )
        excess = along.T @ across / len(x) - self._wanted  # g * rho - g * pi
        seen = along @ excess
        east = (seen * (across * away[0])).sum(1)
        north = (((along * away[1]) @ excess) * across).sum(1)
        velocity = -self._scale / self._width**2 * torch.stack([east, north], 1)
        return 0.5 * self._scale * float(excess.square().sum()), velocity

    def run(self, x: Tensor, times: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Positions and velocities (F, n, 2), energy (F,) and int E|v|^2 dt until then (F,), by the midpoint method and
        Simpson's rule."""
        energy, v = self.at(x)
        places, speeds, energies, spent = [x], [v], [energy], [0.0]
        for before, after in pairwise(times.tolist()):
            steps, gone = math.ceil((after - before) / _LONGEST), spent[-1]
            h = (after - before) / steps
            for _ in range(steps):
                first, between = v, self.at(x + h / 2 * v)[1]
                x = x + h * between
                energy, v = self.at(x)
                mean = [float(part.square().sum(1).mean()) for part in (first, between, v)]
                gone += h / 6 * (mean[0] + 4 * mean[1] + mean[2])
            places.append(x)
            speeds.append(v)
            energies.append(energy)
            spent.append(gone)
        return torch.stack(places), torch.stack(speeds), torch.tensor(energies), torch.tensor(spent)
