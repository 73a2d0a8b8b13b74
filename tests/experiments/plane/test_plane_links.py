"""Links of the Transport page: every request comes back, every bad value is named with what is allowed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gensot_demo.experiments.plane.links import from_query, to_query
from gensot_demo.experiments.plane.methods import METHODS
from gensot_demo.experiments.plane.request import MOST_PANELS, SHOWN, SOURCES, TransportRequest
from gensot_demo.experiments.plane.run import target_for
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.transport.targets import TARGETS

PLACE = st.floats(-9, 9).map(lambda v: float(f"{v:.3g}"))
ROUND = st.floats(0.1, 4).map(lambda v: float(f"{v:.4g}"))


@st.composite
def requests(draw) -> TransportRequest:
    own = draw(st.booleans())
    modes = st.tuples(PLACE, PLACE, ROUND, ROUND)
    varied = draw(st.sampled_from(["nothing", "stiffness", "steps"]))
    methods = draw(st.lists(st.sampled_from(list(METHODS)), min_size=1, max_size=6 if varied == "nothing" else 2))
    return TransportRequest(
        target="modes" if own else draw(st.sampled_from(TARGETS)),
        modes=draw(st.lists(modes, min_size=1, max_size=5)) if own else (),
        source=draw(st.sampled_from(SOURCES)),
        methods=methods,
        guide=draw(st.lists(st.tuples(PLACE, PLACE), min_size=1, max_size=30)),
        stiffness=draw(st.integers(0, 200)),
        temperature=draw(ROUND),
        trust=draw(ROUND),
        second_condition=draw(st.sampled_from(["", "right", "upper"])),
        steps=draw(st.integers(2, 500)),
        seed=draw(st.integers(0, 10**6)),
        solver=draw(st.sampled_from(["averaged", "bridge", "euler"])),
        vary=varied,
        values=draw(st.lists(st.integers(2, 100), min_size=1, max_size=3)) if varied != "nothing" else (),
        show=draw(st.lists(st.sampled_from(SHOWN))),
    )


@settings(max_examples=60, deadline=None)
@given(requests())
def test_a_request_comes_back_from_its_link(request):
    query, notes = to_query(request)
    assert notes == []
    assert from_query("?" + query) == (request, [])


def test_the_plain_request_is_a_short_link():
    assert to_query(TransportRequest()) == ("v=1", [])


def test_points_do_not_travel_and_a_long_guide_is_thinned():
    request = TransportRequest(target="points", points=((1, 2), (3, 4)))
    query, notes = to_query(request)
    assert notes == ["The drawn or uploaded points are not part of the link."]
    assert from_query(query)[0].target == TransportRequest().target
    long = TransportRequest(guide=tuple((k / 50, 0.0) for k in range(200)))
    assert len(from_query(to_query(long)[0])[0].guide) == 40


def test_unknown_fields_and_versions_are_said_not_obeyed():
    request, notes = from_query("v=9&colour=red&__theme=dark&steps=50")
    assert request == TransportRequest(steps=50)
    assert len(notes) == 2
    assert "'9'" in notes[0]
    assert "'colour'" in notes[1]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("steps=1000000000", "Steps is 1000000000; it must be a whole number from 2 to 500."),
        ("steps=1.5", "Steps is 1.5; it must be a whole number from 2 to 500."),
        ("steps=many", "Steps is 'many'; it must be a whole number."),
        ("particles=1e9", "Particles is 1000000000; it must be a whole number from 50 to 4000."),
        ("stiffness=nan", "Stiffness is nan; it must be a number from 0 to 1000."),
        ("stiffness=-1", "Stiffness is -1.0; it must be a number from 0 to 1000."),
        ("temperature=1e9", "from 0.1 to 4"),
        ("trust=99", "Trust is 99.0; it must be a number from 0 to 5."),
        ("target=nowhere", "target 'nowhere' is unknown; there are two_modes"),
        ("source=nowhere", "source 'nowhere' is unknown"),
        ("method=magic", "method 'magic' is unknown; there are diffusion_sde"),
        ("method=", "no method is chosen"),
        ("solver=heun", "solver of the stochastic methods 'heun' is unknown; there are averaged, bridge, euler."),
        ("show=fog", "layer 'fog' is unknown"),
        ("condition=label", "condition 'label' is unknown; there are right, upper."),
        ("target=modes", "the drawing is empty"),
        ("target=points", "the drawing is empty"),
        ("modes=1,2", "each entry must be 4 numbers"),
        ("modes=a,b,c,d", "they must be numbers"),
        ("guide=1,nan", "Guide is nan"),
        ("guide=99,0", "coordinates go from -20 to 20"),
        ("method=gensot_drawn", "no guide is drawn"),
        ("vary=steps", "no values of steps are given"),
        ("vary=steps&values=10,2.5", "steps is 2.5; it must be a whole number."),
        ("vary=steps&values=10,1e9&method=gensot_s", "Steps is 1000000000; it must be a whole number from 2 to 500."),
        ("vary=stiffness&values=1,2", f"at most {MOST_PANELS} are shown"),
        ("vary=colour&values=1", "Vary is 'colour'"),
        ("guide=" + "1,2;" * 2000, "characters long"),
        ("&".join(f"x{k}=1" for k in range(99)), "fields"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(query, said):
    with pytest.raises(InvalidRequest) as caught:
        from_query(query)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("modes", "said"),
    [(((900, 0, 0.3, 1),), "coordinates go from -20 to 20"), (((0, 0, 9, 1),), "it must be from 0.02 to 5")],
)
def test_a_target_that_cannot_be_is_refused_before_anything_runs(modes, said):
    with pytest.raises(InvalidRequest, match=said):
        target_for(TransportRequest(target="modes", modes=modes))


def test_equal_choices_are_equal_requests_and_keys():
    one = TransportRequest(methods=("gensot_s", "optimal_transport"))
    other = TransportRequest(methods=["optimal_transport", "gensot_s", "gensot_s"])
    assert one == other
    assert hash(one) == hash(other)
