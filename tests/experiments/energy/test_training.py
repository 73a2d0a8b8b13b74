"""Flows trained live: requests, links, what a run holds, and what is said of it."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
import torch

from gensot_demo.experiments.device import TURNSTILE
from gensot_demo.experiments.energy import training, training_task
from gensot_demo.experiments.energy.training import CALLS, run_training
from gensot_demo.experiments.energy.training_links import from_query, to_query
from gensot_demo.experiments.energy.training_task import PATHS, Data, Task, TrainingRequest, at_hand, data_of, prepared
from gensot_demo.experiments.energy.training_told import difference, of_training
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.figures import energy_training as figures
from gensot_demo.figures.component import figure_json

QUICK = TrainingRequest(target="two_modes", points=40, updates=120, seeds=2, paths=tuple(PATHS))


def task_of(request: TrainingRequest) -> Task:
    steps = prepared(request, data_of(request))
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


@pytest.fixture(scope="module")
def moments():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "DRAWS", 500)
        patch.setattr(training, "HELD_OUT", 200)
        patch.setattr(training_task, "HELD_OUT", 200)
        yield list(run_training(QUICK))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"points": 1}, "Points is 1; it must be a whole number from 8 to 1024"),
        ({"updates": 10**9}, "Updates is 1000000000; it must be a whole number from 50 to 5000"),
        ({"updates": math.nan}, "Updates is nan"),
        ({"points": 20.5}, "Points is 20.5"),
        ({"seeds": 0}, "it must be a whole number from 1 to 5"),
        ({"target": "torus"}, "target 'torus' is unknown; there are two_modes"),
        ({"paths": ()}, "no path is chosen"),
        ({"paths": ("ve",)}, "path 've' is unknown; there are vp, condot, ko, cosine"),
        ({"width": 3}, "Width is not a known setting"),
    ],
)
def test_bad_values_are_named_with_their_range(values, said):
    with pytest.raises(InvalidRequest, match=said.replace("(", r"\(")):
        parse(TrainingRequest, **values)


def test_a_link_is_the_request():
    request = TrainingRequest(target="ring", points=64, seeds=3, paths=("ko", "condot"), seed=7)
    assert request.paths == ("condot", "ko")  # in one order, however they were chosen
    assert from_query(to_query(request)) == (request, [])
    assert to_query(TrainingRequest()) == "v=1"
    assert from_query("points=16&colour=red")[1] == ["The link's field 'colour' is not known here and was ignored."]
    with pytest.raises(InvalidRequest, match="Points is 'many'; it must be a whole number"):
        from_query("points=many")
    assert pickle.loads(pickle.dumps(request)) == request


def test_a_run_goes_on_and_ends_with_everything(moments):
    done = [run.done for run in moments]
    assert done == sorted(done)
    assert done[-1] == 1.0
    assert [run.complete for run in moments] == [False] * (len(moments) - 1) + [True]
    last = moments[-1]
    assert last.losses.shape == (4, 2, 120)
    assert last.updates == 120
    assert last.samples.shape[0] == 4
    assert np.isfinite(last.samples).all()
    assert last.calls.error.shape == (4, 4, 2, len(CALLS))
    assert (last.calls.error > 0).all()
    assert last.checks[-1].held_out.shape == (4, 2)
    assert [check.update for check in last.checks] == sorted({check.update for check in last.checks})
    assert (last.losses[:, :, -20:].mean((1, 2)) < last.losses[:, :, :5].mean((1, 2))).all()
    assert not last.cut


def test_condot_and_cosine_learn_the_same_network(moments):
    """Up to float32, which 120 updates of Adam may amplify: far below what paths differ by."""
    condot, cosine = (QUICK.paths.index(name) for name in ("condot", "cosine"))
    held = moments[-1].checks[-1].held_out
    assert np.abs(held[condot] - held[cosine]).max() < 0.02
    error = moments[-1].calls.error
    assert np.allclose(error[condot], error[cosine], atol=0.03)


def test_the_same_request_gives_the_same_numbers_and_another_seed_others():
    small = TrainingRequest(target="ring", points=16, updates=50, paths=("condot",))
    first, second, other = (list(run_training(one))[-1] for one in (small, small, small.model_copy(update={"seed": 5})))
    assert np.array_equal(first.losses, second.losses)
    assert np.array_equal(first.calls.error, second.calls.error)
    assert np.array_equal(first.checks[-1].held_out, second.checks[-1].held_out)
    assert not np.array_equal(first.losses, other.losses)


def test_what_was_found_of_the_points_serves_every_request_on_them():
    first = TrainingRequest(target="spiral", points=9, seeds=2, paths=("ko",), seed=40)
    assert type(at_hand(first)) is Data
    task = task_of(first)
    again = first.model_copy(update={"updates": 77, "paths": ("condot", "ko"), "seed": 41, "seeds": 1})
    found = at_hand(again)
    assert found.separations[0] is task.separations[1]
    assert list(prepared(again, data_of(again))) == []
    assert type(at_hand(first.model_copy(update={"points": 10}))) is Data


def test_nobody_holds_the_device_between_two_moments():
    """Every moment comes out of a turn, and many do: between two there is one step of the work."""
    request = TrainingRequest(target="ring", points=12, updates=50, paths=("condot",), seed=77)
    for _ in run_training(request):
        with TURNSTILE():
            pass
    told = [run.doing for run in run_training(request.model_copy(update={"seed": 78}))]
    assert told.count("Finding how the points part") > 20
    assert told.count("Measuring the likelihood") > 48


def test_likelihoods_are_told_in_the_units_of_the_law():
    """The gap to the true law is the same in every unit: a flow that is the law itself has none."""
    task = task_of(TrainingRequest(target="three_modes", points=30, seeds=2, paths=("ko",)))
    assert torch.allclose(task.points.mean(1), torch.zeros(2, 2, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(task.points.square().mean((1, 2)), torch.ones(2, dtype=torch.float64))
    for s in range(2):
        own = task.law_seen(s).log_density(task.held_out[s]).numpy() / 2
        assert np.allclose(own, task.truth[s])
        assert np.allclose(
            task.law.log_density(task.back(task.points[s], s)) / 2 + math.log(task.scales[s]), task.truth_seen[s]
        )
    held_out = torch.stack([task.back(task.held_out[s], s) for s in range(2)])
    assert task.own_surprise == pytest.approx(-float(task.law.log_density(held_out.flatten(0, 1)).mean()) / 2)
    assert abs(task.own_surprise + task.truth.mean()) > 1e-3  # the units are not the same
    assert (task.energies > 0).all()
    assert (task.energies < 2).all()


def test_training_that_takes_too_long_is_cut_and_still_measured(monkeypatch):
    monkeypatch.setattr(training, "MOST_SECONDS", 0.0)
    last = list(run_training(TrainingRequest(points=16, updates=5000, paths=("vp",))))[-1]
    assert last.cut
    assert last.complete
    assert 0 < last.updates < 5000
    assert last.checks[-1].update == last.updates


def test_a_difference_is_told_from_three_seeds_on_and_beyond_its_interval():
    ones = np.ones(4)
    apart = difference(ones + np.array([0.1, 0.12, 0.09, 0.11]), ones)
    assert apart.told
    assert apart.mean == pytest.approx(0.105)
    assert apart.half == pytest.approx(3.182 * np.std([0.1, 0.12, 0.09, 0.11], ddof=1) / 2, rel=1e-3)  # t(3), 97.5 %
    assert not difference(ones + np.array([0.1, -0.2, 0.3, -0.1]), ones).told
    assert not difference(ones[:1] + 5, ones[:1]).told
    assert not difference(ones[:2] + np.array([5, 5.001]), ones[:2]).told


def test_what_is_said_has_the_run_s_numbers(moments):
    assert of_training(moments[0]) == []
    last = moments[-1]
    lines = " ".join(of_training(last))
    assert f"{last.checks[-1].held_out[2].mean():.3f} (Kinetic-optimal)" in lines
    assert "From 2 seeds no ranking can be claimed." in lines
    assert f"Cosine {last.calls.exact[3, 2]:.3f}" in lines


def test_every_figure_can_be_drawn_at_every_moment(moments):
    drawn = (
        figures.learnt_figure, figures.likelihood_figure, figures.calls_figure, figures.weight_figure,
        figures.field_figure, figures.loss_figure, figures.progress_figure,
    )  # fmt: skip
    for run in (moments[0], moments[3], moments[-1]):
        for figure in drawn:
            made = figure(run)
            if made is not None:
                assert made["layout"]["meta"]["description"]
                assert len(figure_json(made)) < 400_000
    assert figures.calls_figure(moments[0]) is None
    assert figures.calls_figure(moments[-1]) is not None
