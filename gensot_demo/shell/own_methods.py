"""Methods of a person's own, read again whenever their file is saved: local use only, `serve --method FILE`.

The pages are made anew where the declaration of a method has changed; the browser asks which version is served and
reloads itself, which runs what its address asks for with the new code. A file with an error leaves the last version
that worked in place, and the page says what is wrong and in which line.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import gradio as gr
from gradio.utils import BaseReloader
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gensot_demo.guidance.own_file import WatchedFile, declaration
from gensot_demo.guidance.registry import REGISTRY, Registry
from gensot_demo.transport.errors import reason

ADDRESS = "/gensot/own"
_EVERY = 0.4  # seconds


class OwnMethods:
    """The files and what is wrong with each.

    version: how often a file was taken over under the same pages.  pages: which pages are served, by Gradio's number.
    """

    def __init__(self, files: Sequence[Path], registry: Registry = REGISTRY):
        self.files = [WatchedFile(Path(file)) for file in files]
        self.registry = registry
        self.problems: dict[Path, str] = {}
        self.version, self.pages = 0, ""
        self.names: dict[Path, list[str]] = {}

    def read_changed(self) -> tuple[bool, bool]:
        """Read what was saved since the last time; (whether anything was, whether what a page shows has changed)."""
        changed = [self._read(file.path) for file in self.files if file.changed()]
        return bool(changed), any(changed)

    def _read(self, path: Path) -> bool:
        before = self._declared(path)
        try:
            self.names[path] = self.registry.add_file(path)
            self.problems.pop(path, None)
        except Exception as error:  # the file is a person's own and may raise anything
            stays = " The last version that worked stays." if self.names.get(path) else ""
            said = reason(error)
            self.problems[path] = f"{path.name} could not be read. {said}{'' if said.endswith('.') else '.'}{stays}"
        return self._declared(path) != before

    def _declared(self, path: Path) -> list[tuple]:
        return [declaration(self.registry.methods[name]) for name in self.names.get(path, ())]

    @staticmethod
    def script() -> str:
        """The JavaScript of a page that asks."""
        return Path(__file__).with_name("own_methods.js").read_text(encoding="utf-8")

    def routes(self) -> list[Route]:
        """Where a page asks which version is served, and what is wrong."""

        def state(request: Request) -> Response:
            told = {"version": self.version, "pages": self.pages, "problems": list(self.problems.values())}
            return JSONResponse(told, headers={"Cache-Control": "no-store"})

        return [Route(ADDRESS, state)]

    def serve(self, build: Callable[[], gr.Blocks], options: dict) -> None:
        """Launch the app that ``build`` makes and look after the files until it is stopped."""
        app = build()
        served, *_ = app.launch(**options, prevent_thread_lock=True)
        self.pages = str(served.blocks.app_id)
        threading.Thread(target=self._watch, args=(_Pages(served), build), daemon=True, name="own methods").start()
        app.block_thread()

    def _watch(self, served: _Pages, build: Callable[[], gr.Blocks]) -> None:
        while True:
            time.sleep(_EVERY)
            try:
                read, declared = self.read_changed()
                if declared:
                    served.swap_blocks(build())
                    self.pages = str(served.running_app.blocks.app_id)
                else:
                    self.version += read
            except Exception:
                logging.getLogger(__name__).exception("a changed file could not be taken over")


class _Pages(BaseReloader):
    """Gradio's own way of putting new pages in the place of those that a running app serves."""

    def __init__(self, app: gr.routes.App):
        self._app = app

    @property
    def running_app(self) -> gr.routes.App:
        return self._app

    def swap_blocks(self, demo: gr.Blocks) -> None:
        super().swap_blocks(demo)
        demo.config = demo.get_config_file()
