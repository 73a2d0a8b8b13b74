"""Navigation, part Draw: a protocol is drawn in the plane, its closed form follows at once, its cloud on demand."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import Context

from gensot_demo.experiments.navigation.case_a import CASES
from gensot_demo.experiments.navigation.closed_form import closed_form, templates
from gensot_demo.experiments.navigation.cloud import Cloud, simulate
from gensot_demo.experiments.navigation.links import compare_link, from_query, to_query, transport_link
from gensot_demo.experiments.navigation.protocol_file import MOST_CHARACTERS, from_json, to_json
from gensot_demo.experiments.navigation.request import ProtocolRequest
from gensot_demo.experiments.plane.run import Progress
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.navigation import diagnostic_figures, plane_figure, snapshot_figures
from gensot_demo.figures.pad import read_drawing
from gensot_demo.figures.player import Player
from gensot_demo.figures.transport import player_of

from . import navigation_endpoints, navigation_report, report
from .events import HEAVY, QUIET, address_follows, copies_link, followed, ready
from .navigation_controls import NavigationControls, pad_value
from .warm_up import WARM_UP

LIGHT = {**QUIET, "queue": False}
_LEAD = (
    "A **guide** leads the way, **stiffness** holds to it, **temperature** shakes, and the **target** alone decides "
    "what arrives. Everything above the cloud is a closed form: no simulation."
)
_CASES = (
    "The paper's case A shows by hand-made guides *how geometry and stiffness shape lag, curvature effects, and mode "
    "evolution* (abstract of arXiv 2512.11859). Here is what its closed form says at the settings above."
)
_FIGURES = (
    ("How far is it led astray?", "Offset from the straight way: the mean follows a bend late, or in part.", "offset"),
    (
        "How well is it held?",
        "Adherence: half the stiffness times the mean square distance; its steps are the guide's pieces.",
        "adherence",
    ),
    ("What has it cost so far?", "Guiding and moving, added up. Moving is known up to t = .99.", "costs"),
    (
        "Where does spread come from?",
        "Noise on the way is gone at the end; the target's spread is all there.",
        "variance",
    ),
    (
        "How hard is it pushed?",
        "Mean square of the drift. It grows at the end, when the last noise is undone.",
        "drift",
    ),
    (
        "When is it decided?",
        "Share of the end that the place tells already; the dotted line is the splitting.",
        "order",
    ),
    ("When do ways part?", "Mean divergence of the drift: above zero neighbours part, below they meet.", "gradient"),
)
_DOWNLOAD = """(text) => {
  if (!text) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = "gensot-protocol.json";
  link.click();
  URL.revokeObjectURL(link.href);
}"""
_OPEN = """(target) => {
  if (!target) return;
  const root = new URL(window.gradio_config?.root || "/", location.href).pathname.replace(/\\/$/, "");
  location.assign(root + target);
}"""


def build() -> None:
    """The page's content, inside its Blocks."""
    WARM_UP.add(_first_view)
    query = gr.Textbox(visible="hidden", elem_id="query")
    text = gr.Textbox(visible="hidden", elem_id="exported")
    address = gr.Textbox(visible="hidden", elem_id="address")
    with gr.Row(elem_classes="gensot-split"):
        with gr.Column(scale=4, min_width=300, elem_classes="gensot-controls"):
            controls = NavigationControls()
        with gr.Column(scale=9, min_width=320):
            gr.Markdown(_LEAD, elem_classes="gensot-lead")
            notice = gr.HTML(elem_id="notice", visible=False)
            status = gr.HTML(elem_id="protocol-status")
            plane = PlotlyFigure(empty="The plane appears here.", height=520, filename="gensot-plane", elem_id="plane")
            said = gr.HTML(elem_id="verdict")
            with gr.Row(elem_classes=["gensot-run", "gensot-actions"]):
                go = gr.Button(
                    "Simulate the cloud", variant="primary", elem_classes="gensot-starts", elem_id="simulate"
                )
                stop = gr.Button("Stop", min_width=80, elem_id="stop")
                link = gr.Button("Copy link", min_width=80)
            cloud_status = gr.HTML(elem_id="status")
    with gr.Column(elem_classes="gensot-cloud"):
        player = Player(
            empty="Press Simulate the cloud: particles follow the drift through the tube, and their mean and spread "
            "are held against the closed forms above.",
            elem_id="player", filename="gensot-navigation",
        )  # fmt: skip
        with gr.Row(elem_classes="gensot-snapshots"):
            snapshots = [
                PlotlyFigure(
                    empty="",
                    height=250,
                    filename=f"gensot-cloud-{n}",
                    elem_id=f"snapshot-{n}",
                    elem_classes="gensot-if-any",
                )
                for n in range(5)
            ]
        terminal = gr.HTML(elem_id="terminal")
    gr.Markdown("### Diagnostics over time", elem_classes="gensot-lead")
    figures = _figures()
    gr.Markdown(f"### Case A: what guides can do, and cannot\n{_CASES}", elem_classes="gensot-lead")
    with gr.Row(elem_classes=["gensot-run", "gensot-presets"]):
        chosen = [gr.Button(case.title, size="sm", elem_id=f"case-{case.name}") for case in CASES]
    cases = gr.HTML(elem_id="cases")
    gr.Markdown("### Take the protocol with you", elem_classes="gensot-lead")
    with gr.Row(elem_classes="gensot-run"):
        export = gr.Button("Export as JSON", elem_id="export")
        to_transport = gr.Button("Open in Transport", elem_id="to-transport")
        to_compare = gr.Button("Use in Compare", elem_id="to-compare")
    gr.Markdown(
        "Compare takes GenSOT's stiffness and temperature. For pictures the guide is a picture: the reference, or the "
        "origin. Transport starts at the origin and follows a drawn guide at constant speed, with one stiffness and "
        "one temperature (the means).",
        elem_classes="gensot-lead",
    )
    file = gr.File(
        label="Import a protocol (JSON)", file_types=[".json"], type="filepath", height=120, elem_id="protocol-file"
    )
    file_status = gr.HTML(elem_id="file-status")

    inputs = controls.all()
    shown = [plane, *figures, said, status, query]

    def show(*values: Any) -> list[Any]:
        return _show(controls, values)

    def compare(*values: Any) -> Any:
        return _cases(controls, values)

    def template(*values: Any) -> Any:
        return _template(controls, values)

    def finish(event) -> None:
        address_follows(event.then(compare, inputs, cases, **LIGHT), query)

    restoring = Context.root_block.load(_restorer(controls), None, [*inputs, notice], **QUIET)
    finish(restoring.then(show, inputs, shown, **LIGHT))
    pad_tool = controls["pad"].input(_tool_of, [controls["pad"], controls["shape"]], controls["shape"], **LIGHT)
    finish(pad_tool.then(show, inputs, shown, **LIGHT))
    redrawn = [controls[name].input for name in ("shape", "amplitude", "target")]
    finish(
        gr.on(redrawn, template, inputs, controls["pad"], trigger_mode="always_last", **LIGHT).then(
            show, inputs, shown, **LIGHT
        )
    )
    moved = [controls[name].input for name in ("stiffness", "temperature", "pieces", "drawing")]
    moved += [controls[name].submit for name in ("stiffness_pieces", "temperature_pieces", "start")]
    moved += [controls[name].blur for name in ("stiffness_pieces", "temperature_pieces", "start")]
    finish(gr.on(moved, show, inputs, shown, trigger_mode="always_last", **LIGHT))
    for button, case in zip(chosen, CASES, strict=True):
        finish(button.click(_setter(controls, case.request), None, inputs, **LIGHT).then(show, inputs, shown, **LIGHT))
    finish(
        file.upload(lambda path: _import(controls, path), file, [*inputs, file_status], **LIGHT).then(
            show, inputs, shown, **LIGHT
        )
    )

    @WARM_UP.yields_to
    def run(*values: Any) -> Iterator[list[Any]]:
        yield from _simulate(controls, values)

    running = go.click(run, inputs, [player, *snapshots, terminal, cloud_status], **HEAVY)
    ready(running)
    stop.click(None, None, None, cancels=[running], api_visibility="private").then(
        lambda: report.status("Stopped. What is shown is the last finished cloud."), None, cloud_status, **QUIET
    )
    copies_link(link, query, lambda *values: _link(controls, values), inputs, [query, status])
    export.click(lambda *values: to_json(_asked(controls, values)), inputs, text, **LIGHT).success(
        None, text, None, js=_DOWNLOAD, api_visibility="private"
    )
    for button, path, query_of in ((to_transport, "/transport", transport_link), (to_compare, "/", compare_link)):
        button.click(_leading(controls, path, query_of), inputs, address, **LIGHT).success(
            None, address, None, js=_OPEN, api_visibility="private"
        )
    navigation_endpoints.publish()


def _figures() -> list[PlotlyFigure]:
    figures = []
    for start in (0, 4):
        with gr.Row(elem_classes="gensot-diagnostics"):
            for title, words, name in _FIGURES[start : start + 4]:
                with gr.Column(min_width=250):
                    gr.Markdown(f"### {title}\n{words}", elem_classes="gensot-question gensot-question-short")
                    figures.append(PlotlyFigure(height=280, filename=f"gensot-{name}", elem_id=f"diagnostic-{name}"))
    return figures


def _first_view() -> Iterator[None]:
    """The table of the first target and the first figures, before anyone asks."""
    form = closed_form(ProtocolRequest())
    plane_figure(form)
    yield


def _show(controls: NavigationControls, values: tuple[Any, ...]) -> list[Any]:
    """[plane, seven figures, said, status, query] of the settings; what was shown stays where they are no protocol."""
    try:
        request = controls.request(values)
        form = closed_form(request)
    except Exception as error:
        return [*[gr.skip()] * (2 + len(_FIGURES)), _failed(error), gr.skip()]
    found, notes = to_query(request)
    told = report.status(" ".join(notes)) if notes else ""
    return [plane_figure(form), *diagnostic_figures(form), navigation_report.said(form), told, found]


def _cases(controls: NavigationControls, values: tuple[Any, ...]) -> Any:
    """The table of the templates."""
    try:
        request = controls.request(values)
        return navigation_report.case_table(request, templates(request), request.law()[0])
    except InvalidRequest:
        return gr.skip()


def _simulate(controls: NavigationControls, values: tuple[Any, ...]) -> Iterator[list[Any]]:
    """Updates of [player, five snapshots, terminal table, status]."""
    keep = [gr.skip()] * 7
    try:
        request = controls.request(values)
        form = closed_form(request)
        for moment in simulate(request):
            if isinstance(moment, Progress):
                yield [*keep, report.running(moment.doing, moment.done, moment.seconds)]
            elif not moment.result.complete:
                yield _moved(moment, form)
            else:
                line = f"{request.particles:,} particles, {request.steps} steps, {moment.result.seconds:.1f} s."
                yield [*[gr.skip()] * 6, navigation_report.terminal_table(moment), report.status(line)]
    except Exception as error:
        yield [*keep, _failed(error)]


def _moved(cloud: Cloud, form) -> list[Any]:
    line = report.status("Moved. Measuring what arrives…", 1.0)
    return [player_of(cloud.result), *snapshot_figures(cloud, form), gr.skip(), line]


def _failed(error: Exception) -> str:
    """A status line for what went wrong; what was shown stays."""
    if isinstance(error, InvalidRequest):
        return report.status(str(error), kind="error")
    logging.getLogger(__name__).error("a navigation failed", exc_info=error)
    return report.status(f"This failed ({type(error).__name__}); what was shown stays.", kind="error")


def _asked(controls: NavigationControls, values: tuple[Any, ...]) -> ProtocolRequest:
    """The request, or an error that a button's press shows."""
    try:
        return controls.request(values)
    except InvalidRequest as error:
        raise gr.Error(str(error), duration=8, print_exception=False) from None


def _leading(controls: NavigationControls, path: str, query_of):
    def address(*values: Any) -> str:
        return f"{path}?{query_of(_asked(controls, values))[0]}"

    return address


def _link(controls: NavigationControls, values: tuple[Any, ...]) -> list[Any]:
    found, notes = to_query(_asked(controls, values))
    return [found, report.status(" ".join(notes)) if notes else gr.skip()]


def _tool_of(drawing: str | None, shape: str) -> str:
    """The guide that a person draws: the pad's tool, once it holds something."""
    try:
        found = read_drawing(drawing)
    except ValueError:
        return shape
    if found.tool == "curve" and len(found.curve):
        return "curve"
    return "knots" if found.tool == "knots" else shape


def _template(controls: NavigationControls, values: tuple[Any, ...]) -> Any:
    """A template's knots on the pad, over the chosen target; a drawing stays, over the new target."""
    try:
        return pad_value(controls.request(values))
    except InvalidRequest:
        return gr.skip()


def _setter(controls: NavigationControls, request: ProtocolRequest):
    return lambda: controls.values(request)


def _import(controls: NavigationControls, path: str | None) -> list[Any]:
    """[controls…, status] of an imported file; a bad one says so and changes nothing."""
    try:
        if not path:
            raise InvalidRequest("No file arrived; try again.")
        size = Path(path).stat().st_size
        if size > MOST_CHARACTERS:
            raise InvalidRequest(f"The file has {size / 1e6:.1f} MB; at most {MOST_CHARACTERS / 1e6:.0f} MB are read.")
        request = from_json(Path(path).read_bytes().decode("utf-8-sig"))
        request.law()
    except UnicodeDecodeError:
        return [*[gr.skip()] * len(controls.all()), report.status("The file is no text.", kind="error")]
    except InvalidRequest as error:
        return [*[gr.skip()] * len(controls.all()), report.status(str(error), kind="error")]
    return [*controls.values(request), report.status(f"Imported: {request.pieces} pieces to {request.law()[0].label}.")]


def _restorer(controls: NavigationControls):
    """[controls…, notice] from the address; a bad link says so and shows the first view."""

    def restore(request: gr.Request) -> list[Any]:
        def read() -> tuple[ProtocolRequest, list[str]]:
            found, notes = from_query(request.url.query or "")
            found.law()
            return found, notes

        wanted, notice = followed(read, ProtocolRequest())
        return [*controls.values(wanted), notice]

    return restore
