"""Couplings against exact assignment, closed forms and the continuity equation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from gensot_demo.transport.atoms import WeightedAtoms
from gensot_demo.transport.couplings import SchroedingerBridge, optimal_assignment
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.harmonic import HarmonicPath, constant_protocol


def cloud(n: int, seed: int, scale: float = 1.0, shift=(0.0, 0.0)) -> torch.Tensor:
    noise = torch.randn(n, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return scale * noise + torch.tensor(shift, dtype=torch.float64)


def squares(x: torch.Tensor, y: torch.Tensor) -> np.ndarray:
    return ((x[:, None] - y) ** 2).sum(-1).numpy()


def test_the_assignment_is_the_cheapest_permutation():
    x, y = cloud(120, 0), cloud(120, 1, 0.5, (2, 1))
    found = optimal_assignment(x, y)
    assert sorted(found.tolist()) == list(range(120))
    rows, columns = linear_sum_assignment(squares(x, y))
    assert float((x - y[found]).square().sum()) == pytest.approx(squares(x, y)[rows, columns].sum(), rel=1e-12)
    other = y[torch.roll(found, 1)]
    assert float((x - other).square().sum()) > float((x - y[found]).square().sum())


def test_clouds_of_different_size_are_refused():
    with pytest.raises(InvalidValue, match="equal size"):
        optimal_assignment(cloud(3, 0), cloud(4, 0))


@pytest.mark.parametrize("temperature", [0.1, 0.5, 4.0])
def test_both_marginals_of_the_plan_and_its_form(temperature):
    x, y = cloud(60, 2), cloud(80, 3, 0.6, (1.5, 0))
    bridge = SchroedingerBridge(x, y, temperature)
    np.testing.assert_allclose(bridge.plan.sum(1), 1 / 60, rtol=1e-5)
    np.testing.assert_allclose(bridge.plan.sum(0), 1 / 80, rtol=1e-5)
    assert bridge.marginal_error < 1e-5
    # P = u K v: the logarithm of P/K is a sum of a row and a column term, so its second differences vanish
    log_ratio = np.log(bridge.plan.numpy()) + squares(x, y) / (2 * temperature)
    mixed = log_ratio - log_ratio[:1] - log_ratio[:, :1] + log_ratio[:1, :1]
    assert np.abs(mixed).max() < 1e-6


def test_two_points_on_either_side_in_closed_form():
    """P = [[p, 1/2-p], [1/2-p, p]] with p/(1/2-p) = exp(-(c_same - c_cross)/(2 kappa))."""
    x = torch.tensor([[-1.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    kappa = 0.7
    bridge = SchroedingerBridge(x, x, kappa)
    ratio = math.exp(4 / (2 * kappa))  # |x - y|^2 = 0 along the diagonal, 4 across
    assert float(bridge.plan[0, 0]) == pytest.approx(0.5 * ratio / (1 + ratio), rel=1e-7)


def test_hot_bridges_forget_the_pairing_and_cold_ones_find_the_cheapest():
    x, y = cloud(50, 4), cloud(50, 5, 1.0, (3, 0))
    hot = SchroedingerBridge(x, y, 1e3)
    np.testing.assert_allclose(hot.plan, 1 / 2500, rtol=0.05)
    costs = [float((SchroedingerBridge(x, y, k).plan.numpy() * squares(x, y)).sum()) for k in (4.0, 0.5, 0.05)]
    rows, columns = linear_sum_assignment(squares(x, y))
    exact = squares(x, y)[rows, columns].mean()
    assert costs[0] > costs[1] > costs[2] > exact
    assert costs[2] == pytest.approx(exact, rel=0.03)


def test_partners_follow_the_rows_of_the_plan():
    bridge = SchroedingerBridge(cloud(1, 6).expand(20_000, 2)[:1], cloud(5, 7), 1.0)
    one = SchroedingerBridge(cloud(4, 8), cloud(5, 7), 0.5)
    assert bridge.plan.shape == (1, 5)
    uniform = (torch.arange(4, dtype=torch.float64) + 0.5) / 4
    drawn = torch.stack(
        [one.partners(torch.full((4,), u, dtype=torch.float64)) for u in np.linspace(1e-4, 1 - 1e-4, 5000)]
    )
    share = torch.stack([torch.bincount(drawn[:, i], minlength=5) for i in range(4)]) / 5000
    np.testing.assert_allclose(share, 4 * one.plan, atol=1e-3)
    assert one.partners(uniform).shape == (4,)


def test_positions_have_the_moments_of_a_brownian_bridge():
    bridge = SchroedingerBridge(cloud(3, 9), cloud(3, 10), 0.8)
    x, y = torch.zeros(20_000, 2), torch.ones(20_000, 2)
    eps = cloud(20_000, 11)
    at = bridge.position(0.3, x.double(), y.double(), eps)
    assert float(at.mean()) == pytest.approx(0.3, abs=4 * math.sqrt(0.8 * 0.21 / 40_000))
    assert float(at.var()) == pytest.approx(0.8 * 0.3 * 0.7, rel=0.03)
    assert torch.equal(bridge.position(0.0, x, y, eps), x)
    assert torch.equal(bridge.position(1.0, x, y, eps), y)


def test_the_current_velocity_transports_the_marginals():
    """d/dt E f(x_t) = E grad f . v, with x_t from the plan's pairs and Gauss-Hermite nodes for the bridge's noise."""
    x, y, kappa, t, h = cloud(6, 12), cloud(7, 13, 0.7, (2, 1)), 0.6, 0.4, 1e-4
    bridge = SchroedingerBridge(x, y, kappa)
    nodes, weights = np.polynomial.hermite_e.hermegauss(24)
    eps = torch.from_numpy(np.stack(np.meshgrid(nodes, nodes), -1).reshape(-1, 2))
    weight = torch.from_numpy(np.outer(weights, weights).ravel() / weights.sum() ** 2)

    def expectation(time: float, f) -> float:
        total = 0.0
        for i in range(6):
            for j in range(7):
                at = bridge.position(time, x[i : i + 1], y[j : j + 1], eps)
                total += float(bridge.plan[i, j]) * float(weight @ f(at))
        return total

    tests = {
        "x": (lambda z: z[:, 0], lambda z: torch.stack([torch.ones(len(z)), torch.zeros(len(z))], 1).double()),
        "y^2": (lambda z: z[:, 1] ** 2, lambda z: torch.stack([torch.zeros(len(z)).double(), 2 * z[:, 1]], 1)),
        "sin": (
            lambda z: torch.sin(z[:, 0] + z[:, 1]),
            lambda z: torch.cos(z[:, 0] + z[:, 1])[:, None].expand(-1, 2),
        ),
    }
    for f, gradient in tests.values():
        change = (expectation(t + h, f) - expectation(t - h, f)) / (2 * h)
        flux = expectation(t, lambda z, g=gradient: (g(z) * bridge.velocity(z, t)[0]).sum(1))
        assert flux == pytest.approx(change, abs=2e-4)
    # a drift that leaves out the backward half does not
    f, gradient = tests["y^2"]
    forward = expectation(t, lambda z: (gradient(z) * ((bridge.velocity(z, t)[1] @ y - z) / (1 - t))).sum(1))
    assert abs(forward - (expectation(t + h, f) - expectation(t - h, f)) / (2 * h)) > 0.05


def test_from_a_point_it_is_the_harmonic_path_without_stiffness():
    y, kappa, t = cloud(40, 14, 1.0, (1, 0)), 0.5, 0.35
    start = torch.tensor([[0.3, -0.2]], dtype=torch.float64)
    bridge = SchroedingerBridge(start, y, kappa)
    path = HarmonicPath(constant_protocol(0.0, start[0], start[0].clone(), kappa))
    points = path.at(t)
    places = cloud(50, 15)
    point = points.point(0)
    predicted = WeightedAtoms(y).predict(places - point.g, point.a, point.m)
    torch.testing.assert_close(
        bridge.velocity(places, t)[0], points.velocity(0, places, predicted), atol=1e-6, rtol=1e-6
    )


def test_a_temperature_that_underflows_is_named():
    with pytest.raises(InvalidValue, match="temperature is 1e-05"):
        SchroedingerBridge(cloud(20, 16), cloud(20, 17, 3.0, (8, 0)), 1e-5)
