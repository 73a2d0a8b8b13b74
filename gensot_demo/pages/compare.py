"""The home page: guidance methods side by side on the same noise, and how far each is from the law asked for."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.context import Context

from gensot_demo.backbones.catalogue import CATALOGUE, EMBEDDED
from gensot_demo.backbones.emoji import load_collection
from gensot_demo.backbones.errors import BackboneUnavailable
from gensot_demo.experiments import limits
from gensot_demo.experiments.asking import ask_for, backbone_of
from gensot_demo.experiments.compare import CompareResult, Update, compare
from gensot_demo.experiments.links import from_query, to_query
from gensot_demo.experiments.measuring import measure
from gensot_demo.experiments.requests import CompareRequest, InvalidRequest
from gensot_demo.experiments.runs import RUNS
from gensot_demo.figures.comparison import decision_figure, dissipation_figure, energy_figure
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.wall import PictureWall

from . import endpoints, exports, inspector_endpoints, report
from .controls import BoundedSlider, Controls, run_controls
from .events import FRESH_SEEDS, HEAVY, LONG, QUIET, Latest, address_follows, copies_link, followed, keep_first, ready
from .inspector import Inspector
from .method_controls import method_controls
from .models import FIRST, choose, first_card, model_choice
from .models import restored as restored_model
from .picture_drop import picture_drop
from .task_controls import ask_controls, show_what_applies
from .walls import beside, finished_wall, running_wall
from .warm_up import WARM_UP

DEFAULT_DRAWS = 384
_STOPPED = "Stopped. The pictures are as far as they got; the numbers below are those of the last finished run."
_OUTPUTS = 11  # wall, status, verdict, table, three figures, run name, what is asked for, query, seed


def build() -> None:
    """The page's content, inside its Blocks."""
    WARM_UP.add(_first_view)
    controls = Controls()
    run_name = gr.State("")
    query = gr.Textbox(visible="hidden", elem_id="query")  # the browser needs it, which never sees a State
    with gr.Row(elem_classes="gensot-split"):
        with gr.Column(scale=4, min_width=300, elem_classes="gensot-controls"):
            controls["backbone"] = model_choice()
            about, last_model = gr.HTML(first_card(), elem_id="backbone-card"), gr.State(FIRST)
            ask_controls(controls)
            method_controls(controls)
            run_controls(controls)
            vary = gr.Button("Make a grid of these settings", size="sm", elem_id="vary")
            picture_drop()
        with gr.Column(scale=9, min_width=320):
            with gr.Row(elem_classes=["gensot-run", "gensot-actions"]):
                go = gr.Button("Compare", variant="primary", min_width=120, elem_id="compare")
                stop = gr.Button("Stop", min_width=80, elem_id="stop")
                fresh = gr.Button("New noise", min_width=80, elem_id="fresh")
                link = gr.Button("Copy link", min_width=80)
                status = gr.HTML(report.status("Preparing the first comparison…"), elem_id="status", scale=4)
            gr.Markdown(
                "Every column starts from **the same noise**; every row guides it differently. What differs within "
                "a column is the method's doing alone. Click a picture (or press Enter on it) to see what happened.",
                elem_classes="gensot-lead",
            )
            notice = gr.HTML(elem_id="notice", visible=False)
            controls["beside"] = gr.Checkbox(
                False,
                label="Compare with a perfect model",
                info="The same methods, request and noise, but every prediction is exact: that model is the very "
                "pictures which the network learnt from.",
                elem_id="beside",
            )
            asked = gr.HTML(elem_id="asked")
            with gr.Row(elem_classes="gensot-beside"):
                wall = PictureWall(empty="The pictures appear here.", elem_id="wall", elem_classes="gensot-wall-block")
                truth = PictureWall(elem_id="truth", elem_classes="gensot-wall-block")
            truth_name, difference = gr.State(""), gr.HTML(elem_id="difference")
            verdict = gr.HTML(elem_id="verdict")
            inspector = Inspector()
            gr.Markdown("### Who does what was asked for, and at what price?")
            table = _Table()
    figures = _figures()
    controls.groups["measure"] = table.measuring
    show_what_applies(controls)
    outputs = [wall, status, verdict, table.table, *figures, run_name, asked, query, controls["seed"]]

    @WARM_UP.yields_to
    def run(*values: Any) -> Iterator[list[Any]]:
        yield from _run(controls, values)

    @WARM_UP.yields_to
    def run_fresh(*values: Any) -> Iterator[list[Any]]:
        yield from _run(controls, values, new_seed=True)

    @WARM_UP.yields_to
    def run_unless_shown(shown: str, *values: Any) -> Iterator[list[Any]]:
        yield from [[gr.skip()] * len(outputs)] if shown else _run_by_itself(controls, values)

    def restore(request: gr.Request) -> list[Any]:
        return _restore(controls, request)

    begin = {"inputs": controls.all(), "outputs": outputs, **HEAVY}
    restored = Context.root_block.load(restore, None, [*controls.all(), notice, *outputs], **QUIET)
    first = restored.then(run_unless_shown, **{**begin, "inputs": [run_name, *controls.all()]})
    beside_outputs = [truth, truth_name, difference]
    of_the_last_run = [*beside_outputs, table.status, *inspector.shown]
    computing = inspector.wire(((wall, run_name), (truth, truth_name)), QUIET, HEAVY)

    def cleared(button: gr.Button) -> Any:
        """What tells of the last run does not belong to the next one."""
        return button.click(_cleared, inspector.latest, of_the_last_run, **QUIET)

    runs = [cleared(go).then(run, **begin), cleared(fresh).then(run_fresh, **begin), first]
    switched = controls["beside"].input(
        lambda *values: _link(controls, values), controls.all(), [query, status], **QUIET
    )
    address_follows(switched, query)
    besides = [
        event.then(beside, [controls["beside"], run_name], beside_outputs, **HEAVY) for event in (*runs, switched)
    ]
    controls["backbone"].input(
        choose, [controls["backbone"], last_model], [controls["backbone"], about, last_model, status], **HEAVY
    )
    inspector.wire_link(first, run_name, QUIET)
    first.then(restored_model, controls["backbone"], [about, last_model], **HEAVY)
    measuring = table.button.click(_measure, [run_name, table.draws], [table.status, verdict, table.table], **LONG)
    ready(measuring, "#measure-status")
    for event in runs:
        address_follows(event, query)
    stop.click(None, None, None, cancels=[*runs, *besides, measuring, computing], api_visibility="private").then(
        lambda: [report.status(_STOPPED), "", ""], None, [status, table.status, inspector.status], **QUIET
    )
    copies_link(link, query, lambda *values: _link(controls, values), controls.all(), [query, status])
    vary.click(lambda *values: _link(controls, values), controls.all(), [query, status], **QUIET).success(
        None, query, None, js="(q) => { location.assign(`grid?${q}`); }", api_visibility="private"
    )
    endpoints.publish()
    exports.of_run(run_name, RUNS, lambda run: endpoints.plain(run, to_query(run.request)[1]))
    inspector_endpoints.publish()


def _cleared(latest: Latest) -> list[Any]:
    """Nothing of a run's exact twin, its measuring and its stories; nothing that is still being told comes after."""
    latest.choose()
    return ["", "", "", "", *Inspector.closed()]


class _Table:
    def __init__(self) -> None:
        self.table = gr.HTML(elem_id="table")
        with gr.Row(elem_classes="gensot-run", visible=False) as self.measuring:  # the first model's law is unknown
            self.draws = BoundedSlider(
                limits.MIN_DRAWS, limits.MAX_DRAWS, DEFAULT_DRAWS, step=64, label="Draws per method", scale=3
            )
            self.button = gr.Button("Measure against the exact law", scale=2, elem_id="measure")
        self.status = gr.HTML(elem_id="measure-status")
        with gr.Accordion("How to read this", open=False):
            gr.Markdown(report.GLOSSARY)


def _figures() -> list[PlotlyFigure]:
    """The three figures below the pictures, each with its question and what one sees."""
    figures = []
    with gr.Row():
        for title, text, empty in (
            (
                "When is the picture decided?",
                "The share of the final picture that the prediction already holds. What a reference gives away is "
                "known from the start; the rest is decided in a narrow band of noise levels. Above 1 the prediction "
                "overshoots.",
                "The order parameter appears here.",
            ),
            (
                "How fast does the state move?",
                "Kinetic energy of the probability flow. GenSOT's path starts at its guide and is held in a narrow "
                "tube, so it moves late and little; the others start from noise, which is larger the wider their path "
                "is (VE, some models' own). What arrives does not depend on it.",
                "Kinetic energy appears here.",
            ),
            (
                "What has it cost so far?",
                "Dissipation: kinetic energy added up over time, from the first noise level of the run to the last. "
                "A cheaper path also forgives more errors of its start.",
                "Dissipation appears here.",
            ),
        ):
            with gr.Column(min_width=300):
                gr.Markdown(f"### {title}\n{text}", elem_classes="gensot-question")
                figures.append(PlotlyFigure(empty=empty, height=340, filename="gensot-" + title.split()[0].lower()))
    return figures


def _first_view() -> Iterator[None]:
    yield from keep_first(compare, CompareRequest.first_view(), CompareResult, RUNS)
    load_collection().conditions()


def _run_by_itself(controls: Controls, values: tuple[Any, ...]) -> Iterator[list[Any]]:
    """The run that a link starts: a large model is loaded only when a person presses the button."""
    at = dict(zip(controls.parts, values, strict=False))
    if at["backbone"] in EMBEDDED:
        yield from _run(controls, values)
    else:
        sentence = f"Press Compare to load {at['backbone']} and run this link."
        yield [gr.skip(), report.status(sentence), *[gr.skip()] * (_OUTPUTS - 2)]


def _run(controls: Controls, values: tuple[Any, ...], new_seed: bool = False) -> Iterator[list[Any]]:
    """One comparison, as updates of [wall, status, verdict, table, 3 figures, run name, what is asked for, query,
    seed]."""
    keep = [gr.skip()] * _OUTPUTS
    try:
        request = controls.request(values)
        if new_seed:
            request = request.model_copy(update={"seed": random.randrange(FRESH_SEEDS)})
        text, notes = to_query(request)
        request = request.model_copy(update={"beside": False})
        yield [gr.skip(), report.status("Starting…", 0.0), *keep[2:9], text, request.seed]
        if shown := _kept(request):
            yield [*shown[:-2], text, request.seed]
            return
        if request.backbone not in EMBEDDED:
            yield [gr.skip(), report.status(f"Loading {CATALOGUE.info(request.backbone).label}…", 0.0), *keep[2:]]
        for moment in compare(request):
            if isinstance(moment, Update):
                yield [
                    running_wall(request, moment),
                    report.running("Sampling", moment.done, moment.seconds),
                    *keep[2:7],
                    "",  # what is on the wall now is no finished run
                    report.asked_for(request, moment.asked),
                    *keep[9:],
                ]
            else:
                yield [*_finished(moment, notes, RUNS.keep(moment)), text, request.seed]
    except (InvalidRequest, BackboneUnavailable) as error:
        yield [gr.skip(), report.status(str(error), kind="error"), *keep[2:]]
    except Exception as error:
        logging.getLogger(__name__).exception("a comparison failed")
        sentence = f"This run failed ({type(error).__name__}); the last result stays. Other settings may work."
        yield [gr.skip(), report.status(sentence, kind="error"), *keep[2:]]


def _kept(request: CompareRequest) -> list[Any] | None:
    """All outputs of a run of this request that is still kept, at once, or None."""
    name = RUNS.find(request.model_copy(update={"beside": False}))
    if name is None:
        return None
    text, notes = to_query(request)
    return [*_finished(RUNS.get(name), notes, name), text, request.seed]


def _finished(result: CompareResult, notes: list[str], run_name: str) -> list[Any]:
    """[wall, status, verdict, table, 3 figures, run name, what is asked for] of a finished comparison."""
    parts = list(result.methods.values())
    said = report.verdict_lines(result.verdict, [*result.notes, *notes]) + report.law_sentence(result)
    return [
        finished_wall(result, f"{result.backbone.info.label}: what each method did"),
        report.status(f"Done in {result.seconds:.1f} s."),
        said,
        report.table(result, result.reports),
        decision_figure(parts),
        energy_figure(parts),
        dissipation_figure(parts),
        run_name,
        report.asked_for(result.request, result.asked),
    ]


def _measure(run_name: str, draws: float) -> Iterator[list[Any]]:
    """Extra draws against the exact law: updates of [status, verdict, table]."""
    try:
        if not run_name:
            raise InvalidRequest("There is nothing to measure yet: press Compare first.")
        result = RUNS.get(run_name)
        yield [report.status("Measuring against the exact law…", 0.0), gr.skip(), gr.skip()]
        for moment in measure(result.request, int(draws)):
            done = moment.done >= 1
            line = (
                report.status(f"Measured with {moment.draws} draws a method in {moment.seconds:.1f} s.")
                if done
                else report.running(f"Measuring, {moment.draws} draws a method", moment.done, moment.seconds)
            )
            said = report.verdict_lines(moment.verdict, result.notes) + report.law_sentence(result)
            yield [line, said, report.table(result, moment.reports)]
    except InvalidRequest as error:
        yield [report.status(str(error), kind="error"), gr.skip(), gr.skip()]


def _restore(controls: Controls, request: gr.Request) -> list[Any]:
    """[controls…, notice, outputs…] from the address; a bad link says so and shows the first view."""
    first = CompareRequest.first_view()
    wanted, notice = followed(lambda: _wanted(request.url.query or "", first), first)
    return [*controls.values(wanted), notice, *(_kept(wanted) or [gr.skip()] * _OUTPUTS)]


def _wanted(query: str, first: CompareRequest) -> tuple[CompareRequest, list[str]]:
    """What a link asks for, if it can be asked; what it is silent about is as in the first view."""
    found, notes = from_query(query)
    CATALOGUE.info(found.backbone)
    if found.conditions or found.references or found.restore or found.reward:
        if found.backbone in EMBEDDED:
            ask_for(found, backbone_of(found))
        return found, notes
    own = {name: getattr(found, name) for name in found.model_fields_set - {"conditions", "references"}}
    start = first if own.get("backbone", FIRST) == FIRST else CompareRequest(references=first.references)
    return start.model_copy(update=own), notes


def _link(controls: Controls, values: tuple[Any, ...]) -> list[Any]:
    """[query, status] for the settings as they stand."""
    try:
        text, notes = to_query(controls.request(values))
    except InvalidRequest as error:
        raise gr.Error(str(error), duration=8, print_exception=False) from None
    return [text, report.status(" ".join(notes)) if notes else gr.skip()]
