"""Films side by side and in step: the reference of a sequence and what each method made of it.

The drawing is `film_player.js`. A film travels as one strip of pictures, so that a step costs no decoding.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .player import bar_button
from .wall import data_address

_SIDE = 128  # pixels: larger pictures are reduced, the files have them whole
_SPEEDS = {"0.5": "½×", "1": "1×", "2": "2×"}

# Both are constants: Gradio evaluates templates as code, so nothing that a visitor wrote may reach them.
_HTML = (
    '<div class="gensot-films" role="group" tabindex="0" data-state="empty"><div class="gensot-films-stage"></div>'
    '<div class="gensot-player-bar"><div class="gensot-player-buttons">'
    + bar_button("back", "One frame back")
    + bar_button("play", "Play")
    + bar_button("forward", "One frame forward")
    + '</div><div class="gensot-player-scrub">'
    '<input type="range" min="0" max="1" step="1" value="0" aria-label="Frame"><output aria-live="off"></output></div>'
    '<div class="gensot-player-options"><div class="gensot-player-speeds" role="group" aria-label="Speed">'
    + "".join(
        f'<button type="button" data-speed="{speed}" aria-pressed="false">{text}</button>'
        for speed, text in _SPEEDS.items()
    )
    + '</div></div></div><p class="gensot-player-note"></p></div>'
)
_ON_LOAD = Path(__file__).with_name("film_player.js").read_text(encoding="utf-8")


class FilmPlayer(gr.HTML):
    """Films in step; its value is the JSON text of :func:`films_value`, or None for the ``empty`` sentence.

    A new value plays by itself, over and over; it stands still where the visitor asks for reduced motion, after Pause,
    and while it is out of sight. Space plays and pauses, arrows step, Home and End go to the ends.
    """

    def __init__(self, value: str | None = None, *, empty: str = "", html_template: str = _HTML, **other: Any):
        other.setdefault("js_on_load", _ON_LOAD)
        other.setdefault("apply_default_css", False)
        classes = [*other.pop("elem_classes", []), "gensot-figure-block"]
        super().__init__(value, html_template=html_template, empty=empty, elem_classes=classes, **other)

    def api_info(self) -> dict[str, Any]:
        return {"type": "string", "description": "films as JSON text"}

    def example_payload(self) -> str:
        return '{"frames": 0, "films": []}'

    def example_value(self) -> str:
        return self.example_payload()


def film_row(
    name: str,
    label: str,
    pictures: NDArray[np.uint8],
    *,
    glyph: str = "",
    colour: str = "",
    note: str = "",
    captions: Sequence[str] = (),
) -> dict[str, Any]:
    """One film (F, s, s, 3). ``colour`` is one of app.css, as in "data-3"; captions: one per frame, or none."""
    reduced = [_reduced(picture) for picture in pictures]
    return {
        "name": name,
        "label": label,
        "glyph": glyph,
        "colour": colour,
        "note": note,
        "captions": list(captions),
        "frames": len(reduced),
        "side": len(reduced[0]),
        "src": data_address(np.concatenate(reduced, axis=1)),
    }


def films_value(films: Sequence[dict[str, Any]], frames: int, description: str, finished: bool = True) -> str:
    """The value as JSON text. frames: of the whole sequence; a film that is still made may have fewer."""
    return json.dumps(
        {"films": list(films), "frames": frames, "description": description, "finished": finished},
        separators=(",", ":"),
    )


def _reduced(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if len(picture) <= _SIDE:
        return picture
    return np.asarray(Image.fromarray(picture).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS))
