"""An app of many pages is written out once, and is the same."""

import json
from contextlib import nullcontext

import gradio as gr
import pytest
from gradio.context import Context
from gradio.routes import App

from gensot_demo.shell.many_pages import more_pages_follow

NAMES = ("", "second", "third")


def made(by) -> gr.Blocks:
    Context.id = 0  # the next component's number
    app = gr.Blocks()
    with by(app):
        for name in NAMES[:-1]:
            page(app, name)
    page(app, NAMES[-1])
    return app.queue()


def page(app: gr.Blocks, name: str) -> None:
    with app if not name else app.route(name, f"/{name}"):
        text, button = gr.Textbox(name), gr.Button(name)
        button.click(str, text, text, api_name=f"call_{name}")
        app.load(lambda: name, None, text)


def told(app: gr.Blocks) -> str:
    """Its configuration, but for the number of the app."""
    return json.dumps({**app.get_config_file(), "app_id": 0}, default=str, sort_keys=True)


@pytest.fixture
def servers(monkeypatch):
    """How many were made."""
    plain, count = App.create_app, []
    monkeypatch.setattr(App, "create_app", staticmethod(lambda *a, **k: count.append(1) or plain(*a, **k)))
    return count


def test_it_is_written_out_once_and_the_same(servers, monkeypatch):
    monkeypatch.setattr(Context, "id", Context.id)
    one_by_one = made(lambda app: nullcontext())
    often = len(servers)
    servers.clear()
    together = made(more_pages_follow)
    assert often == len(servers) + len(NAMES) - 1
    assert told(together) == told(one_by_one)
    assert together.config["pages"] == one_by_one.config["pages"]


def test_a_page_that_fails_leaves_gradio_as_it_was():
    plain, app = App.create_app, gr.Blocks()
    with pytest.raises(ValueError, match="no page"), more_pages_follow(app), app:
        raise ValueError("no page")
    assert App.create_app is plain
    assert "get_config_file" not in vars(app)
