"""Network training as a demo: what it gives, what it says, and what it refuses."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from gensot_demo.experiments.lagrangian.links import from_query, to_query
from gensot_demo.experiments.lagrangian.neurons import EXAMPLE, KINDS, NeuronsRequest, first_view, run
from gensot_demo.experiments.lagrangian.neurons_luck import STARTS, WIDTHS, by_chance
from gensot_demo.experiments.lagrangian.neurons_told import _widths, learnt_below
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.transport.lagrangian.circle_teachers import TEACHERS


def test_the_first_view_is_the_reference_run():
    moving = run(first_view())
    wide, narrow = moving.clouds
    loss = moving.falling[0]
    assert [loss.values[n] for n in (0, 20, 100, 400)] == pytest.approx([0.60574, 0.56275, 0.17187, 8.61e-4], rel=1e-3)
    assert loss.t[[0, 20, 100, 400]] == pytest.approx([0, 1, 5, 20])
    assert wide.positions.shape == (61, 120, 2)
    assert narrow.positions.shape == (61, 4, 2)
    assert moving.kinds == KINDS[:2]
    assert set(wide.kinds) == {0, 1}
    assert moving.drifts[0].values[-1] == pytest.approx(0.03, abs=0.001)
    assert "120 neurons end with loss 0.00086" in moving.told[0]
    assert "stick" in moving.told[0]
    assert "feature learning" in moving.told[1]
    assert [one.role for one in moving.fitted] == ["target", "start", "between", "end", "narrow"]
    wanted = moving.fitted[0].values
    assert np.square(moving.fitted[3].values - wanted).mean() / 2 == pytest.approx(loss.values[-1])


def test_velocities_are_those_of_the_positions():
    moving = run(NeuronsRequest(step=0.01, time=6.0))
    for cloud in moving.clouds:
        h = moving.times[1] - moving.times[0]
        between = (cloud.positions[2:] - cloud.positions[:-2]) / (2 * h)
        # central differences are off by h²/6 times a third derivative, of the order of the velocity here
        scale = np.abs(between).max()
        assert np.abs(cloud.velocities[1:-1] - between).max() < 0.1 * scale
        assert np.abs(cloud.velocities[1:-1] - between).mean() < 0.01 * scale


def test_large_starts_are_lazy_and_small_ones_are_not():
    assert "lazy" in run(NeuronsRequest(scale=5.0)).told[1]
    assert "feature learning" in run(NeuronsRequest(scale=0.05, time=40)).told[1]


def test_frozen_weights_are_said_and_stay():
    only_v = run(NeuronsRequest(learns="outputs", scale=1.0, narrow=10))
    assert [term.active for term in only_v.terms] == [False, True, True]
    assert "kept only where both weights learn" in only_v.told[-1]
    for cloud in only_v.clouds:
        first, last = cloud.positions[0], cloud.positions[-1]
        across = first[:, 0] * last[:, 1] - first[:, 1] * last[:, 0]
        assert np.abs(across).max() < 1e-4 * np.abs(last).max() ** 2
    turned = (only_v.clouds[0].kinds == 2).any()
    assert (len(only_v.kinds) == 3) == bool(turned or (only_v.clouds[1].kinds == 2).any())
    assert [term.active for term in run(NeuronsRequest(learns="inputs")).terms] == [True, False, True]


@pytest.mark.parametrize("scale", [0.3, 1.0])
def test_what_is_out_of_reach_is_said(scale):
    moving = run(NeuronsRequest(teacher="three_waves", scale=scale))
    assert "below 0.25" in moving.told[0]
    assert "pulls at no neuron" in moving.told[1]
    assert "half of it" not in moving.told[1]  # the loss left is the bound just named
    assert len(moving.falling) == 3
    assert (moving.falling[0].values >= 0.25 - 1e-9).all()


def test_a_run_that_runs_away_names_what_to_lower():
    with pytest.raises(InvalidRequest, match=r"steps of 0\.5 .* scale 5, .* shorter step"):
        run(NeuronsRequest(scale=5.0, step=0.5))


def test_too_many_steps_are_refused():
    with pytest.raises(InvalidRequest, match="10,000 steps"):
        parse(NeuronsRequest, time=100, step=0.01)
    assert NeuronsRequest(time=20, step=0.01).steps == 2000


@given(
    some.fixed_dictionaries(
        {
            "teacher": some.sampled_from(["reference", "fold", "many", "four_waves", "three_waves"]),
            "neurons": some.integers(20, 200),
            "narrow": some.integers(2, 60),
            "scale": some.floats(0.05, 5),
            "time": some.floats(1, 8),
            "step": some.floats(0.02, 2),
            "learns": some.sampled_from(["both", "inputs", "outputs"]),
            "start": some.sampled_from(["spread", "random"]),
            "seed": some.integers(0, 999),
        }
    )
)
@settings(max_examples=30, deadline=None)
def test_whatever_is_asked_is_finite_or_explained(fields):
    try:
        request = parse(NeuronsRequest, **fields)
        moving = run(request)
    except InvalidRequest:  # its sentences have tests of their own
        return
    assert moving.times[-1] <= request.time + 1e-6
    assert [cloud.positions.shape[1] for cloud in moving.clouds] == [request.neurons, request.narrow]
    for cloud in moving.clouds:
        assert np.isfinite(cloud.positions).all()
        assert np.isfinite(cloud.velocities).all()
        assert np.isfinite(moving.flux(cloud)[3]).all()
    for one in (*moving.falling, *moving.drifts):
        assert np.isfinite(one.values).all()
        assert len(one.t) == len(one.values)
    assert np.isfinite(moving.extent).all()
    assert moving.times[0] == 0
    assert (np.diff(moving.times) > 0).all()
    assert moving.told


@pytest.mark.parametrize("fields", [{"scale": 5.0}, {"teacher": "four_waves", "scale": 3.0}])
def test_few_that_stick_are_not_said_to_have_learnt(fields):
    moving = run(NeuronsRequest(**fields))
    wide, narrow = (float(curve.values[-1]) for curve in moving.falling[:2])
    silent = float(np.square(moving.fitted[0].values).mean() / 2)
    assert wide < 0.02 * silent < narrow / 3
    assert "times as much" in moving.told[0]
    assert "have found" not in moving.told[0]


def test_few_that_have_learnt_are_said_to_have():
    told = run(NeuronsRequest(narrow=30)).told[0]
    assert "have found the directions" in told


def test_neither_has_learnt_only_where_neither_has():
    limit = learnt_below(TEACHERS["reference"].values)
    moments = []
    for wide, narrow in product(limit * np.array([0.5, 0.9, 1.1, 2]), repeat=2):
        losses = np.array([[1, 1], [wide, narrow]])
        told = _widths(NeuronsRequest(), losses, 0.0)
        moments.append((("neither" in told), min(wide, narrow) > limit and max(wide, narrow) <= 3 * min(wide, narrow)))
    assert all(said == true for said, true in moments)
    assert {said for said, _ in moments} == {True, False}


@pytest.mark.parametrize(("neurons", "narrow"), [(20, 60), (20, 20)])
def test_the_narrow_network_is_narrower(neurons, narrow):
    with pytest.raises(InvalidRequest, match=f"narrow network has {narrow} neurons and the wide one {neurons}"):
        parse(NeuronsRequest, neurons=neurons, narrow=narrow)


def test_training_ends_by_the_time_asked_for():
    assert run(NeuronsRequest(time=3, step=2, scale=0.3)).times[-1] == 2
    assert run(NeuronsRequest(time=3, step=0.1, scale=0.3)).times[-1] == pytest.approx(3)
    with pytest.raises(InvalidRequest, match="step of 2 is longer than the whole time 1"):
        parse(NeuronsRequest, time=1, step=2)


@pytest.mark.parametrize("start", ["spread", "random"])
@pytest.mark.parametrize(("scale", "step"), [(5.0, 0.05), (3.0, 0.1), (1.5, 0.5), (0.3, 0.5), (0.05, 0.5)])
def test_half_the_step_is_half_the_drift_where_it_is_said(scale, step, start):
    whole, half = (run(NeuronsRequest(scale=scale, step=part, start=start)) for part in (step, step / 2))
    assert "half the drift" in whole.told[-1]
    assert whole.drifts[0].values[-1] / half.drifts[0].values[-1] == pytest.approx(2, rel=0.15)


@pytest.mark.parametrize("fields", [{"step": 2.0}, {"step": 1.0}, {"scale": 5.0, "step": 0.25}])
def test_long_steps_are_not_said_to_be_proportional(fields):
    assert "half the drift" not in run(NeuronsRequest(**fields)).told[-1]


def test_links():
    request, notes = from_query(NeuronsRequest, EXAMPLE, EXAMPLE)
    assert request == NeuronsRequest(scale=3.0, narrow=10)
    assert not notes
    assert from_query(NeuronsRequest, to_query(request), EXAMPLE) == (request, [])
    with pytest.raises(InvalidRequest, match="from 20 to 1000"):
        from_query(NeuronsRequest, "neurons=5", EXAMPLE)


def test_wide_networks_learn_from_any_start_and_narrow_ones_by_luck():
    moments = list(by_chance(NeuronsRequest(step=0.1)))
    last = moments[-1]
    assert (moments[0].done, last.done, last.time) == (0, 1, pytest.approx(20))
    assert last.losses.shape == (len(WIDTHS), STARTS)
    learnt = dict(zip(WIDTHS, last.learnt, strict=True))
    assert learnt[2] <= STARTS // 4  # two directions are fewer than the function has kinks
    assert learnt[64] == learnt[128] == STARTS
    assert last.losses[-1].std() < 0.1 * last.losses[1].std()
    assert f"{STARTS} with 128" in last.told[0]
    with pytest.raises(InvalidRequest, match="shorter step"):
        list(by_chance(NeuronsRequest(scale=5.0, step=1.0)))
