"""What the Scoreboard writes: the table that a click sorts, and what it says in sentences. Every value is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from gensot_demo.experiments.scoreboard.rows import Row
from gensot_demo.experiments.scoreboard.tasks import STEPS, ScoreTask
from gensot_demo.figures.method_style import method_style

_HEADINGS = (
    ("Method", "With its own strength where that was varied."),
    ("Distance / floor", "Distance from the law asked for over that of as many exact draws: 1 is exact."),
    ("Distance", "W₂ in the plane, total variation on pictures; with its standard error."),
    ("Floor", "The same for exact draws."),
    ("Wrong law", "The same for a deliberately wrong law: must be well above the floor, else the row proves nothing."),
    ("Outcomes", "Effective number of outcomes drawn; in brackets what exact draws give."),
    ("Judge", "Share that a classifier, which guided nobody, gives the class asked for."),
    ("KID", "Kernel distance of the judge's features to exact draws of the law asked for: 0 is exact."),
    ("Diversity", "Mean distance between samples in the judge's features; 1 is that of exact draws."),
    ("Met", "How far the task itself was met."),
    ("Passes", "Forward and backward passes of the model a sample."),
    ("Per success", "Passes for each sample that the judge gives the class."),
    ("Milliseconds", "Of computing a sample, in the run that made the row."),
    ("ESS", "Smallest effective share of the weighted particles."),
)


def table(rows: Sequence[Row], caption: str) -> str:
    """A row per method and strength, the nearest first; columns that no row fills are left out."""
    rows = sorted(rows, key=lambda row: (row.failed is not None, _rank(row)))
    cells = [_cells(row) for row in rows if row.failed is None]
    kept = [n for n in range(1, len(_HEADINGS)) if any(line[n - 1][0] for line in cells)]
    quantity = next((row.quantity for row in rows if row.quantity), "Met")
    headings = [(quantity if name == "Met" else name, about) for name, about in _HEADINGS]
    head = "".join(
        f'<th scope="col" title="{escape(headings[n][1])}"><button type="button" class="gensot-sort">'
        f"{escape(headings[n][0])}</button></th>"
        for n in (0, *kept)
    )
    body = "".join(_line(row, line, kept) for row, line in zip([r for r in rows if not r.failed], cells, strict=True))
    out = "".join(
        f"<li>{escape(row.label)}: {escape(row.failed)}</li>" for row in _first_of_each([r for r in rows if r.failed])
    )
    left_out = f'<details class="gensot-left-out"><summary>Left out</summary><ul>{out}</ul></details>' if out else ""
    return (
        f'<div class="gensot-scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f'<table class="gensot-table gensot-sortable"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{left_out}"
    )


def _first_of_each(rows: list[Row]) -> list[Row]:
    return list({row.method: row for row in rows}.values())


def _rank(row: Row) -> float:
    if row.ratio is not None:
        return row.ratio
    return row.kid if row.kid is not None else float("inf")


def _line(row: Row, cells: list[tuple[str, float | None]], kept: list[int]) -> str:
    style = method_style(row.method)
    mark = f'<span class="gensot-wall-mark" style="color:var({style.variable})">{style.glyph}</span>'
    weak = ' class="gensot-weak"' if row.distance is not None and not row.valid else ""
    body = "".join(
        f'<td{weak if n <= 4 else ""} data-sort="{"" if cells[n - 1][1] is None else f"{cells[n - 1][1]:.6g}"}">'
        f"{escape(cells[n - 1][0])}</td>"
        for n in kept
    )
    name = escape(row.label + row.own)
    return f'<tr><th scope="row" data-sort="{name}">{mark} {name}</th>{body}</tr>'


def _cells(row: Row) -> list[tuple[str, float | None]]:
    """(text, what to sort by) of each column after the method."""

    def told(value: float | None, text: str) -> tuple[str, float | None]:
        return ("", None) if value is None else (text.format(value), value)

    def error(value: float | None, spread: float | None, digits: int = 2) -> tuple[str, float | None]:
        return ("", None) if value is None else (f"{value:.{digits}f} ± {spread or 0:.{digits}f}", value)

    ideal = "" if row.ideal is None else f" ({row.ideal:.1f})"
    return [
        told(row.ratio, "{:.2f}"),
        error(row.distance, row.error),
        error(row.floor, row.spread),
        told(row.power, "{:.2f}"),
        told(row.effective, "{:.1f}" + ideal),
        error(row.accuracy, row.accuracy_error),
        error(row.kid, row.kid_error, 3),
        told(row.diversity, "{:.2f}"),
        told(row.success, "{:.3g} " + (row.unit or "")),
        told(row.cost, "{:.0f}"),
        told(row.cost_per_success, "{:.0f}"),
        told(row.seconds * 1000, "{:.0f}"),
        told(None if row.ess is None else 100 * row.ess, "{:.0f} %"),
    ]


def sentences(rows: Sequence[Row], task: ScoreTask, budget: str) -> list[str]:
    """What one sees, and why GenSOT is not the first where it is not."""
    valid = [row for row in rows if row.valid]
    judged = [row for row in rows if row.kid is not None]
    if not valid and not judged:
        return ["Nothing has been measured here that could tell a wrong law from the right one."]
    lines = _of_the_law(valid, rows) if valid else _of_the_judge(judged)
    if budget == "calls":
        lines.append(f"Every method had {STEPS[task.backbone]} passes a sample; fewer than five steps are left out.")
    return lines


def _of_the_law(valid: list[Row], rows: Sequence[Row]) -> list[str]:
    ranked = sorted(valid, key=lambda row: row.ratio)
    best, exact = ranked[0], [row for row in ranked if row.exact]
    if exact:
        names = ", ".join(row.label + row.own for row in exact)
        lines = [f"Not to be told from exact draws by {best.draws} samples: {names}."]
    else:
        lines = [f"None is as good as exact draws; nearest: {best.label}{best.own}, {best.ratio:.2f} times the floor."]
    cheapest = min(exact or [best], key=lambda row: row.cost)
    lines.append(f"The cheapest of the nearest: {cheapest.label}{cheapest.own}, {cheapest.cost:.0f} passes a sample.")
    own = [row for row in ranked if row.method == "gensot"]
    if own and best.method != "gensot" and not any(row.exact for row in own):
        lines.append(f"GenSOT is not the nearest here ({own[0].ratio:.2f}): {_why(own[0])}.")
    lost = next((row for row in rows if row.method == "gensot" and row.failed), None)
    if lost:
        lines.append(f"GenSOT takes no part: {lost.failed}")
    return lines


def _why(row: Row) -> str:
    start = "added scores" if row.task == "condition" else "a Gaussian guess of the posterior"
    if row.ess is None:
        return f"it rests on {start}"
    share = f"{100 * row.ess:.0f} % of them counted at worst"
    return f"it rests on {start}, which {row.value:g} particles mend only in part ({share})"


def _of_the_judge(judged: list[Row]) -> list[str]:
    best = min(judged, key=lambda row: row.kid)
    lines = [
        f"Nearest to the law of the training pictures: {best.label}{best.own}, "
        f"KID {best.kid:.3f} ± {best.kid_error:.3f}."
    ]
    sure = [row for row in judged if row.cost_per_success]
    if sure:
        cheap = min(sure, key=lambda row: row.cost_per_success)
        lines.append(
            f"Cheapest success: {cheap.label}{cheap.own}, {cheap.cost_per_success:.0f} passes a picture of the class."
        )
    return lines
