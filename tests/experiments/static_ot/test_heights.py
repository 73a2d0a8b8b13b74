"""The solver's runs: judged by exact masses, told truly, linked, and refused in sentences."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
import torch

from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.experiments.static_ot.heights_links import Wanted, from_query, shown_places, to_query
from gensot_demo.experiments.static_ot.heights_pictures import run_anew, run_stored
from gensot_demo.experiments.static_ot.heights_plane import cells_at, run_plane
from gensot_demo.experiments.static_ot.heights_request import PicturesRequest, PlaneRequest
from gensot_demo.experiments.static_ot.heights_told import (
    explained_by_counting,
    favoured,
    of_pictures,
    of_plane,
    of_smoothing,
    smoothed,
)
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
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.static_ot.semi_discrete import ascend, brenier, variation_floor, variation_of_exact


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
    z = torch.randn(200_000, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    for moment in last.moments[:: len(last.moments) // 4]:  # the masses are those of these heights
        counted = brenier(last.exact.points, torch.from_numpy(moment.heights)).masses(z).numpy()
        error = np.sqrt(moment.masses * (1 - moment.masses) / len(z))
        assert (np.abs(counted - moment.masses) <= 4.5 * error + 1e-12).all()
        assert moment.mass_error == pytest.approx(0.5 * np.abs(counted - 1 / 8).sum(), abs=4 * error.sum() / 2)
    assert [m.samples for m in last.moments] == sorted(m.samples for m in last.moments)
    assert [one.done for one in run] == sorted(one.done for one in run)


@pytest.mark.filterwarnings("ignore::scipy.sparse.linalg.MatrixRankWarning")
def test_newton_tells_its_steps_and_refuses_what_it_cannot_solve():
    first, second, *_ = run_plane(PlaneRequest())
    assert first.exact is None
    assert len(second.newton_errors) == 2
    assert f"{second.newton_errors[1]:.2%} wrong" in second.doing
    crowd = [(1e-6 * math.cos(k * k), 1e-6 * math.sin(k)) for k in range(20)]
    crowded = PlaneRequest.model_construct(points="own", own=(*crowd, (9, 9)))
    with pytest.raises(InvalidValue, match="found only to a mass error of"):
        list(run_plane(crowded))


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
    solved = [one for one in run if one.exact is not None]
    for one in (solved[0], solved[1], solved[-1]):
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


def test_exact_heights_pass_and_a_real_error_is_refuted():
    """778 equal weights and 66,085 draws: counting alone shows 4.3 %, so an error of 2.9 % adds less than a third."""
    rng, n, draws = np.random.default_rng(4), 778, 66_085
    weights = torch.full((n,), 1 / n, dtype=torch.float64)

    def found(w: np.ndarray) -> float:
        return 0.5 * float(np.abs(rng.multinomial(draws, w) / draws - 1 / n).sum())

    exact = np.full(n, 1 / n)
    wrong = exact * (1 + 0.058 * np.where(np.arange(n) % 2, 1, -1))
    assert 0.5 * np.abs(wrong - exact).sum() == pytest.approx(0.029)
    passed = [explained_by_counting(found(exact), weights, draws)[0] for _ in range(40)]
    assert sum(passed) >= 39  # each fails with probability 0.0013
    passed = [explained_by_counting(found(wrong), weights, draws)[0] for _ in range(40)]
    assert sum(passed) <= 6  # 1.9 deviations beyond the bound: each passes with probability 0.03


def test_what_exact_heights_show_is_known_for_many_and_for_few():
    many = torch.full((778,), 1 / 778, dtype=torch.float64)
    mean, deviation = variation_of_exact(many, 66_085)
    assert mean == pytest.approx(variation_floor(many, 66_085), rel=0.01)
    assert deviation == pytest.approx(mean * math.sqrt((math.pi / 2 - 1) / 778), rel=0.15)  # 4 of its 3.5 %
    two = torch.tensor([0.5, 0.5], dtype=torch.float64)
    mean, deviation = variation_of_exact(two, 2)  # |heads - 1| / 2: 1/2 or 0, each with probability 1/2
    assert mean == pytest.approx(0.25, abs=0.05)
    assert deviation == pytest.approx(0.25, abs=0.01)


def test_the_first_guess_is_where_the_ascent_starts():
    for key in ("collection/bandage", "network/clocks"):
        *_, last = run_anew(PicturesRequest(pictures=key, tolerance=0.1, seed=3))
        pictures = last.pictures
        first = next(ascend(pictures.coordinates, weights=pictures.weights, tolerance=0.1, seed=3))
        assert torch.equal(last.guess, first.heights)
    *_, stored = run_stored(PicturesRequest(pictures="network/clocks", tolerance=0.1, seed=3))
    assert torch.allclose(stored.guess, first.heights, atol=1e-12)


def test_the_pictures_that_the_guess_favours():
    *_, last = run_stored(PicturesRequest(pictures="network/clocks"))
    most = favoured(last, 5)
    ratio = last.guess_masses / last.pictures.weights
    assert most.before.tolist() == sorted(ratio.tolist(), reverse=True)[:5]
    assert most.now[0] == pytest.approx(float(last.masses[most.index[0]] / last.pictures.weights[most.index[0]]))


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


def test_a_link_restores_exactly_what_was_accepted():
    own = ((0.1 + 0.2, 1 / 3), (0.3, 1 / 3), (-0.0, 1e-17), (2.0, -10.0))
    wanted = Wanted(PlaneRequest(points="own", own=own[1:]), tau=1 / 3)
    assert from_query(to_query(wanted))[0] == wanted
    near = PlaneRequest(points="own", own=((1.2345678901, 0.0), (1.2350, 0.0), (0.0, 1.0)))  # one place to 3 digits
    assert from_query(to_query(Wanted(near)))[0].plane == near
    assert shown_places(near.own) == "1.2345678901,0; 1.235,0; 0,1"


def test_equal_choices_compare_equal():
    assert PlaneRequest(number=7, own=((1, 2), (3, 4))) == PlaneRequest()
    assert PlaneRequest(points="own", own=((1, 2),), number=7) == PlaneRequest(points="own", own=((1, 2),))
    assert PlaneRequest(points="random", own=((1, 2),)) == PlaneRequest(points="random")
    assert PlaneRequest(points="random", number=7) != PlaneRequest(points="random")
    assert PlaneRequest(seed=1) != PlaneRequest()  # it draws the noise as well


def test_unknown_fields_are_noted():
    assert from_query("zebra=1")[1] == ["The link's field 'zebra' is not known here and was ignored."]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("points=own", "There are no points of your own"),
        ("points=own&own=1,2;1,2", "Points 1 and 2 are the same"),
        ("points=own&own=1,2,3", "two numbers with a comma"),
        ("points=own&own=a,b", "is no point"),
        ("points=own&own=1,nan", "finite"),
        ("points=own&own=1,99", "-10 to 10"),
        ("points=random&number=201", "from 1 to 200"),
        ("points=random&number=0", "from 1 to 200"),
        ("points=zebra", "must be"),
        ("tolerance=0", "0.002 to 0.3"),
        ("tolerance=x", "Tolerance is 'x'; it must be a number from 0.002 to 0.3"),
        ("points=random&number=abc", "Number is 'abc'; it must be a whole number from 1 to 200"),
        ("points=random&number=2.5", "Number is 2.5; it must be a whole number from 1 to 200"),
        ("points=own&own=0,0;1e-300,0;1,1", r"Points 1 and 2 are 0 apart, both near \(0, 0\).*at least 0.0001"),
        ("points=own&own=3,1;5,5;3.00001,1", r"Points 1 and 3 are .* both near \(3, 1\)"),
        ("tau=2", "from 0 to 1"),
        ("pictures=network/zebra", "there are faces"),
        ("picture_tolerance=0.001", "Picture tolerance is 0.001; it must be a number from 0.005 to 0.5"),
        ("picture_tolerance=x", "Picture tolerance is 'x'; it must be a number from 0.005 to 0.5"),
        ("picture_seed=-1", "Picture seed is -1; it must be a whole number from 0"),
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
