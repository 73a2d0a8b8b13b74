"""A temperature that changes on the way, against brute-force conditioning of a discretised path."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import solveh_banded

from gensot_demo.transport.harmonic import HarmonicPath
from gensot_demo.transport.navigation.clock import clocked

TIMES = torch.tensor([0.0, 0.25, 0.6, 1.0], dtype=torch.float64)
STIFFNESS = torch.tensor([5.0, 40.0, 12.0], dtype=torch.float64)
GUIDE = torch.tensor([[1.0], [-2.0], [0.5]], dtype=torch.float64)
TEMPERATURE = torch.tensor([0.3, 2.0, 0.8], dtype=torch.float64)
START = torch.tensor([0.4], dtype=torch.float64)


def test_mean_and_variance_are_those_of_a_conditioned_discretised_path():
    """x_t | y under exp(-int |x'|^2/(2 kappa_t) + (beta_t/2)|x - nu_t|^2 dt): a tridiagonal Gaussian; O(1/n^2)."""
    n, y = 4000, 1.3
    h = 1 / n
    edge = np.searchsorted(TIMES.numpy(), (np.arange(n) + 0.5) * h, side="right") - 1
    bond = 1 / (TEMPERATURE.numpy()[edge] * h)  # n bonds
    beta = STIFFNESS.numpy()[edge]
    pull = beta * GUIDE.numpy()[edge, 0]
    diagonal = bond[:-1] + bond[1:] + 0.5 * h * (beta[:-1] + beta[1:])  # inner points share both sides
    force = 0.5 * h * (pull[:-1] + pull[1:])
    force[0] += bond[0] * float(START)
    force[-1] += bond[-1] * y
    banded = np.stack([np.concatenate([[0.0], -bond[1:-1]]), diagonal])
    mean = solveh_banded(banded, force)
    course = clocked(TIMES, STIFFNESS, GUIDE, START, TEMPERATURE)
    path = HarmonicPath(course.protocol)
    for t in (0.1, 0.25, 0.45, 0.6, 0.9):
        k = round(t * n) - 1
        unit = np.zeros(n - 1)
        unit[k] = 1.0
        point = path.at(course.clock(torch.tensor([t], dtype=torch.float64)))
        assert float(point.a * y + point.g[0, 0]) == pytest.approx(mean[k], abs=2e-5)
        assert float(point.m**2) == pytest.approx(solveh_banded(banded, unit)[k], rel=2e-4)


def test_one_temperature_keeps_the_clock():
    course = clocked(TIMES, STIFFNESS, GUIDE, START, torch.full((3,), 0.7, dtype=torch.float64))
    assert torch.equal(course.protocol.knots, TIMES)
    assert torch.equal(course.protocol.stiffness, STIFFNESS)
    assert course.protocol.temperature == 0.7
    t = torch.linspace(0, 1, 7, dtype=torch.float64)
    assert torch.allclose(course.time(course.clock(t)), t)
    assert torch.allclose(course.rate(t), torch.ones(7, dtype=torch.float64))


def test_the_clock_runs_with_the_temperature():
    course = clocked(TIMES, STIFFNESS, GUIDE, START, TEMPERATURE)
    t = torch.tensor([0.05, 0.3, 0.7], dtype=torch.float64)
    assert torch.allclose(course.rate(course.clock(t)), TEMPERATURE / course.protocol.temperature)
    assert course.protocol.temperature == pytest.approx(float(TEMPERATURE @ TIMES.diff()))
