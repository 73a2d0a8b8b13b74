"""Requests and links: what is refused and in which words, and the way into a link and back."""

from __future__ import annotations

import pickle
from contextlib import suppress
from typing import get_args
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gensot_demo.experiments import limits
from gensot_demo.experiments.links import MAX_LENGTH, from_query, to_query
from gensot_demo.experiments.requests import (
    CompareRequest,
    ConditionChoice,
    InvalidRequest,
    MethodChoice,
    PictureChoice,
    ReferenceChoice,
    RestoreChoice,
    RewardChoice,
    parse,
)
from gensot_demo.transport.catalogue import SAMPLERS

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


def short(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers of at most six digits: what a control can set and a link carries."""
    return st.floats(low, high).map(lambda value: float(f"{value:.5g}")).filter(lambda value: low <= value <= high)


METHODS = st.lists(
    st.one_of(
        st.sampled_from(["unguided", "conditional", "cfg"]).map(lambda name: MethodChoice(name=name)),
        st.builds(lambda x: MethodChoice(name="sdedit", settings={"start_noise": x}), short(0.1, 20)),
        st.builds(
            lambda n, x, guide: MethodChoice(name="gensot", settings={"particles": n, "stiffness": x, "guide": guide}),
            st.integers(1, 64),
            short(0, 1000),
            st.sampled_from(["origin", "reference"]),
        ),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda choice: choice.name,
).map(tuple)
REFERENCES = st.one_of(
    st.builds(lambda name, trust: ReferenceChoice(emoji=name, trust=trust), NAMES, short(0.001, limits.MAX_TRUST)),
    st.builds(lambda name, trust: ReferenceChoice(average=name, trust=trust), NAMES, short(0.001, limits.MAX_TRUST)),
)
PICTURES = st.one_of(
    st.builds(lambda name: PictureChoice(emoji=name), NAMES), st.builds(lambda name: PictureChoice(average=name), NAMES)
)
RESTORES = st.builds(
    RestoreChoice,
    kind=st.sampled_from(get_args(RestoreChoice.model_fields["kind"].annotation)),
    picture=PICTURES,
    noise=short(*limits.RESTORE_NOISE),
    mask=st.sampled_from(get_args(RestoreChoice.model_fields["mask"].annotation)),
)
REWARDS = st.builds(
    RewardChoice,
    kind=st.sampled_from(get_args(RewardChoice.model_fields["kind"].annotation)),
    amount=short(-limits.MAX_REWARD, limits.MAX_REWARD).filter(bool),
    colour=st.from_regex(r"#[0-9a-fA-F]{6}", fullmatch=True),
    target=NAMES,
)
ASKED = st.one_of(
    st.lists(REFERENCES, max_size=2).map(lambda chosen: {"references": tuple(chosen)}),
    RESTORES.map(lambda choice: {"restore": choice}),
    REWARDS.map(lambda choice: {"reward": choice}),
)
REQUESTS = st.builds(
    lambda asked, **values: CompareRequest(**asked, **values),
    ASKED,
    conditions=st.lists(
        st.builds(ConditionChoice, name=NAMES, trust=short(0, limits.MAX_TRUST)), max_size=limits.MAX_CONDITIONS
    ).map(tuple),
    strength=short(0, limits.MAX_STRENGTH),
    view_noise=short(*limits.VIEW_NOISE),
    steps=st.integers(limits.MIN_STEPS, limits.MAX_STEPS),
    samples=st.integers(1, limits.MAX_SAMPLES),
    seed=st.integers(0, limits.MAX_SEED - limits.MAX_SAMPLES),
    sampler=st.sampled_from(list(SAMPLERS)),
    path=st.sampled_from(get_args(CompareRequest.model_fields["path"].annotation)),
    resolution=st.sampled_from([64, 32]),
    methods=METHODS,
)


@given(REQUESTS)
@settings(max_examples=150, deadline=None)
def test_a_request_survives_its_link(request_):
    query, left_out = to_query(request_)
    assert query.isascii()
    assert left_out == []
    again, notes = from_query("?" + query)
    assert notes == []
    # the order of references in a link is emoji and averages as given; values are equal, not only close
    assert again == request_
    assert pickle.loads(pickle.dumps(request_)) == request_


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_text_is_read_or_refused_with_a_sentence(text):
    with suppress(InvalidRequest):
        from_query(text)


KEYS = st.sampled_from(
    [
        *("v", "condition", "follow", "follow_average", "method", "strength", "view_noise", "steps", "samples"),
        *("seed", "sampler", "path", "resolution", "conditions", "references", "png", "methods", "x", "", "__theme"),
        *("restore", "restore_emoji", "restore_average", "restore_noise", "restore_own_picture", "reward", "reward"),
    ]
)
HOSTILE = [
    *("nan", "inf", "-1", "1e999", "9" * 400, "red*nan", "*", "**", "", "true", "0x10", "٣", "1_000", "%00", "cfg*"),
    *("cfg", "gensot*particles:nan", "gensot*self:1", "gensot*particles:1e9", "gensot*:", "gensot*model_config:1"),
    *("mask:", "mask:drawn", "mask:<b>", "blur:centre", ":", "colour:*", "colour:zz*1", "class:*1", "brightness*nan"),
    *("brightness*0", "brightness*1e9", "symmetry*-1", "class:a:b*c*1", "png"),
]
VALUES = st.one_of(st.text(max_size=20), st.sampled_from(HOSTILE))


@given(st.lists(st.tuples(KEYS, VALUES), max_size=80))
@settings(max_examples=300, deadline=None)
def test_hostile_fields_are_read_or_refused_with_a_sentence(fields):
    with suppress(InvalidRequest):
        request, _ = from_query("&".join(f"{quote(key)}={quote(value)}" for key, value in fields))
        assert isinstance(request, CompareRequest)


@pytest.mark.parametrize(
    "query", ["a=1&" * 65, "x=1;y&&&==", "condition=\ud800*1", "follow=%ED%A0%80", "steps=" + "9" * 3900, "method=*:5"]
)
def test_hostile_links_of_the_rarer_kind(query):
    with suppress(InvalidRequest):
        from_query(query)


def test_unknown_fields_are_noted_and_the_hosts_own_are_not():
    request, notes = from_query("v=9&steps=12&colour=blue&__theme=dark")
    assert request == CompareRequest(steps=12)
    assert len(notes) == 2
    assert "version '9'" in notes[0]
    assert "'colour'" in notes[1]


def test_a_drawing_does_not_travel_and_the_link_says_so():
    request = CompareRequest(references=(ReferenceChoice(png=b"..."),))
    query, notes = to_query(request)
    assert notes == ["The drawn or uploaded picture is not part of the link."]
    assert from_query(query)[1] == [
        "The picture that was followed is not part of the link; the first view's stands in for it."
    ]
    assert from_query(query)[0].references == ()


def test_a_drawn_mask_and_an_own_picture_to_restore_do_not_travel():
    restore = RestoreChoice(picture=PictureChoice(png=b"..."), mask_png=b"...", noise=0.25)
    query, notes = to_query(CompareRequest(restore=restore))
    assert notes == [
        "The drawn mask is not part of the link.",
        "The drawn or uploaded picture is not part of the link.",
    ]
    again, said = from_query(query)
    assert len(said) == 2
    assert all("stands in for it" in note for note in said)
    assert again.restore == RestoreChoice(noise=0.25)


def test_links_of_the_two_further_tasks_are_short_and_plain():
    restore = CompareRequest(restore=RestoreChoice(mask="left half", noise=0.2), steps=12)
    assert to_query(restore)[0] == "v=1&restore=mask:left%20half&restore_emoji=cat%20face&restore_noise=0.2&steps=12"
    reward = CompareRequest(reward=RewardChoice(kind="colour", colour="#00FF00", amount=-1.5))
    assert to_query(reward)[0] == "v=1&reward=colour:00ff00*-1.5"
    assert from_query("reward=symmetry")[0].reward == RewardChoice(kind="symmetry")
    request_, notes = from_query("restore_noise=0.2")
    assert request_.restore is None
    assert "ignored" in notes[0]


def test_what_plays_no_part_does_not_make_choices_differ():
    assert RestoreChoice(kind="blur", mask="left half") == RestoreChoice(kind="blur", mask_png=b"1")
    assert RestoreChoice(mask="left half", mask_png=b"1") == RestoreChoice(mask_png=b"1")
    assert RewardChoice(colour="#000000", target="hearts") == RewardChoice()
    assert len({RewardChoice(kind="colour", colour="#00FF00"), RewardChoice(kind="colour", colour="#00ff00")}) == 1
    assert hash(RestoreChoice()) == hash(RestoreChoice())


def test_a_default_request_is_a_short_link():
    assert to_query(CompareRequest())[0] == "v=1"
    assert from_query("")[0] == CompareRequest()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("steps=900", ["Steps", "900", "2 to 200"]),
        ("steps=ten", ["Steps", "'ten'", "number"]),
        ("strength=-1", ["Strength", "-1", "0 to 10"]),
        ("strength=nan", ["Strength", "nan", "0 to 10"]),
        ("view_noise=0", ["View noise", "0", "0.2 to 100"]),
        ("samples=0", ["Samples", "0", "1 to 12"]),
        ("seed=-4", ["Seed", "-4", "0 to"]),
        ("seed=2147483647", ["seed is 2147483647", "must not exceed"]),
        ("condition=red*9", ["trust", "9", "0 to 5"]),
        ("condition=red*x", ["Trust of condition 'red'", "'x'"]),
        ("follow=cat*0", ["trust", "above 0 to 5"]),
        (
            "condition=a&condition=b&condition=c&condition=d",
            ["Conditions", "4 given", f"at most {limits.MAX_CONDITIONS}"],
        ),
        ("sampler=magic", ["sampler 'magic'", "averaged"]),
        ("path=magic", ["Path", "'magic'", "'cosine'"]),
        ("resolution=48", ["Resolution", "48", "64 or 32"]),
        ("method=magic", ["method 'magic' is unknown", "unguided"]),
        ("method=cfg&method=cfg", ["chosen twice"]),
        ("method=gensot*particles:900", ["GenSOT", "Particles", "900", "1 to 64"]),
        ("method=gensot*guide:nowhere", ["GenSOT", "Guide", "'nowhere'", "'origin' or 'reference'"]),
        ("method=gensot*speed:2", ["GenSOT", "Speed", "not a known setting"]),
        ("restore=paint", ["Restore kind", "'paint'", "'mask'"]),
        ("restore=mask:top", ["Restore mask", "'top'", "'centre'"]),
        ("restore=blur&restore_noise=0", ["Restore noise", "0", "0.01 to 1"]),
        ("restore=blur&restore_noise=nan", ["Restore noise", "nan", "0.01 to 1"]),
        ("restore=blur&restore_noise=x", ["Restore noise", "'x'", "number"]),
        ("reward=beauty*1", ["Reward kind", "'beauty'", "'brightness'"]),
        ("reward=brightness*21", ["Reward amount", "21", "-20 to 20"]),
        ("reward=brightness*nan", ["Reward amount", "nan", "-20 to 20"]),
        ("reward=brightness*0", ["Amount is 0", "-20 to 20"]),
        ("reward=brightness*much", ["Amount of the reward", "'much'", "number"]),
        ("reward=colour:not-a-colour*1", ["Colour", "'#not-a-colour'", "six digits"]),
        ("reward=class*1", ["needs the class"]),
        ("restore=blur&reward=brightness", ["a picture to restore and a reward", "choose one"]),
        ("restore=blur&follow=cat", ["a picture to follow and a picture to restore", "choose one"]),
        ("x=" + "y" * MAX_LENGTH, ["characters long", str(MAX_LENGTH)]),
    ],
)
def test_sentences_name_the_value_and_the_range(query, words):
    with pytest.raises(InvalidRequest) as refused:
        from_query(query)
    for word in words:
        assert word in str(refused.value), str(refused.value)
    assert "pydantic" not in str(refused.value)


def test_nothing_to_compare_is_refused():
    with pytest.raises(InvalidRequest, match="no method is chosen; switch on at least one"):
        parse(CompareRequest, methods=[])
    for values in ({}, {"emoji": "cat", "average": "faces"}, {"emoji": "cat", "png": b"1"}):
        with pytest.raises(InvalidRequest, match="exactly one"):
            parse(CompareRequest, references=[values])


def test_equal_choices_compare_equal():
    assert MethodChoice(name="gensot", settings={"particles": 8}) == MethodChoice(name="gensot")
    assert MethodChoice(name="gensot", settings={"particles": "4"}).settings == {"particles": 4}
    assert CompareRequest(seed=3, samples=2).seeds == (3, 4)
