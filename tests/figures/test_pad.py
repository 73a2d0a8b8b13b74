"""The drawing pad's value: what is read is checked, what is written can be read."""

import json

import numpy as np
import pytest

from gensot_demo.figures.pad import DrawingPad, backdrop_value, drawing_value, read_drawing


def test_a_drawing_is_read_as_arrays():
    drawing = read_drawing('{"tool": "modes", "modes": [[1, 2, 0.5, 3]], "curve": [[0, 0], [1, 2.5]]}')
    assert drawing.tool == "modes"
    np.testing.assert_array_equal(drawing.modes, [[1, 2, 0.5, 3]])
    np.testing.assert_array_equal(drawing.curve, [[0, 0], [1, 2.5]])
    assert drawing.points.shape == drawing.knots.shape == (0, 2)
    assert drawing.modes.dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        drawing.curve[0] = 1


def test_nothing_is_an_empty_drawing():
    drawing = read_drawing(None)
    assert drawing.modes.shape == (0, 4)
    assert drawing.points.shape == (0, 2)


def test_what_is_written_is_read_back():
    rng = np.random.default_rng(0)
    given = {
        "modes": np.column_stack([rng.normal(size=(12, 2)), np.full(12, 0.3), np.full(12, 2.0)]),
        "points": rng.normal(size=(2000, 2)).astype(np.float32),
        "curve": rng.normal(size=(2000, 2)),
        "knots": rng.normal(size=(24, 2)),
    }
    backdrop = {"points": rng.normal(size=(600, 2)), "paths": [rng.normal(size=(9, 2))], "start": (0, 0), "end": (1, 2)}
    text = drawing_value("knots", **given, backdrop=backdrop)
    drawing = read_drawing(text)
    assert drawing.tool == "knots"
    for name, array in given.items():
        np.testing.assert_allclose(getattr(drawing, name), array, atol=5.1e-5)
    written = json.loads(text)["backdrop"]
    assert written["end"] == [1.0, 2.0]
    assert len(written["points"]) == 600
    assert read_drawing(json.loads(text)).knots.shape == (24, 2)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("", "must be JSON text"),
        ("{", "must be JSON text"),
        ("[" * 100_000, "must be JSON text"),
        ('{"tool": "modes", "modes": [[' + "9" * 5000 + ", 0, 1, 1]]}", "must be JSON text"),
        (" " * 1_000_001, "1000001 characters; it may have 1000000 at most"),
        ("[]", "must be a JSON object"),
        ("3", "must be a JSON object"),
        ({"tool": "brush"}, "tool is 'brush'; it must be one of modes, points, curve, knots"),
        ({"tool": ["modes"]}, r"tool is \['modes'\]"),
        ({"tool": None}, "tool is None"),
        ({"modes": {"0": 1}}, "modes is .*; it must be a list"),
        ({"modes": "abc"}, "modes is 'abc'; it must be a list"),
        ({"modes": [[0, 0, 1]]}, "modes, entry 1, is .*; it must be 4 numbers"),
        ({"points": [[0, 0], [0, 0, 0]]}, "points, entry 2, is .*; it must be 2 numbers"),
        ({"points": [["0", 0]]}, "points, entry 1: x is '0'; it must be a number from -1000 to 1000"),
        ({"points": [[True, 0]]}, "x is True"),
        ({"points": [[0, None]]}, "y is None"),
        ('{"points": [[NaN, 0]]}', "x is nan; it must be a number from -1000 to 1000"),
        ('{"knots": [[0, Infinity]]}', "knots, entry 1: y is inf"),
        ('{"curve": [[0, -1e999]]}', "curve, entry 1: y is -inf"),
        ({"curve": [[0, 1000.5]]}, "y is 1000.5; it must be a number from -1000 to 1000"),
        ({"modes": [[0, 0, 0.01, 1]]}, "size is 0.01; it must be a number from 0.02 to 5"),
        ({"modes": [[0, 0, 5.1, 1]]}, "size is 5.1"),
        ({"modes": [[0, 0, 1, 0]]}, "weight is 0; it must be a number from 0.001 to 1000"),
        ({"modes": [[0, 0, 1, 1001]]}, "weight is 1001"),
        ({"modes": [[0, 0, 1, 1]] * 13}, "modes has 13 entries; it may have 12 at most"),
        ({"points": [[0, 0]] * 2001}, "points has 2001 entries; it may have 2000 at most"),
        ({"curve": [[0, 0]] * 2001}, "curve has 2001 entries; it may have 2000 at most"),
        ({"knots": [[0, 0]] * 25}, "knots has 25 entries; it may have 24 at most"),
    ],
)
def test_what_is_no_drawing_is_refused(value, sentence):
    with pytest.raises(ValueError, match=sentence) as refusal:
        read_drawing(value)
    assert len(str(refusal.value)) < 250


def test_a_backdrop_is_checked_when_written_and_passed_over_when_read():
    assert read_drawing({"tool": "points", "backdrop": {"points": "nonsense"}}).points.shape == (0, 2)
    assert json.loads(backdrop_value({"start": (0, 1)})) == {"backdrop": {"points": [], "paths": [], "start": [0, 1]}}
    with pytest.raises(ValueError, match="backdrop points has 601 entries; it may have 600 at most"):
        drawing_value("modes", backdrop={"points": np.zeros((601, 2))})
    with pytest.raises(ValueError, match="backdrop path 2, entry 1: y is nan"):
        drawing_value("modes", backdrop={"paths": [[[0, 0]], [[0, np.nan]]]})
    with pytest.raises(ValueError, match="backdrop paths has 61 entries"):
        drawing_value("modes", backdrop={"paths": [[[0, 0]]] * 61})
    with pytest.raises(ValueError, match="backdrop has colour"):
        drawing_value("modes", backdrop={"colour": "red"})
    with pytest.raises(ValueError, match=r"backdrop end, entry 1, is .*; it must be 2 numbers"):
        drawing_value("modes", backdrop={"end": [1, 2, 3]})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"tools": []}, "tools"),
        ({"tools": ["modes", "modes"]}, "tools"),
        ({"tools": ["brush"]}, "tools is"),
        ({"extent": (0, 1, 2)}, "extent"),
        ({"extent": (0, float("nan"), 0, 1)}, "extent"),
        ({"extent": (1, -1, 0, 1)}, "left < right"),
        ({"height": 80}, "height is 80"),
    ],
)
def test_a_pad_names_what_is_wrong_with_it(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        DrawingPad(**options)
