"""Quantiles, velocities and distances on a line against closed forms, the oracle's ODE, and the reference case."""

import math

import pytest
import torch
from numpy.polynomial.legendre import leggauss
from scipy.integrate import solve_ivp
from scipy.stats import norm

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.harmonic import HarmonicPath, constant_protocol
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.one_dimension import (
    LAW,
    densities,
    displacement,
    line_mixture,
    normal_quantiles,
    normal_scores,
    rows_of,
    speed_squared,
    velocity,
    wasserstein_2_squared,
)
from gensot_demo.transport.paths import CondOTPath, CosinePath, VEPath, VPLinearPath

REFERENCE = line_mixture([0.5, 0.5], [-0.6, 0.6], [0.3, 0.3])
UNEVEN = line_mixture([0.7, 0.2, 0.1], [-1.0, 0.3, 2.0], [0.1, 0.5, 0.2])
NORMAL = line_mixture([1.0], [0.0], [1.0])
PATHS = [CosinePath(), CondOTPath(), VPLinearPath(), VEPath(), HarmonicPath(constant_protocol(5.0, torch.zeros(1)))]


def quantiles(mixture, points, u):
    return normal_quantiles(mixture, points, torch.special.ndtri(u.double()))


def _c2(path, low=1e-6, panels=40):
    """int v_2^2 dt by Gauss-Legendre panels that crowd at both ends."""
    nodes, weights = (torch.from_numpy(part) for part in leggauss(10))
    edges = torch.sin(torch.linspace(0, math.pi / 2, panels + 1, dtype=torch.float64)) ** 2
    edges = low + (1 - 2 * low) * edges
    half = edges.diff() / 2
    t = (edges[:-1] + half)[:, None] + half[:, None] * nodes
    speed = speed_squared(REFERENCE, path.at(t.reshape(-1))).reshape(t.shape)
    return float((speed * weights * half[:, None]).sum())


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_a_quantile_has_the_probability_of_its_level_below_it(path):
    t, u = torch.tensor([1e-6, 0.2, 0.6, 0.95, 1 - 1e-6]), torch.tensor([1e-9, 0.01, 0.3, 0.69, 0.71, 0.999])
    points = path.at(t)
    found = quantiles(UNEVEN, points, u)
    for n in range(len(t)):
        p = points.point(n)
        law = UNEVEN.marginal(p.a, p.m)
        below = sum(
            float(w) * norm.cdf(found[n].numpy(), float(mean), math.sqrt(float(var)))
            for w, mean, var in zip(law.log_prior.exp(), law.means[:, 0], law.covariances[:, 0, 0], strict=True)
        )
        assert below == pytest.approx(u.double().numpy(), rel=1e-8)


def test_scores_reach_far_into_both_tails():
    found = normal_quantiles(NORMAL, (2.0, 1.5, -3.0), torch.tensor([-8.0, 0.0, 8.0], dtype=torch.float64))
    assert found[0].tolist() == pytest.approx([-3 - 20, -3, -3 + 20], abs=1e-9)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_velocity_is_that_of_the_oracle(path):
    points = path.at(torch.tensor([0.1, 0.5, 0.9]))
    x = torch.linspace(-3, 3, 31, dtype=torch.float64).expand(3, -1)
    found = velocity(UNEVEN, points, x)
    for n in range(3):
        p, state = points.point(n), x[n][:, None]
        assert torch.allclose(points.velocity(n, state, UNEVEN.predict(state, p.a, p.m))[:, 0], found[n], atol=1e-10)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_quantile_lines_are_flow_lines_of_the_oracle(path):
    u = torch.tensor([0.02, 0.3, 0.69, 0.72, 0.98], dtype=torch.float64)
    times = torch.tensor([0.05, 0.3, 0.6, 0.97], dtype=torch.float64)
    lines = quantiles(UNEVEN, path.at(times), u)

    def moves(t, x):
        points = path.at(t)
        p, state = points.point(0), torch.from_numpy(x)[:, None]
        return points.velocity(0, state, UNEVEN.predict(state, p.a, p.m))[:, 0].numpy()

    solved = solve_ivp(moves, (0.05, 0.97), lines[0].numpy(), t_eval=times.numpy(), rtol=1e-9, atol=1e-10)
    assert pytest.approx(lines.numpy(), abs=2e-6) == solved.y.T


def test_the_velocity_at_a_quantile_is_its_derivative():
    u, h = torch.tensor([0.1, 0.5, 0.8], dtype=torch.float64), 1e-5
    for path in PATHS:
        middle = velocity(UNEVEN, path.at(0.4), quantiles(UNEVEN, path.at(0.4), u))
        slope = (quantiles(UNEVEN, path.at(0.4 + h), u) - quantiles(UNEVEN, path.at(0.4 - h), u)) / (2 * h)
        assert torch.allclose(middle, slope, rtol=1e-5, atol=1e-6)


def test_speed_is_the_integral_over_levels():
    """A coarse rule in levels, where quantiles nearly leap, against the fine one in places."""
    z, weights = normal_scores(12001)
    points = CosinePath().at(torch.tensor([0.1, 0.5, 0.9]))
    by_levels = velocity(UNEVEN, points, normal_quantiles(UNEVEN, points, z)) ** 2 @ weights
    assert speed_squared(UNEVEN, points).tolist() == pytest.approx(by_levels.tolist(), rel=1e-6)


@pytest.mark.parametrize(
    ("path", "expected"), [(CosinePath(), 0.1997), (CondOTPath(), 0.4383), (VPLinearPath(), 0.3500)],
    ids=lambda value: getattr(value, "name", ""),
)  # fmt: skip
def test_reference_energies(path, expected):
    assert _c2(path) == pytest.approx(expected, abs=6e-5)


def test_optimal_transport_is_the_floor_of_every_energy_from_the_same_start():
    floor = float(wasserstein_2_squared(NORMAL, REFERENCE))
    assert floor == pytest.approx(0.1440, abs=6e-5)
    assert all(_c2(path) > floor for path in (CosinePath(), CondOTPath(), VPLinearPath()))


def test_distances_of_two_gaussians_are_known():
    one, other = line_mixture([1.0], [0.3], [0.5]), line_mixture([1.0], [-0.4], [1.2])
    assert float(wasserstein_2_squared(one, other)) == pytest.approx(0.7**2 + 0.7**2, rel=1e-10)


def test_distances_may_be_taken_along_a_path():
    points = CosinePath().at(torch.tensor([0.2, 0.7]))
    found = wasserstein_2_squared(UNEVEN, NORMAL, points)
    for n in range(2):
        p = points.point(n)
        assert float(wasserstein_2_squared(UNEVEN.marginal(p.a, p.m), NORMAL)) == pytest.approx(float(found[n]))


def test_displacement_moves_at_constant_speed():
    z, weights = normal_scores()
    end = normal_quantiles(REFERENCE, LAW, z)[0]
    lines = displacement(z, end, torch.tensor([0.0, 0.25, 1.0], dtype=torch.float64))
    assert float((lines[1] - lines[0]) ** 2 @ weights) == pytest.approx(0.1440 / 16, abs=6e-6)
    assert torch.equal(lines[0], z)
    assert torch.allclose(lines[2], end)


def test_densities_are_those_of_the_marginal():
    x = torch.linspace(-2, 2, 9, dtype=torch.float64)
    points = CondOTPath().at(0.6)
    law = UNEVEN.marginal(0.6, 0.4)
    assert torch.allclose(densities(UNEVEN, points, x)[0], law.log_density(x[:, None]).exp())


def test_what_does_not_fit_on_a_line_is_refused():
    plane = GaussianMixture([1.0], torch.zeros(1, 2), torch.eye(2)[None])
    with pytest.raises(InvalidValue, match="dimension 1, not 2"):
        quantiles(plane, LAW, torch.tensor([0.5]))
    with pytest.raises(InvalidValue, match="one coordinate, not 2"):
        rows_of(HarmonicPath(constant_protocol(1.0, torch.zeros(2))).at(0.5))
