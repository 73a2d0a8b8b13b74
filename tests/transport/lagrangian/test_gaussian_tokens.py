"""Gaussian tokens: closed forms of their covariance, and many tokens beside the law."""

import math

import numpy as np
import pytest
import torch

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.lagrangian.attention import Attention, followed
from gensot_demo.transport.lagrangian.gaussian_tokens import blow_up_time, gaussian_tokens


def test_in_one_dimension_the_variance_is_the_closed_form():
    s0, one = 0.4, np.eye(1)
    law = gaussian_tokens(np.array([0.3]), s0**2 * one, one, one, end=10.0, growth=20.0, frames=30)
    assert law.blow_up == pytest.approx(1 / (2 * s0**2))
    assert law.exact
    want = s0**2 / (1 - 2 * s0**2 * law.times)
    assert law.covariance[:, 0, 0] == pytest.approx(want, rel=1e-6)
    assert law.covariance[-1, 0, 0] == pytest.approx(20 * s0**2, rel=1e-6)
    assert law.times[-1] == pytest.approx(0.95 * law.blow_up)
    # m' = (1 + s) m, so m = m_0 e^t / sqrt(1 - 2 s_0 t)
    assert law.mean[:, 0] == pytest.approx(0.3 * np.exp(law.times) / np.sqrt(1 - 2 * s0**2 * law.times), rel=1e-6)


def test_isotropic_in_the_plane_every_direction_is_one_dimension():
    eye = np.eye(2)
    law = gaussian_tokens(np.zeros(2), 0.25 * eye, -0.5 * eye, 3.0 * eye, end=4.0, growth=20.0, frames=9)
    assert math.isinf(law.blow_up)
    want = 0.25 / (1 + 2 * 0.5 * 3 * 0.25 * law.times)
    assert law.covariance == pytest.approx(want[:, None, None] * eye, rel=1e-6)


def test_the_equation_finds_the_closed_forms_blow_up():
    """V = diag(1, -1) with a diagonal covariance: the first direction is on its own."""
    start = np.diag([0.5, 0.9])
    assert blow_up_time(start, np.diag([1.0, -1.0]), 2 * np.eye(2)) is None
    law = gaussian_tokens(np.zeros(2), start, np.diag([1.0, -1.0]), 2 * np.eye(2), end=3.0, growth=4.0, frames=5)
    assert not law.exact
    assert law.blow_up == pytest.approx(1 / (2 * 2 * 0.5), rel=1e-6)
    calm = gaussian_tokens(np.zeros(2), start, -np.diag([1.0, 0.5]), np.eye(2), end=3.0, growth=4.0, frames=5)
    assert (calm.blow_up, calm.searched, calm.ended) == (math.inf, 3.0, "asked")


def rotation(angle: float) -> np.ndarray:
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


@pytest.mark.parametrize(("angle", "c"), [(0.7, 1.5), (2.0, 1.5), (2.0, -1.5), (math.pi / 2, 1.5)])
def test_values_that_turn_leave_a_closed_form_for_the_variances(angle, c):
    start, a = np.array([[0.5, 0.2], [0.2, 0.9]]), 2.0
    law = gaussian_tokens(np.zeros(2), start, c * rotation(angle), a * np.eye(2), end=2.0, growth=1e6, frames=9)
    rate = 2 * a * c * math.cos(angle)
    first = np.linalg.eigvalsh(start)
    want = first / (1 - rate * first * law.times[:, None])
    assert np.linalg.eigvalsh(law.covariance[:-1]) == pytest.approx(want[:-1], rel=1e-5)
    assert law.exact
    if rate > 1e-9:
        assert law.ended == "grown"
        assert law.blow_up == pytest.approx(1 / (rate * first[-1]))
        assert law.times[-1] == pytest.approx(law.blow_up, rel=1e-5)
    else:
        assert law.ended == "asked"
        assert math.isinf(law.blow_up)


def test_a_law_that_turns_too_fast_ends_after_so_many_steps():
    """A quarter turn turns the covariance by a c tr(S) = 900 radians in a unit of time."""
    start, mean = np.diag([2.25, 2.25]), np.array([1.0, 0.0])
    law = gaussian_tokens(mean, start, 2 * rotation(math.pi / 2), 100 * np.eye(2), 40.0, 16.0, 9, steps=50)
    assert law.ended == "spent"
    assert len(law.solution.interpolants) == 50
    assert 0 < law.times[-1] < 1
    assert math.isinf(law.blow_up)
    shear = np.array([[1.0, 0.1], [0.0, 1.0]])  # no closed form: the search is as short
    other = gaussian_tokens(mean, start, 2 * rotation(math.pi / 2), 100 * shear, 40.0, 1e9, 9, steps=50)
    assert other.ended == "spent"
    assert other.searched < 2


def test_exponential_growth_is_no_blow_up():
    """V swaps the directions and A' = [[0, 1], [0, 0]]: the first variance p stays, the second obeys q' = 2 p q."""
    swap, looks = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[0.0, 0.0], [1.0, 0.0]])
    law = gaussian_tokens(np.zeros(2), 0.5 * np.eye(2), swap, looks, end=40.0, growth=16.0, frames=9)
    assert law.covariance[:, 1, 1] == pytest.approx(0.5 * np.exp(law.times), rel=1e-5)
    assert law.times[-1] == pytest.approx(math.log(16))
    assert math.isinf(law.blow_up)
    assert law.searched == pytest.approx(math.log(1e8), rel=1e-5)


def test_a_law_ends_where_its_mean_is_too_far_and_can_be_shortened():
    eye = np.eye(2)
    law = gaussian_tokens(np.array([1.0, 0.0]), 0.01 * eye, eye, 0.1 * eye, 40.0, 16.0, frames=9, farthest=50.0)
    assert law.ended == "far"
    assert np.linalg.norm(law.mean[-1]) == pytest.approx(50)
    short = law.until(law.times[4])
    assert short.times[-1] == law.times[4]
    assert short.mean.shape == law.mean.shape
    assert short.mean[-1] == pytest.approx(law.mean[4])
    assert short.covariance[-1] == pytest.approx(law.covariance[4])


def test_the_velocity_is_the_conditional_mean_of_the_tilted_law():
    """By quadrature: E[y e^{x A y}] / E[e^{x A y}] under N(m, S) is m + S A' x."""
    m, s, a, x = 0.4, 0.7, 1.3, -0.8
    y = np.linspace(-12, 12, 20_001)
    weight = np.exp(-((y - m) ** 2) / (2 * s) + x * a * y)
    assert (weight * y).sum() / weight.sum() == pytest.approx(m + s * a * x, abs=1e-9)


@pytest.mark.parametrize("turn", [0.0, 0.7])
def test_many_tokens_follow_the_law_while_it_is_small(turn):
    n, looks = 2000, torch.tensor([[1.0, 0.9], [-0.6, 0.8]], dtype=torch.float64)
    c, s = math.cos(turn), math.sin(turn)
    values = torch.tensor([[c, -s], [s, c]], dtype=torch.float64)
    covariance, mean = np.array([[0.25, 0.05], [0.05, 0.16]]), np.array([0.2, 0.1])
    law = gaussian_tokens(mean, covariance, values.numpy(), looks.numpy(), end=0.8, growth=9.0, frames=9)
    noise = torch.randn(n, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = torch.as_tensor(mean) + noise @ torch.linalg.cholesky(torch.as_tensor(covariance)).mT
    at, _ = followed(x, Attention(looks, values), torch.as_tensor(law.times), 2)
    for frame in (0, -1):
        # five standard errors of a covariance's entries, (s_ii s_jj + s_ij^2) / n, and of a mean
        spread = law.covariance[frame]
        error = np.sqrt((np.outer(np.diag(spread), np.diag(spread)) + spread**2) / n)
        assert (np.abs(np.cov(at[frame].numpy().T) - spread) < 5 * error * (1 if frame == 0 else 2)).all()
        assert (np.abs(at[frame].numpy().mean(0) - law.mean[frame]) < 10 * np.sqrt(np.diag(spread) / n)).all()
    # and these bounds are close enough to tell laws at beta = 0 and, unless V is I, with Q and K swapped
    for wrong in (0 * looks.numpy(), looks.numpy().T)[: 2 if turn else 1]:
        other = gaussian_tokens(mean, covariance, values.numpy(), wrong, end=0.8, growth=9.0, frames=9)
        assert (np.abs(np.cov(at[-1].numpy().T) - other.covariance[-1]) > 10 * error).any()


def test_a_covariance_must_be_one():
    for bad in (np.array([[1.0, 0.5], [0.0, 1.0]]), np.diag([1.0, 0.0]), np.diag([1.0, -1.0])):
        with pytest.raises(InvalidValue, match="symmetric and positive"):
            gaussian_tokens(np.zeros(2), bad, np.eye(2), np.eye(2), 1.0, 9.0, 5)
