"""The first two demos of the Lagrangian view: what they promise, links, and what they refuse."""

import json

import numpy as np
import pytest

from gensot_demo.experiments.lagrangian import diffusion, interpolation
from gensot_demo.experiments.lagrangian.diffusion import DiffusionRequest
from gensot_demo.experiments.lagrangian.interpolation import InterpolationRequest
from gensot_demo.experiments.lagrangian.links import from_query, to_query
from gensot_demo.experiments.lagrangian.moving import extent_of
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.figures.lagrangian import clouds_value, falling_figure


def _areas(moving):
    return [float(np.trapezoid(one.values, one.t)) for one in moving.falling]


def test_averaging_saves_energy_and_the_optimal_pairing_has_nothing_to_average():
    independent, optimal = (diffusion.run(DiffusionRequest(pairing=name)) for name in ("independent", "optimal"))
    single, averaged = _areas(independent)
    assert averaged < 0.8 * single
    least, same = _areas(optimal)
    assert least == same < averaged
    assert [term.active for term in optimal.terms] == [True, True, False]
    assert np.array_equal(optimal.clouds[0].positions, optimal.clouds[1].positions)


def test_gaussians_have_the_costs_of_the_formulas():
    """docs/FORMULAS.md 5: S0 = diag(2, .3), S1 = R(.8) diag(3, .4) R': costs 1.372 and .991 of the two maps."""
    request = InterpolationRequest(
        source_along=2**0.5, source_across=0.3**0.5, target_along=3**0.5, target_across=0.4**0.5,
        target_angle=float(np.degrees(0.8)), particles=1000,
    )  # fmt: skip
    moving = interpolation.run(request)
    start, end = moving.clouds[0].positions[0], moving.clouds[0].positions[-1]
    flown = moving.clouds[1].positions[-1]
    costs = [np.square(there - start).sum(-1).mean() for there in (end, flown)]
    # a mean of quadratic forms: its standard error is at most sqrt(2 / n) of it
    assert costs[0] == pytest.approx(0.991, rel=4 * (2 / 1000) ** 0.5)
    assert costs[1] == pytest.approx(1.372, rel=4 * (2 / 1000) ** 0.5)
    assert "0.991" in moving.told[0]


def test_optimal_clouds_go_at_constant_speed_and_cost_least():
    moving = interpolation.run(InterpolationRequest(ends="clouds"))
    optimal, _ = moving.falling
    assert np.ptp(optimal.values) < 1e-6 * optimal.values[0]
    assert _areas(moving)[0] < _areas(moving)[1]
    x = moving.clouds[0].positions
    assert np.allclose(x[30], (x[0] + x[-1]) / 2, atol=1e-5)


def test_commuting_gaussians_have_the_same_ends_by_other_ways():
    """Halfway flow matching has drawn the first axis together to sqrt(s0^2 + s1^2) / 2 instead of (s0 + s1) / 2."""
    request = InterpolationRequest(target_angle=0.0)
    moving = interpolation.run(request)
    optimal, flow = (cloud.positions for cloud in moving.clouds)
    assert np.allclose(optimal[-1], flow[-1], atol=1e-5)
    s0, s1 = request.source_along, request.target_along
    assert np.allclose(flow[30][:, 0] / optimal[30][:, 0], np.hypot(s0, s1) / (s0 + s1), rtol=1e-4)
    assert _areas(moving)[1] > 2 * _areas(moving)[0]
    assert [term.active for term in moving.terms] == [True, True, True, False]
    assert "very same place" in moving.told[1]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_flow_matching_spends_is_said_whatever_the_draws(seed):
    """With few particles its draws may be cheaper than the optimal plan to other draws of the same law."""
    moving = interpolation.run(InterpolationRequest(ends="clouds", particles=50, seed=seed))
    own, mean = _areas(moving)
    assert ("by the luck of these draws" in moving.told[1]) == (mean < own)
    assert "-" not in moving.told[1].split("spends")[1].split(":")[0]


@pytest.mark.parametrize(("demo", "kind"), [(diffusion, DiffusionRequest), (interpolation, InterpolationRequest)])
def test_links_come_back(demo, kind):
    assert from_query(kind, to_query(kind()), demo.EXAMPLE) == (kind(), [])
    changed = from_query(kind, demo.EXAMPLE + "&view=eulerian&particles=77", demo.EXAMPLE)[0]
    assert changed != kind()
    assert from_query(kind, to_query(changed), demo.EXAMPLE) == (changed, [])


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("particles=1e9", "1000"), ("particles=nan", "nan"), ("target=cat", "cat"), ("particles=12.5", "12.5"),
        ("view=sideways", "sideways"), ("seed=-1", "-1"),
    ],
)  # fmt: skip
def test_bad_links_name_the_value(query, says):
    with pytest.raises(InvalidRequest, match=says):
        from_query(DiffusionRequest, query, diffusion.EXAMPLE)


def test_what_is_unknown_is_ignored_with_a_note():
    request, notes = from_query(DiffusionRequest, "colour=red", diffusion.EXAMPLE)
    assert request == DiffusionRequest()
    assert "colour" in notes[0]


@pytest.mark.parametrize("view", ["lagrangian", "eulerian"])
def test_figures_show_what_was_asked_for(view):
    moving = diffusion.run(DiffusionRequest(view=view, particles=50))
    value = json.loads(clouds_value(moving, autoplay=False))
    assert ("particles" in value["show"]) == (view == "lagrangian")
    assert ("field" in value["show"]) == (view == "eulerian")
    assert [panel["particles"] for panel in value["panels"]] == [50, 50]
    assert all(panel["field"] is not None for panel in value["panels"])
    assert [trace["name"] for trace in falling_figure(moving)["data"]] == ["One by one", "On average"]


def test_the_extent_holds_nearly_all_and_stands_still_for_one_place():
    x0, x1, y0, y1 = extent_of(np.random.default_rng(0).normal(size=(3, 500, 2)))
    assert x0 < -2.5 < 2.5 < x1
    assert x1 - x0 == pytest.approx(y1 - y0)
    assert extent_of(np.zeros((2, 5, 2))) == (-1.0, 1.0, -1.0, 1.0)
