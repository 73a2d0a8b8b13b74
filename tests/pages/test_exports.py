"""The data of a page: of the run that is shown as long as it is kept, else as the endpoint answers."""

import json
from pathlib import Path

import gradio as gr
import pytest

from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.pages import exports
from gensot_demo.pages.failures_endpoints import failure_endpoint
from gensot_demo.pages.scoreboard_endpoints import scoreboard_endpoint
from gensot_demo.shell.build import ENDPOINTS, PAGES


def told(moments, kind="json"):
    return list(exports._told(lambda: moments, kind, "transport", "gensot-transport"))


def words(update) -> dict:
    return json.loads(update[0])


def failing(error):
    raise error
    yield


def test_every_page_has_an_endpoint():
    assert set(ENDPOINTS) == {page.path for page in PAGES if page.listed}
    assert len(set(ENDPOINTS.values())) == len(ENDPOINTS)


def test_progress_and_then_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "get_upload_folder", lambda: str(tmp_path))
    updates = told(iter([{"done": 0.25}, {"query": "v=1", "x": [1, 2]}]))
    assert "25%" in words(updates[1])["words"].replace(" ", "")
    state, path = words(updates[-1])["state"], Path(updates[-1][1])
    assert (state, path.name) == ("done", "gensot-transport.json")
    assert json.loads(path.read_text())["x"] == [1, 2]


def test_what_does_not_travel_in_a_link_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "get_upload_folder", lambda: str(tmp_path))
    note = "The drawn or uploaded picture is not part of the link."
    assert note in words(told(iter([{"query": "v=1", "notes": [note, "Something else."]}]))[-1])["words"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InvalidRequest("Steps is 900."), "Steps is 900."), (gr.Error("Steps is 900."), "Steps is 900."),
        (ZeroDivisionError("1 / 0"), "This failed (ZeroDivisionError)"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_a_sentence_and_no_file(error, said):
    last = told(failing(error))[-1]
    assert said in words(last)["words"]
    assert (words(last)["state"], last[1]) == ("error", None)


def test_an_unknown_kind_of_file_is_refused():
    assert "json, csv, npz" in words(told(iter([{"query": "v=1"}]), "exe")[-1])["words"]


def test_the_run_that_is_shown_comes_before_the_endpoint():
    def endpoint(query):
        return {"query": query, "made": True}

    kept = {"name": {"query": "own", "made": False}}.get
    assert list(exports._moments("transport", endpoint, "v=1", kept, "name")) == [{"query": "own", "made": False}]
    assert list(exports._moments("transport", endpoint, "v=1", kept, "gone")) == [{"query": "v=1", "made": True}]
    assert list(exports._moments("transport", endpoint, "v=1")) == [{"query": "v=1", "made": True}]


def test_an_endpoint_is_asked_for_all_that_its_page_shows():
    (answer,) = exports._moments("speed_accuracy", lambda **given: {"given": given}, "v=1")
    assert answer["given"] == {"query": "v=1", "plane": True}
    (answer,) = exports._moments("failure", lambda **given: {"given": given}, "v=1&show=particles")
    assert answer["given"] == {"query": "v=1&show=particles"}


def test_pages_without_a_run_of_their_own_answer_their_link():
    (rows,) = exports._moments("scoreboard", scoreboard_endpoint, "v=1&ask=plane*follow*0.6&at=steps")
    assert rows["rows"]
    assert {(row["backbone"], row["task"], row["level"]) for row in rows["rows"]} == {("plane", "follow", 0.6)}
    first = next(exports._moments("failure", failure_endpoint, "v=1&show=stiff&seed=3"))
    assert "done" in first
