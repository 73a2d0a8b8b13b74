"""What the Failure modes page writes: words, rows of pictures, the table of evidence. HTML only; values are escaped."""

from __future__ import annotations

from html import escape

from gensot_demo.experiments.compare import CompareResult
from gensot_demo.experiments.failures.failure import Failure, Finished, Number, Variant
from gensot_demo.experiments.failures.run import FailureResult, FailureUpdate
from gensot_demo.experiments.links import to_query as compare_query
from gensot_demo.experiments.plane.links import to_query as transport_query
from gensot_demo.experiments.requests import CompareRequest
from gensot_demo.figures.transport import panel_style
from gensot_demo.figures.wall import wall_row, wall_value

from . import report

_COLUMNS = 8  # pictures of a row


def words(failure: Failure) -> str:
    """What one sees, why, and what mends it."""
    lines = (("One sees", failure.sees), ("Why", failure.why), ("What mends it", failure.mends))
    said = "".join(f"<p><b>{name}</b> {escape(text)}</p>" for name, text in lines)
    return f'<div class="gensot-failure"><h3>{escape(failure.title)}</h3>{said}</div>'


def equation(failure: Failure) -> str:
    """The equation and its source, as Markdown."""
    return f"$${failure.equation}$$\n\n*{failure.source}*"


def address(variant: Variant) -> tuple[str, str]:
    """(where the variant opens, the page's title)."""
    if isinstance(variant.request, CompareRequest):
        return f"./?{compare_query(variant.request)[0]}", "Compare"
    return f"./transport?{transport_query(variant.request)[0]}", "Transport"


def wall(moment: FailureUpdate | FailureResult) -> str | None:
    """A row of pictures for each variant that has any, the one that runs among them; None where nothing is pictured."""
    running = dict([moment.running]) if isinstance(moment, FailureUpdate) and moment.running else {}
    rows, seeds = [], ()
    for number, variant in enumerate(moment.variants):
        if not isinstance(variant.request, CompareRequest):
            return None
        pictures, note, captions = _row(variant, moment.finished, running)
        if pictures is None and not note:
            continue
        seeds = variant.request.seeds[:_COLUMNS]
        style = panel_style(number)
        pictures = () if pictures is None else pictures[:_COLUMNS]
        rows.append(
            wall_row(
                variant.name, variant.label, pictures, note=note, glyph=style.glyph, colour=style.token,
                captions=captions,
                alternatives=[f"{variant.label}, seed {seed}" for seed in seeds],
            )
        )  # fmt: skip
    if not rows:
        return None
    columns = [f"seed {seed}" for seed in seeds]
    return wall_value(rows, columns, "Samples: one row per variant, one column per seed", False)


def _row(variant: Variant, finished: Finished, running: dict) -> tuple:
    """(pictures or None, note, captions) of a variant so far."""
    result = finished.results.get(variant.name)
    if isinstance(result, CompareResult):
        part = finished.part(variant.name)
        near = "" if result.backbone.info.exact else "≈ "
        named = [] if part.nearest is None else [near + result.backbone.names[i] for i in part.nearest]
        return part.pictures, report.calls_of(part), named
    if variant.name in finished.errors:
        return None, finished.errors[variant.name], ()
    return running.get(variant.name), "", ()


def sentence(result: FailureResult) -> str:
    """What the numbers say, and what ended early."""
    ended = [
        f"{v.label}: {result.finished.errors[v.name]}" for v in result.variants if v.name in result.finished.errors
    ]
    more = "".join(f'<li class="gensot-note">{escape(line)}</li>' for line in ended)
    return f'<ul class="gensot-verdict"><li>{escape(result.evidence.sentence)}</li>{more}</ul>'


def table(result: FailureResult) -> str:
    """The evidence: a row for each variant, with the link that opens it."""
    columns = result.evidence.columns
    head = '<th scope="col">Variant</th>' + "".join(
        f'<th scope="col" title="{escape(column.about)}">{escape(column.label)}'
        f"{f', {escape(column.unit)}' if column.unit else ''}</th>"
        for column in columns
    )
    rows = ""
    for number, variant in enumerate(result.variants):
        style = panel_style(number)
        where, page = address(variant)
        mark = f'<span class="gensot-wall-mark" style="color:var({style.variable})">{style.glyph}</span>'
        cells = "".join(f"<td>{number_text(one)}</td>" for one in result.evidence.rows[variant.name])
        opened = f'<a href="{escape(where)}" aria-label="{escape(variant.label)}: open in {page}">Open in {page}</a>'
        rows += f'<tr><th scope="row">{mark} {escape(variant.label)}</th>{cells}<td>{opened}</td></tr>'
    return (
        '<div class="gensot-scroll" tabindex="0" role="region" aria-label="Numbers of every variant">'
        f'<table class="gensot-table"><thead><tr>{head}<th scope="col">Settings</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def number_text(number: Number) -> str:
    """A number with its standard error, to the digits that the error leaves; a dash where there is none."""
    value, error = number.value, number.error
    if value is None:
        return "–"
    if error is None or error < 1e-3:
        digits = 0 if abs(value) >= 100 or value == round(value) else 1 if abs(value) >= 1 else 2
        return f"{value:,.{digits}f}"
    digits = 0 if error >= 10 else 1 if error >= 0.5 else 2
    return f"{value:,.{digits}f} ± {error:,.{digits}f}"
