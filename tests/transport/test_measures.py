"""Energies and order parameter read from traces, against closed forms for Gaussian data."""

from __future__ import annotations

import pytest
import torch

from gensot_demo.transport.atoms import WeightedAtoms
from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.conductor import Job, Trace, run
from gensot_demo.transport.distances import w2_empirical
from gensot_demo.transport.grids import at_noise_levels, noise_levels
from gensot_demo.transport.measures import EndLaw, EnergyCurve, end_law, energy_curve, least_action, order_parameter
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.paths import CondOTPath, CosinePath
from gensot_demo.transport.steering import Steering

VARIANCE, ROWS = 0.49, 6000
ROUND = GaussianMixture([1.0], [[0.0, 0.0]], VARIANCE * torch.eye(2)[None])


def traced(path, sampler: str, steps: int = 60) -> Trace:
    grid = at_noise_levels(path, noise_levels(steps, 50.0, 0.02))
    noise = SharedNoise([5], 2, ROWS)
    return run([Job("x", SAMPLERS[sampler].run, grid, noise, Steering(data_variance=VARIANCE))], ROUND)[0]


def measured(path, sampler: str, outside: int = 0) -> EnergyCurve:
    trace = traced(path, sampler)
    index, x, predicted = trace.delivered(range(ROWS))
    return energy_curve(trace.grid, index, x, predicted, outside, flow=not SAMPLERS[sampler].stochastic)


@pytest.mark.parametrize("path", [CosinePath(), CondOTPath()])
@pytest.mark.parametrize("sampler", ["heun", "averaged"])
def test_kinetic_energy_of_gaussian_data(path, sampler):
    """x_t = S_t xi with S^2 = a^2 v + m^2, so E|v_t|^2/d = (dS/dt)^2, here by finite differences of S."""
    curve = measured(path, sampler)

    def spread(t):
        p = path.at(t)
        return torch.sqrt(p.a**2 * VARIANCE + p.m**2)

    h = 1e-6
    inside = (curve.t > 0.02) & (curve.t < 0.98)
    exact = ((spread(curve.t[inside] + h) - spread(curve.t[inside] - h)) / (2 * h)) ** 2
    error = (2 / (2 * ROWS)) ** 0.5  # relative, of a mean of 2 ROWS squared normals
    assert float((curve.kinetic[inside] - exact).abs().max()) < 5 * error * float(exact.max())
    other = (CosinePath() if isinstance(path, CondOTPath) else CondOTPath()).at(curve.t[inside])
    wrong = (other.da * other.a * VARIANCE + other.dm * other.m) ** 2 / (other.a**2 * VARIANCE + other.m**2)
    assert float((wrong - exact).abs().max()) > 20 * error * float(exact.max())


def test_straightness_and_length_exist_for_flow_lines_only():
    flow, noisy = measured(CosinePath(), "heun"), measured(CosinePath(), "averaged")
    assert flow.straightness > -1e-3
    assert flow.path_length_ratio > 1 - 1e-3
    assert noisy.straightness is None
    assert noisy.path_length_ratio is None


def test_coordinates_outside_carry_noise_only():
    """With as many coordinates outside as inside, the mean is that of both: (m')^2 for the new ones."""
    plain, wider = measured(CosinePath(), "heun"), measured(CosinePath(), "heun", outside=2)
    dm = CosinePath().at(wider.t).dm
    torch.testing.assert_close(wider.kinetic, 0.5 * (plain.kinetic + dm**2))


def test_order_parameter_is_one_minus_the_unexplained_share():
    """1 - mmse/E|y|^2, with mmse = v sigma^2/(v + sigma^2) per coordinate for Gaussian data."""
    trace = traced(CosinePath(), "averaged")
    index, _, predicted = trace.delivered(range(ROWS))
    sigma = trace.grid.sigma[index[:-1]]
    exact = VARIANCE / (VARIANCE + sigma**2)
    order = order_parameter(predicted, trace.end)[:-1]
    assert float((order - exact).abs().max()) < 0.05
    assert float((order - (1 - exact)).abs().max()) > 0.5


def test_moments_of_the_end_are_those_of_the_weighted_points():
    generator = torch.Generator().manual_seed(3)
    for count, dimension in ((5, 9), (30, 4)):
        points = torch.randn(count, dimension, generator=generator, dtype=torch.float64)
        weights = torch.softmax(torch.randn(count, generator=generator, dtype=torch.float64), 0)
        law = end_law(points, weights)
        covariance = torch.cov(points.T, aweights=weights, correction=0)
        torch.testing.assert_close(law.mean, weights @ points)
        kept = torch.linalg.eigvalsh(covariance)[-len(law.variances) :].clamp(min=0)
        torch.testing.assert_close(law.variances, kept, atol=1e-12, rtol=1e-9)


ATOMS = torch.zeros(4, 12, dtype=torch.float64)  # few pictures in many dimensions
ATOMS[:, :2] = torch.tensor([[4.8, 0.6], [-1.2, 3.9], [-3.3, -2.1], [0.9, -4.2]])


def test_no_path_is_cheaper_than_the_least_action_and_little_is_lost_below_w2():
    """Between the bound and the action lies W2^2, here by an exact coupling of the trace's own ends."""
    atoms = WeightedAtoms(ATOMS)
    grid = at_noise_levels(CosinePath(), noise_levels(120, 80.0, 0.02))
    count = 1500
    steering = Steering(data_variance=float(ATOMS.var(0).mean()))
    trace = run([Job("x", SAMPLERS["heun"].run, grid, SharedNoise([2], 12, count), steering)], atoms)[0]
    index, x, predicted = trace.delivered(range(count))
    curve = energy_curve(trace.grid, index, x, predicted)
    law = end_law(ATOMS, torch.full((4,), 0.25, dtype=torch.float64))
    least = least_action(trace.grid, index, x, law)
    time = float(curve.t[-1] - curve.t[0])
    w2 = w2_empirical(x[0], x[len(curve.t) - 1]) ** 2 / (12 * time)
    error = 5 * 2 * float(x[0].square().sum(1).std()) / 12 / count**0.5  # of both empirical ends
    assert least < w2 + error
    assert w2 < curve.action
    assert least > 0.8 * w2  # a bound that says something
    far = EndLaw(law.mean + 3.0, law.variances)
    assert least_action(trace.grid, index, x, far) > 2 * curve.action  # and one that can fail


def test_the_least_action_of_gaussian_data_is_their_distance_and_few_states_do_not_bias_it():
    """W2^2 = |shift|^2 + sum (s_1 - s_0)^2 for covariances that commute; 4 states in 4000 dimensions."""
    dimension, mean = 4000, 0.3
    grid = at_noise_levels(CondOTPath(), noise_levels(10, 50.0, 0.02))
    first = grid.point(0)
    generator = torch.Generator().manual_seed(0)
    x = first.m * torch.randn(1, 4, dimension, generator=generator, dtype=torch.float64).expand(11, -1, -1)
    law = EndLaw(torch.full((dimension,), mean, dtype=torch.float64), torch.tensor([900.0, 400.0], dtype=torch.float64))
    last = grid.point(10)
    spread = sum((((last.a**2 * v + last.m**2) ** 0.5) - first.m) ** 2 for v in (900.0, 400.0))
    exact = (dimension * (last.a * mean) ** 2 + spread + (dimension - 2) * (last.m - first.m) ** 2) / dimension
    found = least_action(grid, range(11), x, law) * (last.t - first.t)
    error = first.m**2 / 4 * (2 / dimension) ** 0.5 + 2 * mean * first.m / (4 * dimension) ** 0.5
    assert found == pytest.approx(exact, abs=5 * error)
    assert first.m**2 / 4 > 20 * error  # what the correction takes away
