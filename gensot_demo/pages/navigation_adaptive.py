"""Navigation, part Adaptive stiffness: where few equal steps fall, and what a stiffness in pieces can do about it."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.context import Context

from gensot_demo.experiments.navigation.adaptive import (
    PIECES,
    TARGETS,
    AdaptiveRequest,
    AdaptiveResult,
    judge,
    refinement,
)
from gensot_demo.experiments.navigation.adaptive_runs import simulate
from gensot_demo.experiments.navigation.presets import ADAPTIVE
from gensot_demo.experiments.navigation.tuned_links import from_query, pulls_in, to_query
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.navigation_adaptive import (
    decided_figure,
    distance_figure,
    divergence_figure,
    gradient_figure,
    information_figure,
    order_figure,
)
from gensot_demo.transport.targets import named_target

from . import navigation_adaptive_report as words
from . import navigation_tuned_endpoints, report
from .controls import BoundedSlider
from .events import HEAVY, QUIET, address_follows, copies_link, followed
from .warm_up import WARM_UP

_LEAD = (
    "A sampler that takes **few steps, equal in time**, errs where much is learnt in one step. The protocol decides "
    "where in information the steps fall; how far they lead from the exact process is known in closed form. Change the "
    "protocol and see what its stiffness really does."
)
_READ = """
* **Divergence**: the Kullback-Leibler divergence, in nats, of the law of the sampler's whole path from the exact one:
  a step freezes the predicted end, and the divergence is half the integral of what the frozen prediction misses (by
  Girsanov's theorem). It depends on the target and on the information K at each step, and on nothing else.
* **Information K**: what x knows about its end, 1/σ². The run is judged until the noise left is the *blur*.
* **Stiffness × temperature** alone shapes the path in time; each number is one piece, all pieces equally long.
* **Floor**: the least divergence of any levels of K, equal in time or not.
* **Speciation time**: when information times the target's largest variance is 1: modes begin to be decided. A particle
  counts as *decided* from the step on after which the mode that it ends in always has more than half of the
  posterior; a mode that holds more than half of the target is decided from t = 0.
* The question is that of Chertkov & Behjoo, arXiv 2512.11858; the criterion is ours.
"""
_FIGURES = (
    ("When is it learnt?", "Information about the end; each mark is a step. Good ones climb evenly.", "information"),
    ("How much is decided?", "Share of the end that is known. Dotted: speciation times t_s in closed form.", "order"),
    ("Where do ways part?", "Divergence of the drift: above 0 neighbours are led apart, below 0 together.", "gradient"),
)  # fmt: skip


def build() -> None:
    """The page's content, inside its Blocks."""
    WARM_UP.add(_first_view)
    navigation_tuned_endpoints.publish_adaptive()
    query = gr.Textbox(visible="hidden", elem_id="query")
    plain = AdaptiveRequest()
    with gr.Row(elem_classes="gensot-split"):
        with gr.Column(scale=4, min_width=300, elem_classes="gensot-controls"):
            target = gr.Dropdown([(named_target(name).label, name) for name in TARGETS], value="grid", label="Target")
            steps = BoundedSlider(4, 40, plain.steps, step=1, label="Steps, equal in time", elem_id="steps")
            temperature = BoundedSlider(
                -3, 1, 0, step=0.05, label="Temperature, as a power of ten", info="0 is temperature 1", elem_id="heat"
            )
            pulls = gr.Textbox(
                "20", label="Stiffness × temperature of each piece", elem_id="pulls",
                info="one to eight numbers from 0 to 900, with commas: equal pieces of time",
            )  # fmt: skip
            free = gr.Checkbox(plain.free, label="Refinement may choose the temperature too")
            with gr.Accordion("More settings", open=False):
                blur = BoundedSlider(0.02, 0.3, plain.blur, step=0.01, label="Blur left at the end, data units")
                particles = BoundedSlider(300, 3000, plain.particles, step=300, label="Particles of the simulation")
                seed = gr.Number(plain.seed, precision=0, minimum=0, label="Seed of the simulation")
        with gr.Column(scale=9, min_width=320):
            gr.Markdown(_LEAD, elem_classes="gensot-lead")
            with gr.Row(elem_classes=["gensot-run", "gensot-presets"]):
                chosen = [gr.Button(title, size="sm", elem_classes="gensot-preset") for title, _ in ADAPTIVE]
            with gr.Row(elem_classes=["gensot-run", "gensot-actions"]):
                go = gr.Button("Refine", variant="primary", min_width=80, elem_id="refine")
                draw = gr.Button("Draw particles", min_width=80, elem_id="draw")
                stop = gr.Button("Stop", min_width=80, elem_id="stop")
                link = gr.Button("Copy link", min_width=80)
            status = gr.HTML(report.status("Computing the first view…"), elem_id="status")
            notice = gr.HTML(elem_id="notice", visible=False)
            said = gr.HTML(elem_id="verdict")
            bars = PlotlyFigure(empty="The divergences appear here.", height=300, filename="gensot-divergence")
    table = gr.HTML(elem_id="table")
    figures = []
    with gr.Row():
        for title, text, name in _FIGURES:
            with gr.Column(min_width=300):
                gr.Markdown(f"### {title}\n{text}", elem_classes="gensot-question gensot-question-short")
                figures.append(PlotlyFigure(empty="Not computed yet.", height=340, filename=f"gensot-{name}"))
    gr.Markdown(
        "### Does a smaller divergence give a better cloud?\n*Draw particles* runs the sampler on exactly these steps, "
        "for every protocol, on the same noise.",
        elem_classes="gensot-lead",
    )
    measured = gr.HTML(elem_id="measured")
    with gr.Row():
        for title, text in (
            ("How far from the target?", "W₂ of the particles' places to draws of the target, at each step."),
            ("When does a particle decide?", "Share of particles whose mode no longer changes its mind."),
        ):
            with gr.Column(min_width=300):
                gr.Markdown(f"### {title}\n{text}", elem_classes="gensot-question gensot-question-short")
                figures.append(
                    PlotlyFigure(
                        empty="Press Draw particles: every protocol, on the same noise.",
                        height=340,
                        filename="gensot-particles",
                    )
                )
    with gr.Accordion("How to read this", open=False):
        gr.Markdown(_READ)

    controls = [target, steps, temperature, pulls, free, blur, particles, seed]
    shown = [status, said, bars, table, *figures[:3], query]
    later = [measured, *figures[3:]]
    Context.root_block.load(_restore, None, [*controls, notice, *shown], **QUIET)
    light = {"inputs": controls, "outputs": [*shown, *later], "trigger_mode": "always_last", **QUIET}
    changed = [part.input for part in (target, steps, temperature, free, blur)]
    address_follows(gr.on([*changed, pulls.submit, pulls.blur], _show, **light), query)
    for button, (_, request) in zip(chosen, ADAPTIVE, strict=True):
        address_follows(button.click(_setter(request), None, controls, **QUIET).then(_show, **light), query)

    @WARM_UP.yields_to
    def refining(*values: Any) -> Iterator[list[Any]]:
        yield from _refine(values)

    @WARM_UP.yields_to
    def drawing(*values: Any) -> Iterator[list[Any]]:
        yield from _draw(values)

    searched = go.click(refining, controls, shown, **HEAVY)
    address_follows(searched, query)
    drawn = draw.click(drawing, controls, [status, *later], **HEAVY)
    address_follows(drawn, query)
    # what still runs is for settings that are no longer shown
    left = [*changed, pulls.submit, particles.input, seed.input, *[button.click for button in chosen]]
    gr.on(left, None, None, None, cancels=[searched, drawn], api_visibility="private")
    stop.click(None, None, None, cancels=[searched, drawn], api_visibility="private").then(
        lambda: report.status("Stopped. What was found stays."), None, status, **QUIET
    )
    copies_link(link, query, _link, controls, query)


def _first_view() -> Iterator[None]:
    """The default target's information curve, and what refinement finds for it."""
    judge(AdaptiveRequest())
    yield
    for _ in refinement(AdaptiveRequest()):
        yield


def _request(values: tuple[Any, ...]) -> AdaptiveRequest:
    target, steps, power, pulls, free, blur, particles, seed = values
    temperature = float(f"{10 ** float(power):.6g}")
    return parse(
        AdaptiveRequest, target=target, steps=steps, temperature=temperature, pulls=pulls_in(pulls), free=free,
        blur=blur, particles=particles, seed=seed or 0,
    )  # fmt: skip


def _values(request: AdaptiveRequest) -> list[Any]:
    return [
        request.target, request.steps, round(math.log10(request.temperature), 4),
        ", ".join(f"{pull:g}" for pull in request.pulls), request.free, request.blur, request.particles, request.seed,
    ]  # fmt: skip


def _setter(request: AdaptiveRequest):
    return lambda: _values(request)


def _pictures(result: AdaptiveResult, status: str) -> list[Any]:
    """[status, sentences, bars, table, three figures, query]."""
    return [
        status,
        words.sentences(result),
        divergence_figure(result),
        words.table(result),
        information_figure(result),
        order_figure(result),
        gradient_figure(result),
        to_query(result.request),
    ]


def _ready(result: AdaptiveResult) -> str:
    if len(result.refined) == len(PIECES):
        return report.status("Computed in closed form, refined protocols included.")
    return report.status("Computed in closed form. Refine searches the best 1, 2, 4 and 8 pieces.")


def _show(*values: Any) -> list[Any]:
    """Everything in closed form; what was simulated for other settings goes."""
    try:
        result = judge(_request(values))
        return [*_pictures(result, _ready(result)), "", None, None]
    except Exception as error:
        return [_failed(error), *[gr.skip()] * 10]


def _refine(values: tuple[Any, ...]) -> Iterator[list[Any]]:
    try:
        for moment in refinement(_request(values)):
            if moment.pieces:
                line = report.running(
                    f"Searching {moment.pieces} piece{'s' * (moment.pieces > 1)}", moment.done, moment.seconds
                )
            else:
                line = report.status(f"Refined in {moment.seconds:.1f} s.")
            yield _pictures(moment.result, line)
    except Exception as error:
        yield [_failed(error), *[gr.skip()] * 7]


def _draw(values: tuple[Any, ...]) -> Iterator[list[Any]]:
    """[status, table, distance, decided]."""
    try:
        shown = -1
        for moment in simulate(judge(_request(values))):
            line = report.running("Moving particles", moment.done, moment.seconds)
            if moment.complete:
                count = f"{moment.request.particles:,} particles each"
                line = report.status(f"{len(moment.runs)} protocols, {count}, in {moment.seconds:.1f} s.")
            if len(moment.runs) == shown:
                yield [line, gr.skip(), gr.skip(), gr.skip()]
                continue
            shown = len(moment.runs)
            yield [line, words.simulated(moment), distance_figure(moment), decided_figure(moment)]
    except Exception as error:
        yield [_failed(error), *[gr.skip()] * 3]


def _failed(error: Exception) -> str:
    if isinstance(error, InvalidRequest):
        return report.status(str(error), kind="error")
    logging.getLogger(__name__).error("adaptive stiffness failed", exc_info=error)
    return report.status(f"This failed ({type(error).__name__}); what is shown stays.", kind="error")


def _restore(request: gr.Request) -> list[Any]:
    """[controls…, notice, shown…] from the address."""
    wanted, notice = followed(lambda: from_query(AdaptiveRequest, request.url.query or ""), AdaptiveRequest())
    result = judge(wanted)
    return [*_values(wanted), notice, *_pictures(result, _ready(result))]


def _link(*values: Any) -> str:
    try:
        return to_query(_request(values))
    except InvalidRequest as error:
        raise gr.Error(str(error), duration=8, print_exception=False) from None
