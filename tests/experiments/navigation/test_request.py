"""Requests of a navigation, their links and files: what is taken, what is refused, and that nothing else happens."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gensot_demo.experiments.links import from_query as compare_request
from gensot_demo.experiments.navigation.links import compare_link, from_query, to_query, transport_link
from gensot_demo.experiments.navigation.protocol_file import from_json, to_json
from gensot_demo.experiments.navigation.request import GUIDES, ProtocolRequest
from gensot_demo.experiments.plane.links import from_query as transport_request
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.transport.harmonic import HarmonicPath

KNOTS = ProtocolRequest(shape="knots", knots=((1, 1), (2, -0.5)), stiffness=(5, 50), temperature=(0.5, 1.5))
CURVE = ProtocolRequest(shape="curve", guide=((0, 0), (1, 2), (3, 0.5)), start=(0.5, -1), target="ring")
DRAWN = ProtocolRequest(target="modes", modes=((1, 0, 0.3, 1), (-1, 0.5, 0.2, 3)), shape="V", amplitude=2)
UNEVEN = ProtocolRequest(shape="pieces", guide=((0, 0), (1, 1), (2, 2)), pieces=3, times=(0, 0.2, 0.9, 1))


@pytest.mark.parametrize("request_", [ProtocolRequest(), KNOTS, CURVE, DRAWN, UNEVEN])
def test_a_link_brings_it_back(request_):
    found, notes = from_query(to_query(request_)[0])
    assert found == request_
    assert not notes


@pytest.mark.parametrize("request_", [ProtocolRequest(), KNOTS, CURVE, DRAWN, UNEVEN])
def test_a_file_brings_the_same_protocol_back(request_):
    end = request_.law()[0].mixture.mean()
    there, back = request_.course(end), from_json(to_json(request_)).course(end)
    assert torch.allclose(there.protocol.guide, back.protocol.guide)
    assert torch.allclose(there.protocol.stiffness, back.protocol.stiffness)
    assert torch.allclose(there.protocol.knots, back.protocol.knots)
    assert torch.allclose(there.times, back.times)
    assert there.protocol.temperature == pytest.approx(back.protocol.temperature)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"stiffness": -1}, "conjugate point"),
        ({"stiffness": 1e7}, "from 0 to 1000"),
        ({"stiffness": float("nan")}, "finite"),
        ({"stiffness": ()}, "at least 1"),
        ({"stiffness": (1,) * 30}, "30 values for 20 pieces"),
        ({"temperature": 0}, "Temperature"),
        ({"shape": "spiral"}, "spiral"),
        ({"target": "nowhere"}, "nowhere"),
        ({"target": "modes"}, "empty"),
        ({"shape": "curve"}, "No guide is drawn"),
        ({"shape": "pieces", "guide": ((0, 0),)}, "1 places for 20 pieces"),
        ({"shape": "curve", "guide": ((0, 1e9),)}, "-20 to 20"),
        ({"pieces": 1}, "2 to 200"),
        ({"start": (99, 0)}, "the start is (99, 0)"),
        ({"times": (0, 1)}, "times"),
        ({"shape": "pieces", "guide": ((0, 0),) * 2, "pieces": 2, "times": (0, 0, 1)}, "rise"),
    ],
)
def test_bad_values_are_named(values, said):
    with pytest.raises(InvalidRequest, match=None) as refused:
        parse(ProtocolRequest, **values)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON"),
        ("[1]", "JSON object"),
        ("[" * 100_000, "no JSON"),
        ('{"guide": [[0, 0]], "stiffness": [NaN]}', "finite"),
        ('{"guide": [[0, 0], [1, 1e999]]}', "finite"),
        (json.dumps({"guide": [[0, 0], [1, 1]], "modes": [[0, 0, 1, 1]] * 10_000}), "10,000 modes; at most 12"),
        (json.dumps({"guide": [[0, 0]] * 201}), "201 guide; at most 200"),
        ('{"guide": [[0, 0], [1, 1]], "stiffness": [-40, 1]}', "conjugate point"),
        ('{"guide": [[0, 0], [1, 1]], "secret": 1}', "secret"),
        ('{"format": "other", "guide": [[0, 0]]}', "no protocol"),
        ('{"stiffness": 3}', "no guide"),
        ('{"guide": 5}', "must be a list"),
        ('{"guide": [[0, 0], [1, "x"]]}', "Guide"),
        ('{"template": {"shape": "knots"}}', "must be one of"),
        ('{"template": 5}', "shape and amplitude"),
        ('{"guide": [[0, 0], [1, 1]], "target": ["a"]}', "must be a name"),
        (" " * 3_000_000, "at most 2,000,000"),
        ('{"guide": [[0, 0], [1, %s]]}' % ("9" * 400), "Guide"),
    ],
)
def test_bad_files_are_answered_with_a_sentence(text, said):
    with pytest.raises(InvalidRequest) as refused:
        from_json(text)
    assert said in str(refused.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    ["target", "modes", "start", "times", "stiffness", "guide", "temperature", "template", "version"]
)
NUMBERS = st.floats(-5, 50)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(NAMES, JSON, max_size=6))
def test_any_json_is_a_protocol_or_refused_with_a_sentence(content):
    try:
        request = from_json(json.dumps(content))
        request.law()
    except InvalidRequest:
        return
    HarmonicPath(request.course(request.law()[0].mixture.mean()).protocol)


@settings(max_examples=100, deadline=None)
@given(
    guide=st.lists(st.tuples(NUMBERS, NUMBERS), max_size=8),
    shape=st.sampled_from(GUIDES),
    stiffness=st.lists(NUMBERS, max_size=4),
    temperature=st.lists(st.floats(0, 5), max_size=3),
    pieces=st.integers(0, 12),
)
def test_any_values_make_a_path_or_are_refused(guide, shape, stiffness, temperature, pieces):
    values = {"shape": shape, "stiffness": stiffness, "temperature": temperature, "pieces": pieces}
    values |= {"knots": guide} if shape == "knots" else {"guide": guide}
    try:
        request = parse(ProtocolRequest, **values)
    except InvalidRequest:
        return
    course = request.course(request.law()[0].mixture.mean())
    points = HarmonicPath(course.protocol).at(course.clock(torch.linspace(0, 1, 5, dtype=torch.float64)))
    assert bool(torch.isfinite(points.g).all())


def test_where_a_protocol_is_used():
    query, notes = transport_link(KNOTS)
    found, _ = transport_request(query)
    assert "gensot_drawn" in found.methods
    assert found.stiffness == 27.5
    assert len(found.guide) == 20
    assert any("means" in note for note in notes)
    assert transport_request(transport_link(ProtocolRequest())[0])[0].methods == ("gensot_straight", "gensot_s")
    assert transport_request(transport_link(ProtocolRequest(shape="none"))[0])[0].guide == ((0.0, 0.0),)
    found, _ = compare_request(compare_link(KNOTS)[0])
    (gensot,) = [method for method in found.methods if method.name == "gensot"]
    assert gensot.settings == {"stiffness": 27.5, "temperature": 1.0} or gensot.settings == {"stiffness": 27.5}
