"""The data of a run as a file, on every page in the same way: what the page's endpoint answers to the page's link.

So page, API and file agree, and a file is made under the same limits as a run. Where a page keeps its runs, the one
that is shown is taken, with what does not travel in a link.
"""

from __future__ import annotations

import inspect
import json
import logging
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import gradio as gr
from gradio.context import Context
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from gensot_demo.backbones.errors import BackboneUnavailable
from gensot_demo.experiments.answer_files import KINDS, document, to_file
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.runs import RunStore

from .events import HEAVY, LONG, QUIET, Latest
from .visitors import unlimited
from .warm_up import WARM_UP

Answer = dict[str, Any]

_BESIDES = {
    "speed_accuracy": {"plane": True},
    "transport_cells": {"with_decays": True},
    "solve_heights": {"what": "shown"},
    "matrix_stiffness": {"particles": True, "tune": True},
}
"""What an endpoint is asked for besides its query, so that it answers all that its page shows."""
_HTML = (
    '<div class="gensot-data gensot-save" role="group" aria-label="Data of what is shown"><span>Data</span>'
    + "".join(f'<button type="button" data-kind="{kind}">{kind.upper()}</button>' for kind in KINDS)
    + '<button type="button" data-kind="" hidden>Cancel</button><span role="status"></span></div>'
)
_ON_LOAD = Path(__file__).with_name("exports.js").read_text(encoding="utf-8")
_DOWNLOAD = "(file) => { window.gensot.download(file); }"
_SHOWN: WeakKeyDictionary[gr.Blocks, dict[str, tuple[gr.State, Callable[[str], Answer | None]]]] = WeakKeyDictionary()


def of_run(name: gr.State, store: RunStore, answer: Callable[[Any], Answer]) -> None:
    """The page that is being built shows the run of this name, as long as it is kept: its data are ``answer`` of it,
    with what does not travel in a link."""

    def told(name: str) -> Answer | None:
        try:
            return answer(store.get(name)) if name else None
        except InvalidRequest:  # not kept any more: made again
            return None

    root = Context.root_block
    _SHOWN.setdefault(root, {})[root.current_page] = (name, told)


def build(endpoint: str, filename: str) -> None:
    """The control, below the content of the page that is being built.

    endpoint: name of the page's, without "/".  filename: of the files, without extension.
    """
    root = Context.root_block
    query = next(
        block for block in root.blocks.values()
        if getattr(block, "elem_id", None) == "query" and block.page == root.current_page
    )  # fmt: skip
    named = next(fn for fn in root.fns.values() if fn.api_name == endpoint)
    answer = unlimited(named.fn)  # the export itself counts as one run of its visitor
    line = LONG if named.concurrency_id == LONG["concurrency_id"] else HEAVY
    name, kept = _SHOWN.get(root, {}).get(root.current_page, (None, None))
    control = gr.HTML(
        html_template=_HTML, js_on_load=_ON_LOAD, apply_default_css=False, elem_id="data", elem_classes="gensot-bare"
    )
    file = gr.DownloadButton(visible="hidden", elem_id="data-file")
    latest, ticket, kind = gr.State(Latest()), gr.Number(-1, precision=0, visible="hidden"), gr.State("")

    @WARM_UP.yields_to
    def deliver(latest: Latest, number: int, kind: str, query: str, *run: str) -> Iterator[list[Any]]:
        moments = _told(lambda: _moments(endpoint, answer, query, kept, *run), kind, endpoint, filename)
        for moment in moments:
            if latest.number != number:
                yield [gr.skip(), gr.skip()]
                return
            yield moment

    every = {"trigger_mode": "multiple"}  # a choice counts while an older one still ends
    chosen = control.select(_choose, latest, [ticket, kind], queue=False, **every, **QUIET)
    inputs = [latest, ticket, kind, query, *([] if name is None else [name])]
    told = chosen.then(deliver, inputs, [control, file], **every, **line)
    told.then(None, file, None, js=_DOWNLOAD, api_visibility="private", **every)
    told.failure(_refused, None, [control, file], queue=False, **QUIET)


def _choose(latest: Latest, event: gr.EventData) -> tuple[int, str]:
    """(the number of this choice, the kind of file or nothing); it comes from the browser."""
    return latest.choose(), str((event._data or {}).get("kind", ""))[:8]


def _told(moments: Callable[[], Iterator[Answer]], kind: str, endpoint: str, filename: str) -> Iterator[list[Any]]:
    """Updates of [words, file]."""
    if not kind:
        yield [_words("", "Cancelled."), None]
        return
    try:
        yield [_words("busy", "Collecting…"), None]
        last: Answer = {}
        for last in moments():
            if "done" in last:
                yield [_words("busy", f"Computing… {last['done']:.0%}"), None]
        data = to_file(kind, document(last, endpoint))
        path = save_bytes_to_cache(data, f"{filename}.{kind}", _own_folder())
        yield [_words("done", f"{filename}.{kind}, {_size(len(data))}.{_notes(last)}"), path]
    except (InvalidRequest, BackboneUnavailable) as error:
        yield [_words("error", str(error)), None]
    except gr.Error as error:  # how an endpoint says what is wrong
        yield [_words("error", error.message), None]
    except Exception as error:
        logging.getLogger(__name__).exception("data could not be written")
        yield [_words("error", f"This failed ({type(error).__name__}); what is shown stays."), None]


def _refused() -> list[Any]:
    """[words, file] of an export that never began: its visitor has too many runs, whose sentence is shown."""
    return [_words("error", "Not made."), None]


def _own_folder() -> str:
    """Another one each time: a page takes a file at an address that it knows for one that it has saved already."""
    return str(Path(get_upload_folder()) / secrets.token_hex(16))


def _moments(
    endpoint: str, answer: Callable, query: str, kept: Callable[[str], Answer | None] | None = None, run: str = ""
) -> Iterator[Answer]:
    """What the endpoint says, moment by moment; of a run that is kept, only its answer."""
    found = kept(run) if kept is not None else None
    if found is not None:
        yield found
        return
    said = answer(query=query, **_BESIDES.get(endpoint, {}))
    for moment in said if inspect.isgenerator(said) else [said]:
        yield {"query": query, **moment}


def _words(state: str, words: str) -> str:
    return json.dumps({"state": state, "words": words})


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{max(count, 100) / 1e3:.1f} kB"


def _notes(answer: Answer) -> str:
    """What the request could not say."""
    return "".join(f" {note}" for note in answer.get("notes") or () if "not part of the link" in note)
