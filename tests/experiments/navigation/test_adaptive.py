"""Adaptive stiffness: requests and links, the candidates against each other, particles against exact draws."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from gensot_demo.experiments.navigation.adaptive import (
    AdaptiveRequest,
    curve_of,
    grid_of,
    judge,
    path_of,
    refinement,
)
from gensot_demo.experiments.navigation.adaptive_runs import simulate
from gensot_demo.experiments.navigation.tuned_links import from_query, pulls_in, to_query
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.transport.diagnostics import posterior_variance

FAST = AdaptiveRequest(target="two_modes", steps=16, blur=0.1)


def test_a_link_goes_there_and_back():
    request = AdaptiveRequest(target="ring", temperature=0.002, pulls=(5.0, 60.5, 0.0), free=False, steps=12)
    assert from_query(AdaptiveRequest, to_query(request)) == (request, [])
    assert to_query(AdaptiveRequest()) == "v=1"
    found, notes = from_query(AdaptiveRequest, "moon=3")
    assert found == AdaptiveRequest()
    assert "moon" in notes[0]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("target=moons", "there are grid, ring"),
        ("steps=3", "Steps is 3; it must be a whole number from 4 to 40"),
        ("temperature=99", "Temperature is 99"),
        ("pulls=1,x", "must be numbers"),
        ("pulls=1,901", "from 0 to 900"),
        ("pulls=", "0 pieces"),
        ("steps=many", "must be a number"),
    ],
)
def test_bad_values_are_named(query, said):
    with pytest.raises(InvalidRequest, match=said):
        from_query(AdaptiveRequest, query)


def test_too_many_pieces_are_refused():
    with pytest.raises(InvalidRequest, match="9 pieces are given; there must be from 1 to 8"):
        parse(AdaptiveRequest, pulls=pulls_in("1,1,1,1,1,1,1,1,1"))


def test_the_motion_is_that_of_the_diagnostics():
    """Order parameter and velocity gradient use the tabulated mmse: the quadrature itself says the same."""
    result = judge(FAST.model_copy(update={"pulls": (3.0, 30.0), "temperature": 0.5}))
    motion, own = result.motions["own"], result.candidate("own")
    grid = grid_of(result.request, own)
    law = FAST.law.mixture
    rows = [10, 60, 110]
    points = path_of(FAST.law, own.stiffness, own.temperature).at(torch.from_numpy(motion.t[rows]))
    mmse = posterior_variance(points, law).numpy()
    energy = law.covariance_trace() + float(law.mean().square().sum())
    assert np.allclose(motion.order_parameter[rows], 1 - mmse / energy, atol=2e-4)
    expected = points.pull.numpy() ** 2 * mmse / 0.5 - 2 * points.relaxation.numpy()
    assert np.allclose(motion.velocity_gradient[rows], expected, rtol=2e-2, atol=0.02)
    assert np.allclose(grid.log_K.exp().numpy()[1:], own.levels[1:], rtol=1e-6), "the sampler stops where it is judged"
    assert np.allclose(grid.t.diff().numpy(), float(grid.t[1])), "equal time steps"


def test_refinement_never_gets_worse_and_stays_above_the_floor():
    moments = list(refinement(FAST))
    assert [moment.pieces for moment in moments] == [1, 2, 4, 8, 0]
    result = moments[-1].result
    found = [one.divergence for one in result.refined]
    assert len(found) == 4
    assert all(b <= a * (1 + 1e-6) for a, b in itertools.pairwise(found))
    floor = result.candidate("floor").divergence
    assert floor <= found[-1] * 1.001
    assert found[0] < 1.2 * floor, "one piece comes near the floor once the temperature is chosen too"
    assert [moment.pieces for moment in refinement(FAST)] == [0], "kept"


def test_with_the_temperature_held_nothing_beats_no_stiffness():
    result = list(refinement(FAST.model_copy(update={"free": False})))[-1].result
    assert result.refined[-1].divergence == pytest.approx(result.candidate("none").divergence, rel=5e-3)


def test_many_steps_reach_the_noise_floor_and_few_of_a_bad_protocol_do_not():
    good = judge(AdaptiveRequest(target="two_modes", steps=40, temperature=0.005, pulls=(20.0,)))
    *_, last = simulate(good)
    assert last.complete
    assert [run.candidate.name for run in last.runs] == ["none", "own", "floor"]
    for run in last.runs[1:]:
        assert run.end < last.floor + 4 * np.hypot(run.error, last.floor_error)
        assert run.wrong_shares < 5 * run.expected_shares
        assert ((run.decided >= 0) & (run.decided <= 1)).all()
        assert run.distance[0] > 3 * last.floor_over_time
    *_, bad = simulate(judge(AdaptiveRequest(target="two_modes", steps=4, pulls=(900.0,))))
    own = bad.runs[1]
    assert own.end > bad.floor + 4 * np.hypot(own.error, bad.floor_error)
    assert bad.power > bad.floor + 4 * bad.floor_error


def test_decided_late_where_information_comes_late():
    result = judge(AdaptiveRequest(target="ring", steps=20, pulls=(200.0,)))
    *_, last = simulate(result)
    early, late = (np.median(run.decided) for run in last.runs[:2])
    assert late > early
    assert result.motions["own"].speciation > result.motions["none"].speciation


def test_curves_are_kept():
    assert curve_of("two_modes", 0.1) is curve_of("two_modes", 0.1)
