"""The Sequences page: a reference that moves, followed frame by frame, and what keeps the films steady."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.context import Context
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from gensot_demo.backbones.catalogue import CATALOGUE, EMBEDDED
from gensot_demo.backbones.errors import BackboneUnavailable
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.sequences.coherence import coherence
from gensot_demo.experiments.sequences.film_files import to_gif, to_mp4
from gensot_demo.experiments.sequences.kept import SEQUENCES
from gensot_demo.experiments.sequences.links import from_query, to_query
from gensot_demo.experiments.sequences.request import SequenceRequest
from gensot_demo.experiments.sequences.run import Progress, SequenceResult, followers, sequence
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.film_player import FilmPlayer
from gensot_demo.figures.sequences import change_figure

from . import exports, report, sequences_endpoints
from .events import HEAVY, QUIET, address_follows, copies_link, followed, keep_first
from .models import FIRST, choose
from .models import restored as restored_model
from .sequences_controls import SequenceControls
from .sequences_report import coherence_table, finished_films, running_films, table, verdict
from .warm_up import WARM_UP

_OUTPUTS = 7  # films, status, verdict, figure, table, run name, query
_STOPPED = "Stopped. The films are as far as they got; the numbers below are those of the last finished run."
_LEAD = (
    "A picture moves, and every method follows it frame by frame. Do the films move as steadily as their reference, or "
    "do they **flicker and leap**?"
)
_READ = """
* **Change**: how much a frame differs from the one before, root mean square over pixels, in grey levels of 255. Compare
  it with the reference's own. A film that does not change at all is steady and useless.
* **Path energy**: (frames − 1) × the sum of squared changes per pixel. Between the same first and last frame no film
  has less than a cross-fade at constant speed; *over the least* says how many times that it is.
* **To its frame**: root mean square distance to the reference of the same frame, as on the Compare page.
* **The same noise in every frame** makes the picture a function of the reference alone, smooth but for the places where
  the model changes its mind. Where the view leaves little freedom, fresh noise can be as steady: see the table.
* **A deterministic sampler** adds no noise on the way: only the start is random, and it is shared.
* **The way of the frame before as GenSOT's path guide** bends the path. It does not help: in z = (x − g)/a every step
  but Euler-Maruyama's is the same for all paths, so the guide changes kinetic energy and, with Euler-Maruyama, the
  error of its steps, not what arrives.
* **The frame before as a second reference** asks for another law: nearer to the frame before, so steadier, but the film
  drags behind its reference, and on the exact collection it may stand still.
* The morph is a cross-fade of pixels: half-way, both pictures are seen at half strength, which is no emoji.
"""


def build() -> None:
    """The page's content, inside its Blocks."""
    WARM_UP.add(_first_view)
    run_name = gr.State("")
    query = gr.Textbox(visible="hidden", elem_id="query")
    with gr.Row(elem_classes="gensot-split"):
        with gr.Column(scale=4, min_width=300, elem_classes="gensot-controls"):
            controls = SequenceControls()
            last_model = gr.State(FIRST)
        with gr.Column(scale=9, min_width=320):
            gr.Markdown(_LEAD, elem_classes="gensot-lead")
            with gr.Row(elem_classes=["gensot-run", "gensot-actions"]):
                go = gr.Button("Run", variant="primary", min_width=100, elem_classes="gensot-starts", elem_id="run")
                stop = gr.Button("Stop", min_width=80, elem_id="stop")
                link = gr.Button("Copy link", min_width=80)
                status = gr.HTML(report.status("Preparing the first films…"), elem_id="status", scale=4)
            notice = gr.HTML(elem_id="notice", visible=False)
            films = FilmPlayer(empty="The films appear here.", elem_id="films")
            with gr.Row(elem_classes="gensot-run"):
                gif = gr.DownloadButton("Download GIF", interactive=False, min_width=120, size="sm", elem_id="gif")
                mp4 = gr.DownloadButton("Download MP4", interactive=False, min_width=120, size="sm", elem_id="mp4")
            said = gr.HTML(elem_id="verdict")
            gr.Markdown(
                "### When does it change?\nA leap is a peak that the reference does not have.",
                elem_classes="gensot-lead",
            )
            figure = PlotlyFigure(empty="The changes appear here.", height=320, filename="gensot-sequence")
    gr.Markdown("### How steady is each film, and how near to its reference?", elem_classes="gensot-lead")
    board = gr.HTML(elem_id="table")
    gr.Markdown(
        "### What helps coherence?\nOne method, the motion chosen above, and every way to link its frames.",
        elem_classes="gensot-lead",
    )
    with gr.Row(elem_classes="gensot-run"):
        method = gr.Dropdown(followers(), value="gensot", label="Method", scale=1, min_width=200)
        compare = gr.Button("What helps coherence?", scale=0, min_width=200, elem_id="coherence")
        compare_status = gr.HTML(elem_id="measure-status", scale=3)
    compared = gr.HTML(elem_id="compared")
    with gr.Accordion("How to read this, and what does not help", open=False):
        gr.Markdown(_READ)

    outputs = [films, status, said, figure, board, run_name, query]

    @WARM_UP.yields_to
    def run(*values: Any) -> Iterator[list[Any]]:
        yield from _run(controls, values)

    @WARM_UP.yields_to
    def run_unless_shown(shown: str, *values: Any) -> Iterator[list[Any]]:
        yield from [[gr.skip()] * _OUTPUTS] if shown else _run_by_itself(controls, values)

    @WARM_UP.yields_to
    def run_ways(name: str, *values: Any) -> Iterator[list[Any]]:
        yield from _ways(controls, name, values)

    def restore(request: gr.Request) -> list[Any]:
        return _restore(controls, request)

    restored = Context.root_block.load(restore, None, [*controls.all(), notice, *outputs], **QUIET)
    first = restored.then(run_unless_shown, [run_name, *controls.all()], outputs, **HEAVY)
    runs = [go.click(run, controls.all(), outputs, **HEAVY), first]
    for event in runs:
        address_follows(event, query)
        event.then(_files, run_name, [gif, mp4], **QUIET)
    controls["backbone"].input(
        choose,
        [controls["backbone"], last_model],
        [controls["backbone"], controls.about, last_model, status],
        **HEAVY,
    )
    first.then(restored_model, controls["backbone"], [controls.about, last_model], **HEAVY)
    comparing = compare.click(run_ways, [method, *controls.all()], [compare_status, compared], **HEAVY)
    stop.click(None, None, None, cancels=[*runs, comparing], api_visibility="private").then(
        lambda: [report.status(_STOPPED), ""], None, [status, compare_status], **QUIET
    )
    copies_link(link, query, lambda *values: _link(controls, values), controls.all(), [query, status])
    sequences_endpoints.publish()
    exports.of_run(run_name, SEQUENCES, lambda run: sequences_endpoints.plain(run, to_query(run.request)[1]))


def _first_view() -> Iterator[None]:
    yield from keep_first(sequence, SequenceRequest(), SequenceResult, SEQUENCES)


def _run_by_itself(controls: SequenceControls, values: tuple[Any, ...]) -> Iterator[list[Any]]:
    """The run that a link starts: a large model is loaded only when a person presses the button."""
    backbone = dict(zip(controls.parts, values, strict=True))["backbone"]
    if backbone in EMBEDDED:
        yield from _run(controls, values)
    else:
        sentence = f"Press Run to load {backbone} and run this link."
        yield [gr.skip(), report.status(sentence), *[gr.skip()] * (_OUTPUTS - 2)]


def _run(controls: SequenceControls, values: tuple[Any, ...]) -> Iterator[list[Any]]:
    """One sequence, as updates of [films, status, verdict, figure, table, run name, query]."""
    keep = [gr.skip()] * _OUTPUTS
    try:
        request = controls.request(values)
        text, notes = to_query(request)
        yield [gr.skip(), report.status("Starting…", 0.0), *keep[2:6], text]
        if shown := _kept(request):
            yield shown
            return
        if request.backbone not in EMBEDDED:
            yield [gr.skip(), report.status(f"Loading {CATALOGUE.info(request.backbone).label}…", 0.0), *keep[2:]]
        for moment in sequence(request):
            if isinstance(moment, Progress):
                line = report.running(f"Following {request.frames} frames", moment.done, moment.seconds)
                yield [running_films(moment, request.frames), line, *keep[2:5], "", gr.skip()]
            else:
                yield _finished(moment, notes, SEQUENCES.keep(moment))
    except Exception as error:
        yield [gr.skip(), _failed(error), *keep[2:]]


def _kept(request: SequenceRequest) -> list[Any] | None:
    """All outputs of a run of this request that is still kept, at once, or None."""
    name = SEQUENCES.find(request)
    return _finished(SEQUENCES.get(name), to_query(request)[1], name) if name else None


def _finished(result: SequenceResult, notes: list[str], name: str) -> list[Any]:
    return [
        finished_films(result),
        report.status(f"Done in {result.seconds:.1f} s."),
        verdict(result, notes),
        change_figure(result),
        table(result),
        name,
        to_query(result.request)[0],
    ]


def _files(name: str) -> list[Any]:
    """[GIF, MP4] of a finished run, for their buttons; grey while there is none."""
    try:
        result = SEQUENCES.get(name) if name else None
    except InvalidRequest:
        result = None
    if result is None:
        return [gr.update(interactive=False)] * 2
    files = (("gensot-sequence.gif", to_gif), ("gensot-sequence.mp4", to_mp4))
    return [gr.update(value=_cached(write(result), file), interactive=True) for file, write in files]


def _cached(data: bytes, name: str) -> str:
    """A file where Gradio keeps and clears what visitors download."""
    return save_bytes_to_cache(data, name, get_upload_folder())


def _ways(controls: SequenceControls, method: str, values: tuple[Any, ...]) -> Iterator[list[Any]]:
    """Every way to link the frames: updates of [status, table]."""
    try:
        yield [report.status("Starting…", 0.0), gr.skip()]
        request, shown = controls.request(values), -1
        for found in coherence(request, method):
            fresh = len(found.variants) != shown and found.variants
            line = report.running(found.doing, found.done, found.seconds)
            if found.done == 1:
                line = report.status(
                    f"{len(found.variants)} films of {request.frames} frames in {found.seconds:.1f} s."
                )
            yield [line, coherence_table(found) if fresh else gr.skip()]
            shown = len(found.variants)
    except Exception as error:
        yield [_failed(error), gr.skip()]


def _failed(error: Exception) -> str:
    """A status line for what went wrong; the last result stays."""
    if isinstance(error, InvalidRequest | BackboneUnavailable):
        return report.status(str(error), kind="error")
    logging.getLogger(__name__).error("a sequence failed", exc_info=error)
    sentence = f"This run failed ({type(error).__name__}); the last result stays. Other settings may work."
    return report.status(sentence, kind="error")


def _restore(controls: SequenceControls, request: gr.Request) -> list[Any]:
    """[controls…, notice, outputs…] from the address; a bad link says so and shows the first view."""

    def read() -> tuple[SequenceRequest, list[str]]:
        found, notes = from_query(request.url.query or "")
        CATALOGUE.info(found.backbone)
        return found, notes

    wanted, notice = followed(read, SequenceRequest())
    return [*controls.values(wanted), notice, *(_kept(wanted) or [gr.skip()] * _OUTPUTS)]


def _link(controls: SequenceControls, values: tuple[Any, ...]) -> list[Any]:
    """[query, status] for the settings as they stand."""
    try:
        text, notes = to_query(controls.request(values))
    except InvalidRequest as error:
        raise gr.Error(str(error), duration=8, print_exception=False) from None
    return [text, report.status(" ".join(notes)) if notes else gr.skip()]
