"""The endpoint of sampling that starts later: plain JSON, streamed, and errors in a sentence."""

from __future__ import annotations

import json

import pytest

from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.pages.static_ot_later_start_endpoints import later_start_endpoint


def test_a_measurement_is_streamed_as_json():
    moments = list(later_start_endpoint("model=truth&pictures=clocks&draws=16&budgets=2,3&tau=0"))
    last = json.loads(json.dumps(moments[-1]))
    assert last["done"] == 1
    assert last["found"]["jump"]["3"]["calls"] == 3
    assert set(last["found"]["dpm"]["2"]["kid"]) == {"value", "error"}
    assert [len(moment["found"].get("jump", {})) for moment in moments] == [0, 1, 2, 2]
    assert "smoothed" not in last["found"]
    assert last["unseen"]["kid"] is None
    assert last["verdict"]


def test_bad_values_are_told():
    with pytest.raises(InvalidRequest, match=r"Signal is 100\.0; it must be a number from 0\.1 to 99"):
        list(later_start_endpoint("signal=100"))
