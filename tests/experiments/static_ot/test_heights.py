"""The solver's runs: judged by exact masses, told truly, linked, and refused in sentences."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
import torch

from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.experiments.static_ot.heights_links import Wanted, from_query, to_query
from gensot_demo.experiments.static_ot.heights_pictures import run_anew, run_stored
from gensot_demo.experiments.static_ot.heights_plane import cells_at, run_plane
from gensot_demo.experiments.static_ot.heights_request import PicturesRequest, PlaneRequest
from gensot_demo.experiments.static_ot.heights_told import of_pictures, of_plane, of_smoothing, smoothed
from gensot_demo.figures.static_ot_heights import (
    cells_figure,
    discrete_figure,
    dual_figure,
    error_figure,
    heights_figure,
    newton_figure,
    smoothed_figure,
)
from gensot_demo.figures.static_ot_pictures import rounds_figure, shares_figure


@pytest.fixture(scope="module")
def run():
    return list(run_plane(PlaneRequest()))


def test_the_ascent_is_watched_with_exact_masses(run):
    last = run[-1]
    assert last.complete
    assert last.converged
    assert last.w2 == pytest.approx(0.4865, abs=5e-5)
    assert last.moments[-1].mass_error < 0.02
    assert last.newton_errors[-1] < 1e-11
    assert all(moment.dual <= last.best_dual + 1e-12 for moment in last.moments)
    assert all(moment.masses.sum() == pytest.approx(1) for moment in last.moments)
    assert [m.samples for m in last.moments] == sorted(m.samples for m in last.moments)
    assert [one.done for one in run] == sorted(one.done for one in run)


def test_pot_agrees_with_the_exact_distance(run):
    for one in run[-1].discrete:
        assert one.cost > run[-1].w2 - 4 * one.error - 1e-9
    best = run[-1].discrete[-1]
    assert best.cost == pytest.approx(run[-1].w2, abs=4 * best.error + 0.5 * run[-1].w2 / math.sqrt(best.draws))


def test_the_same_request_gives_the_same_heights(run):
    again = list(run_plane(PlaneRequest()))[-1]
    assert np.array_equal(again.moments[-1].heights, run[-1].moments[-1].heights)
    other = list(run_plane(PlaneRequest(seed=1)))[-1]
    assert not np.array_equal(other.moments[-1].heights, run[-1].moments[-1].heights)


def test_every_figure_and_sentence_of_a_run(run):
    for one in (run[0], run[1], run[-1]):
        figures = [f(one, 0) for f in (cells_figure, heights_figure, error_figure, dual_figure)]
        figures += [newton_figure(one), discrete_figure(one), smoothed_figure(one, smoothed(one, 0.1))]
        assert all(figure is None or figure["layout"]["meta"]["description"] for figure in figures)
        assert figures[0] is not None
    lines = of_plane(run[-1])
    assert f"{run[-1].moments[-1].samples:,} draws" in lines[0]
    assert "W₂² = 0.4865" in lines[2]


def test_smoothing_goes_from_the_points_to_their_middle(run):
    whole, some, all_ = (smoothed(run[-1], tau) for tau in (0.0, 0.2, 1.0))
    assert whole.away == 0
    assert whole.kept == pytest.approx(1)
    assert 0 < some.away < all_.away
    assert whole.kept > some.kept > all_.kept
    assert "Not smoothed" in of_smoothing(whole)
    cells = cells_at(run[-1], run[-1].exact.heights.numpy())
    assert np.allclose(cells.masses, 1 / 8, atol=1e-11)


@pytest.mark.parametrize("wanted", [PlaneRequest(points="own", own=((1, 2),)), PlaneRequest(points="octagon")])
def test_one_point_and_symmetric_points(wanted):
    last = list(run_plane(wanted))[-1]
    assert last.complete
    assert last.converged
    assert cells_figure(last, 0)["data"]
    assert heights_figure(last, 99)
    assert smoothed(last, 0.3).kept <= 1


def test_stored_heights_of_a_class_are_judged_here():
    last = list(run_stored(PicturesRequest(pictures="network/clocks")))[-1]
    assert last.complete
    assert last.error < 2 * last.floor + last.known.mass_error
    assert last.guess_error > last.error
    assert "stored" in of_pictures(last)[0]
    assert shares_figure(last)["data"]
    assert rounds_figure(last) is None


def test_two_pictures_and_a_class_are_solved_anew():
    for key, tolerance in (("collection/bandage", 0.02), ("network/clocks", 0.02)):
        runs = list(run_anew(PicturesRequest(pictures=key, tolerance=tolerance)))
        assert runs[-1].complete
        assert runs[-1].converged
        assert runs[-1].error < tolerance + 3 * runs[-1].floor
        assert [one.done for one in runs] == sorted(one.done for one in runs)
        assert len(of_pictures(runs[-1])) >= 3
        assert rounds_figure(runs[-1])["data"]
    assert not list(run_stored(PicturesRequest(pictures="collection/bandage")))


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(PlaneRequest(points="random", number=200, seed=3, tolerance=0.02), PicturesRequest(), 0.4),
        Wanted(PlaneRequest(points="own", own=((1.25, -2.0), (0.0, 3.5)))),
        Wanted(pictures=PicturesRequest(pictures="network/animal faces", tolerance=0.1, seed=5)),
    ],
)
def test_a_link_says_what_was_wanted(wanted):
    assert from_query(to_query(wanted)) == (wanted, [])
    assert pickle.loads(pickle.dumps(wanted)) == wanted


def test_unknown_fields_are_noted():
    assert from_query("zebra=1")[1] == ["The link's field 'zebra' is not known here and was ignored."]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("points=own", "no points of your own"),
        ("points=own&own=1,2;1,2", "Points 1 and 2 are the same"),
        ("points=own&own=1,2,3", "two numbers with a comma"),
        ("points=own&own=a,b", "is no point"),
        ("points=own&own=1,nan", "finite"),
        ("points=own&own=1,99", "-10 to 10"),
        ("points=random&number=201", "from 1 to 200"),
        ("points=random&number=0", "from 1 to 200"),
        ("points=zebra", "must be"),
        ("tolerance=0", "0.002 to 0.3"),
        ("tolerance=x", "it must be a number"),
        ("tau=2", "from 0 to 1"),
        ("pictures=network/zebra", "there are faces"),
        ("picture_tolerance=0.001", "0.005 to 0.5"),
        ("picture_seed=-1", "from 0"),
    ],
)
def test_bad_values_get_a_sentence(query, words):
    with pytest.raises(InvalidRequest, match=words):
        from_query(query)


def test_more_points_than_allowed():
    too_many = tuple((k / 100, 0.0) for k in range(201))
    with pytest.raises(InvalidRequest, match="201 given, at most 200"):
        parse(PlaneRequest, points="own", own=too_many)


def test_drawn_points_are_those_of_the_seed():
    assert torch.equal(PlaneRequest(points="random").places(), PlaneRequest(points="random", tolerance=0.1).places())
    assert not torch.equal(PlaneRequest(points="random").places(), PlaneRequest(points="random", seed=1).places())
