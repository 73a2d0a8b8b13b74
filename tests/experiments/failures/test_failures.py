"""Each failure shows on its default seed, what mends it does not show it, and the sentence says what they say."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import torch

from gensot_demo.backbones.embedded import training_pictures
from gensot_demo.experiments.compare import CompareResult
from gensot_demo.experiments.failures import memorised, run
from gensot_demo.experiments.failures.catalogue import FAILURES
from gensot_demo.experiments.failures.failure import SURE, Finished
from gensot_demo.experiments.failures.prior_error import true_spread
from gensot_demo.experiments.failures.run import FailureRequest, FailureResult, FailureUpdate, run_failure
from gensot_demo.experiments.failures.statistics import apart
from gensot_demo.experiments.links import from_query, to_query
from gensot_demo.experiments.plane.links import from_query as plane_from_query
from gensot_demo.experiments.plane.links import to_query as plane_to_query
from gensot_demo.experiments.requests import CompareRequest, InvalidRequest, parse


@lru_cache
def moments(name: str) -> tuple:
    return tuple(run_failure(FailureRequest(name=name)))


def result(name: str) -> FailureResult:
    return moments(name)[-1]


def number(name: str, variant: str, column: int):
    return result(name).evidence.rows[variant][column]


@pytest.mark.parametrize("name", FAILURES)
def test_it_shows_and_what_mends_it_does_not(name):
    found = result(name)
    assert found.evidence.shown
    assert found.evidence.mended
    assert "another seed" not in found.evidence.sentence
    assert set(found.evidence.rows) == {variant.name for variant in found.variants}
    assert all(len(row) == len(found.evidence.columns) for row in found.evidence.rows.values())
    assert any(variant.mended for variant in found.variants)


def test_high_strength_glares_and_repeats_itself():
    assert apart(number("oversaturation", "8", 0), number("oversaturation", "3", 0)) > SURE
    assert apart(number("oversaturation", "1", 2), number("oversaturation", "8", 2)) > SURE
    glare, drawn = ([number("oversaturation", name, column).value for name in ("1", "3", "8")] for column in (0, 2))
    assert glare == sorted(glare)
    assert drawn == sorted(drawn, reverse=True)
    assert number("oversaturation", "8", 1).value < number("oversaturation", "1", 1).value
    assert apart(number("oversaturation", "8", 0), number("oversaturation", "apg", 0)) > SURE
    law = result("oversaturation")
    assert f"draws {number('oversaturation', '8', 2).value:.0f}" in law.evidence.sentence


def test_a_large_step_leaves_the_data():
    assert apart(number("step_size", "10", 2), number("step_size", "1", 2)) > 10
    assert number("step_size", "10", 2).value > 20 * number("step_size", "1", 2).value
    assert apart(number("step_size", "3", 1), number("step_size", "1", 1)) > SURE
    assert number("step_size", "gensot", 1).value < number("step_size", "1", 1).value


def test_a_run_that_breaks_off_is_part_of_what_is_shown():
    found = result("step_size")
    reason = "DPS ended early: the state stopped being finite at step 5."
    results = {name: part for name, part in found.finished.results.items() if name != "10"}
    evidence = FAILURES["step_size"].look(Finished(7, results, {"10": reason}))
    assert reason in evidence.sentence
    assert evidence.shown
    assert all(one.value is None for one in evidence.rows["10"])


def test_numbers_that_do_not_show_it_are_said_not_to():
    found = result("step_size")
    mild = found.finished.results["1"]
    same = Finished(7, dict.fromkeys(found.finished.results, mild), {})
    evidence = FAILURES["step_size"].look(same)
    assert not evidence.shown
    assert not evidence.mended
    assert "holds" in evidence.sentence


def test_particles_are_worth_less_and_less_as_dimensions_grow():
    weighed, guided, exact, perfect = result("particles").evidence.chart.curves
    assert np.all(np.diff(weighed.y) < 0)
    for share, expected, error in list(zip(weighed.y, perfect.y, weighed.error, strict=True))[:4]:
        assert abs(share - expected) < 5 * error + 0.01
    assert exact.y[0] == pytest.approx(perfect.y[0], abs=0.01)
    assert all(g > w for g, w in zip(guided.y, weighed.y, strict=True))
    few, many = (number("particles", name, 0).value for name in ("4", "64"))
    assert many < 4 * few  # 16 times as many particles
    assert number("particles", "weak", 0).value > 5 * many


def test_euler_misses_the_weights_and_the_second_order_step_does_not():
    exact = number("stiff", "10", 1)
    assert abs(apart(number("stiff", "10", 0), exact)) > 10
    assert abs(apart(number("stiff", "bridge", 0), exact)) > SURE
    for name in ("200", "averaged"):
        assert abs(apart(number("stiff", name, 0), exact)) < SURE


def test_the_panels_in_the_plane_are_called_after_the_variants():
    joined = result("stiff").transport
    assert [panel.label for panel in joined.panels] == [variant.label for variant in result("stiff").variants]


def test_a_guide_leads_and_does_not_choose():
    assert apart(number("hard_end", "none", 0), number("hard_end", "stiff", 0)) > 10
    assert number("hard_end", "stiff", 2).value < 0.01
    assert apart(number("hard_end", "stiff", 1), number("hard_end", "soft", 1)) > 5
    assert number("hard_end", "soft", 2).value > 50


def test_a_perfect_model_only_copies():
    assert number("memorised", "exact", 0).value == 100
    assert number("memorised", "network", 0).value < 10
    assert apart(number("memorised", "exact", 0), number("memorised", "network", 0)) > 10


def test_nearness_knows_a_copy_from_something_new():
    points = training_pictures().points[:4]
    assert float(memorised.nearness(points).max()) < 1e-3
    middle = (points[:1] + points[1:2]) / 2
    blank = torch.zeros_like(points[:1])
    assert float(memorised.nearness(torch.cat([middle, blank])).min()) > memorised.RATIO


def test_a_low_start_makes_samples_alike():
    for column in (0, 1):
        spreads = [number("prior_error", name, column) for name in ("2", "own")]
        assert apart(spreads[1], spreads[0]) > SURE
    assert abs(number("prior_error", "own", 1).value - true_spread()) < SURE * number("prior_error", "own", 1).error
    few, some, many = (number("prior_error", name, 3).value for name in ("2", "5", "own"))
    assert few < some < many


@pytest.mark.parametrize("name", FAILURES)
def test_every_variant_opens_by_its_own_link(name):
    for variant in FAILURES[name].variants(11):
        pictured = isinstance(variant.request, CompareRequest)
        write, read = (to_query, from_query) if pictured else (plane_to_query, plane_from_query)
        query, notes = write(variant.request)
        assert notes == []
        assert read(query) == (variant.request, [])


def test_progress_rises_and_partial_results_come():
    shares = [m.done for m in moments("step_size") if isinstance(m, FailureUpdate)]
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1
    assert any(m.running and m.finished.results for m in moments("step_size")[:-1])


def test_what_is_kept_comes_back_at_once_and_holds_no_history():
    (again,) = run_failure(FailureRequest(name="step_size"))
    assert again is result("step_size")
    parts = [part for r in again.finished.results.values() for part in r.methods.values()]
    assert all(len(part.states) == 1 for part in parts)


def test_stop_stops():
    going = run_failure(FailureRequest(name="step_size", seed=99))
    next(going)
    next(going)
    going.close()
    assert run._RESULTS.get(FailureRequest(name="step_size", seed=99)) is None


def test_the_seed_is_the_visitors():
    assert all(v.request.seed == 123 for failure in FAILURES.values() for v in failure.variants(123))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "moon"}, "'moon' is unknown; there are oversaturation"),
        ({"name": "stiff", "seed": -1}, "Seed is -1; it must be a whole number from 0"),
        ({"name": "stiff", "seed": 1.5}, "Seed is 1.5"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(values, said):
    with pytest.raises(InvalidRequest, match=said.replace("(", r"\(")):
        parse(FailureRequest, **values)


def test_results_of_comparisons_are_what_the_compare_page_would_show():
    part = result("hard_end").finished.results["soft"]
    assert isinstance(part, CompareResult)
    assert replace(part, seconds=0).request == FAILURES["hard_end"].variants(7)[3].request
