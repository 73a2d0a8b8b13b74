"""The network's comparison and the truth beside it; a comparison on a model whose law nobody knows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gensot_demo.experiments.beside import differences, truth_beside
from gensot_demo.experiments.compare import CompareResult, compare
from gensot_demo.experiments.film import film
from gensot_demo.experiments.measuring import measure
from gensot_demo.experiments.requests import (
    CompareRequest,
    ConditionChoice,
    InvalidRequest,
    MethodChoice,
    ReferenceChoice,
)


def request(*methods: str, **changes) -> CompareRequest:
    values = {"backbone": "network", "steps": 8, "samples": 3, "view_noise": 4.0, "strength": 2.0}
    return CompareRequest(**{**values, "methods": tuple(MethodChoice(name=n) for n in methods), **changes})


def run(asked: CompareRequest) -> CompareResult:
    *_, result = compare(asked)
    return result


@pytest.fixture(scope="module")
def followed() -> CompareResult:
    return run(request("unguided", "dps", "gensot", references=(ReferenceChoice(average="faces"),)))


def test_a_network_has_no_law_but_costs_energies_and_neighbours(followed):
    assert followed.asked.law is None
    assert followed.reports == {}
    assert followed.verdict.sentences == ("Cheapest: Unguided and GenSOT, 9 network calls a sample.",)
    for part in followed.methods.values():
        assert part.pictures.shape == (3, 32, 32, 3)
        assert part.energy is not None
        assert len(part.nearest) == 3
    assert followed.methods["dps"].backwards == 9


def test_following_brings_the_samples_nearer_to_what_is_followed(followed):
    wanted = followed.asked.references[0].astype(float)
    away = {
        name: np.sqrt(((part.pictures.astype(float) - wanted) ** 2).mean()) for name, part in followed.methods.items()
    }
    assert away["gensot"] < 0.6 * away["unguided"]
    assert away["dps"] < 0.6 * away["unguided"]


def test_the_truth_is_the_same_request_on_the_same_noise(followed):
    *_, truth = truth_beside(followed.request)
    assert truth.request == followed.request.model_copy(update={"backbone": "truth"})
    assert truth.asked.law is not None
    for name, part in followed.methods.items():
        first, exact = part.states[0], truth.methods[name].states[0]
        # both start from the same noise about a mean that the network has only learnt
        assert float((first - exact).norm() / exact.norm()) < 0.1
    found = differences(followed, truth)
    assert set(found) == {"unguided", "dps", "gensot"}
    for name, difference in found.items():
        away = followed.methods[name].pictures.astype(float) - truth.methods[name].pictures.astype(float)
        assert difference.grey_levels == pytest.approx(np.sqrt((away**2).mean()))
        assert difference.samples == 3
    assert found["gensot"].grey_levels < found["unguided"].grey_levels


def test_only_the_network_has_a_truth(followed):
    with pytest.raises(InvalidRequest, match="Only Emoji network"):
        list(truth_beside(followed.request.model_copy(update={"backbone": "collection"})))


def test_a_class_and_its_strength_are_heard():
    results = [run(request("conditional", "cfg", conditions=(ConditionChoice(name=c),))) for c in ("flags", "faces")]
    ends = [result.methods["conditional"].pictures.astype(float) for result in results]
    assert np.sqrt(((ends[0] - ends[1]) ** 2).mean()) > 40
    stronger = results[0].methods["cfg"].pictures.astype(float)
    assert np.sqrt(((ends[0] - stronger) ** 2).mean()) > 3


def test_two_classes_leave_out_what_takes_them_together():
    two = (ConditionChoice(name="faces"), ConditionChoice(name="hearts", trust=0.5))
    result = run(request("conditional", "cfg", conditions=two, steps=4, samples=1))
    assert set(result.methods) == {"cfg"}
    assert "Conditional was left out: Emoji network takes one condition at a time." in result.notes
    with pytest.raises(InvalidRequest, match="No picture is in both 'faces' and 'hearts'"):
        list(truth_beside(result.request))


def test_films_show_states_and_predictions(followed):
    frames = film(followed, "gensot", 1, frames=4)
    assert [frame.state.shape for frame in frames] == [(32, 32, 3)] * 4
    np.testing.assert_array_equal(frames[-1].predicted, followed.methods["gensot"].pictures[1])
    rough = [np.abs(np.diff(p.astype(float), axis=0)).mean() for p in (frames[0].state, frames[0].predicted)]
    assert rough[0] > 2 * rough[1]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (request("unguided", backbone="nobody/nothing"), "nobody/nothing"),
        (request("cfg", conditions=(ConditionChoice(name="moons"),)), "'moons' is unknown to Emoji network"),
        (request("gensot", conditions=(ConditionChoice(name="faces"),), steps=200, samples=12), "would ask the model"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(asked, sentence):
    with pytest.raises(InvalidRequest, match=sentence):
        run(asked)


def test_there_is_nothing_to_measure_a_network_against(followed):
    with pytest.raises(InvalidRequest, match="Emoji network has no known law to measure against"):
        list(measure(followed.request, 64))


def test_memory_that_runs_out_on_the_way_is_said_and_the_next_run_works(monkeypatch, followed):
    backbone = followed.backbone
    asked, predict = [], type(backbone.oracle.denoiser).predict

    def runs_out(self, x, *others):
        asked.append(len(x))
        if sum(asked) > 30:
            raise torch.OutOfMemoryError("simulated")
        return predict(self, x, *others)

    with monkeypatch.context() as patch:
        patch.setattr(type(backbone.oracle.denoiser), "predict", runs_out)
        with pytest.raises(InvalidRequest, match=r"No method reached the end\. The device has too little memory"):
            run(followed.request)
    again = run(followed.request)
    np.testing.assert_array_equal(again.methods["gensot"].pictures, followed.methods["gensot"].pictures)
