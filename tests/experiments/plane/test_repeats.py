"""Repeating over seeds is fair: the draws that judge a method are not the ones that it used."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from gensot_demo.experiments.plane import run as module
from gensot_demo.experiments.plane.request import TransportRequest
from gensot_demo.experiments.plane.run import Progress, Repeated, repeat

SEEDS = 8


@cache
def repeated(**changes) -> Repeated:
    values = {"target": "three_modes", "particles": 300, "steps": 25, "solver": "averaged"}
    *_, last = repeat(TransportRequest(**{**values, **changes}), SEEDS)
    return last


@pytest.mark.parametrize("name", ["optimal_transport", "gensot_straight", "flow_matching"])
def test_nobody_scores_below_a_perfect_sampler(name):
    """The log of distance over floor varies by about .4 a seed; coupled draws of equal mode counts score half."""
    last = repeated(methods=(name,), source="gaussian")
    (distances,), (floors,) = last.distances.values(), last.floors.values()
    logs = np.log(distances / floors)
    assert abs(logs.mean()) < 4 * 0.45 / np.sqrt(SEEDS)
    assert distances.std() / distances.mean() > 0.12  # draws of a law scatter


def test_equal_values_of_a_row_are_not_mixed_up():
    last = repeated(methods=("gensot_straight",), vary="stiffness", values=(5.0, 5.0))
    assert [len(values) for values in last.distances.values()] in ([SEEDS], [SEEDS, SEEDS])


def test_progress_runs_from_nothing_to_all(monkeypatch):
    monkeypatch.setattr(module, "_PROGRESS_EVERY", 0.0)
    request = TransportRequest(particles=50, steps=6, methods=("flow_vp", "gensot_s"))
    seen = list(repeat(request, 3))
    shares = [moment.done for moment in seen if isinstance(moment, Progress)]
    assert shares == sorted(shares)
    assert shares[0] >= 0
    assert 0.9 < shares[-1] <= 1
    assert [type(moment) for moment in seen].count(Repeated) == 3
    assert seen[-1].summary()["GenSOT (S guide)"]["seeds"] == 3


def test_seeds_are_those_that_follow_the_request_s():
    """Seed 8 is the second of a repetition from 7 and the first of one from 8."""
    one, two = (repeated(methods=("gensot_straight",), seed=seed) for seed in (7, 8))
    (from_seven,), (from_eight,) = one.distances.values(), two.distances.values()
    np.testing.assert_allclose(from_seven[1:], from_eight[:-1])
