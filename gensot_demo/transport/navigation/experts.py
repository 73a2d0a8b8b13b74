"""Experts who believe in different ends and teach different ways: their product law and their consensus.

p1 = prod_m p_m^{k_m} / Z for Gaussian mixtures and whole numbers k_m is again a mixture, component by component of all
index tuples (docs/FORMULAS.md 1.5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, product

import torch
from torch import Tensor

from ..errors import InvalidValue
from ..mixtures import GaussianMixture
from .corridor import Corridor, switching_teacher

MOST_COMPONENTS = 4000
_NEGLIGIBLE = 1e-12  # of all weight: such components are left out


def product_law(experts: Sequence[GaussianMixture], trusts: Sequence[int]) -> GaussianMixture:
    """prod_m p_m^{k_m} / Z, exact. trusts: whole numbers k_m >= 0, not all 0.

    With Lambda = sum Sigma_i^-1, h = sum Sigma_i^-1 mu_i over the factors of a tuple: Sigma* = Lambda^-1,
    mu* = Sigma* h, log w* = sum [log w_i - log|2 pi Sigma_i| / 2 - mu_i' Sigma_i^-1 mu_i / 2] + h' Sigma* h / 2
    + log|2 pi Sigma*| / 2. Tuples that are the same up to order are counted once, with their number.
    Raises InvalidValue for trusts that are no such numbers and for more than 4000 components.
    """
    if len(experts) != len(trusts) or not len(experts):
        raise InvalidValue(f"{len(experts)} experts have {len(trusts)} trusts; each needs one.")
    if any(k != int(k) or k < 0 for k in trusts) or sum(trusts) == 0:
        raise InvalidValue(f"trusts are {list(trusts)}; each must be a whole number from 0, and one above 0.")
    chosen = [(law, int(k)) for law, k in zip(experts, trusts, strict=True) if k]
    count = math.prod(math.comb(len(law.means) + k - 1, k) for law, k in chosen)
    if count > MOST_COMPONENTS:
        raise InvalidValue(
            f"The product of these experts has {count:,} components; at most {MOST_COMPONENTS:,} are taken. Use fewer "
            "modes or smaller trusts."
        )
    powers = [_power(law, k) for law, k in chosen]
    which = torch.tensor(list(product(*(range(len(power[0])) for power in powers))))
    precision = sum(power[1][which[:, m]] for m, power in enumerate(powers))
    information = sum(power[2][which[:, m]] for m, power in enumerate(powers))
    log_weight = sum(power[0][which[:, m]] for m, power in enumerate(powers))
    covariance = torch.linalg.inv(precision)
    covariance = 0.5 * (covariance + covariance.mT)
    mean = torch.einsum("nij,nj->ni", covariance, information)
    log_weight = log_weight + 0.5 * (information * mean).sum(1) + 0.5 * torch.logdet(2 * math.pi * covariance)
    weight = torch.softmax(log_weight, 0)
    kept = weight > _NEGLIGIBLE
    return GaussianMixture(weight[kept], mean[kept], covariance[kept])


def _power(law: GaussianMixture, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """(log weights (n,), precisions (n, d, d), informations (n, d)) of p^k before they are completed."""
    tuples = list(combinations_with_replacement(range(len(law.means)), k))
    which = torch.tensor(tuples)
    precision = torch.linalg.inv(law.covariances)
    information = torch.einsum("nij,nj->ni", precision, law.means)
    alone = law.log_prior - 0.5 * torch.logdet(2 * math.pi * law.covariances) - 0.5 * (information * law.means).sum(1)
    times = torch.tensor([_orders(one) for one in tuples], dtype=law.dtype).log()
    return alone[which].sum(1) + times, precision[which].sum(1), information[which].sum(1)


def _orders(chosen: tuple[int, ...]) -> float:
    """In how many orders a tuple can be written."""
    return math.factorial(len(chosen)) / math.prod(math.factorial(chosen.count(one)) for one in set(chosen))


@dataclass(frozen=True, eq=False)
class Expert:
    """belief: the end that an expert believes in.  amplitude: of the way that it teaches, in data units."""

    belief: GaussianMixture
    amplitude: float


def case_c_experts() -> tuple[Expert, Expert]:
    """The two experts of the paper's case C (docs/FORMULAS.md 1.5)."""
    first = GaussianMixture(
        [0.5, 0.4, 0.1],
        [[-1.0, 0.0], [1.0, 0.0], [0.0, -2.5]],
        torch.tensor(
            [[[0.3, 0.0], [0.0, 0.1]], [[0.1, 0.0], [0.0, 0.4]], [[0.2, 0.1], [0.1, 0.4]]], dtype=torch.float64
        ),
    )
    second = GaussianMixture(
        [0.5, 0.5],
        [[-1.5, -2.5], [1.5, -2.5]],
        torch.tensor([[[0.6, 0.0], [0.0, 1.5]], [[0.2, 0.0], [0.0, 0.4]]], dtype=torch.float64),
    )
    return Expert(first, 0.7), Expert(second, 1.4)


def teachers_of(experts: Sequence[Expert], steepness: float = 6.0) -> list:
    """Every expert's way: from the origin to its own mean, bent across the axis to the mean of their (1, ..., 1)
    product, as in the paper."""
    origin = torch.zeros(2, dtype=torch.float64)
    fused = product_law([one.belief for one in experts], [1] * len(experts)).mean()
    axis = Corridor(origin, fused)
    return [switching_teacher(Corridor(origin, one.belief.mean()), one.amplitude, steepness, axis) for one in experts]
