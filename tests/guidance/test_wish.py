"""Wishes: a linear view against dense linear algebra, the estimate from draws against the closed form."""

from __future__ import annotations

import math

import pytest
import torch

from gensot_demo.guidance.wish import LinearView, Wish, bounded, view_of

GENERATOR = torch.Generator().manual_seed(7)
D, K, N = 12, 5, 9
A = torch.randn(K, D, generator=GENERATOR, dtype=torch.float64)
B = torch.randn(K, generator=GENERATOR, dtype=torch.float64)
OBSERVED = torch.randn(K, generator=GENERATOR, dtype=torch.float64)
Y = torch.randn(N, D, generator=GENERATOR, dtype=torch.float64)
EYE = torch.eye(K, dtype=torch.float64)


def view(noise: float = 0.3, dtype: torch.dtype = torch.float64) -> LinearView:
    a, b = A.to(dtype), B.to(dtype)
    return LinearView(lambda y: y @ a.T + b, OBSERVED.to(dtype), noise, D)


def close(found, expected, tolerance=1e-5):
    scale = float(expected.abs().max())
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=tolerance * scale)


def test_reward_and_gradient_are_those_of_a_normal_density():
    residual = OBSERVED - Y @ A.T - B
    close(view().reward(Y), -0.5 * (residual**2).sum(1) / 0.09, 1e-12)
    close(view().gradient(Y), residual @ A / 0.09, 1e-12)
    close(view().gradient(Y), Wish.gradient(view(), Y), 1e-12)
    close(view().adjoint(residual), residual @ A, 1e-12)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("variance", [1e-4, 0.2, 30.0])
@pytest.mark.parametrize("noise", [1e-2, 0.3, 10.0])
def test_solve_correction_and_tilt_are_the_dense_ones(noise, variance, dtype):
    wish, residual = view(noise, dtype), OBSERVED - Y @ A.T - B
    matrix = variance * A @ A.T + noise**2 * EYE
    solved = torch.linalg.solve(matrix, residual.T).T
    tolerance = 1e-4 if dtype == torch.float64 else 3e-3
    close(wish.solve(residual.to(dtype), variance), solved, tolerance)
    close(wish.correction(Y.to(dtype), variance), solved @ A, tolerance)
    precision = torch.eye(D, dtype=torch.float64) / variance + A.T @ A / noise**2
    natural = Y / variance + (OBSERVED - B) @ A / noise**2
    mean, log_psi = wish.tilt(Y.to(dtype), variance)
    close(mean, torch.linalg.solve(precision, natural.T).T, tolerance)
    law = torch.distributions.MultivariateNormal(Y @ A.T + B, matrix)
    expected = law.log_prob(OBSERVED)
    shifted = log_psi.double() - log_psi[0].double()  # up to a constant that all states share
    close(shifted, expected - expected[0], tolerance)


def test_projected_is_the_nearest_state_that_measures_it():
    other = torch.randn(N, K, generator=GENERATOR, dtype=torch.float64)
    for measured in (OBSERVED, other):
        found = view().projected(Y, measured)
        close(found @ A.T + B, measured.expand(N, K), 1e-4)
        close(found, Y + (measured - Y @ A.T - B) @ torch.linalg.pinv(A).T, 1e-4)


def test_a_measurement_may_lose_numbers_and_states_may_meet_it_already():
    """A A^T singular (the same row twice), and a residual of nothing: no division by zero."""
    wish = LinearView(lambda y: y[:, [0, 0, 3]], torch.tensor([1.0, 1.0, -2.0]), 1e-3, 4)
    y = torch.tensor([[1.0, 0.0, 0.0, -2.0], [5.0, 1.0, 1.0, 1.0]])
    torch.testing.assert_close(wish.projected(y, wish.observed)[:, [0, 3]], torch.tensor([[1.0, -2.0]] * 2))
    assert bool(torch.isfinite(wish.tilt(y, 1e-6)[0]).all())
    torch.testing.assert_close(wish.tilt(y, 0.5)[0][0], y[0])


def test_noised_is_the_measurement_of_a_noised_state():
    eps = torch.randn(N, D, generator=GENERATOR, dtype=torch.float64)
    close(view().noised(eps, 0.7), OBSERVED + 0.7 * eps @ A.T, 1e-12)


def test_a_followed_picture_is_a_view_of_all_of_it():
    reference = torch.linspace(-1, 1, D, dtype=torch.float64)
    close(view_of(reference, 4.0).gradient(Y), 4.0 * (reference - Y), 1e-12)
    mean, _ = view_of(reference, 4.0).tilt(Y, 0.5)
    close(mean, (Y + 2.0 * reference) / 3.0, 1e-6)


def test_the_estimate_from_draws_is_the_closed_form_within_error_bars():
    wish, variance, repeats = view_of(torch.zeros(3, dtype=torch.float64), 0.8), 0.6, 200
    y = torch.tensor([[0.4, -0.3, 0.9], [1.2, 0.0, -0.5]], dtype=torch.float64)
    draws = torch.randn(repeats, 4000, 2, 3, generator=GENERATOR, dtype=torch.float64)
    found = [Wish.tilt(wish, y, variance, d) for d in draws]
    means, psis = torch.stack([m for m, _ in found]), torch.stack([p for _, p in found])
    expected_mean, shifted = wish.tilt(y, variance)
    expected_psi = shifted - 1.5 * math.log(1 + 0.8 * variance)  # the constant that the closed form leaves out
    for values, expected in ((means, expected_mean), (psis, expected_psi)):
        error = (values.mean(0) - expected).abs() / (values.std(0) / math.sqrt(repeats))
        assert float(error.max()) < 5
    assert float((means.mean(0) - y).abs().max()) > 0.2


def test_an_estimate_needs_draws_and_stays_within_reach():
    class Steep(Wish):
        def reward(self, y):
            return 1e9 * y[:, 0]

    with pytest.raises(ValueError, match="needs draws"):
        Steep().tilt(Y, 1.0)
    for draws in (torch.randn(4, N, D, dtype=torch.float64), torch.randn(4, 1, D, dtype=torch.float64)):
        moved = Steep().tilt(Y, 0.25, draws)[0] - Y
        close(moved.norm(dim=1), torch.full((N,), 3 * math.sqrt(0.25 * D), dtype=torch.float64), 1e-9)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_bounded_leaves_short_shifts_as_they_are(dtype):
    shift = torch.tensor([[0.1, -0.2], [0.0, 0.0], [1e12, 0.0]], dtype=dtype)
    found = bounded(shift, 2.0)
    assert torch.equal(found[:2], shift[:2])
    torch.testing.assert_close(found[2], torch.tensor([6.0, 0.0], dtype=dtype))
