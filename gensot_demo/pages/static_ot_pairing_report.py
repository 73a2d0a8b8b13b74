"""The table and the sentences of flows trained on pairings. HTML only; every value is escaped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gensot_demo.experiments.energy.training_told import mean_and_error
from gensot_demo.experiments.static_ot.pairing import CALLS, PairingRun
from gensot_demo.figures.static_ot_pairing import STYLES

from . import report

_HEADS = (
    ("Pairing", ""),
    ("Pairs cost", "E|y − x₀|², mean squared length of the pairs"),
    ("Pairs cross", "share of two pairs whose lines cross in the plane"),
    ("Cheaper swapped", "share of two pairs that would be cheaper with their partners swapped"),
    ("Flow spends", "kinetic energy ∫ E|v|² dt of the learnt flow"),
    ("Straightness", "∫ E|v − (x₁ − x₀)|² dt / E|x₁ − x₀|² of the learnt flow: 0 is straight at constant speed"),
    ("Path / chord", "mean length of a line over the distance of its ends: 1 is straight"),
    ("Lines cross", "share of two lines of the learnt flow that cross in the plane"),
)


def sentences(lines: Sequence[str], cut: int | None = None) -> str:
    """A list; cut: after how many updates training ended early."""
    return report.sentences(lines, "" if cut is None else f"Training took too long and was cut after {cut:,} updates.")


def table(run: PairingRun) -> str:
    """A row for each pairing."""
    if run.pairs is None:
        return ""
    heads = [*_HEADS, *((f"{k} call{'s' * (k > 1)}", "sliced W2 of samples to the data set") for k in CALLS)]
    head = "".join(f'<th scope="col" title="{report.escape(about)}">{report.escape(one)}</th>' for one, about in heads)
    rows = "".join(_row(run, p) for p in range(len(run.request.pairings)))
    note = f"W₂² is {np.mean(run.task.least):.3f}: no pairs cost less. "
    if run.calls is not None:
        note += f"Draws from the data set itself score {run.calls.floor:.3f} ± {run.calls.floor_spread:.3f}. "
    if run.request.seeds > 1:
        note += "Mean over seeds ± standard error. "
    return (
        '<div class="gensot-scroll" tabindex="0" role="region" aria-label="Pairs, flows and errors of each pairing">'
        f'<table class="gensot-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f'<p class="gensot-law">{note}</p>'
    )


def _row(run: PairingRun, p: int) -> str:
    pairs, learnt = run.pairs, run.learnt
    cells = [_cell(pairs.cost[p]), _percent(pairs.crossing[p]), _percent(pairs.swapped[p])]
    if learnt is None:
        cells += ["…"] * 4
    else:
        cells += [_cell(learnt.energy[p]), _cell(learnt.straightness[p]), _cell(learnt.length[p])]
        cells.append(_percent(learnt.crossing[p]))
    cells += [_cell(run.calls.error[p, :, k]) if run.calls else "…" for k in range(len(CALLS))]
    style, label = STYLES[run.request.pairings[p]], run.labels[p]
    mark = f'<span class="gensot-wall-mark" style="color:var({style.variable})">{style.glyph}</span> '
    body = "".join(f"<td>{report.escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{mark}{report.escape(label)}</th>{body}</tr>'


def _cell(values: np.ndarray) -> str:
    mean, error = mean_and_error(values)
    return f"{mean:.3f}" if error is None else f"{mean:.3f} ± {error:.3f}"


def _percent(values: np.ndarray) -> str:
    mean, error = mean_and_error(100 * values)
    return f"{mean:.1f} %" if error is None else f"{mean:.1f} ± {error:.1f} %"
