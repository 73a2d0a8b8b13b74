"""Two Gaussians as a request: links, ways, sentences, and what is refused."""

import numpy as np
import pytest

from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.experiments.static_ot.gaussians import (
    GaussiansRequest,
    compare_gaussians,
    from_query,
    of_maps,
    to_query,
)
from gensot_demo.figures.ellipses import Ellipse, ellipses_value, read_ellipses


def test_a_link_brings_the_request_back():
    request = GaussiansRequest(target_angle=12.5, target_x=-1.25, source_across=0.2, schedule="vp")
    assert from_query(to_query(request)) == (request, [])
    found, notes = from_query("target_angle=90&moon=1")
    assert found == GaussiansRequest(target_angle=90)
    assert "moon" in notes[0]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("source_across=0", "0.1"), ("target_along=nan", "Target along"), ("target_x=9", "-2"),
        ("schedule=moon", "condot"), ("target_angle=wide", "must be a number"),
    ],
)  # fmt: skip
def test_bad_values_are_named(query, words):
    with pytest.raises(InvalidRequest, match=words):
        from_query(query)


def test_the_ways_end_in_what_the_maps_say_and_both_clouds_are_the_target():
    request = GaussiansRequest(target_x=1.0, target_y=-0.5, schedule="cosine")
    found = compare_gaussians(request)
    mean = np.array([1.0, -0.5])
    for places, linear in ((found.straight, found.optimal), (found.flown, found.flow)):
        np.testing.assert_allclose(places[-1], found.straight[0] @ linear.T + mean, atol=1e-5)
        np.testing.assert_allclose(places[0], found.straight[0], atol=1e-5)
        turn = np.radians(request.target_angle)
        axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        spread = np.cov((places[-1] - mean) @ axes.T, rowvar=False)
        # 160 even draws stand for the law: their covariance is within 2 % of it
        np.testing.assert_allclose(spread, np.diag([1.75**2, 0.65**2]), atol=0.03 * 1.75**2)


def test_the_curve_passes_through_now_and_touches_where_axes_lie_alike():
    found = compare_gaussians(GaussiansRequest(source_angle=30, target_angle=46))
    assert found.cost_at[46] == pytest.approx(found.cost)
    assert found.least_at[46] == pytest.approx(found.least)
    gap = found.cost_at - found.least_at
    assert gap[[30, 120]] == pytest.approx([0, 0], abs=1e-9)
    assert gap.min() > -1e-9
    assert gap[round(found.worst)] == gap.max() > 0.1


def test_what_is_said():
    assert "do not commute: flow matching pays" in of_maps(compare_gaussians(GaussiansRequest()))[0]
    aligned = compare_gaussians(GaussiansRequest(source_angle=46))
    assert aligned.equal
    assert of_maps(aligned)[0].startswith("The covariances commute: the maps are equal")
    same = parse(GaussiansRequest, target_along=1.4, target_across=0.55, target_angle=0)
    assert of_maps(compare_gaussians(same)) == [
        "Source and target are the same: both maps leave everything where it is."
    ]
    assert compare_gaussians(GaussiansRequest(target_across=0.0)).least > 0
    assert compare_gaussians(GaussiansRequest(target_across=0.0, target_along=0.0)).equal


@pytest.mark.parametrize("angle", [1e-9, 1e-7, 1e-5, 1e-4, 1e-3, 180 - 1e-7])
def test_next_to_commuting_no_gain_is_told(angle):
    found = compare_gaussians(GaussiansRequest(target_angle=angle))
    assert found.extra >= 0
    assert found.equal == (found.commutator < 1e-5)
    assert ("do not" in of_maps(found)[0]) != found.equal
    assert found.equal or found.extra > 1e-12  # above what rounding leaves


def test_dragged_ellipses_are_checked():
    source, target = Ellipse(0, 0, 1, 0.5, 10), Ellipse(1, -1, 0.5, 0, 170)
    assert read_ellipses(ellipses_value(source, target)) == (source, target)
    for bad in (None, "", "{", "[]", '{"source": [1, 2], "target": [1, 2, 3, 4, 5]}', "x" * 3000,
                f'{{"source": [0, 0, 1, {10**400}, 0], "target": [0, 0, 1, 1, 0]}}',
                '{"source": [0, 0, 1, NaN, 0], "target": [0, 0, 1, 1, 0]}'):  # fmt: skip
        with pytest.raises(ValueError, match="five finite numbers"):
            read_ellipses(bad)
