"""The data of a page: of the run that is shown as long as it is kept, else as the endpoint answers."""

import json
import re
from pathlib import Path

import gradio as gr
import pytest
from gradio.context import LocalContext

from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.static_ot.cells_decay import TIMES
from gensot_demo.pages import exports, named, visitors
from gensot_demo.pages.events import Latest
from gensot_demo.pages.failures_endpoints import failure_endpoint
from gensot_demo.pages.scoreboard_endpoints import QUESTIONS, scoreboard_endpoint
from gensot_demo.pages.static_ot_cells_endpoints import transport_cells_endpoint
from gensot_demo.pages.static_ot_heights_endpoints import solve_heights_endpoint
from gensot_demo.pages.visitors import Guests
from gensot_demo.shell.build import ENDPOINTS, PAGES

NOT_STORED = "collection/bandage"


def tiny(query: str) -> dict:
    """An endpoint. Args and Returns are as every one's."""
    return {"asked": query}


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


def test_the_same_data_again_are_another_file(tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "get_upload_folder", lambda: str(tmp_path))
    first, second = (told(iter([{"query": "v=1"}]))[-1][1] for _ in range(2))
    assert first != second  # what a page has saved once, it saves only at a new address
    assert Path(first).read_bytes() == Path(second).read_bytes()


@pytest.mark.parametrize(("work", "line"), [("light", "device"), ("heavy", "device"), ("long", "minutes")])
def test_an_export_waits_in_its_endpoints_line_and_is_one_run(work, line, tmp_path, monkeypatch):
    monkeypatch.setattr(exports, "get_upload_folder", lambda: str(tmp_path))
    guests = Guests(most=1)
    monkeypatch.setattr(named, "GUESTS", guests)
    monkeypatch.setattr(visitors, "GUESTS", guests)

    with gr.Blocks() as app:
        gr.Textbox("v=1", elem_id="query")
        named.publish(tiny, "tiny", work)
        exports.build("tiny", "gensot-tiny")
    monkeypatch.setattr(exports.WARM_UP, "yields_to", lambda run: run)
    deliver = next(fn for fn in app.fns.values() if getattr(fn.fn, "__name__", "") == "deliver")
    assert (deliver.concurrency_id, deliver.trigger_mode) == (line, "multiple")
    monkeypatch.setattr(visitors.TURNSTILE, "whose", visitors.TURNSTILE.whose)
    visitors.limit_visitors(app)
    latest = Latest()
    token = LocalContext.request.set(gr.Request(session_hash="tab"))
    try:
        updates = list(deliver.fn(latest, latest.choose(), "json", "v=1"))
    finally:
        LocalContext.request.reset(token)
    assert json.loads(Path(updates[-1][1]).read_text())["asked"] == "v=1"


def test_an_export_that_never_began_is_told():
    with gr.Blocks() as app:
        gr.Textbox("v=1", elem_id="query")
        named.publish(tiny, "tiny", "light")
        exports.build("tiny", "gensot-tiny")
    deliver = next(fn for fn in app.fns.values() if getattr(fn.fn, "__name__", "") == "deliver")
    refused = next(fn for fn in app.fns.values() if fn.trigger_only_on_failure)
    assert refused.trigger_after == deliver._id
    assert words(refused.fn())["state"] == "error"


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
    *_, cells = exports._moments("transport_cells", transport_cells_endpoint, "v=1&data=random&count=3&seed=1")
    assert cells["decays"]["times"] == list(TIMES)
    (answer,) = exports._moments("matrix_stiffness", lambda **given: {"given": given}, "v=1")
    assert answer["given"] == {"query": "v=1", "particles": True, "tune": True}
    (answer,) = exports._moments("failure", lambda **given: {"given": given}, "v=1&show=particles")
    assert answer["given"] == {"query": "v=1&show=particles"}


def test_the_solvers_data_are_its_points_and_its_pictures():
    query = "v=1&points=octagon&pictures=network/clocks"
    moments = list(exports._moments("solve_heights", solve_heights_endpoint, query))
    done, last = [moment["done"] for moment in moments], moments[-1]
    assert done == sorted(done)
    assert done[-1] == 1
    assert len(last["heights"]) == len(last["points"]) == 8
    found = last["pictures"]
    assert found["set"] == "network/clocks"
    assert len(found["heights"]) == len(found["names"])
    assert found["mass_error"] < 3 * found["floor"]
    assert any("anew" in note and "not part of the link" in note for note in last["notes"])
    *_, last = exports._moments("solve_heights", solve_heights_endpoint, query.replace("network/clocks", NOT_STORED))
    assert last["pictures"] is None
    assert len(last["heights"]) == 8


def test_pages_without_a_run_of_their_own_answer_their_link():
    (rows,) = exports._moments("scoreboard", scoreboard_endpoint, "v=1&ask=plane*follow*0.6&at=steps")
    assert rows["rows"]
    assert {(row["backbone"], row["task"], row["level"]) for row in rows["rows"]} == {("plane", "follow", 0.6)}
    first = next(exports._moments("failure", failure_endpoint, "v=1&show=stiff&seed=3"))
    assert "done" in first


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"query": "ask=plane*follow*7"}, "'plane*follow*7'"), ({"query": "at=dawn"}, "steps, calls"),
        ({"query": "ask=plane"}, "plane*follow*0.6"), ({"backbone": "moon"}, "plane, collection, network"),
        ({"task": "sing"}, "condition, follow"), ({"query": "ask=plane*follow*0.6", "task": "reward"}, "follow"),
    ],
)  # fmt: skip
def test_a_question_that_the_scoreboard_does_not_know_is_refused(asked, said):
    with pytest.raises(InvalidRequest, match=re.escape(said)):
        scoreboard_endpoint(**asked)


def test_every_question_of_the_scoreboard_has_rows_and_unknown_fields_are_told():
    for name in QUESTIONS:
        assert scoreboard_endpoint(query=f"v=1&ask={name}&at=steps")["rows"], name
    assert "'colour'" in scoreboard_endpoint(query="colour=red")["notes"][0]
