"""From particles to a density: the Eulerian view of the same motion."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..errors import InvalidValue


def blurred(positions: Tensor, velocities: Tensor, x: Tensor, y: Tensor, width: float) -> tuple[Tensor, Tensor]:
    """Density and flux, on a grid, of particles blurred by a round Gaussian of standard deviation ``width``.

    With K the Gaussian, rho = (1/n) sum_i K(. - x_i) and j = (1/n) sum_i K(. - x_i) v_i. The blur commutes with the
    derivatives, so d_t rho + div j = 0 holds exactly for any particles with velocities v_i (arXiv 2512.06797, sec. 1).

    positions, velocities: (..., n, 2).  x (gx,), y (gy,): the grid.  Returns (..., gy, gx) and (..., gy, gx, 2).

    Raises:
        InvalidValue: the width is not positive, or there are no particles.
    """
    if not width > 0 or not positions.shape[-2]:
        raise InvalidValue(f"The blur is {width} and there are {positions.shape[-2]} particles; both must be above 0.")
    across, along = (_kernel(grid, positions[..., n], width) for n, grid in enumerate((x, y)))
    count = positions.shape[-2]
    density = along @ across.mT / count
    flux = [(along * velocities[..., None, :, n]) @ across.mT / count for n in range(2)]
    return density, torch.stack(flux, -1)


def _kernel(grid: Tensor, places: Tensor, width: float) -> Tensor:
    """(..., g, n): the one-dimensional Gaussian around each place."""
    away = (grid[:, None] - places[..., None, :]) / width
    return torch.exp(-away.square() / 2) / (width * math.sqrt(2 * math.pi))
