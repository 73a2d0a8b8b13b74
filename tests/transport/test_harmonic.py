"""The harmonic path against three independent truths: the differential equations integrated numerically, a finely
discretised Gaussian path conditioned by brute force, and the constant-stiffness closed forms."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.interpolate import CubicSpline
from scipy.linalg import solve_banded

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.harmonic import HarmonicPath, Protocol, constant_protocol

FEW = settings(max_examples=25, deadline=None, derandomize=True)


@st.composite
def protocols(draw) -> Protocol:
    pieces, dimension = draw(st.integers(1, 6)), draw(st.integers(1, 3))
    widths = draw(st.lists(st.floats(0.05, 1), min_size=pieces, max_size=pieces))
    knots = np.concatenate([[0.0], np.cumsum(widths) / sum(widths)])
    knots[-1] = 1.0
    stiffness = draw(st.lists(st.just(0.0) | st.floats(1e-3, 1000), min_size=pieces, max_size=pieces))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return Protocol(
        torch.tensor(stiffness, dtype=torch.float64),
        torch.from_numpy(rng.uniform(-3, 3, (pieces, dimension))),
        torch.from_numpy(rng.uniform(-3, 3, dimension)),
        draw(st.floats(0.1, 3)),
        torch.from_numpy(knots),
    )


def inside_pieces(protocol: Protocol) -> np.ndarray:
    """Three times well inside every piece."""
    knots = protocol.knots.numpy()
    return np.sort((knots[:-1, None] + np.diff(knots)[:, None] * np.array([0.11, 0.5, 0.83])).ravel())


def jacobi_by_integration(protocol: Protocol, t: np.ndarray, backwards: bool) -> tuple[np.ndarray, np.ndarray]:
    """phi'' = kappa beta phi from phi = 0 with unit slope at t = 0 (or, mirrored, at t = 1); (phi, |dphi/dt|) at t."""
    knots, beta = protocol.knots.numpy(), protocol.temperature * protocol.stiffness.numpy()
    if backwards:
        knots, beta, t = 1 - knots[::-1], beta[::-1], 1 - t[::-1]
    out, state = [], np.array([0.0, 1.0])
    for left, right, B in zip(knots[:-1], knots[1:], beta, strict=True):
        mine = t[(t > left) & (t <= right)]
        stops = np.unique(np.append(mine, right))
        solved = solve_ivp(
            lambda _, s, B=B: [s[1], B * s[0]], (left, right), state, "DOP853", stops, rtol=3e-14, atol=1e-15
        )
        out.append(solved.y[:, np.isin(stops, mine)])
        state = solved.y[:, -1]
    values = np.concatenate(out, axis=1)
    return tuple(values[:, ::-1]) if backwards else tuple(values)


def shift_by_boundary_values(protocol: Protocol, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """gamma'' = kappa beta (gamma - nu), gamma(0) = x_0, gamma(1) = 0: continuity equations over all pieces solved at
    once in the basis of decaying exponentials (1 and t without stiffness); (gamma, gamma') at t, (T, d)."""
    knots, nu, start = (v.numpy() for v in (protocol.knots, protocol.guide, protocol.start))
    root = np.sqrt(protocol.temperature * protocol.stiffness.numpy())
    pieces = len(root)

    def basis(k: int, time: float) -> tuple[np.ndarray, np.ndarray]:
        w, left, right = root[k], knots[k], knots[k + 1]
        if w == 0:
            return np.array([1.0, time - left]), np.array([0.0, 1.0])
        down, up = math.exp(-w * (time - left)), math.exp(-w * (right - time))
        return np.array([down, up]), np.array([-w * down, w * up])

    def origin(k: int) -> np.ndarray:
        return nu[k] if root[k] > 0 else 0 * nu[k]

    A, rhs = np.zeros((2 * pieces, 2 * pieces)), np.zeros((2 * pieces, len(start)))
    A[0, :2], rhs[0] = basis(0, 0.0)[0], start - origin(0)
    A[-1, -2:], rhs[-1] = basis(pieces - 1, 1.0)[0], -origin(pieces - 1)
    for k in range(pieces - 1):
        for row, order in ((2 * k + 1, 0), (2 * k + 2, 1)):
            A[row, 2 * k : 2 * k + 2] = basis(k, knots[k + 1])[order]
            A[row, 2 * k + 2 : 2 * k + 4] = -basis(k + 1, knots[k + 1])[order]
        rhs[2 * k + 1] = origin(k + 1) - origin(k)
    c = np.linalg.solve(A, rhs)
    piece = np.clip(np.searchsorted(knots, t, side="right") - 1, 0, pieces - 1)
    terms = [(basis(k, time), c[2 * k : 2 * k + 2], origin(k)) for k, time in zip(piece, t, strict=True)]
    return np.array([b[0] @ x + o for b, x, o in terms]), np.array([b[1] @ x for b, x, _ in terms])


@given(protocols())
@FEW
def test_matches_numerical_integration_of_the_jacobi_equations(protocol):
    t = inside_pieces(protocol)
    kappa, p = protocol.temperature, HarmonicPath(protocol).at(torch.from_numpy(t))
    one = np.array([1.0])
    phi_end, slope_end = jacobi_by_integration(protocol, one, backwards=False)
    plus, dplus = jacobi_by_integration(protocol, t, backwards=False)
    minus, dminus = jacobi_by_integration(protocol, t, backwards=True)
    alpha, s2 = plus / phi_end, kappa * plus * minus / phi_end
    close = {"rtol": 1e-9, "atol": 0}
    np.testing.assert_allclose(p.a, alpha, **close)
    np.testing.assert_allclose(p.da, dplus / phi_end, **close)
    np.testing.assert_allclose(p.m**2, s2, **close)
    np.testing.assert_allclose(p.log_K, np.log(alpha**2 / s2), rtol=0, atol=1e-9)
    np.testing.assert_allclose(p.sigma, np.sqrt(s2) / alpha, **close)
    np.testing.assert_allclose(p.pull, 1 / minus, **close)
    np.testing.assert_allclose(p.relaxation, dminus / minus, **close)
    np.testing.assert_allclose(HarmonicPath(protocol).end_precision, slope_end / phi_end / kappa, **close)

    gamma, slope = shift_by_boundary_values(protocol, t)
    scale = 1 + np.abs(slope).max()
    np.testing.assert_allclose(p.g, gamma, rtol=0, atol=1e-10)
    np.testing.assert_allclose(p.dg, slope, rtol=0, atol=1e-10 * scale)
    r = slope + (dminus / minus)[:, None] * gamma
    np.testing.assert_allclose(p.push, r, rtol=0, atol=1e-10 * (scale + np.abs(r).max()))


def discretised(protocol: Protocol, n: int, free_end: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """exp(-sum |dx|^2/(2 kappa h) - h sum (beta/2)|x - nu|^2) of a path on n steps, in one dimension, as one big
    Gaussian: mean for x(1) = 0, response of the mean to x(1), variance; at steps 1..n-1, or 1..n with a free end."""
    h, kappa = 1 / n, protocol.temperature
    edges = np.round(protocol.knots.numpy() * n).astype(int)
    beta, force = np.zeros(n + 1), np.zeros(n + 1)  # trapezoidal weights: half from each side
    for left, right, B, nu in zip(
        edges[:-1], edges[1:], protocol.stiffness.numpy(), protocol.guide.numpy()[:, 0], strict=True
    ):
        share = np.ones(right - left + 1)
        share[[0, -1]] = 0.5
        beta[left : right + 1] += share * B * h
        force[left : right + 1] += share * B * h * nu
    count = n if free_end else n - 1
    diagonal = 2 / (kappa * h) + beta[1 : count + 1]
    if free_end:
        diagonal[-1] -= 1 / (kappa * h)
    load = force[1 : count + 1].copy()
    load[0] += float(protocol.start[0]) / (kappa * h)
    reply = np.zeros(count)
    reply[-1] = 0.0 if free_end else 1 / (kappa * h)
    band = np.full((3, count), -1 / (kappa * h))
    band[1] = diagonal
    solved = solve_banded((1, 1), band, np.column_stack([load, reply, np.eye(count)]))
    return solved[:, 0], solved[:, 1], np.diag(solved[:, 2:])


KNOTS_ON_THE_GRID = Protocol(
    torch.tensor([30.0, 0.0, 200.0, 5.0], dtype=torch.float64),
    torch.tensor([[1.0], [5.0], [-2.0], [0.5]], dtype=torch.float64),
    torch.tensor([0.7], dtype=torch.float64),
    0.6,
    torch.tensor([0.0, 0.2, 0.5, 0.7, 1.0], dtype=torch.float64),
)


@pytest.mark.parametrize("temperature", [0.6, 2.0])
def test_matches_brute_force_conditioning_of_a_discretised_bridge(temperature):
    protocol = replace(KNOTS_ON_THE_GRID, temperature=temperature)
    coarse, fine = discretised(protocol, 300, False), discretised(protocol, 600, False)
    gamma, alpha, s2 = ((4 * f[1::2] - c) / 3 for c, f in zip(coarse, fine, strict=True))  # Richardson: O(h^4)
    p = HarmonicPath(protocol).at(torch.arange(1, 300, dtype=torch.float64) / 300)
    np.testing.assert_allclose(p.g[:, 0], gamma, rtol=0, atol=3e-6)
    np.testing.assert_allclose(p.a, alpha, rtol=0, atol=3e-6)
    np.testing.assert_allclose(p.m**2, s2, rtol=1e-5)


def test_end_mean_and_precision_are_those_of_the_path_with_a_free_end():
    coarse, fine = discretised(KNOTS_ON_THE_GRID, 300, True), discretised(KNOTS_ON_THE_GRID, 600, True)
    mean, variance = ((4 * fine[i][-1] - coarse[i][-1]) / 3 for i in (0, 2))
    path = HarmonicPath(KNOTS_ON_THE_GRID)
    assert float(path.end_mean[0]) == pytest.approx(mean, abs=3e-6)
    assert 1 / path.end_precision == pytest.approx(variance, rel=1e-5)


@given(protocols())
@FEW
def test_time_derivatives_by_finite_differences(protocol):
    path, h = HarmonicPath(protocol), 1e-4
    t = torch.from_numpy(inside_pieces(protocol))
    p = path.at(t)
    shifted = {k: path.at(t + k * h) for k in (-2, -1, 1, 2)}

    def slope(name: str) -> torch.Tensor:
        f = {k: getattr(v, name) for k, v in shifted.items()}
        return (8 * (f[1] - f[-1]) - (f[2] - f[-2])) / (12 * h)

    torch.testing.assert_close(p.da, slope("a"), rtol=1e-6, atol=0)
    torch.testing.assert_close(p.dm, slope("m"), rtol=1e-6, atol=1e-8)
    torch.testing.assert_close(p.dg, slope("g"), rtol=1e-6, atol=1e-8)
    # d log K / dt = b^2 / (kappa K)
    torch.testing.assert_close(slope("log_K"), p.pull**2 / protocol.temperature * p.sigma**2, rtol=1e-6, atol=0)


@given(protocols())
@FEW
def test_drift_coefficients_obey_the_identities_of_every_gaussian_path(protocol):
    p = HarmonicPath(protocol).at(torch.from_numpy(inside_pieces(protocol)))
    growth, decay = p.da / p.a, p.dm / p.m
    size = growth.abs() + 2 * decay.abs()
    close = {"rtol": 0, "atol": 1e-10}
    torch.testing.assert_close((p.relaxation - growth + 2 * decay) / size, torch.zeros_like(size), **close)
    torch.testing.assert_close(p.diffusivity / (2 * p.m**2 * (growth - decay)), torch.ones_like(size), **close)
    torch.testing.assert_close(p.pull / (p.da + p.a * p.relaxation), torch.ones_like(size), **close)
    push = p.dg + p.relaxation[:, None] * p.g
    scale = 1 + p.dg.abs() + (p.relaxation[:, None] * p.g).abs()
    torch.testing.assert_close((p.push - push) / scale, torch.zeros_like(push), **close)


@given(protocols(), st.floats(-2, 2), st.floats(0.05, 2))
@settings(FEW, max_examples=10)
def test_the_drift_transports_a_gaussian_to_the_target(protocol, centre, variance):
    """Mean and variance of dx = (-relaxation x + pull yhat + push) dt + sqrt(kappa) dW for y ~ N(centre, variance),
    integrated from the known start: at every time those of a y + g + m eps."""
    path = HarmonicPath(protocol)
    points = path.at(torch.linspace(0, 0.98, 4000, dtype=torch.float64) ** 2)
    table = {name: getattr(points, name).numpy() for name in ("relaxation", "pull", "push")}
    table["gain"] = (points.a * variance / (points.a**2 * variance + points.m**2)).nan_to_num(0.0).numpy()
    table["offset"] = (centre * (1 - torch.from_numpy(table["gain"]) * points.a)).numpy()
    table["gain_g"] = table["gain"] * points.g[:, 0].numpy()
    table["push"] = table["push"][:, 0]
    spline = CubicSpline(np.sqrt(points.t.numpy()), np.column_stack(list(table.values())))

    def rates(root: float, state: np.ndarray) -> np.ndarray:
        relaxation, pull, push, gain, offset, gain_g = spline(root)
        mean, var = state
        yhat = gain * mean - gain_g + offset
        slope = -relaxation + pull * gain
        return 2 * root * np.array([-relaxation * mean + pull * yhat + push, 2 * slope * var + protocol.temperature])

    solved = solve_ivp(rates, (0, 0.98), [float(protocol.start[0]), 0.0], "LSODA", [0.5, 0.98], rtol=1e-8, atol=1e-10)
    end = path.at(torch.tensor([0.25, 0.98**2], dtype=torch.float64))
    expected = torch.stack([end.a * centre + end.g[:, 0], end.a**2 * variance + end.m**2])
    np.testing.assert_allclose(solved.y, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("stiffness", [0.0, 1e-6, 1.0, 50.0, 1000.0])
@pytest.mark.parametrize("kappa", [1.0, 0.3])
def test_constant_stiffness_closed_forms(stiffness, kappa):
    nu, x0 = torch.tensor([1.5, -0.4], dtype=torch.float64), torch.tensor([-0.6, 2.0], dtype=torch.float64)
    t = torch.linspace(0.02, 0.98, 25, dtype=torch.float64)
    p = HarmonicPath(constant_protocol(stiffness, nu, x0, kappa)).at(t)
    w = math.sqrt(kappa * stiffness)
    if w < 0.1:  # Brownian bridge from x0 to y
        alpha, s2, aM, b = t, kappa * t * (1 - t), 1 / (1 - t), 1 / (1 - t)
        gamma, r = (1 - t)[:, None] * x0, 0 * t[:, None] * nu
        close = {"rtol": 1e-6, "atol": 2e-6}
    else:
        sinh = torch.sinh
        alpha, b = sinh(w * t) / math.sinh(w), w / sinh(w * (1 - t))
        s2 = kappa * sinh(w * t) * sinh(w * (1 - t)) / (w * math.sinh(w))
        aM = w / torch.tanh(w * (1 - t))
        gamma = nu + (x0 - nu) * (sinh(w * (1 - t)) / math.sinh(w))[:, None] - nu * alpha[:, None]
        r = (w * torch.tanh(0.5 * w * (1 - t)))[:, None] * nu
        close = {"rtol": 1e-10, "atol": 1e-12}
    for found, expected in ((p.a, alpha), (p.m**2, s2), (p.g, gamma), (p.pull, b), (p.relaxation, aM), (p.push, r)):
        torch.testing.assert_close(found, expected, **close)
    torch.testing.assert_close(p.sigma**2, s2 / alpha**2, **close)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("stiffness", [0.0, 1.0, 1000.0, 1e6])
def test_information_is_positive_finite_and_rises_strictly(stiffness, dtype):
    protocol = Protocol(torch.full((20,), stiffness, dtype=dtype), torch.zeros(20, 1), torch.zeros(1))
    p = HarmonicPath(protocol).at(torch.arange(1, 1000) / 1000)
    assert p.log_K.dtype == dtype
    assert bool(torch.isfinite(p.log_K).all())
    assert bool((p.log_K.diff() > 0).all())
    for name in ("a", "m", "relaxation", "pull"):
        values = getattr(p, name)
        assert bool((values >= 0).all() and torch.isfinite(values).all()), name


def test_float32_agrees_with_float64_at_high_stiffness():
    rng = np.random.default_rng(3)
    nu, start = torch.from_numpy(rng.normal(size=(20, 2))), torch.from_numpy(rng.normal(size=2))
    exact = Protocol(torch.full((20,), 1000.0, dtype=torch.float64), nu, start)
    single = Protocol(exact.stiffness.float(), nu.float(), start.float())
    t = torch.arange(1, 64) / 64
    p, q = HarmonicPath(exact).at(t), HarmonicPath(single).at(t)
    for name in ("a", "pull"):
        torch.testing.assert_close(getattr(q, name).double(), getattr(p, name), rtol=3e-5, atol=0)
    torch.testing.assert_close(q.log_K.double(), p.log_K, rtol=0, atol=3e-5)
    for name in ("m", "g", "relaxation"):
        torch.testing.assert_close(getattr(q, name).double(), getattr(p, name), rtol=1e-5, atol=1e-6)


@given(protocols())
@FEW
def test_ends_are_the_limits(protocol):
    path = HarmonicPath(protocol)
    zero, one = path.at(0.0), path.at(1.0)
    assert (float(zero.a), float(zero.m), float(zero.log_K)) == (0, 0, -math.inf)
    assert (float(one.a), float(one.m), float(one.log_K)) == (1, 0, math.inf)
    torch.testing.assert_close(zero.g[0], protocol.start)
    torch.testing.assert_close(one.g[0], torch.zeros_like(one.g[0]))
    near = path.at(torch.tensor([1e-9, 1 - 1e-9], dtype=torch.float64))
    close = {"rtol": 1e-5, "atol": 1e-5}
    for name in ("a", "da", "g", "dg", "push"):
        torch.testing.assert_close(getattr(near, name)[0], getattr(zero, name)[0], **close)
    for name in ("a", "da", "g", "dg"):
        torch.testing.assert_close(getattr(near, name)[1], getattr(one, name)[0], **close)
    torch.testing.assert_close(near.pull[0], zero.pull[0], **close)
    torch.testing.assert_close(near.relaxation[0], zero.relaxation[0], **close)


@given(protocols(), st.floats(0.1, 0.9))
@FEW
def test_splitting_a_piece_changes_nothing(protocol, share):
    k = int(torch.argmax(protocol.knots.diff()))
    cut = protocol.knots[k] + share * protocol.knots.diff()[k]
    again = [*range(k + 1), *range(k, len(protocol.stiffness))]
    knots = torch.cat([protocol.knots[: k + 1], cut[None], protocol.knots[k + 1 :]])
    finer = replace(protocol, stiffness=protocol.stiffness[again], guide=protocol.guide[again], knots=knots)
    t = torch.linspace(0.01, 0.99, 40, dtype=torch.float64)
    p, q = HarmonicPath(protocol).at(t), HarmonicPath(finer).at(t)
    for name in ("log_K", "g", "m", "pull", "push", "dg"):
        torch.testing.assert_close(getattr(q, name), getattr(p, name), rtol=1e-9, atol=1e-9)


@given(protocols())
@settings(FEW, max_examples=10)
def test_times_of_sigma_inverts_the_noise_level(protocol):
    path = HarmonicPath(protocol)
    t = torch.tensor([1e-8, 1e-3, 0.2, 0.5, 0.9, 0.999], dtype=torch.float64)
    p = path.at(t)
    torch.testing.assert_close(path.times_of_sigma(p.sigma), t, rtol=1e-10, atol=0)


def test_a_picture_sized_guide_is_independent_coordinates():
    d, pieces = 12288, 20
    rng = np.random.default_rng(0)
    nu, start = torch.from_numpy(rng.normal(size=(pieces, d))), torch.from_numpy(rng.normal(size=d))
    beta = torch.from_numpy(rng.uniform(0, 100, pieces))
    t = torch.linspace(0, 1, 21, dtype=torch.float64)
    p = HarmonicPath(Protocol(beta, nu, start)).at(t)
    assert p.g.shape == (21, d)
    for coordinate in (0, 777, d - 1):
        one = HarmonicPath(Protocol(beta, nu[:, coordinate, None], start[coordinate, None])).at(t)
        torch.testing.assert_close(p.g[:, coordinate], one.g[:, 0])
        torch.testing.assert_close(p.push[:, coordinate], one.push[:, 0])


@given(protocols(), st.floats(-2, 2))
@settings(FEW, max_examples=10)
def test_the_shift_is_linear_in_guide_and_start(protocol, factor):
    t = torch.linspace(0, 1, 9, dtype=torch.float64)
    scaled = replace(protocol, guide=factor * protocol.guide, start=factor * protocol.start)
    torch.testing.assert_close(HarmonicPath(scaled).at(t).g, factor * HarmonicPath(protocol).at(t).g)


GOOD = {"stiffness": torch.tensor([1.0, 2.0]), "guide": torch.zeros(2, 2), "start": torch.zeros(2)}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"stiffness": torch.tensor([1.0, -2.0])}, r"stiffness is \[1.0, -2.0\]; each piece must lie in \[0, 1e\+06\]"),
        ({"stiffness": torch.tensor([1.0, math.nan])}, "stiffness is"),
        ({"stiffness": torch.tensor([1.0, 2e6])}, "stiffness is"),
        ({"stiffness": torch.tensor([])}, "stiffness is empty"),
        ({"guide": torch.zeros(3, 2)}, r"guide has shape \(3, 2\); expected \(2, 2\)"),
        ({"guide": torch.full((2, 2), math.inf)}, "guide and start must be finite"),
        ({"start": torch.full((2,), math.nan)}, "guide and start must be finite"),
        ({"temperature": 0.0}, "temperature is 0.0; it must be a finite number above 0"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"knots": torch.tensor([0.0, 0.5, 0.9])}, "knots must be 3 numbers rising from 0 to 1"),
        ({"knots": torch.tensor([0.0, 0.0, 1.0])}, "knots must be 3 numbers rising"),
        ({"knots": torch.tensor([0.0, 1.0])}, "knots must be 3 numbers"),
    ],
)
def test_invalid_protocols_say_what_is_wrong(changed, message):
    with pytest.raises(InvalidValue, match=message):
        Protocol(**{**GOOD, **changed})


@pytest.mark.parametrize("t", [-0.1, 1.1, math.nan])
def test_times_outside_the_unit_interval_are_refused(t):
    with pytest.raises(InvalidValue, match=r"time must lie in \[0, 1\]"):
        HarmonicPath(Protocol(**GOOD)).at(t)
