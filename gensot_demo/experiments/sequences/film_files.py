"""A sequence as GIF and MP4: the reference and every method side by side, labelled, with the settings inside."""

from __future__ import annotations

import io
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .links import to_query
from .run import SequenceResult

FRAMES_A_SECOND = 8
_SIDE = 128  # pixels: smaller pictures are magnified by a whole number
_GAP, _LABEL = 8, 22
_COLOURS = 256
_QUALITY = "14"  # of x264, a constant rate factor: 18 already looks like the original


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
    """A GIF that repeats for ever; the link's query is its comment.

    One palette for the whole film, and no dithering: else still parts would flicker.
    """
    frames = composed(result)
    every = Image.fromarray(frames.reshape(-1, *frames.shape[2:]))
    palette = every.quantize(_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    pages = [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    out = io.BytesIO()
    pages[0].save(
        out,
        "GIF",
        save_all=True,
        append_images=pages[1:],
        duration=round(1000 / FRAMES_A_SECOND / 10) * 10,  # GIF counts hundredths of a second
        loop=0,
        comment=to_query(result.request)[0].encode(),
        optimize=False,
    )
    return out.getvalue()


def to_mp4(result: SequenceResult) -> bytes:
    """H.264 in an MP4, as browsers play it; the link's query is its comment."""
    import av  # FFmpeg takes a while to load, and most visitors never ask for it

    frames = composed(result)
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        file.metadata["title"] = "GenSOT Demo: a sequence"
        file.metadata["comment"] = to_query(result.request)[0]
        stream = file.add_stream("libx264", rate=FRAMES_A_SECOND, options={"crf": _QUALITY, "preset": "medium"})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt, stream.time_base = "yuv420p", Fraction(1, FRAMES_A_SECOND)
        for frame in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")):
                file.mux(packet)
        for packet in stream.encode():
            file.mux(packet)
    return out.getvalue()
