"""The Failure modes page: seven ways to fail, each run here, with the numbers that show it and what mends it."""

from __future__ import annotations

import logging
import random
from collections import OrderedDict
from collections.abc import Iterator
from threading import Lock
from typing import Any

import gradio as gr
from gradio.context import Context

from gensot_demo.experiments.failures.catalogue import FAILURES
from gensot_demo.experiments.failures.links import FIRST, from_query
from gensot_demo.experiments.failures.run import (
    DEFAULT_SEED,
    FailureRequest,
    FailureResult,
    FailureUpdate,
    joined,
    run_failure,
)
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.failures import chart_figure
from gensot_demo.figures.player import Player
from gensot_demo.figures.transport import player_of
from gensot_demo.figures.wall import PictureWall

from . import failures_endpoints, failures_report, report
from .events import FRESH_SEEDS, HEAVY, QUIET, address_follows, copies_link, followed
from .warm_up import WARM_UP

_SHOWN = 6  # outputs of a run: status, wall, player, chart, sentence, table
_STOPPED = "Stopped. What is shown is as far as it got; press Run to begin anew."
_LEAD = (
    "Guided sampling fails in known ways. Each is run here **on the same noise** with settings that break it and with "
    "what mends it; the sentence below the pictures is made from the numbers of this run."
)


def build() -> None:
    """The page's content, inside its Blocks."""
    WARM_UP.add(_first_view)
    query = gr.Textbox(visible="hidden", elem_id="query")
    with gr.Row(elem_classes="gensot-split gensot-failures"):
        with gr.Column(scale=3, min_width=260):
            chosen = gr.Radio(
                [(failure.title, name) for name, failure in FAILURES.items()],
                value=FIRST,
                label="What goes wrong",
                elem_id="failure",
            )
        with gr.Column(scale=9, min_width=320):
            gr.Markdown(_LEAD, elem_classes="gensot-lead")
            notice = gr.HTML(elem_id="notice", visible=False)
            words = gr.HTML(failures_report.words(FAILURES[FIRST]), elem_id="words")
            with gr.Row(elem_classes=["gensot-run", "gensot-actions"]):
                go = gr.Button("Run", variant="primary", min_width=100, elem_id="run")
                stop = gr.Button("Stop", min_width=80, elem_id="stop")
                fresh = gr.Button("New noise", min_width=80, elem_id="fresh")
                link = gr.Button("Copy link", min_width=80)
                status = gr.HTML(report.status("Preparing…"), elem_id="status", scale=4)
            wall = PictureWall(elem_id="wall", elem_classes="gensot-wall-block")
            player = Player(elem_id="player", elem_classes="gensot-if-any", filename="gensot-failure")
            chart = PlotlyFigure(elem_id="chart", elem_classes="gensot-if-any", height=360, filename="gensot-failure")
            said = gr.HTML(elem_id="verdict")
            table = gr.HTML(elem_id="table")
            with gr.Accordion("Equation, source and noise", open=False):
                equation = gr.Markdown(
                    failures_report.equation(FAILURES[FIRST]),
                    latex_delimiters=[{"left": "$$", "right": "$$", "display": True}],
                )
                seed = gr.Number(DEFAULT_SEED, precision=0, minimum=0, label="Seed of the first column", elem_id="seed")
    shown = [status, wall, player, chart, said, table]
    told = [words, equation, query, *shown]

    @WARM_UP.yields_to
    def run(name: str, number: float, request: gr.Request) -> Iterator[list[Any]]:
        yield from _run(name, number, request.session_hash or "")

    def restore(request: gr.Request) -> list[Any]:
        return _restore(request.url.query or "")

    asked = [chosen, seed]
    start = {"inputs": asked, "outputs": shown, "trigger_mode": "multiple", **HEAVY}
    restored = Context.root_block.load(restore, None, [*asked, notice, *told], **QUIET)
    begun = [
        restored,
        chosen.input(_tell, asked, told, trigger_mode="multiple", **QUIET),
        go.click(_tell, asked, told, **QUIET),
        seed.submit(_tell, asked, told, **QUIET),
        fresh.click(lambda: random.randrange(FRESH_SEEDS), None, seed, **QUIET).then(_tell, asked, told, **QUIET),
    ]
    runs = [event.then(run, **start) for event in begun]
    for event in runs:
        address_follows(event, query)
    stop.click(None, None, None, cancels=runs, api_visibility="private").then(
        lambda: report.status(_STOPPED), None, status, **QUIET
    )
    copies_link(link, query, _query, asked, query)
    failures_endpoints.publish()


def _first_view() -> Iterator[None]:
    """The failure that the page opens with."""
    for _ in run_failure(FailureRequest(name=FIRST)):
        yield


class _Latest:
    """The latest run of each visitor: an earlier one that still goes on ends itself. Bounded; thread-safe."""

    def __init__(self, most: int = 1000) -> None:
        self._runs: OrderedDict[str, object] = OrderedDict()
        self._guard, self._most = Lock(), most

    def begin(self, visitor: str) -> object:
        mark = object()
        with self._guard:
            self._runs[visitor] = mark
            self._runs.move_to_end(visitor)
            while len(self._runs) > self._most:
                self._runs.popitem(last=False)
        return mark

    def replaced(self, visitor: str, mark: object) -> bool:
        with self._guard:
            return self._runs.get(visitor, mark) is not mark


_LATEST = _Latest()


def to_query(request: FailureRequest) -> str:
    """The query string without "?"."""
    return _query(request.name, request.seed)


def _query(name: str, number: float) -> str:
    return f"v=1&show={name}" + (f"&seed={int(number)}" if number != DEFAULT_SEED else "")


def _tell(name: str, number: float) -> list[Any]:
    """[words, equation, query, status, wall, player, chart, sentence, table] before a run: nothing of the last one."""
    failure = FAILURES[name]
    nothing = [report.status("Starting…", 0.0), None, None, None, "", ""]
    return [failures_report.words(failure), failures_report.equation(failure), _query(name, number or 0), *nothing]


def _run(name: str, number: float, visitor: str) -> Iterator[list[Any]]:
    """One failure, as updates of [status, wall, player, chart, sentence, table]."""
    keep = [gr.skip()] * _SHOWN
    mark = _LATEST.begin(visitor)
    try:
        request = parse(FailureRequest, name=name, seed=number)
        moved = 0
        for moment in run_failure(request):
            if _LATEST.replaced(visitor, mark):
                yield keep
                return
            if isinstance(moment, FailureResult):
                yield _finished(moment)
                continue
            line = report.running(moment.doing, moment.done, moment.seconds)
            arrived = len(moment.finished.results)
            player = _player(moment) if arrived > moved else gr.skip()
            moved = arrived
            yield [line, failures_report.wall(moment) or gr.skip(), player, *keep[3:]]
    except InvalidRequest as error:
        yield [report.status(str(error), kind="error"), *keep[1:]]
    except Exception as error:
        logging.getLogger(__name__).exception("a failure mode failed")
        sentence = f"This run failed ({type(error).__name__}); another seed may work."
        yield [report.status(sentence, kind="error"), *keep[1:]]


def _player(moment: FailureUpdate) -> Any:
    moving = joined(moment.variants, moment.finished)
    return gr.skip() if moving is None else player_of(moving, autoplay=False)


def _finished(result: FailureResult) -> list[Any]:
    chart, moving = result.evidence.chart, result.transport
    return [
        report.status(f"Done in {result.seconds:.1f} s."),
        failures_report.wall(result),
        None if moving is None else player_of(moving),
        None if chart is None else chart_figure(chart),
        failures_report.sentence(result),
        failures_report.table(result),
    ]


def _restore(text: str) -> list[Any]:
    """[failure, seed, notice, words, equation, query, shown…] from the address."""
    wanted, notice = followed(lambda: from_query(text), FailureRequest(name=FIRST), "first failure")
    return [wanted.name, wanted.seed, notice, *_tell(wanted.name, wanted.seed)]
