"""Pictures in a row as a film's file: GIF, MP4 (H.264) or WebM (VP9), with the settings inside."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from PIL import Image

KINDS = {"gif": "image/gif", "mp4": "video/mp4", "webm": "video/webm"}
"""What can be made, and the media type of each."""

_COLOURS = 256
_LOOKED_AT = 12  # frames that a GIF's palette is made of, at most: memory stays bounded
_CODECS = {  # 18 of x264 already looks like the original; VP9 counts otherwise
    "mp4": ("libx264", {"crf": "14", "preset": "medium", "threads": "2"}),
    "webm": ("libvpx-vp9", {"crf": "20", "b": "0", "deadline": "good", "cpu-used": "5", "row-mt": "1", "threads": "2"}),
}


def encode(
    kind: str,
    frames: Sequence[NDArray[np.uint8]],
    rate: float,
    *,
    title: str = "",
    comment: str = "",
    hold: int = 0,
    check: Callable[[], None] = lambda: None,
) -> bytes:
    """The file of a film.

    Args:
        kind: one of ``KINDS``.
        frames: (height, width, 3) each, all of one size with even sides; may be decoded only when they are asked for.
        rate: frames a second, 1 to 60.
        title, comment: kept inside the file; a GIF knows only a comment.
        hold: for how many frames more the last one is shown.
        check: called before each frame; what it raises ends the work.
    """
    if kind == "gif":
        return _gif(frames, rate, comment, hold, check)
    return _video(kind, frames, rate, title, comment, hold, check)


def _gif(frames: Sequence[NDArray[np.uint8]], rate: float, comment: str, hold: int, check: Callable[[], None]) -> bytes:
    """It repeats for ever. One palette for the whole film, and no dithering: else still parts would flicker."""
    looked_at = np.unique(np.linspace(0, len(frames) - 1, _LOOKED_AT).round().astype(int))
    every = Image.fromarray(np.concatenate([frames[n] for n in looked_at]))
    palette = every.quantize(_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    pages = []
    for frame in frames:
        check()
        pages.append(Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE))
    out = io.BytesIO()
    pages[0].save(
        out,
        "GIF",
        save_all=True,
        append_images=pages[1:],
        duration=_hundredths(len(pages), rate, hold),
        loop=0,
        comment=comment.encode(),
        optimize=False,
    )
    return out.getvalue()


def _hundredths(frames: int, rate: float, hold: int) -> list[int]:
    """Milliseconds of each frame in the hundredths of a second that a GIF counts; what is rounded off is not lost."""
    ends = [*range(1, frames), frames + hold]
    at = [0, *(10 * round(100 * end / rate) for end in ends)]
    return [late - early for early, late in itertools.pairwise(at)]


def _video(
    kind: str,
    frames: Sequence[NDArray[np.uint8]],
    rate: float,
    title: str,
    comment: str,
    hold: int,
    check: Callable[[], None],
) -> bytes:
    import av  # FFmpeg takes a while to load, and most visitors never ask for it

    codec, options = _CODECS[kind]
    a_second = Fraction(rate).limit_denominator(1000)
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as file:
        file.metadata["title"], file.metadata["comment"] = title, comment
        stream = file.add_stream(codec, rate=a_second, options=options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.time_base = "yuv420p", 1 / a_second
        for n in range(len(frames) + hold):
            check()
            frame = np.ascontiguousarray(frames[min(n, len(frames) - 1)])
            for packet in stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")):
                file.mux(packet)
        for packet in stream.encode():
            file.mux(packet)
    return out.getvalue()
