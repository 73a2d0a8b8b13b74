"""Random streams of the plane: one for each purpose, so that what is judged and what judges never share numbers, and
one row after the other, so that fewer particles are the first of more."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from gensot_demo.transport.mixtures import GaussianMixture


def _rng(purpose: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([crc32(purpose.encode()), seed])


def generator(purpose: str, seed: int = 0) -> torch.Generator:
    """A torch generator of its own for each purpose and seed."""
    return torch.Generator().manual_seed(int(_rng(purpose, seed).integers(2**62)))


def uniform(n: int, purpose: str, seed: int) -> Tensor:
    """n uniform numbers in [0, 1)."""
    return torch.from_numpy(_rng(purpose, seed).random(n))


def draws(mixture: GaussianMixture, n: int, purpose: str, seed: int) -> Tensor:
    """n independent draws of a mixture, (n, d)."""
    edges = mixture.log_prior.exp().cumsum(0)
    which = torch.searchsorted(edges, uniform(n, purpose + ", component", seed) * edges[-1]).clamp(max=len(edges) - 1)
    noise = torch.from_numpy(_rng(purpose + ", noise", seed).standard_normal((n, mixture.dimension)))
    return mixture.means[which] + torch.einsum("nij,nj->ni", mixture.cholesky[which], noise)
