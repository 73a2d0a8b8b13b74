"""Energy, part Speed and accuracy: the speed of a path is what it costs and what it forgives."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
from gradio.context import Context

from gensot_demo.experiments.energy.presets import (
    ROBUSTNESS,
    ROBUSTNESS_COSTS,
    ROBUSTNESS_PLANES,
    ROBUSTNESS_SPINS,
    ROBUSTNESS_TIGHT,
    Changes,
)
from gensot_demo.experiments.energy.robustness import RobustnessRequest, line_flow, on_line
from gensot_demo.experiments.energy.robustness_links import from_query, to_query
from gensot_demo.experiments.energy.robustness_pictures import PicturesResult, of_pictures
from gensot_demo.experiments.energy.robustness_plane import PARTICLES, in_plane, turning
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.runs import RunStore
from gensot_demo.figures import energy_robustness as figures
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.wall import PictureWall, wall_row, wall_value
from gensot_demo.transport.errors import Explained

from . import energy_robustness_endpoints, report
from . import energy_robustness_report as words
from .energy_robustness_controls import (
    SWITCHED,
    PictureControls,
    SpaceControls,
    StartControls,
    TurnControls,
    request_of,
    setter,
    shown_for,
    values_of,
)
from .events import HEAVY, QUIET, address_follows, copies_link, followed
from .warm_up import WARM_UP

_LEAD = (
    "**The speed of a path is what it costs and what it forgives.** Start a generative flow from a slightly wrong "
    "law: how wrong can its end become? The answer is a bound without any model in it: the error's change is at most "
    "the dissipation of the path times how wrong the start was. Cheap paths are robust paths."
)
_READ = """
* **W₁**: the least mean distance by which one law has to be moved to become the other; data units.
* **D₀**: how wrong the start is, the mean squared relative error of its density (Pearson's χ²).
* **η = (W₁(end) − W₁(start))² / (τ D₀)**, the response, with τ = 1 the duration. Always η ≤ c₁ ≤ c₂ ≤ dissipation:
  η does not say whether the error shrank or grew.
  c₁ counts the detours of W₁, c₂ = ∫ v₂² dt is the squared speed of the law in W₂, the dissipation ∫ E|v|² dt
  counts whatever goes round in circles too: more than c₂ only where the flow is turned.
* **W₂²/τ**, the squared distance from noise to data, is the floor of c₂; steady optimal transport reaches it.
* On the line everything is by quantiles, without particles. With particles, in any dimension, the relation is exact
  about the particles, for steps of any size; W₁ is an exact coupling. Another 300 particles would give somewhat other
  numbers, which is the jitter of η over ω.
* Data in the plane and pictures are centred and scaled to variance 1 per coordinate; the first law on the line is the
  paper's own, of variance 0.45, where the kinetic-optimal schedule is not defined.
* Ikeda, Uda, Okanohara & Ito, arXiv 2407.04495, PRX 15, 031031.
"""
_PLANE_RUNS = RunStore(capacity=12, size=lambda result: 200_000, button="Couple again")
_TURN_RUNS = RunStore(capacity=12, size=lambda result: 100_000, button="Couple again")
_PLANE_FIELDS = ("target", "angle")
_TURN_FIELDS = (*_PLANE_FIELDS, "turn", "euler")
_PICTURE_FIELDS = ("backbone", "particles", "steps", "seed")
_AT_REST = """() => new Promise((due) => {
    clearTimeout(window.gensot.resting);
    window.gensot.resting = setTimeout(() => due(String(Date.now())), 250);
})"""
_FAILED = "This failed ({}); what is shown stays."


def _question(title: str, text: str) -> None:
    gr.Markdown(f"### {title}\n{text}", elem_classes="gensot-energy-question")


def _figure(name: str, empty: str = "Not computed yet.", height: int = 330, title: str = "") -> PlotlyFigure:
    with gr.Column(min_width=300):
        if title:
            gr.Markdown(f"### {title}")
        return PlotlyFigure(empty=empty, height=height, filename=f"gensot-{name}")


def _tries(text: str, changes: Changes) -> list[gr.Button]:
    """The line "What to try" with its buttons."""
    with gr.Row(elem_classes=["gensot-run", "gensot-trying"]):
        gr.Markdown(f"*What to try:* {text}", elem_classes="gensot-try")
        return [gr.Button(name, size="sm", elem_classes="gensot-preset", scale=0, min_width=110) for name, _ in changes]


def build() -> None:
    """The page's content, inside its Blocks."""
    WARM_UP.add(_first_view)
    query = gr.Textbox(visible="hidden", elem_id="query")
    # what the runs around and below depend on, and when those around are due: once settings have come to rest
    around_key, below_key, due = (gr.Textbox(visible="hidden") for _ in range(3))
    with gr.Row(elem_classes="gensot-split"):
        with gr.Column(scale=4, min_width=300, elem_classes="gensot-controls"):
            start = StartControls()
            with gr.Row(elem_classes="gensot-run"):
                link = gr.Button("Copy link", min_width=80)
        with gr.Column(scale=9, min_width=320):
            gr.Markdown(_LEAD, elem_classes="gensot-lead")
            status = gr.HTML(report.status("Computing the first view…"), elem_id="status")
            notice = gr.HTML(elem_id="notice", visible=False)
            _question(
                "What does a wrong start cost?",
                "Shaded: the law as it should be. Dashed: what really starts, and what it becomes. The flow carries "
                "the ratio of the two along; only the distance over which mass is misplaced shrinks or grows.",
            )
            with gr.Row():
                first = [_figure("start", title="At the start"), _figure("end", title="At the end")]
            first.append(_figure("error", height=270, title="The error W₁ on its way"))
            said = gr.HTML(elem_id="verdict")
            costs = _tries(
                "The smaller the shift, the more of the bound is used; too wide a start has no bound.",
        ROBUSTNESS_COSTS,
            )  # fmt: skip
    _question(
        "How tight is it?",
        "Each bar bounds the one on its left. The response η is the same for all; what a schedule pays, c₂, is not. "
        "Here c₂ is the dissipation D: no flow goes round in circles, so all motion moves the law. "
        "At every single time the squared rate of the error (dotted) stays below the dissipation rate (solid).",
    )
    with gr.Row():
        first += [_figure("bounds", height=400), _figure("rates", height=400)]
    line_table = gr.HTML(elem_id="table")
    tight = _tries(
        "With three modes the kinetic-optimal schedule joins, and comes nearest to the floor.",
        ROBUSTNESS_TIGHT,
    )  # fmt: skip
    _question(
        "And in the plane?",
        "Now optimal transport is another map. Particles are weighed by how much likelier the wrong start makes them; "
        "W₁ is an exact coupling of the weighed and the plain cloud. The start is wrong along one direction.",
    )
    with gr.Row(elem_classes="gensot-robust-row"):
        space = SpaceControls()
        halt = gr.Button("Stop", scale=0, min_width=80, elem_id="halt")
    plane_status = gr.HTML(elem_id="plane-status")
    with gr.Row():
        plane = [
            _figure("cloud-start", height=400),
            _figure("cloud-end", height=400),
            _figure("plane-bounds", height=400),
        ]
    plane_said = gr.HTML(elem_id="plane-said")
    planes = _tries(
        "Let the error point across the two modes: the flow narrows there, and the error shrinks. Along them it "
        "becomes wrong shares of the modes, and stays.",
        ROBUSTNESS_PLANES,
    )  # fmt: skip
    _question(
        "What does turning cost?",
        "Let the whole process rotate while it runs. Its laws at the end are the same, but particles go round in "
        "circles: the dissipation grows with ω². The error at the end changes only if the wrong start is left behind.",
    )
    with gr.Row(elem_classes="gensot-robust-row"):
        turns = TurnControls()
    with gr.Row():
        turned = [_figure("turning-paths", title="Flow lines"), _figure("turning-cost", title="Dissipation")]
    with gr.Row():
        turned += [
            _figure("turning-response", title="Response η"), _figure("turning-error", title="Euler's error"),
        ]  # fmt: skip
    turned_said = gr.HTML(elem_id="turned-said")
    spins = _tries(
        "Turn fast with few steps: the exact response does not move, Euler's does.",
        ROBUSTNESS_SPINS,
    )  # fmt: skip
    _question(
        "Does it hold for pictures?",
        "In thousands of dimensions, with the exact oracle of a picture collection or with a network. The start leans "
        "in the direction in which the pictures differ most. The bound is checked at every step while it runs.",
    )
    with gr.Row(elem_classes="gensot-robust-row"):
        pictures = PictureControls()
    with gr.Row(elem_classes="gensot-run"):
        go = gr.Button("Run on pictures", variant="primary", min_width=120, elem_id="run")
        stop = gr.Button("Stop", min_width=80, elem_id="stop")
    pictures_status = gr.HTML(elem_id="pictures-status")
    with gr.Row():
        drawn = [
            _figure("pictures-error", "Press Run on pictures: the error on its way, in thousands of dimensions.", 400),
            _figure("pictures-bounds", "Press Run on pictures: the response, and the bound it must keep.", 400),
        ]
    pictures_said = gr.HTML(elem_id="pictures-said")
    wall = PictureWall(empty="", elem_id="wall")
    gr.Markdown(
        "*What to try:* Shift the start by 2 and run again: few particles then carry all the weight, and the average "
        "picture at the end shows where a lean at the start leads.", elem_classes="gensot-try",
    )  # fmt: skip
    with gr.Accordion("How to read this", open=False):
        gr.Markdown(_READ)

    controls = [*start.all(), *space.all(), *turns.all(), *pictures.all()]
    shown = [status, said, *first, line_table, query, around_key, below_key]
    around = [plane_status, plane_said, *plane, turned_said, *turned]
    below = [pictures_status, pictures_said, *drawn, wall]
    light = {"inputs": controls, "outputs": shown, "trigger_mode": "always_last", "queue": False, **QUIET}

    @WARM_UP.yields_to
    def spatial(*values: Any) -> Iterator[list[Any]]:
        yield from _spatial(values)

    @WARM_UP.yields_to
    def pictured(*values: Any) -> Iterator[list[Any]]:
        yield from _pictured(values)

    loaded = Context.root_block.load(_restore, None, [*controls, notice, *shown], **QUIET)
    address_follows(loaded, query)
    start["start"].input(shown_for, start["start"], [start[name] for name in SWITCHED], **QUIET)
    address_follows(gr.on([part.input for part in controls], _show, **light), query)
    for button, (_, change) in zip([*costs, *tight, *planes, *spins], ROBUSTNESS, strict=True):
        chosen = button.click(setter(change), controls, controls, **QUIET).then(_show, **light)
        address_follows(chosen, query)
    run = go.click(pictured, controls, below, **HEAVY)
    # "multiple": what waits for a cancelled event would wait for ever
    beside = due.change(spatial, controls, around, trigger_mode="multiple", **HEAVY)
    around_key.change(None, None, None, cancels=[beside], api_visibility="private")
    around_key.change(None, None, due, js=_AT_REST, api_visibility="private")
    below_key.change(None, None, None, cancels=[run], api_visibility="private").then(
        _of_other_settings, pictures_status, pictures_status, **QUIET
    )
    for button, running, line in ((stop, run, pictures_status), (halt, beside, plane_status)):
        button.click(None, None, None, cancels=[running], api_visibility="private").then(_stopped, line, line, **QUIET)
    copies_link(link, query, _link, controls, query)
    energy_robustness_endpoints.publish()


def _first_view() -> Iterator[None]:
    """The default law's flow, the plane and its rotation."""
    request = RobustnessRequest()
    line_flow(request.law)
    yield
    yield from _kept(in_plane, request.only(*_PLANE_FIELDS), _PLANE_RUNS)
    yield from _kept(turning, request.only(*_TURN_FIELDS), _TURN_RUNS)
    for law in ("uneven", "three", "needles"):
        line_flow(law)
        yield


def _shown(request: RobustnessRequest) -> list[Any]:
    """[status, sentences, five figures, table, query, what the runs around and those below depend on]."""
    result = on_line(request)
    line = report.status("Computed in closed form, by quantiles.")
    return [
        line,
        words.line_html(result),
        *figures.line_figures(result),
        words.table(result.relations),
        to_query(request),
        to_query(request.only(*_TURN_FIELDS)),
        to_query(request.only(*_PICTURE_FIELDS)),
    ]


def _show(*values: Any) -> list[Any]:
    try:
        return _shown(request_of(*values))
    except Exception as error:
        return [_failed(error), *[gr.skip()] * 10]


def _spatial(values: tuple[Any, ...]) -> Iterator[list[Any]]:
    """[status, sentences, three figures, sentences, four figures]: the plane, then its rotation."""
    try:
        request = request_of(*values)
        for moment in _kept(in_plane, request.only(*_PLANE_FIELDS), _PLANE_RUNS):
            line = report.running("Coupling particles", moment.done, moment.seconds)
            bounds = figures.bounds_figure(moment.relations, moment.floor) if moment.relations else gr.skip()
            clouds = [figures.cloud_figure(moment, end) for end in (0, 1)]
            html = words.plane_html(moment) if moment.relations else gr.skip()
            yield [line, html, *clouds, bounds, *[gr.skip()] * 5]
        for moment in _kept(turning, request.only(*_TURN_FIELDS), _TURN_RUNS):
            line = report.running("Turning the flow", moment.done, moment.seconds)
            if moment.complete:
                line = report.status(f"{PARTICLES} particles, {len(moment.turns)} rotations, every coupling exact.")
            pictures = [
                figures.turning_paths(moment), figures.turning_dissipation(moment),
                figures.turning_response(moment), figures.turning_error(moment),
            ]  # fmt: skip
            yield [line, *[gr.skip()] * 4, words.turning_html(moment), *pictures]
    except Exception as error:
        yield [_failed(error), *[gr.skip()] * 9]


def _kept(run: Callable[[Any], Iterator[Any]], request: RobustnessRequest, store: RunStore) -> Iterator[Any]:
    """The moments of a run, or its kept result at once."""
    name = store.find(request)
    if name is not None:
        yield store.get(name)
        return
    for moment in run(request):
        yield moment
        if moment.complete:
            store.keep(moment)


def _pictured(values: tuple[Any, ...]) -> Iterator[list[Any]]:
    """[status, sentences, two figures, wall]."""
    try:
        steps = -1
        for moment in of_pictures(request_of(*values)):
            line = report.running(f"Moving {moment.request.particles} particles", moment.done, moment.seconds)
            if moment.complete:
                line = report.status(f"{moment.request.steps} steps in {moment.seconds:.1f} s, every coupling exact.")
            known = len(next(iter(moment.relations.values())).t) if moment.relations else 0
            if known == steps and not moment.complete:
                yield [line, *[gr.skip()] * 4]
                continue
            steps = known
            shown = [gr.skip()] * 2
            if known:
                shown = [figures.distance_figure(moment.relations), figures.bounds_figure(moment.relations, None)]
            yield [line, words.pictures_html(moment), *shown, _wall(moment) if moment.complete else gr.skip()]
    except Exception as error:
        yield [_failed(error), *[gr.skip()] * 4]


def _stopped(line: str | None) -> Any:
    """A run's status after Stop, unless it had ended before."""
    ended = line and "progressbar" not in line
    return gr.skip() if ended else report.status("Stopped. What was measured stays.")


def _of_other_settings(line: str | None) -> Any:
    """The status of pictures once the settings are no longer theirs."""
    return report.status("Measured with other settings; press Run on pictures for these.") if line else gr.skip()


def _wall(result: PicturesResult) -> str:
    """Average pictures, and those that the wrong start favours most and least."""
    said = [f"weight {weight:.2g}" for weight in result.weights]
    rows = [
        wall_row("average", "Average picture", result.averages, captions=("right start", "wrong start")),
        wall_row("ends", "Favoured most, then least", result.pictures, captions=said),
    ]
    return wall_value(rows, [""] * len(result.pictures), "Pictures at the end", False, "What arrives")


def _failed(error: Exception) -> str:
    if isinstance(error, InvalidRequest | Explained):
        return report.status(str(error), kind="error")
    logging.getLogger(__name__).error("speed and accuracy failed", exc_info=error)
    return report.status(_FAILED.format(type(error).__name__), kind="error")


def _restore(request: gr.Request) -> list[Any]:
    """[controls…, notice, shown…] from the address."""
    wanted, notice = followed(lambda: from_query(request.url.query or ""), RobustnessRequest())
    return [*values_of(wanted), notice, *_shown(wanted)]


def _link(*values: Any) -> str:
    try:
        return to_query(request_of(*values))
    except InvalidRequest as error:
        raise gr.Error(str(error), duration=8, print_exception=False) from None
