"""The jump to a later start: the law of its cells and of its state, smoothing, and what it refuses."""

from __future__ import annotations

import math

import pytest
import torch

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.static_ot.later_start import land, spread
from gensot_demo.transport.static_ot.semi_discrete import brenier

POINTS = torch.tensor(
    [(1.589, -0.127), (0.403, 1.483), (-1.462, 0.890), (-1.462, -1.144), (0.403, -1.737), (0.148, 0.042),
     (-0.530, -0.042), (0.911, 0.636)], dtype=torch.float64,
)  # fmt: skip
HEIGHTS = torch.tensor([-0.18183, -0.12889, -0.42604, -0.56673, -0.58213, 0.79937, 0.67084, 0.41541])
DRAWS = 200_000
SIGMA = 0.7


def noises(seed: int = 0, draws: int = DRAWS) -> tuple[torch.Tensor, torch.Tensor]:
    z = torch.randn(2 * draws, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return z[:draws], z[draws:]


def chi_square(index: torch.Tensor, weights: torch.Tensor) -> float:
    """Pearson's, in standard deviations of its own law above the mean."""
    expected = weights * len(index)
    freedom = len(weights) - 1
    value = ((torch.bincount(index, minlength=len(weights)) - expected).square() / expected).sum()
    return float((value - freedom) / math.sqrt(2 * freedom))


def test_each_picture_is_landed_on_as_often_as_it_weighs_and_wrong_heights_are_refuted():
    z, eps = noises()
    right = brenier(POINTS, HEIGHTS)
    assert chi_square(land(right, z, eps, SIGMA).index, right.weights) < 4
    wrong = brenier(POINTS, HEIGHTS + torch.tensor([0.05, *[0.0] * 7]))
    assert chi_square(land(wrong, z, eps, SIGMA).index, right.weights) > 8
    assert chi_square(land(brenier(POINTS, torch.zeros(8)), z, eps, SIGMA).index, right.weights) > 1000


def test_the_state_has_the_moments_of_the_noised_law_and_its_noise_knows_nothing_of_the_picture():
    z, eps = noises(1)
    landing = land(brenier(POINTS, HEIGHTS), z, eps, SIGMA)
    centred = POINTS - POINTS.mean(0)
    covariance = centred.T @ centred / 8 + SIGMA**2 * torch.eye(2, dtype=torch.float64)
    away = landing.state - POINTS.mean(0)
    error = (covariance.diagonal() / DRAWS).sqrt()
    assert bool((away.mean(0).abs() < 4 * error).all())
    products = away[:, :, None] * away[:, None]
    assert bool(((products.mean(0) - covariance).abs() < 4 * products.std(0) / math.sqrt(DRAWS)).all())
    crossed = (landing.state - landing.target)[:, :, None] * landing.target[:, None]
    assert bool((crossed.mean(0).abs() < 4 * crossed.std(0) / math.sqrt(DRAWS)).all())


def test_noise_used_twice_would_not_have_that_law():
    """Why the jump draws fresh noise: z itself leans towards the picture that it goes to."""
    z, _ = noises(2)
    landing = land(brenier(POINTS, HEIGHTS), z, z, SIGMA)
    crossed = (landing.state - landing.target) * landing.target
    assert float(crossed.mean() / (crossed.std() / math.sqrt(2 * DRAWS))) > 50


def test_smoothing_goes_from_the_picture_to_the_mean_of_all():
    z, eps = noises(3, 2000)
    map_ = brenier(POINTS, HEIGHTS)
    whole = land(map_, z, eps, SIGMA)
    best = map_.scores(z).topk(2).values
    clear = best[:, 0] - best[:, 1] > 0.01
    nearly = land(map_, z, eps, SIGMA, tau=1e-4)
    torch.testing.assert_close(nearly.state[clear], whole.state[clear], atol=1e-8, rtol=0)
    assert torch.equal(nearly.index, whole.index)
    assert bool((whole.blended == 1).all())
    assert float(nearly.blended[clear].max()) < 1 + 1e-8
    some = land(map_, z, eps, SIGMA, tau=0.3)
    torch.testing.assert_close(some.target, map_.smoothed(z, 0.3 * spread(map_)))
    assert bool((some.blended >= 1).all() and (some.blended <= 8).all())
    all_of_them = land(map_, z, eps, SIGMA, tau=1e6)
    torch.testing.assert_close(all_of_them.target, POINTS.mean(0).expand(2000, -1), atol=1e-4, rtol=0)
    torch.testing.assert_close(all_of_them.blended, torch.full((2000,), 8.0, dtype=torch.float64), atol=1e-3, rtol=0)


def test_two_pictures_part_the_noise_by_a_plane():
    points = torch.tensor([[1.0, 0.0], [-1.0, 0.5]], dtype=torch.float64)
    z, eps = noises(4)
    weights = torch.tensor([0.3, 0.7])
    across = points[0] - points[1]  # the cells are the two sides of <z, across> = h_1 - h_0
    cut = torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor(0.7)) * across.norm()
    map_ = brenier(points, torch.tensor([-float(cut), 0.0]), weights)
    landing = land(map_, z, eps, SIGMA)
    assert chi_square(landing.index, map_.weights) < 4
    assert torch.equal(landing.index == 0, z @ across > cut.double())


@pytest.mark.parametrize(
    ("sigma", "tau", "said"),
    [
        (0.0, 0.0, "sigma is 0.0; it must be a finite number above 0: at 0 nothing is left"),
        (math.nan, 0.0, "sigma is nan"),
        (1.0, -0.1, "tau is -0.1; it must be a finite number, 0 or more"),
        (1.0, math.nan, "tau is nan"),
        (1.0, math.inf, "tau is inf"),
    ],
)
def test_levels_and_smoothing_out_of_range_are_refused(sigma, tau, said):
    with pytest.raises(InvalidValue, match=said):
        land(brenier(POINTS, HEIGHTS), *noises(0, 3), sigma, tau)
