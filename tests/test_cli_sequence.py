"""The command and the endpoint of sequences: the same numbers, and films as files."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from gensot_demo.cli import app
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.pages.sequences_endpoints import sequence_endpoint

QUERY = "motion=colour&backbone=collection&frames=8&steps=4&view_noise=6&method=unguided&method=gensot"
RUNNER = CliRunner()


@pytest.mark.parametrize(("ending", "start"), [("gif", b"GIF89a"), ("mp4", b"ftyp")])
def test_films_are_written_and_numbers_printed(tmp_path, ending, start):
    out = tmp_path / "new" / f"film.{ending}"
    ran = RUNNER.invoke(app, ["sequence", f"https://somewhere/sequences?{QUERY}&surprise=1", "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.stdout)
    assert list(found["methods"]) == ["unguided", "gensot"]
    assert len(found["methods"]["gensot"]["changes"]) == 7
    assert start in out.read_bytes()[:16]
    assert "'surprise' is not known here" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["sequence", QUERY, "--out", "film.avi"], "must end in .gif or .mp4"),
        (["sequence", "frames=100"], "from 8 to 24"),
        (["sequence", "from=unicorn of doom"], "no such picture"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(arguments, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = RUNNER.invoke(app, arguments)
    assert ran.exit_code == 2
    assert sentence in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_endpoint_streams_and_ends_with_numbers_and_a_gif():
    *moments, last = sequence_endpoint(QUERY)
    assert all(0 <= moment["done"] < 1 for moment in moments)
    assert last["gif"].startswith("data:image/gif;base64,R0lGODlh")
    assert last["methods"]["unguided"]["change"] == 0
    json.dumps(last)
    with pytest.raises(InvalidRequest, match="from 8 to 24"):
        next(sequence_endpoint("frames=100"))
