"""The section of the tokens' page that counts clusters over many seeds, live."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr
from numpy.typing import NDArray

from gensot_demo.experiments.kept import Kept
from gensot_demo.experiments.lagrangian.tokens_counted import BETAS, DEPTHS, SEEDS, Counted, CountRequest, count
from gensot_demo.experiments.requests import InvalidRequest, parse
from gensot_demo.experiments.turns import in_turn

from . import lagrangian_chance_endpoints, report
from .controls import NamedParts
from .events import LONG, QUIET, Latest
from .warm_up import WARM_UP

_KEPT: Kept[Counted] = Kept(16)
_EVERY = 0.5  # seconds between two tables
_STOPPED = report.status("Stopped. What the table shows stays.")
_TEXT = f"""### Is the number of clusters a law or luck?
It depends on the start, so one run says little. This counts over {SEEDS} seeds with Q = K = V = I, on the circle (or
the sphere, where that is chosen above), for the number of tokens chosen above: the least and the most clusters, and
their mean, at depth {DEPTHS[0]} and once more at {DEPTHS[1]}."""


def section(controls: NamedParts) -> None:
    """The section with its own buttons; space and number of tokens come from the page's controls."""
    gr.Markdown(_TEXT, elem_classes="gensot-question gensot-question-short")
    with gr.Row(elem_classes="gensot-run"):
        go = gr.Button(f"Count over {SEEDS} seeds", variant="primary", min_width=80, elem_id="count")
        stop = gr.Button("Stop", min_width=80, elem_id="stop-counting")
    line = gr.HTML(report.status("Press Count; it says how long it will take."), elem_id="count-status")
    table = gr.HTML(elem_id="counts")
    latest, ticket = gr.State(Latest()), gr.Number(-1, precision=0, visible="hidden")

    @WARM_UP.yields_to
    def counting(latest: Latest, number: int, *values: Any) -> Iterator[list[Any]]:
        moments = _count(*values)
        while latest.number == number:
            moment = next(moments, None)
            if moment is None:
                return
            yield moment
        moments.close()
        # after a Stop the last word is the run's: one of its moments may still have been on its way
        yield [_STOPPED if latest.stopped else gr.skip(), gr.skip()]

    light = {"queue": False, **QUIET}
    chosen = [latest, ticket, controls["space"], controls["tokens"]]
    go.click(Latest.choose, latest, ticket, **light).then(counting, chosen, [line, table], **LONG)
    stop.click(_stopped, latest, line, **light)
    lagrangian_chance_endpoints.publish_counts()


def _stopped(latest: Latest) -> str:
    latest.stop()
    return _STOPPED


def _count(space: str, tokens: int) -> Iterator[list[Any]]:
    """[status, table] as it goes."""
    try:
        request = parse(CountRequest, space="sphere" if space == "sphere" else "circle", tokens=tokens)
        kept = _KEPT.get(request)
        if kept is not None:
            yield [_finished(kept), _table(kept)]
            return
        shown_at = 0.0
        for moment in in_turn(count(request)):
            if moment.complete:
                _KEPT.keep(request, moment)
                yield [_finished(moment), _table(moment)]
            elif time.perf_counter() - shown_at > _EVERY:
                shown_at = time.perf_counter()
                what = f"Counting, β = {moment.beta}, depth {moment.depth:g}"
                yield [report.running(what, moment.done, moment.seconds), _table(moment)]
    except InvalidRequest as error:
        yield [report.status(f"{error} What is shown stays.", kind="error"), gr.skip()]
    except Exception as error:
        logging.getLogger(__name__).error("counting clusters failed", exc_info=error)
        yield [
            report.status(f"Counting failed ({type(error).__name__}); what is shown stays.", kind="error"),
            gr.skip(),
        ]


def _finished(moment: Counted) -> str:
    return report.status(
        f"{len(BETAS)} temperatures, {SEEDS} seeds each, {moment.request.tokens} tokens on the {moment.request.space}: "
        f"{moment.seconds:.1f} s."
    )


def _table(moment: Counted) -> str:
    """A row per temperature, a column per depth; and what the second column adds to the first."""
    head = "".join(f'<th scope="col">{text}</th>' for text in ("β", *(f"Clusters at depth {d}" for d in DEPTHS)))
    rows = "".join(
        f'<tr><th scope="row">{beta}</th>{"".join(f"<td>{_range(one)}</td>" for one in row)}</tr>'
        for beta, row in zip(BETAS, moment.counts, strict=True)
    )
    label = f"Clusters on the {moment.request.space}, {moment.request.tokens} tokens, over {SEEDS} seeds"
    return (
        f'<div class="gensot-scroll" tabindex="0" role="region" aria-label="{label}"><table class="gensot-table">'
        f"<caption>{label}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{_merging(moment)}"
    )


def _range(counts: NDArray | None) -> str:
    if counts is None:
        return "–"
    low, high = int(counts.min()), int(counts.max())
    return f"{low if low == high else f'{low} to {high}'} (mean {counts.mean():.1f})"


def _merging(moment: Counted) -> str:
    both = [(beta, row) for beta, row in zip(BETAS, moment.counts, strict=True) if row[-1] is not None]
    if not both:
        return ""
    fewer = [(beta, int((row[-1] < row[0]).sum())) for beta, row in both]
    said = ", ".join(f"{seeds} of {SEEDS} at β = {beta}" for beta, seeds in fewer)
    return report.sentences(
        [
            f"Seeds whose number still fell between depth {DEPTHS[0]} and {DEPTHS[1]}: {said}. So these are counts at "
            "a depth, not final ones: clusters wait for times that grow exponentially with β (arXiv 2410.06833)."
        ]
    )
