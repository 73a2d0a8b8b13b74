"""One equation, part Network training: networks of several widths from starts by chance, with progress and Stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from gensot_demo.experiments.lagrangian.neurons_luck import STARTS, WIDTHS, by_chance
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.turns import in_turn
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.lagrangian_neurons import luck_figure

from . import lagrangian_chance_endpoints, report
from .events import HEAVY, QUIET, Latest
from .lagrangian_controls import LagrangianControls
from .warm_up import WARM_UP

_NETWORKS = f"{len(WIDTHS) * STARTS} networks"


def section(controls: LagrangianControls) -> None:
    """The question, its button, and what it finds, for the settings that the page has when it is pressed."""
    gr.Markdown(
        f"### Is a narrow network unlucky?\n{STARTS} starts by chance for each of {len(WIDTHS)} widths, all trained as "
        "above. The velocity does not depend on how many neurons there are, so all are samples of one flow: of many "
        "neurons each sample is nearly the same, of few it is what chance made it.",
        elem_classes=["gensot-lead", "gensot-energy-question"],
    )
    with gr.Row(elem_classes="gensot-run"):
        go = gr.Button(f"Train {_NETWORKS}", variant="primary", min_width=80, elem_id="train-luck")
        stop = gr.Button("Stop", min_width=80, elem_id="stop-luck")
    status = gr.HTML(
        report.status(f"Nothing is trained yet: {_NETWORKS} take a second or a few."), elem_id="luck-status"
    )
    figure = PlotlyFigure(empty="Losses appear here.", height=340, elem_id="luck", filename="gensot-luck")
    said = gr.HTML(elem_id="said-luck")

    @WARM_UP.yields_to
    def training(latest: Latest, number: int, *values: Any) -> Iterator[list[Any]]:
        yield from _trained(latest, number, controls, values)

    latest, ticket = gr.State(Latest()), gr.Number(-1, precision=0, visible="hidden")
    light = {"queue": False, **QUIET}
    chosen = go.click(Latest.choose, latest, ticket, **light)
    chosen.then(training, [latest, ticket, *controls.all()], [status, figure, said], trigger_mode="multiple", **HEAVY)
    stop.click(Latest.stop, latest, None, **light)
    lagrangian_chance_endpoints.publish_luck()


def _trained(latest: Latest, number: int, controls: LagrangianControls, values: tuple[Any, ...]) -> Iterator[list[Any]]:
    """[status, figure, sentences] on the way, until the visitor stops or begins anew."""
    began, luck = time.perf_counter(), None
    yield [report.running(_NETWORKS, 0.0, 0.0), gr.skip(), gr.skip()]
    try:
        for luck in in_turn(by_chance(controls.request(values))):
            seconds = time.perf_counter() - began
            if latest.number != number:
                stopped = [
                    report.status(f"Stopped at t = {luck.time:.3g}."),
                    luck_figure(luck),
                    report.sentences(luck.told),
                ]
                yield stopped if latest.stopped else [gr.skip()] * 3
                return
            running = report.running(_NETWORKS, luck.done, seconds)
            yield [running, luck_figure(luck), report.sentences(luck.told)]
        yield [report.status(f"{_NETWORKS} trained in {seconds:.1f} s."), gr.skip(), gr.skip()]
    except InvalidRequest as error:
        yield [report.status(f"{error} What is shown stays.", kind="error"), gr.skip(), gr.skip()]
    except Exception as error:
        logging.getLogger(__name__).error("starts by chance failed", exc_info=error)
        line = report.status(f"This failed ({type(error).__name__}); what is shown stays.", kind="error")
        yield [line, gr.skip(), gr.skip()]
