"""What the Sequences page writes: films for the player, a table, and what helps coherence. HTML only, escaped."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np
from numpy.typing import NDArray

from gensot_demo.experiments.sequences.coherence import Coherence, finding
from gensot_demo.experiments.sequences.measures import Steadiness
from gensot_demo.experiments.sequences.run import MethodFilm, Progress, SequenceResult
from gensot_demo.experiments.sequences.verdict import sentences, settings
from gensot_demo.figures.film_player import film_row, films_value
from gensot_demo.figures.method_style import method_style
from gensot_demo.guidance.registry import REGISTRY

from .report import success_text

_HEADINGS = (
    ("Method", ""),
    ("Change, grey levels", "Root mean square over pixels from a frame to the next, mean over the film."),
    ("Path energy, grey levels²", "(frames − 1) × the sum of squared changes, per pixel and channel."),
    ("Over the least", "Path energy over that of the straight way between the same end frames: 1 is the least."),
    ("Over the reference's", "Path energy over that of the reference: below 1 the film moves less than it should."),
    ("Jump", "The largest change over the median one: 1 is steady, ∞ leaps where most frames stand still."),
    ("To its frame, grey levels", "Root mean square distance to the frame's own reference, mean ± standard error."),
    ("Switches", "How often the nearest known picture becomes another one."),
    ("Kinetic energy", "Of the way from noise to picture: action per dimension, mean over frames."),
    ("Calls", "Network calls per frame; + counts backward passes."),
    ("Seconds", "Own time and share of the joint forwards, all frames."),
)


def running_films(moment: Progress, frames: int) -> str:
    """What is known of the films of a running sequence."""
    description = "The reference and what each method makes of it so far"
    return _films(moment.reference, moment.films, {}, frames, description, False)


def finished_films(result: SequenceResult) -> str:
    """The films, with the nearest known picture's name below each frame."""
    captions = {}
    near = "" if result.backbone.info.exact else "≈ "  # a network's picture is none of those it learnt from
    for name, film in result.methods.items():
        if film.nearest is not None:
            captions[name] = [near + result.backbone.names[i] for i in film.nearest]
    films = {name: film.pictures for name, film in result.methods.items()}
    described = f"Films of the reference and of {', '.join(film.label for film in result.methods.values())}"
    return _films(result.reference, films, captions, result.request.frames, described, True)


def _films(
    reference: NDArray[np.uint8],
    films: Mapping[str, NDArray[np.uint8]],
    captions: Mapping[str, list[str]],
    frames: int,
    description: str,
    finished: bool,
) -> str:
    rows = [film_row("reference", "Reference", reference)]
    for name, pictures in films.items():
        style, label = method_style(name), REGISTRY.get(name).label
        rows.append(
            film_row(name, label, pictures, glyph=style.glyph, colour=style.token, captions=captions.get(name, ()))
        )
    return films_value(rows, frames, description, finished)


def verdict(result: SequenceResult, notes: list[str]) -> str:
    """What one sees and why, and what was left out."""
    lines = "".join(f"<li>{escape(line)}</li>" for line in sentences(result))
    more = "".join(f'<li class="gensot-note">{escape(line)}</li>' for line in [*result.notes, *notes])
    return f'<ul class="gensot-verdict">{lines}{more}</ul>'


def table(result: SequenceResult) -> str:
    """A row for the reference, and one for each method."""
    exact = result.backbone.info.exact
    kept = [heading for heading in _HEADINGS if exact or heading[0] != "Switches"]
    own = [*_cells(result.steadiness, result.steadiness), *[""] * (len(kept) - 6)]
    rows = [_row("Reference", own)]
    for name, film in result.methods.items():
        cells = [*_cells(film.steadiness, result.steadiness), success_text(film.success)]
        cells += [str(film.switches)] if exact else []
        cells += [_kinetic(film), _calls(film), f"{film.seconds:.2f}"]
        rows.append(_row(film.label, cells, name))
    return _table(kept, rows, settings(result.request))


def coherence_table(found: Coherence) -> str:
    """A row for each way to link the frames, and what they say together."""
    headings = [heading for heading in _HEADINGS if heading[0] in _COMPARED]
    headings = [("Way", ""), *headings, _AWAY]
    rows = []
    for variant in found.variants:
        film = variant.film
        cells = [
            f"{film.steadiness.change:.1f}",
            _jump(film.steadiness),
            success_text(film.success),
            _kinetic(film),
            _calls(film),
            f"{variant.away:.2f}",
        ]
        rows.append(_row(variant.way.label, cells))
    said = finding(found)
    line = f'<p class="gensot-verdict gensot-finding">{escape(said)}</p>' if said else ""
    return line + _table(headings, rows, f"The reference itself changes by {found.own:.1f} grey levels a frame")


_COMPARED = ("Change, grey levels", "Jump", "To its frame, grey levels", "Kinetic energy", "Calls")
_AWAY = ("From the plain film", "Root mean square difference of the two films, in grey levels: 0 is the same film.")


def _table(headings: list[tuple[str, str]], rows: list[str], caption: str) -> str:
    head = "".join(f'<th scope="col" title="{escape(about)}">{escape(name)}</th>' for name, about in headings)
    return (
        f'<div class="gensot-scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f'<table class="gensot-table"><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _row(label: str, cells: list[str], method: str = "") -> str:
    mark = ""
    if method:
        style = method_style(method)
        mark = f'<span class="gensot-wall-mark" style="color:var({style.variable})">{style.glyph}</span> '
    body = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{mark}{escape(label)}</th>{body}</tr>'


def _cells(found: Steadiness, reference: Steadiness) -> list[str]:
    """[change, energy, over the least, over the reference's, jump]."""
    excess = found.excess
    share = f"{found.energy / reference.energy:.2f}" if reference.energy > 0 else "–"
    least = "–" if excess is None else f"{excess:.1f}"
    return [f"{found.change:.1f}", f"{found.energy:,.0f}", least, share, _jump(found)]


def _jump(found: Steadiness) -> str:
    jump = found.jump
    return "–" if jump is None else "∞" if jump == float("inf") else f"{jump:.1f}"


def _kinetic(film: MethodFilm) -> str:
    known = film.kinetic[np.isfinite(film.kinetic)]
    return f"{known.mean():.2f}" if len(known) else "–"


def _calls(film: MethodFilm) -> str:
    return f"{film.calls:g}" + (f" + {film.backwards:g}" if film.backwards else "")
