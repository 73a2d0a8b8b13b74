"""Brenier's map and the stochastic ascent: against exact heights, exact assignment and the floor."""

from __future__ import annotations

import math

import pytest
import torch

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.static_ot.laguerre import cells_of, exact_heights
from gensot_demo.transport.static_ot.semi_discrete import (
    MOST_POINTS,
    ascend,
    brenier,
    total_variation,
    valid_points,
    variation_floor,
)

from .test_laguerre import EIGHT, HEIGHTS, drawn


def noise(n: int, d: int = 2, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_given_heights_by_ascent():
    moments = list(ascend(EIGHT, tolerance=2e-3, most_samples=2**23))
    last = moments[-1]
    assert last.done
    assert float((last.heights - HEIGHTS).abs().max()) < 1e-2
    assert [moment.samples for moment in moments] == sorted({moment.samples for moment in moments})
    assert not any(moment.done for moment in moments[:-1])
    distance = brenier(EIGHT, last.heights).squared_distance(noise(400_000))
    assert distance == pytest.approx(0.4865, abs=4.5 * 2 * 0.9 / math.sqrt(400_000))  # u_h has deviation .9


def test_against_exact_assignment():
    """500 draws for each of the 8 points, assigned at least cost: all but some 3 % go where the cells say, because the
    heights of an empirical optimum are off by O(N^-1/2)."""
    import ot

    exact, z = exact_heights(EIGHT), noise(4000, seed=4)
    cost = torch.cdist(z, EIGHT).square()
    plan = ot.emd(torch.full((4000,), 1 / 4000).double().numpy(), exact.weights.numpy(), cost.numpy())
    assigned = torch.from_numpy(plan.argmax(1))
    agree = (assigned == exact.cells(z)).double().mean()
    assert agree > 0.95
    wrong = brenier(EIGHT, exact.heights + 0.3 * drawn(8)[:, 0])
    assert (assigned == wrong.cells(z)).double().mean() < 0.9
    discrete = float((torch.from_numpy(plan) * cost).sum())
    floor = (exact.value(z).std() * 2 + z.square().sum(1).std()) / math.sqrt(4000)
    assert discrete == pytest.approx(cells_of(exact).squared_distance(exact.weights.numpy()), abs=4.5 * float(floor))


def test_the_statistic_refutes_wrong_heights():
    exact, z = exact_heights(EIGHT), noise(20_000, seed=9)
    floor = variation_floor(exact.weights, len(z))
    assert total_variation(exact.masses(z), exact.weights) < 2.5 * floor
    wrong = brenier(EIGHT, exact.heights + torch.tensor([0.03, -0.03] * 4))
    assert total_variation(wrong.masses(z), exact.weights) > 3 * floor


def test_floor_against_multinomial_draws():
    weights = torch.arange(1, 11).double() / 55
    generator = torch.Generator().manual_seed(1)
    seen = [
        total_variation(
            torch.bincount(torch.multinomial(weights, 500, True, generator=generator), minlength=10) / 500, weights
        )
        for _ in range(400)
    ]
    assert variation_floor(weights, 500) == pytest.approx(sum(seen) / 400, rel=0.05)


def test_gradient_against_finite_differences():
    """On one set of draws, away from where a draw changes its cell, the dual is linear in each height."""
    points, z = noise(12, 5, 3), noise(3000, 5, 4)
    heights, weights, step = 0.3 * noise(12, 1, 5)[:, 0], torch.full((12,), 1 / 12).double(), 1e-7
    map_ = brenier(points, heights)
    for k in range(12):
        nudge = step * torch.eye(12).double()[k]

        def dual(h):
            return weights @ h - (z @ points.T + h).amax(1).mean()

        slope = (dual(heights + nudge) - dual(heights - nudge)) / (2 * step)
        assert float(slope) == pytest.approx(float(weights[k] - map_.masses(z)[k]), abs=1e-6)


def test_smoothing_tends_to_the_map_and_to_the_mean():
    exact, z = exact_heights(EIGHT), noise(2000, seed=2)
    two = exact.scores(z).topk(2, dim=1).values
    clear = two[:, 0] - two[:, 1] > 0.05
    assert clear.double().mean() > 0.85
    assert torch.allclose(exact.smoothed(z[clear], 1e-3), exact.to(z[clear]), atol=1e-12)
    assert torch.allclose(exact.smoothed(z, 1e9), EIGHT.mean(0).expand(2000, 2), atol=1e-6)
    # a gradient: against differences of tau logsumexp(scores / tau)
    tau, step = 0.2, 1e-6
    for axis in range(2):
        nudge = step * torch.eye(2).double()[axis]
        up, down = (tau * torch.logsumexp(exact.scores(z + sign * nudge) / tau, 1) for sign in (1, -1))
        assert torch.allclose((up - down) / (2 * step), exact.smoothed(z, tau)[:, axis], atol=1e-8)


@pytest.mark.parametrize("equal", [True, False])
def test_ascent_in_many_dimensions(equal):
    points = 3 * noise(40, 60, 6)
    weights = None if equal else torch.arange(1, 41).double()
    last = list(ascend(points, weights=weights, tolerance=0.02, most_samples=2**21))[-1]
    assert last.done
    solved = brenier(points, last.heights, weights)
    fresh = noise(2**16, 60, 77)
    assert total_variation(solved.masses(fresh), solved.weights) < 0.03
    flat = brenier(points, torch.zeros(40), weights)
    assert total_variation(flat.masses(fresh), solved.weights) > 0.1


def test_only_products_matter():
    """In coordinates of the span, and shifted, the heights are the same up to what the shift explains."""
    points = noise(10, 3, 1)
    turned = points @ torch.linalg.qr(noise(3, 3, 2))[0]
    first = list(ascend(points, tolerance=0.005, most_samples=2**21))[-1]
    second = list(ascend(turned + 2, tolerance=0.005, most_samples=2**21, seed=3))[-1]
    assert float((first.heights - second.heights).abs().max()) < 0.05


def test_the_same_seed_climbs_alike():
    one, two = (list(ascend(EIGHT, tolerance=0.02, seed=5))[-1] for _ in range(2))
    assert torch.equal(one.heights, two.heights)


def test_a_start_at_the_answer_stays():
    first = next(ascend(EIGHT, tolerance=0.5, first_heights=exact_heights(EIGHT).heights))
    assert first.iteration == 0
    assert first.mass_error < 2.5 * first.floor


def test_draws_run_out():
    moments = list(ascend(drawn(50), tolerance=1e-4, most_samples=2**16))
    assert not moments[-1].done
    assert moments[-1].samples <= 2**16


def test_one_point():
    last = list(ascend(torch.tensor([[1.0, 2.0, 3.0]])))[-1]
    assert last.done
    assert last.heights.tolist() == [0.0]
    assert last.mass_error == 0


def test_bad_values():
    with pytest.raises(InvalidValue, match="Points 1 and 3 are the same"):
        ascend(torch.tensor([[0.0, 1], [1, 1], [0, 1]]))
    with pytest.raises(InvalidValue, match=f"at most {MOST_POINTS}"):
        valid_points(torch.arange(MOST_POINTS + 1.0)[:, None])
    with pytest.raises(InvalidValue, match=r"tolerance is 0; it must be"):
        ascend(EIGHT, tolerance=0)
    with pytest.raises(InvalidValue, match="non-empty"):
        ascend(torch.zeros(0, 2))
    with pytest.raises(InvalidValue, match="finite"):
        ascend(torch.tensor([[math.nan, 1.0]]))
    with pytest.raises(InvalidValue, match="heights must be 8"):
        brenier(EIGHT, torch.zeros(7))
    with pytest.raises(InvalidValue, match="tau is 0"):
        brenier(EIGHT, HEIGHTS).smoothed(noise(3), 0)
