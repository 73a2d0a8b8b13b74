"""GenSOT as controlled transport: reference costs of FORMULAS 1.4, particles against formulas, the same ends."""

import math
from dataclasses import replace

import pytest
import torch

from gensot_demo.transport.guides import guided_protocol
from gensot_demo.transport.lagrangian.controlled import controlled, exact_cost, exact_total
from gensot_demo.transport.targets import named_target

TARGET = named_target("two_modes").mixture
N = 1000


def guided(shape="S", stiffness=20.0):
    return guided_protocol(shape, stiffness, TARGET.mean())


@pytest.fixture(scope="module", params=[True, False], ids=["noise", "flow"])
def both(request):
    """Guided and unguided, by noise or without."""
    free = replace(guided(), stiffness=torch.zeros(20, dtype=torch.float64))
    return [controlled(protocol, TARGET, 5, N, 61, 3, request.param) for protocol in (guided(), free)]


@pytest.mark.parametrize(
    ("shape", "stiffness", "place", "control"),
    [
        ("none", 5, 6.097, 7.575), ("straight", 5, 1.364, 6.371), ("S", 5, 3.576, 6.647), ("V", 5, 2.203, 6.782),
        ("none", 20, 13.586, 13.246), ("straight", 20, 3.312, 7.514), ("S", 20, 8.324, 9.981), ("V", 20, 4.210, 9.155),
    ],
)  # fmt: skip
def test_the_reference_costs(shape, stiffness, place, control):
    """docs/FORMULAS.md 1.4, by the path as a particle system pays it."""
    protocol = guided(shape, float(stiffness))
    path = controlled(protocol, TARGET, 0, 2, 3, 2, True).path
    got = exact_total(path, protocol, TARGET)
    assert got == pytest.approx((place, control), abs=2e-3)


def test_particles_pay_what_the_formulas_say(both):
    for one in both:
        place, control = one.running_cost(guided())
        frames = torch.tensor([6, 18, 30, 42, 54])
        exact = exact_cost(one.path, guided(), TARGET, one.t[frames])
        away = 10 * (one.positions - guide_of(one.t)[:, None]).square().sum(-1)
        spread = [away.std(1), (one.controls.square().sum(-1) / 2).std(1)]
        for got, wanted, deviation in zip((place, control), exact, spread, strict=True):
            error = 4.5 * deviation[frames] / math.sqrt(N) + 0.02 * wanted  # and the steps' own error
            assert bool(((got[frames] - wanted).abs() < error).all())


def guide_of(t):
    """The guide piece by piece, found anew."""
    middles = (torch.arange(20, dtype=torch.float64) + 0.5) / 20
    middles[0], middles[-1] = 0, 1
    end = TARGET.mean()
    across = torch.stack([-end[1], end[0]]) / end.norm()
    nodes = middles[:, None] * end + 1.5 * torch.sin(2 * math.pi * middles)[:, None] * across
    return nodes[torch.clamp((t * 20 + 1e-9).floor().long(), max=19)]


def test_the_unguided_pay_more_in_the_potential_than_the_guided():
    protocol = guided()
    free = controlled(replace(protocol, stiffness=0 * protocol.stiffness), TARGET, 0, 2, 3, 2, True).path
    best = controlled(protocol, TARGET, 0, 2, 3, 2, True).path
    assert sum(exact_total(best, protocol, TARGET)) < sum(exact_total(free, protocol, TARGET))
    assert exact_total(free, protocol, TARGET)[1] < exact_total(best, protocol, TARGET)[1]


def test_the_guide_does_not_choose_the_destination(both):
    ends = [one.positions[-1] for one in both]
    apart = (ends[0] - ends[1]).norm(dim=1)
    assert float(apart.median()) < 0.05  # against modes 2.4 apart
    for end in ends:
        upper = float((end[:, 1] > 0).double().mean())
        assert abs(upper - 0.7) < 4 * math.sqrt(0.7 * 0.3 / N)
    middles = [one.positions[15].mean(0) for one in both]
    assert float((middles[0] - middles[1]).norm()) > 0.5  # the way is another one


def test_the_velocity_is_how_particles_without_noise_move():
    protocol = guided("V", 10.0)
    coarse = controlled(protocol, TARGET, 1, 60, 241, 2, False)
    frames = slice(30, 210)
    moved = (coarse.positions[31:211] - coarse.positions[29:209]) * 120
    error = (moved - coarse.velocities[frames]).norm(dim=-1)
    # The guide jumps between pieces, so a difference over two frames mixes two velocities there: the median is plain.
    assert float(error.median()) < 0.02 * float(coarse.velocities[frames].norm(dim=-1).median())


def test_both_motions_have_the_moments_of_the_path(both):
    from gensot_demo.transport.diagnostics import moments

    for one in both:
        mean, covariance = moments(one.path.at(one.t[[20, 40]]), TARGET)
        for number, frame in enumerate((20, 40)):
            sd = torch.sqrt(torch.diagonal(covariance[number]))
            assert bool(((one.positions[frame].mean(0) - mean[number]).abs() < 4.5 * sd / math.sqrt(N) + 0.01).all())
            assert bool((one.positions[frame].std(0) / sd - 1).abs().max() < 4.5 / math.sqrt(2 * N) + 0.03)


def test_mean_velocity_moves_the_mean(both):
    """E v = d/dt E x, by the formula of the mean: the continuity equation's first moment."""
    for one in both:
        frames = [12, 30, 48]
        points = one.path.at(one.t[frames])
        wanted = points.da[:, None] * TARGET.mean() + points.dg
        got = one.velocities[frames]
        error = 4.5 * got.std(1) / math.sqrt(N) + 0.02
        assert bool(((got.mean(1) - wanted).abs() < error).all())
