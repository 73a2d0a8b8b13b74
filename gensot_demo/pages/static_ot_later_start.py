"""Optimal transport, part Later start: samples that begin at a noised training picture, against those from noise."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
from gradio.context import Context

from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.experiments.runs import RunStore
from gensot_demo.experiments.static_ot.later_start import (
    LaterStart,
    LaterStartCalls,
    landings_of,
    run_calls,
    run_wall,
)
from gensot_demo.experiments.static_ot.later_start_links import from_query, to_query
from gensot_demo.experiments.static_ot.later_start_request import LaterStartRequest
from gensot_demo.experiments.static_ot.presets import LATER_START
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.static_ot_later_start import (
    copies_figure,
    distance_figure,
    judged_figure,
    landing_wall,
    nearness_figure,
    samples_wall,
)
from gensot_demo.figures.wall import PictureWall

from . import report, static_ot_later_start_endpoints
from . import static_ot_later_start_report as words
from .events import HEAVY, LONG, QUIET, Latest, address_follows, copies_link, followed, fresh_seed, keep_first
from .static_ot_later_start_controls import LaterStartControls
from .static_ot_later_start_endpoints import MEASURED
from .static_ot_later_start_text import LEAD, QUESTIONS, READ, TRY, TRY_CALLS
from .warm_up import WARM_UP

WALLS = RunStore(megabytes=20, size=lambda run: 1_500_000, button="Draw")
FIRST = LaterStartRequest()
FIRST_MEASURED = LaterStartRequest(draws=32, budgets=(2, 5, 10))

_STOPPED = report.status("Stopped. What is shown stays.")
_HALTED = report.status("Stopped. What was measured so far stays.")
_CHANGED = "Press Draw for these settings; what is shown below is of others. The landings follow at once."
_EVERY = 0.4  # seconds between drawings
_MEASURE_FIRST = "Press Measure."
_OTHERS = "⚠ Of other settings: what is measured below is not of the settings above. Press Measure for those."
_SURE = {"draws": 256, "budgets": [5, 10]}
_PARTS = 5  # of _drawn
_MEASUREMENT = 8  # of _measure


class _Drawing(Latest):
    """of: what is or was drawn last, so that a late event of the same settings neither ends nor denies it."""

    of: LaterStartRequest | None = None


class _Measuring(Latest):
    """of: what the measurement shown is of; None where none is shown."""

    of: LaterStartRequest | None = None


def build() -> None:
    """The page's content, inside its Blocks."""
    WARM_UP.add(_first_view)
    query = gr.Textbox(visible="hidden", elem_id="query")
    latest = gr.State(_Drawing())
    latest_measured = gr.State(_Measuring())
    # the numbers travel with what waits in line: of a gr.State it would see what a later choice has left there
    ticket, ticket_measured = (gr.Number(-1, precision=0, visible="hidden") for _ in range(2))
    with gr.Row(elem_classes="gensot-split"):
        with gr.Column(scale=4, min_width=300, elem_classes="gensot-controls"):
            controls = LaterStartControls()
            fresh = gr.Button("Fresh seed", size="sm")
        with gr.Column(scale=9, min_width=320):
            gr.Markdown(LEAD, elem_classes="gensot-lead")
            with gr.Row(elem_classes=["gensot-run", "gensot-actions"]):
                go = gr.Button("Draw", variant="primary", min_width=80, elem_id="draw")
                stop = gr.Button("Stop", min_width=80, elem_id="stop")
                link = gr.Button("Copy link", min_width=80)
            status = gr.HTML(report.status("Drawing the first samples…"), elem_id="status")
            notice = gr.HTML(elem_id="notice", visible=False)
            said = gr.HTML(elem_id="verdict")
            gr.Markdown(TRY, elem_classes="gensot-lead")
            with gr.Row(elem_classes=["gensot-run", "gensot-presets"]):
                presets = [gr.Button(title, size="sm", elem_classes="gensot-preset") for title, _ in LATER_START]
            _question("landing")
            landing = _wall("landing", "The landings appear here.")
    _question("wall")
    wall = _wall("wall", "Press Draw.")
    gr.Markdown("### Measured: quality against calls, and its price", elem_classes="gensot-lead")
    with gr.Row(elem_classes="gensot-run"):
        measure = gr.Button("Measure", variant="primary", min_width=80, elem_id="measure")
        sure = gr.Button("Measure 256 samples at 5 and 10 calls", min_width=80, elem_id="sure")
        halt = gr.Button("Stop measuring", min_width=80, elem_id="halt")
    progress = gr.HTML(elem_id="measured")
    mark = gr.HTML(elem_id="measured-mark")
    found = gr.HTML(elem_id="finding")
    gr.Markdown(TRY_CALLS, elem_classes="gensot-lead")
    figures = []
    for pair in (("distance", "judged"), ("copies", "nearness")):
        with gr.Row():
            for name in pair:
                with gr.Column(min_width=300):
                    figures.append(_figure(name))
    figures.append(gr.HTML(elem_id="table"))
    with gr.Accordion("How to read this, and how it is done", open=False):
        gr.Markdown(READ)

    parts, shown, numbers = controls.all(), [status, said, landing, wall, query], [progress, found, *figures]

    @WARM_UP.yields_to
    def drawing(mine: _Drawing, number: int, *values: Any) -> Iterator[list[Any]]:
        yield from _draw(controls, mine, number, values)

    @WARM_UP.yields_to
    def measuring(mine: _Measuring, number: int, *values: Any) -> Iterator[list[Any]]:
        yield from _measure(controls, mine, number, values)

    def asking(mine: _Drawing, *values: Any) -> int:
        return _asked(controls, mine, values)

    def restore(mine: _Measuring, request: gr.Request) -> list[Any]:
        return _restore(controls, mine, request)

    asked = [latest, *parts]
    loaded = Context.root_block.load(restore, latest_measured, [*parts, notice, *shown, *numbers], **QUIET)
    address_follows(loaded, query)  # where a link was refused, what is shown is not of it
    draw = {"fn": drawing, "inputs": [latest, ticket, *parts], "outputs": shown, **HEAVY}
    address_follows(go.click(asking, asked, ticket, queue=False, **QUIET).then(**draw), query)
    for button, (_, values) in zip(presets, LATER_START, strict=True):
        chosen = button.click(_setter(controls, values), latest, [ticket, *parts], queue=False, **QUIET)
        address_follows(chosen.then(**draw), query)

    def marked(mine: _Measuring, *values: Any) -> str:
        return _mark(controls, mine, values)

    marking = {"fn": marked, "inputs": [latest_measured, *parts], "outputs": mark, **QUIET}
    gr.on([part.change for part in parts], trigger_mode="always_last", **marking)
    of_more = [ticket_measured, controls["draws"], controls["budgets"]]
    for asks in (
        measure.click(Latest.choose, latest_measured, ticket_measured, queue=False, **QUIET),
        sure.click(lambda mine: [mine.choose(), *_SURE.values()], latest_measured, of_more, queue=False, **QUIET),
    ):
        asks.then(measuring, [latest_measured, ticket_measured, *parts], [*numbers, mark], **LONG).then(**marking)

    def landed(mine: _Drawing, *values: Any) -> list[Any]:
        return _landing(controls, mine, values)

    inputs = [part.input for part in parts if part not in controls.of_measuring()]
    gr.on(inputs, landed, asked, [status, landing], **QUIET, trigger_mode="always_last")
    fresh.click(fresh_seed, None, controls["seed"], **QUIET).then(landed, asked, [status, landing], **QUIET)
    stop.click(_stopped, latest, status, queue=False, **QUIET)
    halt.click(_halted, latest_measured, progress, queue=False, **QUIET)
    copies_link(link, query, lambda *values: _link(controls, values), parts, query)
    static_ot_later_start_endpoints.publish()


def _stopped(mine: _Drawing) -> str:
    mine.stop()
    return _STOPPED


def _halted(mine: _Measuring) -> str:
    mine.stop()
    return _HALTED


def _question(name: str) -> None:
    title, text = QUESTIONS[name]
    gr.Markdown(f"### {title}\n{text}", elem_classes="gensot-question gensot-question-short")


def _wall(name: str, empty: str) -> PictureWall:
    return PictureWall(empty=empty, elem_id=f"{name}-wall", elem_classes=["gensot-wall-block", "gensot-pairs"])


def _figure(name: str) -> PlotlyFigure:
    _question(name)
    return PlotlyFigure(
        empty=_MEASURE_FIRST, height=320, elem_id=f"figure-{name}", filename=f"gensot-later-start-{name}"
    )


def _first_view() -> Iterator[None]:
    """The wall of the default settings, and a short measurement of them; the whole one takes too long for a warm-up."""
    yield from keep_first(run_wall, FIRST, LaterStart, WALLS)
    yield from keep_first(run_calls, FIRST_MEASURED, LaterStartCalls, MEASURED)


def _drawn(run: LaterStart, status: str) -> list[Any]:
    """[status, verdict, landings, wall, query], in the page's order."""
    request = run.request
    return [status, words.verdict(run), landing_wall(run.landings, request), samples_wall(run), to_query(request)]


def _figures(run: LaterStartCalls | None, status: str) -> list[Any]:
    """[status, finding, figures…, table], in the page's order."""
    return [
        status, words.finding(run), distance_figure(run), judged_figure(run), copies_figure(run), nearness_figure(run),
        words.table(run),
    ]  # fmt: skip


def _asked(controls: LaterStartControls, mine: _Drawing, values: tuple[Any, ...]) -> int:
    """The number of a drawing that is asked for now, and begins when its turn comes."""
    try:
        mine.of = controls.request(values).of_wall()
    except InvalidRequest:  # the drawing says why
        mine.of = None
    return mine.choose()


def _last_word(mine: Latest, said: str, skipped: list[Any]) -> list[Any]:
    """Of a run that another choice has ended, or a Stop: one of its moments may still have been on its way."""
    return [said, *skipped[1:]] if mine.stopped else skipped


def _draw(controls: LaterStartControls, mine: _Drawing, number: int, values: tuple[Any, ...]) -> Iterator[list[Any]]:
    skipped = [gr.skip()] * _PARTS
    if mine.number != number:  # it was stopped before its turn came
        yield _last_word(mine, _STOPPED, skipped)
        return
    try:
        request = controls.request(values)
        kept = WALLS.find(request.of_wall())
        if kept is not None:
            run = WALLS.get(kept)
            yield [*_drawn(run, words.finished(run))[:-1], to_query(request)]
            return
        yield [report.status("Drawing…"), *skipped[1:]]
        drawn_at = -_EVERY
        for run in run_wall(request):
            if mine.number != number:
                yield _last_word(mine, _STOPPED, skipped)
                return
            if run.complete:
                WALLS.keep(run)
                yield [*_drawn(run, words.finished(run))[:-1], to_query(request)]
            elif (now := time.perf_counter()) - drawn_at >= _EVERY:
                drawn_at = now
                line = report.running(f"Drawing, {request.calls} calls a sample", run.done, run.seconds)
                yield [*_drawn(run, line)[:-1], gr.skip()]
    except InvalidRequest as error:
        yield [report.status(str(error), kind="error"), *skipped[1:]]
    except Exception as error:
        yield [_failed(error, "Drawing"), *skipped[1:]]


def _measure(
    controls: LaterStartControls, mine: _Measuring, number: int, values: tuple[Any, ...]
) -> Iterator[list[Any]]:
    """[status, finding, figures…, table, mark]."""
    skipped = [gr.skip()] * _MEASUREMENT
    if mine.number != number:
        yield _last_word(mine, _HALTED, skipped)
        return
    try:
        request = controls.request(values)
        kept = MEASURED.find(request.of_calls())
        if kept is not None:
            run = MEASURED.get(kept)
            mine.of = request
            yield [*_figures(run, words.measured(run)), ""]
            return
        yield [report.status("Measuring exact draws and pictures never seen…"), *skipped[1:]]
        drawn_at, there = -_EVERY, -1
        for run in run_calls(request):
            if mine.number != number:
                yield _last_word(mine, _HALTED, skipped)
                return
            count = sum(map(len, run.found.values()))
            if run.complete:
                MEASURED.keep(run)
                yield [*_figures(run, words.measured(run)), gr.skip()]
            elif count != there:
                fresh = there < 0
                there, mine.of = count, request if count else None
                yield [*_figures(run, _measuring(run)), "" if fresh else gr.skip()]
            elif (now := time.perf_counter()) - drawn_at >= _EVERY:
                drawn_at = now
                yield [_measuring(run), *skipped[1:]]
    except InvalidRequest as error:
        yield [report.status(str(error), kind="error"), *skipped[1:]]
    except Exception as error:
        yield [_failed(error, "Measuring"), *skipped[1:]]


def _mark(controls: LaterStartControls, mine: _Measuring, values: tuple[Any, ...]) -> str:
    """Whether the measurement shown is of other settings than the controls say."""
    if mine.of is None:
        return ""
    try:
        return "" if mine.of.same_run(controls.request(values)) else report.status(_OTHERS)
    except InvalidRequest:
        return report.status(_OTHERS)


def _measuring(run: LaterStartCalls) -> str:
    return report.running(f"Measuring: {run.doing}", run.done, run.seconds)


def _failed(error: Exception, what: str) -> str:
    logging.getLogger(__name__).exception("%s failed", what)
    sentence = f"{what} failed ({type(error).__name__}); what is shown stays. Other settings may work."
    return report.status(sentence, kind="error")


def _landing(controls: LaterStartControls, mine: _Drawing, values: tuple[Any, ...]) -> list[Any]:
    """[status, landings]; what is being drawn of other settings ends."""
    try:
        request = controls.request(values)
        if mine.of == request.of_wall():
            return [gr.skip(), landing_wall(landings_of(request), request)]
        mine.choose()
        mine.of = None
        return [report.status(_CHANGED), landing_wall(landings_of(request), request)]
    except InvalidRequest as error:
        return [report.status(str(error), kind="error"), gr.skip()]


def _restore(controls: LaterStartControls, mine: _Measuring, request: gr.Request) -> list[Any]:
    """[controls…, notice, shown…, numbers…] from the address."""
    wanted, notice = followed(lambda: from_query(request.url.query or ""), FIRST)
    kept, measured = WALLS.find(wanted.of_wall()), MEASURED.find(wanted.of_calls())
    if kept is not None:
        run = WALLS.get(kept)
        line = words.finished(run)
    else:
        run = LaterStart(wanted, landings_of(wanted))
        line = report.status("Press Draw: these samples have not been drawn yet.")
    shown = [*_drawn(run, line)[:-1], to_query(wanted)]
    numbers = _figures(None, report.status(_cost(wanted)))
    short = MEASURED.find(FIRST_MEASURED.of_calls()) if wanted.of_calls() == FIRST.of_calls() else None
    if measured is not None:
        done = MEASURED.get(measured)
        numbers = _figures(done, words.measured(done))
    elif short is not None:
        line = (
            f"A short measurement, of {FIRST_MEASURED.draws} samples. {words.settings(FIRST_MEASURED)} {_cost(wanted)}"
        )
        numbers = _figures(MEASURED.get(short), report.status(line))
    mine.of = None if measured is None and short is None else wanted
    return [*controls.values(wanted), notice, *shown, *numbers]


def _cost(request: LaterStartRequest) -> str:
    return (
        f"Press Measure: {request.draws} samples of every way at {', '.join(map(str, request.budgets))} calls, with "
        "the settings above. One to three minutes; what is there is shown as it comes."
    )


def _setter(controls: LaterStartControls, values: dict[str, Any]) -> Callable[[_Drawing], list[Any]]:
    """Asks for a drawing of settings: [its number, controls…]."""
    request = parse(LaterStartRequest, **values)

    def chosen(mine: _Drawing) -> list[Any]:
        mine.of = request.of_wall()
        return [mine.choose(), *controls.values(request)]

    return chosen


def _link(controls: LaterStartControls, values: tuple[Any, ...]) -> str:
    try:
        return to_query(controls.request(values))
    except InvalidRequest as error:
        raise gr.Error(str(error), duration=8, print_exception=False) from None
