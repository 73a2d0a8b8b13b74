"""Optimal transport, part Pairing in training: who is paired with whom, and what a flow learns from it, live."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
from gradio.context import Context

from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.experiments.static_ot.pairing import PairingRun, first_look, run_pairing
from gensot_demo.experiments.static_ot.pairing_request import (
    PAIRINGS,
    SIZES,
    PairingRequest,
    from_query,
    prepared,
    to_query,
)
from gensot_demo.experiments.static_ot.pairing_told import of_flows, of_pairs
from gensot_demo.experiments.static_ot.presets import PAIRING
from gensot_demo.experiments.turns import retold
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.static_ot_pairing import (
    calls_figure,
    flows_figures,
    loss_figure,
    pairs_figures,
    plans_figure,
    spent_figure,
)
from gensot_demo.transport.targets import TARGETS, named_target

from . import report, static_ot_pairing_endpoints
from . import static_ot_pairing_report as words
from .controls import NamedParts, slider_for
from .events import LONG, QUIET, Latest, address_follows, copies_link, followed, fresh_seed, while_latest
from .static_ot_pairing_endpoints import RUNS
from .static_ot_pairing_text import LEAD, QUESTIONS, READ
from .warm_up import WARM_UP

FIRST = PairingRequest(updates=300)

_EVERY = 0.7  # seconds between drawings
_STOPPED = report.status("Stopped. What was learnt and measured so far stays.")
_OLD = " (what is shown is of other settings)"
_MOST = len(PAIRINGS)
_SLOTS = (
    "status", *(f"pairs-{n}" for n in range(_MOST)), "told", *(f"flows-{n}" for n in range(_MOST)), "verdict", "calls",
    "spent", "plans", "loss", "table", "query",
)  # fmt: skip


class _Controls(NamedParts):
    def _build(self) -> None:
        fields, parts = PairingRequest.model_fields, self.parts
        parts["target"] = gr.Dropdown(
            [(named_target(name).label, name) for name in TARGETS], value=fields["target"].default, label="Data"
        )
        parts["pairings"] = gr.CheckboxGroup(
            [(label, name) for name, label in PAIRINGS.items()], value=list(fields["pairings"].default),
            label="Pairings", elem_id="pairings",
        )  # fmt: skip
        parts["minibatch"] = gr.Radio(
            [(str(size), size) for size in SIZES], value=fields["minibatch"].default, label="Pairs in a minibatch",
            elem_id="minibatch", elem_classes="gensot-family",
        )  # fmt: skip
        parts["points"] = slider_for(fields["points"], "Training points")
        parts["updates"] = slider_for(fields["updates"], "Updates", "Of every network, 256 pairs each.")
        parts["seeds"] = slider_for(fields["seeds"], "Seeds", "Repetitions: from three on, differences are judged.")
        parts["seed"] = gr.Number(fields["seed"].default, precision=0, minimum=0, label="First seed")

    def request(self, values: tuple[Any, ...]) -> PairingRequest:
        at = dict(zip(self.parts, values, strict=True))
        at["pairings"] = tuple(at["pairings"] or ())
        at["seed"] = 0 if at["seed"] is None else at["seed"]
        return parse(PairingRequest, **at)

    def values(self, request: PairingRequest) -> list[Any]:
        shown = [getattr(request, name) for name in self.parts]
        return [list(one) if isinstance(one, tuple) else one for one in shown]


def build() -> None:
    """The page's content, inside its Blocks."""
    WARM_UP.add(_first_view)
    query = gr.Textbox(visible="hidden", elem_id="query")
    shown: dict[str, Any] = {}
    with gr.Row(elem_classes="gensot-split"):
        with gr.Column(scale=4, min_width=300, elem_classes="gensot-controls"):
            controls = _Controls()
            fresh = gr.Button("Fresh seed", size="sm")
        with gr.Column(scale=9, min_width=320):
            gr.Markdown(LEAD, elem_classes="gensot-lead")
            with gr.Row(elem_classes=["gensot-run", "gensot-actions"]):
                go = gr.Button("Train", variant="primary", min_width=80, elem_id="train")
                stop = gr.Button("Stop", min_width=80, elem_id="stop")
                link = gr.Button("Copy link", min_width=80)
            shown["status"] = gr.HTML(report.status("Pairing noise and data…"), elem_id="status")
            notice = gr.HTML(elem_id="notice", visible=False)
            shown |= _panels("pairs", "The pairs appear here.")
            shown["told"] = gr.HTML(elem_id="said-pairs")
            gr.Markdown(
                "**What to try:** *minibatches of 4* and of 256: the lines of the middle picture grow long and short, "
                "and so does the way of the flow. *Checkerboard*: what one call makes of it.",
                elem_classes="gensot-try",
            )
            with gr.Row(elem_classes=["gensot-run", "gensot-presets"]):
                presets = [gr.Button(title, size="sm", elem_classes="gensot-preset") for title, _ in PAIRING]
    shown |= _panels("flows", "Press Train: lines appear after an eighth of the updates.")
    shown["verdict"] = gr.HTML(elem_id="verdict")
    with gr.Row():
        for name, empty in (
            ("calls", "Press Train: this is measured at the end."),
            ("spent", "This follows from the pairs."),
        ):
            with gr.Column(min_width=300):
                shown[name] = _figure(name, empty, 380)
    with gr.Row():
        for name, empty in (("plans", "This follows from the data."), ("loss", "Press Train.")):
            with gr.Column(min_width=300):
                shown[name] = _figure(name, empty, 360)
    shown["table"] = gr.HTML(elem_id="table")
    with gr.Accordion("How to read this, and how it is done", open=False):
        gr.Markdown(READ)
    shown["query"] = query

    parts, outputs = controls.all(), [shown[name] for name in _SLOTS]

    latest, ticket = gr.State(Latest()), gr.Number(-1, precision=0, visible="hidden")

    @WARM_UP.yields_to
    def training(latest: Latest, number: int, *values: Any) -> Iterator[list[Any]]:
        yield from while_latest(latest, number, _train(controls, values), len(_SLOTS))

    @WARM_UP.yields_to
    def looking(latest: Latest, number: int, *values: Any) -> Iterator[list[Any]]:
        yield from while_latest(latest, number, _look(controls, values), len(_SLOTS))

    def restore(request: gr.Request) -> list[Any]:
        return _restore(controls, request)

    # A light event chooses a number, which travels with the run: what waits in line for an older one never begins.
    light = {"queue": False, **QUIET}
    # One begins while an older one still ends.
    wired = {"inputs": [latest, ticket, *parts], "outputs": outputs, "trigger_mode": "multiple"}
    look = {"fn": looking, **wired, **QUIET, "concurrency_limit": 4}
    train = {"fn": training, **wired, **LONG}
    loaded = Context.root_block.load(restore, None, [*parts, notice, *outputs], **QUIET)
    runs = [
        loaded.then(**look),  # what the address asks for may not be paired yet
        go.click(Latest.choose, latest, ticket, **light).then(**train),
        fresh.click(_fresh, latest, [ticket, controls["seed"]], **light).then(**look),
        gr.on([part.input for part in parts], Latest.choose, latest, ticket, **light).then(**look),
    ]
    for button, (_, change) in zip(presets, PAIRING, strict=True):
        runs.append(button.click(_setter(controls, change), latest, [ticket, *parts], **light).then(**train))
    for event in runs:
        address_follows(event, query)
    stop.click(_stopped, latest, shown["status"], **light)
    copies_link(link, query, lambda *values: _link(controls, values), parts, query)
    static_ot_pairing_endpoints.publish()


def _question(name: str) -> None:
    title, said = QUESTIONS[name]
    gr.Markdown(f"### {title}\n{said}", elem_classes="gensot-question gensot-question-short")


def _figure(name: str, empty: str, height: int) -> PlotlyFigure:
    _question(name)
    return PlotlyFigure(empty=empty, height=height, elem_id=f"figure-{name}", filename=f"gensot-pairing-{name}")


def _panels(name: str, empty: str) -> dict[str, PlotlyFigure]:
    """A figure for each pairing, side by side."""
    _question(name)
    with gr.Row(elem_classes="gensot-pairings"):
        return {
            f"{name}-{n}": PlotlyFigure(
                empty=empty, height=300, elem_id=f"figure-{name}-{n}", filename=f"gensot-pairing-{name}"
            )
            for n in range(_MOST)
        }


def _first_view() -> Iterator[None]:
    """A short run of the default settings, step by step."""
    for run in run_pairing(FIRST):
        if run.complete and not run.cut:
            RUNS.keep(run)
        yield


def _pictures(run: PairingRun, status: str) -> list[Any]:
    """In the order of _SLOTS."""
    return [
        status,
        *_side_by_side(run, pairs_figures(run)),
        words.sentences(of_pairs(run)),
        *_side_by_side(run, flows_figures(run)),
        words.sentences(of_flows(run), run.updates if run.cut else None),
        calls_figure(run),
        spent_figure(run),
        plans_figure(run),
        loss_figure(run),
        words.table(run),
        to_query(run.request),
    ]


def _side_by_side(run: PairingRun, figures: list[dict[str, Any]]) -> list[Any]:
    """As many as there are pairings; without figures they say what to do."""
    count = len(run.request.pairings)
    shown = [gr.update(value=figures[n] if figures else None, visible=True) for n in range(count)]
    return [*shown, *[gr.update(visible="hidden")] * (_MOST - count)]


def _finished(run: PairingRun) -> str:
    nets = len(run.request.pairings) * run.request.seeds
    cut = f", cut at {run.updates:,}" if run.cut else ""
    return report.status(
        f"{nets} network{'s' * (nets > 1)} of {run.parameters:,} numbers, {run.request.updates:,} updates each{cut}, "
        f"and everything measured: {run.seconds:.1f} s."
    )


def _known(request: PairingRequest) -> list[Any] | None:
    """The pictures of a run that was kept: of these settings, or for the default ones of a short training."""
    kept = RUNS.find(request)
    if kept is not None:
        run = RUNS.get(kept)
        return _pictures(run, _finished(run))
    short = RUNS.find(FIRST) if request == PairingRequest() else None
    if short is None:
        return None
    line = f"A short training of {FIRST.updates} updates. Press Train for {request.updates:,}, live."
    return [*_pictures(RUNS.get(short), report.status(line))[:-1], to_query(request)]


def _stopped(latest: Latest) -> str:
    return latest.stop(_STOPPED)


def _look(controls: _Controls, values: tuple[Any, ...]) -> Iterator[list[Any]]:
    """The pairs for these settings, without training."""
    try:
        request = controls.request(values)
        known = _known(request)
        if known is not None:
            yield known
            return
        began = time.perf_counter()

        def waiting(share: float) -> list[Any]:
            line = report.running(f"Pairing noise and data{_OLD}", share, time.perf_counter() - began)
            return [line, *[gr.skip()] * (len(_SLOTS) - 1)]

        run = first_look(request)
        if run.task is None:
            yield waiting(0.0)
            yield from retold(prepared(request), waiting)
            run = first_look(request)
        yield _pictures(run, _waits(request))
    except Exception as error:
        yield _failed(error)


def _train(controls: _Controls, values: tuple[Any, ...]) -> Iterator[list[Any]]:
    try:
        request = controls.request(values)
        kept = RUNS.find(request)
        if kept is not None:
            run = RUNS.get(kept)
            yield _pictures(run, _finished(run))
            return
        nets = len(request.pairings) * request.seeds
        doing = f"Training {nets} network{'s' * (nets > 1)}"
        drawn_at, before = -_EVERY, None
        for run in run_pairing(request):
            if run.complete:
                if not run.cut:
                    RUNS.keep(run)
                yield _pictures(run, _finished(run))
                continue
            now, parts = time.perf_counter(), (run.pairs, run.learnt)
            if now - drawn_at < _EVERY and parts == before:
                continue
            what = f"{doing}, {run.updates:,} of {request.updates:,} updates" if run.doing == "Training" else run.doing
            pictures = _pictures(run, report.running(what, run.done, run.seconds))
            if run.pairs is None:  # what is shown stays until there is something of this run
                line = report.running(f"{what}{_OLD}", run.done, run.seconds)
                pictures = [line, *[gr.skip()] * (len(_SLOTS) - 1)]
            elif parts == before:  # only the loss has changed
                pictures = [
                    one if name in ("status", "loss") else gr.skip() for name, one in zip(_SLOTS, pictures, strict=True)
                ]
            drawn_at, before = now, parts
            yield pictures
    except Exception as error:
        yield _failed(error)


def _waits(request: PairingRequest) -> str:
    nets = len(request.pairings) * request.seeds
    return report.status(
        f"Press Train: {nets} network{'s' * (nets > 1)} learn{'s' * (nets == 1)} from these pairs, "
        f"{request.updates:,} updates each."
    )


def _failed(error: Exception) -> list[Any]:
    if isinstance(error, InvalidRequest):
        line = report.status(f"{error} What is shown stays.", kind="error")
    else:
        logging.getLogger(__name__).error("a training on pairings failed", exc_info=error)
        text = f"Training failed ({type(error).__name__}); what is shown stays. Other settings may work."
        line = report.status(text, kind="error")
    return [line, *[gr.skip()] * (len(_SLOTS) - 1)]


def _restore(controls: _Controls, request: gr.Request) -> list[Any]:
    """[controls…, notice, shown…] from the address; what has to be paired first follows."""
    wanted, notice = followed(lambda: from_query(request.url.query or ""), PairingRequest())
    pictures = _known(wanted) or [*[gr.skip()] * (len(_SLOTS) - 1), to_query(wanted)]
    return [*controls.values(wanted), notice, *pictures]


def _setter(controls: _Controls, change: dict[str, Any]) -> Callable[[Latest], list[Any]]:
    return lambda latest: [latest.choose(), *controls.values(PairingRequest(**change))]


def _fresh(latest: Latest) -> list[int]:
    return [latest.choose(), fresh_seed()]


def _link(controls: _Controls, values: tuple[Any, ...]) -> str:
    try:
        return to_query(controls.request(values))
    except InvalidRequest as error:
        raise gr.Error(str(error), duration=8, print_exception=False) from None
