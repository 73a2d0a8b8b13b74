"""Comparisons of schedules: numbers against closed forms and references, bad requests, links."""

from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
import torch

from gensot_demo.experiments.energy.schedules_cloud import compare
from gensot_demo.experiments.energy.schedules_line import law_of
from gensot_demo.experiments.energy.schedules_paths import cost_of
from gensot_demo.experiments.energy.schedules_request import SCHEDULES, SchedulesRequest, from_query, to_query
from gensot_demo.experiments.energy.schedules_result import STEPS, SchedulesResult
from gensot_demo.experiments.energy.schedules_told import of_ends, of_speed, of_steps
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.figures.energy_schedules import steps_figure
from gensot_demo.figures.pad import drawing_value
from gensot_demo.pages import energy_schedules
from gensot_demo.pages.controls import slider_for
from gensot_demo.pages.energy_schedules_controls import SchedulesControls
from gensot_demo.pages.energy_schedules_report import table
from gensot_demo.transport.data_separation import separation_of_mixture, separation_of_points, standardised_points
from gensot_demo.transport.kinetic_optimal import KineticOptimalPath, kinetic_energy
from gensot_demo.transport.paths import CondOTPath, CosinePath, VPLinearPath

ALL = tuple(SCHEDULES)


def compared(**settings) -> SchedulesResult:
    *_, result = compare(SchedulesRequest(**settings))
    return result


@pytest.fixture(scope="module")
def line() -> SchedulesResult:
    return compared(schedules=ALL)


@pytest.fixture(scope="module")
def plane() -> SchedulesResult:
    return compared(data="plane", target="two_modes", schedules=ALL)


def test_data_are_centred_with_variance_one():
    law = law_of(SchedulesRequest(modes=3, tilt=0.7, separation=2.0))
    assert float(law.mean()) == pytest.approx(0, abs=1e-12)
    assert law.covariance_trace() == pytest.approx(1)
    weights = law.log_prior.exp()
    assert float(weights[2] / weights[0]) == pytest.approx(10**0.7)


def test_energies_by_quantiles_are_those_of_the_separation_function(line):
    separation = separation_of_mixture(law_of(line.request))
    for name, path in (("cosine", CosinePath()), ("condot", CondOTPath()), ("vp", VPLinearPath())):
        assert line.ride(name).energy == pytest.approx(kinetic_energy(path, separation), rel=2e-3)


def test_the_kinetic_optimal_speed_is_constant_and_least_of_all_but_transport(line):
    best = line.ride("optimal")
    inner = best.speed[(best.t > 1e-3) & (best.t < 0.97)]  # beyond, the interpolated separation function shows
    assert inner == pytest.approx(best.energy, rel=0.005)
    others = [line.ride(name).energy for name in ("vp", "cosine", "condot", "drawn")]
    assert line.ride("ot").energy < best.energy < min(others)


def test_no_schedule_needs_less_than_the_floor(line, plane):
    for result in (line, plane):
        for ride in result.rides:
            assert ride.energy >= ride.floor - 4 * ride.floor_error - 1e-6, ride.name


def test_on_a_line_all_end_at_the_same_quantile(line):
    for ride in line.rides:
        assert ride.parting < {"vp": 1e-4, "ve": 3e-4}.get(ride.name, 2e-6), ride.name
    assert line.parted is None


def test_more_steps_end_nearer(line, plane):
    for result in (line, plane):
        for ride in result.rides:
            assert set(ride.errors) == set(STEPS)
            assert ride.name == "ot" or ride.errors[64] < 0.5 * ride.errors[2]


def test_quantile_lines_have_their_density_between_them(line):
    """The mass that a picture shows between two neighbouring flow lines is a tenth, at every time and schedule."""
    step = line.places[1] - line.places[0]
    for ride in line.rides:
        middle = len(ride.picture.t) // 2
        lines, density = ride.picture.lines[middle], ride.picture.density[middle]
        if lines[-2] > line.places[-1]:
            continue  # VE is outside the picture
        inside = (line.places > lines[3]) & (line.places < lines[7])
        assert density[inside].sum() * step == pytest.approx(0.4, abs=1.2 * density.max() * step), ride.name


def test_pictures_begin_with_energies_and_follow_with_ends():
    first, *_, last = compare(SchedulesRequest())
    assert [ride.name for ride in first.rides] == list(SchedulesRequest().schedules)
    assert first.ride("vp").errors is None
    assert not first.complete
    assert last.complete
    assert of_ends(first) == []
    assert all(of(last) for of in (of_speed, of_ends, of_steps))


def test_in_the_plane_ways_start_from_the_same_noise(plane):
    starts = {name: plane.ride(name).picture.ways[0] for name in ("cosine", "condot", "ot")}
    assert np.allclose(starts["cosine"], starts["ot"], atol=1e-6)
    assert np.allclose(starts["condot"], starts["ot"], rtol=2e-4)  # m of its first row, at noise level 1e4
    ends = [plane.ride(name).picture.ways[-1] for name in ("cosine", "condot", "gensot", "optimal", "drawn")]
    assert all(np.allclose(end, ends[0], atol=1e-6) for end in ends)


def test_the_floor_in_the_plane_is_that_of_a_gaussian_where_it_is_known():
    """Two modes collapse to a floor that lies between 0 and the energy of the best schedule."""
    result = compared(data="plane", target="ring", schedules=("optimal", "ot"))
    best = result.ride("optimal")
    assert 0.7 * best.energy < best.floor < best.energy  # FORMULAS: a ring of 8 points .328; here its modes have width


def test_gaussian_data_have_no_single_cheapest_path():
    result = compared(modes=1)
    assert result.ride("optimal") is None
    assert any("Gaussian" in note for note in result.notes)
    assert result.ride("cosine").energy == result.ride("ot").floor == 0  # rounding is no energy
    said = " ".join(of_speed(result))
    assert "nothing need move, and with VP-linear and Cosine nothing does. CondOT spends 0.429" in said
    row = next(row for row in table(result).split("<tr>") if "CondOT" in row)
    assert "<td>0</td><td>–</td>" in row
    # d/dt sqrt(t^2 + (1 - t)^2), squared and integrated
    t = torch.linspace(0, 1, 100_001, dtype=torch.float64)
    rate = (2 * t - 1) ** 2 / (t**2 + (1 - t) ** 2)
    assert result.ride("condot").energy == pytest.approx(float(torch.trapezoid(rate, t)), rel=1e-4)


def test_the_kinetic_optimal_energy_has_the_error_of_the_points_it_is_found_from():
    points = standardised_points(torch.randn(24, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    separation = separation_of_points(points, angles=24, draws=512)
    path = KineticOptimalPath(separation)
    ride = cost_of("optimal", path, separation, 0.8, 0.0)
    refitted = [KineticOptimalPath(separation_of_points(points, 24, 512, seed=s)).energy for s in range(1, 13)]
    spread = float(np.std(refitted, ddof=1))
    assert ride.energy == path.energy
    assert 0.4 * spread < ride.energy_error < 2.5 * spread  # chi with 11 degrees of freedom: .56 to 1.7 at 99 %


def restored(query: str) -> list:
    with gr.Blocks():
        controls = SchedulesControls()
    return energy_schedules._restoring(controls)(SimpleNamespace(url=SimpleNamespace(query=query)))


@pytest.mark.parametrize("query", ["data=plane&seed=-3", "seed=1000000000000", "schedules=drawn&knots=0.5,0.2;0.3,0.9"])
def test_a_link_that_cannot_be_followed_shows_the_first_view(query):
    *shown, notice = restored(query)
    assert notice["visible"]
    assert "The first view is shown instead." in notice["value"]
    assert shown == restored("")[:-1]


@pytest.mark.parametrize(("typed", "taken"), [(99, 5), (-5, 1), (None, 1), (3, 3)])
def test_a_box_left_empty_or_out_of_range_counts_as_what_it_will_show(typed, taken):
    assert slider_for(SchedulesRequest.model_fields["modes"], "Modes").preprocess(typed) == taken


def test_stop_says_of_which_settings_the_rest_is():
    values = ["line", 2, 1.2, 0.3, 0.0, "ring", ["ot"], 5.0, drawing_value("knots", knots=[[0.5, 0.5]]), 0, "euler"]
    own = to_query(SchedulesRequest(schedules=("ot",), knots=((0.5, 0.5),)))
    assert "What was found stays." in energy_schedules._stopped(own, *values)
    assert "of the settings before" in energy_schedules._stopped("v=1&data=plane", *values)


def test_axes_of_distances_read_as_plain_numbers(line):
    axis = steps_figure(line)["layout"]["yaxis"]
    low, high = (10**end for end in axis["range"])
    assert len(axis["tickvals"]) >= 2
    assert all(low <= value <= high and float(text) == pytest.approx(value)
               for value, text in zip(axis["tickvals"], axis["ticktext"], strict=True))  # fmt: skip
    assert not any(letter in text for text in axis["ticktext"] for letter in "eμm")


def test_a_single_draw_on_another_branch_is_told():
    spiral = compared(data="plane", target="spiral", schedules=("cosine", "optimal"))
    cosine, optimal = spiral.ride("cosine"), spiral.ride("optimal")
    assert optimal.alone < 0.5 < cosine.alone <= 1
    assert "of 160 draws a single one" in of_steps(spiral)[-1]
    assert of_steps(spiral)[-1].endswith("with Cosine.")
    quiet = replace(spiral, rides=(replace(cosine, alone=0.3), optimal))
    assert not any("a single one" in line for line in of_steps(quiet))


def test_a_schedule_that_turns_back_is_explained():
    with pytest.raises(InvalidRequest, match=r"The drawn schedule cannot be used: .*rises again between"):
        compared(schedules=("drawn",), knots=((0.3, 0.4), (0.6, 0.7)))


def test_a_drawing_finer_than_its_link_is_answered_like_its_link():
    drawn = SchedulesRequest(schedules=("drawn",), knots=((0.4, 0.50002), (0.6, 0.50001)))
    sentences = []
    for request in (drawn, from_query(to_query(drawn))[0]):
        with pytest.raises(InvalidRequest, match="stands still") as refused:
            list(compare(request))
        sentences.append(str(refused.value))
    assert sentences[0] == sentences[1]


def test_a_straight_drawing_is_condot():
    result = compared(schedules=("condot", "drawn"), knots=((0.5, 0.5),))
    assert result.ride("drawn").energy == pytest.approx(result.ride("condot").energy, rel=1e-9)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"schedules": []}, "no schedule is chosen"),
        ({"schedules": ["fast"]}, "schedule 'fast' is unknown"),
        ({"target": "moon"}, "target 'moon' is unknown"),
        ({"width": 0.01}, r"Width is 0\.01"),
        ({"modes": 9}, "Modes is 9"),
        ({"seed": -3}, "Seed is -3; it must be a whole number from 0"),
        ({"seed": 10**12}, "Seed is 1000000000000"),
    ],
)
def test_bad_requests_are_answered(values, sentence):
    with pytest.raises(InvalidRequest, match=sentence):
        parse(SchedulesRequest, **values)


def test_links_carry_what_differs():
    request = SchedulesRequest(
        data="plane", target="moons", schedules=("ot", "vp"), knots=((0.25, 0.75), (0.5, 0.2)), solver="heun", seed=3
    )
    assert request.schedules == ("vp", "ot")
    assert from_query(to_query(request)) == (request, [])
    assert to_query(SchedulesRequest()) == "v=1"
    drawing = ((0.1234567, 0.8765432), (1 / 3, 0.00012345), (0.99999, 1e-9))
    drawn = SchedulesRequest(knots=drawing)
    assert np.abs(np.array(drawn.knots) - drawing).max() <= 0.5e-4
    assert from_query(to_query(drawn)) == (drawn, [])  # nothing is compared that the link would not bring back
    found, notes = from_query("separation=2&colour=red")
    assert found.separation == 2
    assert "colour" in notes[0]
    with pytest.raises(InvalidRequest, match="must be a number"):
        from_query("modes=two")
