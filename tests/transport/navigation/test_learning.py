"""Guides learnt by one linear solve, against the paper's data, numerical minimisation and direct integration."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.optimize import minimize

from gensot_demo.transport.diagnostics import entropy, moments, stiffness_at
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.harmonic import HarmonicPath, Protocol
from gensot_demo.transport.mixtures import GaussianMixture, two_modes
from gensot_demo.transport.navigation.corridor import Corridor, blended, drawn_teacher, switching_teacher
from gensot_demo.transport.navigation.experts import case_c_experts, product_law, teachers_of
from gensot_demo.transport.navigation.learning import Penalties, Tracking

F64 = torch.float64
ORIGIN = torch.zeros(2, dtype=F64)


def midpoints(pieces: int) -> torch.Tensor:
    return (torch.arange(pieces, dtype=F64) + 0.5) / pieces


def uneven(start=(0.4, -0.3)) -> Protocol:
    guide = torch.randn(4, 2, generator=torch.Generator().manual_seed(1), dtype=F64)
    return Protocol(
        torch.tensor([30.0, 0.0, 80.0, 5.0], dtype=F64), guide,
        torch.tensor(start, dtype=F64), 0.7, torch.tensor([0.0, 0.2, 0.5, 0.7, 1.0], dtype=F64),
    )  # fmt: skip


def case_c(trusts: tuple[int, int]) -> tuple[Tracking, float]:
    """The paper's case C, and its constant term."""
    experts, pieces = case_c_experts(), 20
    law = product_law([one.belief for one in experts], trusts)
    teachers = teachers_of(experts)
    start = blended(teachers, list(map(float, trusts)))(midpoints(pieces))
    protocol = Protocol(torch.full((pieces,), 20.0, dtype=F64), start, ORIGIN)
    penalties = Penalties(first=1e-2, second=1e-3)
    return Tracking(protocol, law.mean(), law.covariance_trace(), teachers, trusts, penalties=penalties), 0.1 * entropy(
        law
    )


@pytest.mark.parametrize(
    ("trusts", "cross_entropy", "start", "optimum"),
    [((1, 2), 1.863, 1.638, 1.525), ((1, 1), 1.990, 1.278, 1.153), ((2, 1), 0.715, 1.536, 1.212)],
)
def test_case_c_is_that_of_the_formulas_to_three_digits(trusts, cross_entropy, start, optimum):
    tracking, constant = case_c(trusts)
    assert 10 * constant == pytest.approx(cross_entropy, abs=5e-4)
    assert tracking.cost().total + constant == pytest.approx(start, abs=5e-4)
    assert tracking.cost(tracking.learnt()).total + constant == pytest.approx(optimum, abs=5e-4)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_cost_is_the_integral_of_the_mean_squared_distance(weighted):
    """E|x - nubar|^2 from the moments of the marginals, by adaptive quadrature piece by piece."""
    protocol, target = uneven(), two_modes()
    way = Corridor(protocol.start, target.mean())
    teachers = [switching_teacher(way, 2.0, 6.0), drawn_teacher(torch.tensor([[0.0, 0.0], [1.0, 2.0], [3.0, 0.5]]))]
    trusts = (1.0, 2.5)
    penalties = Penalties(near=0.3, first=0.2, second=0.1, places=torch.ones(4, 2, dtype=F64))
    tracking = Tracking(protocol, target.mean(), target.covariance_trace(), teachers, trusts, weighted, penalties)
    path = HarmonicPath(protocol)

    def integrand(time: float) -> float:
        t = torch.tensor([time], dtype=F64)
        mean, covariance = moments(path.at(t), target)
        squares = [(mean - one(t)).square().sum() + covariance[0].trace() for one in teachers]
        weight = stiffness_at(protocol, t) if weighted else 1.0
        return float(0.5 * weight * sum(k * one for k, one in zip(trusts, squares, strict=True)))

    knots = sorted({*protocol.knots.tolist(), *np.linspace(0, 1, 9)})  # the drawn teacher has a corner
    expected = sum(quad(integrand, a, b, epsabs=1e-10)[0] for a, b in pairwise(knots))
    guide = protocol.guide
    steps = guide.diff(dim=0)
    penalty = 0.3 * (guide - 1).square().sum() + 0.2 * steps.square().sum() + 0.1 * steps.diff(dim=0).square().sum()
    cost = tracking.cost()
    assert cost.penalty == pytest.approx(float(penalty), rel=1e-12)
    assert cost.total - cost.penalty == pytest.approx(expected, rel=2e-4)


def test_the_learnt_guide_is_what_a_numerical_minimisation_finds():
    protocol, target = uneven(), two_modes()
    teacher = switching_teacher(Corridor(ORIGIN, target.mean()), 2.0, 6.0)
    tracking = Tracking(
        protocol, target.mean(), target.covariance_trace(), [teacher], weighted=True,
        penalties=Penalties(near=1e-3, first=1e-2, places=teacher(midpoints(4))),
    )  # fmt: skip

    def cost(flat: np.ndarray) -> float:
        return tracking.cost(replace(protocol, guide=torch.from_numpy(flat.reshape(4, 2).copy()))).total

    found = minimize(cost, protocol.guide.flatten().numpy(), method="BFGS", options={"gtol": 1e-7})
    learnt = tracking.learnt()
    assert tracking.cost(learnt).total <= found.fun + 1e-9
    assert np.allclose(found.x.reshape(4, 2), learnt.guide.numpy(), atol=1e-3)


def test_the_floor_does_not_move_with_the_guide_and_is_reached_where_a_guide_can():
    """A straight teacher to the mean of the target is followed without lag; disagreement of two teachers stays."""
    target, pieces = two_modes(), 40
    way = Corridor(ORIGIN, target.mean())
    protocol = Protocol(torch.full((pieces,), 20.0, dtype=F64), ORIGIN.expand(pieces, 2), ORIGIN)
    tracking = Tracking(protocol, target.mean(), target.covariance_trace(), [way.at])
    before, after = tracking.cost(), tracking.cost(tracking.learnt())
    assert before.floor == after.floor
    assert after.following < 1e-6 < before.following
    two = replace(
        tracking, teachers=[switching_teacher(way, 1.0, 6.0), switching_teacher(way, -1.0, 6.0)], trusts=(1.0, 1.0)
    )
    assert two.cost().disagreement > 0.1
    assert two.cost(two.learnt()).following < 1e-6, "their mean is the straight way"


def test_bad_trusts_are_named():
    target = two_modes()
    protocol = Protocol(torch.ones(2), torch.zeros(2, 2), ORIGIN)
    for trusts in ((0.0,), (-1.0,)):
        with pytest.raises(InvalidValue, match=r"trusts are \[-?[01].0\]"):
            Tracking(protocol, target.mean(), 1.0, [Corridor(ORIGIN, target.mean()).at], trusts)


# --- experts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trusts", [(1, 1), (2, 1), (1, 2), (3, 0), (0, 2)])
def test_the_product_law_is_the_normalised_product_of_densities(trusts):
    experts = [one.belief for one in case_c_experts()]
    law = product_law(experts, trusts)
    axis = torch.linspace(-7, 7, 561, dtype=F64)
    y = torch.cartesian_prod(axis, axis - 1)
    log_product = sum(k * one.log_density(y) for k, one in zip(trusts, experts, strict=True))
    expected = torch.softmax(log_product, 0) / (axis[1] - axis[0]) ** 2
    assert torch.allclose(law.log_density(y).exp(), expected, atol=1e-6)


def test_the_fused_mean_of_the_paper():
    law = product_law([one.belief for one in case_c_experts()], (1, 1))
    assert torch.allclose(law.mean(), torch.tensor([-0.50718, -1.04743], dtype=F64), atol=1e-5)


@pytest.mark.parametrize(
    ("trusts", "said"),
    [((0, 0), "one above 0"), ((1, -1), "whole number from 0"), ((1.5, 1), "whole number"), ((1,), "2 experts have 1")],
)
def test_trusts_that_have_no_product_are_named(trusts, said):
    with pytest.raises(InvalidValue, match=said):
        product_law([one.belief for one in case_c_experts()], trusts)


def test_a_product_of_too_many_modes_is_refused_before_it_is_made():
    law = GaussianMixture(torch.ones(200), torch.randn(200, 2), torch.eye(2).expand(200, 2, 2))
    with pytest.raises(InvalidValue, match="has 1,353,400 components; at most 4,000"):
        product_law([law], (3,))
