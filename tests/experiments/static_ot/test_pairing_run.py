"""Pairing in training as a request and a run: links, order of costs and straightness, and what is said."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.experiments.static_ot.pairing import CALLS, first_look, run_pairing
from gensot_demo.experiments.static_ot.pairing_request import PAIRINGS, PairingRequest, from_query, prepared, to_query
from gensot_demo.experiments.static_ot.pairing_told import calls_needed, of_flows, of_pairs

SMALL = PairingRequest(target="ring", points=32, updates=200, minibatch=16, seed=3)


@pytest.fixture(scope="module")
def moments():
    return list(run_pairing(SMALL))


def test_a_link_brings_the_request_back():
    request = PairingRequest(target="ring", pairings=("whole", "independent"), minibatch=8, seeds=3, updates=60)
    assert request.pairings == ("independent", "whole")  # in the house's order
    assert from_query(to_query(request)) == (request, [])
    found, notes = from_query("points=64&moon=1")
    assert found == PairingRequest(points=64)
    assert "moon" in notes[0]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("points=7", "from 8 to 512"), ("minibatch=5", "5"), ("pairings=moon", "independent, minibatch, whole"),
        ("target=moon", "checkerboard"), ("updates=1e9", "from 50 to 4000"), ("seeds=0", "from 1 to 5"),
        ("pairings=", "at least one"), ("points=many", "whole number"),
    ],
)  # fmt: skip
def test_bad_values_are_named(query, words):
    with pytest.raises(InvalidRequest, match=words):
        from_query(query)


def test_a_run_tells_of_its_progress_and_repeats(moments):
    *before, last = moments
    done = [run.done for run in before]
    assert all(two > one - 1e-12 for one, two in pairwise(done))
    assert done[-1] < 1 == last.done
    assert last.complete
    assert not any(run.complete for run in before)
    assert sum(run.learnt is not None for run in before) >= 8
    assert last.losses.shape == (3, 1, SMALL.updates)
    *_, again = run_pairing(SMALL)
    np.testing.assert_array_equal(again.calls.error, last.calls.error)
    np.testing.assert_array_equal(again.pairs.lines, first_look(SMALL).pairs.lines)


def test_better_pairs_cost_less_and_straighten_the_flow(moments):
    last = moments[-1]
    independent, minibatch, whole = last.pairs.cost[:, 0]
    assert whole < minibatch < independent
    assert last.pairs.swapped[2, 0] == 0 < last.pairs.swapped[1, 0] < last.pairs.swapped[0, 0]
    assert last.pairs.crossing[2, 0] < last.pairs.crossing[0, 0]
    assert last.learnt.straightness[2, 0] < 0.3 * last.learnt.straightness[0, 0]
    assert (last.learnt.energy[:, 0] < last.pairs.cost[:, 0] * 1.1).all()  # Jensen, for the exact flow
    assert (last.learnt.energy >= last.learnt.displacement).all()
    assert (last.learnt.length >= 1).all()
    assert last.calls.error[2, 0, 0] < 0.5 * last.calls.error[0, 0, 0]  # one call
    np.testing.assert_array_equal(last.pairs.lines[0, :, 0], last.pairs.lines[2, :, 0])  # the same noise
    np.testing.assert_array_equal(last.learnt.lines[0, :, 0], last.pairs.lines[0, :, 0])


def test_exact_costs_are_those_of_pairs_that_were_drawn(moments):
    task, generator = moments[-1].task, torch.Generator().manual_seed(5)
    noise = torch.randn(8192, 2, generator=generator, dtype=torch.float64)
    drawn = task.points[0][torch.randint(SMALL.points, (8192,), generator=generator)]
    told = dict(zip(SMALL.pairings, moments[-1].pairs.cost[:, 0], strict=True))
    for name, (pairing, *_) in zip(SMALL.pairings, task.pairings(SMALL), strict=True):
        if name != "minibatch":  # there the cost told is itself a mean over pairs
            each = (noise - pairing(noise, drawn)).square().sum(1)
            error = float(each.std()) / math.sqrt(len(each))
            assert float(each.mean()) == pytest.approx(told[name], abs=4 * error), name


def test_seeds_have_clouds_of_their_own_and_share_what_one_seed_finds(moments):
    request = SMALL.model_copy(update={"seeds": 2, "updates": 50, "pairings": ("whole",)})
    *_, last = run_pairing(request)
    assert last.calls.error.shape == (1, 2, len(CALLS))
    assert last.task.least[0] == moments[-1].task.least[0] != last.task.least[1]
    assert "One pairing alone" in of_flows(last)[1]


def test_what_is_said(moments):
    last = moments[-1]
    assert of_flows(moments[0]) == of_pairs(moments[0]) == []
    assert "no pairing has less than W₂²" in of_pairs(last)[0]
    assert "Minibatches of 16" in of_pairs(last)[0]
    assert "small differences mean nothing" in of_flows(last)[1]
    assert calls_needed(np.array([1.0, 0.3, 0.1, 0.11, 0.1, 0.1])) == 4
    assert calls_needed(np.array([0.1, 0.3, 0.1, 0.1, 0.1, 0.1])) == 4  # a lucky first one does not count
    assert calls_needed(np.full(6, 0.1)) == 1


def test_every_target_can_be_paired():
    for target in ("grid", "checkerboard", "spiral"):
        request = parse(PairingRequest, target=target, points=16)
        assert list(prepared(request))
        assert len(first_look(request).pairs.lines) == len(PAIRINGS)
