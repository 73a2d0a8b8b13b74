"""What a person types for an axis: every form, and every way to ask for too much."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gensot_demo.experiments.grid.values import MAX_TEXT, names, numbers, quoted
from gensot_demo.experiments.requests import InvalidRequest

NUMBERS = st.integers(-9999, 9999).map(lambda n: n / 100)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1, 2, 4", (1, 2, 4)),
        ("2,1,2", (2, 1)),
        ("1-5", (1, 2, 3, 4, 5)),
        ("3-1", (3, 2, 1)),
        ("1-10 (+2)", (1, 3, 5, 7, 9)),
        ("1-10( 2 )", (1, 3, 5, 7, 9)),
        ("10-1 (-3)", (10, 7, 4, 1)),
        ("0-1 [5]", (0, 0.25, 0.5, 0.75, 1)),
        ("-3--1", (-3, -2, -1)),
        ("-1-1 [3]", (-1, 0, 1)),
        ("0-0.3 (+0.1)", (0, 0.1, 0.2, 0.3)),
        ("1e-2, .5, 2.", (0.01, 0.5, 2)),
        ("1-1", (1,)),
        ("4, 1-2, 0-1 [2],", (4, 1, 2, 0)),
    ],
)
def test_every_form(text, expected):
    assert numbers(text, 50) == expected


def test_equal_distances_of_whole_numbers_are_rounded():
    assert numbers("1-10 [4]", 9, whole=True) == (1, 4, 7, 10)
    assert numbers("1-10 [5]", 9, whole=True) == (1, 3, 6, 8, 10)


@pytest.mark.parametrize(
    "text",
    ["", " , ", "nan", "inf", "1e999", "one", "1-", "1-2-3", "1-9 (0)", "1-9 (-1)", "9-1 (+1)", "1-9 [1]", "1-9 []"],
)
def test_what_is_no_list_is_refused_in_a_sentence(text):
    with pytest.raises(InvalidRequest, match=r"."):
        numbers(text, 50)


@pytest.mark.parametrize(
    "text", ["1-1000000", "0-1 (+1e-300)", "0-1 [999999999999999999999]", "0-1e308 (+1e-9)", "1-51"]
)
def test_too_many_are_counted_and_not_made(text):
    with pytest.raises(InvalidRequest, match="at most 50"):
        numbers(text, 50)


def test_a_count_is_named():
    with pytest.raises(InvalidRequest, match=r"'1-1000000' is 1,000,000 values; at most 240"):
        numbers("1-1000000", 240)


def test_long_texts_are_not_read():
    for read in (numbers, names):
        with pytest.raises(InvalidRequest, match="characters"):
            read("1" * (MAX_TEXT + 1), 5)


@given(st.lists(NUMBERS, min_size=1, max_size=20, unique=True))
def test_a_list_is_read_as_it_is_written(values):
    assert numbers(", ".join(map(str, values)), 20) == tuple(values)


@given(NUMBERS, NUMBERS, st.integers(2, 40))
def test_equal_distances_have_both_ends_and_equal_gaps(first, last, count):
    values = numbers(f"{first}-{last} [{count}]", 40)
    if first == last:
        assert values == (first,)
        return
    assert len(values) == count
    assert (values[0], values[-1]) == (first, last)
    gaps = [b - a for a, b in pairwise(values)]
    assert all(math.isclose(gap, (last - first) / (count - 1), rel_tol=1e-6, abs_tol=1e-8) for gap in gaps)


@given(st.integers(-500, 500), st.integers(0, 300), st.integers(1, 50))
def test_steps_go_as_far_as_they_reach(first, width, step):
    assert numbers(f"{first}-{first + width} (+{step})", 400) == tuple(range(first, first + width + 1, step))
    assert numbers(f"{first + width}-{first} (-{step})", 400) == tuple(range(first + width, first - 1, -step))


@given(st.text(alphabet="0123456789-+.,()[]eE naif", max_size=30))
def test_nothing_but_a_sentence_is_raised_and_the_cap_holds(text):
    try:
        values = numbers(text, 7)
    except InvalidRequest as error:
        values, said = (1.0,), str(error)
    else:
        said = "."
    assert said.endswith(".")
    assert 1 <= len(values) <= 7
    assert all(math.isfinite(value) for value in values)


@given(st.lists(st.text(max_size=12).map(str.strip).filter(bool), min_size=1, max_size=9, unique=True))
def test_names_survive_quoting(chosen):
    assert names(", ".join(map(quoted, chosen)), 9) == tuple(chosen)


def test_names_with_commas_stand_in_quotes():
    assert names('red, "cat, black", red', 5) == ("red", "cat, black")
    with pytest.raises(InvalidRequest, match="double quote"):
        names('red, "cat', 5)
    with pytest.raises(InvalidRequest, match="at most 2"):
        names("a, b, c", 2)


def test_long_digits_are_read_in_one_pass():
    """A pattern that may split digits in several ways takes time that grows with the fourth power of their number: this
    test would go on for minutes."""
    digits = "1" * 300
    with pytest.raises(InvalidRequest, match="neither a number nor a range"):
        numbers(f"{digits}-{digits}({digits}x", 10)
