"""Controlled transport as a demo: its request, its terms, its sentences from the run's numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gensot_demo.experiments.lagrangian.controlled import (
    EXAMPLE,
    SHAPES,
    SHOWN_TIMES,
    TARGETS,
    ControlledRequest,
    first_view,
    run,
)
from gensot_demo.experiments.lagrangian.links import from_query, to_query
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.figures.lagrangian_controlled import landscape_figure


@settings(max_examples=6, deadline=None)
@given(
    st.builds(
        ControlledRequest,
        shape=st.sampled_from(list(SHAPES)),
        stiffness=st.floats(0, 100),
        amplitude=st.floats(0, 2),
        target=st.sampled_from(TARGETS),
        motion=st.sampled_from(["flow", "noise"]),
        particles=st.just(50),
        seed=st.integers(0, 999_999),
    )
)
def test_every_setting_keeps_its_particles(request):
    moving = run(request)
    for cloud in moving.clouds:
        assert cloud.positions.shape == cloud.velocities.shape == (61, 50, 2)
        assert np.isfinite(cloud.positions).all()
        assert np.isfinite(cloud.velocities).all()
    assert all(np.isfinite(one.values).all() and (one.values >= 0).all() for one in moving.falling)
    again, notes = from_query(ControlledRequest, to_query(request), EXAMPLE)
    assert to_query(again) == to_query(request)
    assert notes == []
    highest = {landscape_figure(moving, number)["data"][0]["zmax"] for number in range(len(SHOWN_TIMES))}
    assert len(highest) == 1  # all four on one scale


def test_the_sentences_hold_the_numbers_of_the_run():
    moving = run(first_view())
    shares = [100 * float((cloud.kinds == 0).mean()) for cloud in moving.clouds]
    assert f"{shares[0]:.1f} % of the guided and {shares[1]:.1f} % of the unguided, wanted 70.0 %" in moving.told[0]
    assert "8.32 for where they are and 9.98 for being steered" in moving.told[1]  # docs/FORMULAS.md 1.4: 8.324, 9.981


def test_without_stiffness_the_clouds_are_one_and_the_guide_is_off():
    moving = run(ControlledRequest(stiffness=0, particles=50))
    assert np.array_equal(moving.clouds[0].positions, moving.clouds[1].positions)
    assert [term.active for term in moving.terms] == [True, True, False, True]
    assert moving.clouds[0].guide is None


@pytest.mark.parametrize(
    ("query", "words"),
    [("shape=W", "Shape is"), ("stiffness=101", "100"), ("amplitude=-1", "0"), ("motion=up", "flow")],
)
def test_bad_values_are_named_with_their_range(query, words):
    with pytest.raises(InvalidRequest, match=words):
        from_query(ControlledRequest, query, EXAMPLE)
