"""Energy, part Training: small flows learnt live on several paths, their likelihood and their error against calls."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.context import Context

from gensot_demo.experiments.energy.presets import TRAINING
from gensot_demo.experiments.energy.training import TrainingRun, run_training
from gensot_demo.experiments.energy.training_links import from_query, to_query
from gensot_demo.experiments.energy.training_task import PATHS, TrainingRequest, at_hand
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.energy_training import (
    calls_figure,
    field_figure,
    learnt_figure,
    likelihood_figure,
    loss_figure,
    progress_figure,
    weight_figure,
)
from gensot_demo.transport.targets import TARGETS, named_target

from . import energy_training_endpoints, report
from . import energy_training_report as words
from .controls import NamedParts, slider_for
from .energy_training_endpoints import RUNS
from .events import LONG, QUIET, Latest, address_follows, copies_link, followed, fresh_seed, while_latest
from .warm_up import WARM_UP

FIRST = TrainingRequest(updates=400)

_LEAD = (
    "Kinetic-optimal paths, it is claimed, **generalise better** and **need fewer calls** (Shaul et al., arXiv "
    "2306.06626). Put it to the test: small networks learn the same few points on several paths, from the same first "
    "weights, with the same minibatches and the same noise. Only the path differs, and the true law is known."
)
_TRY = (
    "**What to try:** *16 points* and watch the held-out curve at the bottom turn round while the loss still falls; "
    "*three seeds* before you believe a ranking; *Cosine* beside CondOT: one and the same network comes out, and only "
    "the steps differ."
)
_CHANGED = report.status("Press Train for these settings. What is shown is of others.")
_STOPPED = report.status("Stopped. What was learnt and measured so far stays.")
_EVERY = 0.7  # seconds between drawings
_QUESTIONS = {
    "learnt": (
        "What was learnt?",
        "Samples of each flow from the same noise, 64 steps each, over the true density (grey).",
    ),
    "likely": (
        "How likely are points that no flow has seen?",
        "How far each flow's likelihood lies below the true law's, which nothing beats on average. A hollow mark far "
        "to the left of its filled one: points known by heart.",
    ),
    "calls": (
        "How many calls does it take?",
        "Error of the samples after few steps, each on its own path. Dotted: the same steps with the exact velocity: "
        "the gap is what was not learnt. The band is what exact draws score.",
    ),
    "crossed": (
        "Is it the training or the steps?",
        "A network that predicts by noise level can be sampled along any path. Read down a column for what training on "
        "a path changes, along a row for what the steps change.",
    ),
    "weight": (
        "Why does the path matter in training at all?",
        "It only decides how much each noise level counts: CondOT and cosine weigh all angles alike, VP leans to the "
        "data, the kinetic-optimal path to the noise.",
    ),
    "field": (
        "Where is the learnt velocity wrong?",
        "Its error against the exact one, by noise level: close to the data every point counts, and few were seen.",
    ),
    "loss": (
        "Does it still learn?",
        "Each path's own loss, less what nobody can predict: 1 knows nothing, 0 the points by heart.",
    ),
    "progress": (
        "Does it learn the law, or the points?",
        "Held-out points (lines) and points seen (dotted). Where a line turns up, more training hurts.",
    ),
}
_READ = """
* **Units**: the law is centred and has variance 1 per coordinate; the flows see their points centred and scaled once
  more, by the points' own mean and size.
* **Network**: three layers of 64, one for each path and seed; it sees the state, scaled to variance 1, and the noise
  angle θ, tan θ = a/m, and predicts cos θ·y − sin θ·ε. Its output is multiplied by the size of what can be predicted
  there, √Γ(θ), a property of the points. No path is favoured by this: the same for all.
* **Loss**: flow matching, the mean square of v − (a′y + m′ε) with t uniform. For such a network it is ∫ (a′m − am′) ·
  error(θ) dθ: the path enters as a weight, and no more; the losses of two paths do not
  compare. Angles are drawn in proportion to weight × √Γ, which leaves the mean loss as it is and takes away its wild
  variance: a′ has no bound at t = 0 on the kinetic-optimal path, m′ none at t = 1 on VP. Times stay within .001 of both
  ends.
* **Likelihood**: instantaneous change of variables with the exact divergence, 48 Runge-Kutta steps in θ. The flow in θ
  does not depend on the path that is sampled along, so the likelihood is one of the network alone.
* **Kinetic-optimal path**: of the training points, from their data separation.
* **Samples**: sliced W₂ of 2,000 samples to 2,000 exact draws, Euler steps in each path's own time.
* **The paper's numbers** (their networks, CIFAR-10: NLL, FID at 20/50/100 Euler steps): SI (cosine) 3.00, 10.4/7.4/7.4;
  CondOT 2.97, 9.9/6.8/6.8; kinetic-optimal 2.97, 9.1/6.2/6.2. ImageNet-32: CondOT 3.60, 9.7/6.5/5.6; kinetic-optimal
  3.57, 9.8/6.6/5.8. There the paths are near each other, as there are thousands of dimensions; in two they are not.
"""


class _Controls(NamedParts):
    def _build(self) -> None:
        fields, parts = TrainingRequest.model_fields, self.parts
        parts["target"] = gr.Dropdown(
            [(named_target(name).label, name) for name in TARGETS], value=fields["target"].default, label="True law"
        )
        parts["points"] = slider_for(fields["points"], "Training points", "All that the flows ever see of it.")
        parts["paths"] = gr.CheckboxGroup(
            [(label, name) for name, label in PATHS.items()], value=list(fields["paths"].default), label="Paths",
            elem_id="paths",
        )  # fmt: skip
        parts["updates"] = slider_for(fields["updates"], "Updates", "Of every network, 256 points each.")
        parts["seeds"] = slider_for(
            fields["seeds"], "Seeds", "Repetitions with other points, weights and noise: from three on, differences "
            "come with an interval.",
        )  # fmt: skip
        parts["seed"] = gr.Number(fields["seed"].default, precision=0, minimum=0, label="First seed")

    def request(self, values: tuple[Any, ...]) -> TrainingRequest:
        at = dict(zip(self.parts, values, strict=True))
        at["paths"] = tuple(at["paths"] or ())
        at["seed"] = 0 if at["seed"] is None else at["seed"]
        return parse(TrainingRequest, **at)

    def values(self, request: TrainingRequest) -> list[Any]:
        shown = [getattr(request, name) for name in self.parts]
        return [list(one) if isinstance(one, tuple) else one for one in shown]


def build() -> None:
    """The page's content, inside its Blocks."""
    WARM_UP.add(_first_view)
    query = gr.Textbox(visible="hidden", elem_id="query")
    with gr.Row(elem_classes="gensot-split"):
        with gr.Column(scale=4, min_width=300, elem_classes="gensot-controls"):
            controls = _Controls()
            fresh = gr.Button("Fresh seed", size="sm")
        with gr.Column(scale=9, min_width=320):
            gr.Markdown(_LEAD, elem_classes="gensot-lead")
            with gr.Row(elem_classes=["gensot-run", "gensot-actions"]):
                go = gr.Button("Train", variant="primary", min_width=80, elem_id="train")
                stop = gr.Button("Stop", min_width=80, elem_id="stop")
                link = gr.Button("Copy link", min_width=80)
            status = gr.HTML(report.status("Drawing the training points…"), elem_id="status")
            notice = gr.HTML(elem_id="notice", visible=False)
            said = gr.HTML(elem_id="verdict")
            gr.Markdown(_TRY, elem_classes="gensot-lead")
            with gr.Row(elem_classes=["gensot-run", "gensot-presets"]):
                presets = [gr.Button(title, size="sm", elem_classes="gensot-preset") for title, _ in TRAINING]
    shown = [status, said]
    with gr.Row():
        with gr.Column(min_width=300):
            shown.append(_figure("learnt", "The training points appear here.", 580))
        with gr.Column(min_width=300):
            shown.append(_figure("likely", "Press Train: likelihoods appear after an eighth of the updates.", 290))
            _question("crossed")
            shown.append(gr.HTML(elem_id="crossed"))
    with gr.Row():
        with gr.Column(min_width=300):
            shown.append(_figure("calls", "Press Train: this is measured at the end.", 400))
        with gr.Column(min_width=300):
            shown.append(_figure("weight", "Press Train: the weights follow from the points.", 400))
    shown.append(gr.HTML(elem_id="table"))
    with gr.Row():
        for name, empty in (
            ("loss", "Press Train."),
            ("progress", "Press Train."),
            ("field", "Press Train: this is measured at the end."),
        ):
            with gr.Column(min_width=300):
                shown.append(_figure(name, empty, 340))
    shown.append(query)
    with gr.Accordion("How to read this, and how it is done", open=False):
        gr.Markdown(_READ)

    parts = controls.all()

    latest, ticket = gr.State(Latest()), gr.Number(-1, precision=0, visible="hidden")

    @WARM_UP.yields_to
    def training(latest: Latest, number: int, *values: Any) -> Iterator[list[Any]]:
        yield from while_latest(latest, number, _train(controls, values), _PARTS)

    def restore(request: gr.Request) -> list[Any]:
        return _restore(controls, request)

    Context.root_block.load(restore, None, [*parts, notice, *shown], **QUIET)
    # A light event chooses a number, which travels with the run: one of an older number ends itself, or never begins.
    light = {"queue": False, **QUIET}
    train = {"inputs": [latest, ticket, *parts], "outputs": shown, "trigger_mode": "multiple", **LONG}
    begun = [go.click(Latest.choose, latest, ticket, **light)]
    for button, (_, change) in zip(presets, TRAINING, strict=True):
        begun.append(button.click(_setter(controls, TrainingRequest(**change)), latest, [ticket, *parts], **light))
    for event in begun:
        address_follows(event.then(training, **train), query)
    fresh.click(lambda latest: [fresh_seed(), latest.stop(_CHANGED)], latest, [controls["seed"], status], **light)
    gr.on([part.input for part in parts], lambda latest: latest.stop(_CHANGED), latest, status, **light)
    stop.click(lambda latest: latest.stop(_STOPPED), latest, status, **light)
    copies_link(link, query, lambda *values: _link(controls, values), parts, query)
    energy_training_endpoints.publish()


def _question(name: str) -> None:
    title, text = _QUESTIONS[name]
    gr.Markdown(f"### {title}\n{text}", elem_classes="gensot-question gensot-question-short")


def _figure(name: str, empty: str, height: int) -> PlotlyFigure:
    _question(name)
    return PlotlyFigure(empty=empty, height=height, elem_id=f"figure-{name}", filename=f"gensot-training-{name}")


def _first_view() -> Iterator[None]:
    """A short run of the default settings, step by step; the whole one takes longer than a warm-up should."""
    for run in run_training(FIRST):
        if run.complete and not run.cut:
            RUNS.keep(run)
        yield


def _pictures(run: TrainingRun, status: str) -> list[Any]:
    """[status, verdict, figures and tables…, query], in the page's order."""
    return [
        status,
        words.verdict(run),
        learnt_figure(run),
        likelihood_figure(run),
        words.crossed(run),
        calls_figure(run),
        weight_figure(run),
        words.table(run),
        loss_figure(run),
        progress_figure(run),
        field_figure(run),
        to_query(run.request),
    ]


_PARTS = 12  # of _pictures


def _finished(run: TrainingRun) -> str:
    nets = len(run.request.paths) * run.request.seeds
    cut = f", cut at {run.updates:,}" if run.cut else ""
    return report.status(
        f"{nets} network{'s' * (nets > 1)} of {run.parameters:,} numbers, {run.request.updates:,} updates each{cut}, "
        f"and everything measured: {run.seconds:.1f} s."
    )


def _train(controls: _Controls, values: tuple[Any, ...]) -> Iterator[list[Any]]:
    try:
        request = controls.request(values)
        kept = RUNS.find(request)
        if kept is not None:
            run = RUNS.get(kept)
            yield _pictures(run, _finished(run))
            return
        nets = len(request.paths) * request.seeds
        doing = f"Training {nets} network{'s' * (nets > 1)}"
        drawn_at, checked = -_EVERY, -1
        for run in run_training(request):
            if run.complete:
                if not run.cut:
                    RUNS.keep(run)
                yield _pictures(run, _finished(run))
                continue
            now = time.perf_counter()
            if now - drawn_at < _EVERY and len(run.checks) <= max(checked, 0):
                continue
            what = doing if run.doing == "Training" else run.doing
            if run.parameters:
                what += f", {run.updates:,} of {request.updates:,} updates"
            line = report.running(what, run.done, run.seconds)
            drawn_at = now
            if loss_figure(run) is None:  # too little is learnt to be drawn: what is shown stays
                yield [line, *[gr.skip()] * (_PARTS - 1)]
                continue
            pictures = _pictures(run, line)
            if len(run.checks) == checked:  # only the loss has changed
                pictures = [p if n in (0, 8) else gr.skip() for n, p in enumerate(pictures)]
            checked = len(run.checks)
            yield pictures
    except InvalidRequest as error:
        yield [report.status(str(error), kind="error"), *[gr.skip()] * (_PARTS - 1)]
    except Exception as error:
        logging.getLogger(__name__).exception("a training failed")
        sentence = f"Training failed ({type(error).__name__}); what is shown stays. Other settings may work."
        yield [report.status(sentence, kind="error"), *[gr.skip()] * (_PARTS - 1)]


def _restore(controls: _Controls, request: gr.Request) -> list[Any]:
    """[controls…, notice, shown…] from the address."""
    wanted, notice = followed(lambda: from_query(request.url.query or ""), TrainingRequest())
    kept = RUNS.find(wanted)
    if kept is not None:
        run = RUNS.get(kept)
        return [*controls.values(wanted), notice, *_pictures(run, _finished(run))]
    short = RUNS.find(FIRST) if wanted == TrainingRequest() else None
    if short is not None:
        line = f"A short training of {FIRST.updates} updates. Press Train for {wanted.updates:,}, live."
        pictures = _pictures(RUNS.get(short), report.status(line))
        return [*controls.values(wanted), notice, *pictures[:-1], to_query(wanted)]
    nets = len(wanted.paths) * wanted.seeds
    line = report.status(
        f"Press Train: {nets} networks learn {wanted.points:,} points, {wanted.updates:,} updates each."
    )
    return [*controls.values(wanted), notice, *_pictures(TrainingRun(wanted, at_hand(wanted)), line)]


def _setter(controls: _Controls, request: TrainingRequest):
    return lambda latest: [latest.choose(), *controls.values(request)]


def _link(controls: _Controls, values: tuple[Any, ...]) -> str:
    try:
        return to_query(controls.request(values))
    except InvalidRequest as error:
        raise gr.Error(str(error), duration=8, print_exception=False) from None
