"""The curves below a sequence's films. Layout only; the numbers come from the run."""

from __future__ import annotations

from gensot_demo.experiments.sequences.run import SequenceResult

from .curves import curve, line_figure
from .method_style import MethodStyle, method_style
from .palette import INK

REFERENCE = MethodStyle(INK, "dash", "circle")


def change_figure(result: SequenceResult) -> dict:
    """Root mean square change from each frame to the next, for the reference and every method."""
    to = list(range(2, result.request.frames + 1))
    curves = [curve("Reference", REFERENCE, to, result.steadiness.changes)]
    films = result.methods.values()
    curves += [curve(film.label, method_style(film.name), to, film.steadiness.changes) for film in films]
    x = {"title": {"text": "frame, compared with the one before"}, "tickmode": "linear", "dtick": 2, "tick0": 2}
    y = {"title": {"text": "change, grey levels (RMS)"}, "rangemode": "tozero"}
    means = "; ".join(f"{film.label} {film.steadiness.change:.1f}" for film in films)
    own = f"the reference {result.steadiness.change:.1f}"
    description = f"Change between neighbouring frames in grey levels. Means: {own}; {means}."
    return line_figure(curves, x, y, description)
