"""What the solver's page writes around its figures. HTML only; every value is escaped."""

from __future__ import annotations

from gensot_demo.experiments.static_ot.heights_pictures import PicturesRun
from gensot_demo.experiments.static_ot.heights_told import favoured
from gensot_demo.figures.static_ot_heights import ASCENT, NEWTON
from gensot_demo.figures.wall import wall_row, wall_value

_MOST_OFF = 10


def wall(run: PicturesRun) -> str | None:
    """Where the same noise goes before and after, and the pictures that the first guess favours most."""
    if run.arrivals is None:
        return None
    pictures, names = run.pictures.pictures, run.pictures.names
    most = favoured(run, _MOST_OFF)
    shares = list(zip(most.index, most.before, most.now, strict=True))
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
            [pictures[i] for i in most.index],
            captions=[f"×{before:.2f}, now ×{now:.2f}" for _, before, now in shares],
            alternatives=[f"{names[i]}: {before:.2f} times its share, now {now:.2f}" for i, before, now in shares],
        )
    )
    moved = int((run.arrivals != run.guess_arrivals).sum())
    said = f"Where {len(run.arrivals)} draws of noise go; {moved} go elsewhere once the heights are solved."
    return wall_value(rows, [], said, False)
