"""Which noise is paired with which point in training: at random, within minibatches, or over the whole data set.

Every pairing leaves both marginals as they are: a flow trained on it still carries noise to data.
Sources: Pooladian et al., arXiv 2304.14772, and Tong et al., arXiv 2302.00482 (minibatch optimal transport); AOT, arXiv
2403.05069 (approximate optimal transport of the data set as a whole).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..couplings import optimal_assignment
from ..errors import InvalidValue
from .semi_discrete import Brenier

Pairing = Callable[[Tensor, Tensor], Tensor]
"""The partners (n, d) of noise (n, d), given points (n, d) that were drawn with it."""


def independent(noise: Tensor, points: Tensor) -> Tensor:
    """As they were drawn."""
    return points


def within_minibatches(size: int) -> Pairing:
    """The cheapest assignment within each ``size`` pairs on end: only who is whose partner changes."""
    if size < 1:
        raise InvalidValue(f"a minibatch has at least one pair, not {size}.")

    def pair(noise: Tensor, points: Tensor) -> Tensor:
        blocks = zip(noise.split(size), points.split(size), strict=True)
        return torch.cat([part[optimal_assignment(one, part)] for one, part in blocks])

    return pair


def whole(brenier: Brenier) -> Pairing:
    """The optimal map from N(0, I) to the data set: noise goes to the point in whose Laguerre cell it lies, which of
    the drawn points it was paired with does not matter. The limit of minibatches of any size."""

    def pair(noise: Tensor, points: Tensor) -> Tensor:
        return brenier.to(noise).to(points)

    return pair


def cost(noise: Tensor, partners: Tensor) -> float:
    """Mean |x_0 - y|^2 of pairs (n, d)."""
    return float((noise - partners).square().sum(-1).mean())


def plan_cost(points: Tensor, size: int, batches: int, seed: int = 0) -> tuple[float, float]:
    """Mean cost of a minibatch's best assignment and its standard error: noise and points (N, d) drawn anew, ``size``
    pairs at a time. Its expectation is the cost of a coupling of the two laws, so at least W2^2; it falls with
    ``size``, as a larger batch may be paired as its parts are."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(batches):
        noise = torch.randn(size, points.shape[1], generator=generator, dtype=points.dtype)
        drawn = points[torch.randint(len(points), (size,), generator=generator)]
        found.append(cost(noise, drawn[optimal_assignment(noise, drawn)]))
    values = torch.tensor(found, dtype=torch.float64)
    return float(values.mean()), float(values.std()) / batches**0.5


def swapped_share(noise: Tensor, partners: Tensor) -> float:
    """Share of two pairs, of all of (n, d), that would be cheaper with their partners swapped:
    <x_i - x_j, y_i - y_j> < 0. 0 for an optimal coupling; one half where pairs are independent."""
    products = (noise[:, None] - noise).mul(partners[:, None] - partners).sum(-1)
    return float((products < 0).double().sum()) / (len(noise) * (len(noise) - 1))


def crossing_share(lines: Tensor) -> float:
    """Share of two lines, of all polylines (n, K, 2), that cross in the plane; those that only touch do not.

    Lines that cross there may pass at different times: in time and plane together neither optimal segments nor the
    lines of a flow ever meet.
    """
    starts, ends = lines[:, :-1].flatten(0, 1), lines[:, 1:].flatten(0, 1)
    other_sides = _side(starts[:, None], ends[:, None], starts) * _side(starts[:, None], ends[:, None], ends) < 0
    meet = other_sides & other_sides.T
    n, parts = len(lines), lines.shape[1] - 1
    crossed = meet.reshape(n, parts, n, parts).any(3).any(1)
    return float(crossed.triu(1).double().sum()) / (n * (n - 1) / 2)


def _side(start: Tensor, end: Tensor, place: Tensor) -> Tensor:
    """On which side of start to end a place lies: the sign of a determinant."""
    along, away = end - start, place - start
    return along[..., 0] * away[..., 1] - along[..., 1] * away[..., 0]
