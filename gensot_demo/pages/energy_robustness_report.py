"""What the page "Speed and accuracy" says of its numbers. HTML only; every value is escaped."""

from __future__ import annotations

import math
from collections.abc import Mapping

from gensot_demo.experiments.energy.robustness import SCHEDULES, LineResult
from gensot_demo.experiments.energy.robustness_pictures import PAPERS, PicturesResult
from gensot_demo.experiments.energy.robustness_plane import PlaneResult, TurningResult
from gensot_demo.figures.schedule_style import schedule_style
from gensot_demo.transport.speed_accuracy import NO_ERROR, Relation

from . import report

_HEADS = (
    ("Schedule", ""),
    ("η", "the response: squared change of the error W1, over time and D0"),
    ("c₁", "the same, summed along the way: detours of the error count"),
    ("c₂", "what the law's motion costs: squared speed in W2, summed"),
    ("dissipation", "mean squared velocity, summed: c2 and whatever goes round in circles"),
    ("η / c₂", "how tight the relation is: 1 if the path forgives as little as its cost allows"),
)
_QUADRATURE = 1e-3  # of the integrals over a line's 801 quantiles
_ROUNDING = 1e-6  # particles obey it exactly


def _list(lines: list[str]) -> str:
    return f'<ul class="gensot-verdict">{"".join(f"<li>{report.escape(line)}</li>" for line in lines)}</ul>'


def degenerate(start_error: float) -> str | None:
    """Why the relation says nothing here, or None."""
    if math.isinf(start_error):
        return (
            "D₀ is infinite: from a standard deviation of √2 = 1.414 on, the tails of the wrong "
            "start outweigh those of "
            "the noise so much that the squared ratio of their densities has no mean. Without that "
            "overlap the bound is "
            "infinite, η is 0 and the relation says nothing, although the error W₁ itself is finite."
        )
    if start_error <= NO_ERROR:
        return (
            "Nothing is wrong with this start: D₀ = 0 and W₁ = 0 at every time. The response would be 0/0, so there is "
            "none; move a slider."
        )
    return None


def checked(relations: Mapping[str, Relation], every: str, slack: float) -> str:
    """Whether the instantaneous relation holds for ``every`` step or time of all schedules, up to a relative slack."""
    broken = [key for key, one in relations.items() if one.worst > 1 + slack]
    if broken:
        return f"The relation is broken by {', '.join(SCHEDULES[key] for key in broken)}: a defect of this page."
    used = max(one.worst for one in relations.values())
    return f"The relation holds {every} of every schedule, as it must: at most {used:.3g} of the bound is used."


def of_line(result: LineResult) -> list[str]:
    """Sentences on the line."""
    some = result.relations["cosine"]
    lines = [
        f"The run starts from {result.request.in_words}: D₀ = {some.start_error:.4g}. True and wrong law are "
        f"W₁ = {float(some.distance[0]):.3g} apart at the start and {float(some.distance[-1]):.3g} at "
        "the end, with every "
        "schedule: on a line all of them, optimal transport too, are one and the same map."
    ]
    said = degenerate(some.start_error)
    if said:
        return [*lines, said]
    tight = {key: found.tightness or 0.0 for key, found in result.relations.items()}
    best, worst = max(tight, key=tight.get), min(tight, key=tight.get)
    lines.append(
        f"So η = {some.eta:.3g} for all, and what differs is the bill: c₂ is {result.relations[best].c2:.3g} for "
        f"{SCHEDULES[best]} and {result.relations[worst].c2:.3g} for {SCHEDULES[worst]}, of which η is "
        f"{100 * tight[best]:.0f} % and {100 * tight[worst]:.0f} %. No c₂ is below W₂²/τ = "
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
        values = (found.eta, found.c1, found.c2, found.dissipation, found.tightness)
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
    said = degenerate(found.start_error)
    lines = [
        f"{result.ends.shape[1]} particles, weighed by how much likelier the wrong start makes each: W₁ goes from "
        f"{float(found.distance[0]):.3g} to {float(found.distance[-1]):.3g} for every diffusion "
        "schedule, since all share "
        "one map."
    ]
    if said:
        return [*lines, said]
    if "ot" in result.relations and result.floor is not None:
        straight = result.relations["ot"]
        lines.append(
            "Optimal transport pairs noise and data anew and ends at W₁ = "
            f"{float(straight.distance[-1]):.3g}; its c₂ is "
            f"the floor {result.floor:.3g} itself, and η / c₂ is {straight.tightness:.3g} against "
            f"{found.tightness:.3g}."
        )
    lines.append(checked(result.relations, "in all steps", _ROUNDING))
    return lines


def plane_html(result: PlaneResult) -> str:
    return _list(of_plane(result)) + (table(result.relations) if result.relations else "")


def turning_html(result: TurningResult) -> str:
    """Sentences on what the chosen rotation costs."""
    turn, here = result.request.turn, result.here
    lines = [
        f"ω = {turn:g}: dissipation {here['dissipation']:.3g}, {here['dissipation'] / here['still']:.2g} times that of "
        "the flow at rest, because ω²∫E|x|²dt comes on top. The law of the data stays what it was."
    ]
    if math.isnan(result.along):
        lines.append("The start is not wrong, so there is no response to turn.")
    else:
        lines.append(
            f"If the wrong start is turned along, η stays {result.along:.3g} whatever ω: the bill was "
            "for nothing. If it "
            f"stays where it is, it meets the flow from another side, and η is {here['fixed']:.3g}."
        )
        lines.append(
            f"Euler with {result.request.euler} steps ends {here['euler_error']:.3g} away from the "
            "exact flow and would "
            f"measure η = {here['euler_along']:.3g}: what it adds to or takes from η as ω grows is its step error."
        )
    return _list(lines)


def of_pictures(result: PicturesResult) -> list[str]:
    """Sentences on particles of pictures."""
    if not result.relations:
        return []
    found = result.relations["cosine"]
    said = degenerate(found.start_error)
    lines = [
        f"{result.label}: {result.request.particles} particles in {result.dimension:,} dimensions, of which the wrong "
        f"start weighs {result.effective:.0f}; D₀ = {found.start_error:.3g} of these particles. W₁ goes from "
        f"{float(found.distance[0]):.3g} to {float(found.distance[-1]):.3g}."
    ]
    if said:
        return [*lines, said]
    lines.append(
        checked(result.relations, f"in all {len(found.t) - 1} steps{'' if result.complete else ' so far'}", _ROUNDING)
    )
    if result.complete:
        ours = ", ".join(f"{SCHEDULES[key]} {one.tightness:.2g}" for key, one in result.relations.items())
        theirs = ", ".join(f"{value:g} for {name}" for name, value in PAPERS.items())
        lines.append(
            f"η / c₂ measured here: {ours}. Ikeda et al. report about {theirs}: their data, starts and estimate of W₁, "
            "so the numbers stand beside each other and are no test of one another."
        )
        lines.append(
            "These particles are few and far apart, so W₁ is theirs and not that of the continuous laws, and more of "
            "them would bring it down only slowly."
        )
    return lines


def pictures_html(result: PicturesResult) -> str:
    return _list(of_pictures(result)) + (table(result.relations) if result.relations else "")
