"""Weighted particles: effective sample size and resampling, one block of particles per seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def effective_sample_size(log_weights: Tensor, blocks: int) -> Tensor:
    """1 / sum w^2 of the normalised weights of each block (blocks,), from 1 to the particles per block."""
    w = torch.softmax(log_weights.reshape(blocks, -1).double(), dim=1)
    return 1 / (w**2).sum(1)


def resample_blocks(seeds: Sequence[int], tag: int, log_weights: Tensor, threshold: float = 0.5) -> Tensor | None:
    """Systematic resampling of the blocks whose effective size is below ``threshold`` of their particles.

    Returns rows (n,) or None when no block needs it. Blocks that keep their weights must not lose them when others
    are resampled, so all blocks are resampled together as soon as one needs it.
    """
    blocks = len(seeds)
    particles = len(log_weights) // blocks
    if particles == 1 or float(effective_sample_size(log_weights, blocks).min()) >= threshold * particles:
        return None
    w = torch.softmax(log_weights.reshape(blocks, particles).double(), dim=1)
    rows = []
    for block, seed in enumerate(seeds):
        offset = _uniform(seed, tag)
        positions = (torch.arange(particles, dtype=torch.float64) + offset) / particles
        chosen = torch.searchsorted(w[block].cumsum(0).cpu(), positions).clamp(max=particles - 1)
        rows.append(block * particles + chosen)
    return torch.cat(rows).to(log_weights.device)


def select_one(seeds: Sequence[int], log_weights: Tensor | None, particles: int) -> list[int]:
    """The row that each block delivers, drawn by its weights; the first one without weights."""
    if log_weights is None:
        return [block * particles for block in range(len(seeds))]
    w = torch.softmax(log_weights.reshape(len(seeds), particles).double(), dim=1).cumsum(1).cpu()
    return [
        block * particles + min(int(torch.searchsorted(w[block], _uniform(seed, -1))), particles - 1)
        for block, seed in enumerate(seeds)
    ]


def _uniform(seed: int, tag: int) -> float:
    """A uniform number of its own for each seed and tag, apart from the streams of the shared noise."""
    return float(np.random.Generator(np.random.SFC64([seed, tag + 1])).random())
