"""Targets in the plane against sums over a grid, and what becomes of drawn modes and points."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.targets import (
    FARTHEST,
    MOST_COMPONENTS,
    TARGETS,
    named_target,
    target_of_modes,
    target_of_points,
)


def density_parts(target, points: np.ndarray) -> np.ndarray:
    """w_n N(x; mu_n, Sigma_n) of every component (k, N), by SciPy."""
    mixture = target.mixture
    weights = mixture.log_prior.exp().numpy()
    return np.stack(
        [
            w * multivariate_normal(mean, covariance).pdf(points)
            for w, mean, covariance in zip(weights, mixture.means.numpy(), mixture.covariances.numpy(), strict=True)
        ],
        axis=1,
    )


@pytest.mark.parametrize("name", TARGETS)
def test_moments_and_mass_on_a_grid(name):
    target = named_target(name)
    axis = np.linspace(-5.5, 5.5, 331)
    points = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    density = density_parts(target, points).sum(1)
    cell = (axis[1] - axis[0]) ** 2
    assert cell * density.sum() == pytest.approx(1, abs=1e-3)
    mean = cell * density @ points
    np.testing.assert_allclose(mean, target.mixture.mean(), atol=2e-3)
    covariance = cell * (points - mean).T @ (density[:, None] * (points - mean))
    np.testing.assert_allclose(covariance, target.mixture.covariance(), atol=6e-3)
    np.testing.assert_allclose(
        target.mixture.log_density(torch.from_numpy(points[::997])).exp(), density[::997], atol=1e-9
    )


@pytest.mark.parametrize("name", TARGETS)
def test_modes_and_labels_are_those_of_bayes(name):
    target = named_target(name)
    points = target.mixture.sample(200, torch.Generator().manual_seed(0)).numpy() + 0.2
    parts = density_parts(target, points)
    by_mode = np.stack([parts[:, target.mode.numpy() == k].sum(1) for k in range(len(target.modes))], 1)
    np.testing.assert_array_equal(target.mode_of(torch.from_numpy(points)), by_mode.argmax(1))
    for condition, log_label in target.conditions.items():
        label = log_label.exp().numpy()
        assert ((label > 0) & (label < 1)).all()
        expected = (parts * label).sum(1) / parts.sum(1)
        found = target.log_likelihood(condition, torch.from_numpy(points)).exp().numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    low_x, high_x, low_y, high_y = target.box
    inside = (points[:, 0] > low_x) & (points[:, 0] < high_x) & (points[:, 1] > low_y) & (points[:, 1] < high_y)
    assert inside.mean() > 0.95


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(InvalidValue, match="ring"):
        named_target("nowhere")


def test_drawn_modes_keep_their_shares_and_coincident_ones_count_as_one():
    target, notes = target_of_modes([(1, 1, 0.3, 2), (-1, 0, 0.5, 1), (1, 1, 0.3, 1)])
    assert notes == ["Modes 1 and 3 coincide; they count as one."]
    np.testing.assert_allclose(target.mixture.log_prior.exp(), [0.75, 0.25])
    np.testing.assert_allclose(target.mixture.covariances[1], 0.25 * np.eye(2))
    apart, none = target_of_modes([(1, 1, 0.3, 1), (1, 1, 0.9, 1)])  # one place, two sizes
    assert len(apart.modes) == 2
    assert none == []


@pytest.mark.parametrize(
    ("modes", "said"),
    [
        ([], "empty"),
        ([(FARTHEST + 1, 0, 0.3, 1)], "mode 1 is at"),
        ([(float("nan"), 0, 0.3, 1)], "mode 1 is at"),
        ([(0, 0, 0.3, 1), (0, 0, 0.001, 1)], "mode 2 has size 0.001"),
        ([(0, 0, 0.3, 0)], "weight 0"),
        ([(0, 0, 0.3, float("inf"))], "weight inf"),
    ],
)
def test_modes_that_cannot_be_are_named(modes, said):
    with pytest.raises(InvalidValue, match=said):
        target_of_modes(modes)


def test_points_become_small_gaussians():
    points = torch.tensor([[-1.0, 0.0], [1.0, 0.0], [0.0, 1.5]], dtype=torch.float64)
    target, notes = target_of_points(points)
    assert notes == []
    torch.testing.assert_close(target.mixture.means, points)
    spread = np.sqrt(points.numpy().var(0).mean())
    assert float(target.mixture.covariances[0, 0, 0]) == pytest.approx((0.5 * spread * 3 ** (-1 / 6)) ** 2)


def test_one_point_is_one_narrow_mode():
    target, (note,) = target_of_points(torch.tensor([[2.0, 1.0]]))
    assert "single narrow mode" in note
    assert target.modes == ("1",)


def test_many_points_are_thinned_and_far_ones_brought_into_the_frame():
    points = 1e5 + 300 * torch.randn(5000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target, notes = target_of_points(points)
    assert len(target.mixture.means) == MOST_COMPONENTS
    assert f"{MOST_COMPONENTS} of the 5,000 points" in notes[0]
    assert "shifted by" in notes[1]
    assert max(map(abs, target.box)) < 5
    ratio = target.mixture.means.std(0) / points.std(0)
    assert float(ratio.max() / ratio.min()) < 1.15  # the same factor for both axes


def test_points_that_all_coincide_are_a_narrow_mode():
    target, _ = target_of_points(torch.ones(50, 2))
    assert float(target.mixture.covariance_trace()) < 0.1


@pytest.mark.parametrize("points", [torch.zeros(0, 2), torch.zeros(3, 3)])
def test_no_points_are_refused(points):
    with pytest.raises(InvalidValue, match="empty"):
        target_of_points(points)


def test_points_that_are_no_numbers_are_refused():
    with pytest.raises(InvalidValue, match="finite"):
        target_of_points(torch.tensor([[0.0, float("nan")]]))
