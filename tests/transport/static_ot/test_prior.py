"""The prior error and the tail map against closed forms, an exact assignment, and the orders of FORMULAS 4."""

import math

import pytest
import torch

from gensot_demo.transport.distances import w2_empirical
from gensot_demo.transport.static_ot.flow_cells import centred
from gensot_demo.transport.static_ot.prior import _normal, norm_of_curl, prior_error, to_noise

from .test_flow_cells import EIGHT


def orders(points, low=2.5, high=3.5):
    first, last = prior_error(points, low), prior_error(points, high)
    return (
        math.log(first.highest / last.highest) / (high - low),
        math.log(first.turned / last.turned) / (high - low),
    )


def test_prior_error_falls_as_e_to_minus_2t_and_the_tail_map_differs_by_e_to_minus_5t():
    prior, tail = orders(centred(EIGHT))
    assert prior == pytest.approx(2, abs=0.05)
    assert tail == pytest.approx(5, abs=0.1)


def test_with_isotropic_covariance_it_is_e_to_minus_7t():
    points = centred(EIGHT)
    root = torch.linalg.inv(torch.linalg.cholesky(points.T @ points / 8))
    prior, tail = orders(points @ root.T)
    assert prior == pytest.approx(3, abs=0.1)  # the next moment's, since the second ones are those of noise
    assert tail == pytest.approx(7, abs=0.15)


def test_on_a_line_the_flow_is_optimal():
    points = centred(torch.tensor([(-2.0, -1.0), (0.0, 0.0), (0.2, 0.1), (1.8, 0.9)]))
    assert prior_error(points, 1.0).turned < 1e-12


def test_the_bounds_enclose_what_hermite_moments_give_for_late_times():
    """W2^2 = sum_k e^{-2kT} |k-th Hermite moments|^2 / k to leading order, since p_T has these coefficients."""
    points, time = centred(EIGHT), 2.5
    x, y = points.T
    second = ((x**2 - 1) / math.sqrt(2)).mean() ** 2 + (x * y).mean() ** 2 + ((y**2 - 1) / math.sqrt(2)).mean() ** 2
    third = sum(
        part.mean() ** 2
        for part in (
            (x**3 - 3 * x) / math.sqrt(6),
            (y**3 - 3 * y) / math.sqrt(6),
            (x**2 - 1) * y / math.sqrt(2),
            (y**2 - 1) * x / math.sqrt(2),
        )
    )
    expected = math.sqrt(math.exp(-4 * time) * second / 2 + math.exp(-6 * time) * third / 3)
    found = prior_error(points, time)
    assert found.value == pytest.approx(expected, rel=0.02)
    assert found.lowest <= found.value <= found.highest


def test_at_an_early_time_an_exact_assignment_of_samples_agrees():
    points, time, count = centred(EIGHT * torch.tensor([1.6, 0.5])), 0.3, 1500
    a, m = math.exp(-time), math.sqrt(-math.expm1(-2 * time))
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(2, count, 2, generator=generator, dtype=torch.float64)
    data = a * points[torch.randint(8, (count,), generator=generator)] + m * noise[0]
    floor = w2_empirical(noise[0], noise[1])
    measured = w2_empirical(data, noise[1])
    found = prior_error(points, time)
    assert found.lowest < found.highest
    assert abs(math.sqrt(max(measured**2 - floor**2, 0)) - found.value) < 0.25 * found.value  # samples add their own
    assert found.value > 1.5 * floor


def test_the_flow_carries_the_noised_data_to_the_normal_law_and_its_jacobian_is_its_derivative():
    points, time = centred(EIGHT), 0.6
    a, m = math.exp(-time), math.sqrt(-math.expm1(-2 * time))
    nodes, weights = _normal(14)
    x = (a * points[:, None] + m * nodes).flatten(0, 1)
    z, jacobian = to_noise(points, x, time)
    w = weights.repeat(8) / 8
    assert torch.allclose(w @ z, torch.zeros(2, dtype=torch.float64), atol=1e-4)
    assert torch.allclose((z.T * w) @ z, torch.eye(2, dtype=torch.float64), atol=1e-3)
    assert float(w @ z[:, 0] ** 4) == pytest.approx(3, abs=0.02)
    step = 1e-5
    for axis in (0, 1):
        moved = torch.zeros(2, dtype=torch.float64)
        moved[axis] = step
        numeric = (to_noise(points, x[:50] + moved, time)[0] - to_noise(points, x[:50] - moved, time)[0]) / (2 * step)
        assert torch.allclose(jacobian[:50, :, axis], numeric, atol=1e-6)


def test_the_norm_of_a_curl_is_that_of_the_field_it_belongs_to():
    """A turn by an angle w = theta (-y, x), and w = rot of a cubic, whose Gaussian divergence is zero."""
    nodes, weights = _normal(14)
    theta = 0.01
    turn = torch.full((len(nodes),), 2 * theta, dtype=torch.float64)
    assert norm_of_curl(turn, nodes, weights) == pytest.approx(theta * math.sqrt(2))
    x, y = nodes.T
    # w = (d/dy - y, -(d/dx - x)) applied to psi = x y: divergence-free under the normal law
    field = torch.stack([x - y * (x * y), -(y - x * (x * y))], 1)
    curl = (-y + 2 * x * y) * 0 + (2 * x * y) - (-2 * x * y)
    size = math.sqrt(float(weights @ field.square().sum(1)))
    assert norm_of_curl(curl, nodes, weights) == pytest.approx(size)
