"""The data separation function: against quadrature, closed forms and itself with other seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from gensot_demo.transport.data_separation import (
    DataSeparation,
    separation_bound,
    separation_of_mixture,
    separation_of_points,
    separation_steps,
    standardised_mixture,
    standardised_points,
)
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.targets import named_target

TWO = torch.tensor([[-1.0], [1.0]])


def two_points(r: float) -> float:
    """1 - lambda of two points +-1 in one dimension: E sech^2(r^2 + r z)."""
    return quad(lambda z: math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / math.cosh(r * r + r * z) ** 2, -10, 10)[0]


def test_two_points_against_quadrature():
    s = separation_of_points(TWO, seed=3)
    exact = np.array([two_points(r) for r in torch.tan(s.angles).tolist()])
    assert len(s.angles) == 40
    assert np.all(np.abs(s.missing.numpy() - exact) < 5 * s.standard_error.numpy() + 1 / 8192)
    assert float(s.standard_error.max()) < 1e-3


def test_the_interpolation_between_levels():
    s = separation_of_points(TWO, seed=1)
    middle = 0.5 * (s.angles[1:] + s.angles[:-1])
    exact = torch.tensor([two_points(r) for r in torch.tan(middle).tolist()])
    assert float((s.missing_at(middle) - exact).abs().max()) < 2e-3
    assert float(s.missing_at(torch.zeros(1, dtype=torch.float64))) == 1.0


def test_the_undecided_integral_against_quadrature():
    exact = quad(two_points, 0, 12)[0]
    s = separation_of_points(TWO)
    assert s.undecided == pytest.approx(exact, abs=1e-3)
    assert s.error_of(lambda one: one.undecided) < 1e-3


@pytest.mark.parametrize("shape", [(40, 3), (40, 60)], ids=["spread draws", "pairs"])
def test_standard_errors_are_honest(shape):
    """Over 40 seeds, estimates scatter as much as the standard errors say (each known to 18 %)."""
    points = torch.randn(*shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    theta = torch.tensor([0.15, 0.35, 0.7])
    runs = [separation_of_points(points, theta, draws=512, seed=seed) for seed in range(40)]
    scatter = torch.stack([s.missing for s in runs]).std(0)
    claimed = torch.stack([s.standard_error for s in runs]).square().mean(0).sqrt()
    ratio = scatter / claimed
    assert bool(((ratio > 0.6) & (ratio < 1.5)).all()), ratio  # sd of a sd of 40 runs: 11 %
    energy = [s.error_of(lambda one: one.undecided) for s in runs]
    values = torch.tensor([s.undecided for s in runs])
    assert 0.6 < float(values.std()) / float(np.mean(energy)) < 1.5


def test_separable_points_in_their_span():
    """Noise outside the span of the points changes nothing but the units."""
    points = standardised_points(torch.randn(12, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    wide = torch.cat([points, torch.zeros(12, 9, dtype=torch.float64)], 1)
    told = separation_of_points(points, torch.tensor([0.1, 0.3]), dimension=12)
    shown = separation_of_points(wide, torch.tensor([0.1, 0.3]), draws=40_000, seed=1)
    error = torch.hypot(told.standard_error, shown.standard_error)
    assert bool(((told.missing - shown.missing).abs() < 5 * error).all())


def test_steps_report_their_progress():
    steps = separation_steps(TWO, torch.tensor([0.2, 0.5]), draws=32)
    assert next(steps) == (0, 2)
    assert next(steps) == (1, 2)
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert isinstance(end.value.value, DataSeparation)


@pytest.mark.parametrize("variance", [0.3, 1.0, 4.0])
def test_a_gaussian_mixture_of_one_has_no_separation_beyond_the_line(variance):
    """Standardised N(0, I): 1 - lambda = cos^2 theta, Gam = 0."""
    s = separation_of_mixture(GaussianMixture([1.0], [[2.0, -1.0]], variance * torch.eye(2)[None]))
    torch.testing.assert_close(s.missing, torch.cos(s.angles) ** 2, atol=1e-7, rtol=0)


def test_an_anisotropic_gaussian_in_closed_form():
    covariance = torch.tensor([[3.0, 0.6], [0.6, 0.4]], dtype=torch.float64)
    mixture = GaussianMixture([1.0], [[1.0, 1.0]], covariance[None])
    s = separation_of_mixture(mixture)
    value = torch.linalg.eigvalsh(covariance) * 2 / covariance.trace()
    r = torch.tan(s.angles)
    exact = (value / (1 + r[:, None] ** 2 * value)).mean(1)
    torch.testing.assert_close(s.missing, exact, atol=1e-6, rtol=0)


def test_a_mixture_on_the_line_by_quadrature():
    mixture = GaussianMixture([0.3, 0.7], [[-1.0], [0.8]], [[[0.05]], [[0.2]]])
    law = standardised_mixture(mixture)
    r = torch.tan(separation_of_mixture(mixture).angles)[[5, 20, 30]]
    for level in r.tolist():
        marginal = law.marginal(1.0, 1 / level)

        def integrand(x: float, level: float = level, marginal: GaussianMixture = marginal) -> float:
            at = torch.tensor([[x]], dtype=torch.float64)
            return float(marginal.log_density(at).exp() * law.posterior_variance(at, 1.0, 1 / level))

        exact = quad(integrand, -12 - 8 / level, 12 + 8 / level, limit=400, epsabs=1e-9)[0]
        s = separation_of_mixture(mixture, torch.tensor([math.atan(level)]))
        assert float(s.missing[0]) == pytest.approx(exact, abs=1e-6)


def test_quadrature_and_monte_carlo_agree_on_a_drawn_law():
    mixture = named_target("three_modes").mixture
    theta = torch.tensor([0.3, 0.8, 1.2])
    exact = separation_of_mixture(mixture, theta).missing
    law = standardised_mixture(mixture)
    generator = torch.Generator().manual_seed(2)
    for level, value in zip(torch.tan(theta).tolist(), exact.tolist(), strict=True):
        x = law.sample(20_000, generator) + torch.randn(20_000, 2, generator=generator, dtype=torch.float64) / level
        variance = law.posterior_variance(x, 1.0, 1 / level) / 2
        assert float(variance.mean()) == pytest.approx(value, abs=5 * float(variance.std()) / math.sqrt(20_000))


def test_lambda_tends_to_one_in_high_dimensions_within_the_bound():
    generator = torch.Generator().manual_seed(0)
    undecided = []
    for d in (64, 256, 1024):
        s = separation_of_points(torch.randn(16, d, generator=generator), draws=512)
        undecided.append(s.undecided)
        assert s.undecided <= separation_bound(16, d)
    slope = np.polyfit(np.log([64, 256, 1024]), np.log(undecided), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.05)  # the observed decay


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (torch.ones(5, 2), "all 5 points are in one place"),
        (torch.zeros(1, 3), "the only point is in one place"),
        (torch.tensor([[1.0, math.nan]]), "finite"),
        (torch.zeros(0, 2), "non-empty"),
    ],
)
def test_data_without_variance_are_refused(points, words):
    with pytest.raises(InvalidValue, match=words):
        separation_of_points(points)


def test_some_coincident_points_are_one_heavier_point():
    s = separation_of_points(torch.tensor([[-1.0], [1.0], [-1.0], [1.0]]), torch.tensor([0.5, 0.9]))
    for missing, error, r in zip(s.missing, s.standard_error, torch.tan(s.angles), strict=True):
        assert float(missing) == pytest.approx(two_points(float(r)), abs=5 * float(error) + 1e-6)


def test_bad_levels_and_dimensions_are_refused():
    with pytest.raises(InvalidValue, match="rise strictly"):
        DataSeparation(torch.tensor([0.5, 0.4]), torch.tensor([0.5, 0.4]), torch.zeros(2), 1)
    with pytest.raises(InvalidValue, match="1 or 2 dimensions"):
        separation_of_mixture(GaussianMixture([1.0], torch.zeros(1, 3), torch.eye(3)[None]))


def test_integrated_levels_agree_with_estimated_ones_and_have_no_error():
    """1000 points of a ring in the plane: where most is undecided, the rate of deciding is smooth and positive."""
    from gensot_demo.transport.targets import named_target

    points = named_target("ring").mixture.sample(1000, torch.Generator().manual_seed(3))
    drawn = separation_of_points(points, seed=1)
    exact = separation_of_points(points, angles=drawn.angles, seed=1, quadrature=True)
    integrated = exact.standard_error == 0
    assert 10 <= int(integrated.sum()) < len(integrated)
    seen = integrated & (drawn.missing > 0.02)  # below, draws rarely meet what is still undecided
    away = (exact.missing - drawn.missing)[seen].abs()
    assert bool((away < 5 * drawn.standard_error[seen] + 1e-6).all())
    rate = exact.rate(exact.angles[integrated])
    assert bool((rate.diff() > 0).all())
    assert bool((exact.missing[integrated].diff() < 0).all())
