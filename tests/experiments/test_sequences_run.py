"""Sequences end to end on the exact collection: what linking frames does and does not do, and how films are written."""

from __future__ import annotations

import dataclasses
import io
from functools import cache

import numpy as np
import pytest
import torch
from PIL import Image

from gensot_demo.experiments.compare import compare
from gensot_demo.experiments.images import to_png
from gensot_demo.experiments.requests import InvalidRequest, MethodChoice
from gensot_demo.experiments.sequences.coherence import coherence, finding
from gensot_demo.experiments.sequences.film_files import FRAMES_A_SECOND, composed, to_gif, to_mp4
from gensot_demo.experiments.sequences.kept import SEQUENCES
from gensot_demo.experiments.sequences.links import from_query, to_query
from gensot_demo.experiments.sequences.measures import apart
from gensot_demo.experiments.sequences.request import SequenceRequest, TurningColour
from gensot_demo.experiments.sequences.run import Progress, SequenceResult, cost_of, reference_film, sequence
from gensot_demo.experiments.sequences.verdict import numbers, sentences
from gensot_demo.experiments.zero_gpu import gpu_seconds
from gensot_demo.guidance.base import GuidanceMethod, Prediction, ask
from gensot_demo.guidance.registry import REGISTRY
from gensot_demo.transport.catalogue import SAMPLERS

NAMES = ("unguided", "sdedit", "dps", "gensot")


def asked(*names: str, **changes) -> SequenceRequest:
    values = {
        "backbone": "collection",
        "motion": TurningColour(),
        "frames": 8,
        "steps": 8,
        "view_noise": 6.0,
        "methods": tuple(MethodChoice(name=name) for name in names or NAMES),
    }
    return SequenceRequest(**{**values, **changes})


def run(request: SequenceRequest) -> SequenceResult:
    return ran(to_query(request)[0])


@cache
def ran(query: str) -> SequenceResult:
    *_, result = sequence(from_query(query)[0])
    return result


@pytest.fixture
def added():
    """Registers methods for one test."""
    names = []

    def add(method):
        REGISTRY.add(method)
        names.append(method.name)

    yield add
    for name in names:
        del REGISTRY.methods[name]


def test_every_frame_is_what_compare_makes_of_it():
    request = asked(noise="fresh")
    result = run(request)
    for number in (0, 5):
        *_, single = compare(request.frame(number, [to_png(result.reference[number])]))
        for name, film in result.methods.items():
            away = apart(film.pictures[number][None], single.methods[name].pictures)
            assert away < 0.1  # float32, in another batch
            assert film.success.values[number] == pytest.approx(single.methods[name].success[0].value, abs=0.1)
            assert film.kinetic[number] == pytest.approx(single.methods[name].energy.action, rel=1e-3)
            assert film.calls == single.methods[name].calls


def test_shared_noise_holds_still_what_does_not_see_the_reference():
    still = run(asked()).methods["unguided"]
    assert still.steadiness.change == 0
    assert still.switches == 0
    assert run(asked(noise="fresh")).methods["unguided"].steadiness.change > 20


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "euler"])
def test_a_path_guide_cannot_change_what_arrives(sampler):
    """Only the way there: in z = (x - g)/a all these steps are the same for all paths."""
    plain, guided = (run(asked("gensot", sampler=sampler, memory=memory)) for memory in ("none", "guide"))
    one, other = plain.methods["gensot"], guided.methods["gensot"]
    assert apart(one.pictures, other.pictures) < 0.5  # float32 and rounding to grey levels
    np.testing.assert_array_equal(one.nearest, other.nearest)
    # power: the guide was there, and the way is another one
    assert other.kinetic[0] == pytest.approx(one.kinetic[0], rel=1e-4)
    assert (other.kinetic[1:] > 1.2 * one.kinetic[1:]).all()


def test_with_euler_maruyama_a_guide_changes_the_step_error_which_falls_with_more_steps():
    def away(steps: int) -> float:
        plain, guided = (
            run(asked("gensot", sampler="euler", steps=steps, memory=memory)) for memory in ("none", "guide")
        )
        return apart(plain.methods["gensot"].pictures, guided.methods["gensot"].pictures)

    coarse, fine = away(8), away(160)
    assert coarse > 5
    assert fine < 0.7 * coarse


def test_methods_without_a_path_guide_are_untouched_by_it_and_it_is_said():
    plain, guided = run(asked()), run(asked(memory="guide"))
    for name in ("unguided", "sdedit", "dps"):
        assert apart(plain.methods[name].pictures, guided.methods[name].pictures) < 0.5
    assert "Only GenSOT's path has a guide" in guided.notes[0]


def test_following_the_frame_before_is_another_law():
    """It draws the film towards the frame before, and away from the reference."""
    plain, linked = run(asked("gensot")), run(asked("gensot", memory="reference", trust=2.0))
    one, other = plain.methods["gensot"], linked.methods["gensot"]
    assert apart(one.pictures[:1], other.pictures[:1]) < 0.5
    assert other.steadiness.change < 0.7 * one.steadiness.change
    assert other.success.value > one.success.value
    pngs = [to_png(linked.reference[4]), to_png(other.pictures[3])]
    *_, single = compare(linked.request.frame(4, pngs))  # two pictures to follow, the second with its trust
    assert [choice.trust for choice in single.request.references] == [1.0, 2.0]
    assert apart(other.pictures[4][None], single.methods["gensot"].pictures) < 0.5


def test_runs_repeat_and_report_partial_films():
    *moments, result = sequence(asked(memory="reference"))
    assert moments
    assert all(isinstance(moment, Progress) for moment in moments)
    assert [moment.done for moment in moments] == sorted(moment.done for moment in moments)
    assert all(0 <= moment.done < 1 for moment in moments)
    assert all(film.shape[1:] == (64, 64, 3) for moment in moments for film in moment.films.values())
    again = run(asked(memory="reference"))
    for name, film in result.methods.items():
        np.testing.assert_array_equal(film.pictures, again.methods[name].pictures)


def test_blocks_of_frames_do_not_change_them(monkeypatch):
    from gensot_demo.experiments.sequences import run as module

    whole = run(asked("dps", "gensot"))
    monkeypatch.setattr(module, "_STATES_AT_ONCE", 6)
    *_, blocks = sequence(asked("dps", "gensot"))
    for name, film in whole.methods.items():
        assert apart(film.pictures, blocks.methods[name].pictures) < 0.5
        assert film.calls == blocks.methods[name].calls


def test_a_method_that_fails_is_noted_and_the_others_go_on(added):
    class Failing(GuidanceMethod):
        name = "failing_film"
        label = "Failing"

        def predict(self, task, point, x):
            answer = yield ask(point, x)
            if point.sigma < 1:
                raise RuntimeError("too cold here")
            return Prediction(answer.predicted[0])

    added(Failing)
    result = run(asked("failing_film", "gensot"))
    assert list(result.methods) == ["gensot"]
    assert "Failing ended early: frame 1" in result.notes[0]
    with pytest.raises(InvalidRequest, match="No method reached the end"):
        run(asked("failing_film"))


def test_an_own_method_takes_part_by_itself(added):
    class Half(GuidanceMethod):
        name = "half_film"
        label = "Half-way"

        def predict(self, task, point, x):
            answer = yield ask(point, x)
            return Prediction(0.5 * (answer.predicted[0] + task.view_mean))

    added(Half)
    assert run(asked("half_film")).methods["half_film"].steadiness.change > 0


def test_a_method_that_cannot_follow_is_left_out_with_its_reason():
    result = run(asked("ddnm", "gensot"))
    assert list(result.methods) == ["gensot"]
    assert "was left out" in result.notes[0]
    with pytest.raises(InvalidRequest, match="None of the chosen methods can do this"):
        run(asked("ddnm"))


def test_too_much_is_refused_at_once():
    many = asked("fk_steering", "best_of_n", "twisted_smc", "gensot", frames=24, steps=200)
    many = many.model_copy(
        update={"methods": tuple(MethodChoice(name=one.name, settings={"particles": 64}) for one in many.methods[:3])}
    )
    with pytest.raises(InvalidRequest, match="at most"):
        next(sequence(many))


def test_what_a_lent_gpu_is_asked_for_grows_with_frames():
    from gensot_demo.experiments.asking import load

    info = dataclasses.replace(load("collection").info, parameters=300_000_000)
    few, many = asked(frames=8, steps=50), asked(frames=16, steps=50)
    assert gpu_seconds(cost_of(many), info) > gpu_seconds(cost_of(few), info)
    linked = many.model_copy(update={"memory": "guide"})  # one after the other: forwards that cannot be joined
    assert gpu_seconds(cost_of(linked), info) > gpu_seconds(cost_of(many), info)


@pytest.mark.parametrize("memory", ["guide", "reference"])
def test_linked_frames_are_counted_once(memory):
    """24 frames of 200 steps by two methods: about 10,000 states of 200,000; 24 times as many would be refused."""
    request = asked("sdedit", "gensot", frames=24, steps=200).model_copy(update={"memory": memory})
    moments = sequence(request)
    assert isinstance(next(moments), Progress)
    moments.close()


def test_sentences_and_numbers_are_those_of_the_run():
    result = run(asked())
    seen, why = sentences(result)
    assert f"{result.steadiness.change:.1f} grey levels" in seen
    assert "Unguided" in seen
    assert "deaf to the reference" in seen
    assert "same noise" in why
    out = numbers(result)
    assert out["methods"]["gensot"]["success"]["value"] == pytest.approx(np.mean(out["methods"]["gensot"]["distances"]))
    assert out["methods"]["unguided"]["jump"] is None
    name = SEQUENCES.keep(result)
    assert SEQUENCES.find(asked()) == name
    assert SEQUENCES.get(name) is result


def test_what_helps_coherence_is_said_from_its_numbers():
    *moments, last = coherence(asked(), "gensot")
    assert finding(moments[0]) == ""
    assert [v.way.name for v in last.variants] == ["shared", "fresh", "deterministic", "guide", "reference"]
    by = {v.way.name: v for v in last.variants}
    assert by["shared"].away == 0
    assert by["guide"].away < 0.5
    said = finding(last)
    assert "The path guide does not help: it changes nothing that arrives" in said
    for variant in last.variants[1:3]:
        assert f"{variant.film.steadiness.change:.1f}, " in said
    *_, other = coherence(asked(), "dps")
    assert [v.way.name for v in other.variants] == ["shared", "fresh", "deterministic", "reference"]


def test_a_gif_repeats_and_holds_every_frame_and_the_settings():
    result = run(asked())
    frames = composed(result)
    file = Image.open(io.BytesIO(to_gif(result)))
    assert file.n_frames == 8
    assert file.info["loop"] == 0
    assert file.info["comment"].decode() == to_query(asked())[0]
    for number in (0, 3, 7):
        file.seek(number)
        shown = np.asarray(file.convert("RGB")).astype(float)
        assert np.sqrt(((shown - frames[number]) ** 2).mean()) < 6  # 256 colours for the whole film


def test_an_mp4_is_what_browsers_play():
    import av

    result = run(asked())
    frames = composed(result)
    with av.open(io.BytesIO(to_mp4(result))) as file:
        (stream,) = file.streams
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == FRAMES_A_SECOND
        assert file.metadata["comment"] == to_query(asked())[0]
        shown = [frame.to_ndarray(format="rgb24") for frame in file.decode(stream)]
    assert len(shown) == 8
    away = np.stack(shown).astype(float) - frames
    assert np.sqrt((away**2).mean()) < 8  # colours are halved in resolution
    assert frames.shape[1] % 2 == frames.shape[2] % 2 == 0


def test_films_stand_beside_each_other_magnified_by_a_whole_number():
    result = run(asked())
    frames = composed(result)
    film = result.methods["gensot"].pictures
    side, gap, top = 128, 8, 22
    left = gap + 4 * (side + gap)
    np.testing.assert_array_equal(frames[2, top : top + side : 2, left : left + side : 2], film[2])
    np.testing.assert_array_equal(frames[:, top : top + side : 2, gap : gap + side : 2], reference_film(asked(), 64))


def test_stop_stops():
    moments = sequence(asked(steps=100))
    next(moments)
    moments.close()
    assert torch.is_grad_enabled()
