"""Adaptive and matrix stiffness by name."""

import numpy as np
import pytest

from gensot_demo.experiments.navigation.directions import DirectionsRequest, picture
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.pages.navigation_tuned_endpoints import adaptive_stiffness_endpoint, matrix_stiffness_endpoint


def test_a_refined_protocol_is_nearer_than_ones_own_and_none_is_below_the_floor():
    *before, last = adaptive_stiffness_endpoint("target=two_modes&steps=6&pulls=2", refine=True)
    assert [moment["done"] for moment in before] == sorted(moment["done"] for moment in before)
    protocols = {one["name"]: one for one in last["protocols"]}
    found = {name: one["divergence"] for name, one in protocols.items()}
    assert found["refined8"] <= found["refined1"] <= found["own"]
    assert min(found.values()) == pytest.approx(found["floor"], rel=1e-6)
    assert protocols["own"]["stiffness"] == [2.0]
    assert protocols["floor"]["stiffness"] is None
    assert last["query"] == "v=1&target=two_modes&steps=6&pulls=2"


def test_a_corridor_is_told_as_it_is_drawn():
    (found,) = matrix_stiffness_endpoint("starts=2&along=4&moon=1")
    shown = picture(DirectionsRequest(starts=2, along=4.0))
    np.testing.assert_array_equal(found["across"], shown.across)
    np.testing.assert_array_equal(found["ways"][1]["mean"], shown.ways[1].mean)
    assert "moon" in found["notes"][0]


@pytest.mark.parametrize(
    ("endpoint", "query", "words"),
    [
        (adaptive_stiffness_endpoint, "steps=1000", "1000"),
        (matrix_stiffness_endpoint, "across=-1", "-1"),
        (matrix_stiffness_endpoint, "preset=moon", "tight-arch"),
    ],
)
def test_bad_queries_get_a_sentence(endpoint, query, words):
    with pytest.raises(InvalidRequest, match=words):
        list(endpoint(query))
