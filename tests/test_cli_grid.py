"""``grid`` on the command line: a sheet that holds its settings, one JSON line, and refusals in a sentence."""

from __future__ import annotations

import json

import pytest
from PIL import Image
from typer.testing import CliRunner

from gensot_demo.cli import app
from gensot_demo.experiments.grid.request import from_query
from gensot_demo.experiments.picture_settings import read_settings

SHARED = "backbone=collection&resolution=32&steps=3&condition=red&method=cfg"


def test_a_grid_is_written_with_the_settings_that_made_it(tmp_path):
    out = tmp_path / "new" / "grid.png"
    options = ["--x", "strength:1-3 (+2)", "--y", "condition:red,no such", "--z", "seed:1,2", "--out", str(out)]
    run = CliRunner().invoke(app, ["grid", SHARED, *options])
    assert run.exit_code == 0, run.stderr
    figures = json.loads(run.stdout)
    assert (len(figures["cells"]), figures["failed"]) == (8, 4)
    assert figures["cells"][1]["x"] == 3
    assert "8 cells" in run.stderr
    assert "no such" in run.stderr
    found = read_settings(out.read_bytes())
    assert found.page == "/grid"
    assert from_query(found.query)[0].shape == (2, 2, 2)
    with Image.open(out) as picture:
        assert picture.width > picture.height / 2 > 50


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--x", "strength:1-1000000"], "1,000,000 values"),
        (["--x", "strength:1,99"], "from 0 to 10"),
        (["--x", "seed:1", "--out", "grid.jpg"], "must end in .png"),
        ([], "A grid needs x=axis:values"),
    ],
)
def test_bad_options_are_refused_in_a_sentence(options, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke(app, ["grid", SHARED, *options])
    assert run.exit_code == 2
    assert said in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_sheets_of_sample_hold_their_settings_too(tmp_path):
    out = tmp_path / "comparison.png"
    options = ["--condition", "red", "--backbone", "collection", "--resolution", "32", "--steps", "3", "--samples", "1"]
    run = CliRunner().invoke(app, ["sample", *options, "--method", "cfg", "--out", str(out)])
    assert run.exit_code == 0, run.stderr
    found = read_settings(out.read_bytes())
    assert found.page == "/"
    assert "condition=red*1" in found.query
