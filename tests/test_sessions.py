"""A visitor's session holds what is theirs, and no copy of the app."""

from __future__ import annotations

import asyncio

import gradio as gr
import pytest
from fastapi.testclient import TestClient
from gradio import state_holder
from gradio.routes import App

from gensot_demo.shell import sessions

NAMES = ("__init__", "__setitem__", "_update_config", "_update_value_in_config")


@pytest.fixture
def small(monkeypatch):
    for name in NAMES:  # put back what the next lines replace
        monkeypatch.setattr(state_holder.SessionState, name, getattr(state_holder.SessionState, name))
    sessions.keep_sessions_small()


def app():
    with gr.Blocks() as blocks:
        texts = [gr.Textbox(f"text {n}") for n in range(40)]
        kept, button = gr.State({"runs": 0}), gr.Button()

        def change(state):
            return [{"runs": state["runs"] + 1}, gr.update(label="changed"), "x" * 100_000]

        button.click(change, kept, [kept, texts[0], texts[1]], api_name="change")
    return blocks, kept, texts


def test_a_new_session_writes_out_no_component(small, monkeypatch):
    blocks, kept, texts = app()
    asked = []
    monkeypatch.setattr(gr.Textbox, "get_config", lambda self, *_: asked.append(self) or {})
    session = state_holder.SessionState(blocks)
    assert asked == []
    assert session[kept._id] == {"runs": 0}
    assert texts[3]._id in session
    assert session[texts[3]._id] is texts[3]


def test_sessions_do_not_see_one_another_and_keep_no_values(small):
    blocks, kept, texts = app()
    one, two = state_holder.SessionState(blocks), state_holder.SessionState(blocks)
    event = next(fn for fn in blocks.fns.values() if fn.api_name == "change")
    for _ in range(3):
        asyncio.run(blocks.process_api(event, [None], state=one))
    assert one[kept._id] == {"runs": 3}
    assert two[kept._id] == {"runs": 0}
    assert one[texts[0]._id].label == "changed"
    assert two[texts[0]._id].label != "changed"
    assert blocks.blocks[texts[0]._id].label != "changed"
    assert one.config_values == {}
    assert len(one.blocks_config.blocks.maps[0]) == 1  # the changed one


@pytest.mark.parametrize("mended", [True, False])
def test_a_run_that_ends_while_it_is_stopped_is_no_error_of_the_server(mended, monkeypatch):
    monkeypatch.setattr(App, "__init__", sessions._plain_app)  # whatever a test before it has mended
    if mended:
        sessions.let_runs_end_while_stopped()
    served = App.create_app(app()[0])

    class Run:
        """Its last step ends, and with it the run, while /cancel waits for it."""

        async def aclose(self):
            del served.iterators["run"]

    served.iterators["run"] = Run()
    with TestClient(served, raise_server_exceptions=False) as client:
        asked = {"session_hash": "one", "fn_index": 0, "event_id": "run"}
        assert client.post("/gradio_api/cancel", json=asked).status_code == (200 if mended else 500)
