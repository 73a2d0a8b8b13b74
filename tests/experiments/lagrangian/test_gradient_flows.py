"""Gradient flows as a demo: its request, its terms, its sentences from the run's numbers."""

import re

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
    _barrier,
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


@pytest.mark.parametrize("law", ["ring", "moons", "grid"])
def test_one_law_as_start_and_target_moves_nothing_and_says_so(law):
    moving = run(GradientFlowRequest(start=law, target=law, particles=50))
    assert np.abs(moving.clouds[0].velocities).max() < 1e-6
    assert len(moving.told) == 1
    assert "one law" in moving.told[0]


@pytest.mark.parametrize(
    "request_",
    [
        GradientFlowRequest(start="moons", target="two_modes", particles=50),
        GradientFlowRequest(start="grid", target="ring", particles=50),
        GradientFlowRequest(energy="heat", start="moons", duration=8, particles=50),
        first_view(),
    ],
)
def test_what_was_lost_is_what_was_spent_up_to_the_luck_that_is_said(request_):
    moving = run(request_)
    said = re.search(r"lost, (\S+), is .* is (\S+), with a standard error of (\S+) from", moving.told[-1])
    lost, spent, luck = (float(one) for one in said.groups())
    # the grid is off by up to 2 %; four standard errors of 4 cases are chance once in 4,000
    assert abs(lost - spent) < 4 * luck + 0.02 * lost
    assert luck < 0.4 * lost  # else any number would do


def test_heat_spreads_as_diffusion_says_up_to_the_luck_that_is_said():
    for particles in (50, 400):
        told = run(GradientFlowRequest(energy="heat", start="moons", duration=8, particles=particles)).told[0]
        grown = re.findall(r"(\d+\.\d+) ± (\d+\.\d+)", told)
        assert len(grown) == 2
        for mean, error in grown:
            assert abs(float(mean) - 32) < 4 * float(error)
        # a normal law's spread: Var |x|² = 2 (4 t)²/2 at the end, and little at the start
        assert float(grown[1][1]) == pytest.approx(32 / particles**0.5, rel=0.4)


def test_modes_that_are_right_are_not_called_wrong():
    near = run(GradientFlowRequest(energy="interaction", bandwidth=3, start="one_place"))
    assert np.abs(near.there - near.wanted).max() < 0.02
    assert "every mode has its mass" in near.told[0]
    far = run(GradientFlowRequest(energy="interaction", bandwidth=0.4, start="one_place"))
    assert "least right" in far.told[0]


def test_a_rate_that_rounding_hides_is_no_infinite_number():
    assert "inf" not in _barrier(1.0, 0.0, "upper", 0.3)
    assert "halves in t = 0.69" in _barrier(1.0, 1.0, "upper", 0.3)


def test_the_terms_of_the_kernel_are_the_force_of_the_kernel():
    """−∇k = (x − y) k/h² for k = h² exp(−|x − y|²/2h²), by differences."""
    h, x, y, step = 0.7, 0.9, 0.2, 1e-5
    k = [h**2 * np.exp(-((x + by - y) ** 2) / (2 * h**2)) for by in (-step, 0, step)]
    assert -(k[2] - k[0]) / (2 * step) == pytest.approx((x - y) * k[1] / h**2, rel=1e-6)
    assert all("/h²" in term.symbol for term in run(GradientFlowRequest(particles=50)).terms[2:])


@pytest.mark.parametrize(
    ("query", "words"),
    [("energy=warmth", "Energy is"), ("bandwidth=0.1", "0.4"), ("duration=9", "8"), ("particles=20", "50")],
)
def test_bad_values_are_named_with_their_range(query, words):
    with pytest.raises(InvalidRequest, match=words):
        from_query(GradientFlowRequest, query, EXAMPLE)
