"""How many clusters tokens have gathered in, by a greedy count."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

ALIKE = 0.999
"""Tokens on the sphere are one cluster if the cosine of their angle is above this."""
NEAR = 0.1
"""Tokens in the plane are one cluster if they are nearer than this, in units of the root mean square of the cloud."""


def clusters(x: Tensor, normalised: bool) -> Tensor:
    """(..., n) of tokens (..., n, d): the cluster of each, numbered from 0 in the order of their first tokens.

    Greedy: the first token without a cluster leads one, with all that are near it and in none
    (docs/FORMULAS.md 5). Chains of neighbours do not count as one.
    """
    found = [_greedy(_near(tokens, normalised)) for tokens in x.reshape(-1, *x.shape[-2:])]
    return torch.from_numpy(np.stack(found)).reshape(x.shape[:-1])


def cluster_count(x: Tensor, normalised: bool) -> Tensor:
    """(...) of tokens (..., n, d): the number of clusters."""
    return clusters(x, normalised).amax(-1) + 1


def _near(tokens: Tensor, normalised: bool) -> NDArray[np.bool_]:
    """(n, n): which tokens are near each."""
    if normalised:
        return (tokens @ tokens.T > ALIKE).numpy()
    centred = tokens - tokens.mean(0)
    size = float(centred.square().sum(-1).mean().sqrt())
    return (torch.cdist(centred, centred) < NEAR * max(size, 1e-12)).numpy()


def _greedy(near: NDArray[np.bool_]) -> NDArray[np.int64]:
    found = np.full(len(near), -1)
    number = 0
    for leader, row in enumerate(near):
        if found[leader] < 0:
            found[row & (found < 0)] = number
            found[leader] = number  # however its nearness to itself is rounded
            number += 1
    return found
