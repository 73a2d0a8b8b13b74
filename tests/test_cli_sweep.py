"""``sweep`` and ``serve --rows`` on the command line, with pieces done in this process in place of Ray's."""

from __future__ import annotations

import json
import sys
from types import ModuleType, SimpleNamespace

import pytest
from typer.testing import CliRunner

import gensot_demo.shell
from gensot_demo.cli import app
from gensot_demo.experiments.picture_settings import read_settings
from gensot_demo.experiments.scoreboard.rows import load_rows
from gensot_demo.experiments.sweep import pieces
from gensot_demo.experiments.sweep.run import in_turn

GRID = ["backbone=collection&resolution=32&steps=3&condition=red&method=cfg", "--x", "strength:1,3"]
CLUSTER = "gensot_demo.experiments.sweep.cluster"


def call(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def here(monkeypatch):
    """Pieces are done in this process; what the command asked for is in the list."""
    asked = []

    def places(**options):
        asked.append(options)
        return in_turn

    stands_in = ModuleType(CLUSTER)
    stands_in.Places = places
    monkeypatch.setitem(sys.modules, CLUSTER, stands_in)
    return asked


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(pieces, "SMALL_DRAWS", {"plane": 24})


def test_without_ray_a_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, CLUSTER, raising=False)
    for command in (["rows", "--out", tmp_path / "rows.jsonl"], ["grid", *GRID, "--out", tmp_path / "grid"]):
        done = call("sweep", *command)
        assert done.exit_code == 2
        assert done.stderr == "sweep needs Ray, which is an extra; in the checkout: pip install -e '.[sweep]'\n"
    assert list(tmp_path.iterdir()) == []


def test_rows_are_drawn_once_and_options_reach_the_cluster(here, few, tmp_path):
    out = tmp_path / "rows.jsonl"
    command = ["sweep", "rows", "--task", "condition", "--backbone", "plane", "--small", "--out", out]
    more = ["--address", "192.0.2.1:6379", "--tries", "5", "--gpus-per-task", "0.5", "--cpus-per-task", "2"]
    done = call(*command, *more)
    assert done.exit_code == 0, done.output
    assert here == [{"address": "192.0.2.1:6379", "workers": None, "tries": 5, "cpus": 2, "gpus": 0.5}]
    told = json.loads(done.stdout)
    assert told["done"] == told["pieces"] > 30
    assert f"{told['pieces']} of {told['pieces']}" in done.stderr
    assert len(load_rows(out)) >= told["pieces"]
    lines = out.read_text()
    again = json.loads(call(*command).stdout)
    assert (again["there"], again["done"]) == (told["pieces"], 0)
    assert out.read_text() == lines


def test_workers_beside_an_address_are_answered_with_a_sentence(here, few, tmp_path):
    command = ["sweep", "rows", "--task", "condition", "--backbone", "plane", "--small", "--workers", "2"]
    done = call(*command, "--out", tmp_path / "rows.jsonl", "--address", "192.0.2.1:6379")
    assert "--workers 2 is left out" in done.stderr
    assert "--workers" not in call(*command, "--out", tmp_path / "rows.jsonl").stderr


def test_a_reason_is_said_once_with_how_often(here, few, tmp_path, monkeypatch):
    def broken(missing):
        for piece in missing[:6]:
            yield pieces.Outcome(piece, tuple(piece.failed("There was no memory.")), "There was no memory.")

    monkeypatch.setattr(sys.modules[CLUSTER], "Places", lambda **options: broken)
    done = call(
        "sweep", "rows", "--task", "condition", "--backbone", "plane", "--small", "--out", tmp_path / "rows.jsonl"
    )
    assert done.stderr.count("There was no memory.") == 2
    assert "6 times: There was no memory." in done.stderr


def test_a_grid_becomes_the_sheet_and_numbers_of_the_command_grid(here, tmp_path):
    out = tmp_path / "new" / "grid"
    done = call("sweep", "grid", *GRID, "--y", "condition:red,no such", "--out", out)
    assert done.exit_code == 0, done.output
    assert "no such" in done.stderr
    assert (json.loads(done.stdout)["pieces"], json.loads(done.stdout)["failed"]) == (4, 2)
    numbers = json.loads((out / "results.json").read_text())
    plain = json.loads(call("grid", *GRID, "--y", "condition:red,no such", "--out", tmp_path / "grid.png").stdout)

    def told(cells):
        return [{name: value for name, value in cell.items() if name != "seconds"} for cell in cells]

    assert told(numbers["cells"]) == told(plain["cells"])
    settings = [read_settings(file.read_bytes()) for file in (out / "sheet.png", tmp_path / "grid.png")]
    assert settings[0] == settings[1]
    assert settings[0].page == "/grid"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["rows", "--task", "walk"], "task 'walk' on backbone None is unknown; there are condition on plane"),
        (["grid", "condition=red&method=cfg", "--x", "strength:1,99"], "from 0 to 10"),
    ],
)
def test_bad_requests_are_refused_in_a_sentence(command, said, here, tmp_path):
    done = call("sweep", *command, "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_holds_something_else_is_not_written_to(here, few, tmp_path):
    out = tmp_path / "rows.jsonl"
    out.write_text("my diary\nof this year\n")
    done = call("sweep", "rows", "--backbone", "plane", "--small", "--out", out)
    assert done.exit_code == 2
    assert "line 1: 'my diary' is no JSON" in done.stderr
    assert out.read_text() == "my diary\nof this year\n"


def test_ctrl_c_ends_the_command_with_what_is_done(here, few, tmp_path, monkeypatch):
    def interrupted(missing):
        yield from in_turn(missing[:2])
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules[CLUSTER], "Places", lambda **options: interrupted)
    done = call(
        "sweep", "rows", "--task", "condition", "--backbone", "plane", "--small", "--out", tmp_path / "rows.jsonl"
    )
    assert done.exit_code == 130
    assert "the same command goes on from there" in done.stderr
    assert len(load_rows(tmp_path / "rows.jsonl")) >= 2


def test_serve_takes_rows_and_refuses_a_broken_file(tmp_path, monkeypatch):
    launched = []
    monkeypatch.setenv("GENSOT_ROWS", "")
    stands_in = SimpleNamespace(launch=lambda **options: launched.append(options))
    monkeypatch.setattr(gensot_demo.shell, "build_app", lambda: stands_in)
    rows = tmp_path / "rows.jsonl"
    rows.write_text("nonsense\n")
    done = call("serve", "--rows", rows)
    assert (done.exit_code, launched) == (2, [])
    assert "line 1: 'nonsense' is no JSON" in done.stderr
    row = {"backbone": "plane", "task": "follow", "level": 1, "method": "dps", "label": "DPS", "budget": "steps"}
    rows.write_text(json.dumps(row | {"version": "0.1.0"}) + "\n")
    done = call("serve", "--rows", rows)
    assert done.exit_code == 0, done.output
    assert "rows.jsonl: 1 row, drawn by version 0.1.0" in done.stderr
    assert len(launched) == 1
