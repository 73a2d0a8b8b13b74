"""Schedules, their stochastic and deterministic dynamics, and the grids laid over them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad, solve_ivp

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.grids import at_noise_levels, noise_levels, uniform_times
from gensot_demo.transport.guides import SHAPES, guide_curve, guided_protocol
from gensot_demo.transport.harmonic import HarmonicPath, constant_protocol
from gensot_demo.transport.paths import CondOTPath, CosinePath, PathPoints, VEPath, VPLinearPath

SCHEDULES = [CosinePath(), CondOTPath(), VPLinearPath(), VEPath()]
HARMONIC = HarmonicPath(guided_protocol("S", 20.0, torch.tensor([3.0, 0.5], dtype=torch.float64), 5))
INTERIOR = torch.linspace(0.03, 0.97, 48, dtype=torch.float64)


def named(path) -> str:
    return path.name


@pytest.mark.parametrize("path", SCHEDULES, ids=named)
def test_ends(path):
    p = path.at(torch.tensor([0.0, 1.0], dtype=torch.float64))
    a0, m0 = {"VP-linear": (0.006572, 0.999978), "VE": (1.0, 80.0)}.get(path.name, (0.0, 1.0))
    np.testing.assert_allclose(p.a, [a0, 1.0], atol=1e-6)
    np.testing.assert_allclose(p.m, [m0, 0.0], atol=1e-6)
    assert float(p.log_K[1]) == math.inf
    assert float(p.sigma[1]) == 0.0
    if path.name == "VP-linear":
        assert float(p.sigma[0]) == pytest.approx(152.2, abs=0.1)


@pytest.mark.parametrize("path", SCHEDULES, ids=named)
def test_noise_level_falls_strictly_and_columns_are_consistent(path):
    p = path.at(INTERIOR)
    assert bool((p.log_K.diff() > 0).all())
    torch.testing.assert_close(p.sigma, p.m / p.a)
    for index in (0, 17):
        point = p.point(index)
        assert point.sigma == pytest.approx(point.m / point.a)
        assert isinstance(point.a, float)
        assert point.g.shape == (1,)


@pytest.mark.parametrize("path", SCHEDULES, ids=named)
def test_derivatives_by_finite_differences(path):
    p, h = path.at(INTERIOR), 1e-4
    f = {k: path.at(INTERIOR + k * h) for k in (-2, -1, 1, 2)}
    for value, derivative in (("a", p.da), ("m", p.dm)):
        v = {k: getattr(points, value) for k, points in f.items()}
        slope = (8 * (v[1] - v[-1]) - (v[2] - v[-2])) / (12 * h)
        torch.testing.assert_close(derivative, slope, rtol=1e-8, atol=1e-8)


def test_cosine_and_condot_values():
    t = INTERIOR
    cosine, straight = CosinePath().at(t), CondOTPath().at(t)
    torch.testing.assert_close(cosine.a, torch.sin(math.pi * t / 2))
    torch.testing.assert_close(cosine.m, torch.cos(math.pi * t / 2))
    torch.testing.assert_close(straight.a + straight.m, torch.ones_like(t))


@pytest.mark.parametrize("t", [0.0, 0.3, 0.8])
def test_vp_linear_is_the_forward_process_with_linear_noise_rate(t):
    """a = exp(-int_0^{1-t} beta(s) ds / 2) with beta from .1 to 20, integrated numerically."""
    integral, _ = quad(lambda s: 0.1 + s * (20 - 0.1), 0, 1 - t)
    p = VPLinearPath().at(t)
    assert float(p.a) == pytest.approx(math.exp(-integral / 2), rel=1e-12)
    assert float(p.a**2 + p.m**2) == pytest.approx(1.0, rel=1e-12)
    # the forward process dx = -beta x / 2 ds + sqrt(beta) dW has noise rate beta(1 - t)
    assert float(p.diffusivity) == pytest.approx(0.1 + (1 - t) * 19.9, rel=1e-9)


def test_ve_levels_are_those_of_karras():
    i, steps = torch.arange(11, dtype=torch.float64), 10
    karras = (80 ** (1 / 7) + i / steps * (0 - 80 ** (1 / 7))) ** 7
    torch.testing.assert_close(VEPath().at(i / steps).m, karras)


def _gain(a: float, m: float, variance: float) -> float:
    return a * variance / (a * a * variance + m * m)


@pytest.mark.parametrize("path", [*SCHEDULES, HARMONIC], ids=named)
@pytest.mark.parametrize("stochastic", [True, False])
def test_dynamics_keep_the_marginals_of_a_gaussian(path, stochastic):
    """Moment equations of the stochastic dynamics and of the probability flow for y ~ N(.7, .4): Fokker-Planck."""
    centre, variance, begin, end = 0.7, 0.4, 0.05, 0.95
    d = path.at(0.5).g.shape[1]

    def law(t: float) -> np.ndarray:
        p = path.at(t).point(0)
        return np.concatenate([(p.a * centre + p.g).numpy(), [p.a**2 * variance + p.m**2]])

    def rates(t: float, state: np.ndarray) -> np.ndarray:
        points = path.at(t)
        p, mean, var = points.point(0), torch.from_numpy(state[:-1].copy()), state[-1]
        gain = _gain(p.a, p.m, variance)
        yhat = centre + gain * (mean - p.g - p.a * centre)
        if stochastic:
            velocity, slope = -p.relaxation * mean + p.pull * yhat + p.push, -p.relaxation + p.pull * gain
        else:
            velocity = points.velocity(0, mean[None], yhat[None])[0]
            slope = p.da * gain + p.dm / p.m * (1 - p.a * gain)
        return np.concatenate([velocity.numpy(), [2 * slope * var + (p.diffusivity if stochastic else 0.0)]])

    solved = solve_ivp(rates, (begin, end), law(begin), "LSODA", rtol=1e-8, atol=1e-10)
    assert solved.y.shape[0] == d + 1
    np.testing.assert_allclose(solved.y[:, -1], law(end), rtol=2e-5, atol=1e-5)


@pytest.mark.parametrize("path", [*SCHEDULES, HARMONIC], ids=named)
def test_times_of_sigma_is_the_inverse(path):
    p = path.at(INTERIOR)
    torch.testing.assert_close(path.times_of_sigma(p.sigma), INTERIOR, rtol=1e-9, atol=1e-12)


def test_times_of_sigma_is_clipped_to_the_range_of_the_path():
    t = VEPath().times_of_sigma(torch.tensor([1e4, 1e-200], dtype=torch.float64))
    assert float(t[0]) < 1e-20
    assert float(t[1]) == pytest.approx(1.0, abs=1e-12)


def test_columns_move_to_another_dtype_but_scalars_stay_exact():
    p = HARMONIC.at(INTERIOR).to("cpu", torch.float32)
    assert p.g.dtype == p.dg.dtype == p.push.dtype == torch.float32
    assert p.a.dtype == p.log_K.dtype == torch.float64
    assert isinstance(p, PathPoints)
    assert len(p) == len(INTERIOR)


@pytest.mark.parametrize("t", [-1e-9, 1.5, math.nan])
def test_times_outside_the_unit_interval_are_refused(t):
    with pytest.raises(InvalidValue, match=r"time must lie in \[0, 1\]"):
        CondOTPath().at(t)


# --- grids ----------------------------------------------------------------------------------------------------------


def test_uniform_times():
    assert float(uniform_times(HARMONIC, 4).t[0]) == 0.0
    grid = uniform_times(CondOTPath(), 4)
    assert len(grid) == 5
    np.testing.assert_allclose(grid.t, [1e-6, 0.25, 0.5, 0.75, 1.0])


def test_noise_levels():
    levels = noise_levels(5, 80.0, 0.002)
    # sigma_i of Karras et al. for five levels from 80 to .002, rho 7
    np.testing.assert_allclose(levels[[0, -1]], [80.0, 0.002], rtol=1e-10)
    np.testing.assert_allclose((levels ** (1 / 7)).diff().diff(), 0, atol=1e-12)
    even = noise_levels(5, 80.0, 0.002, math.inf)
    np.testing.assert_allclose(even[1:] / even[:-1], (0.002 / 80) ** 0.25)


@pytest.mark.parametrize("path", [*SCHEDULES, HARMONIC], ids=named)
def test_paths_stop_where_their_noise_level_is_asked(path):
    levels = noise_levels(12, 20.0, 0.02)
    grid = at_noise_levels(path, levels)
    assert len(grid) == 13
    assert float(grid.t[-1]) == 1.0
    assert float(grid.sigma[-1]) == 0.0
    torch.testing.assert_close(grid.sigma[:-1], levels, rtol=1e-14, atol=0)
    torch.testing.assert_close(grid.m[:-1] / grid.a[:-1], levels, rtol=1e-9, atol=0)


# --- guides ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_guides_end_where_they_should(shape):
    end = torch.tensor([3.0, 4.0], dtype=torch.float64)
    t = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0], dtype=torch.float64)
    nu = guide_curve(shape, t, end, 1.5)
    along, across = nu @ (end / 5), nu @ torch.tensor([-0.8, 0.6], dtype=torch.float64)
    expected = {
        "none": ([0, 0, 0, 0, 0], [0, 0, 0, 0, 0]),
        "straight": ([0, 1.25, 2.5, 3.75, 5], [0, 0, 0, 0, 0]),
        "S": ([0, 1.25, 2.5, 3.75, 5], [0, 1.5, 0, -1.5, 0]),
        "V": ([0, 1.25, 2.5, 3.75, 5], [0, -0.75, -1.5, -0.75, 0]),
        "V frozen": ([0, 1.25, 2.5, 2.5, 2.5], [0, -0.75, -1.5, -1.5, -1.5]),
    }[shape]
    np.testing.assert_allclose(along, expected[0], atol=1e-12)
    np.testing.assert_allclose(across, expected[1], atol=1e-12)
    protocol = guided_protocol(shape, 5.0, end, 20)
    torch.testing.assert_close(protocol.guide[0], nu[0])
    torch.testing.assert_close(protocol.guide[-1], nu[-1])
    middle = torch.tensor([7.5 / 20], dtype=torch.float64)
    torch.testing.assert_close(protocol.guide[7], guide_curve(shape, middle, end, 1.5)[0])


def test_unknown_guides_are_named():
    with pytest.raises(InvalidValue, match="guide 'W' is unknown; choose one of none, straight"):
        guide_curve("W", torch.zeros(1), torch.ones(2))


def test_constant_protocol_starts_at_the_origin():
    protocol = constant_protocol(3.0, torch.tensor([1.0, 2.0]))
    assert protocol.start.tolist() == [0.0, 0.0]
    assert protocol.dimension == 2
