"""Optimal transport, part Solver: heights rise and fall until every cell holds its share; points and pictures."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.context import Context

from gensot_demo.experiments import limits
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.static_ot.heights_links import DEFAULT_TAU, TAU, Wanted, from_query, smoothing, to_query
from gensot_demo.experiments.static_ot.heights_pictures import PicturesRun, run_stored
from gensot_demo.experiments.static_ot.heights_plane import PlaneRun, run_plane
from gensot_demo.experiments.static_ot.heights_request import PicturesRequest, PlaneRequest
from gensot_demo.experiments.static_ot.heights_told import of_plane, of_smoothing, smoothed
from gensot_demo.experiments.static_ot.presets import HEIGHTS
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.static_ot_heights import (
    cells_figure,
    discrete_figure,
    dual_figure,
    error_figure,
    heights_figure,
    newton_figure,
    smoothed_figure,
)
from gensot_demo.figures.wall import PictureWall
from gensot_demo.transport.errors import Explained

from . import report, static_ot_heights_endpoints
from .controls import BoundedSlider
from .events import HEAVY, LONG, QUIET, address_follows, copies_link, followed, fresh_seed, keep_first
from .static_ot_heights_controls import PicturesControls, PlaneControls
from .static_ot_heights_endpoints import RUNS
from .static_ot_heights_pictures import FOUND, find_pictures, shown_pictures
from .static_ot_heights_text import LEAD, PICTURES, QUESTIONS, READ, TRY
from .warm_up import WARM_UP

_CHANGED = "Press Solve for these settings. What is shown is of others."
_KEPT_TRUE = "(q) => { if (q && location.search) window.gensot.replaceQuery(q); }"  # a link that was not followed
_EVERY = 0.35  # seconds between drawings


def build() -> None:
    """The page's content, inside its Blocks."""
    WARM_UP.add(lambda: keep_first(run_plane, PlaneRequest(), PlaneRun, RUNS))
    WARM_UP.add(lambda: keep_first(run_stored, PicturesRequest(), PicturesRun, FOUND))
    query = gr.Textbox(visible="hidden", elem_id="query")
    state = gr.State(None)
    with gr.Row(elem_classes="gensot-split"):
        with gr.Column(scale=4, min_width=300, elem_classes="gensot-controls"):
            plane = PlaneControls()
            fresh = gr.Button("Fresh seed", size="sm")
        with gr.Column(scale=9, min_width=320):
            gr.Markdown(LEAD, elem_classes="gensot-lead")
            with gr.Row(elem_classes=["gensot-run", "gensot-actions"]):
                go = gr.Button("Solve", variant="primary", min_width=80, elem_id="solve")
                stop = gr.Button("Stop", min_width=80, elem_id="stop")
                link = gr.Button("Copy link", min_width=80)
            status = gr.HTML(report.status("Placing the points…"), elem_id="status")
            notice = gr.HTML(elem_id="notice", visible=False)
            said = gr.HTML(elem_id="verdict")
            gr.Markdown(TRY, elem_classes="gensot-lead")
            with gr.Row(elem_classes=["gensot-run", "gensot-presets"]):
                presets = [gr.Button(title, size="sm", elem_classes="gensot-preset") for title, _ in HEIGHTS]
    with gr.Row():
        with gr.Column(min_width=300, scale=6):
            cells = _figure("cells", "Press Solve.", 520)
            with gr.Row(elem_classes="gensot-run"):
                play = gr.Button("Play", size="sm", min_width=80, scale=1, elem_id="play")
                moment = BoundedSlider(
                    0, 100, 100, step=1, label="Moment of the ascent, %", scale=5, min_width=200, elem_id="moment"
                )
            timer = gr.Timer(0.4, active=False)
        with gr.Column(min_width=300, scale=5):
            heights = _figure("heights", "Press Solve.", 300)
            error = _figure("error", "Press Solve.", 300)
    with gr.Row():
        with gr.Column(min_width=300):
            dual = _figure("dual", "Press Solve.", 300)
        with gr.Column(min_width=300):
            steps = _figure("newton", "Press Solve.", 300)
    with gr.Row():
        with gr.Column(min_width=300, scale=6):
            smooth = _figure("smoothed", "Press Solve.", 480)
            tau = BoundedSlider(*TAU, DEFAULT_TAU, step=0.01, label="Smoothing τ", elem_id="tau")
            smooth_said = gr.HTML(elem_id="smoothed-said")
        with gr.Column(min_width=300, scale=5):
            discrete = _figure("discrete", "Press Solve: this comes last.", 340)
    shown = [state, status, said, cells, heights, error, dual, steps, discrete, smooth, smooth_said, moment, query]
    gr.Markdown(PICTURES, elem_classes="gensot-lead")
    with gr.Row(elem_classes=["gensot-split", "gensot-controls-first"]):
        with gr.Column(scale=4, min_width=300, elem_classes="gensot-controls"):
            pictures = PicturesControls()
        with gr.Column(scale=9, min_width=320):
            with gr.Row(elem_classes="gensot-run"):
                look = gr.Button("Show the stored heights", min_width=140, variant="primary", elem_id="stored")
                anew = gr.Button("Solve anew", min_width=100, elem_id="anew")
                halt = gr.Button("Stop", min_width=80, elem_id="halt")
            line = gr.HTML(report.status("Reading the pictures…"), elem_id="pictures-status")
            found_said = gr.HTML(elem_id="pictures-verdict")
            wall = PictureWall(empty="Press a button: where noise goes appears here.", elem_id="wall")
    with gr.Row():
        with gr.Column(min_width=300):
            shares = _figure("shares", "Press a button.", 340)
        with gr.Column(min_width=300):
            rounds = _figure("rounds", "Solve anew to see an ascent; stored heights keep none.", 340)
    found = [line, found_said, wall, shares, rounds]
    with gr.Accordion("How to read this, and how it is done", open=False):
        gr.Markdown(READ)

    here, there = plane.all(), pictures.all()

    @WARM_UP.yields_to
    def solving(*values: Any) -> Iterator[list[Any]]:
        yield from _solve(plane, pictures, values)

    def opening(run: PlaneRun | None, *values: Any) -> Iterator[list[Any]]:
        if run is None:
            yield from _open(plane, pictures, values)
        else:
            yield [gr.skip()] * len(shown)

    @WARM_UP.yields_to
    def looking(*values: Any) -> Iterator[list[Any]]:
        yield from find_pictures(pictures, values, stored_only=True)

    @WARM_UP.yields_to
    def finding(*values: Any) -> Iterator[list[Any]]:
        yield from find_pictures(pictures, values, stored_only=False)

    def restore(request: gr.Request) -> list[Any]:
        return _restore(plane, pictures, request)

    inputs = [*here, *there, tau]
    first = [*here, *there, tau, notice, *shown, *found]
    # what a link asks for may take seconds: the page stands before, and waits for nobody's run
    opened = Context.root_block.load(restore, None, first, **QUIET).then(
        opening, [state, *inputs], shown, concurrency_limit=limits.RUNS_AT_ONCE, **QUIET
    )
    opened.then(None, query, None, js=_KEPT_TRUE, api_visibility="private")
    # a run follows an empty event, so that those of other settings are cancelled at once
    begun = [(go, go.click(None, None, None, **QUIET).then(solving, inputs, shown, **HEAVY))]
    for button, (_, change) in zip(presets, HEIGHTS, strict=True):
        chosen = button.click(_setter(plane, PlaneRequest(**change)), None, here, **QUIET).then(
            solving, inputs, shown, **HEAVY
        )
        begun.append((button, chosen))
    runs = [event for _, event in begun]
    for button, own in begun:
        address_follows(own, query)
        others = [event for event in runs if event is not own]
        gr.on(button.click, _at_rest, None, [timer, play], cancels=[*others, opened], **QUIET)
    # what is set is meant: no number without an effect
    for name, kind in (("number", "random"), ("own", "own")):
        plane[name].input(None, None, plane["points"], js=f"() => {json.dumps(kind)}", api_visibility="private")
    fresh.click(fresh_seed, None, plane["seed"], **QUIET)
    changed = [*(part.input for part in here), fresh.click]
    gr.on(changed, None, None, None, cancels=[*runs, opened], api_visibility="private").then(
        None, None, status, js=f"() => {json.dumps(report.status(_CHANGED))}", api_visibility="private"
    )
    stop.click(None, None, None, cancels=[*runs, opened], api_visibility="private").then(
        lambda: report.status("Stopped. What was found so far stays."), None, status, **QUIET
    )
    moving = [cells, heights, error, dual]
    light = {**QUIET, "queue": False}
    moment.input(_at_moment, [state, moment], moving, trigger_mode="always_last", **light)
    play.click(_played, [state, moment, play], [timer, moment, play], **light)
    timer.tick(_ticked, [state, moment], [timer, moment, play, *moving], **light)
    tau.change(_at_tau, [state, tau], [smooth, smooth_said], trigger_mode="always_last", **light)

    views = [
        look.click(None, None, None, **QUIET).then(looking, there, found, **HEAVY),
        anew.click(None, None, None, **QUIET).then(finding, there, found, **LONG),
    ]
    gr.on(look.click, None, None, None, cancels=[views[1]], api_visibility="private")
    gr.on(anew.click, None, None, None, cancels=[views[0]], api_visibility="private")
    gr.on([part.input for part in there], None, None, None, cancels=views, api_visibility="private").then(
        lambda: report.status("Press a button for these pictures. What is shown is of others."), None, line, **QUIET
    )
    halt.click(None, None, None, cancels=views, api_visibility="private").then(
        lambda: report.status("Stopped. What was found so far stays."), None, line, **QUIET
    )
    for event in views:
        event.then(_quiet_link(plane, pictures), inputs, query, **QUIET).then(
            None, query, None, js="(q) => { if (q) window.gensot.replaceQuery(q); }", api_visibility="private"
        )
    copies_link(link, query, lambda *values: _link(plane, pictures, values), inputs, query)
    static_ot_heights_endpoints.publish()


def _figure(name: str, empty: str, height: int) -> PlotlyFigure:
    title, text = QUESTIONS[name]
    gr.Markdown(f"### {title}\n{text}", elem_classes="gensot-question gensot-question-short")
    return PlotlyFigure(empty=empty, height=height, elem_id=f"figure-{name}", filename=f"gensot-heights-{name}")


# ---- points in the plane ---------------------------------------------------------------------------------------------


def _index(run: PlaneRun, share: float) -> int:
    return round(share / 100 * max(len(run.moments) - 1, 0))


def _moving(run: PlaneRun, index: int) -> list[Any]:
    return [cells_figure(run, index), heights_figure(run, index), error_figure(run, index), dual_figure(run, index)]


def _smooth(run: PlaneRun, tau: float) -> list[Any]:
    found = smoothed(run, tau)
    return [smoothed_figure(run, found), f'<p class="gensot-law">{report.escape(of_smoothing(found))}</p>']


def _pictures(run: PlaneRun, status: str, tau: float | None, share: float = 100) -> list[Any]:
    """As ``shown`` on the page, without the query; no tau: the smoothed map stays as it is. share: the moment shown."""
    smooth = [gr.skip()] * 2 if tau is None else _smooth(run, tau)
    moving = _moving(run, _index(run, share))
    return [
        run,
        status,
        report.sentences(of_plane(run)),
        *moving,
        newton_figure(run),
        discrete_figure(run),
        *smooth,
        share,
    ]


def _finished(run: PlaneRun, then: str = "") -> str:
    count, judged = len(run.exact.points), len(run.moments)
    return report.status(
        f"{count} point{'s' * (count > 1)}, {run.moments[-1].samples:,} draws, {judged} moment{'s' * (judged > 1)} "
        f"judged.{then}"
    )


def _wanted(plane: PlaneControls, pictures: PicturesControls, values: tuple[Any, ...]) -> Wanted:
    split, both = len(plane.parts), len(plane.parts) + len(pictures.parts)
    first = plane.request(values[:split])
    return Wanted(first, pictures.request(values[split:both]), smoothing(values[both]))


def _solve(plane: PlaneControls, pictures: PicturesControls, values: tuple[Any, ...]) -> Iterator[list[Any]]:
    others = [gr.skip()] * 11
    try:
        tau = smoothing(values[-1])
        request = plane.request(values[: len(plane.parts)])
        kept = RUNS.find(request)
        if kept is not None:
            run = RUNS.get(kept)
            yield [*_pictures(run, _finished(run), tau), _address(plane, pictures, values)]
            return
        drawn, first = 0.0, True
        for run in run_plane(request):
            if run.exact is None:
                if time.perf_counter() - drawn > _EVERY:
                    yield [gr.skip(), report.running(run.doing, run.done, run.seconds), *others]
                    drawn = time.perf_counter()
            elif run.complete:
                RUNS.keep(run)
                yield [*_pictures(run, _finished(run), tau), _address(plane, pictures, values)]
            elif first or time.perf_counter() - drawn > _EVERY:
                line = report.running(_doing(run), run.done, run.seconds)
                yield [*_pictures(run, line, tau if first else None), gr.skip()]
                drawn, first = time.perf_counter(), False
    except Exception as error:
        yield [gr.skip(), _failed(error), *others]


def _open(plane: PlaneControls, pictures: PicturesControls, values: tuple[Any, ...]) -> Iterator[list[Any]]:
    """The exact cells of what a link asks for."""
    others = [gr.skip()] * 11
    try:
        for run in run_plane(plane.request(values[: len(plane.parts)])):
            if run.exact is not None:
                count = len(run.exact.points)
                line = f"The exact cells of {count} point{'s' * (count > 1)}. Press Solve to see them found."
                yield [*_pictures(run, report.status(line), smoothing(values[-1])), gr.skip()]
                return
            if run.seconds > _EVERY:
                yield [gr.skip(), report.running(run.doing, run.done, run.seconds), *others]
    except Exception as error:
        yield [gr.skip(), _failed(error), *others]


def _failed(error: Exception) -> str:
    """The status line for it."""
    if isinstance(error, (InvalidRequest, Explained)):
        return report.status(str(error), kind="error")
    logging.getLogger(__name__).error("solving failed", exc_info=error)
    sentence = f"Solving failed ({type(error).__name__}); what is shown stays. Other settings may work."
    return report.status(sentence, kind="error")


def _at_rest() -> list[Any]:
    """[timer, play]: nothing is played."""
    return [gr.Timer(active=False), "Play"]


def _doing(run: PlaneRun) -> str:
    if not run.moments or run.discrete or not run.doing.startswith("Climbing"):
        return run.doing
    return f"{run.moments[-1].samples:,} draws, mass error {run.moments[-1].mass_error:.2%}"


def _at_moment(run: PlaneRun | None, share: float) -> list[Any]:
    return [gr.skip()] * 4 if run is None or not run.moments else _moving(run, _index(run, share))


def _played(run: PlaneRun | None, share: float, says: str) -> list[Any]:
    """Play from here, or from the start where it stands at the end; or pause."""
    if run is None or len(run.moments) < 2:
        return [gr.skip()] * 3
    if says == "Pause":
        return [gr.Timer(active=False), gr.skip(), "Play"]
    return [gr.Timer(active=True), 0 if share >= 100 else share, "Pause"]


def _ticked(run: PlaneRun | None, share: float) -> list[Any]:
    if run is None or len(run.moments) < 2 or share >= 100:
        return [gr.Timer(active=False), gr.skip(), "Play", *[gr.skip()] * 4]
    share = min(100, share + max(100 / (len(run.moments) - 1), 2.5))
    return [gr.skip() if share < 100 else gr.Timer(active=False), round(share),
            gr.skip() if share < 100 else "Play", *_moving(run, _index(run, share))]  # fmt: skip


def _at_tau(run: PlaneRun | None, tau: float) -> list[Any]:
    return [gr.skip()] * 2 if run is None else _smooth(run, smoothing(tau))


# ---- the address -----------------------------------------------------------------------------------------------------


def _restore(plane: PlaneControls, pictures: PicturesControls, request: gr.Request) -> list[Any]:
    """[controls…, tau, notice, shown…, found…] from the address."""
    wanted, notice = followed(lambda: from_query(request.url.query or ""), Wanted())
    controls = [*plane.values(wanted.plane), *pictures.values(wanted.pictures), wanted.tau]
    kept = RUNS.find(wanted.plane)
    if kept is not None:
        run = RUNS.get(kept)
        shown = [*_pictures(run, _finished(run, " Press Play to watch it."), wanted.tau, 0), to_query(wanted)]
    else:
        shown = [None, report.status("Finding the exact cells…"), "", *[None] * 7, "", 100, to_query(wanted)]
    name = FOUND.find(wanted.pictures)
    if name is not None:
        found = shown_pictures(FOUND.get(name))
    else:
        found = [report.status("Press a button: stored heights, or a new ascent."), "", None, None, None]
    return [*controls, notice, *shown, *found]


def _setter(controls: PlaneControls, request: PlaneRequest):
    return lambda: controls.values(request)


def _address(plane: PlaneControls, pictures: PicturesControls, values: tuple[Any, ...]) -> Any:
    try:
        return to_query(_wanted(plane, pictures, values))
    except InvalidRequest:  # of the part that did not run
        return gr.skip()


def _quiet_link(plane: PlaneControls, pictures: PicturesControls):
    return lambda *values: _address(plane, pictures, values)


def _link(plane: PlaneControls, pictures: PicturesControls, values: tuple[Any, ...]) -> str:
    try:
        return to_query(_wanted(plane, pictures, values))
    except InvalidRequest as error:
        raise gr.Error(str(error), duration=8, print_exception=False) from None
