"""The endpoint of a protocol, called as a function."""

from __future__ import annotations

import pytest

from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.pages.navigation_endpoints import protocol_endpoint


def test_a_query_and_the_protocol_it_returns_cost_the_same():
    found = protocol_endpoint("shape=S&stiffness=20")
    assert found["costs"]["total"] == pytest.approx(18.305, abs=1.1e-3)  # docs/FORMULAS.md 1.4
    again = protocol_endpoint(protocol={**found["protocol"], "template": None})
    assert again["costs"]["total"] == pytest.approx(found["costs"]["total"], abs=1e-9)
    assert again["query"].startswith("v=1&shape=pieces")


def test_bad_input_is_answered_with_a_sentence():
    with pytest.raises(InvalidRequest, match="conjugate point"):
        protocol_endpoint("stiffness=-3")
    with pytest.raises(InvalidRequest, match="no guide"):
        protocol_endpoint(protocol={"stiffness": 1})
