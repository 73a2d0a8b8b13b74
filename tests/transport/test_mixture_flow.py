"""Flow matching between mixtures against the straight path, the Gaussian closed form and its own end law."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.linalg import sqrtm

from gensot_demo.transport.mixture_flow import MixtureFlow
from gensot_demo.transport.mixtures import GaussianMixture, two_modes
from gensot_demo.transport.oracles import entropy_of
from gensot_demo.transport.paths import CondOTPath
from gensot_demo.transport.targets import named_target


def gaussian(mean, covariance) -> GaussianMixture:
    return GaussianMixture([1.0], torch.as_tensor(mean).double()[None], torch.as_tensor(covariance).double()[None])


PLACES = torch.randn(60, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_from_the_standard_normal_it_is_the_straight_path(t):
    target = named_target("three_modes").mixture
    flow = MixtureFlow(gaussian([0, 0], np.eye(2)), target)
    points = CondOTPath().at(t)
    expected = points.velocity(0, PLACES, target.predict(PLACES, t, 1 - t))
    torch.testing.assert_close(flow.velocity(PLACES, t)[0], expected, atol=1e-9, rtol=1e-9)


def carried(flow: MixtureFlow, start: np.ndarray) -> np.ndarray:
    """The ends of flow lines, by SciPy's integrator."""

    def right_side(t, flat):
        return flow.velocity(torch.from_numpy(flat.reshape(-1, 2)), t)[0].numpy().ravel()

    return solve_ivp(right_side, (0, 1), start.ravel(), rtol=1e-8, atol=1e-9).y[:, -1].reshape(-1, 2)


def test_gaussian_to_gaussian_is_the_known_linear_map():
    """T = S0^(1/2) (S0^(-1/2) S1 S0^(-1/2))^(1/2) S0^(-1/2), and it costs 1.372 (docs/FORMULAS.md 5)."""
    turn = np.array([[np.cos(0.8), -np.sin(0.8)], [np.sin(0.8), np.cos(0.8)]])
    s0, s1 = np.diag([2.0, 0.3]), turn @ np.diag([3.0, 0.4]) @ turn.T
    root = sqrtm(s0)
    inverse = np.linalg.inv(root)
    matrix = root @ sqrtm(inverse @ s1 @ inverse) @ inverse
    start = PLACES.numpy()[:12]
    ends = carried(MixtureFlow(gaussian([0, 0], s0), gaussian([0, 0], s1)), start)
    np.testing.assert_allclose(ends, start @ matrix.T, atol=1e-5)
    moved = matrix - np.eye(2)
    assert np.trace(moved @ s0 @ moved.T) == pytest.approx(1.372, abs=1e-3)


def test_the_ends_follow_the_target():
    target = two_modes()
    source = named_target("moons").mixture
    start = source.sample(1500, torch.Generator().manual_seed(1)).numpy()
    ends = carried(MixtureFlow(source, target), start)
    share = (ends[:, 1] > 0).mean()
    assert abs(share - 0.7) < 4 * np.sqrt(0.21 / 1500)
    away = ends - np.where(ends[:, 1:] > 0, [[3.0, 1.2]], [[3.0, -1.2]])
    assert away.std() == pytest.approx(0.3, rel=4 / np.sqrt(2 * 3000))
    wrong = carried(MixtureFlow(source, GaussianMixture([0.5, 0.5], target.means, target.covariances)), start)
    assert abs((wrong[:, 1] > 0).mean() - 0.7) > 4 * np.sqrt(0.21 / 1500)


def test_the_destination_is_open_at_the_start_and_known_at_the_end():
    target = two_modes()
    flow = MixtureFlow(gaussian([0, 0], np.eye(2)), target)
    prior = -(0.7 * np.log(0.7) + 0.3 * np.log(0.3))
    np.testing.assert_allclose(entropy_of(flow.velocity(PLACES, 0.0)[1]), prior, rtol=1e-6)
    ends = target.sample(50, torch.Generator().manual_seed(2))
    probabilities = flow.velocity(ends, 1.0)[1]
    np.testing.assert_allclose(probabilities.sum(1), 1)
    assert float(entropy_of(probabilities).max()) < 1e-2
