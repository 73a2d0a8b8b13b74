"""The Transport page: the same ideas in two dimensions, where one can see the paths."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.context import Context

from gensot_demo.experiments.plane.links import from_query, to_query
from gensot_demo.experiments.plane.methods import METHODS
from gensot_demo.experiments.plane.presets import PRESETS, Preset
from gensot_demo.experiments.plane.request import SHOWN, TransportRequest
from gensot_demo.experiments.plane.run import Progress, TransportResult, measured, move, repeat, target_for, transport
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.player import Player
from gensot_demo.figures.transport import (
    dissipation_figure,
    distance_figure,
    entropy_figure,
    kinetic_figure,
    player_of,
    speed_figure,
)

from . import endpoints, report, transport_report
from .events import FRESH_SEEDS, HEAVY, LONG, QUIET, address_follows, copies_link, followed
from .transport_controls import TransportControls
from .warm_up import WARM_UP

REPEATED_SEEDS = 8
_STOPPED = "Stopped. What is shown is the last finished run."
_MOVED = 10  # outputs of a move: player, status, four figures, query, seed, seconds, the preset's text
_LEAD = (
    "Particles travel from a source to a target, by several methods at once, all on **the same noise**. Colour and "
    "shape say where a particle will end. Choose an experiment, or make your own."
)
_FIGURES = (
    (
        "How fast do they go?",
        "Mean speed of the flow. A path from a point bursts out and settles; optimal transport keeps one speed.",
        "speed",
    ),
    (
        "What does a moment cost?",
        "Kinetic energy, the square of the speed. Detours, wide starts and late decisions cost most.",
        "kinetic-energy",
    ),
    (
        "What has it cost so far?",
        "Dissipation: kinetic energy added up. From the same source no line can end below optimal transport's.",
        "dissipation",
    ),
    (
        "How far from the target?",
        "W₂ to the law asked for, by one block of particles. The band is what as many exact draws would score.",
        "distance",
    ),
    (
        "When is it decided?",
        "Entropy of the mode of arrival, given where a particle is now: 0 once the place tells the destination.",
        "entropy",
    ),
)


def build() -> None:
    """The page's content, inside its Blocks."""
    WARM_UP.add(_first_view)
    query = gr.Textbox(visible="hidden", elem_id="query")
    with gr.Row(elem_classes="gensot-split"):
        with gr.Column(scale=4, min_width=300, elem_classes="gensot-controls"):
            controls = TransportControls()
            _about()
        with gr.Column(scale=9, min_width=320, elem_classes="gensot-sticky"):
            gr.Markdown(_LEAD, elem_classes="gensot-lead")
            with gr.Row(elem_classes=["gensot-run", "gensot-presets"]):
                chosen = [gr.Button(item.title, size="sm", elem_id=f"preset-{item.name}") for item in PRESETS]
            told = gr.Markdown(elem_id="preset-text", visible=False)
            with gr.Row(elem_classes=["gensot-run", "gensot-actions"]):
                go = gr.Button("Run", variant="primary", min_width=100, elem_classes="gensot-starts", elem_id="run")
                stop = gr.Button("Stop", min_width=80, elem_id="stop")
                fresh = gr.Button("New noise", min_width=80, elem_classes="gensot-starts", elem_id="fresh")
                link = gr.Button("Copy link", min_width=80)
                status = gr.HTML(report.status("Preparing the first run…"), elem_id="status", scale=4)
            notice = gr.HTML(elem_id="notice", visible=False)
            player = Player(empty="The particles appear here.", elem_id="player", filename="gensot-transport")
            said = gr.HTML(elem_id="verdict")
    gr.Markdown("### Who arrives at the law asked for, and at what price?")
    table = gr.HTML(elem_id="table")
    with gr.Row(elem_classes="gensot-run"):
        again = gr.Button(f"Repeat on {REPEATED_SEEDS} seeds", scale=0, min_width=180, elem_id="repeat")
        again_status = gr.HTML(elem_id="measure-status", scale=3)
    again_table = gr.HTML(elem_id="repeated")
    with gr.Accordion("How to read this, and what is approximate", open=False):
        gr.Markdown(transport_report.GLOSSARY)
    figures = _figures()
    *moving, distance, entropy = figures
    took = gr.State(0.0)

    @WARM_UP.yields_to
    def run(*values: Any) -> Iterator[list[Any]]:
        yield from _move(controls, values)

    @WARM_UP.yields_to
    def run_fresh(*values: Any) -> Iterator[list[Any]]:
        yield from _move(controls, values, new_seed=True)

    @WARM_UP.yields_to
    def measure(seconds: float, *values: Any) -> Iterator[list[Any]]:
        yield from _measure(controls, values, seconds)

    def restore(request: gr.Request) -> list[Any]:
        return _restore(controls, request)

    start = {
        "inputs": controls.all(),
        "outputs": [player, status, *moving, entropy, query, controls["seed"], took, told],
        **HEAVY,
    }
    moves = [
        Context.root_block.load(restore, None, [*controls.all(), notice, told], **QUIET).then(run, **start),
        go.click(run, **start),
        fresh.click(run_fresh, **start),
        gr.on(_by_hand(controls), run, trigger_mode="always_last", **start),
    ]
    for button, item in zip(chosen, PRESETS, strict=True):
        values = _setter(controls, item)
        moves.append(button.click(values, None, [*controls.all(), told], **QUIET).then(run, **start))
    measures = [
        event.then(measure, [took, *controls.all()], [status, said, table, distance], **HEAVY) for event in moves
    ]
    repeating = again.click(
        lambda *values: (yield from _repeat(controls, values)), controls.all(), [again_status, again_table], **LONG
    )
    for event in measures:
        address_follows(event, query)
    stop.click(None, None, None, cancels=[*moves, *measures, repeating], api_visibility="private").then(
        lambda: [report.status(_STOPPED), ""], None, [status, again_status], **QUIET
    )
    copies_link(link, query, lambda *values: _link(controls, values), controls.all(), [query, status])
    player.select(_layers, None, controls["show"], **QUIET)
    endpoints.publish_transport()


def _by_hand(controls: TransportControls) -> list[Any]:
    """The events of a person's own changes, by mouse, finger or keyboard."""
    kinds = gr.Slider | gr.Dropdown | gr.CheckboxGroup | gr.HTML | gr.Number
    changed = [part.input for part in controls.all() if isinstance(part, kinds)]
    return [*changed, controls["values"].submit, controls["file"].upload]


def _setter(controls: TransportControls, item: Preset):
    return lambda: [*controls.values(item.request), _told(item)]


def _preset_of(request: TransportRequest) -> Preset | None:
    """The preset that a request is, whatever its noise and what is shown of it."""
    same = {"seed": request.seed, "show": request.show}
    return next((item for item in PRESETS if item.request.model_copy(update=same) == request), None)


def _told(item: Preset | None) -> dict[str, Any]:
    return gr.update(value=transport_report.preset_text(item) if item else "", visible=item is not None)


def _about() -> None:
    with gr.Accordion("The methods in a sentence each", open=False):
        lines = []
        for method in METHODS.values():
            lines.append(f"**{method.label}.** {method.summary}\n\n$${method.equation}$$\n\n*{method.source}*")
        gr.Markdown("\n\n".join(lines), latex_delimiters=[{"left": "$$", "right": "$$", "display": True}])


def _figures() -> list[PlotlyFigure]:
    figures = []
    for start in (0, 3):
        with gr.Row():
            for title, text, name in _FIGURES[start : start + 3]:
                with gr.Column(min_width=300):
                    gr.Markdown(f"### {title}\n{text}", elem_classes="gensot-question gensot-question-short")
                    figures.append(
                        PlotlyFigure(empty=f"{title.rstrip('?')}: run first.", height=360, filename=f"gensot-{name}")
                    )
    return figures


def _first_view() -> Iterator[None]:
    """What the first view needs, computed before anyone asks; and POT, which takes seconds to import."""
    for moment in transport(TransportRequest()):
        if isinstance(moment, TransportResult):
            player_of(moment)
        yield


def _move(controls: TransportControls, values: tuple[Any, ...], new_seed: bool = False) -> Iterator[list[Any]]:
    """Move the particles: updates of [player, status, speed, kinetic energy, dissipation, entropy, query, seed,
    seconds, preset's text]; the particles first."""
    keep = [gr.skip()] * _MOVED
    try:
        request, _ = controls.request(values)
        if new_seed:
            request = request.model_copy(update={"seed": random.randrange(FRESH_SEEDS)})
        for moment in move(request):
            if isinstance(moment, Progress):
                yield [gr.skip(), report.running(moment.doing, moment.done, moment.seconds), *keep[2:]]
                continue
            line = report.status(f"Moved in {moment.seconds:.1f} s. Measuring…", 0.0)
            rest = [to_query(request)[0], request.seed, moment.seconds, _told(_preset_of(request))]
            yield [player_of(moment) if moment.moving else None, line, *[gr.skip()] * 4, *rest]
            figures = (speed_figure, kinetic_figure, dissipation_figure, entropy_figure)
            yield [gr.skip(), gr.skip(), *(figure(moment) for figure in figures), *[gr.skip()] * 4]
    except Exception as error:
        yield [gr.skip(), _failed(error), *keep[2:]]


def _measure(controls: TransportControls, values: tuple[Any, ...], before: float) -> Iterator[list[Any]]:
    """Measure what has moved, which is kept and took ``before`` seconds: [status, verdict, table, distance]."""
    try:
        request, notes = controls.request(values)
        notes = [*notes, *to_query(request)[1]]
        *_, result = move(request)
        for moment in measured(result):
            if isinstance(moment, Progress):
                yield [report.running(moment.doing, moment.done, moment.seconds), *[gr.skip()] * 3]
                continue
            line = f"Done in {before + moment.seconds:.1f} s." if moment.complete else "Measuring…"
            yield [
                report.status(line, None if moment.complete else 1.0),
                transport_report.verdict_list(moment, notes),
                transport_report.table(moment),
                distance_figure(moment) or gr.skip(),
            ]
    except Exception as error:
        yield [_failed(error), *[gr.skip()] * 3]


def _failed(error: Exception) -> str:
    """A status line for what went wrong; the last result stays."""
    if isinstance(error, InvalidRequest):
        return report.status(str(error), kind="error")
    logging.getLogger(__name__).error("a transport failed", exc_info=error)
    sentence = f"This run failed ({type(error).__name__}); the last result stays. Other settings may work."
    return report.status(sentence, kind="error")


def _repeat(controls: TransportControls, values: tuple[Any, ...]) -> Iterator[list[Any]]:
    """The same request on other seeds: updates of [status, table]."""
    try:
        request, _ = controls.request(values)
        yield [report.status("Repeating…", 0.0), gr.skip()]
        for moment in repeat(request, REPEATED_SEEDS):
            if isinstance(moment, Progress):
                yield [report.running(moment.doing, moment.done, moment.seconds), gr.skip()]
            else:
                yield [gr.skip(), transport_report.repeated(moment)]
        yield [report.status(f"{REPEATED_SEEDS} seeds, {request.particles:,} particles each."), gr.skip()]
    except Exception as error:
        yield [_failed(error), gr.skip()]


def _restore(controls: TransportControls, request: gr.Request) -> list[Any]:
    """[controls…, notice, told] from the address; a bad link says so and shows the first view."""

    def read() -> tuple[TransportRequest, list[str]]:
        found, notes = from_query(request.url.query or "")
        target_for(found)
        return found, notes

    wanted, notice = followed(read, TransportRequest())
    return [*controls.values(wanted), notice, _told(_preset_of(wanted))]


def _link(controls: TransportControls, values: tuple[Any, ...]) -> list[Any]:
    """[query, status] for the settings as they stand."""
    try:
        text, notes = to_query(controls.request(values)[0])
    except InvalidRequest as error:
        raise gr.Error(str(error), duration=8, print_exception=False) from None
    return [text, report.status(" ".join(notes)) if notes else gr.skip()]


def _layers(event: gr.EventData) -> str:
    """The layers that the visitor has switched on, for the link; they come from the browser."""
    shown = event._data.get("show") or []
    return ",".join(name for name in SHOWN if name in shown)
