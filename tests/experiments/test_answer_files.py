"""Answers as files: whatever an endpoint says, all three kinds hold the same numbers and the request."""

import base64
import csv
import io
import json
import math
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image

from gensot_demo import __version__
from gensot_demo.experiments import limits
from gensot_demo.experiments.answer_files import arrays, document, to_file
from gensot_demo.experiments.requests import InvalidRequest

QUERY = "v=1&target=ring"
NUMBERS = some.one_of(some.none(), some.integers(-(2**53), 2**53), some.floats(), some.booleans())
ANSWERS = some.dictionaries(
    some.text(max_size=8),
    some.recursive(
        some.one_of(NUMBERS, some.text(max_size=6)),
        lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
        max_leaves=12,
    ),
    max_size=4,
).filter(lambda answer: "request" not in answer)


def loaded(answer: dict) -> dict[str, np.ndarray]:
    return dict(np.load(io.BytesIO(to_file("npz", document(answer, "transport"))), allow_pickle=False))


def rows(answer: dict) -> tuple[list[str], list[dict]]:
    text = to_file("csv", document(answer, "transport")).decode()
    above = [line for line in text.split("\r\n") if line.startswith("# ")]
    return above, list(csv.DictReader(io.StringIO(text.removeprefix("\r\n".join([*above, ""])), newline="")))


def leaves(value, path=()):
    """(where, what) of all entries of a document: keys and positions."""
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(part, (*path, key))
    else:
        yield path, value


def entry(found: dict[tuple, np.ndarray], path: tuple):
    """What lies there in the arrays: a part of the path is the name, the rest the position in the array."""
    for length in range(len(path), 0, -1):
        name, index = tuple(map(str, path[:length])), path[length:]
        if name in found and len(index) == found[name].ndim and all(isinstance(n, int) for n in index):
            return found[name][index].item()
    raise AssertionError(f"{path} is nowhere in {list(found)}")


@given(ANSWERS)
def test_every_entry_is_in_the_arrays_at_its_place(answer):
    told = document(answer, "transport")
    found = {tuple(map(unquote, name.split("/"))): array for name, array in arrays(told).items()}
    for path, value in leaves(told):
        there = entry(found, path)
        if value is None:
            assert math.isnan(there)
        else:
            assert there == value
    assert sum(array.size for array in found.values()) == sum(1 for _ in leaves(told))


@given(ANSWERS)
def test_json_and_arrays_are_read_back(answer):
    told = document(answer, "transport")
    assert json.loads(to_file("json", told)) == told
    in_memory = arrays(told)
    back = loaded(answer)
    assert list(back) == list(in_memory)
    for name, array in in_memory.items():
        np.testing.assert_array_equal(back[name], array)


def test_an_answer_keeps_its_shapes_and_says_what_was_asked():
    answer = {
        "query": QUERY,
        "panels": {"GenSOT, 50/60": {"w2": 0.1 + 0.2, "shares": [[0.7, None], [0.3, math.inf]]}},
        "labels": ["a", "b"],
        "clouds": [{"at": [1, 2]}, {"at": [3]}],
        "file": 1,
    }
    found = loaded(answer)
    assert found["panels/GenSOT, 50%2F60/w2"] == 0.1 + 0.2
    np.testing.assert_array_equal(found["panels/GenSOT, 50%2F60/shares"], [[0.7, math.nan], [0.3, math.nan]])
    assert found["labels"].tolist() == ["a", "b"]
    assert found["clouds/1/at"].tolist() == [3]
    assert found["file"] == 1
    assert {name: str(found[f"request/{name}"]) for name in ("version", "endpoint", "query")} == {
        "version": __version__, "endpoint": "/transport", "query": QUERY,
    }  # fmt: skip


def picture(colour: int) -> str:
    out = io.BytesIO()
    Image.new("RGB", (3, 2), (colour, 0, 255)).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def test_pictures_are_pixels_in_the_arrays_and_left_out_of_the_table():
    answer = {"query": QUERY, "methods": {"cfg": {"pictures": [picture(10), picture(20)], "calls": 3}}}
    found = loaded(answer)["methods/cfg/pictures"]
    assert (found.dtype, found.shape) == (np.uint8, (2, 2, 3, 3))
    assert found[:, 0, 0].tolist() == [[10, 0, 255], [20, 0, 255]]
    above, table = rows(answer)
    assert any("pictures are left out" in line for line in above)
    assert {row["name"] for row in table} == {"query", "methods/cfg/calls"}


def test_a_table_reads_back_exactly_and_its_request_stands_above():
    answer = {"query": QUERY, "notes": ["one\ntwo"], "x": [[0.1, 1e-300], [-2.5, None]], "on": [True, False]}
    above, table = rows(answer)
    assert above[0] == f"# query: {QUERY}"
    assert "# note: one two" in above
    values = {(row["i"], row["j"]): row["value"] for row in table if row["name"] == "x"}
    assert values == {("0", "0"): "0.1", ("0", "1"): "1e-300", ("1", "0"): "-2.5", ("1", "1"): ""}
    assert [row["value"] for row in table if row["name"] == "on"] == ["true", "false"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_of_a_table_is_a_formula(text):
    _, table = rows({"query": "", text: text, "label": [text]})
    said = [cell for row in table for cell in (row["name"], row["value"]) if text.strip() in cell]
    assert len(said) >= 2
    assert not [cell for cell in said if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_what_cannot_be_written_is_said(monkeypatch):
    with pytest.raises(InvalidRequest, match="xml"):
        to_file("xml", document({}, "transport"))
    monkeypatch.setattr(limits, "TABLE_ROWS", 3)
    with pytest.raises(InvalidRequest, match="NPZ"):
        to_file("csv", document({"x": [1, 2, 3, 4]}, "transport"))
