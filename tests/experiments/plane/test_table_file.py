"""A visitor's table file: what is read, what is left out with a note, what is refused with line and text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gensot_demo.experiments.plane import table_file
from gensot_demo.experiments.plane.table_file import read_points
from gensot_demo.experiments.requests import InvalidRequest


def written(tmp_path, text: str | bytes):
    path = tmp_path / "points.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t", " "])
def test_two_columns_are_read_whatever_separates_them(tmp_path, separator):
    rows = [(1.5, -2.0), (0.25, 3e-2), (-1.0, 0.0)]
    points, notes = read_points(written(tmp_path, "\n".join(f"{x}{separator}{y}" for x, y in rows)))
    np.testing.assert_allclose(points, rows)
    assert notes == []


def test_a_heading_comments_blank_lines_and_further_columns_are_passed_over(tmp_path):
    text = "\ufeffx,y,label\n# from a notebook\n1,2,cat\n\n3,4,dog\n"
    points, notes = read_points(written(tmp_path, text))
    np.testing.assert_allclose(points, [[1, 2], [3, 4]])
    assert notes == []


def test_one_row_is_a_table(tmp_path):
    points, _ = read_points(written(tmp_path, "1,2"))
    assert points.shape == (1, 2)


def test_rows_without_finite_numbers_are_left_out_with_a_note(tmp_path):
    points, notes = read_points(written(tmp_path, "1,2\nnan,3\n4,inf\n5,6\n"))
    np.testing.assert_allclose(points, [[1, 2], [5, 6]])
    assert notes == ["2 of 4 rows hold no finite numbers and were left out."]


def test_a_million_rows_are_thinned_with_a_note(tmp_path):
    rows = np.random.default_rng(0).normal(size=(1_000_000, 2)).round(3)
    path = tmp_path / "many.csv"
    path.write_text("\n".join(f"{x},{y}" for x, y in rows.tolist()))
    points, notes = read_points(path)
    assert points.shape == (400, 2)
    assert notes == ["400 of the file's 1,000,000 rows are used, an even choice."]
    assert np.abs(points.mean(0)).max() < 4 / 20  # standard error 1/20
    assert {tuple(row) for row in points.tolist()} <= {tuple(row) for row in rows.tolist()}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("\n\n# nothing\n", "empty"),
        ("1,2\nthree,4\n", "Line 2 of the file is 'three,4'"),
        ("only words\nin here\n", "it must begin with two numbers"),
        ("1\n2\n", "it must begin with two numbers"),
        ("1,\n2,\n", "it must begin with two numbers"),
        ("nan,nan\n", "None of the file's 1 rows"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe\x00", "not text"),
    ],
)
def test_what_is_no_table_is_refused_with_a_sentence(tmp_path, text, said):
    with pytest.raises(InvalidRequest, match=said.replace("(", r"\(")):
        read_points(written(tmp_path, text))


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(table_file, "MOST_BYTES", 10)
    with pytest.raises(InvalidRequest, match="at most 0 MB"):
        read_points(written(tmp_path, "1,2\n3,4\n5,6\n"))


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_file_of_ten_million_rows_is_refused_before_it_is_parsed(tmp_path, monkeypatch, end):
    monkeypatch.setattr(table_file, "_parsed", lambda *_: pytest.fail("parsed nevertheless"))
    with pytest.raises(InvalidRequest, match=r"has \d\d?,\d{3},\d{3} lines; at most 2,000,000 are read"):
        read_points(written(tmp_path, f"1{end}" * (10_000_000 if len(end) == 1 else 2_000_001)))


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_lines_end_as_on_any_system(tmp_path, end):
    points, _ = read_points(written(tmp_path, end.join(["x,y", "1,2", "3,4", ""])))
    np.testing.assert_allclose(points, [[1, 2], [3, 4]])


@given(st.binary(max_size=300) | st.text("0123456789.,;\t -+einfaE#\n\r\x0b\u2028", max_size=200).map(str.encode))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_a_table_or_refused_with_a_sentence(tmp_path, content):
    try:
        points, _ = read_points(written(tmp_path, content))
    except InvalidRequest as refused:
        assert len(str(refused)) < 300  # noqa: PT017
    else:
        assert points.shape[1] == 2
        assert np.isfinite(points).all()
