"""The deterministic second-order sampler of arXiv 2206.00364 (algorithm 1) with classifier-free guidance.

For looking at a network while it trains and for evaluating it. The app samples with its own methods.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

SIGMA_MIN, SIGMA_MAX, RHO = 0.01, 80.0, 7.0

Denoiser = Callable[[Tensor, Tensor, Tensor], Tensor]


def noise_levels(steps: int, sigma_min: float = SIGMA_MIN, sigma_max: float = SIGMA_MAX) -> Tensor:
    """steps + 1 levels from sigma_max to sigma_min and 0, float64; arXiv 2206.00364, eq. 5 with rho = 7."""
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    levels = (sigma_max ** (1 / RHO) + ramp * (sigma_min ** (1 / RHO) - sigma_max ** (1 / RHO))) ** RHO
    return torch.cat([levels, torch.zeros(1, dtype=torch.float64)])


@torch.inference_mode()
def sample(
    denoiser: Denoiser, labels: Tensor, noise: Tensor, *, null_label: int, weight: float = 1.0, steps: int = 20
) -> Tensor:
    """Pictures (b, 3, 32, 32) in [-1, 1] from standard normal `noise` of that shape; 2 steps - 1 calls per branch.

    `weight` w mixes the predictions as null + w (class - null) (Ho & Salimans, arXiv 2207.12598, with w = 1 + their w);
    1 calls the class branch only.
    """
    null = torch.full_like(labels, null_label)

    def predict(z: Tensor, sigma: float) -> Tensor:
        level = torch.full((len(z),), sigma)
        if weight == 1:
            return denoiser(z, level, labels)
        with_class, without = denoiser(torch.cat([z, z]), torch.cat([level, level]), torch.cat([labels, null])).chunk(2)
        return without + weight * (with_class - without)

    levels = noise_levels(steps).tolist()
    z = noise * levels[0]
    for sigma, following in pairwise(levels):
        slope = (z - predict(z, sigma)) / sigma
        ahead = z + (following - sigma) * slope
        if following > 0:
            slope = (slope + (ahead - predict(ahead, following)) / following) / 2
        z = z + (following - sigma) * slope
    return z.clamp(-1, 1)


def save_grid(pictures: Tensor, columns: int, path: Path, *, zoom: int = 2) -> None:
    """Pictures (n, 3, h, w) in [-1, 1] in reading order as a PNG, `columns` to a row, each pixel `zoom` wide."""
    count, _, height, width = pictures.shape
    rows = -(-count // columns)
    sheet = torch.ones(rows * columns, 3, height, width)
    sheet[:count] = pictures.clamp(-1, 1)
    sheet = sheet.reshape(rows, columns, 3, height, width).permute(0, 3, 1, 4, 2)
    array = ((sheet.reshape(rows * height, columns * width, 3) + 1) * 127.5).round().numpy().astype(np.uint8)
    Image.fromarray(array.repeat(zoom, axis=0).repeat(zoom, axis=1)).save(path)
