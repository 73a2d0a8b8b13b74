"""The soft end: GenSOT's prediction under a noisy view of a reference is the exact posterior mean, at one question."""

from __future__ import annotations

import math

import pytest
import torch

from gensot_demo.guidance.base import Task
from gensot_demo.guidance.dps import DiffusionPosteriorSampling
from gensot_demo.guidance.gensot import GenSOT
from gensot_demo.guidance.sdedit import SDEdit
from gensot_demo.transport.atoms import WeightedAtoms
from gensot_demo.transport.grids import at_noise_levels, noise_levels
from gensot_demo.transport.harmonic import HarmonicPath, constant_protocol
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.paths import CosinePath, PathPoint

GENERATOR = torch.Generator().manual_seed(0)
MIXTURE = GaussianMixture(
    [0.5, 0.3, 0.2],
    [[2.0, 1.0], [-1.0, 0.5], [0.0, -2.0]],
    [[[0.5, 0.2], [0.2, 0.4]], [[0.3, 0.0], [0.0, 1.0]], [[0.2, -0.1], [-0.1, 0.3]]],
)
ATOMS = WeightedAtoms(
    torch.randn(40, 5, generator=GENERATOR, dtype=torch.float64), torch.rand(40, generator=GENERATOR) + 0.1
)
LEVELS = [(0.0, 1.0), (0.0, 0.0), (0.02, 1.0), (0.6, 0.8), (1.0, 0.05), (3.0, 2.0)]


def drive(asking, oracle):
    """What a hook returns when the oracle answers its questions, and how many states it asked about."""
    asked, answer = 0, None
    while True:
        try:
            query = asking.send(answer)
        except StopIteration as end:
            return end.value, asked
        asked += len(query.x) * len(query.conditions)
        answer = oracle.answer([query])[0]


def point_at(a: float, m: float, g: torch.Tensor) -> PathPoint:
    log_K = 2 * math.log(a / m) if a > 0 and m > 0 else -math.inf
    return PathPoint(0.5, a, 0.0, m, 0.0, log_K, 0.0, 0.0, 1.0, g, torch.zeros_like(g), torch.zeros_like(g))


def brute_force_mean(points, log_prior, x, a, m, reference, precision):
    """sum_i y_i p(y_i) N(x; a y_i, m^2) N(y_i; reference, 1/precision) / Z, term by term in float64."""
    log_w = log_prior - 0.5 * precision * ((points - reference) ** 2).sum(1)
    out = []
    for row in x:
        lw = log_w if a == 0 else log_w - ((row - a * points) ** 2).sum(1) / (2 * m * m)
        w = (lw - lw.max()).exp()
        out.append((w[:, None] * points).sum(0) / w.sum())
    return torch.stack(out)


@pytest.mark.parametrize("view_noise", [0.3, 1.0, 20.0])
@pytest.mark.parametrize(("a", "m"), LEVELS)
def test_prediction_on_atoms_is_the_posterior_mean_term_by_term(a, m, view_noise):
    reference, g = torch.full((5,), 0.4, dtype=torch.float64), torch.linspace(-1, 1, 5, dtype=torch.float64)
    x = torch.randn(7, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    task = Task(references=(reference,), reference_trusts=(1.0,), view_noise=view_noise)
    found, asked = drive(GenSOT().predict(task, point_at(a, m, g), x + g), ATOMS)
    expected = brute_force_mean(ATOMS.points, ATOMS.log_prior, x, a, m, reference, view_noise**-2)
    torch.testing.assert_close(found.state, expected, rtol=0, atol=1e-10)
    assert asked == len(x)


@pytest.mark.parametrize(("a", "m"), LEVELS)
def test_prediction_on_a_mixture_is_that_of_the_tilted_mixture(a, m):
    reference, g = torch.tensor([0.5, -0.5], dtype=torch.float64), torch.tensor([1.0, 2.0], dtype=torch.float64)
    x = torch.randn(9, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    task = Task(references=(reference,), reference_trusts=(1.0,), view_noise=0.7)
    found, _ = drive(GenSOT().predict(task, point_at(a, m, g), x + g), MIXTURE)
    tilted = MIXTURE.gaussian_view(reference, 0.7**-2)
    expected = tilted.predict(x, a, m) if a > 0 else tilted.mean().expand(9, 2)
    torch.testing.assert_close(found.state, expected, rtol=0, atol=1e-10)


def test_the_tilted_mixture_is_the_product_density_on_a_grid():
    reference, precision = torch.tensor([0.5, -0.5], dtype=torch.float64), 2.0
    axis = torch.linspace(-8, 8, 801, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    log_p = MIXTURE.log_density(grid) - 0.5 * precision * ((grid - reference) ** 2).sum(1)
    p = torch.softmax(log_p, 0)
    torch.testing.assert_close(p @ grid, MIXTURE.gaussian_view(reference, precision).mean(), rtol=0, atol=1e-8)


def test_two_references_are_one_view_of_their_weighted_mean():
    one, two = torch.zeros(5, dtype=torch.float64), torch.ones(5, dtype=torch.float64)
    task = Task(references=(one, two), reference_trusts=(1.0, 3.0), view_noise=2.0)
    x = torch.randn(4, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    found, _ = drive(GenSOT().predict(task, point_at(0.6, 0.8, torch.zeros(1)), x), ATOMS)
    pull = -0.5 / 4 * (((ATOMS.points - one) ** 2).sum(1) + 3 * ((ATOMS.points - two) ** 2).sum(1))
    expected = brute_force_mean(ATOMS.points, ATOMS.log_prior + pull, x, 0.6, 0.8, one, 0.0)
    torch.testing.assert_close(found.state, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("oracle", [MIXTURE, ATOMS], ids=["mixture", "atoms"])
def test_dps_pulls_along_the_exact_jacobian(oracle):
    """Cov(y|x) v against (m^2/a) (d yhat/dx)^T v by automatic differentiation, and the prediction built from it."""
    a, m, d = 0.7, 0.6, oracle.dimension
    x = torch.randn(6, d, generator=torch.Generator().manual_seed(4), dtype=torch.float64, requires_grad=True)
    reference = torch.full((d,), 0.3, dtype=torch.float64)
    plain = oracle.predict(x, a, m)
    log_likelihood = -0.5 * 4.0 * ((reference - plain) ** 2).sum()
    (gradient,) = torch.autograd.grad(log_likelihood, x)
    task = Task(references=(reference,), reference_trusts=(1.0,), view_noise=0.5)
    found, asked = drive(DiffusionPosteriorSampling().predict(task, point_at(a, m, torch.zeros(1)), x.detach()), oracle)
    torch.testing.assert_close(found.state, (plain + m * m / a * gradient).detach(), rtol=0, atol=1e-10)
    half, _ = drive(
        DiffusionPosteriorSampling(scale=0.5).predict(task, point_at(a, m, torch.zeros(1)), x.detach()), oracle
    )
    torch.testing.assert_close(half.state, (plain + 0.5 * m * m / a * gradient).detach(), rtol=0, atol=1e-10)
    assert asked == len(x)


@pytest.mark.parametrize("path", [CosinePath(), HarmonicPath(constant_protocol(20.0, torch.full((5,), 2.0)))])
@pytest.mark.parametrize("start_noise", [0.5, 1.0, 4.0])
def test_sdedit_starts_from_the_noised_reference_at_the_level_asked_for(path, start_noise):
    grid = at_noise_levels(path, noise_levels(60, 80.0, 0.01))
    noise = SharedNoise([3, 4], 5)
    reference = torch.full((5,), 1.5, dtype=torch.float64)
    task = Task(references=(reference,), reference_trusts=(1.0,), view_noise=1.0)
    (index, x), asked = drive(SDEdit(start_noise=start_noise).start(task, grid, noise), ATOMS)
    ratio = float(grid.sigma[index]) / start_noise
    neighbours = grid.sigma[index - 1] / grid.sigma[index]
    assert 1 / neighbours < ratio < neighbours
    p = grid.point(index)
    torch.testing.assert_close((x - p.g - p.a * reference) / p.m, noise.direction(p.log_K), rtol=0, atol=1e-9)
    assert asked == 0
