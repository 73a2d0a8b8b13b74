"""Kinetic energies and the cheapest path: against the values of docs/FORMULAS.md 2, the paper's ODE and Monte Carlo."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.stats import norm

from gensot_demo.transport.atoms import WeightedAtoms
from gensot_demo.transport.data_separation import (
    DataSeparation,
    separation_of_mixture,
    separation_of_points,
    standardised_mixture,
    standardised_points,
)
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.harmonic import HarmonicPath, constant_protocol
from gensot_demo.transport.kinetic_optimal import (
    KineticOptimalPath,
    conditional_energy,
    energy_interval,
    kinetic_energy,
    speed_squared,
)
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.paths import CondOTPath, CosinePath, VEPath, VPLinearPath
from gensot_demo.transport.targets import TARGETS, named_target

TWO = torch.tensor([[-1.0], [1.0]])
TURN = torch.arange(8, dtype=torch.float64) * math.pi / 4
RING = math.sqrt(2) * torch.stack([TURN.cos(), TURN.sin()], 1)
INSIDE = torch.linspace(0.01, 0.99, 197, dtype=torch.float64)


def gaussian_points(dimension: int) -> torch.Tensor:
    return torch.randn(64, dimension, generator=torch.Generator().manual_seed(dimension), dtype=torch.float64)


def checkerboard() -> DataSeparation:
    """Uniform on the 8 alternate cells of a 4 x 4 board of half-width sqrt 3: every moment a product of 1-D ones."""
    edge = np.linspace(-math.sqrt(3), math.sqrt(3), 5)
    cells = np.array([[(i + j) % 2 == 0 for j in range(4)] for i in range(4)], float) / 8
    theta = torch.atan(torch.logspace(-1, 2, 60, dtype=torch.float64))
    width = edge[1] - edge[0]
    missing = []
    for r in torch.tan(theta).tolist():
        sigma = 1 / r
        x = np.arange(-math.sqrt(3) - 7 * sigma, math.sqrt(3) + 7 * sigma, sigma / 4)
        zero, one, two = (
            np.stack([_interval_moment(x, low, low + width, sigma, power) for low in edge[:-1]], 1) / width
            for power in range(3)
        )  # (X, 4): the mean over each interval of y^power N(x; y, sigma^2)
        density = zero @ cells @ zero.T
        known = np.maximum(density, 1e-30)
        first, second = one @ cells @ zero.T / known, zero @ cells @ one.T / known
        square = (two @ cells @ zero.T + zero @ cells @ two.T) / known
        variance = np.where(density > 1e-30, square - first**2 - second**2, 0.0)
        missing.append(float((density * variance).sum() * (x[1] - x[0]) ** 2 / 2))
    exact = torch.tensor(missing, dtype=torch.float64)
    return DataSeparation(theta, exact, torch.zeros_like(exact), 2, discrete=False)


def _interval_moment(x: np.ndarray, low: float, high: float, sigma: float, power: int) -> np.ndarray:
    """int_low^high y^power N(x; y, sigma^2) dy in closed form."""
    a, b = (low - x) / sigma, (high - x) / sigma
    mass = norm.cdf(b) - norm.cdf(a)
    slope = norm.pdf(a) - norm.pdf(b)
    if power == 0:
        return mass
    if power == 1:
        return x * mass + sigma * slope
    tail = a * norm.pdf(a) - b * norm.pdf(b)
    return x * x * mass + 2 * x * sigma * slope + sigma**2 * (mass + tail)


SEPARATIONS = {
    "two points": lambda: separation_of_points(TWO),
    "ring": lambda: separation_of_points(RING),
    "gauss": lambda: separation_of_points(gaussian_points(64), draws=2048),
    "moons": lambda: separation_of_mixture(named_target("moons").mixture),
    "two modes": lambda: separation_of_mixture(named_target("two_modes").mixture),
}


@pytest.fixture(scope="module", params=list(SEPARATIONS))
def separation(request) -> DataSeparation:
    return SEPARATIONS[request.param]()


@pytest.mark.parametrize(
    ("make", "optimal", "straight", "trigonometric"),
    [
        (lambda: separation_of_points(TWO), 0.459, 0.982, 0.869),
        (lambda: separation_of_points(RING), 0.328, 0.841, 0.646),
        (checkerboard, 0.110, 0.538, 0.170),
        (lambda: separation_of_points(gaussian_points(64), draws=2048), 1.48, 1.66, 1.94),
        (lambda: separation_of_points(gaussian_points(1024), draws=2048), 1.87, 1.92, 2.33),
        (lambda: separation_of_points(gaussian_points(4096), draws=2048), 1.93, 1.96, 2.40),
    ],
    ids=["two points", "ring", "checkerboard", "64 in 64", "64 in 1024", "64 in 4096"],
)
def test_the_table_of_energies(make, optimal, straight, trigonometric):
    """Points are drawn anew for 64 in d: their energies differ by .01 or so from draw to draw."""
    s = make()
    rounding = 0.011 if s.dimension > 2 else 0.0006
    for path, value in ((KineticOptimalPath(s), optimal), (CondOTPath(), straight), (CosinePath(), trigonometric)):
        error = s.error_of(lambda one, path=path: _energy(path, one))
        assert kinetic_energy(path, s) == pytest.approx(value, abs=rounding + 4 * error)


def _energy(path, separation: DataSeparation) -> float:
    return kinetic_energy(KineticOptimalPath(separation) if isinstance(path, KineticOptimalPath) else path, separation)


def test_the_speed_of_the_cheapest_path_is_constant(separation):
    path = KineticOptimalPath(separation)
    speed = speed_squared(path, separation, INSIDE)
    np.testing.assert_allclose(speed, path.energy, rtol=1e-6)
    assert kinetic_energy(path, separation) == path.energy


def test_the_papers_equation_gives_the_same_path(separation):
    """th' = sqrt((c - c^2/4) / Gam) / (1 - c t + c t^2) from t = .001 (arXiv 2306.06626)."""
    path, c = KineticOptimalPath(separation), KineticOptimalPath(separation).energy

    def slope(t: float, theta: np.ndarray) -> np.ndarray:
        gam = separation.rate(torch.from_numpy(np.clip(theta, 0, math.pi / 2))).numpy()
        return np.sqrt((c - c * c / 4) / gam) / (1 - c * t + c * t * t)

    t = np.linspace(0.001, 0.98, 60)
    start = path.angles(torch.tensor([0.001], dtype=torch.float64)).numpy()
    solved = solve_ivp(slope, (0.001, 0.98), start, "LSODA", t, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(solved.y[0], path.angles(torch.from_numpy(t)), atol=2e-6)


def test_no_other_path_is_cheaper(separation):
    best = KineticOptimalPath(separation).energy
    for path in (CondOTPath(), CosinePath(), VPLinearPath(), VEPath(20.0)):
        assert kinetic_energy(path, separation) > best


def test_energies_equal_their_other_closed_forms(separation):
    assert kinetic_energy(CondOTPath(), separation) == pytest.approx(2 - separation.undecided, abs=1e-4)
    assert kinetic_energy(CosinePath(), separation) == pytest.approx(math.pi / 2 * separation.total_rate, abs=1e-4)


def test_ends_derivatives_and_inverse(separation):
    path = KineticOptimalPath(separation)
    ends = path.at(torch.tensor([0.0, 1.0], dtype=torch.float64))
    np.testing.assert_allclose(ends.a, [0, 1], atol=1e-12)
    np.testing.assert_allclose(ends.m, [1, 0], atol=1e-12)
    t, h = torch.linspace(0.05, 0.95, 40, dtype=torch.float64), 1e-6
    here, before, after = path.at(t), path.at(t - h), path.at(t + h)
    np.testing.assert_allclose(here.da, (after.a - before.a) / (2 * h), rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose(here.dm, (after.m - before.m) / (2 * h), rtol=2e-3, atol=1e-4)
    assert bool((here.log_K.diff() > 0).all())
    np.testing.assert_allclose(path.times_of_sigma(here.sigma), t, atol=1e-9)


def test_data_far_apart_in_many_dimensions_make_it_condot():
    theta = torch.linspace(0.01, 1.5, 40, dtype=torch.float64)
    decided = DataSeparation(theta, torch.zeros_like(theta), torch.zeros_like(theta), 10**6)
    path = KineticOptimalPath(decided)
    t = torch.linspace(0, 1, 21, dtype=torch.float64)
    assert path.energy == pytest.approx(2, abs=0.02)
    np.testing.assert_allclose(path.at(t).a, t, atol=0.01)


def test_gaussian_data_have_no_cheapest_path():
    s = separation_of_mixture(GaussianMixture([1.0], torch.zeros(1, 2), torch.eye(2)[None]))
    assert kinetic_energy(CosinePath(), s) == pytest.approx(0, abs=1e-5)
    with pytest.raises(InvalidValue, match="Gaussian"):
        KineticOptimalPath(s)


@pytest.mark.parametrize("path", [CondOTPath(), CosinePath(), VPLinearPath(), VEPath(5.0)], ids=lambda p: p.name)
def test_the_speed_against_simulation(path):
    """(1/d) E|a' yhat + (m'/m)(x - a yhat)|^2 over draws of x, for points and for a mixture."""
    generator = torch.Generator().manual_seed(4)
    t = torch.tensor([0.3, 0.6, 0.9], dtype=torch.float64)
    table, count = path.at(t), 40_000
    law = standardised_mixture(named_target("moons").mixture)
    points = standardised_points(RING)
    for oracle, s in ((law, separation_of_mixture(law)), (WeightedAtoms(points), separation_of_points(RING))):
        exact = speed_squared(path, s, t)
        for row, value in enumerate(exact.tolist()):
            p = table.point(row)
            y = oracle.sample(count, generator)
            x = p.a * y + p.m * torch.randn(count, 2, generator=generator, dtype=torch.float64)
            square = table.velocity(row, x, oracle.predict(x, p.a, p.m)).square().sum(1) / 2
            error = 5 * float(square.std()) / math.sqrt(count)
            assert float(square.mean()) == pytest.approx(value, abs=error + 2e-3 * value + 1e-6)


def test_a_harmonic_path_moves_as_simulated():
    law = standardised_mixture(named_target("moons").mixture)
    s = separation_of_mixture(law)
    protocol = constant_protocol(8.0, torch.tensor([0.5, -0.3], dtype=torch.float64), torch.zeros(2))
    path, t = HarmonicPath(protocol), torch.tensor([0.2, 0.7], dtype=torch.float64)
    table, generator, count = path.at(t), torch.Generator().manual_seed(1), 40_000
    for row, value in enumerate(speed_squared(path, s, t).tolist()):
        p = table.point(row)
        x = p.a * law.sample(count, generator) + p.g + p.m * torch.randn(count, 2, generator=generator).double()
        square = table.velocity(row, x, law.predict(x - p.g, p.a, p.m)).square().sum(1) / 2
        assert float(square.mean()) == pytest.approx(value, abs=5 * float(square.std()) / math.sqrt(count) + 2e-3)
    assert energy_interval(path, s)[0] == 1e-5


def test_where_an_energy_diverges_it_is_cut_off_and_said():
    points, density = separation_of_points(TWO), separation_of_mixture(named_target("moons").mixture)
    assert energy_interval(VPLinearPath(), points) == (0.0, 1 - 1e-5)
    assert energy_interval(VPLinearPath(), density) == (0.0, 1.0)
    assert energy_interval(CondOTPath(), points) == (0.0, 1.0)
    assert math.isinf(conditional_energy(VPLinearPath()))
    assert conditional_energy(CondOTPath()) == pytest.approx(2)
    assert conditional_energy(CosinePath()) == pytest.approx(math.pi**2 / 4)
    assert conditional_energy(VEPath(3.0)) == pytest.approx(9 * 49 / 13)


@pytest.mark.parametrize("name", TARGETS)
def test_every_named_target_has_a_cheapest_path(name):
    s = separation_of_mixture(named_target(name).mixture, 16)
    assert 0 < KineticOptimalPath(s).energy < kinetic_energy(CondOTPath(), s)
