"""The tables and the verdict of flows trained live. HTML only; every value is escaped."""

from __future__ import annotations

import numpy as np

from gensot_demo.experiments.energy.training import CALLS, TrainingRun
from gensot_demo.experiments.energy.training_task import PATHS
from gensot_demo.experiments.energy.training_told import AT, mean_and_error, of_training
from gensot_demo.figures.energy_training import STYLES

from . import report


def verdict(run: TrainingRun) -> str:
    """What the numbers of this run say, as a list."""
    lines = "".join(f"<li>{report.escape(line)}</li>" for line in of_training(run))
    if run.complete and run.cut:
        lines += f'<li class="gensot-note">Training took too long and was cut after {run.updates:,} updates.</li>'
    return f'<ul class="gensot-verdict">{lines}</ul>' if lines else ""


def table(run: TrainingRun) -> str:
    """A row for each path: what it loses to the true law, and its error at 2 to 64 calls."""
    if not run.checks:
        return ""
    heads = [
        ("Path", ""),
        ("Held out", "nats per dimension below the true law, on points that no flow has seen"),
        ("Seen", "the same on the points seen in training"),
        *((f"{k} calls", "sliced W2 to fresh exact draws") for k in CALLS),
    ]
    rows = ""
    for p, name in enumerate(run.request.paths):
        cells = [_cell(run.checks[-1].held_out[p]), _cell(run.checks[-1].seen[p])]
        cells += [_cell(run.calls.own[p, :, k]) if run.calls else "…" for k in range(len(CALLS))]
        rows += _row(name, cells)
    floor = f" Exact draws score {run.calls.floor:.3f} ± {run.calls.floor_spread:.3f}." if run.calls else ""
    note = (
        f"The true law's own negative log-likelihood is {run.task.own_surprise:.3f} nats per dimension on these "
        f"held-out points, in units in which the law has variance 1 per coordinate.{floor}"
    )
    if run.request.seeds > 1:
        note += " Mean over seeds ± standard error."
    return _table(heads, rows, "Likelihood and sample error of each path") + f'<p class="gensot-law">{note}</p>'


def crossed(run: TrainingRun) -> str:
    """Networks by what they were trained on, sampled along each path, at 8 calls."""
    if len(run.request.paths) < 2:
        return '<p class="gensot-law">With one path there is nothing to cross: choose two.</p>'
    if run.calls is None:
        return '<p class="gensot-law">Press Train: this is measured at the end.</p>'
    heads = [("Trained on", "the path whose loss the network learnt by")]
    heads += [(f"along {PATHS[name]}", f"sampled along it, {CALLS[AT]} calls") for name in run.request.paths]
    values = run.calls.error[:, :, :, AT]
    rows = "".join(
        _row(name, [_cell(values[p, q]) for q in range(len(values))]) for p, name in enumerate(run.request.paths)
    )
    rows += _row(None, [f"{value:.3f}" for value in run.calls.exact[:, AT]])
    return _table(heads, rows, f"Sample error at {CALLS[AT]} calls by training and by sampling path")


def _cell(values: np.ndarray) -> str:
    mean, error = mean_and_error(values)
    return f"{mean:.3f}" if error is None else f"{mean:.3f} ± {error:.3f}"


def _row(name: str | None, cells: list[str]) -> str:
    label, mark = "exact velocity", ""
    if name is not None:
        style, label = STYLES[name], PATHS[name]
        mark = f'<span class="gensot-wall-mark" style="color:var({style.variable})">{style.glyph}</span> '
    body = "".join(f"<td>{report.escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{mark}{report.escape(label)}</th>{body}</tr>'


def _table(heads: list[tuple[str, str]], rows: str, label: str) -> str:
    head = "".join(f'<th scope="col" title="{report.escape(about)}">{report.escape(one)}</th>' for one, about in heads)
    return (
        f'<div class="gensot-scroll" tabindex="0" role="region" aria-label="{report.escape(label)}">'
        f'<table class="gensot-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )
