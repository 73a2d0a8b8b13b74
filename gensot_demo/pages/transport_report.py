"""What the Transport page writes around its player: verdict, table, notes. HTML only; every value is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from gensot_demo.experiments.plane.presets import Preset
from gensot_demo.experiments.plane.run import Panel, Repeated, TransportResult
from gensot_demo.experiments.plane.verdict import off_by, verdict
from gensot_demo.figures.transport import panel_style

GLOSSARY = Path(__file__).with_name("transport_glossary.md").read_text(encoding="utf-8")
_MOST_MODES_SHOWN = 4
_SHARE = "Share of the particles ± standard error (exact share)."


def preset_text(chosen: Preset) -> str:
    """What one sees in a preset and why, two sentences."""
    return f"**{chosen.title}.** {chosen.sees} *{chosen.why}*"


def verdict_list(result: TransportResult, notes: Sequence[str]) -> str:
    """The verdict, what failed, and what a reader must know."""
    lines = "".join(f"<li>{escape(line)}</li>" for line in verdict(result))
    failed = [f"{panel.label} could not run: {panel.error}" for panel in result.panels if panel.error]
    said = dict.fromkeys([*failed, *_motion_notes(result), *result.notes, *notes])
    more = "".join(f'<li class="gensot-note">{escape(line)}</li>' for line in said)
    return f'<ul class="gensot-verdict">{lines}{more}</ul>'


def _motion_notes(result: TransportResult) -> list[str]:
    """Each note once, with the methods that it is about."""
    about: dict[str, list[str]] = {}
    for panel in result.moving:
        for note in panel.motion.notes:
            about.setdefault(note, []).append(panel.label)
    return [f"{', '.join(names)}: {note[0].lower()}{note[1:]}" for note, names in about.items()]


def table(result: TransportResult) -> str:
    """Costs and the terminal law of every panel; empty until measured."""
    measured = [panel for panel in result.panels if panel.measures is not None]
    if not measured:
        return ""
    shown = list(range(len(result.target.modes))) if len(result.target.modes) <= _MOST_MODES_SHOWN else []
    headings = [
        ("Method", ""),
        ("Action", "∫E|v|² dt of the flow with the same marginals, from t = .02 to .98: length² per time."),
        ("Length", "∫E|v| dt over the same stretch."),
        ("Straightness", "Distance over length: 1 is straight. Only where particles follow the flow."),
        ("Calls", "Questions to the oracle per particle."),
        *((_mode_heading(result, measured, mode), _SHARE) for mode in shown),
        *([] if shown else [("Weight furthest off", f"Mode: {_SHARE}")]),
        ("W₂", "Distance to the law asked for, mean over blocks of particles ± standard error."),
        ("Floor", "The same for a perfect sampler."),
        ("Wrong law", "The same for a law whose largest mode lost 0.2 of all mass; near the floor W₂ tells nothing."),
        ("Moved", "Root mean square distance of each particle's end from its end in the first panel."),
    ]  # fmt: skip
    head = "".join(f'<th scope="col" title="{escape(tip)}">{escape(text)}</th>' for text, tip in headings)
    rows = "".join(_row(result, panel, shown) for panel in measured)
    return (
        '<div class="gensot-scroll" tabindex="0" role="region" aria-label="Costs and terminal laws per method">'
        f'<table class="gensot-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        + _table_note(measured)
    )


def _row(result: TransportResult, panel: Panel, shown: list[int]) -> str:
    m = panel.measures
    number = result.panels.index(panel)
    style = panel_style(number)
    worst = off_by(panel)[0]
    same = _one_law(list(result.moving))
    weights = [_weight(panel, mode, exact=not same) for mode in shown] or [
        f"{result.target.modes[worst]}: {_weight(panel, worst)}"
    ]
    cells = [
        f"{m.action:,.3g}" if m.action < 1000 else f"{m.action:,.0f}",
        f"{m.length:.3g}",
        "–" if m.straightness is None else f"{m.straightness:.3f}",
        f"{m.calls:.0f}",
        *weights,
        f"{m.w2:.2f} ± {m.w2_error:.2f}",
        f"{m.floor:.2f}",
        f"{m.power:.2f}",
        "–" if m.moved is None else f"{m.moved:.2f}" if m.moved > 5e-3 else "0.00",
    ]
    body = "".join(
        f"<td{' class=gensot-weak' if not m.telling and n >= len(cells) - 4 and n < len(cells) - 1 else ''}>"
        f"{escape(cell)}</td>"
        for n, cell in enumerate(cells)
    )
    mark = f'<span class="gensot-wall-mark" data-panel="{number}">{style.glyph}</span>'
    return f'<tr><th scope="row">{mark} {escape(panel.label)}</th>{body}</tr>'


def _one_law(panels: list[Panel]) -> bool:
    return len({id(panel.law) for panel in panels}) == 1


def _mode_heading(result: TransportResult, measured: list[Panel], mode: int) -> str:
    """The mode's name, with its exact share where all methods aim at the same law."""
    name = f"Mode {result.target.modes[mode]}"
    return f"{name} (exact {measured[0].measures.truth[mode]:.3f})" if _one_law(measured) else name


def _weight(panel: Panel, mode: int, exact: bool = True) -> str:
    m = panel.measures
    return f"{m.shares[mode]:.3f} ± {m.errors[mode]:.3f}" + (f" ({m.truth[mode]:.3f})" if exact else "")


def _table_note(measured: list[Panel]) -> str:
    m = measured[0].measures
    notes = [f"W₂ is exact between blocks of {m.compared} particles and {m.compared} draws of the law."]
    weighted = [panel for panel in measured if panel.measures.ess is not None]
    for panel in weighted:
        notes.append(
            f"{panel.label}: the weights at the end are worth {100 * panel.measures.ess:.0f} % of the particles."
        )
    return f'<p class="gensot-law">{escape(" ".join(notes))}</p>'


def repeated(found: Repeated) -> str:
    """Medians of W2 over seeds, with their range, as a table."""
    rows = ""
    for label, values in found.distances.items():
        floor = float(np.median(found.floors[label]))
        cells = [
            f"{np.median(values):.2f}",
            f"{values.min():.2f} to {values.max():.2f}",
            f"{floor:.2f}",
            f"{np.median(values) / floor:.2f}",
            str(len(values)),
        ]
        rows += f'<tr><th scope="row">{escape(label)}</th>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    names = ("Over seeds", "Median W₂", "Range", "Floor, median", "Times the floor", "Seeds")
    head = "".join(f'<th scope="col">{text}</th>' for text in names)
    return (
        '<div class="gensot-scroll" tabindex="0" role="region" aria-label="Distances over seeds">'
        f'<table class="gensot-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )
