"""The kernel distance to a known law: its definition, its error, and that exact draws score 0."""

from __future__ import annotations

import math

import pytest
import torch

from gensot_demo.transport.distances import kernel_distance_to_law
from gensot_demo.transport.errors import InvalidValue


def setting(seed: int = 0, draws: int = 12):
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(7, 5, generator=generator, dtype=torch.float64)
    weights = torch.rand(7, generator=generator, dtype=torch.float64)
    weights = weights / weights.sum()
    chosen = torch.multinomial(weights, draws, True, generator=generator)
    return points, weights, chosen


def by_definition(x, points, weights, shares) -> float:
    def kernel(a, b):
        return (float(a @ b) / len(a) + 1) ** 3

    n, law = range(len(x)), list(zip(weights, points, strict=True))
    pairs = [(i, j) for i in n for j in n if i != j]
    own = sum(shares[i] * shares[j] * kernel(x[i], x[j]) for i, j in pairs)
    own /= sum(shares[i] * shares[j] for i, j in pairs)
    known = sum(v * w * kernel(a, b) for v, a in law for w, b in law)
    counts = [share * (sum(shares) - share) for share in shares]  # of each x, by the pairs that it is in
    cross = sum(c * w * kernel(a, b) for c, a in zip(counts, x, strict=True) for w, b in law) / sum(counts)
    return float(own + known - 2 * cross)


@pytest.mark.parametrize("even", [True, False])
def test_it_is_the_definition_and_its_error_the_jackknife(even):
    points, weights, chosen = setting()
    x = points[chosen] + 0.3
    shares = torch.ones(12) if even else torch.linspace(0.5, 2, 12)
    value, error = kernel_distance_to_law(x, points, weights, None if even else shares)
    shares = shares.double().tolist()
    assert value == pytest.approx(by_definition(x, points, weights, shares))
    left = [
        by_definition(torch.cat([x[:k], x[k + 1 :]]), points, weights, shares[:k] + shares[k + 1 :]) for k in range(12)
    ]
    mean = sum(left) / 12
    assert error == pytest.approx(math.sqrt(11 / 12 * sum((one - mean) ** 2 for one in left)))


def test_exact_draws_score_zero_on_average_and_others_do_not():
    points, weights, _ = setting()

    def of(seed: int, moved: float) -> float:
        generator = torch.Generator().manual_seed(seed)
        return kernel_distance_to_law(
            points[torch.multinomial(weights, 12, True, generator=generator)] + moved, points, weights
        )[0]

    exact = torch.tensor([of(1000 + seed, 0.0) for seed in range(400)])
    moved = torch.tensor([of(1000 + seed, 0.5) for seed in range(400)])
    assert abs(float(exact.mean())) < 4 * float(exact.std()) / 20
    assert float(moved.mean()) > 10 * float(moved.std()) / 20


def test_two_samples_are_too_few():
    points, weights, _ = setting()
    with pytest.raises(InvalidValue, match="at least 3 samples, not 2"):
        kernel_distance_to_law(points[:2], points, weights)
