"""What is typed into a slider's number box is taken as the nearest value allowed."""

import math

import pytest

from gensot_demo.pages.controls import BoundedSlider


@pytest.mark.parametrize(
    ("typed", "taken"), [(3, 3), (0.5, 1), (-math.inf, 1), (99, 20), (math.inf, 20), (None, 1), (math.nan, 1)]
)
def test_what_is_typed_is_brought_into_range(typed, taken):
    assert BoundedSlider(1, 20, 5, step=1).preprocess(typed) == taken


def test_an_emptied_box_is_zero_where_zero_is_allowed():
    assert BoundedSlider(-2, 2, 1, step=1).preprocess(None) == 0
