"""Gradient flows as a demo: its request, its terms, its sentences from the run's numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gensot_demo.experiments.lagrangian.gradient_flows import (
    ENERGIES,
    EXAMPLE,
    STARTS,
    TARGETS,
    GradientFlowRequest,
    first_view,
    run,
)
from gensot_demo.experiments.lagrangian.links import from_query, to_query
from gensot_demo.experiments.requests import InvalidRequest


@settings(max_examples=8, deadline=None)
@given(
    st.builds(
        GradientFlowRequest,
        energy=st.sampled_from(list(ENERGIES)),
        start=st.sampled_from(STARTS),
        target=st.sampled_from(TARGETS),
        duration=st.floats(0.2, 8),
        bandwidth=st.floats(0.4, 3),
        interaction_time=st.floats(5, 60),
        particles=st.just(50),
        seed=st.integers(0, 999_999),
    )
)
def test_every_setting_keeps_its_particles_and_lets_the_energy_fall(request):
    moving = run(request)
    assert len(moving.clouds) == (1 if request.energy == "interaction" else 2)
    for cloud in moving.clouds:
        assert cloud.positions.shape == cloud.velocities.shape == (len(moving.times), 50, 2)
        assert np.isfinite(cloud.positions).all()
        assert np.isfinite(cloud.velocities).all()
        assert cloud.kinds.max() < len(moving.kinds)
    assert (np.diff(moving.falling[0].values) <= 1e-9).all()
    query = to_query(request)
    assert run_from(query) == query


def run_from(query: str) -> str:
    return to_query(from_query(GradientFlowRequest, query, EXAMPLE)[0])


def test_only_the_terms_of_the_energy_are_active():
    wanted = {"langevin": [1, 1, 0, 0], "heat": [0, 1, 0, 0], "interaction": [0, 0, 1, 1]}
    for energy, active in wanted.items():
        moving = run(GradientFlowRequest(energy=energy, particles=50))
        assert [int(term.active) for term in moving.terms] == active


def test_the_sentences_hold_the_numbers_of_the_run():
    moving = run(first_view())
    energy = moving.falling[0].values
    assert f"{energy[0] - energy[-1]:.4g}" in moving.told[-1]
    worst = np.abs(moving.there - moving.wanted).argmax()
    assert f"{100 * moving.there[worst]:.1f} % of the mass" in moving.told[1]
    assert moving.wanted == pytest.approx([0.5, 0.3, 0.2], abs=1e-6)
    assert moving.there.sum() == pytest.approx(1)
    low = run(GradientFlowRequest(target="four_modes", duration=4.0, particles=50))
    assert "every mode has its mass" in low.told[1]


def test_the_same_seed_gives_the_same_particles_and_heat_has_no_target():
    first, again = (run(GradientFlowRequest(energy="heat", start="moons", particles=50, seed=4)) for _ in range(2))
    assert np.array_equal(first.clouds[1].positions, again.clouds[1].positions)
    assert first.target is None
    assert first.wanted is None


@pytest.mark.parametrize(
    ("query", "words"),
    [("energy=warmth", "Energy is"), ("bandwidth=0.1", "0.4"), ("duration=9", "8"), ("particles=20", "50")],
)
def test_bad_values_are_named_with_their_range(query, words):
    with pytest.raises(InvalidRequest, match=words):
        from_query(GradientFlowRequest, query, EXAMPLE)
