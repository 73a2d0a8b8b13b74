"""Anything may be asked for: it is run, or refused in a sentence; nothing else is ever raised."""

from __future__ import annotations

import pickle
from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gensot_demo.experiments.plane.links import from_query
from gensot_demo.experiments.plane.request import MOST_MODES, MOST_PANELS, TransportRequest
from gensot_demo.experiments.plane.run import TransportResult, move
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.transport.targets import named_target

TWO = ((0.0, 0.0, 0.5, 1.0), (2.0, 0.0, 0.5, 1.0))
FEW = {"particles": 50, "steps": 5}


def ran(**changes) -> TransportResult:
    *_, last = move(parse(TransportRequest, **{**FEW, **changes}))
    return last


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_or_refused_with_a_sentence(text):
    with suppress(InvalidRequest):
        assert isinstance(from_query(text)[0], TransportRequest)


KEYS = st.sampled_from([*TransportRequest.model_fields, "method", "v", "x", "", "__theme"])
HOSTILE = st.sampled_from(
    [
        *(
            "nan",
            "inf",
            "-inf",
            "-1",
            "1e999",
            "9" * 400,
            "",
            ",",
            ";",
            ",;,",
            "1,2;",
            "nan,1,1,1",
            "1,1,0,1",
            "1,1,1,0",
        ),
        *("true", "0x10", "٣", "1_000", "%00", "nothing", "steps", "points", "modes", "label", "drawn", "1e-320,1,1,1"),
    ]
)


@given(st.lists(st.tuples(KEYS, st.one_of(st.text(max_size=20), HOSTILE)), max_size=70))
@settings(max_examples=300, deadline=None)
def test_hostile_fields_are_read_or_refused_with_a_sentence(fields):
    with suppress(InvalidRequest):
        request, _ = from_query("&".join(f"{quote(key)}={quote(value)}" for key, value in fields))
        assert pickle.loads(pickle.dumps(request)) == request


@pytest.mark.parametrize("query", [None, 7, b"steps=5", ["steps=5"]])
def test_what_is_no_text_is_refused(query):
    with pytest.raises(InvalidRequest, match="must be text"):
        from_query(query)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"modes": TWO * 7, "target": "modes"}, f"Modes: 14 given, at most {MOST_MODES} allowed"),
        ({"modes": (("a", 0, 1, 1),), "target": "modes"}, "'a'"),
        ({"methods": ("flow_vp", "flow_cosine"), "vary": "steps", "values": (5, 10, 20, 40)}, "8 panels"),
        ({"vary": "steps", "values": tuple(range(2, 9))}, f"7 given, at most {MOST_PANELS}"),
        ({"vary": "temperature", "values": (0.01,)}, "Temperature is 0.01; it must be a number from 0.1 to 4"),
        ({"points": ((0, 0),) * 2001}, "2001 given, at most 2000"),
        ({"seed": -1}, "Seed is -1"),
        ({"colour": "red"}, "Colour is not a known setting"),
        ({"steps": 10**9}, "Steps is 1000000000; it must be a whole number from 2 to 500"),
        ({"target": 5}, "Target is 5"),
    ],
)
def test_bad_values_are_named_with_what_is_allowed(values, said):
    with pytest.raises(InvalidRequest) as caught:
        parse(TransportRequest, **values)
    assert said in str(caught.value)
    assert "pydantic" not in str(caught.value)


@pytest.mark.parametrize(
    ("modes", "said"),
    [
        (((0, 0, 0.5, 1), (1, 0, 0.01, 1)), "Mode 2 has size 0.01; it must be from 0.02 to 5"),
        (((0, 0, 0.5, 0),), "Mode 1 has weight 0"),
        (((0, 0, 0.5, 1.5e308), (1, 0, 0.5, 1.5e308)), "(?i)weight"),
        (((0, 0, 0.5, 1e-320), (1, 0, 0.5, 1e300)), "(?i)weight"),
    ],
)
def test_modes_that_cannot_be_drawn_from_are_refused_and_named(modes, said):
    with pytest.raises(InvalidRequest, match=said):
        ran(target="modes", modes=modes, methods=("flow_vp",))


@pytest.mark.parametrize("points", [((1e308, 0), (1e308, 1)), ((1e308, 0), (-1e308, 1))])
def test_points_that_no_scale_brings_into_the_frame_are_refused_by_name(points):
    with pytest.raises(InvalidRequest, match=r"at most 1e\+100"):
        ran(target="points", points=points, methods=("flow_vp",))


def test_far_places_stay_two_places_and_inseparable_ones_are_one():
    means = ran(target="points", points=((1e90, 0), (-1e90, 1)), methods=("flow_vp",)).target.mixture.means
    assert float((means[0] - means[1]).norm()) > 0.1
    means = ran(target="points", points=((0, 0), (1e-320, 0)), methods=("flow_vp",)).target.mixture.means
    assert float(means.abs().max()) < 1e-9


@pytest.mark.parametrize("drawn", [{"target": "modes", "modes": TWO}, {"target": "points", "points": ((0, 0), (2, 1))}])
def test_a_condition_that_the_drawn_target_lacks_is_refused_in_a_sentence(drawn):
    with pytest.raises(InvalidRequest, match="condition 'label' is unknown"):
        ran(**drawn, methods=("conditional",), condition="label")


def test_drawn_targets_have_soft_labels():
    last = ran(target="modes", modes=TWO, methods=("conditional",), condition="right", trust=1.0, particles=2000)
    share = float((last.panels[0].motion.end[:, 0] > 1).double().mean())
    assert share > 0.7  # half of them without the label
    assert last.panels[0].error is None


@pytest.mark.parametrize(("first", "second", "pairs"), [("", "", 1), ("upper", "right", 2)])
def test_trusts_are_pairs_of_those_that_ask_for_something(first, second, pairs):
    target = named_target("four_modes")
    request = TransportRequest(target="four_modes", condition=first, second_condition=second, trust=2.0)
    found = request.trusts(target)
    assert len(found) == pairs
    assert found[0] == (first or "label", 2.0)
    assert TransportRequest(trust=0.0).trusts(target) == ()


def test_a_value_of_the_varied_setting_is_that_setting():
    request = TransportRequest(methods=("gensot_s",), vary="steps", values=(10, 40))
    assert request.with_value("steps", 40) == TransportRequest(methods=("gensot_s",), steps=40)
    assert request.variants == 2
    assert isinstance(request.with_value("steps", 40.0).steps, int)
