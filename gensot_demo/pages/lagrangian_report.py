"""What the pages of the Lagrangian view write: the one equation, with the terms of its velocity. HTML, escaped."""

from __future__ import annotations

from html import escape

from gensot_demo.experiments.lagrangian.moving import Moving

from . import report


def velocity(moving: Moving) -> str:
    """The continuity equation, the velocity as a sum of terms, and a sentence on each; those switched off say so."""
    symbols, words = [], []
    for term in moving.terms:
        state = "on" if term.active else "off"
        off = "" if term.active else " <small>switched off here</small>"
        symbols.append(f'<span class="gensot-term {state}">{escape(term.symbol)}</span>')
        words.append(f'<dt class="{state}">{escape(term.symbol)}</dt><dd>{escape(term.words)}{off}</dd>')
    return (
        '<div class="gensot-velocity"><p class="gensot-one-equation"><span>∂α/∂t + div(α v) = 0</span>'
        f"<span>v = {' '.join(symbols)}</span></p><dl>{''.join(words)}</dl></div>"
    )


def status(moving: Moving) -> str:
    """How much moves, in a line."""
    counts = {cloud.positions.shape[1] for cloud in moving.clouds}
    if len(moving.clouds) == 1 or len(counts) > 1:
        many = " and ".join(f"{cloud.positions.shape[1]:,}" for cloud in moving.clouds) + " particles"
    else:
        many = f"{counts.pop():,} particles in each panel"
    return report.status(f"{many}, {len(moving.times)} moments.")
