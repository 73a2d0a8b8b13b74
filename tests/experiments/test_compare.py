"""A comparison end to end, at 32 x 32: what it yields, what it repeats, how it ends and what it refuses."""

from __future__ import annotations

import math
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from gensot_demo.backbones.pictures import PictureBackbone
from gensot_demo.experiments.asking import ask_for
from gensot_demo.experiments.compare import CompareResult, Update, compare
from gensot_demo.experiments.film import film
from gensot_demo.experiments.images import to_png
from gensot_demo.experiments.measuring import measure
from gensot_demo.experiments.requests import (
    CompareRequest,
    ConditionChoice,
    InvalidRequest,
    MethodChoice,
    ReferenceChoice,
)
from gensot_demo.experiments.runs import RunStore
from gensot_demo.guidance.base import GuidanceMethod, Prediction, ask
from gensot_demo.guidance.registry import REGISTRY
from gensot_demo.transport.catalogue import SAMPLERS

EVERY = ("unguided", "conditional", "cfg", "sdedit", "dps", "gensot")


def request(**changes) -> CompareRequest:
    names = changes.pop("names", EVERY)
    values = {
        "conditions": (ConditionChoice(name="round"),),
        "references": (ReferenceChoice(average="faces"),),
        "view_noise": 4.0,
        "strength": 2.0,
        "steps": 14,
        "samples": 3,
        "resolution": 32,
        "methods": tuple(MethodChoice(name=name) for name in names),
    }
    return CompareRequest(**{**values, **changes})


@cache
def finished() -> tuple[list[Update], CompareResult]:
    *updates, result = compare(request())
    return updates, result


def run(asked: CompareRequest) -> CompareResult:
    *_, result = compare(asked)
    return result


class Broken(GuidanceMethod):
    """Raises once the noise has fallen."""

    name = "broken"
    label = "Broken"

    def predict(self, task, point, x):
        answer = yield ask(point, x)
        if point.sigma < 5:
            raise ArithmeticError("the pen fell down")
        return Prediction(answer.predicted[0])


class Exploding(GuidanceMethod):
    name = "exploding"
    label = "Exploding"

    def predict(self, task, point, x):
        answer = yield ask(point, x)
        return Prediction(answer.predicted[0] * (math.inf if point.sigma < 5 else 1.0))


@pytest.fixture
def strangers():
    for method in (Broken, Exploding):
        REGISTRY.add(method)
    yield
    for method in (Broken, Exploding):
        del REGISTRY.methods[method.name]


def test_it_reports_as_it_goes():
    updates, result = finished()
    assert isinstance(result, CompareResult)
    assert all(isinstance(update, Update) for update in updates)
    assert 8 <= len(updates) <= 14
    done = [update.done for update in updates]
    assert done == sorted(done)
    assert done[0] < 0.2
    assert done[-1] < 1
    for update in updates:
        assert set(update.pictures) <= set(EVERY)
        for pictures in update.pictures.values():
            assert pictures.shape == (3, 32, 32, 3)
            assert pictures.dtype == np.uint8
    assert [u.seconds for u in updates] == sorted(u.seconds for u in updates)


def test_the_result_holds_what_it_says():
    _, result = finished()
    assert list(result.methods) == list(EVERY)
    assert result.notes == ()
    for name, part in result.methods.items():
        assert part.pictures.shape == (3, 32, 32, 3)
        assert part.states.shape == part.predicted.shape == (len(part.index), 3, result.backbone.oracle.dimension)
        assert len(part.levels) == len(part.times) == len(part.index) == len(part.order)
        assert list(part.levels) == sorted(part.levels, reverse=True)
        assert part.calls > 0
        assert part.seconds > 0
        assert name in result.reports
        # few steps end near, not on, a picture; the nearest one is the nearest in pixels as well
        pixels = result.backbone.collection.pictures.astype(float)
        away = np.sqrt(((pixels - part.pictures[0].astype(float)) ** 2).mean((1, 2, 3)))
        assert away[part.nearest[0]] <= away.min() + 0.5
        assert part.distance[0] == pytest.approx(away[part.nearest[0]], abs=1.0)
    assert result.methods["gensot"].particles == 8
    assert 0 < result.methods["gensot"].ess <= 1
    assert result.methods["cfg"].ess is None
    assert result.methods["cfg"].calls == 2 * result.methods["unguided"].calls
    assert result.methods["dps"].backwards == result.methods["dps"].calls
    assert result.methods["sdedit"].calls < result.methods["conditional"].calls


def test_the_law_asked_for_is_the_product_of_its_parts():
    _, result = finished()
    backbone = result.backbone
    weights = backbone.collection.conditions()["round"].weights
    pixels = backbone.collection.pictures.reshape(len(weights), -1) / 127.5 - 1
    reference = result.asked.references[0].reshape(-1) / 127.5 - 1
    away = ((pixels - reference) ** 2).sum(1)
    log_law = 2.0 * np.log(weights) - away / (2 * 4.0**2)
    law = np.exp(log_law - log_law.max())
    np.testing.assert_allclose(result.asked.law, law / law.sum(), atol=2e-4)


def test_the_average_picture_is_the_weighted_mean_of_the_pictures():
    _, result = finished()
    weights = result.backbone.collection.conditions()["faces"].weights
    pictures = result.backbone.collection.pictures.astype(float)
    mean = np.einsum("n,nijk->ijk", weights / weights.sum(), pictures)
    assert float(np.abs(result.asked.references[0] - mean).max()) < 0.51


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_request_gives_the_same_result(sampler):
    asked = request(sampler=sampler, names=("unguided", "gensot"), steps=8)
    one, two = run(asked), run(asked)
    for name in one.methods:
        assert np.array_equal(one.methods[name].pictures, two.methods[name].pictures)
        assert one.reports[name] == two.reports[name]
    assert one.verdict == two.verdict
    other = run(request(sampler=sampler, names=("unguided", "gensot"), steps=8, seed=70))
    assert not np.array_equal(one.methods["unguided"].pictures, other.methods["unguided"].pictures)


def test_more_samples_and_other_methods_change_no_earlier_column():
    few, many = run(request(samples=2, names=("cfg",))), run(request(samples=5))
    assert np.array_equal(few.methods["cfg"].nearest, many.methods["cfg"].nearest[:2])
    difference = few.methods["cfg"].pictures.astype(int) - many.methods["cfg"].pictures[:2]
    assert np.abs(difference).max() <= 1  # products of other shapes round differently
    shifted = run(request(samples=2, names=("cfg",), seed=8))
    assert shifted.methods["cfg"].nearest[0] == few.methods["cfg"].nearest[1]


def test_weighted_samples_do_not_depend_on_their_company():
    """Eight particles a sample: resampling must not look at the other samples' weights."""
    few, many = run(request(samples=1, names=("gensot",))), run(request(samples=4, names=("gensot",)))
    assert few.methods["gensot"].nearest[0] == many.methods["gensot"].nearest[0]


def test_the_protocol_changes_trajectories_and_not_what_arrives():
    def with_settings(**settings):
        choice = MethodChoice(name="gensot", settings=settings)
        return run(request(conditions=(), steps=20, methods=(choice,))).methods["gensot"]

    plain = with_settings()
    for settings in ({"stiffness": 0.0}, {"stiffness": 1000.0}, {"guide": "origin"}, {"temperature": 0.1}):
        other = with_settings(**settings)
        assert np.array_equal(other.nearest, plain.nearest)
        assert float((other.states[-1] - plain.states[-1]).norm()) < 0.05  # of pictures 50 apart, in float32
        assert float((other.states[10] - plain.states[10]).norm()) > 1


def test_conditional_is_every_method_at_strength_one():
    parts = run(request(references=(), strength=1.0, names=("conditional", "cfg", "gensot"))).methods
    for name in ("cfg", "gensot"):
        assert np.array_equal(parts[name].nearest, parts["conditional"].nearest)
        assert float((parts[name].states[-1] - parts["conditional"].states[-1]).norm()) < 0.05


def test_closing_the_iterator_stops_the_run():
    running = compare(request(steps=100))
    first = next(running)
    assert first.done < 0.2
    running.close()
    assert list(running) == []
    assert run(request(steps=2, names=("unguided",))).methods  # the device's turn was handed back


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"conditions": (ConditionChoice(name="roud"),)}, ["'roud'", "round"]),
        ({"conditions": (ConditionChoice(name="zzzzzz"),)}, ["'zzzzzz'", "Try one of faces"]),
        ({"references": (ReferenceChoice(average="facs"),)}, ["'facs'", "faces"]),
        ({"references": (ReferenceChoice(emoji="grining face"),)}, ["'grining face'", "'grinning face'"]),
        ({"references": (ReferenceChoice(png=b"no"),)}, ["not a picture that can be read"]),
        (
            {"references": (ReferenceChoice(png=to_png(np.full((9, 9, 3), 255, np.uint8))),)},
            ["empty: draw something"],
        ),
        (
            {"conditions": (ConditionChoice(name="faces"), ConditionChoice(name="clocks"))},
            ['No picture is both "faces" and "clocks"'],
        ),
        ({"references": (), "names": ("dps", "sdedit")}, ["None of the chosen methods", "DPS needs a picture"]),
    ],
)
def test_what_cannot_be_run_is_refused_in_a_sentence(changes, words):
    with pytest.raises(InvalidRequest) as refused:
        next(compare(request(**changes)))
    for word in words:
        assert word in str(refused.value), str(refused.value)


def test_too_much_work_is_refused_with_what_to_lower(monkeypatch):
    monkeypatch.setattr(PictureBackbone, "max_states", 1000)
    with pytest.raises(
        InvalidRequest, match=r"at most 1,000 are allowed\. Take fewer steps, samples, draws, particles"
    ) as refused:
        next(compare(request(steps=20, samples=6, names=("gensot",))))
    assert f"{20 * 6 * 8 * 2:,}" in str(refused.value)  # steps x samples x particles x (condition and none)


def test_methods_that_cannot_do_the_task_are_left_out_with_a_note():
    result = run(request(references=(), steps=4))
    assert "DPS was left out: DPS needs a picture to follow." in result.notes
    assert "SDEdit was left out: SDEdit needs a picture to follow." in result.notes
    assert list(result.methods) == ["unguided", "conditional", "cfg", "gensot"]


def test_a_failing_method_ends_alone(strangers):
    result = run(request(names=("unguided", "broken", "exploding"), samples=2))
    alone = run(request(names=("unguided",), samples=2))
    assert list(result.methods) == ["unguided"]
    assert np.array_equal(result.methods["unguided"].nearest, alone.methods["unguided"].nearest)
    assert any("Broken ended early: ArithmeticError: the pen fell down" in note for note in result.notes)
    assert any("Exploding ended early" in note and "finite" in note for note in result.notes)


def test_a_failing_method_alone_says_why_there_is_no_result(strangers):
    with pytest.raises(InvalidRequest, match=r"No method reached the end\. ArithmeticError: the pen fell down"):
        run(request(names=("broken",), samples=1))


def test_a_picture_of_ones_own_is_followed():
    backbone = finished()[1].backbone
    target = backbone.collection.index_of("clown face")
    drawn = ReferenceChoice(png=to_png(backbone.collection.pictures[target]))
    result = run(request(conditions=(), references=(drawn,), view_noise=0.5, names=("gensot", "dps")))
    assert (result.methods["gensot"].nearest == target).all()
    assert result.asked.law[target] > 0.99


def test_two_references_with_trusts_are_one_view():
    asked = ask_for(
        request(references=(ReferenceChoice(emoji="😀", trust=1.0), ReferenceChoice(emoji="🤡", trust=3.0))),
        finished()[1].backbone,
    )
    points = finished()[1].backbone.oracle.points
    mine = [finished()[1].backbone.collection.index_of(name) for name in ("😀", "🤡")]
    expected = 0.25 * points[mine[0]] + 0.75 * points[mine[1]]
    torch.testing.assert_close(asked.task.view_mean, expected, rtol=0, atol=2e-3)
    assert asked.task.view_precision == pytest.approx(4 / 16)


# --- film ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_a_film_ends_in_the_picture_and_begins_in_noise(name):
    _, result = finished()
    frames = film(result, name, 1, frames=6)
    assert 2 <= len(frames) <= 6
    assert all(frame.state.shape == frame.predicted.shape == (32, 32, 3) for frame in frames)
    last = frames[-1]
    assert np.abs(last.state.astype(int) - result.methods[name].pictures[1]).max() <= 1
    assert np.abs(last.predicted.astype(int) - result.methods[name].pictures[1]).max() <= 1
    assert last.time == 1
    assert last.noise == 0
    assert [f.sigma for f in frames] == sorted((f.sigma for f in frames), reverse=True)
    rough = [np.abs(np.diff(f.state.astype(int), axis=0)).mean() for f in frames]
    assert rough[0] > 3 * rough[-1] or name in ("gensot", "sdedit")
    for frame in frames[:-1]:
        assert frame.sigma == pytest.approx(frame.noise / frame.scale, rel=1e-6)


def test_a_film_that_is_not_there_is_refused():
    _, result = finished()
    for name, column in (("unguided", 3), ("unguided", -1), ("nobody", 0)):
        with pytest.raises(InvalidRequest, match="There is no sample"):
            film(result, name, column)


def test_the_film_shows_the_noise_of_the_path_in_every_pixel():
    """x_t - a yhat has the variance m^2 per pixel and channel while m is small: no clipping, picture decided."""
    choice = MethodChoice(name="gensot", settings={"guide": "origin"})
    clown = (ReferenceChoice(emoji="🤡"),)
    result = run(request(conditions=(), references=clown, view_noise=0.2, steps=60, methods=(choice,)))
    frames = [f for f in film(result, "gensot", 0, frames=61) if f.scale > 0.3 and 0.1 < f.noise < 0.3]
    assert frames
    for frame in frames:
        mean = result.backbone.mean_picture.numpy().reshape(32, 32, 3)
        clean = frame.scale * (frame.predicted / 127.5 - 1 - mean) + mean
        state = frame.state / 127.5 - 1
        seen = (np.abs(clean) < 0.3) & (frame.state > 0) & (frame.state < 255)
        assert (state - clean)[seen].std() == pytest.approx(frame.noise, rel=0.1)


# --- kept runs -------------------------------------------------------------------------------------------------------


def test_kept_runs_are_bounded_and_the_oldest_leave_first():
    store, result = RunStore(capacity=3), finished()[1]
    names = [store.keep(result) for _ in range(3)]
    assert len(set(names)) == 3
    assert all(len(name) >= 16 for name in names)
    store.get(names[0])  # looked at: not the oldest any more
    newest = store.keep(result)
    assert store.get(newest) is result
    assert store.get(names[0]) is result
    with pytest.raises(InvalidRequest, match="not kept any more"):
        store.get(names[1])
    with pytest.raises(InvalidRequest, match="not kept any more"):
        store.get("")


# --- measuring -------------------------------------------------------------------------------------------------------


def test_measuring_finds_who_follows_the_picture():
    asked = request(conditions=(), view_noise=2.0, steps=20, names=("unguided", "sdedit", "gensot"))
    moments = list(measure(asked, 160))
    assert [m.draws for m in moments] == [64, 128, 160]
    assert moments[-1].done == 1
    reports = moments[-1].reports
    assert reports["gensot"].telling
    assert reports["gensot"].distance < 1.5 * reports["gensot"].floor
    assert reports["sdedit"].distance > 2 * reports["sdedit"].floor
    assert reports["unguided"].distance > 3 * reports["unguided"].floor
    assert "GenSOT" in moments[-1].verdict.sentences[0]
    assert "SDEdit" not in moments[-1].verdict.sentences[0]


def test_measuring_finds_the_conditional_law_at_strength_one():
    asked = request(references=(), strength=1.0, steps=20, names=("unguided", "conditional"))
    *_, last = measure(asked, 192)
    assert last.reports["conditional"].distance < 1.5 * last.reports["conditional"].floor
    assert last.reports["unguided"].distance > 2 * last.reports["unguided"].floor


@pytest.mark.parametrize("draws", [0, 63, 1025, 64.0, "100", True])
def test_a_bad_number_of_draws_is_refused(draws):
    with pytest.raises(InvalidRequest, match="it must be a whole number from 64 to 1024"):
        next(measure(request(), draws))


def test_measuring_without_any_method_that_can_is_refused():
    with pytest.raises(InvalidRequest, match="None of the chosen methods"):
        next(measure(request(references=(), names=("dps",)), 64))


def test_no_run_costs_less_than_the_cheapest_path_to_the_law_asked_for():
    """Unguided on the exact collection its law is the one asked for: W2^2 per dimension, by hand, between N(0, m_0^2 I)
    and the pictures, is no more than the action; far from it without the pictures' own spread."""
    asked = request(conditions=(), references=(), names=("unguided",), sampler="heun", steps=40, samples=6)
    result = run(asked)
    part, backbone = result.methods["unguided"], result.backbone
    assert part.dissipation == pytest.approx(part.energy.action * backbone.dimension)
    assert 0.6 * part.energy.action < part.least < part.energy.action
    points = backbone.oracle.points.double()
    away = points - points.mean(0)
    sizes = torch.linalg.svdvals(away / len(points) ** 0.5)
    index = [i for i in part.index if part.grid.m[i] > 0]
    first, last, scale = part.grid.m[index[0]], part.grid.m[index[-1]], part.grid.a[index[-1]]
    ends = torch.cat([(scale**2 * sizes**2 + last**2).sqrt(), last.expand(backbone.dimension - len(sizes))])
    time = float(part.energy.t[-1] - part.energy.t[0])
    by_hand = float((ends - first).square().mean()) / time
    assert part.least == pytest.approx(by_hand, rel=0.02)
    assert (
        abs(float((last - first) ** 2) / time - by_hand) > 0.1 * by_hand
    )  # pictures that do not differ would be told apart


def test_where_the_law_asked_for_is_unknown_nothing_is_said_to_be_the_least():
    nobody = request(conditions=(), references=(), names=("unguided",), backbone="network", steps=4, samples=1)
    assert run(nobody).methods["unguided"].least is not None  # what the network learnt from is known
    from gensot_demo.experiments.floor import asked_end_law

    backbone = run(nobody).backbone
    asked = ask_for(nobody, backbone)
    stranger = SimpleNamespace(info=SimpleNamespace(name="somebody/else"))
    assert asked.law is None
    assert asked_end_law(nobody, stranger, asked) is None
