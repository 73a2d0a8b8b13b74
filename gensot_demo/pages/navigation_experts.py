"""Navigation, Experts: beliefs about the end fused exactly, ways of teaching reconciled by one linear solve."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.context import Context

from gensot_demo.experiments.navigation.experts import (
    MOST_EXPERTS,
    MOST_TRUST,
    ExpertsRequest,
    consensus,
    paper_rows,
    tracking_of,
)
from gensot_demo.experiments.navigation.learning_links import experts_from_query, modes_in, text_of, to_query
from gensot_demo.experiments.navigation.simulated import CLOSE, PARTICLES, STEPS, arrived, simulate_and_adam
from gensot_demo.experiments.navigation.told import of_experts
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.figures.component import PlotlyFigure
from gensot_demo.figures.navigation_learning import cost_bars, descent_figure, experts_plane

from . import navigation_learning_endpoints, report
from .controls import BoundedSlider, slider_for
from .events import HEAVY, QUIET, address_follows, copies_link, followed, ready
from .warm_up import WARM_UP

_ITERATIONS = 60
_MORE = (((1.0, 1.5, -1.0, 0.4, 0.0, 0.4),), ((1.0, -1.5, -1.0, 0.4, 0.0, 0.4),))
_MORE_AMPLITUDES, _MORE_TRUSTS = (-0.7, 0.0), (1, 1)
_LEAD = (
    "Experts **believe** in different ends and **teach** different ways. Trust each a whole number of times: the "
    "fused law is the product of their beliefs, each to the power of its trust, and one guide serves them all. Both "
    "are exact, so the sliders answer at once."
)
_SIMULATE = (
    "### What would it cost to simulate?\nThe same objective without the closed forms: "
    f"{PARTICLES} particles, {STEPS} Euler-Maruyama steps through the fused law's oracle, the gradient through all of "
    f"them, and Adam. It runs here until it is within {100 * CLOSE:.0f} % of the exact optimum, {_ITERATIONS} "
    "iterations at most."
)
_READ = """
* **Fused law**: p₁ ∝ ∏ pₘ^kₘ. For Gaussian mixtures and whole trusts it is a mixture again, component by component.
* **Objective**: J = Σ kₘ ½ ∫ E|x − teacherₘ|² dt + 0.1 H(p₁) + 0.01 Σ|Δguide|² + 0.001 Σ|Δ²guide|², the paper's case
  C (arXiv 2512.11859). The bars leave out 0.1 H(p₁), a constant that may be negative; sentences and table have it.
* **Floor**: no guide lowers *spread*, the width of the tube and of the fused law, nor *disagreement*, the distance of
  the teachers from their mean by trust. Only *straying* is the guide's doing.
* **Published** values were found by simulation and Adam. One that lies *below* the exact optimum cannot be reached by
  any guide whose process ends in the fused law: its ensemble misses that law.
"""


def build() -> None:
    """The page's content, inside its Blocks."""
    WARM_UP.add(_first_view)
    fields = ExpertsRequest.model_fields
    plain = ExpertsRequest()
    query = gr.Textbox(visible="hidden", elem_id="query")
    gr.Markdown(_LEAD, elem_classes="gensot-lead")
    beliefs, amplitudes, trusts, groups = [], [], [], []
    with gr.Row(elem_classes="gensot-split"):
        with gr.Column(scale=4, min_width=300, elem_classes="gensot-controls"):
            count = gr.Radio(list(range(1, MOST_EXPERTS + 1)), value=2, label="Experts", elem_id="count")
            values = _filled(plain)
            for n in range(MOST_EXPERTS):
                with gr.Group(visible=n < 2, elem_classes="gensot-expert") as group:
                    trusts.append(
                        BoundedSlider(
                            0,
                            MOST_TRUST,
                            values[2][n],
                            step=1,
                            label=f"Trust in expert {n + 1}",
                            elem_id=f"trust-{n + 1}",
                        )
                    )
                    label = f"Amplitude of teacher {n + 1}"
                    amplitudes.append(BoundedSlider(-4, 4, values[1][n], step=0.1, label=label))
                    with gr.Accordion(f"Belief of expert {n + 1}", open=False):
                        beliefs.append(
                            gr.Textbox(
                                text_of(values[0][n]), lines=3, max_lines=8, label="Modes, one a line",
                                info="weight; x, y; sxx, sxy, syy", elem_id=f"belief-{n + 1}", max_length=4000,
                            )
                        )  # fmt: skip
                groups.append(group)
            with gr.Accordion("Corridor: stiffness, steepness, pieces", open=False):
                stiffness = BoundedSlider(1, 500, 20, step=1, label="Stiffness β", info="How hard the guide holds.")
                steepness = slider_for(fields["steepness"], "Steepness of the teachers")
                pieces = slider_for(fields["pieces"], "Pieces of the guide")
        with gr.Column(scale=9, min_width=320):
            with gr.Row(elem_classes="gensot-run"):
                status = gr.HTML(elem_id="solved", scale=4)
                link = gr.Button("Copy link", min_width=80, scale=0)
            notice = gr.HTML(elem_id="notice", visible=False)
            with gr.Row():
                with gr.Column(scale=5, min_width=320):
                    plane = PlotlyFigure(
                        empty="The plane appears here.", height=560, elem_id="plane", filename="gensot-experts"
                    )
                with gr.Column(scale=4, min_width=300):
                    said = gr.HTML(elem_id="verdict")
                    gr.Markdown("### What can the guide do, and what not?")
                    bars = PlotlyFigure(
                        empty="The costs appear here.", height=250, elem_id="bars", filename="gensot-experts-cost"
                    )
    gr.Markdown("### The paper's data, computed now", elem_classes="gensot-lead")
    table = gr.HTML(elem_id="table")
    gr.Markdown(_SIMULATE, elem_classes="gensot-lead")
    with gr.Row(elem_classes="gensot-run"):
        go = gr.Button("Simulate and descend", variant="primary", elem_id="simulate", elem_classes="gensot-starts")
        stop = gr.Button("Stop", min_width=80, elem_id="stop")
        descending = gr.HTML(elem_id="status", scale=4)
    descent = PlotlyFigure(
        empty="Press Simulate: the objective falls to the optimum.",
        height=320,
        elem_id="descent",
        filename="gensot-descent",
    )
    with gr.Accordion("How to read this", open=False):
        gr.Markdown(_READ)

    controls = [count, *trusts, *amplitudes, *beliefs, stiffness, steepness, pieces]
    shown = [plane, bars, said, status, query]
    Context.root_block.load(_restore, None, [*controls, *groups, notice, *shown, table], **QUIET)
    count.input(lambda many: [gr.update(visible=n < many) for n in range(MOST_EXPERTS)], count, groups, **QUIET)
    changed = [part.blur if part in beliefs else part.input for part in controls]
    solved = gr.on(changed, show, controls, shown, queue=False, trigger_mode="always_last", **QUIET)
    address_follows(solved, query)
    copies_link(link, query)
    run = go.click(_descend, controls, [descending, descent], **HEAVY)
    ready(run)
    gr.on(changed, None, None, None, cancels=[run], api_visibility="private").then(  # it belongs to other settings
        lambda: ["", None], None, [descending, descent], queue=False, **QUIET
    )
    stop.click(None, None, None, cancels=[run], api_visibility="private").then(
        lambda: report.status("Stopped. The curve stays."), None, descending, **QUIET
    )
    navigation_learning_endpoints.publish_experts()


def _first_view() -> Iterator[None]:
    consensus(ExpertsRequest())
    yield
    paper_rows()
    yield


def _filled(request: ExpertsRequest) -> tuple[list, list, list]:
    """(beliefs, amplitudes, trusts) of all experts that the page has room for, those of the request first."""
    many = len(request.beliefs)
    spare = (
        (*ExpertsRequest().beliefs, *_MORE),
        (*ExpertsRequest().amplitudes, *_MORE_AMPLITUDES),
        (1, 1, *_MORE_TRUSTS),
    )
    given = request.beliefs, request.amplitudes, request.trusts
    return tuple([*own, *other[many:]] for own, other in zip(given, spare, strict=True))


def request_of(count: int, *values: Any) -> ExpertsRequest:
    """The request of the controls' values; raises InvalidRequest with a sentence."""
    many, most = int(count), MOST_EXPERTS
    trusts, amplitudes, texts = values[:many], values[most : most + many], values[2 * most : 2 * most + many]
    stiffness, steepness, pieces = values[3 * most :]
    return parse(
        ExpertsRequest,
        beliefs=[modes_in(text, f"Expert {n}") for n, text in enumerate(texts, 1)],
        amplitudes=amplitudes,
        trusts=trusts,
        stiffness=stiffness,
        steepness=steepness,
        pieces=pieces,
    )


def show(*values: Any) -> list[Any]:
    """[plane, bars, sentences, status, query] of the controls' values; what is shown stays where they are not right."""
    try:
        return answer(request_of(*values))
    except InvalidRequest as error:
        return [gr.skip(), gr.skip(), gr.skip(), report.status(str(error), kind="error"), gr.skip()]


def answer(request: ExpertsRequest) -> list[Any]:
    """[plane, bars, sentences, status, query] of a request."""
    result = consensus(request)
    rows = [("mean of the teachers", result.before), ("consensus guide", result.after)]
    lines = "".join(f"<li>{report.escape(line)}</li>" for line in of_experts(result))
    return [
        experts_plane(result),
        cost_bars(rows, "objective without 0.1 H(p₁)"),
        f'<ul class="gensot-verdict">{lines}</ul>',
        report.status(f"Fused and solved in {1000 * result.seconds:.0f} ms."),
        to_query(request),
    ]


def _restore(request: gr.Request) -> list[Any]:
    """[controls…, groups…, notice, shown…, table] from the address."""

    def read() -> tuple[ExpertsRequest, list[str]]:
        found, notes = experts_from_query(request.url.query or "")
        answer(found)
        return found, notes

    wanted, notice = followed(read, ExpertsRequest())
    shown = answer(wanted)
    many = len(wanted.beliefs)
    beliefs, amplitudes, trusts = _filled(wanted)
    controls = [many, *trusts, *amplitudes, *map(text_of, beliefs), wanted.stiffness, wanted.steepness, wanted.pieces]
    groups = [gr.update(visible=n < many) for n in range(MOST_EXPERTS)]
    return [*controls, *groups, notice, *shown, _table()]


def _table() -> str:
    """Case C: exact costs, computed by this process, beside the published ones."""
    names = ("Trusts", "Teachers' mean as guide", "Exact optimum", "Published best", "Published, against the optimum")
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    rows = ""
    for row in paper_rows():
        off = row.published - row.optimum
        word = f"{off:.3f} above the optimum" if off > 0 else f"{-off:.3f} below: no guide can do that"
        cells = (f"{row.start:.3f}", f"{row.optimum:.3f}", f"{row.published:.3f}", word)
        body = "".join(f"<td>{cell}</td>" for cell in cells)
        rows += f'<tr><th scope="row">{row.trusts[0]}, {row.trusts[1]}</th>{body}</tr>'
    return (
        '<div class="gensot-scroll" tabindex="0" role="region" aria-label="Exact and published costs of case C">'
        f'<table class="gensot-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        '<p class="gensot-law">Objective J with its constant; 20 pieces, stiffness 20 (case C of arXiv 2512.11859).</p>'
    )


@WARM_UP.yields_to
def _descend(*values: Any) -> Iterator[list[Any]]:
    """Simulate and descend: updates of [status, figure]."""
    try:
        result = consensus(request_of(*values))
        tracking, law = tracking_of(result.request)
        yield [report.status("The first ensemble…", 0.0), gr.skip()]
        moments, drawn_at, close = [], 0.0, False
        for moment in simulate_and_adam(tracking, law, _ITERATIONS):
            moments.append(moment)
            close = arrived(moment, result.after.total, result.constant)
            if close:
                break
            if len(moments) > 1 and time.perf_counter() - drawn_at > 0.5:
                drawn_at = time.perf_counter()
                doing = f"Iteration {moment.iteration} of {_ITERATIONS} at most"
                share = moment.iteration / _ITERATIONS
                yield [report.running(doing, share, moment.seconds), descent_figure(moments, result)]
        last = moments[-1]
        where = f"within {100 * CLOSE:.0f} % of the optimum" if close else "still not at the optimum"
        if last.iteration == 0:
            said = f"There is nothing to descend: the blend of the teachers is {where} already."
        else:
            said = (
                f"After {last.iteration} iterations and {last.seconds:.1f} s the descent is {where}; the linear solve "
                f"took {1000 * result.seconds:.0f} ms, {last.seconds / result.seconds:,.0f} times less."
            )
        yield [report.status(said), descent_figure(moments, result) if len(moments) > 1 else gr.skip()]
    except InvalidRequest as error:
        yield [report.status(str(error), kind="error"), gr.skip()]
    except Exception as error:
        logging.getLogger(__name__).exception("a descent failed")
        sentence = f"The descent failed ({type(error).__name__}); what is shown stays. Other settings may work."
        yield [report.status(sentence, kind="error"), gr.skip()]
