"""Training as a flow of particles: against docs/FORMULAS.md 5, automatic differentiation, and its symmetries."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.lagrangian.circle_teachers import TEACHERS
from gensot_demo.transport.lagrangian.particle_network import (
    CIRCLE,
    DATA,
    Neurons,
    out_of_reach,
    random_start,
    spread_start,
    train,
    velocity,
)

REFERENCE = TEACHERS["reference"].values
AT = (0, 20, 100, 400)  # t = 0, 1, 5, 20 in steps of .05


def output_at(u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """G by its definition."""
    return (CIRCLE @ u.T).relu() @ v / len(v)


def kept(neurons: Neurons) -> torch.Tensor:
    return neurons.u.square().sum(-1) - neurons.v.square()


def last_of(*networks: Neurons, wanted=REFERENCE, dt=0.05, steps=100, **learn):
    return list(train(networks, wanted, dt, steps, **learn))[-1]


def test_the_run_without_chance_is_that_of_the_formulas():
    losses = [float(moment.losses[0]) for moment in train([spread_start(120, 0.3)], REFERENCE, 0.05, 400)]
    assert [losses[n] for n in AT] == [
        pytest.approx(0.60574, abs=5e-6), pytest.approx(0.56275, abs=5e-6), pytest.approx(0.17187, abs=5e-6),
        pytest.approx(8.61e-4, abs=5e-7),
    ]  # fmt: skip


def test_twelve_seeds_lie_where_the_formulas_say():
    moments = list(train([random_start(120, 0.3, seed) for seed in range(12)], REFERENCE, 0.05, 400))
    median = [float(moments[n].losses.median()) for n in AT]
    # Medians of ten other dozens have standard deviations .0016, .0026, .0072 and 1.3e-4; two differ by up to 3 * 1.4
    # of them.
    for n, (wanted, error) in enumerate([(0.605, 0.007), (0.565, 0.011), (0.184, 0.03), (1.0e-3, 5.5e-4)]):
        assert median[n] == pytest.approx(wanted, abs=error)
    assert moments[-1].losses.min() > 3e-4
    assert moments[-1].losses.max() < 5e-3


def test_velocities_are_those_of_automatic_differentiation():
    for name, teacher in TEACHERS.items():
        neurons = random_start(7, 1.0, seed=3)
        neurons = Neurons(neurons.u, neurons.v * torch.linspace(0.2, 2, 7))  # not only v = |u|
        u, v = (part.clone().requires_grad_() for part in (neurons.u, neurons.v))
        loss = (output_at(u, v) - teacher.values).square().mean() / 2
        du, dv = torch.autograd.grad(-7 * loss, (u, v))
        moment = next(train([random_start(3, 1.0, 0), neurons], teacher.values, 0.1, 1))
        pull = moment.pulls[1]
        assert float(moment.losses[1]) == pytest.approx(float(loss.detach()), rel=1e-12), name
        torch.testing.assert_close(moment.outputs[1], output_at(neurons.u, neurons.v))
        torch.testing.assert_close(neurons.v[:, None] * pull, du)
        torch.testing.assert_close((neurons.u * pull).sum(-1), dv)


@pytest.mark.parametrize("learn", [{}, {"inputs": False}, {"outputs": False}])
def test_the_drawn_points_move_at_their_velocity(learn):
    neurons, small = random_start(20, 0.7, seed=1), 1e-6
    before, after = train([neurons], REFERENCE, small, 1, **learn)
    moved = (after.networks[0].places - before.networks[0].places) / small
    torch.testing.assert_close(velocity(neurons, before.pulls[0], **learn), moved, atol=1e-5, rtol=1e-4)


@given(
    some.sampled_from(sorted(TEACHERS)), some.floats(0.05, 2), some.integers(2, 60), some.integers(0, 999),
    some.sampled_from(["both", "inputs", "outputs"]),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_the_loss_falls_and_neurons_stay_finite_and_as_many(name, scale, count, seed, learns):
    learn = {"inputs": learns != "outputs", "outputs": learns != "inputs"}
    moments = list(train([random_start(count, scale, seed)], TEACHERS[name].values, 0.002, 60, **learn))
    losses = np.array([float(moment.losses[0]) for moment in moments])
    assert (np.diff(losses) <= 1e-12 * losses[:-1]).all()
    assert losses[-1] >= out_of_reach(TEACHERS[name].values) * (1 - 1e-9)
    end = moments[-1].networks[0]
    assert end.u.shape == (count, 2)
    assert bool(end.u.isfinite().all() and end.v.isfinite().all())


@given(some.integers(1, DATA - 1), some.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_turning_teacher_and_start_turns_the_neurons(places, seed):
    angle = 2 * math.pi * places / DATA  # the data turn into themselves
    c, s = math.cos(angle), math.sin(angle)
    turn = torch.tensor([[c, -s], [s, c]], dtype=torch.float64)
    start = random_start(15, 0.5, seed)
    end = last_of(start).networks[0]
    turned = last_of(Neurons(start.u @ turn.T, start.v), wanted=REFERENCE.roll(places)).networks[0]
    torch.testing.assert_close(turned.u, end.u @ turn.T, atol=1e-8, rtol=1e-8)
    torch.testing.assert_close(turned.v, end.v, atol=1e-8, rtol=1e-8)


def test_what_is_kept_drifts_with_the_step_and_ever_less():
    start = spread_start(120, 0.3)
    drift = {}
    for dt in (0.1, 0.05, 0.025):
        end = last_of(start, dt=dt, steps=round(20 / dt)).networks[0]
        drift[dt] = float((kept(end) - kept(start)).abs().max())
    assert drift[0.05] == pytest.approx(0.03, abs=0.001)  # docs/FORMULAS.md 5
    assert drift[0.1] / drift[0.05] == pytest.approx(2, rel=0.05)
    assert drift[0.05] / drift[0.025] == pytest.approx(2, rel=0.05)


def test_a_network_learns_the_same_alone_and_beside_another():
    wide, narrow = spread_start(50, 0.3), spread_start(3, 0.3)
    both = last_of(wide, narrow)
    torch.testing.assert_close(both.networks[0].u, last_of(wide).networks[0].u, atol=1e-10, rtol=1e-10)
    torch.testing.assert_close(both.networks[1].v, last_of(narrow).networks[0].v, atol=1e-10, rtol=1e-10)


def test_twice_the_same_neurons_move_as_once():
    """The velocity depends on the cloud, not on how many neurons make it."""
    start = random_start(10, 0.5, seed=4)
    twice = Neurons(start.u.repeat(2, 1), start.v.repeat(2))
    torch.testing.assert_close(last_of(twice).networks[0].u[:10], last_of(start).networks[0].u, atol=1e-10, rtol=1e-10)


def test_what_no_network_reaches():
    """Least squares over many neurons of both signs comes as near as the formula says, and no nearer."""
    features = (CIRCLE @ spread_start(400, 1.0).u.T).relu()
    for name, teacher in TEACHERS.items():
        best = torch.linalg.lstsq(features, teacher.values[:, None], driver="gelsd").solution
        left = float((features @ best - teacher.values[:, None]).square().mean() / 2)
        assert left == pytest.approx(out_of_reach(teacher.values), abs=1e-6), name
    three = TEACHERS["three_waves"].values
    assert out_of_reach(three) == pytest.approx(0.25)
    silent = Neurons(random_start(50, 1.0, seed=0).u, torch.zeros(50, dtype=torch.float64))
    assert next(train([silent], three, 0.1, 1)).pulls[0].abs().max() < 1e-14  # the error pulls at nobody


def test_a_step_too_long_is_said():
    with pytest.raises(InvalidValue, match="runs away at time"):
        last_of(spread_start(120, 5.0), dt=0.5)
