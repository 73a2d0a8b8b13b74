"""Learn a guide and Experts: requests, links, results and sentences; the descent through simulation beside them."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
import torch

from gensot_demo.experiments.navigation.experts import (
    ExpertsRequest,
    consensus,
    paper_rows,
    solve,
    tracking_of,
)
from gensot_demo.experiments.navigation.learning_links import (
    experts_from_query,
    modes_in,
    teacher_from_query,
    text_of,
    to_query,
)
from gensot_demo.experiments.navigation.passage import density_of
from gensot_demo.experiments.navigation.simulated import arrived, simulate_and_adam, simulated_cost
from gensot_demo.experiments.navigation.spread import entropy_of
from gensot_demo.experiments.navigation.teacher import TeacherRequest, learn, tune
from gensot_demo.experiments.navigation.told import of_experts, of_teacher, of_tuning
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.transport.diagnostics import entropy
from gensot_demo.transport.mixtures import GaussianMixture, two_modes

DRAWN = ((0.0, 0.0), (1.0, 1.5), (2.0, -0.5), (3.0, 0.5))

# --- experts ---------------------------------------------------------------------------------------------------------


def test_case_c_is_the_formulas_to_three_digits():
    found = {row.trusts: (round(row.start, 3), round(row.optimum, 3)) for row in paper_rows()}
    assert found == {(1, 2): (1.638, 1.525), (1, 1): (1.278, 1.153), (2, 1): (1.536, 1.212)}
    assert [row.published < row.optimum for row in paper_rows()] == [True, False, False]


def test_the_entropy_of_the_constant_is_that_of_a_finer_rule():
    for trusts in ((1, 1), (3, 1)):
        result = consensus(ExpertsRequest(trusts=trusts))
        assert 10 * result.constant == pytest.approx(entropy(result.fused), abs=1e-5)


def test_a_result_holds_together():
    result = consensus(ExpertsRequest(trusts=(2, 1), stiffness=40))
    assert result.optimum < result.start
    assert result.before.floor == result.after.floor
    cell = np.diff(result.density.x)[0] * np.diff(result.density.y)[0]
    assert result.density.values.sum() * cell == pytest.approx(1, abs=0.01)  # 3.2 standard deviations to each side
    assert np.allclose(result.learnt.mean[0], 0)
    assert np.allclose(result.learnt.mean[-1], result.fused.mean())
    share = 100 * result.after.disagreement / result.after.floor
    assert f"{share:.0f} % of the floor is disagreement" in " ".join(of_experts(result))


def test_one_trusted_expert_disagrees_with_nobody():
    result = consensus(ExpertsRequest(trusts=(0, 3)))
    assert result.after.disagreement == pytest.approx(0, abs=1e-12)
    assert "to the power 3" in of_experts(result)[0]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"trusts": (0, 0)}, "trusts are 0, 0: nobody is trusted"),
        ({"trusts": (1, 6)}, "Trusts is 6: input should be less than or equal to 5"),
        ({"trusts": (1, 1.5)}, "1.5"),
        ({"trusts": (1,)}, "2 experts have 1 trusts"),
        ({"beliefs": (((1, 0, 0, 1, 2, 1),), ((1, 0, 0, 1, 0, 1),))}, r"mode 1: the covariance \[1, 2; 2, 1\]"),
        ({"beliefs": (((1, 0, 0, 0, 0, 0),), ((1, 0, 0, 1, 0, 1),))}, "positive definite"),
        ({"beliefs": (((0, 0, 0, 1, 0, 1),), ((1, 0, 0, 1, 0, 1),))}, "the weight is 0; it must be above 0"),
        ({"beliefs": (((1, 99, 0, 1, 0, 1),), ((1, 0, 0, 1, 0, 1),))}, "coordinates go from -20 to 20"),
        ({"beliefs": ((), ((1, 0, 0, 1, 0, 1),))}, "expert 1 has no mode"),
        ({"beliefs": (((1, 0, 0, 1, 0, 1),) * 10_000, ((1, 0, 0, 1, 0, 1),))}, "10000 given, at most 8"),
        ({"beliefs": (((1, math.nan, 0, 1, 0, 1),), ((1, 0, 0, 1, 0, 1),))}, "nan"),
        ({"stiffness": 0.5}, "Stiffness is 0.5; it must be a number from 1 to 500"),
    ],
)  # fmt: skip
def test_bad_experts_are_named(values, said):
    with pytest.raises(InvalidRequest, match=said):
        parse(ExpertsRequest, **values)


def test_a_product_that_is_too_large_is_refused_with_a_sentence():
    modes = tuple((1.0, float(n), 0.0, 1.0, 0.0, 1.0) for n in range(8))
    request = ExpertsRequest(beliefs=(modes, modes), trusts=(5, 5))
    with pytest.raises(InvalidRequest, match="components; at most 4,000"):
        consensus(request)


# --- learn a guide ---------------------------------------------------------------------------------------------------


def test_a_learnt_guide_strays_less_and_swings_more_where_the_corridor_is_loose():
    loose, stiff = learn(TeacherRequest(stiffness=20)), learn(TeacherRequest(stiffness=400))
    assert loose.stray(loose.after) < 0.3 * loose.stray(loose.before)
    assert loose.before.floor == pytest.approx(loose.after.floor)
    assert loose.swing > 3 > 1.5 > stiff.swing
    assert loose.gain == pytest.approx(20 / (20 + loose.quickness))
    assert f"swings {loose.swing:.1f} times as far out" in " ".join(of_teacher(loose))


def test_a_whole_swing_is_as_quick_as_its_frequency():
    """A drawn sine of one period across a straight way: int |d'|^2 / int |d|^2 = (2 pi)^2, up to the drawing."""
    t, end = np.linspace(0, 1, 199), two_modes().mean().numpy()
    normal = np.array([-end[1], end[0]]) / np.linalg.norm(end)
    flat = t[:, None] * end + 0.02 * np.sin(2 * np.pi * t)[:, None] * normal  # flat: its length is nearly that of time
    found = learn(TeacherRequest(points=tuple(map(tuple, flat))))
    assert found.quickness == pytest.approx((2 * math.pi) ** 2, rel=0.02)


def test_strong_regularisation_makes_the_guide_the_teacher():
    result = learn(TeacherRequest(regularisation=100))
    assert np.abs(result.learnt.guide - result.naive.guide).max() < 0.05
    weak = [learn(TeacherRequest(regularisation=one)).after.following for one in (0, 1e-3, 1e-1)]
    assert weak == sorted(weak)


def test_a_drawn_teacher_is_followed():
    result = learn(TeacherRequest(points=DRAWN, stiffness=100))
    assert result.stray(result.after) < result.stray(result.before)
    assert np.allclose(result.teacher[[0, -1]], [DRAWN[0], DRAWN[-1]])


@pytest.mark.parametrize("what", ["stiffness", "timing"])
def test_tuning_ends_at_its_best_and_says_by_how_much(what):
    *_, last = moments = list(tune(TeacherRequest(pieces=10), what, steps=12))
    assert [one.step for one in moments] == list(range(13))
    assert last.objectives[-1] == min(last.objectives) < last.objectives[0]
    assert f"{last.objectives[-1]:.2f}" in of_tuning(last)
    if what == "stiffness":
        assert last.profile.mean() == pytest.approx(20)
    else:
        assert (np.diff(last.profile) > 0).all()
        assert last.profile[-1] == pytest.approx(1)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"target": "moon"}, "target 'moon' is unknown; there are two_modes"),
        ({"points": ((0, 0),)}, "the teacher has 1 point"),
        ({"points": ((0, 0), (0, 99))}, "coordinates go from -20 to 20"),
        ({"points": ((0, 0),) * 1000}, "1000 given, at most 200"),
        ({"regularisation": -1}, "Regularisation is -1; it must be a number from 0 to 100"),
        ({"pieces": 1}, "a whole number from 2 to 60"),
    ],
)
def test_bad_teachers_are_named(values, said):
    with pytest.raises(InvalidRequest, match=said):
        parse(TeacherRequest, **values)


# --- links -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "read"),
    [
        (TeacherRequest(), teacher_from_query),
        (TeacherRequest(points=DRAWN, stiffness=55.5, pieces=12, regularisation=0), teacher_from_query),
        (ExpertsRequest(), experts_from_query),
        (
            ExpertsRequest(
                beliefs=(
                    ((1, -1, 0, 0.3, -0.05, 0.1),),
                    ((0.5, 1, 2, 0.3, 0, 0.1), (2, 0, 0, 1, 0, 1)), ((1, 0, 1, 1, 0, 1),),
                ),
                amplitudes=(0.5, -1.25, 0), trusts=(1, 0, 3), stiffness=7,
            ),
            experts_from_query,
        ),
    ],
)  # fmt: skip
def test_a_link_restores_the_request(request_, read):
    assert read(to_query(request_)) == (request_, [])
    assert pickle.loads(pickle.dumps(request_)) == request_


def test_bad_links_are_named():
    for query, said in (
        ("trusts=1,x", "Trusts holds '1,x'"),
        ("trusts=0,0", "nobody is trusted"),
        ("belief=1,2,3&belief=1,0,0,1,0,1", "6 numbers in each entry"),
        ("pieces=many", "Pieces holds 'many'"),
    ):
        with pytest.raises(InvalidRequest, match=said):
            experts_from_query(query)
    assert "moon" in teacher_from_query("moon=1")[1][0]


def test_beliefs_are_read_as_they_are_written():
    modes = ExpertsRequest().beliefs[0]
    assert [tuple(mode) for mode in modes_in(text_of(modes), "Expert 1")] == list(modes)
    assert modes_in(" 1 ; 2 3; 1 0 1 \n\n", "Expert 1") == [[1, 2, 3, 1, 0, 1]]
    with pytest.raises(InvalidRequest, match=r"Expert 2, line 2 is '1; 2'; it must be six numbers"):
        modes_in("1; 2, 3; 1, 0, 1\n1; 2", "Expert 2")
    with pytest.raises(InvalidRequest, match="Expert 1 has 10,000 modes; at most 8"):
        modes_in("1; 2, 3; 1, 0, 1\n" * 10_000, "Expert 1")


# --- simulation ------------------------------------------------------------------------------------------------------


def test_the_simulated_cost_is_the_exact_one_up_to_its_own_errors():
    """Mean over repeats with its standard error; the step error of Euler-Maruyama with 100 steps is below 3 %."""
    tracking, law = tracking_of(ExpertsRequest())
    generator = torch.Generator().manual_seed(3)
    costs = [float(simulated_cost(tracking, tracking.protocol, law, generator)) for _ in range(8)]
    error = np.std(costs, ddof=1) / math.sqrt(len(costs))
    exact = tracking.cost().total
    assert abs(np.mean(costs) - exact) < 4 * error + 0.03 * exact
    assert error < 0.03 * exact, "or the comparison says little"


def test_its_gradient_leads_down_and_never_below_the_optimum():
    tracking, law, learnt = solve(ExpertsRequest())
    optimum = tracking.cost(learnt).total
    moments = list(simulate_and_adam(tracking, law, 6, particles=200))
    exact = [one.exact for one in moments]
    assert exact[-1] < exact[0] == pytest.approx(tracking.cost().total)
    assert min(exact) >= optimum
    assert not arrived(moments[0], optimum, 0.2)
    seconds = [one.seconds for one in moments]
    assert seconds == sorted(seconds)
    assert seconds[0] == 0


def test_a_density_covers_its_law():
    shown = density_of(two_modes())
    assert shown.values.shape == (len(shown.y), len(shown.x))
    peak = np.unravel_index(shown.values.argmax(), shown.values.shape)
    assert (shown.x[peak[1]], shown.y[peak[0]]) == pytest.approx((3.0, 1.2), abs=0.06)


def test_many_components_have_an_entropy_in_bounded_work():
    """A law of 1000 components, each many times over: the entropy is that of the few distinct places."""
    few = GaussianMixture(
        torch.ones(8), torch.randn(8, 2, generator=torch.Generator().manual_seed(1)), torch.eye(2).expand(8, 2, 2) * 0.2
    )
    many = GaussianMixture(torch.ones(1000), few.means.repeat(125, 1), few.covariances.repeat(125, 1, 1))
    assert entropy_of(many) == pytest.approx(entropy_of(few), abs=0.02)
