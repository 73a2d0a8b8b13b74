"""A Gradio app of many pages, put together once.

Gradio 6.31 writes out the configuration of the whole app and makes its server whenever one of its pages is complete: of
28 pages that is twelve seconds of a start, for 27 servers that nobody asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
from gradio.routes import App


@contextmanager
def more_pages_follow(app: gr.Blocks) -> Iterator[None]:
    """Pages of ``app`` that end inside this block, and its queue, leave configuration and server to a page that ends
    after it."""
    plain_server = App.create_app
    app.get_config_file = _nothing_yet
    App.create_app = staticmethod(_nothing_yet)
    try:
        yield
    finally:
        del app.get_config_file
        App.create_app = staticmethod(plain_server)


def _nothing_yet(*_: Any, **__: Any) -> dict:
    return {}
