"""What the page "Speed and accuracy" says of its numbers. HTML only; every value is escaped."""

from __future__ import annotations

import math
from collections.abc import Mapping

from gensot_demo.experiments.energy.robustness import SCHEDULES, LineResult, RobustnessRequest
from gensot_demo.experiments.energy.robustness_pictures import PAPERS, PicturesResult
from gensot_demo.experiments.energy.robustness_plane import PlaneResult, TurningResult
from gensot_demo.figures.schedule_style import schedule_style
from gensot_demo.transport.speed_accuracy import NO_ERROR, Relation

from . import report

_HEADS = (
    ("Schedule", ""),
    ("η", "the response: squared change of the error W1, over time and D0"),
    ("c₁", "the same, summed along the way: detours of the error count"),
    ("c₂ = dissipation", "mean squared velocity, summed: nothing goes round in circles, so all of it moves the law"),
    ("η / c₂", "how tight the relation is: 1 if the path forgives as little as its cost allows"),
)
_QUADRATURE = 1e-3  # of the integrals over a line's 801 quantiles
_ROUNDING = 1e-6  # particles obey it exactly


def _list(lines: list[str]) -> str:
    return f'<ul class="gensot-verdict">{"".join(f"<li>{report.escape(line)}</li>" for line in lines)}</ul>'


def degenerate(start_error: float, request: RobustnessRequest) -> str | None:
    """Why the relation says nothing here, or None."""
    if math.isinf(start_error):
        what = "each mode's" if request.start == "modes" else "its"
        return (
            f"D₀ is infinite, as {what} standard deviation is √2 = 1.414 or more: the wrong start's tails outweigh "
            "those of the noise so much that the squared ratio of their densities has no mean. The bound is infinite, "
            "there is no η, and the relation says nothing, although the error W₁ itself is finite."
        )
    if start_error <= NO_ERROR:
        return (
            "Nothing is wrong with this start: D₀ = 0 and W₁ = 0 at every time. The response would be 0/0, so there is "
            "none; move a slider."
        )
    return None


def _of_sample(found: Relation, request: RobustnessRequest) -> str:
    """The D0 of particles beside that of the laws."""
    laws = request.wrong_start().chi_square()
    if math.isinf(laws):
        return (
            f"D₀ of these particles is {_short(found.start_error)}, that of the laws is infinite: it lies in tails "
            "that a finite sample cannot reach, so the bound below holds for the particles alone."
        )
    own = _short(found.start_error)
    return f"D₀ of these particles is {own}, that of the laws {_short(laws)}: they are a finite sample."


def _short(value: float) -> str:
    """Three digits, without a power of ten below 100 000."""
    if math.isinf(value):
        return "∞"
    return f"{value:.0f}" if 1000 <= abs(value) < 1e5 else f"{value:.3g}"


def checked(relations: Mapping[str, Relation], every: str, slack: float) -> str:
    """Whether the instantaneous relation holds for ``every`` step or time of all schedules, up to a relative slack."""
    broken = [key for key, one in relations.items() if one.worst > 1 + slack]
    if broken:
        return f"The relation is broken by {', '.join(SCHEDULES[key] for key in broken)}: a defect of this page."
    used = max(one.worst for one in relations.values())
    return f"The relation holds {every} of every schedule, as it must: at most {used:.3g} of the bound is used."


def _direction(change: float) -> str:
    """Which way the error goes; eta does not say it."""
    if abs(change) < _ROUNDING:
        return "W₁ stays as it was, so η is 0: it measures how much W₁ changes, not how large it is."
    way = "shrinks: the flow mends part of the error" if change < 0 else "grows: the flow makes the error worse"
    return f"W₁ {way}. η measures how much W₁ changes, in either direction."


def of_line(result: LineResult) -> list[str]:
    """Sentences on the line."""
    some = result.relations["cosine"]
    said = degenerate(some.start_error, result.request)
    if some.start_error <= NO_ERROR:
        return [said]
    lines = [
        f"The run starts from {result.request.in_words}: D₀ = {_short(some.start_error)}. True and wrong law are "
        f"W₁ = {float(some.distance[0]):.3g} apart at the start and {float(some.distance[-1]):.3g} at the end, with "
        "every schedule: on a line all of them, optimal transport too, are one and the same map."
    ]
    if said:
        return [*lines, said]
    lines.append(_direction(some.change))
    tight = {key: found.tightness or 0.0 for key, found in result.relations.items()}
    best, worst = max(tight, key=tight.get), min(tight, key=tight.get)
    lines.append(
        f"So η = {some.eta:.3g} for all, and what differs is the bill: c₂ is {result.relations[best].c2:.3g} for "
        f"{SCHEDULES[best]} and {result.relations[worst].c2:.3g} for {SCHEDULES[worst]}, of which η is "
        f"{_short(100 * tight[best])} % and {_short(100 * tight[worst])} %. No c₂ is below W₂²/τ = "
        f"{result.floor:.3g}, and a path that reaches it leaves a wrong start the least room."
    )
    lines.append(checked(result.relations, f"at all {len(some.t)} times", _QUADRATURE))
    return lines


def table(relations: Mapping[str, Relation]) -> str:
    """A row for every schedule."""
    head = "".join(f'<th scope="col" title="{report.escape(about)}">{name}</th>' for name, about in _HEADS)
    rows = ""
    for key, found in relations.items():
        style = schedule_style(key)
        nothing = math.isinf(found.start_error) or found.eta is None  # an infinite bound, or 0/0
        values = (None, None, found.c2, None) if nothing else (found.eta, found.c1, found.c2, found.tightness)
        cells = "".join(f"<td>{'–' if value is None else f'{value:.4g}'}</td>" for value in values)
        mark = f'<span style="color:var({style.variable})">{style.glyph}</span>'
        rows += f'<tr><th scope="row">{mark} {report.escape(SCHEDULES[key])}</th>{cells}</tr>'
    return (
        '<div class="gensot-scroll" tabindex="0" role="region" aria-label="The bounds of every schedule">'
        f'<table class="gensot-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def line_html(result: LineResult) -> str:
    return _list(of_line(result))


def of_plane(result: PlaneResult) -> list[str]:
    """Sentences on the particles in the plane."""
    if not result.relations:
        return []
    found = result.relations["cosine"]
    said = degenerate(found.start_error, result.request)
    if said:
        return [said]
    lines = [
        f"{result.ends.shape[1]} particles, weighed by how much likelier the wrong start makes each: W₁ goes from "
        f"{float(found.distance[0]):.3g} to {float(found.distance[-1]):.3g} for every diffusion schedule, since all "
        "share one map. " + _direction(found.change),
        _of_sample(found, result.request),
    ]
    if "ot" in result.relations and result.floor is not None:
        straight = result.relations["ot"]
        lines.append(
            "Optimal transport pairs noise and data anew and ends at W₁ = "
            f"{float(straight.distance[-1]):.3g}; its c₂ is the floor {result.floor:.3g} itself, and its η / c₂ is "
            f"{straight.tightness:.3g}, that of {SCHEDULES['cosine']} {found.tightness:.3g}."
        )
    lines.append(checked(result.relations, "in all steps", _ROUNDING))
    return lines


def plane_html(result: PlaneResult) -> str:
    return _list(of_plane(result)) + (table(result.relations) if result.relations else "")


def turning_html(result: TurningResult) -> str:
    """Sentences on what the chosen rotation costs."""
    turn, here = result.request.turn, result.here
    if turn == 0:
        lines = [f"No rotation: dissipation {here['still']:.4g}, that of {SCHEDULES['cosine']} in the plane above."]
    else:
        lines = [
            f"ω = {turn:g}: dissipation {_short(here['dissipation'])} in place of {here['still']:.4g} without "
            f"rotation, {_short(here['dissipation'] / here['still'])} times as much: ω²∫E|x|²dt comes on top. "
            "The law of the data stays what it was."
        ]
    if math.isnan(result.along):
        return _list([*lines, "The start is not wrong, so there is no response to turn."])
    same = f"W₁ goes from {here['along_start']:.3g} to {here['along_end']:.3g} and η is {result.along:.3g}"
    if turn == 0:
        lines.append(f"{same}. Rotation will not change that if the wrong start is turned along.")
    else:
        lines.append(
            f"If the wrong start is turned along, {same}, whatever ω: the error ends as without rotation, and the "
            "bill was for nothing. If it stays where it is, it meets the flow from another side: W₁ goes from "
            f"{here['fixed_start']:.3g} to {here['fixed_end']:.3g} and η is {here['fixed']:.3g}."
        )
    lines.append(
        f"Euler with {result.request.euler} steps ends {here['euler_error']:.3g} away from the exact flow and would "
        f"measure η = {here['euler_along']:.3g}: what it adds to or takes from η is its step error."
    )
    return _list(lines)


def of_pictures(result: PicturesResult) -> list[str]:
    """Sentences on particles of pictures."""
    if not result.relations:
        return []
    found = result.relations["cosine"]
    said = degenerate(found.start_error, result.request)
    if said:
        return [f"{result.label}.", said]
    lines = [
        f"{result.label}, from {result.request.in_words}: {result.request.particles} particles in "
        f"{result.dimension:,} dimensions, of which the wrong start weighs {result.effective:.0f}. W₁ goes from "
        f"{float(found.distance[0]):.3g} to {float(found.distance[-1]):.3g}. {_direction(found.change)}",
        _of_sample(found, result.request),
    ]
    lines.append(
        checked(result.relations, f"in all {len(found.t) - 1} steps{'' if result.complete else ' so far'}", _ROUNDING)
    )
    if result.complete:
        tight = {SCHEDULES[key]: one.tightness for key, one in result.relations.items()}
        ours = ", ".join(f"{name} {value:.2g}" for name, value in tight.items())
        theirs = ", ".join(f"{value:g} for {name}" for name, value in PAPERS.items())
        used = 100 * max(tight.values()) ** 0.5
        lines.append(
            f"η / c₂ measured here: {ours}. So W₁ changes by at most {_short(used)} % of what the bound allows."
        )
        lines.append(
            f"Ikeda et al. report about {theirs}. Those are other data, other starts and an estimate of W₁, so "
            "they are not comparable with these."
        )
        lines.append(
            "These particles are few and far apart, so W₁ is theirs and not that of the continuous laws, and more of "
            "them would bring it down only slowly."
        )
    return lines


def pictures_html(result: PicturesResult) -> str:
    return _list(of_pictures(result)) + (table(result.relations) if result.relations else "")
