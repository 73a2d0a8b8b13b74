"""Distances between point clouds, and the value each of them takes between two clouds of the same law."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from .errors import InvalidValue

MOST_POINTS = 2000  # an exact coupling costs time n^3 and memory n^2: about 1 s here


def w2_empirical(x: Tensor, y: Tensor) -> float:
    """Exact W2 between equal-weight clouds x (n, d) and y (k, d), in data units; n, k at most 2000.

    Optimal coupling by the network simplex of POT. Raises :class:`InvalidValue` for clouds that do not match.
    """
    import ot

    x, y = _clouds(x, y)
    if max(len(x), len(y)) > MOST_POINTS:
        raise InvalidValue(f"w2_empirical takes at most {MOST_POINTS} points, not {max(len(x), len(y))}.")
    square = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist").square().numpy()
    return math.sqrt(max(float(ot.emd2([], [], square, numItermax=1_000_000)), 0.0))


def sliced_w2(x: Tensor, y: Tensor, directions: int = 128, seed: int = 0) -> float:
    """Root mean square over random unit directions of the 1-D W2 between clouds of equal size (n, d); any n.

    At most W2 / sqrt(d) up to the error of the finite set of directions, which the seed fixes.
    """
    x, y = _clouds(x, y)
    if len(x) != len(y):
        raise InvalidValue(f"sliced_w2 needs clouds of equal size, not {len(x)} and {len(y)}.")
    generator = torch.Generator().manual_seed(seed)
    axes = torch.randn(x.shape[1], directions, generator=generator, dtype=torch.float64)
    axes = axes / torch.linalg.norm(axes, dim=0)
    return float((torch.sort(x @ axes, dim=0).values - torch.sort(y @ axes, dim=0).values).square().mean().sqrt())


def w2_noise_floor(
    sampler: Callable[[int, torch.Generator], Tensor], n: int, repeats: int = 8, seed: int = 0
) -> Tensor:
    """W2 between two independent clouds of n draws of one law, (repeats,): what a perfect method would score.

    sampler(n, generator) returns (n, d), like ``GaussianMixture.sample``. Report its median beside every distance.
    """
    generator = torch.Generator().manual_seed(seed)
    return torch.tensor([w2_empirical(sampler(n, generator), sampler(n, generator)) for _ in range(repeats)])


def kernel_distance(x: Tensor, y: Tensor, x_labels: Tensor, y_labels: Tensor, shares: Tensor) -> tuple[float, float]:
    """KID (Binkowski et al., arXiv 1801.01401) of features x (n, d) and y (m, d) drawn class by class, and its standard
    error.

    `shares` (classes,), sum 1, is the law of the classes on both sides. A mean over pairs within one class of one side
    leaves out the pairs of a picture with itself. The standard error is the jackknife's within classes: leaving out
    one picture of x or of y at a time. Every class needs three pictures on either side.
    """
    x, y, shares = x.double(), y.double(), shares.double()
    x_member, y_member = (functional.one_hot(labels, len(shares)).double() for labels in (x_labels, y_labels))
    n, m = x_member.sum(dim=0), y_member.sum(dim=0)

    def within(rows: Tensor, member: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
        """The mean over pairs on one side, and what it becomes without each picture, from rows[i, c], the sum of
        kernel(i, j) over j of class c other than i."""
        pairs = torch.outer(sizes, sizes) - torch.diag(sizes)
        means = member.T @ rows / pairs
        value = shares @ means @ shares
        own = member @ sizes
        to_own = (rows * member).sum(dim=1)
        own_total = member @ (member.T @ rows).diagonal()
        without_own = (own_total - 2 * to_own) / ((own - 1) * (own - 2)) - own_total / (own * (own - 1))
        other_means = (member @ (member.T @ rows) - rows) / ((own - 1)[:, None] * sizes) - member @ means
        others = (other_means * shares * (1 - member)).sum(dim=1)
        own_share = member @ shares
        return value, value + own_share**2 * without_own + 2 * own_share * others

    def across(rows: Tensor, member: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
        """The same for pairs of the two sides, from rows[i], the mean of kernel(i, j) over the other side's law."""
        means = member.T @ rows / sizes
        own = member @ sizes
        without = (member @ (sizes * means) - rows) / (own - 1)
        return shares @ means, shares @ means + (member @ shares) * (without - member @ means)

    between = _kernel(x, y)
    x_value, x_without = within(_kernel(x, x).fill_diagonal_(0) @ x_member, x_member, n)
    y_value, y_without = within(_kernel(y, y).fill_diagonal_(0) @ y_member, y_member, m)
    cross, cross_without_x = across(between @ (y_member / m) @ shares, x_member, n)
    _, cross_without_y = across(between.T @ (x_member / n) @ shares, y_member, m)

    def variance(values: Tensor, member: Tensor, sizes: Tensor) -> Tensor:
        deviations = values - member @ (member.T @ values / sizes)
        return (((sizes - 1) / sizes) * (member.T @ deviations**2)).sum()

    error = variance(x_without - 2 * cross_without_x, x_member, n) + variance(
        y_without - 2 * cross_without_y, y_member, m
    )
    return float(x_value + y_value - 2 * cross), float(error.sqrt())


def kernel_distance_to_law(
    x: Tensor, points: Tensor, weights: Tensor, shares: Tensor | None = None
) -> tuple[float, float]:
    """Squared MMD, kernel (x.y / d + 1)^3, of features x (n, d) to the law of atoms (N, d) with weights (N,); and its
    standard error.

    KID (Binkowski et al., arXiv 1801.01401) with the second law known: only pairs of x are estimated, without bias, so
    that it may fall below 0. shares: what each x counts (n,), all alike for None. The error is the jackknife's.
    Raises :class:`InvalidValue` for fewer than three x.
    """
    if len(x) < 3:
        raise InvalidValue(f"a kernel distance needs at least 3 samples, not {len(x)}.")
    x, points = x.double(), points.double()
    weights = weights.double() / weights.double().sum()
    shares = torch.ones(len(x), dtype=torch.float64) if shares is None else shares.double()

    own = _kernel(x, points) @ weights
    apart = _kernel(x, x) - own[:, None] - own + weights @ _kernel(points, points) @ weights
    pairs = torch.outer(shares, shares) * (1 - torch.eye(len(x), dtype=torch.float64))
    weighed = pairs * apart
    value = weighed.sum() / pairs.sum()
    without = (weighed.sum() - 2 * weighed.sum(1)) / (pairs.sum() - 2 * pairs.sum(1))
    error = ((len(x) - 1) / len(x) * (without - without.mean()).square().sum()).sqrt()
    return float(value), float(error)


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    """(x.y / d + 1)^3 of every pair (n, m)."""
    return (a @ b.T / a.shape[1] + 1) ** 3


def _clouds(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    if x.dim() != 2 or y.dim() != 2 or x.shape[1] != y.shape[1] or not len(x) or not len(y):
        raise InvalidValue(f"clouds must be (n, d) and (k, d), not {tuple(x.shape)} and {tuple(y.shape)}.")
    x, y = x.detach().double().cpu(), y.detach().double().cpu()
    if not bool(torch.isfinite(x).all() and torch.isfinite(y).all()):
        raise InvalidValue("clouds must hold finite numbers.")
    return x, y
