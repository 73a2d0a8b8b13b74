"""Cells: what is asked and linked, what the result says, how errors fall, and what is refused with which words."""

import pickle

import numpy as np
import pytest
import torch

from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.experiments.static_ot.cells import flow_masses, mapped, solve, solved_map
from gensot_demo.experiments.static_ot.cells_colours import colours_of
from gensot_demo.experiments.static_ot.cells_decay import decays
from gensot_demo.experiments.static_ot.cells_links import from_query, to_query
from gensot_demo.experiments.static_ot.cells_request import DATA, DRAWN, CellsRequest
from gensot_demo.experiments.static_ot.cells_strips import strips
from gensot_demo.experiments.static_ot.cells_told import of_decays, of_result, percent, scientific
from gensot_demo.figures.component import figure_json
from gensot_demo.figures.static_ot_cells import (
    cells_figure,
    decay_figure,
    difference_figure,
    masses_figure,
    tracers_player,
    ways_figure,
)
from gensot_demo.transport.static_ot.flow_cells import FlowCells


@pytest.fixture(scope="module")
def eight():
    return solve(CellsRequest())


@pytest.fixture(scope="module")
def fallen():
    return list(decays(CellsRequest()))


def test_links_go_there_and_back():
    for text in ("", "data=random&count=20&seed=3&time=0.5", "data=drawn&points=-1,0;1,0.5;2,1&tracers=disagreement"):
        request, notes = from_query(text)
        assert not notes
        assert from_query(to_query(request))[0] == request == pickle.loads(pickle.dumps(request))
    assert from_query("data=eight&count=30")[0] == CellsRequest()  # what plays no part
    assert from_query("hue=3")[1]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("time=0", r"Time is '0'; it must be .*0\.1.*6"),
        ("data=drawn&points=1,2", "One point is drawn|one point is drawn"),
        ("data=drawn", "no points are drawn"),
        ("data=drawn&points=1,2;0,0;1,2", "Points 1 and 3 are 0 apart"),
        ("data=random&count=33", "32"),
        ("data=drawn&points=" + ";".join(f"{k / 5},0" for k in range(33)), "32"),
        ("data=drawn&points=1,x", "pairs of numbers"),
        ("data=heart", "there are eight, octagon"),
        ("data=drawn&points=1,2;300,1", "from -20 to 20"),
    ],
)
def test_what_makes_no_sense_is_said(query, words):
    with pytest.raises(InvalidRequest, match=words):
        solve(from_query(query)[0])
    with pytest.raises(InvalidRequest, match=words):
        next(decays(from_query(query)[0]))


def test_the_first_view_has_the_numbers_that_are_known(eight):
    assert eight.difference.share == pytest.approx(0.038, abs=1e-3)
    assert eight.w2 == pytest.approx(0.4865, abs=5e-4)
    assert eight.difference.cost / eight.w2 == pytest.approx(0.005, abs=1e-3)
    assert eight.brenier.masses == pytest.approx(np.full(8, 1 / 8), abs=1e-9)
    assert eight.flow.masses.sum() == pytest.approx(1, abs=1e-4)
    differing = (eight.brenier.labels != eight.flow.labels) * np.exp(
        -0.5 * (eight.axis[:, None].astype(float) ** 2 + eight.axis.astype(float) ** 2)
    )
    step = float(eight.axis[1] - eight.axis[0])
    assert differing.sum() * step**2 / (2 * np.pi) == pytest.approx(
        eight.difference.share, rel=0.05
    )  # counting squares


def test_tracers_go_where_the_maps_send_them(eight):
    found = eight.tracers
    assert np.allclose(found.straight[0], found.flow[0])
    assert np.allclose(found.straight[-1], eight.points[found.by_brenier])
    assert np.allclose(found.flow[-1], eight.points[found.by_flow])
    only = solve(CellsRequest(tracers="disagreement")).tracers
    assert len(only.by_flow) == 40
    assert (only.by_flow != only.by_brenier).all()


@pytest.mark.parametrize("data", ["octagon", "collinear"])
def test_where_the_maps_are_the_same_it_says_so(data):
    result = solve(CellsRequest(data=data, time=6, tracers="disagreement"))
    assert result.same
    assert "both maps are the same" in of_result(result)[0]
    assert tracers_player(solve(CellsRequest(data="octagon", time=6, tracers="disagreement"))) is None
    ways_figure(result), difference_figure(result)


def test_errors_fall_at_their_rates_and_the_share_does_not(fallen):
    shares = [moment.done for moment in fallen]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    last = fallen[-1]
    rates = {name: last[name].rate for name in ("mass", "prior", "distance", "tail")}
    assert rates == pytest.approx({"mass": 2, "prior": 2, "distance": 1, "tail": 5}, abs=0.1)
    assert last["share"].values[-1] == pytest.approx(0.038, abs=1e-3)
    assert "stays at 3.8 %" in " ".join(of_decays(last))
    assert list(decays(CellsRequest(time=1))) == [last]  # kept, whatever T is


def test_a_short_noising_cheats_on_the_masses():
    result = solve(CellsRequest(time=0.5))
    assert result.cost < result.w2
    assert "it cheats" in of_result(result)[0]
    assert result.mass_error > 0.01


@pytest.mark.parametrize("time", [0.1, 0.3, 1, 4])
def test_where_symmetry_gives_every_point_its_share_no_mass_error_is_told(time):
    result = solve(CellsRequest(data="octagon", time=time))
    assert result.mass_error < result.accuracy < 3e-4  # of what is 0
    assert "at most" in of_result(result)[1]


@pytest.mark.parametrize("data", ["eight", "moons"])
def test_masses_at_a_short_noising_are_those_of_many_draws(data):
    result = solve(CellsRequest(data=data, time=0.1))
    draws = 100_000
    z = torch.randn(draws, 2, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    points = torch.from_numpy(result.points)
    counted = torch.bincount(FlowCells(points).index(z, 0.1), minlength=len(points)).numpy() / draws
    error = np.sqrt(result.flow.masses * (1 - result.flow.masses) / draws)
    assert (np.abs(counted - result.flow.masses) < 4 * error + result.accuracy).all()
    assert 20 * result.accuracy < result.mass_error  # 7 to 18 %: far more than the grid is wrong by
    assert "at most" not in of_result(result)[1]


@pytest.mark.parametrize("time", [0.1, 0.5, 2])
def test_masses_are_as_accurate_as_is_told(time):
    result = solve(CellsRequest(time=time))
    solved = solved_map(torch.from_numpy(result.points))
    fine, brenier = (mapped(index, 3, 9)[2] for index in (lambda z: solved.flow.index(z, time), solved.map_.cells))
    truth = flow_masses(fine, brenier, solved.map_, time)
    assert 0.5 * np.abs(truth.masses.numpy() - result.flow.masses).sum() < result.accuracy


@pytest.mark.parametrize("time", [0.1, 4])
def test_many_points_are_known_as_well_as_is_told(time):
    result = solve(CellsRequest(data="random", count=32, seed=1, time=time))
    points = torch.from_numpy(result.points)
    solved, flow = solved_map(points), FlowCells(points, 0.08)
    fine, brenier = (mapped(index, 2)[2] for index in (lambda z: flow.index(z, time), solved.map_.cells))
    truth = fine.difference(brenier, points)
    assert result.difference.share == pytest.approx(truth.share, abs=2e-3)
    assert result.difference.cost == pytest.approx(truth.cost, abs=5e-4)
    masses = flow_masses(fine, brenier, solved.map_, time).masses.numpy()
    assert 0.5 * np.abs(masses - result.flow.masses).sum() < result.accuracy


def test_every_set_is_drawn_with_cells_that_can_be_told_apart():
    for data in DATA:
        points = [(0, 0), (1, 0), (3, 1), (-2, 4)] if data == DRAWN else []
        result = solve(parse(CellsRequest, data=data, points=points, time=2))
        assert result.points.mean(0) == pytest.approx([0, 0], abs=1e-12)
        assert (result.points**2).sum() == pytest.approx(2 * len(result.points))
        for picture in (result.brenier.labels, result.flow.labels):
            for one, other in ((picture[1:], picture[:-1]), (picture[:, 1:], picture[:, :-1])):
                apart = one != other
                assert (result.colours[one[apart]] != result.colours[other[apart]]).all(), data


def test_colours_run_out_gracefully():
    everybody = np.arange(100, dtype=np.uint8).reshape(10, 10)
    rows = np.vstack(
        [np.repeat(np.arange(9, dtype=np.uint8), 2), np.roll(np.repeat(np.arange(9, dtype=np.uint8), 2), 1)]
    )
    assert set(colours_of(100, everybody)) <= set(range(8))
    assert len(colours_of(9, rows)) == 9
    assert list(colours_of(3, rows[:, :6])) == [0, 1, 2]


def test_figures_are_what_the_result_is(eight, fallen):
    for figure in (
        cells_figure(eight, eight.flow, "Flow"),
        difference_figure(eight),
        masses_figure(eight),
        ways_figure(eight),
        decay_figure(fallen[-1], 4.0),
    ):
        assert len(figure_json(figure)) < 400_000
        assert figure["layout"]["meta"]["description"]
    names = [trace["name"] for trace in decay_figure(fallen[-1], 4.0)["data"]]
    assert any("e^(−5.0 T)" in name for name in names)
    assert tracers_player(eight)


def test_numbers_as_people_write_them():
    assert (percent(0.0381), percent(0.0005), percent(2e-6)) == ("3.8 %", "0.05 %", "2.0·10⁻⁴ %")
    assert (scientific(0.1234), scientific(2.14e-5), scientific(0)) == ("0.123", "2.1·10⁻⁵", "0.000")


@pytest.mark.parametrize(("data", "time"), [("eight", 4.0), ("eight", 0.4), ("moons", 1.0)])
def test_strips_are_where_the_two_maps_differ(data, time):
    result = solve(CellsRequest(data=data, time=time))
    axis, differ = strips(result, 3.9)
    rows, columns = np.random.default_rng(1).integers(0, len(axis), (2, 2000))
    z = torch.from_numpy(np.stack([axis[columns], axis[rows]], 1).astype(np.float64))
    brenier = (z.numpy() @ result.points.T + result.heights).argmax(1)
    flow = FlowCells(torch.from_numpy(result.points)).index(z, time).numpy()
    assert ((flow != brenier) != differ[rows, columns]).mean() < 3e-3  # where three cells meet the grid decides
    weight = np.exp(-(axis.astype(np.float64) ** 2) / 2)
    share = weight @ differ @ weight / weight.sum() ** 2
    assert share == pytest.approx(result.difference.share, rel=0.02)  # a sum over places
