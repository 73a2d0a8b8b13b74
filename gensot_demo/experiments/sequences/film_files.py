"""A sequence as GIF, MP4 and WebM: the reference and every method side by side, labelled, with the settings inside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..film_files import encode
from .links import to_query
from .run import SequenceResult

FRAMES_A_SECOND = 8
_SIDE = 128  # pixels: smaller pictures are magnified by a whole number
_GAP, _LABEL = 8, 22


def composed(result: SequenceResult) -> NDArray[np.uint8]:
    """(F, height, width, 3): all films of one frame in a row on white, under their labels; even sides, as H.264 asks
    for."""
    films = [("Reference", result.reference), *((film.label, film.pictures) for film in result.methods.values())]
    times = max(1, round(_SIDE / result.reference.shape[1]))
    side = times * result.reference.shape[1]
    width, height = _GAP + len(films) * (side + _GAP), _LABEL + side + _GAP
    ground = Image.new("RGB", (width + width % 2, height + height % 2), "white")
    draw, font = ImageDraw.Draw(ground), ImageFont.load_default(13)
    for column, (label, _) in enumerate(films):
        draw.text((_GAP + column * (side + _GAP), _LABEL // 2), _short(label, side, font), "black", font, anchor="lm")
    out = np.repeat(np.asarray(ground)[None], len(result.reference), axis=0)
    for column, (_, film) in enumerate(films):
        left = _GAP + column * (side + _GAP)
        out[:, _LABEL : _LABEL + side, left : left + side] = film.repeat(times, axis=1).repeat(times, axis=2)
    return out


def _short(label: str, width: int, font: ImageFont.FreeTypeFont) -> str:
    """A label that fits, cut off where it must be."""
    if font.getlength(label) <= width:
        return label
    while label and font.getlength(label + "…") > width:
        label = label[:-1]
    return label.rstrip() + "…"


def to_gif(result: SequenceResult) -> bytes:
    """A GIF that repeats for ever; the link's query is its comment."""
    return _encoded("gif", result)


def to_mp4(result: SequenceResult) -> bytes:
    """H.264 in an MP4, as browsers play it; the link's query is its comment."""
    return _encoded("mp4", result)


def to_webm(result: SequenceResult) -> bytes:
    """VP9 in a WebM; the link's query is its comment."""
    return _encoded("webm", result)


def _encoded(kind: str, result: SequenceResult) -> bytes:
    comment = to_query(result.request)[0]
    return encode(kind, composed(result), FRAMES_A_SECOND, title="GenSOT Demo: a sequence", comment=comment)
