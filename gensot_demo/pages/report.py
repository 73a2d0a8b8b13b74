"""What the Compare page writes around its pictures: status, verdict, table. HTML only; every value is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from gensot_demo.experiments.asking import Asked
from gensot_demo.experiments.compare import CompareResult, MethodResult
from gensot_demo.experiments.law import LawReport, Verdict, effective_number
from gensot_demo.experiments.requests import CompareRequest
from gensot_demo.experiments.success import Success
from gensot_demo.figures.method_style import method_style
from gensot_demo.figures.wall import data_address


def status(text: str, done: float | None = None, kind: str = "") -> str:
    """A line that screen readers announce, with a bar while ``done`` (0 to 1) is known. kind: "", "error"."""
    bar = ""
    if done is not None:
        percent = round(100 * done)
        bar = (
            f'<div class="gensot-bar" role="progressbar" aria-valuenow="{percent}" aria-valuemin="0" '
            f'aria-valuemax="100" aria-label="Progress"><i style="width:{percent}%"></i></div>'
        )
    role = "alert" if kind == "error" else "status"
    return f'<div class="gensot-status {kind}"><p role="{role}">{escape(text)}</p>{bar}</div>'


def running(what: str, done: float, seconds: float) -> str:
    """Progress with numbers: the share done, and how long it will still take."""
    left = f", about {max(seconds * (1 - done) / done, 0.1):.1f} s left" if done > 0.03 else ""
    return status(f"{what}: {100 * done:.0f} %, {seconds:.1f} s{left}", done)


def asked_for(request: CompareRequest, asked: Asked) -> str:
    """What every method was asked for: pictures to follow or what was measured of one, a reward, conditions."""
    shown = [(picture, "the picture to follow") for picture in asked.references]
    lines = []
    if asked.observed is not None:
        shown = [(asked.observed, "what the methods see"), (asked.truth, "the true picture")]
        lines.append(f"Restore a picture: {asked.sentence}.")
    elif asked.references:
        noise = f"{request.view_noise:g}"
        lines.append(f"Follow {'this picture' if len(shown) == 1 else 'these pictures'}, seen with view noise {noise}.")
    elif asked.sentence:
        lines.append(f"A reward for {asked.sentence}.")
    if request.conditions:
        named = " and ".join(f"{c.name} (trust {c.trust * request.strength:.3g})" for c in request.conditions)
        lines.append(f"{'Also' if lines else 'Fulfil'} {named}.")
    colour = request.reward.colour if request.reward is not None and request.reward.kind == "colour" else None
    swatch = f'<i class="gensot-swatch" style="background:{escape(colour)}" aria-hidden="true"></i>' if colour else ""
    figures = "".join(
        f'<figure><img src="{data_address(picture)}" alt=""><figcaption>{escape(said)}</figcaption></figure>'
        for picture, said in shown
    )
    if not lines:
        return ""
    words = f"<p><b>Asked for</b> {escape(' '.join(lines))}</p>"
    return f'<div class="gensot-asked">{words}{swatch}{figures}</div>'


def verdict_lines(verdict: Verdict, notes: Sequence[str] = ()) -> str:
    """The verdict and what was left out, as a list."""
    lines = "".join(f"<li>{escape(line)}</li>" for line in verdict.sentences)
    more = "".join(f'<li class="gensot-note">{escape(line)}</li>' for line in notes)
    return f'<ul class="gensot-verdict">{lines}{more}</ul>'


def sentences(lines: Sequence[str], note: str = "") -> str:
    """Lines as a list, and a note that stands back from them; nothing without either."""
    shown = "".join(f"<li>{escape(line)}</li>" for line in lines)
    shown += f'<li class="gensot-note">{escape(note)}</li>' if note else ""
    return f'<ul class="gensot-verdict">{shown}</ul>' if shown else ""


def calls_of(part: MethodResult) -> str:
    """What one sample costs, in words."""
    return f"{part.calls:g} calls" + (f" + {part.backwards:g} backward" if part.backwards else "") + " a sample"


def law_sentence(result: CompareResult) -> str:
    """What the asked law is, in a sentence: its width and its likeliest pictures; or that nobody knows it."""
    law, names = result.asked.law, result.backbone.names
    if law is None:
        label = escape(result.backbone.info.label)
        return (
            f'<p class="gensot-law">Nobody knows exactly what {label} has made of its training pictures, so no method '
            "can be ranked here. Compare with a perfect model, or choose a model that is exact.</p>"
        )
    top = sorted(range(len(law)), key=lambda i: -law[i])[:3]
    shown = ", ".join(f"{escape(names[i])} {100 * law[i]:.0f} %" for i in top)
    return (
        f'<p class="gensot-law">What was asked for is a known law over {len(law)} pictures, worth '
        f"<b>{effective_number(law):.1f}</b> equally likely ones: {shown}, …</p>"
    )


GLOSSARY = Path(__file__).with_name("glossary.md").read_text(encoding="utf-8")

_HEADINGS = (
    ("Method", ""),
    ("Calls", "Network calls per sample; + counts backward passes."),
    ("Seconds", "Own time and share of the joint forwards, all samples."),
    ("Energy", "Action per dimension: the integral of the kinetic energy."),
    ("Dissipation", "The energy of all dimensions together."),
    (
        "Times the least",
        "Energy over the least, in brackets, with which any path comes from this method's start to the law asked for "
        "in the same time: a bound by means and covariances, so even the cheapest path may stay a little above 1.",
    ),
    ("Length", "Path length over distance: 1 is straight. Deterministic samplers only."),
    (
        "Straightness",
        "Action minus squared distance, per dimension: 0 is straight at constant speed. Deterministic samplers only.",
    ),
    ("Pictures", "Effective number of pictures drawn; in brackets what exact draws give."),
    ("Distance", "Total variation between drawn frequencies and the law asked for."),
    ("Floor", "The same for as many exact draws."),
    ("Wrong law", "The same for a law that lost half its pictures: must be well above the floor."),
    ("Collisions", "Unbiased estimate of the sum of squared differences of probabilities: 0 is exact."),
    ("ESS", "Smallest effective share of the weighted particles."),
)


_OF_THE_LAW = range(8, 13)  # headings that need a known law


def table(result: CompareResult, reports: dict[str, LawReport]) -> str:
    """Costs, energies and, where the law is known, distances: a row per method."""
    kept = [heading for n, heading in enumerate(_HEADINGS) if reports or n not in _OF_THE_LAW]
    found = next(iter(result.methods.values())).success
    kept[1:1] = [(f"{one.label}, {one.unit}", f"{one.about} Mean over the samples ± standard error.") for one in found]
    head = "".join(f'<th scope="col" title="{escape(about)}">{escape(name)}</th>' for name, about in kept)
    rows = "".join(_row(result, name, reports.get(name)) for name in result.methods)
    return (
        f'<div class="gensot-scroll" tabindex="0" role="region" aria-label="Costs and distances per method">'
        f'<table class="gensot-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        + _table_notes(result, reports)
    )


def _row(result: CompareResult, name: str, report: LawReport | None) -> str:
    part, style = result.methods[name], method_style(name)
    energy = part.energy
    cells = [
        f"{part.calls:g}" + (f" + {part.backwards:g}" if part.backwards else ""),
        f"{part.seconds:.2f}",
        f"{energy.action:.2f}" if energy else "",
        f"{part.dissipation:,.0f}" if part.dissipation is not None else "",
        f"{energy.action / part.least:.2f} ({part.least:.2f})" if part.least else "–",
        f"{energy.path_length_ratio:.2f}" if energy and energy.path_length_ratio is not None else "–",
        f"{energy.straightness:.2f}" if energy and energy.straightness is not None else "–",
        f"{report.effective:.1f} ± {report.effective_error:.1f} ({report.ideal:.1f})" if report else "",
        f"{report.distance:.2f} ± {report.error:.2f}" if report else "",
        f"{report.floor:.2f} ± {report.floor_spread:.2f}" if report else "",
        f"{report.power:.2f}" if report else "",
        f"{report.collision:.3f} ± {report.collision_error:.3f}" if report else "",
        f"{100 * part.ess:.0f} %" if part.ess is not None else "",
    ]
    invalid = report is not None and not report.telling
    body = "".join(f"<td>{escape(success_text(one))}</td>" for one in part.success)
    body += "".join(
        f"<td{' class=gensot-weak' if invalid and 8 <= n <= 11 else ''}>{escape(cell)}</td>"
        for n, cell in enumerate(cells)
        if report or n + 1 not in _OF_THE_LAW
    )
    mark = f'<span class="gensot-wall-mark" style="color:var({style.variable})">{style.glyph}</span>'
    return f'<tr><th scope="row">{mark} {escape(part.label)}</th>{body}</tr>'


def success_text(found: Success) -> str:
    """The number with its standard error, to the digits that the error leaves."""
    if found.error is None:
        return f"{found.value:.3g}"
    digits = 0 if found.error >= 10 else 1 if found.error >= 0.5 else 2
    return f"{found.value:.{digits}f} ± {found.error:.{digits}f}"


def _table_notes(result: CompareResult, reports: dict[str, LawReport]) -> str:
    notes = []
    if reports:
        report = next(iter(reports.values()))
        where = f"{report.outcomes} groups of similar pictures" if report.grouped else "single pictures"
        notes.append(f"Distances from {report.draws} draws a method, compared on {where}.")
        if not report.telling:
            notes.append(
                "So few draws cannot tell a law from one that lost half its pictures: the grey numbers prove nothing. "
                "Measure with more."
            )
    if any(part.least for part in result.methods.values()):
        notes.append(
            "Times the least is about haste on the way from a method's own start, which others may not share; it ranks "
            "no pictures."
        )
    collapsed = [part.label for part in result.methods.values() if part.ess is not None and part.ess < 0.3]
    if collapsed:
        notes.append(
            f"{', '.join(collapsed)}: the particles' weights collapsed (ESS below 30 %), so they mend the law only in "
            "part; more particles help."
        )
    return f'<p class="gensot-law">{escape(" ".join(notes))}</p>' if notes else ""
