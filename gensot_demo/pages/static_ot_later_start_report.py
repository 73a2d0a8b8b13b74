"""The table and sentences of sampling that starts later. HTML only; every value is escaped."""

from __future__ import annotations

from gensot_demo.experiments.failures.failure import Number
from gensot_demo.experiments.static_ot.later_start import LaterStart, LaterStartCalls
from gensot_demo.experiments.static_ot.later_start_heights import known_of
from gensot_demo.experiments.static_ot.later_start_methods import LATER, METHODS, label_of, methods_of
from gensot_demo.experiments.static_ot.later_start_quality import Quality, diverged
from gensot_demo.experiments.static_ot.later_start_request import FINISHES, MODELS, LaterStartRequest
from gensot_demo.experiments.static_ot.later_start_told import of_calls, of_wall, wall_line
from gensot_demo.figures.static_ot_later_start import STYLES

from . import report

_NARROW = "white-space: normal; min-width: 96px"  # on a phone a column of results stands beside the names
_COLUMNS = (
    ("KID", "Squared kernel distance, in the judge's features, to the law of the training pictures; unbiased, so it "
     "may fall below 0"),
    ("Judged right", "Share that the judge gives the class asked for, or, of any class, a class at all"),
    ("Copies", "Share less than a third as far from one training picture as from every other"),
    ("Nearest", "Distance to the nearest training picture, root mean square grey levels, mean"),
)  # fmt: skip


def verdict(run: LaterStart) -> str:
    """What the wall shows, as a list."""
    return _list(of_wall(run))


def finding(run: LaterStartCalls | None) -> str:
    """What the measurement says, as a list."""
    return "" if run is None else _list(of_calls(run)) + legend(run.request)


def legend(request: LaterStartRequest) -> str:
    """The marks of all figures, once."""
    ways = "".join(
        f'<span><span class="gensot-wall-mark" style="color:var({STYLES[name].variable})">{STYLES[name].glyph}</span> '
        f"{report.escape(label_of(name, request))}</span>"
        for name in methods_of(request)
    )
    levels = "<span>┄ exact draws: training pictures</span><span>⋯ pictures never seen by the network</span>"
    return f'<p class="gensot-law gensot-later-legend">{ways}{levels}</p>'


def finished(run: LaterStart) -> str:
    """The status of a complete wall."""
    request = run.request
    counted = sorted({row.calls for row in run.rows.values()})
    return report.status(
        f"{MODELS[request.model]}: {len(run.rows)} ways, {request.samples} samples each, "
        f"{' or '.join(f'{one:g}' for one in counted)} calls a sample, counted; later start at {wall_line(request)}; "
        f"{run.seconds:.1f} s. Cells hold the pictures' weights to {100 * known_of(request.label).mass_error:.1f} %."
    )


def measured(run: LaterStartCalls) -> str:
    """The status of a complete measurement: of which settings it is, since the controls may say others by now."""
    calls = ", ".join(map(str, run.request.budgets))
    return report.status(
        f"{run.request.draws} samples of each of {len(run.found)} ways at {calls} calls: {run.seconds:.0f} s. "
        f"{settings(run.request)} Bars are standard errors."
    )


def settings(request: LaterStartRequest) -> str:
    """What a measurement is of, in a sentence."""
    pictures = "pictures of any class" if request.label is None else f"pictures of {request.pictures}"
    return (
        f"Measured: {MODELS[request.model].lower()}, {pictures}, later start at {wall_line(request)}, smoothing "
        f"τ = {request.tau:g}, {FINISHES[request.finish]} after the jump."
    )


def table(run: LaterStartCalls | None) -> str:
    """A row for each method at each number of calls, after exact draws and pictures never seen."""
    if run is None or not any(run.found.values()):
        return ""
    rows = _row("Exact draws: training pictures", "", "", run.exact) + _row(
        f"{run.unseen.pictures} picture{'s' * (run.unseen.pictures > 1)} that the network never saw", "", "", run.unseen
    )
    for calls in run.request.budgets:
        for name, found in run.found.items():
            if calls in found:
                style = STYLES[name]
                mark = f'<span class="gensot-wall-mark" style="color:var({style.variable})">{style.glyph}</span> '
                rows += _row(METHODS[name], mark, f"{found[calls].calls:g}", found[calls])
    heads = [("Way", ""), ("Calls", "of the model for one sample, counted"), *_COLUMNS]
    head = "".join(f'<th scope="col" title="{report.escape(about)}">{report.escape(one)}</th>' for one, about in heads)
    on = "; ".join(METHODS[name] for name in methods_of(run.request) if name in LATER)
    return (
        f'<p class="gensot-law">{report.escape(on)}: each goes on with {FINISHES[run.request.finish]}.</p>'
        '<div class="gensot-scroll" tabindex="0" role="region" aria-label="Quality of each way by calls">'
        f'<table class="gensot-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _row(label: str, mark: str, calls: str, quality: Quality) -> str:
    cells = [
        calls,
        _number(quality.kid, 3),
        _number(quality.judged, 0) + " %",
        _number(quality.copies, 0) + " %",
        "diverged" if diverged(quality.distance.value) else _number(quality.distance, 1),
    ]
    body = "".join(f"<td>{report.escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row" style="{_NARROW}">{mark}{report.escape(label)}</th>{body}</tr>'


def _number(one: Number | None, digits: int) -> str:
    if one is None:
        return "too few"
    return f"{one.value:.{digits}f}" + ("" if one.error is None else f" ± {one.error:.{digits}f}")


def _list(lines: list[str]) -> str:
    items = "".join(f"<li>{report.escape(line)}</li>" for line in lines)
    return f'<ul class="gensot-verdict">{items}</ul>' if items else ""
