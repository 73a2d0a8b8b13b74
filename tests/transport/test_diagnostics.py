"""Diagnostics in closed form against reference values, brute force, dense quadrature and simulation."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.linalg import cholesky_banded, solveh_banded

from gensot_demo.transport import diagnostics
from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.conductor import Job, run
from gensot_demo.transport.diagnostics import diagnose
from gensot_demo.transport.grids import uniform_times
from gensot_demo.transport.guides import guided_protocol
from gensot_demo.transport.harmonic import HarmonicPath, Protocol, constant_protocol
from gensot_demo.transport.mixtures import GaussianMixture, two_modes
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.steering import Steering

MODES = two_modes()
LINE = GaussianMixture([0.2, 0.5, 0.3], [[-2.0], [0.0], [1.0]], torch.tensor([0.25, 0.04, 1.0]).reshape(3, 1, 1))


def guided(shape: str, stiffness: float, temperature: float = 1.0, pieces: int = 20) -> HarmonicPath:
    return HarmonicPath(guided_protocol(shape, stiffness, MODES.mean(), pieces, temperature=temperature))


def one_dimensional(temperature: float = 0.7) -> HarmonicPath:
    """Four unequal pieces, one of them without stiffness, away from the origin."""
    return HarmonicPath(
        Protocol(
            torch.tensor([30.0, 0.0, 200.0, 5.0], dtype=torch.float64),
            torch.tensor([[1.0], [5.0], [-2.0], [0.5]], dtype=torch.float64),
            torch.tensor([0.7], dtype=torch.float64),
            temperature,
            torch.tensor([0.0, 0.2, 0.5, 0.7, 1.0], dtype=torch.float64),
        )
    )


# --- costs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "stiffness", "temperature", "total", "guiding", "kinetic"),
    [
        ("none", 5, 1.0, 13.672, 6.097, 7.575),
        ("straight", 5, 1.0, 7.735, 1.364, 6.371),
        ("S", 5, 1.0, 10.223, 3.576, 6.647),
        ("V", 5, 1.0, 8.985, 2.203, 6.782),
        ("none", 20, 1.0, 26.831, 13.586, 13.246),
        ("straight", 20, 1.0, 10.826, 3.312, 7.514),
        ("S", 20, 1.0, 18.305, 8.324, 9.981),
        ("V", 20, 1.0, 13.365, 4.210, 9.155),
        ("S", 20, 0.3, 31.350, 11.908, 19.442),
    ],
)
def test_reference_costs(shape, stiffness, temperature, total, guiding, kinetic):
    found = diagnose(guided(shape, stiffness, temperature), MODES, t=3)
    close = {"abs": 1.1e-3}  # the references are rounded to three decimals
    assert found.total_cost == pytest.approx(total, **close)
    assert found.guiding_cost == pytest.approx(guiding, **close)
    assert found.kinetic_cost == pytest.approx(kinetic, **close)


@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_kinetic_cost_by_integration(temperature):
    """The direct integral up to .99, and the rest by the trapezoidal rule from the known value at t = 1, where
    u = kappa grad log(p1/G)."""
    path = guided("S", 20.0, temperature)
    found = diagnose(path, MODES, t=torch.tensor([0.99], dtype=torch.float64))
    y = MODES.sample(50_000, torch.Generator().manual_seed(0)).requires_grad_()
    log_ratio = MODES.log_density(y) - diagnostics.log_green(path, y)
    (u,) = torch.autograd.grad(log_ratio.sum(), y)
    at_end = float((temperature * u).square().sum(1).mean())
    rest = 0.01 * (float(found.drift_effort[0]) + at_end) / 2 / (2 * temperature)
    integral = diagnostics.kinetic_cost_until(path, MODES)
    assert integral + rest == pytest.approx(found.kinetic_cost, abs=0.01)
    assert integral < found.kinetic_cost


@pytest.mark.parametrize("temperature", [0.7, 2.0])
def test_green_function_is_the_partition_sum_of_a_discretised_path(temperature):
    path = one_dimensional(temperature)
    protocol = path.protocol

    def log_partition(n: int, y: float) -> float:
        h, kappa, x0 = 1 / n, temperature, float(protocol.start[0])
        edges = np.round(protocol.knots.numpy() * n).astype(int)
        beta, load, constant = np.zeros(n + 1), np.zeros(n + 1), 0.0
        for left, right, B, nu in zip(edges[:-1], edges[1:], protocol.stiffness, protocol.guide[:, 0], strict=True):
            share = np.full(right - left + 1, h * float(B))
            share[[0, -1]] /= 2
            beta[left : right + 1] += share
            load[left : right + 1] += share * float(nu)
            constant += 0.5 * share.sum() * float(nu) ** 2
        diagonal, off = 2 / (kappa * h) + beta[1:n], np.full(n - 1, -1 / (kappa * h))
        force = load[1:n].copy()
        force[0] += x0 / (kappa * h)
        force[-1] += y / (kappa * h)
        band = np.array([diagonal, off])  # lower form of the precision
        log_det = 2 * np.log(cholesky_banded(band, lower=True)[0]).sum()
        kinetic = 0.5 * (x0**2 + y**2) / (kappa * h)
        ends = 0.5 * (beta[0] * x0**2 + beta[n] * y**2) - load[0] * x0 - load[n] * y
        completed = 0.5 * force @ solveh_banded(band, force, lower=True)
        widths = (n - 1) * math.log(2 * math.pi) - log_det - n * math.log(2 * math.pi * kappa * h)
        return completed - kinetic - ends - constant + 0.5 * widths

    for y in (-1.0, 0.0, 2.0):
        exact = (4 * log_partition(1000, y) - log_partition(500, y)) / 3
        assert float(diagnostics.log_green(path, torch.tensor([[y]], dtype=torch.float64))) == pytest.approx(
            exact, abs=2e-5
        )


def test_without_stiffness_the_total_cost_is_a_relative_entropy():
    """Foellmer: total cost = KL(p1 || N(x_0, kappa I)), by dense quadrature; for a Gaussian in closed form."""
    kappa, start = 0.6, torch.tensor([0.4], dtype=torch.float64)
    path = HarmonicPath(constant_protocol(0.0, torch.zeros(1), start, kappa))
    y = torch.linspace(-12, 12, 200_001, dtype=torch.float64)[:, None]
    log_p = LINE.log_density(y)
    log_q = -0.5 * (y[:, 0] - 0.4) ** 2 / kappa - 0.5 * math.log(2 * math.pi * kappa)
    kl = float((log_p.exp() * (log_p - log_q)).sum() * (y[1, 0] - y[0, 0]))
    found = diagnose(path, LINE, t=3)
    assert found.total_cost == pytest.approx(kl, rel=1e-6)
    assert found.guiding_cost == 0.0
    gaussian = GaussianMixture([1.0], [[0.4]], torch.tensor([[[kappa]]]))
    assert diagnostics.total_cost(path, gaussian) == pytest.approx(0.0, abs=1e-7)


def test_cost_and_adherence_against_simulation():
    """Euler-Maruyama paths, 400 steps: adherence at three times and its integral within 3 standard errors, the kinetic
    cost up to .9 within 3 standard errors and the first-order error of the steps."""
    path, particles, steps = guided("V", 10.0, 0.8), 2500, 400
    grid = uniform_times(path, steps)
    (trace,) = run(
        [Job("V", SAMPLERS["euler"].run, grid, SharedNoise([0], 2, particles), Steering())], MODES, max_rows=10**6
    )
    expected, (means, covariances) = diagnostics.adherence(path, grid, MODES), diagnostics.moments(grid, MODES)
    beta = 10.0
    guides = diagnostics.guide_at(path.protocol, grid.t)
    rate = torch.stack([0.5 * beta * (s.x - guides[s.index]).square().sum(1) for s in trace.steps])
    for index in (100, 205, 330):
        error = 3 * float(rate[index].std()) / math.sqrt(particles)
        assert abs(float(rate[index].mean() - expected[index])) < error
        mean, spread = trace.steps[index].x.mean(0), trace.steps[index].x.std(0)
        assert bool(((mean - means[index]).abs() < 3.5 * spread / math.sqrt(particles)).all())
        torch.testing.assert_close(torch.cov(trace.steps[index].x.T), covariances[index], rtol=0.12, atol=0.01)
    each = torch.trapezoid(rate, grid.t, dim=0)
    assert (
        abs(float(each.mean()) - diagnostics.guiding_cost(path, MODES))
        < 3 * float(each.std()) / math.sqrt(particles) + 1e-3
    )

    until = 360  # t = .9
    drift = torch.stack(
        [
            -grid.relaxation[s.index] * s.x + grid.pull[s.index] * s.predicted + grid.push[s.index]
            for s in trace.steps[:until]
        ]
    )
    effort = drift.square().sum(2).mean(0) * 0.9 / (2 * 0.8)
    exact = diagnostics.kinetic_cost_until(path, MODES, until=0.9)
    assert abs(float(effort.mean()) - exact) < 3 * float(effort.std()) / math.sqrt(particles) + 0.02
    of_the_mean = drift.mean(1).square().sum(1).mean() * 0.9 / (2 * 0.8)  # without the spread of u
    assert exact - float(of_the_mean) > 10 * float(effort.std()) / math.sqrt(particles)


# --- curves ---------------------------------------------------------------------------------------------------------


def test_mmse_and_entropy_against_dense_quadrature():
    path = one_dimensional()
    points = path.at(torch.tensor([0.0, 0.1, 0.4, 0.7, 0.95, 1.0], dtype=torch.float64))
    y = torch.linspace(-14, 14, 7001, dtype=torch.float64)
    h = float(y[1] - y[0])
    prior = LINE.log_density(y[:, None]).exp() * h
    assert diagnostics.entropy(LINE) == pytest.approx(float(-(prior * torch.log(prior / h)).sum()), abs=1e-8)
    found = diagnostics.posterior_variance(points, LINE)
    mean, square = float(prior @ y), float(prior @ y**2)
    assert float(found[0]) == pytest.approx(square - mean**2)
    assert float(found[-1]) == 0.0
    x = torch.linspace(-20, 20, 1501, dtype=torch.float64)
    for index in (1, 2, 3, 4):
        p = points.point(index)
        joint = torch.exp(-0.5 * ((x[:, None] - p.a * y) / p.m) ** 2) / (p.m * math.sqrt(2 * math.pi)) * prior
        evidence = joint.sum(1)
        predicted = (joint @ y) / evidence.clamp(min=1e-300)
        explained = float((evidence * predicted**2).sum() * (x[1] - x[0]))
        assert float(found[index]) == pytest.approx(square - explained, abs=2e-4)
        order = diagnostics.order_parameter(found, LINE)[index]
        assert float(order) == pytest.approx(explained / square, abs=2e-4)


def test_in_three_dimensions_the_averages_are_antithetic_draws():
    """A product of independent coordinates, so the mmse is the sum of three one-dimensional ones."""
    single = GaussianMixture([0.5, 0.5], [[0.6], [-0.6]], torch.full((2, 1, 1), 0.09))
    wide = GaussianMixture(
        [0.5, 0.5], [[0.6, 0.0, 0.0], [-0.6, 0.0, 0.0]], torch.diag(torch.tensor([0.09, 1.0, 0.25])).expand(2, 3, 3)
    )
    points = HarmonicPath(constant_protocol(3.0, torch.zeros(1))).at(torch.tensor([0.2, 0.5, 0.8], dtype=torch.float64))
    sigma2 = points.sigma**2
    expected = diagnostics.posterior_variance(points, single) + sigma2 / (1 + sigma2) + 0.25 * sigma2 / (0.25 + sigma2)
    torch.testing.assert_close(diagnostics.posterior_variance(points, wide), expected, rtol=0.01, atol=0)
    gaussian = 0.5 * (2 * math.log(2 * math.pi * math.e) + math.log(0.25))
    assert diagnostics.entropy(wide) == pytest.approx(diagnostics.entropy(single) + gaussian, abs=0.02)


@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_drift_effort_and_velocity_gradient_are_averages_of_the_drift(temperature):
    path, n = guided("S", 20.0, temperature), 20_000
    times = torch.tensor([0.05, 0.5, 0.9, 0.99], dtype=torch.float64)
    found = diagnose(path, MODES, times)
    points = path.at(times)
    for i in range(len(times)):
        p = points.point(i)
        x = MODES.marginal(p.a, p.m, p.g).sample(n, torch.Generator().manual_seed(i)).requires_grad_()
        u = -p.relaxation * x + p.pull * MODES.predict(x - p.g, p.a, p.m) + p.push
        divergence = sum(torch.autograd.grad(u[:, k].sum(), x, retain_graph=True)[0][:, k] for k in range(2))
        u, divergence = u.detach(), divergence.detach()
        for sample, value in ((u.square().sum(1), found.drift_effort[i]), (divergence, found.velocity_gradient[i])):
            assert abs(float(sample.mean() - value)) < 4 * float(sample.std()) / math.sqrt(n) + 1e-9


def test_the_lag_of_a_straight_guide_vanishes():
    """Constant speed from x_0 to E[y]; what is left comes from the pieces, and from pinning the first and the last."""
    pinned = guided("straight", 20.0)
    middle = (torch.arange(20, dtype=torch.float64) + 0.5) / 20
    unpinned = HarmonicPath(replace(pinned.protocol, guide=middle[:, None] * MODES.mean()))
    t = torch.linspace(0, 1, 21, dtype=torch.float64)

    def largest(path: HarmonicPath) -> float:
        """Against the curve itself, not its pieces."""
        return float((diagnostics.moments(path.at(t), MODES)[0] - t[:, None] * MODES.mean()).abs().max())

    assert largest(unpinned) < 1e-3
    assert 1e-3 < largest(pinned) < 0.03
    lag = diagnose(pinned, MODES, middle).lag
    assert float(lag[1:-1].abs().max()) < 0.01


def test_a_sine_guide_is_followed_with_the_predicted_gain():
    """e'' = B e - nu'': a one-period sine is followed with gain B/(B + (2 pi)^2) and without phase lag."""
    stiffness, t = 50.0, torch.linspace(0, 1, 41, dtype=torch.float64)
    middle = (torch.arange(200, dtype=torch.float64) + 0.5) / 200
    nu = torch.sin(2 * math.pi * middle)[:, None]
    path = HarmonicPath(Protocol(torch.full((200,), stiffness, dtype=torch.float64), nu, torch.zeros(1)))
    centred = GaussianMixture([1.0], [[0.0]], torch.tensor([[[0.3]]]))
    gain = stiffness / (stiffness + 4 * math.pi**2)
    mean = diagnose(path, centred, t).mean[:, 0]
    torch.testing.assert_close(mean, gain * torch.sin(2 * math.pi * t), rtol=0, atol=2e-4)


@pytest.mark.parametrize("stiffness", [0.0, 5.0, 50.0])
@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_speciation_time(stiffness, temperature):
    path = HarmonicPath(constant_protocol(stiffness, torch.zeros(2), temperature=temperature))
    widest = 0.09 + 4 * 0.7 * 0.3 * 1.44
    w = math.sqrt(temperature * stiffness)
    if w == 0:
        expected = temperature / (temperature + widest)  # kappa (1 - t)/t = lambda
    else:
        expected = 1 - math.atanh(1 / (1 / math.tanh(w) + temperature / (w * widest))) / w
    assert diagnostics.speciation_time(path, MODES) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("stiffness", "width"), [(1, 0.481), (10, 0.381), (50, 0.266), (200, 0.188), (1000, 0.126)])
def test_tube_half_widths(stiffness, width):
    path = HarmonicPath(constant_protocol(stiffness, torch.zeros(2)))
    assert float(diagnose(path, MODES, torch.tensor([0.5])).half_width) == pytest.approx(width, abs=5.1e-4)


def test_a_diagnosis_is_complete_and_finite_inside():
    found = diagnose(guided("V frozen", 5.0), MODES)
    assert found.mean.shape == (101, 2)
    assert found.covariance.shape == (101, 2, 2)
    for name, values in vars(found).items():
        inside = values[:-1] if isinstance(values, torch.Tensor) else torch.tensor(values)
        assert bool(torch.isfinite(inside).all()), name
    for name in ("mean", "covariance", "lag", "half_width", "adherence", "mmse", "order_parameter"):
        assert bool(torch.isfinite(getattr(found, name)).all()), name
    assert found.total_cost == pytest.approx(found.guiding_cost + found.kinetic_cost)
    assert bool((found.mmse.diff() <= 1e-9).all())
    torch.testing.assert_close(found.mean[[0, -1]], torch.stack([torch.zeros(2, dtype=torch.float64), MODES.mean()]))
    torch.testing.assert_close(found.covariance[-1], MODES.covariance())
