"""Sampling that starts later: requests, links, equal calls, diffusers' own solver, laws, copies, and what is said."""

from __future__ import annotations

import json
import math
import pickle

import numpy as np
import pytest
import torch

from gensot_demo.backbones.embedded import SIGMA_RANGE, load_network_backbone, load_truth_backbone, training_pictures
from gensot_demo.backbones.emoji_network import FOLDER
from gensot_demo.backbones.heavy_imports import diffusers
from gensot_demo.experiments.failures.failure import Number
from gensot_demo.experiments.failures.statistics import above
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.experiments.static_ot.later_start import (
    LaterStart,
    LaterStartCalls,
    landings_of,
    quality_by_calls,
    run_calls,
    run_wall,
)
from gensot_demo.experiments.static_ot.later_start_heights import known_of, map_to
from gensot_demo.experiments.static_ot.later_start_links import from_query, to_query
from gensot_demo.experiments.static_ot.later_start_methods import METHODS, jobs_of, methods_of, retimed, starts_of
from gensot_demo.experiments.static_ot.later_start_quality import Quality, distances, exact_draws, quality_of, unseen
from gensot_demo.experiments.static_ot.later_start_request import LaterStartRequest
from gensot_demo.experiments.static_ot.later_start_told import of_calls, of_wall
from gensot_demo.figures import static_ot_later_start as figures
from gensot_demo.figures.component import figure_json
from gensot_demo.transport.conductor import run


def ends(request: LaterStartRequest, rows: int, calls: int | None = None, only: tuple[str, ...] = ()) -> dict:
    backbone = load_network_backbone() if request.model == "network" else load_truth_backbone()
    noise = backbone.noise(range(request.seed, request.seed + rows))
    jobs, _ = jobs_of(request, map_to(request.label), backbone, noise, calls or request.calls)
    jobs = [job for job in jobs if not only or job.name in only]
    return {trace.name: trace for trace in run(jobs, backbone.oracle, max_rows=backbone.max_rows, keep_every=1000)}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"signal": 100}, "Signal is 100; it must be a number from 0.1 to 99"),
        ({"signal": 0}, "Signal is 0; it must be"),
        ({"signal": math.nan}, "Signal is nan"),
        ({"calls": 1}, "Calls is 1; it must be a whole number from 2 to 50"),
        ({"calls": 51}, "from 2 to 50"),
        ({"tau": -0.5}, "Tau is -0.5; it must be a number from 0 to 1"),
        ({"tau": math.nan}, "Tau is nan"),
        ({"pictures": "dragons"}, "class 'dragons' is unknown; there are any, faces"),
        ({"model": "best"}, "Model is 'best'"),
        ({"finish": "euler"}, "Finish is 'euler'"),
        ({"budgets": ()}, "no number of calls is chosen; choose of 2, 3, 5, 10, 20, 50"),
        ({"budgets": (4,)}, "4 calls cannot be measured"),
        ({"draws": 10**6}, "it must be a whole number from 16 to 256"),
        ({"width": 3}, "Width is not a known setting"),
    ],
)
def test_bad_values_are_named_with_their_range(values, said):
    with pytest.raises(InvalidRequest, match=said):
        parse(LaterStartRequest, **values)


def test_links_hold_what_differs_and_come_back():
    request = LaterStartRequest(
        model="truth", pictures="animal faces", signal=12.5, calls=3, tau=0, finish="heun", stiffness=7.5, samples=2,
        seed=11, draws=32, budgets=(50, 2, 2),
    )  # fmt: skip
    assert to_query(LaterStartRequest()) == "v=1"
    assert from_query(to_query(request)) == (request, [])
    assert request.budgets == (2, 50)
    assert pickle.loads(pickle.dumps(request)) == request
    found, notes = from_query("signal=20&colour=red")
    assert found.signal == 20
    assert "'colour'" in notes[0]
    for query, said in (("calls=few", "Calls is 'few'; it must be a whole number"), ("tau=x", "it must be a number")):
        with pytest.raises(InvalidRequest, match=said):
            from_query(query)


def test_signal_is_the_pictures_share_of_the_states_variance():
    request = LaterStartRequest(signal=30)
    known = training_pictures()
    state = starts_of(request, map_to(None), load_truth_backbone().noise(range(300))).landings["jump"].state.double()
    weights = known.weights[:, None]
    points = known.points.double()
    mean = (weights * points).sum(0)
    of_pictures = float((weights * (points - mean).square()).sum())
    of_states = (state - mean).square().sum(1)
    share = of_pictures / of_states.mean()
    error = share * of_states.std() / math.sqrt(300) / of_states.mean()
    assert abs(share - 0.3) < 4 * error < 0.05


def test_stored_cells_hold_what_the_pictures_weigh_and_others_would_not():
    map_ = map_to(None)
    points = map_.points - map_.weights @ map_.points
    axes = torch.linalg.svd(points, full_matrices=False)[2][:-1]
    span = (points @ axes.T).float()
    z = torch.randn(40_000, span.shape[1], generator=torch.Generator().manual_seed(3))

    def surplus(heights) -> float:
        counts = torch.bincount((z @ span.T + heights.float()).argmax(1), minlength=len(span)).double()
        expected = map_.weights * len(z)
        return float(((counts - expected).square() / expected).sum() / (len(span) - 1))

    # Pearson's statistic is 1 + N sum (mass - w)^2 / w on average: the stored error, of which half is counting, adds .1
    assert surplus(map_.heights) < 1 + 4 * math.sqrt(2 / len(span)) + 0.15
    assert surplus(map_.heights + 2 * torch.linspace(-1, 1, len(span))) > 1.5
    assert surplus(torch.zeros(len(span))) > 20
    assert known_of(None).mass_error < 0.02


@pytest.mark.parametrize("finish", ["ddim", "dpm", "heun"])
@pytest.mark.parametrize("calls", [2, 3, 7, 10])
def test_every_way_makes_just_the_calls_it_is_given(finish, calls):
    found = ends(LaterStartRequest(model="truth", finish=finish, pictures="clocks"), 2, calls)
    assert list(found) == list(METHODS)
    assert {name: trace.evaluations for name, trace in found.items()} == dict.fromkeys(METHODS, 2 * calls)


def test_without_smoothing_there_is_one_jump_and_with_a_trace_of_it_both_agree():
    assert "smoothed" not in methods_of(LaterStartRequest(tau=0))
    plain = ends(LaterStartRequest(model="truth", tau=0, signal=30), 4)["jump"].end
    both = ends(LaterStartRequest(model="truth", tau=1e-5, signal=30), 4)
    torch.testing.assert_close(both["smoothed"].end, plain, atol=1e-4, rtol=0)
    assert torch.equal(both["jump"].end, plain)


def test_the_solver_is_diffusers_own_on_the_same_noise():
    """Against the scheduler as it is, with the network's raw output, in diffusers' own loop."""
    request, calls = LaterStartRequest(pictures="hearts"), 6
    backbone = load_network_backbone()
    noise = backbone.noise((5, 6))
    x = starts_of(request, map_to(request.label), noise).begun["dpm"]
    config = json.loads((FOLDER / "scheduler" / "scheduler_config.json").read_text())
    scheduler = diffusers().EDMDPMSolverMultistepScheduler(
        sigma_min=SIGMA_RANGE[1], sigma_max=SIGMA_RANGE[0], sigma_data=config["sigma_data"]
    )
    scheduler.set_timesteps(calls)
    x = x.reshape(-1, 3, 32, 32)
    labels = torch.full((2,), request.label)
    pack = torch.nn.functional.pixel_unshuffle
    for timestep in scheduler.timesteps:
        inputs = scheduler.scale_model_input(x, timestep)
        with torch.no_grad():
            raw = backbone.network.unet(pack(inputs, 2), timestep.expand(2), class_labels=labels).sample
        x = scheduler.step(torch.nn.functional.pixel_shuffle(raw, 2), timestep, x).prev_sample
    jobs, _ = jobs_of(request, map_to(request.label), backbone, noise, calls)
    (mine,) = run([job for job in jobs if job.name == "dpm"], backbone.oracle)
    torch.testing.assert_close(mine.end, x.flatten(1), atol=2e-3, rtol=0)
    assert float((mine.steps[0].x - mine.end).abs().max()) > 10


def test_retimed_levels_are_even_in_the_harmonic_paths_time():
    levels = retimed(9, 80.0, 0.02, 0.0)  # without stiffness a bridge from a point: sigma^2 = (1 - t) / t
    assert float(levels[0]) == 80.0
    assert float(levels[-1]) == 0.02
    torch.testing.assert_close(
        (1 / (1 + levels.square())).diff(), torch.full((8,), 1 / 8, dtype=torch.float64), atol=1e-3, rtol=0
    )
    assert bool((retimed(9, 80.0, 0.02, 50.0).diff() < 0).all())


def test_with_the_exact_oracle_and_many_calls_every_way_has_the_law():
    """Each picture as often as it weighs, for all but the smoothed jump, whose start is of another law."""
    request = LaterStartRequest(model="truth", pictures="hearts", signal=5, stiffness=50, tau=0, seed=7)
    rows, (points, weights) = 276, (map_to(request.label).points, map_to(request.label).weights)
    found = ends(request, rows, 50)
    freedom = len(weights) - 1
    for name in ("ddim", "dpm", "heun", "gensot", "jump", "draw"):
        end = found[name].end.double()
        away, index = torch.cdist(end, points).min(1)
        assert float((away / 3072**0.5 < 0.02).double().mean()) > 0.95, name
        counts = torch.bincount(index, minlength=len(weights)).double()
        surplus = float(((counts - rows * weights).square() / (rows * weights)).sum()) - freedom
        assert surplus < 4 * math.sqrt(2 * freedom), name
        error = (points.T @ (weights[:, None] * points) - (weights @ points).outer(weights @ points)).diagonal().sum()
        assert float((end.mean(0) - weights @ points).square().sum()) < 3 * float(error) / rows, name


def test_late_starts_copy_and_early_ones_do_not():
    late = ends(LaterStartRequest(signal=99, tau=0), 24, 3, ("dpm", "jump", "draw"))
    quality = {name: quality_of(trace.end, LaterStartRequest()) for name, trace in late.items()}
    assert quality["jump"].copies.value > 95
    assert quality["draw"].copies.value > 95
    assert above(quality["jump"].copies, quality["dpm"].copies)
    assert quality["jump"].distance.value < 5 < quality["dpm"].distance.value
    early = ends(LaterStartRequest(signal=1, tau=0), 24, 5, ("jump",))["jump"]
    assert above(quality["jump"].copies, quality_of(early.end, LaterStartRequest()).copies)


def test_what_is_measured_knows_copies_from_new_pictures():
    request = LaterStartRequest()
    exact, new = exact_draws(request, 100), unseen(request)
    assert exact.copies.value == 100
    assert exact.distance.value < 1e-4  # grey levels: of single precision
    assert abs(exact.kid.value) < 4 * exact.kid.error
    assert new.pictures == 41
    assert new.copies.value < 10
    assert new.judged.value > 80
    noise = quality_of(torch.randn(20, 3072, generator=torch.Generator().manual_seed(0)), request)
    assert noise.kid.value > 10 * noise.kid.error
    assert noise.judged.value < 50
    few = unseen(LaterStartRequest(pictures="clocks"))
    assert few.pictures == 1
    assert few.kid is None
    assert few.distance.error is None
    away, ratio = distances(training_pictures().points[:3])
    assert float(away.max()) < 1e-4
    assert float(ratio.max()) < 1e-5


def test_a_wall_tells_where_it_landed_and_what_each_sample_resembles():
    request = LaterStartRequest(model="truth", calls=4, samples=3, pictures="flags", seed=2)
    *_, before, last = run_wall(request)
    assert not before.complete
    assert last.complete
    assert list(last.rows) == list(METHODS)
    names = {training_pictures().names[i] for i in torch.nonzero(training_pictures().labels == request.label)[:, 0]}
    assert set(last.landings.names) <= names
    assert bool((last.landings.blended > 1).all())
    for row in last.rows.values():
        assert row.pictures.shape == (3, 32, 32, 3)
        assert row.calls == 4
        assert len(row.nearest) == 3
    np.testing.assert_array_equal(landings_of(request).states["jump"], last.landings.states["jump"])
    assert any("still nearest" in line for line in of_wall(last))
    assert of_wall(before) == []
    wall = json.loads(figures.samples_wall(last))
    assert [row["name"] for row in wall["rows"]] == list(METHODS)
    assert "nearest training picture" in wall["rows"][0]["items"][0]["alt"]
    assert figures.samples_wall(LaterStart(request, last.landings)) is None
    again = next(moment for moment in run_wall(request) if moment.complete)
    np.testing.assert_array_equal(again.rows["jump"].pictures, last.rows["jump"].pictures)


def test_what_chance_explains_is_no_equality_and_the_rest_has_its_two_causes():
    mass = 100 * known_of(None).mass_error

    def told(jump: float) -> str:
        kid = {"dpm": 0.5, "jump": jump, "draw": 0.1}
        found = {
            name: {5: Quality(64, Number(value, 0.02), *[Number(10.0, 1.0)] * 3, 5)} for name, value in kid.items()
        }
        request = LaterStartRequest(budgets=(5,))
        nothing = Quality(64, None, *[Number(10.0, 1.0)] * 3, 0)
        return of_calls(LaterStartCalls(request, nothing, nothing, found))[1]

    assert "cannot be told apart from it here (difference 0.05 ± 0.03)" in told(0.15)
    assert f"differs (by 0.20 ± 0.03): by chance, or by the cells' mass error of {mass:.1f} %" in told(0.3)


def test_a_sampler_that_diverged_is_named_and_marked_at_the_edge():
    request = LaterStartRequest(budgets=(3, 5), tau=0)

    def far(distance: float) -> Quality:
        return Quality(64, Number(0.1, 0.01), Number(50.0, 6.0), Number(0.0, 2.0), Number(distance, 1.0), 3)

    found = {name: {3: far(30.0), 5: far(20.0)} for name in methods_of(request)}
    found["heun"] = {3: far(6000.0), 5: far(120.0)}
    figure = figures.nearness_figure(LaterStartCalls(request, far(0.0), far(40.0), found, 1.0))
    edge = [line for line in figure["data"] if line.get("name") == "Heun, off the figure"]
    assert ["diverged" in edge[0]["text"][0], "120" in edge[0]["text"][1]] == [True, True]
    assert max(edge[0]["y"]) < 90
    assert "6000" not in str(figure["layout"])
    assert sum("off the figure" in line["name"] for line in figure["data"] if "name" in line) == 1


def test_a_measurement_grows_calls_by_calls_and_is_told():
    request = LaterStartRequest(model="truth", pictures="clocks", draws=20, budgets=(2, 5))
    moments = list(run_calls(request))
    last = moments[-1]
    assert last.complete
    assert [moment.done for moment in moments] == sorted(moment.done for moment in moments)
    assert {name: list(found) for name, found in last.found.items()} == {name: [2, 5] for name in METHODS}
    assert all(found[5].calls == 5 and found[5].pictures == 20 for found in last.found.values())
    first = next(moment for moment in moments if moment.found and moment.found["jump"])
    assert list(first.found["jump"]) == [2]
    told = of_calls(last)
    assert told[0].startswith("At 5 calls, DPM-Solver++ is")
    assert "copies" in told[-1]
    assert of_calls(moments[0]) == []
    for draw in (figures.distance_figure, figures.judged_figure, figures.copies_figure, figures.nearness_figure):
        assert draw(moments[0]) is None
        assert draw(None) is None
        shown = json.loads(figure_json(draw(last)))
        assert "at 5 calls" in shown["layout"]["meta"]["description"]
    told = quality_by_calls(request)
    assert set(told) == {"dpm", "jump", "draw", "exact", "unseen"}
    assert set(told["jump"]["5"]) == {"kid", "kid_error", "judged", "copies", "distance"}
    assert "kid" not in told["unseen"]["0"]  # one clock was held out
