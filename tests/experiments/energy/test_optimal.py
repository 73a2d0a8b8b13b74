"""Kinetic-optimal paths as a page or an endpoint asks for them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from gensot_demo.experiments.energy.optimal import explore, explored
from gensot_demo.experiments.energy.optimal_links import from_query, to_query
from gensot_demo.experiments.energy.optimal_request import DATA, OptimalRequest
from gensot_demo.experiments.energy.optimal_sweep import DIMENSIONS, kept_sweep, sweep
from gensot_demo.experiments.energy.optimal_told import of_result, of_sweep
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.figures.component import figure_json
from gensot_demo.figures.energy_optimal import (
    energy_bars,
    plane_figure,
    separation_figure,
    speed_figure,
    sweep_figure,
    undecided_figure,
)

DRAWN = OptimalRequest(data="drawn", points=((-1, 0), (1, 0.5), (2, 1)), schedule=((0.3, 0.9), (0.6, 0.3)))


def test_two_points_have_the_known_energies():
    result = explored(OptimalRequest())
    known = {"optimal": 0.459, "condot": 0.982, "cosine": 0.869}
    for name, value in known.items():
        path = result.path(name)
        assert path.energy == pytest.approx(value, abs=6e-4 + 4 * path.error)
    assert result.disagreement < 1e-6
    assert result.count == 2
    assert result.bound == pytest.approx(6)
    assert result.path("vp").until == 1 - 1e-5


def test_the_cheapest_path_is_flat_and_the_others_cost_their_area():
    result = explored(OptimalRequest(data="ring"))
    np.testing.assert_allclose(result.best.speed, result.best.energy, rtol=1e-6)
    for path in result.paths[1:3]:
        assert np.trapezoid(path.speed, path.t) == pytest.approx(path.energy, rel=2e-3)
        assert path.energy > result.best.energy


@pytest.mark.parametrize("request_", [DRAWN, OptimalRequest(data="random", count=5, dimension=3), OptimalRequest()])
def test_every_kind_of_data_is_told_and_drawn(request_):
    result = explored(request_)
    assert all(path.energy >= result.best.energy for path in result.paths)
    sentences = of_result(result)
    assert len(sentences) >= 3
    assert any("Your schedule" in line for line in sentences) == bool(request_.schedule)
    for draw in (separation_figure, plane_figure, energy_bars, speed_figure):
        figure = draw(result)
        assert figure["layout"]["meta"]["description"]
        assert "NaN" not in figure_json(figure)


def test_what_is_known_is_not_estimated_again():
    request = OptimalRequest(data="random", count=7, dimension=9, seed=3)
    first = list(explore(request))
    again = list(explore(request.model_copy(update={"schedule": ((0.5, 0.3),)})))
    assert len(first) > 10
    assert len(again) == 1
    assert again[0].result.seconds == 0
    assert again[0].result.best.energy == first[-1].result.best.energy
    assert first[0].done == 0
    assert [moment.done for moment in first] == sorted(moment.done for moment in first)


def test_the_sweep_stays_below_the_bound_and_decays_as_its_root():
    *_, found = sweep(16, 2)
    assert kept_sweep(16, 2) is found
    assert found.dimension.tolist() == list(DIMENSIONS)
    assert (found.undecided < found.bound).all()
    assert found.decay == pytest.approx(-0.5, abs=0.05)
    assert (found.straight >= found.optimal).all()
    assert found.straight[-1] / found.optimal[-1] < 1.02
    assert (np.diff(found.straight / found.optimal) < 0).all()
    assert "bound" in of_sweep(found)
    for draw in (undecided_figure, sweep_figure):
        assert draw(found, 64)["layout"]["meta"]["description"]


@pytest.mark.slow
def test_the_picture_collection_is_nearly_straight():
    result = explored(OptimalRequest(data="emoji"))
    assert result.dimension == 12_288
    assert result.path("condot").energy / result.best.energy < 1.02
    assert result.path("cosine").energy > result.path("condot").energy
    assert result.undecided_error < 1e-3


def test_requests_travel():
    for request in (DRAWN, OptimalRequest(data="random", count=16, dimension=1024, seed=4), OptimalRequest()):
        assert pickle.loads(pickle.dumps(request)) == request
        assert from_query(to_query(request)) == (request, [])
    assert from_query("data=ring&what=1")[1] == ["The link's field 'what' is not known here and was ignored."]


def test_every_data_set_is_known_by_name():
    for name in DATA:
        assert parse(OptimalRequest, data=name, points=DRAWN.points).data == name


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"data": "<script>"}, "data '<script>' is unknown"),
        ({"data": "drawn"}, "no points are drawn"),
        ({"data": "drawn", "points": ((1, 1), (1, 1), (1, 1))}, "all 3 points are in one place"),
        ({"data": "drawn", "points": ((1, 1), (99, 1))}, "coordinates go from -20 to 20"),
        ({"schedule": ((0.3, 0.4), (0.6, 0.7))}, r"rises again between t = 0\.3 and t = 0\.6.*un-decide"),
        ({"count": 1}, "Count is 1; it must be a whole number from 2 to 256"),
        ({"dimension": 5000}, "from 1 to 4096"),
    ],
)
def test_bad_requests_are_explained(values, words):
    with pytest.raises(InvalidRequest, match=words):
        parse(OptimalRequest, **values)


@pytest.mark.parametrize("query", ["points=1&data=drawn", "schedule=a,b", "count=many"])
def test_bad_links_are_explained(query):
    with pytest.raises(InvalidRequest):
        from_query(query)
