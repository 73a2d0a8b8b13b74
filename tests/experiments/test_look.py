"""Which sample a link looks at."""

import pytest

from gensot_demo.experiments.links import from_query, look_text, look_values
from gensot_demo.experiments.requests import InvalidRequest


def test_a_sample_in_a_link_goes_there_and_back_and_is_no_part_of_the_run():
    assert look_values(f"v=1&look={look_text('cfg', 2)}&steps=9") == ("cfg", 2)
    assert look_values("v=1") is None
    request, notes = from_query("v=1&look=cfg:2&steps=9")
    assert notes == []
    assert request == from_query("v=1&steps=9")[0]


def test_a_look_at_nothing_is_refused():
    with pytest.raises(InvalidRequest, match="'two'"):
        look_values("look=cfg:two")
