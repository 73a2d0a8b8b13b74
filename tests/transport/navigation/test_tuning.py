"""Stiffness and timing by gradient through the closed forms: against finite differences, and what must not change."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gensot_demo.transport.diagnostics import expected_log_green
from gensot_demo.transport.harmonic import HarmonicPath, Protocol
from gensot_demo.transport.mixtures import two_modes
from gensot_demo.transport.navigation.corridor import Corridor, switching_teacher
from gensot_demo.transport.navigation.learning import Penalties, Tracking
from gensot_demo.transport.navigation.tuning import STEEPEST, tuned_stiffness, tuned_timing

F64 = torch.float64
ORIGIN = torch.zeros(2, dtype=F64)
KNOTS = torch.tensor([0.0, 0.1, 0.3, 0.45, 0.7, 0.85, 1.0], dtype=F64)


def tracking(amplitude: float = 1.5) -> Tracking:
    target, pieces = two_modes(), len(KNOTS) - 1
    teacher = switching_teacher(Corridor(ORIGIN, target.mean()), amplitude, 6.0)
    places = teacher((KNOTS[1:] + KNOTS[:-1]) / 2)
    protocol = Protocol(torch.full((pieces,), 20.0, dtype=F64), places, ORIGIN, knots=KNOTS)
    penalties = Penalties(near=1e-3, places=places)
    return Tracking(protocol, target.mean(), target.covariance_trace(), [teacher], penalties=penalties)


def differences(function, at: torch.Tensor, h: float) -> torch.Tensor:
    """Central differences, whose error is of order h^2."""
    steps = h * torch.eye(len(at), dtype=F64)
    return torch.tensor([(function(at + e) - function(at - e)) / (2 * h) for e in steps], dtype=F64)


def test_the_derivative_in_the_stiffness_is_that_of_the_learnt_minimum():
    """Danskin: the guide is the best one, so the total derivative is the partial one; differences solve anew."""
    plain = tracking()
    stiffness = torch.tensor([5.0, 30.0, 12.0, 40.0, 20.0, 8.0], dtype=F64, requires_grad=True)
    learnt = replace(plain, protocol=replace(plain.protocol, stiffness=stiffness.detach())).learnt()
    replace(plain, protocol=replace(plain.protocol, stiffness=stiffness, guide=learnt.guide)).value().backward()

    def least(beta: torch.Tensor) -> float:
        at = replace(plain, protocol=replace(plain.protocol, stiffness=beta))
        return at.cost(at.learnt()).total

    expected = differences(least, stiffness.detach(), 1e-3)
    assert torch.allclose(stiffness.grad, expected, rtol=1e-4, atol=1e-8)


def test_the_derivative_of_the_optimal_cost_in_the_guide_is_that_of_differences():
    plain, target = tracking().protocol, two_modes()
    guide = plain.guide.clone().requires_grad_(True)
    trace = target.covariance_trace()
    expected_log_green(HarmonicPath(replace(plain, guide=guide)), target.mean(), trace).backward()

    def of(flat: torch.Tensor) -> float:
        path = HarmonicPath(replace(plain, guide=flat.reshape(-1, 2)))
        return float(expected_log_green(path, target.mean(), trace))

    expected = differences(of, guide.detach().flatten(), 1e-4)
    assert torch.allclose(guide.grad.flatten(), expected, rtol=1e-6, atol=1e-8)


def test_tuning_spends_the_same_stiffness_and_follows_better():
    plain = tracking()
    moments = list(tuned_stiffness(plain, 40))
    spent = [float(one.protocol.stiffness @ KNOTS.diff()) for one in moments]
    assert spent == pytest.approx([20.0] * 41, rel=1e-9)
    best = min(one.objective for one in moments)
    first, last = moments[0], moments[-1]
    assert first.objective == pytest.approx(plain.cost(plain.learnt()).total, rel=1e-9), "from even stiffness"
    assert last.objective == best < 0.9 * first.objective
    again = replace(plain, protocol=last.protocol)
    assert again.cost().total == pytest.approx(best, rel=1e-9), "the protocol is that of the objective"
    assert float(last.shares.min()) >= float(KNOTS.diff().min()) / STEEPEST


def test_a_straight_guide_to_the_mean_needs_little_timing_and_a_bent_one_much():
    """At constant speed a straight guide is followed without lag: what timing can gain is of another order."""

    def gain(amplitude: float) -> float:
        bent, target = tracking(amplitude), two_modes()
        even = replace(bent.protocol, knots=torch.linspace(0, 1, 7, dtype=F64))
        *_, last = moments = list(tuned_timing(even, bent.teachers[0], target.mean(), bent.trace, 40))
        assert float(last.shares.sum()) == pytest.approx(1.0)
        assert last.objective == min(one.objective for one in moments)
        return moments[0].objective - last.objective

    straight, bent = gain(0.0), gain(2.0)
    assert 0 <= straight < 0.05
    assert bent > 1.0


def test_a_descent_of_no_steps_is_where_it_began():
    (only,) = tuned_stiffness(tracking(), 0)
    assert only.step == 0
    assert torch.allclose(only.protocol.stiffness, torch.full((6,), 20.0, dtype=F64))
