"""Energies and order parameter read from traces, against closed forms for Gaussian data."""

from __future__ import annotations

import pytest
import torch

from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.conductor import Job, Trace, run
from gensot_demo.transport.grids import at_noise_levels, noise_levels
from gensot_demo.transport.measures import EnergyCurve, energy_curve, order_parameter
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
