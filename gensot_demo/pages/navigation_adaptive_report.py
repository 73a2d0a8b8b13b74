"""What the page Adaptive stiffness says of its numbers. HTML only; every value is escaped."""

from __future__ import annotations

import numpy as np

from gensot_demo.experiments.navigation.adaptive import AdaptiveResult, Candidate
from gensot_demo.experiments.navigation.adaptive_runs import BLOCK, Simulated, Simulation
from gensot_demo.figures.navigation_adaptive import style_of

from . import report


def _list(lines: list[str]) -> str:
    return f'<ul class="gensot-verdict">{"".join(f"<li>{report.escape(line)}</li>" for line in lines)}</ul>'


def sentences(result: AdaptiveResult) -> str:
    """What the closed form says of the protocol asked for and of refinement."""
    none, own, floor = (result.candidate(name) for name in ("none", "own", "floor"))
    request = result.request
    lines = [
        f"{request.steps} steps of your protocol lead {own.divergence:.3g} nats away from the exact process; without "
        f"stiffness it is {none.divergence:.3g}, and no schedule of {request.steps} steps can go below "
        f"{floor.divergence:.3g}."
    ]
    same = abs(own.temperature - none.temperature) < 1e-9
    if same and own.divergence > 1.01 * none.divergence:
        lines.append(
            "At this temperature stiffness only hurts: it holds information back and lets it leap at the end, where "
            "one step has to do the work of many."
        )
    elif own.divergence < 0.9 * none.divergence:
        lines.append(
            "The low temperature makes information rise early and the stiffness spreads it over time, so that the "
            "steps, equal in time, fall where they are needed."
            if own.temperature < none.temperature
            else "The steps, equal in time, fall better in information than without stiffness."
        )
    if result.refined:
        first, last = result.refined[0], result.refined[-1]
        if not request.free and first.divergence > 0.99 * none.divergence:
            lines.append(
                f"With the temperature held at {request.temperature:g} the best stiffness found, of "
                f"{len(last.stiffness)} piece{'s' if len(last.stiffness) > 1 else ''}, is as good as none: "
                f"{last.divergence:.3g} nats."
            )
        else:
            lines.append(
                f"One piece alone, at temperature {first.temperature:.2g} and stiffness × temperature "
                f"{first.stiffness[0] * first.temperature:.3g}, comes within {_above(first, floor)} of the floor"
                + (f"; {len(last.stiffness)} pieces within {_above(last, floor)}." if last is not first else ".")
            )
    return _list(lines)


def _above(one: Candidate, floor: Candidate) -> str:
    return f"{100 * (one.divergence / floor.divergence - 1):.2g} %"


def table(result: AdaptiveResult) -> str:
    """A row for every candidate: temperature, pulls, divergence, over the floor, speciation time."""
    heads = (
        ("Protocol", ""),
        ("Temperature", "kappa"),
        ("Stiffness × temperature", "of each piece, in time order"),
        ("Divergence, nats", "KL of the law of the sampler's path from the exact one, by closed form"),
        ("Over the floor", "its ratio to the least that any schedule of as many steps can have"),
        ("Speciation time", "t_s: information times the largest variance of the target is 1"),
    )
    floor = result.candidate("floor")
    rows = ""
    for one in result.candidates:
        still = one.stiffness is None
        pulls = "–" if still else ", ".join(f"{pull:.3g}" for pull in one.stiffness * one.temperature)
        cells = [
            "–" if still else f"{one.temperature:.3g}",
            pulls,
            f"{one.divergence:.4g}",
            f"{one.divergence / floor.divergence:.2f}",
            f"{result.motions[one.name].speciation:.2f}" if one.name in result.motions else "–",
        ]
        rows += _row(one, cells)
    return _table(heads, rows, "Protocols and their divergences")


def _row(one: Candidate, cells: list[str]) -> str:
    style = style_of(one.name)
    mark = f'<span class="gensot-nav-mark" data-name="{one.name}">{style.glyph}</span>'
    return (
        f'<tr><th scope="row">{mark} {report.escape(one.label)}</th>'
        + "".join(f"<td>{report.escape(cell)}</td>" for cell in cells)
        + "</tr>"
    )


def _table(heads: tuple[tuple[str, str], ...], rows: str, label: str) -> str:
    head = "".join(
        f'<th scope="col" title="{report.escape(about)}">{report.escape(name)}</th>' for name, about in heads
    )
    return (
        f'<div class="gensot-scroll" tabindex="0" role="region" aria-label="{label}"><table class="gensot-table">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def simulated(simulation: Simulation) -> str:
    """What the particles say: whether a smaller divergence gave a smaller distance, and when modes were decided."""
    if not simulation.runs:
        return ""
    heads = (
        ("Protocol", ""),
        ("Divergence, nats", "closed form, as above"),
        ("W₂ at the end", f"mean over blocks of {BLOCK} particles ± standard error, data units"),
        ("Shares off", "total variation between the modes' shares and the true ones; in brackets: exact draws"),
        ("Decided at t", "median over particles; in brackets the middle 80 %"),
        ("Closed-form t_s", "of the protocol, without simulation"),
    )
    rows = ""
    for run in simulation.runs:
        low, middle, high = np.quantile(run.decided, [0.1, 0.5, 0.9])
        cells = [
            f"{run.candidate.divergence:.3g}",
            f"{run.end:.3f} ± {run.error:.3f}",
            f"{run.wrong_shares:.3f} ({run.expected_shares:.3f})",
            f"{middle:.2f} ({low:.2f} to {high:.2f})",
            f"{_speciation(simulation, run.candidate)}",
        ]
        rows += _row(run.candidate, cells)
    return _table(heads, rows, "What the particles measure") + _list(_said(simulation))


def _speciation(simulation: Simulation, one: Candidate) -> str:
    found = simulation.speciation.get(one.name)
    return "–" if found is None else f"{found:.2f}"


def _said(simulation: Simulation) -> list[str]:
    lines = []
    if len(simulation.runs) > 1:
        near = min(simulation.runs, key=lambda run: run.candidate.divergence)
        nearest = min(simulation.runs, key=lambda run: run.end)
        far = max(simulation.runs, key=lambda run: run.candidate.divergence)
        if simulation.worse(near, nearest):
            far = nearest
        measured = f"W₂ {near.end:.3f} ± {near.error:.3f} against {far.end:.3f} ± {far.error:.3f}"
        pair = f"“{near.candidate.label}” ({near.candidate.divergence:.3g} nats) and “{far.candidate.label}” "
        pair += f"({far.candidate.divergence:.3g} nats)"
        if simulation.worse(far, near):
            lines.append(f"Here the smaller divergence also ends nearer to the target: {pair} measure {measured}.")
        elif simulation.worse(near, far):
            lines.append(f"Here the smaller divergence ends farther from the target: {pair} measure {measured}.")
            lines.append(_because(near, far))
        else:
            lines.append(f"At the end these particles do not tell them apart: {pair} measure {measured}.")
    lines.append(
        f"Blocks of {BLOCK} exact draws measure {simulation.floor:.3f} ± {simulation.floor_error:.3f}, and a law whose "
        f"largest mode lost 0.2 of its probability {simulation.power:.3f}: what lies between can be seen."
    )
    return lines


def _because(near: Simulated, far: Simulated) -> str:
    counts = "The divergence counts what goes wrong on the whole way and in every detail; W₂ sees the end alone"
    if near.wrong_shares > 1.5 * far.wrong_shares:
        return (
            f"{counts}, and there the share of each mode weighs most: off by {near.wrong_shares:.3f} against "
            f"{far.wrong_shares:.3f}, where exact draws are off by {near.expected_shares:.3f}."
        )
    return f"{counts}."
