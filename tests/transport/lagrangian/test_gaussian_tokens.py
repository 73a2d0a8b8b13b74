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
    time, exact = blow_up_time(np.diag([0.5, 0.9]), np.diag([1.0, -1.0]), 2 * np.eye(2))
    assert not exact
    assert time == pytest.approx(1 / (2 * 2 * 0.5), rel=1e-4)
    assert math.isinf(blow_up_time(np.diag([0.5, 0.9]), -np.diag([1.0, 0.5]), np.eye(2))[0])


def test_the_velocity_is_the_conditional_mean_of_the_tilted_law():
    """By quadrature: E[y e^{x A y}] / E[e^{x A y}] under N(m, S) is m + S A' x."""
    m, s, a, x = 0.4, 0.7, 1.3, -0.8
    y = np.linspace(-12, 12, 20_001)
    weight = np.exp(-((y - m) ** 2) / (2 * s) + x * a * y)
    assert (weight * y).sum() / weight.sum() == pytest.approx(m + s * a * x, abs=1e-9)


@pytest.mark.parametrize("turn", [0.0, 0.7])
def test_many_tokens_follow_the_law_while_it_is_small(turn):
    n, looks = 2000, torch.tensor([[1.0, 0.2], [-0.1, 0.8]], dtype=torch.float64)
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


def test_a_covariance_must_be_one():
    for bad in (np.array([[1.0, 0.5], [0.0, 1.0]]), np.diag([1.0, 0.0]), np.diag([1.0, -1.0])):
        with pytest.raises(InvalidValue, match="symmetric and positive"):
            gaussian_tokens(np.zeros(2), bad, np.eye(2), np.eye(2), 1.0, 9.0, 5)
