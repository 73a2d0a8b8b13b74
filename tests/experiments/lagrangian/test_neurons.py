"""Network training as a demo: what it gives, what it says, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from gensot_demo.experiments.lagrangian.links import from_query, to_query
from gensot_demo.experiments.lagrangian.neurons import EXAMPLE, KINDS, NeuronsRequest, first_view, run
from gensot_demo.experiments.lagrangian.neurons_luck import STARTS, WIDTHS, by_chance
from gensot_demo.experiments.requests import InvalidRequest, parse


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


def test_what_is_out_of_reach_is_said():
    moving = run(NeuronsRequest(teacher="three_waves", scale=1.0))
    assert "below 0.25" in moving.told[0]
    assert "pulls at no neuron" in moving.told[1]
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
    some.builds(
        NeuronsRequest, teacher=some.sampled_from(["reference", "fold", "many", "four_waves", "three_waves"]),
        neurons=some.integers(20, 200), narrow=some.integers(2, 60), scale=some.floats(0.05, 5),
        time=some.floats(1, 8), step=some.floats(0.02, 2), learns=some.sampled_from(["both", "inputs", "outputs"]),
        start=some.sampled_from(["spread", "random"]), seed=some.integers(0, 999),
    )
)  # fmt: skip
@settings(max_examples=30, deadline=None)
def test_whatever_is_asked_is_finite_or_explained(request):
    try:
        moving = run(request)
    except InvalidRequest:  # its sentence has a test of its own
        return
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
