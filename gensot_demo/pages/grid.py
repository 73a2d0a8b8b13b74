"""The Grid page: one comparison over a grid of settings, every cell with the same noise."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import Context
from gradio.utils import get_upload_folder

from gensot_demo.backbones.catalogue import CATALOGUE, EMBEDDED
from gensot_demo.backbones.errors import BackboneUnavailable
from gensot_demo.experiments import links
from gensot_demo.experiments.grid.request import GridRequest, from_query, to_query
from gensot_demo.experiments.grid.run import GridResult, GridUpdate, estimate, run_grid
from gensot_demo.experiments.picture_settings import png_text, settings_text
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.figures.grid import grid_sheet
from gensot_demo.figures.wall import PictureWall

from . import exports, grid_endpoints, report
from .events import HEAVY, QUIET, address_follows, copies_link, followed, keep_first
from .grid_controls import GridControls, axis_controls, shared_controls
from .grid_endpoints import GRIDS
from .grid_report import GridWall, cell_number, detail, finished_wall
from .models import FIRST, choose, first_card, model_choice
from .models import restored as restored_model
from .picture_drop import picture_drop
from .warm_up import WARM_UP

_SHEETS: set[str] = set()  # files that the app deletes in time
_BY_ITSELF = 30.0  # seconds that a link may take without anybody pressing a button
_OUTPUTS = 6  # wall, status, one cell, run name, query, sheet
_LEAD = (
    "Every cell is made with **the same noise**; only the settings on the axes change. So what changes along a row or "
    "a column is the doing of that setting alone. Click a cell for its settings."
)


def build() -> None:
    """The page's content, inside its Blocks."""
    WARM_UP.add(_first_view)
    controls = GridControls()
    run_name = gr.State("")
    query = gr.Textbox(visible="hidden", elem_id="query")
    with gr.Row(elem_classes="gensot-split"):
        with gr.Column(scale=4, min_width=300, elem_classes="gensot-controls"):
            gr.Markdown("### What all cells share")
            controls.base["backbone"] = model_choice()
            about, last_model = gr.HTML(first_card(), elem_id="backbone-card"), gr.State(FIRST)
            shared_controls(controls)
            picture_drop()
        with gr.Column(scale=9, min_width=320):
            with gr.Row(elem_classes=["gensot-run", "gensot-actions"]):
                go = gr.Button("Make the grid", variant="primary", min_width=120, elem_id="make")
                stop = gr.Button("Stop", min_width=80, elem_id="stop")
                link = gr.Button("Copy link", min_width=80)
                status = gr.HTML(report.status("Preparing the first grid…"), elem_id="status", scale=4)
            gr.Markdown(_LEAD, elem_classes="gensot-lead")
            notice = gr.HTML(elem_id="notice", visible=False)
            axis_controls(controls)
            cost = gr.HTML(elem_id="cost")
            wall = PictureWall(
                empty="The pictures appear here.", elem_id="wall", elem_classes=["gensot-wall-block", "gensot-grid"]
            )
            cell = gr.HTML(elem_id="cell")
            sheet = gr.DownloadButton("Download as one picture", visible=False, elem_id="sheet", size="sm")
    Context.root_block.temp_file_sets.append(_SHEETS)
    inputs, outputs = controls.all(), [wall, status, cell, run_name, query, sheet]

    @WARM_UP.yields_to
    def run(*values: Any) -> Iterator[list[Any]]:
        yield from _run(controls, values)

    @WARM_UP.yields_to
    def run_unless_shown(shown: str, *values: Any) -> Iterator[list[Any]]:
        yield from [[gr.skip()] * _OUTPUTS] if shown else _run_by_itself(controls, values)

    def said(*values: Any) -> str:
        return _cost(controls, values)

    def restore(request: gr.Request) -> list[Any]:
        return _restore(controls, request)

    restored = Context.root_block.load(
        restore,
        None,
        [*inputs, *controls.said.values(), notice, *outputs],
        **QUIET,
    )
    begin = {"outputs": outputs, **HEAVY}
    first = restored.then(said, inputs, cost, **QUIET).then(run_unless_shown, [run_name, *inputs], **begin)
    first.then(restored_model, controls.base["backbone"], [about, last_model], **HEAVY)
    made = go.click(run, inputs, **begin)
    for event in (made, first):
        address_follows(event, query)
    gr.on(
        [
            *(part.input for part in inputs if hasattr(part, "input")),
            *(text.change for text in controls.texts.values()),
        ],
        said,
        inputs,
        cost,
        trigger_mode="always_last",
        **QUIET,
    )
    controls.base["backbone"].input(
        choose,
        [controls.base["backbone"], last_model],
        [controls.base["backbone"], about, last_model, status],
        **HEAVY,
    ).then(said, inputs, cost, **QUIET)
    stop.click(None, None, None, cancels=[made, first], api_visibility="private").then(
        lambda: report.status("Stopped. The cells that ended stay."), None, status, **QUIET
    )
    copies_link(link, query, lambda *values: _link(controls, values), inputs, [query, status])
    wall.select(_detail, run_name, cell, **QUIET).success(
        None, None, None, js="() => { window.gensot.reveal('#cell'); }", api_visibility="private"
    )
    grid_endpoints.publish()
    exports.of_run(run_name, GRIDS, grid_endpoints.plain)


def _first_view() -> Iterator[None]:
    yield from keep_first(run_grid, GridRequest.first_view(), GridResult, GRIDS)


def _cost(controls: GridControls, values: tuple[Any, ...]) -> str:
    """What the grid will cost, or why it cannot be made."""
    try:
        return report.status(f"This grid: {estimate(controls.request(values)).sentence}")
    except (InvalidRequest, BackboneUnavailable) as error:
        return report.status(str(error), kind="error")


def _run_by_itself(controls: GridControls, values: tuple[Any, ...]) -> Iterator[list[Any]]:
    """The run that a link starts: a large model or a long run waits for the button."""
    try:
        cost = estimate(controls.request(values))
    except (InvalidRequest, BackboneUnavailable):
        cost = None  # the run says why
    if cost is None or (cost.seconds is not None and cost.seconds < _BY_ITSELF):
        yield from _run(controls, values)
    else:
        yield [gr.skip(), report.status(f"Press Make the grid to run this link: {cost.sentence}"), *[gr.skip()] * 4]


def _run(controls: GridControls, values: tuple[Any, ...]) -> Iterator[list[Any]]:
    """One grid, as updates of [wall, status, one cell, run name, query, sheet]."""
    keep = [gr.skip()] * _OUTPUTS
    try:
        request = controls.request(values)
        query, notes = to_query(request)
        yield [gr.skip(), report.status("Starting…", 0.0), "", gr.skip(), query, gr.skip()]
        if name := GRIDS.find(request):
            yield _finished(GRIDS.get(name), name, notes)
            return
        if request.base.backbone not in EMBEDDED:
            sentence = f"Loading {CATALOGUE.info(request.base.backbone).label}…"
            yield [gr.skip(), report.status(sentence, 0.0), *keep[2:]]
        wall, ended = GridWall(request), 0
        for moment in run_grid(request):
            if isinstance(moment, GridUpdate):
                ended += len(moment.cells)
                wall.previews(moment.previews)
                wall.cells(moment.cells)
                changed = moment.cells or moment.previews
                line = report.running(f"{ended} of {request.size} cells", moment.done, moment.seconds)
                yield [wall.value() if changed else gr.skip(), line, gr.skip(), "" if changed else gr.skip(), *keep[4:]]
            else:
                yield _finished(moment, GRIDS.keep(moment), notes)
    except (InvalidRequest, BackboneUnavailable) as error:
        yield [gr.skip(), report.status(str(error), kind="error"), *keep[2:]]
    except Exception as error:
        logging.getLogger(__name__).exception("a grid failed")
        sentence = f"This grid failed ({type(error).__name__}); what is shown stays. Other settings may work."
        yield [gr.skip(), report.status(sentence, kind="error"), *keep[2:]]


def _finished(result: GridResult, name: str, notes: list[str]) -> list[Any]:
    """[wall, status, one cell, run name, query, sheet] of a finished grid."""
    failed = sum(cell.pictures is None for cell in result.cells)
    calls = sum(
        (cell.calls + cell.backwards) * cell.request.samples for cell in result.cells if cell.pictures is not None
    )
    said = f"Done in {result.seconds:.1f} s: {len(result.cells) - failed} cells, {calls:,.0f} calls of the model."
    if failed:
        said += f" {failed} could not be made and say why."
    query = to_query(result.request)[0]
    file = gr.update(value=_sheet(result, query), visible=True)
    return [finished_wall(result), report.status(" ".join([said, *notes])), "", name, query, file]


def _sheet(result: GridResult, query: str) -> str:
    """The file of the whole grid, which holds the settings that made it; deleted with the app's other files."""
    folder = Path(get_upload_folder()) / secrets.token_hex(16)
    folder.mkdir(parents=True)
    path = folder / "gensot-grid.png"
    _SHEETS.add(str(path))
    grid_sheet(result).save(path, pnginfo=png_text(settings_text(query, "/grid")))
    return str(path)


def _detail(run_name: str, event: gr.EventData) -> str:
    """The settings of the cell that was clicked."""
    try:
        if not run_name:
            raise InvalidRequest("The grid is still being made; its cells tell more when it is done.")
        result = GRIDS.get(run_name)
        return detail(result, cell_number(result.request, event._data.get("row"), event._data.get("column")))
    except InvalidRequest as error:
        raise gr.Error(str(error), duration=8, print_exception=False) from None


def _restore(controls: GridControls, request: gr.Request) -> list[Any]:
    """[controls…, what is understood…, notice, outputs…] from the address; a bad link says so."""
    wanted, notice = followed(lambda: _wanted(request.url.query or ""), GridRequest.first_view(), "first grid")
    values = controls.values(wanted)
    name = GRIDS.find(wanted)
    shown = _finished(GRIDS.get(name), name, []) if name else [gr.skip()] * _OUTPUTS
    return [*values, *controls.understood(wanted), notice, *shown]


def _wanted(query: str) -> tuple[GridRequest, list[str]]:
    """The grid of a link, or one around the comparison of a link."""
    fields, _ = links.fields_of(query, "x=strength:1,2,4")
    if any(key == "x" for key, _ in fields):
        wanted, notes = from_query(query)
    elif fields:
        base, notes = links.from_query(query)
        wanted = GridRequest.about(base)
    else:
        wanted, notes = GridRequest.first_view(), []
    CATALOGUE.info(wanted.base.backbone)
    return wanted, notes


def _link(controls: GridControls, values: tuple[Any, ...]) -> list[Any]:
    """[query, status] for the settings as they stand."""
    try:
        text, notes = to_query(controls.request(values))
    except InvalidRequest as error:
        raise gr.Error(str(error), duration=8, print_exception=False) from None
    return [text, report.status(" ".join(notes)) if notes else gr.skip()]
