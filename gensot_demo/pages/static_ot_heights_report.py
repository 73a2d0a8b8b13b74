"""What the solver's page writes around its figures. HTML only; every value is escaped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gensot_demo.experiments.static_ot.heights_pictures import PicturesRun
from gensot_demo.figures.static_ot_heights import ASCENT, NEWTON
from gensot_demo.figures.wall import wall_row, wall_value

from . import report

_MOST_OFF = 10


def sentences(lines: Sequence[str]) -> str:
    """Lines of a verdict as a list."""
    found = "".join(f"<li>{report.escape(line)}</li>" for line in lines)
    return f'<ul class="gensot-verdict">{found}</ul>' if found else ""


def wall(run: PicturesRun) -> str | None:
    """Where the same noise goes before and after, and the pictures that the first guess favours most."""
    if run.arrivals is None:
        return None
    pictures, names = run.pictures.pictures, run.pictures.names
    ratio = (run.guess_masses / run.pictures.weights).numpy()
    now = (run.masses / run.pictures.weights).numpy()
    favoured = np.argsort(-ratio)[:_MOST_OFF]
    rows = []
    for key, label, where, style in (
        ("guess", "Noise by the first guess", run.guess_arrivals, NEWTON),
        ("solved", "The same noise, solved", run.arrivals, ASCENT),
    ):
        chosen = where.tolist()
        rows.append(
            wall_row(
                key,
                label,
                [pictures[i] for i in chosen],
                glyph=style.glyph,
                colour=style.token,
                captions=[names[i] for i in chosen],
                alternatives=[f"{label}: {names[i]}" for i in chosen],
            )
        )
    rows.append(
        wall_row(
            "favoured",
            "Too much by the first guess",
            [pictures[i] for i in favoured],
            captions=[f"×{ratio[i]:.2f}, now ×{now[i]:.2f}" for i in favoured],
            alternatives=[f"{names[i]}: {ratio[i]:.2f} times its share, now {now[i]:.2f}" for i in favoured],
        )
    )
    moved = int((run.arrivals != run.guess_arrivals).sum())
    said = f"Where {len(run.arrivals)} draws of noise go; {moved} go elsewhere once the heights are solved."
    return wall_value(rows, [], said, False)
