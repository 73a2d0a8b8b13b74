"""The Scoreboard: which guidance does what was asked, and at what price; shipped rows, and a small version live."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import gradio as gr
from gradio.context import Context

from gensot_demo.experiments.links import VERSION, fields_of, ignored
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.scoreboard.own_rows import OwnRows, own_rows, shown_rows
from gensot_demo.experiments.scoreboard.rows import Row
from gensot_demo.experiments.scoreboard.run import SMALL_DRAWS, draws_of, rows_of
from gensot_demo.experiments.scoreboard.tasks import TASKS, ScoreTask, variants
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.scoreboard import price_figure, quality_figure

from . import report, scoreboard_endpoints
from .events import LONG, QUIET, address_follows, copies_link, followed, ready
from .scoreboard_endpoints import QUESTIONS, name_of
from .scoreboard_report import sentences, table
from .warm_up import WARM_UP

_BUDGETS = {"steps": "equal steps", "calls": "equal network calls"}
_PLACES = {"plane": "The plane", "collection": "Emoji collection", "network": "Emoji network"}
_LEAD = (
    "Every method answers the same questions with the same noise. In the plane and on the collection **the law asked "
    "for is known exactly**, so a number says how far each method's samples are from it; on the network a judge that "
    "guided nobody looks at the pictures."
)
_READ = """
* **Distance / floor**: the distance between a method's samples and exact draws from the law asked for, over the same
  distance between two sets of exact draws. 1 is as good as it gets; how far a *deliberately wrong* law is (*wrong law*)
  shows what the number can see. A row whose wrong law is not clearly above the floor is grey: it proves nothing.
* **Passes**: forward and backward passes of the model for one delivered sample, particles and repeated steps included.
  At *equal steps* methods may spend what they like; at *equal network calls* each has as many steps as it can pay for.
* A line in the figure joins one method at several of its own strengths.
* *Law asked for*: p(y) p(c|y)^trust for conditions, p(y) times the likelihood of the view or measurement, or
  p(y) e^reward. Not every method aims at it: some are made to please, and the distance says how far that leads.
"""


def _questions() -> list[tuple[str, str]]:
    return [
        (f"{_PLACES[task.backbone]}: {task.question[0].lower()}{task.question[1:]}, {level:g}", name_of(task, level))
        for task in TASKS
        for level in task.levels
    ]


_FIRST = "collection*follow*3"


def build() -> None:
    """The page's content, inside its Blocks. Raises SystemExit with a sentence for a broken file of one's own rows."""
    try:
        own_rows()
    except InvalidRequest as error:
        raise SystemExit(str(error)) from None
    query = gr.Textbox(visible="hidden", elem_id="query")
    gr.Markdown(_LEAD, elem_classes="gensot-lead")
    with gr.Row(elem_classes="gensot-run"):
        question = gr.Dropdown(
            _questions(), value=_FIRST, label="Question, and how strongly it is asked", scale=4, min_width=300
        )
        budget = gr.Radio(
            [(text, name) for name, text in _BUDGETS.items()], value="steps", label="Compared at", scale=2
        )
        link = gr.Button("Copy link", min_width=80, scale=0)
    notice = gr.HTML(elem_id="notice", visible=False)
    said = gr.HTML(elem_id="verdict")
    gr.Markdown(
        "### What does closeness cost?\nThe marks are those of the table; point at one for its name.",
        elem_classes="gensot-lead",
    )
    price = PlotlyFigure(empty="No method has been measured on this.", height=360, filename="gensot-scoreboard")
    board = gr.HTML(elem_id="table")
    with gr.Accordion("How to read this, and the command that made it", open=False):
        gr.Markdown(_READ)
        command = gr.HTML(elem_id="command")
    gr.Markdown("### See it for yourself", elem_classes="gensot-lead")
    with gr.Row(elem_classes="gensot-run"):
        go = gr.Button("Draw a small version here", variant="primary", elem_classes="gensot-starts", elem_id="live")
        stop = gr.Button("Stop", min_width=80, elem_id="stop")
        status = gr.HTML(elem_id="status", scale=4)
    live = gr.HTML(elem_id="live-table")

    shown = [said, price, board, command, query]
    asked = [question, budget]
    Context.root_block.load(_restore, None, [*asked, notice, *shown], **QUIET)
    for control in asked:
        address_follows(control.input(show, asked, shown, **QUIET), query)
    copies_link(link, query)
    drawing = go.click(_live, asked, [status, live], **LONG)
    ready(drawing)
    stop.click(None, None, None, cancels=[drawing], api_visibility="private").then(
        lambda: report.status("Stopped. What was drawn stays."), None, status, **QUIET
    )
    scoreboard_endpoints.publish(_FIRST)


def rows_for(name: str, budget: str, own: OwnRows | None = None) -> tuple[ScoreTask, float, list[Row]]:
    """(task, level, rows of the task); raises KeyError for a question that there is not."""
    task, level = QUESTIONS[name]
    asked = task.backbone, task.name, budget
    return task, level, [row for row in shown_rows(own) if (row.backbone, row.task, row.budget) == asked]


def show(name: str, budget: str) -> list[Any]:
    """[sentences, figure, table, command, query] of one question."""
    own, source = _own()
    task, level, rows = rows_for(name, budget, own)
    here = [row for row in rows if row.level == level]
    said = "".join(f"<li>{line}</li>" for line in map(report.escape, sentences(here, task, budget)))
    yours = own is not None and any(row in own.rows for row in here)
    if source:
        if own is not None:
            source += f" {len(here)} of them are shown." if yours else " None answers this: what ships is shown."
        said += f'<li class="gensot-note">{report.escape(source)}</li>'
    figure = price_figure(here) or quality_figure(rows if task.name == "condition" else here)
    caption = f"{task.question}: {task.level} {level:g}, at {_BUDGETS[budget]}"
    made = f"python -m benchmarks.guidance --task {task.name} --backbone {task.backbone}"
    draws = f"{max((row.draws for row in here), default=0) if yours else draws_of(task)} samples a method"
    by = "A command that draws such rows:" if yours else "These rows were drawn by"
    return [
        f'<ul class="gensot-verdict">{said}</ul>',
        figure,
        table(here, caption) if here else "",
        f"<p>{by} <code>{made}</code>, {draws}; the nearest first.</p>",
        to_query(Asked(name, budget)),
    ]


class Asked(NamedTuple):
    """A question by its name in links, and what the methods compared have in common: "steps" or "calls"."""

    name: str = _FIRST
    budget: str = "steps"


def to_query(asked: Asked) -> str:
    """The query string without "?"."""
    return f"v={VERSION}&ask={asked.name}&at={asked.budget}"


def from_query(query: str) -> tuple[Asked, list[str]]:
    """The question in a query string and notes on what was ignored; raises InvalidRequest for one that there is not."""
    fields, notes = fields_of(query, "ask=collection*follow*3&at=steps")
    found = {"ask": _FIRST, "at": "steps"}
    for key, text in fields:
        if key in found:
            found[key] = text
        else:
            notes.append(ignored(key))
    for text, known, listed in ((found["ask"], QUESTIONS, "the questions listed below"), (found["at"], _BUDGETS, "")):
        if text not in known:
            raise InvalidRequest(f"The link asks for {text[:40]!r}; there are {listed or ', '.join(known)}.")
    return Asked(found["ask"], found["at"]), notes


def _own() -> tuple[OwnRows | None, str]:
    """One's own rows, and where what is shown comes from; empty where nothing of one's own was asked for."""
    try:
        own = own_rows()
    except InvalidRequest as error:  # it was whole when the app started
        return None, f"{error} Those that ship are shown instead."
    return own, f"Your file {own.sentence}." if own else ""


def _restore(request: gr.Request) -> list[Any]:
    """[question, budget, notice, shown…] from the address."""
    asked, notice = followed(lambda: from_query(request.url.query or ""), Asked(), "first question")
    return [*asked, notice, *show(*asked)]


@WARM_UP.yields_to
def _live(name: str, budget: str) -> Iterator[list[Any]]:
    """A small version of one question, drawn now: updates of [status, table]."""
    try:
        task, level = QUESTIONS[name]
        draws, total = SMALL_DRAWS[task.backbone], len(list(variants(task)))
        rows: list[Row] = []
        began = time.perf_counter()
        yield [report.status(f"Drawing {draws} samples of each method…", 0.0), ""]
        caption = f"Drawn just now: {draws} samples a method, at {_BUDGETS[budget]}"
        for row in rows_of(task, draws=draws, levels=(level,), budgets=(budget,)):
            rows.append(row)
            seconds = time.perf_counter() - began
            yield [report.running(f"{row.label}", min(len(rows) / total, 1.0), seconds), table(rows, caption)]
        yield [report.status(f"Done in {time.perf_counter() - began:.1f} s."), gr.skip()]
    except Exception as error:
        logging.getLogger(__name__).exception("a scoreboard run failed")
        sentence = f"This run failed ({type(error).__name__}); what was drawn stays."
        yield [report.status(sentence, kind="error"), gr.skip()]
