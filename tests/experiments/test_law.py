"""The statistics behind a verdict: right laws pass, wrong laws are found, and nothing is claimed without power."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gensot_demo.experiments.law import LawReport, assess, effective_number, verdict

RNG = np.random.default_rng(1)
LAW = np.concatenate([RNG.dirichlet(np.full(12, 3.0)), np.zeros(88)])
WIDE = RNG.dirichlet(np.full(100, 5.0))
ORDER = np.arange(100)
LABELS = {"a": "Method A", "b": "Method B"}
CALLS = {"a": 30.0, "b": 60.0}


def draws(law: np.ndarray, n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, 99]).choice(len(law), n, p=law)


def wrong(law: np.ndarray) -> np.ndarray:
    twisted = law**2.5
    return twisted / twisted.sum()


def test_effective_number_counts_equal_outcomes():
    assert effective_number(np.full(7, 1 / 7)) == pytest.approx(7)
    assert effective_number(np.array([1.0, 0.0])) == pytest.approx(1)


@pytest.mark.parametrize("law", [LAW, WIDE], ids=["narrow", "wide"])
def test_exact_draws_are_at_the_floor_and_wrong_ones_are_not(law):
    reports = [assess(law, draws(law, 500, seed), ORDER) for seed in range(20)]
    assert reports[0].grouped == (law is WIDE)
    z = [(r.distance - r.floor) / r.floor_spread for r in reports]
    assert abs(np.mean(z)) < 1
    assert max(z) < 4
    found = assess(law, draws(wrong(law), 500), ORDER)
    assert found.distance > found.floor + 4 * found.floor_spread
    assert found.telling


def test_the_floor_is_the_mean_distance_of_exact_draws():
    n = 300
    direct = [0.5 * np.abs(np.bincount(draws(LAW, n, s), minlength=100) / n - LAW).sum() for s in range(400)]
    report = assess(LAW, draws(LAW, n), ORDER)
    assert report.floor == pytest.approx(np.mean(direct), rel=0.05)
    assert report.floor_spread == pytest.approx(np.std(direct), rel=0.2)


def test_the_error_is_the_spread_of_the_distance_over_runs():
    n, law = 400, wrong(LAW)
    distances = [assess(LAW, draws(law, n, s), ORDER).distance for s in range(60)]
    assert assess(LAW, draws(law, n), ORDER).error == pytest.approx(np.std(distances), rel=0.35)


def test_power_is_what_a_law_with_half_its_mass_missing_scores():
    """Half of the mass gone: total variation a little over one half."""
    report = assess(LAW, draws(LAW, 2000), ORDER)
    assert 0.45 < report.power < 0.75
    assert report.telling


def test_few_draws_prove_nothing_and_the_verdict_says_so():
    report = assess(WIDE, draws(WIDE, 6), ORDER)
    assert not report.telling
    said = verdict(LABELS, {"a": report, "b": report}, CALLS).sentences[0]
    assert "Too few samples to rank the methods: 6 each." in said
    assert "Measure with more draws." in said


def test_the_collision_estimate_is_unbiased_and_knows_its_error():
    q, n = wrong(LAW), 400
    reports = [assess(LAW, draws(q, n, seed), ORDER) for seed in range(200)]
    assert not reports[0].grouped
    values = np.array([report.collision for report in reports])
    truth = ((LAW - q) ** 2).sum()
    assert abs(values.mean() - truth) < 4 * values.std() / np.sqrt(len(values))
    assert np.mean([r.collision_error for r in reports]) == pytest.approx(values.std(), rel=0.3)
    exact = np.array([assess(LAW, draws(LAW, n, seed), ORDER).collision for seed in range(200)])
    assert abs(exact.mean()) < 4 * exact.std() / np.sqrt(200)  # no floor


def test_wide_laws_are_compared_on_groups_and_narrow_ones_outcome_by_outcome():
    assert assess(WIDE, draws(WIDE, 200), ORDER).grouped
    assert not assess(LAW, draws(LAW, 200), ORDER).grouped
    report = assess(WIDE, draws(WIDE, 200), ORDER)
    assert report.outcomes < 60


def test_groups_notice_draws_outside_what_was_asked_for():
    """All mass on half of the outcomes: draws from the other half count as wrong even when compared on groups."""
    law = np.where(ORDER < 50, 1.0, 1e-9)
    law = law / law.sum()
    report = assess(law, draws(law[::-1], 200), ORDER)
    assert report.grouped
    assert report.distance > 0.95


def test_floor_and_power_do_not_depend_on_what_was_drawn():
    one, two = assess(LAW, draws(LAW, 200), ORDER), assess(LAW, draws(wrong(LAW), 200), ORDER)
    assert (one.floor, one.floor_spread, one.power, one.ideal) == (two.floor, two.floor_spread, two.power, two.ideal)
    assert one == assess(LAW, draws(LAW, 200), ORDER)


def test_effective_pictures_and_what_exact_draws_would_have():
    report = assess(LAW, draws(LAW, 2000), ORDER)
    assert report.effective == pytest.approx(report.ideal, abs=4 * report.effective_error)
    assert assess(LAW, np.zeros(100, dtype=int), ORDER).effective == pytest.approx(1)


def test_equal_methods_are_no_significant_difference():
    reports = {name: assess(LAW, draws(LAW, 400, seed), ORDER) for seed, name in enumerate("ab")}
    closest, diverse, cheapest = verdict(LABELS, reports, CALLS).sentences
    assert closest.startswith("Closest to the law asked for: no significant difference among 2 methods (exact")
    astray = assess(LAW, np.full(400, int(LAW.argmin())), ORDER)
    assert "and none follows it" in verdict(LABELS, {"a": astray, "b": astray}, CALLS).sentences[0]
    assert "no significant difference" in diverse
    assert cheapest == "Cheapest: Method A, 30 network calls a sample."


def test_the_better_method_is_named_with_its_error_and_the_floor():
    narrow = draws(wrong(wrong(LAW)), 400)
    reports = {"a": assess(LAW, narrow, ORDER), "b": assess(LAW, draws(LAW, 400), ORDER)}
    closest, diverse, _ = verdict(LABELS, reports, CALLS).sentences
    assert "Method B" in closest
    assert "Method A" not in closest
    assert "±" in closest
    assert f"{reports['b'].floor:.2f}" in closest
    assert "Method B" in diverse
    assert "Method A" not in diverse


def test_ties_for_the_cheapest_and_a_single_method():
    report: LawReport = assess(LAW, draws(LAW, 400), ORDER)
    both = verdict(LABELS, {"a": report, "b": report}, {"a": 30.0, "b": 30.0}).sentences
    assert both[-1] == "Cheapest: Method A and Method B, 30 network calls a sample."
    alone = verdict({"a": "Method A"}, {"a": report}, {"a": 30.0}).sentences
    assert "Method A" in alone[0]
    assert "no significant difference" not in alone[0]
    assert verdict({}, {}, {}).sentences == ()
    powerless = replace(report, power=report.floor)
    assert "Too few samples" in verdict(LABELS, {"a": powerless, "b": powerless}, CALLS).sentences[0]


@pytest.mark.parametrize("rest", [0.0, 1e-12, 1e-4])
@pytest.mark.parametrize("draws", [3, 64])
def test_a_law_of_a_single_picture_can_be_told_from_any_other(rest, draws):
    """What a precise measurement leaves: half of such a law cannot be lost, so the wrong law is that of the others."""
    law = np.full(200, rest)
    law[7] = 1.0
    law /= law.sum()
    right = assess(law, np.full(draws, 7), np.arange(200))
    wrong = assess(law, np.full(draws, 8), np.arange(200))
    assert right.distance < 0.03
    assert wrong.distance > 0.97
    assert right.power > 0.9
    assert right.telling == (draws == 64)
