"""Pictures that visitors bring: checked before they are decoded, then made 64 x 64 on white."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from . import limits
from .picture_settings import png_text
from .requests import InvalidRequest

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
_THINNEST = 32  # times as long as wide: more would be less than a pixel of the smallest square
_BLANK_SPREAD = 2.0  # grey levels: below this a picture shows nothing


def open_upload(data: bytes) -> Image.Image:
    """A decoded RGBA picture; raises InvalidRequest for a broken file, a foreign format or too many pixels.

    The header alone decides whether the pixels are read, so a decompression bomb is refused unopened.
    """
    if len(data) > limits.MAX_UPLOAD_BYTES:
        raise InvalidRequest(
            f"The picture file has {len(data) / 1e6:.1f} MB; at most {limits.MAX_UPLOAD_BYTES / 1e6:.0f} MB are taken."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of half-broken files; what counts is whether they can be read
            picture = Image.open(io.BytesIO(data), formats=_FORMATS)
            width, height = picture.size
            if width * height > limits.MAX_UPLOAD_PIXELS:
                raise InvalidRequest(_too_many(width * height))
            picture.draft("RGB", (1024, 1024))
            return ImageOps.exif_transpose(picture).convert("RGBA")
    except Image.DecompressionBombError as error:  # whose own limit may be lower, see shell/pillow.py
        raise InvalidRequest(_too_many(int(re.search(r"(\d+) pixels", str(error))[1]))) from None
    except InvalidRequest:
        raise
    except Exception:  # Pillow raises of every kind for a file that was made to break it
        raise InvalidRequest(
            f"The file is not a picture that can be read ({len(data)} bytes; {', '.join(_FORMATS)} are)."
        ) from None


def _too_many(pixels: int) -> str:
    return f"The picture has {pixels / 1e6:.1f} megapixels; at most {limits.MAX_UPLOAD_PIXELS / 1e6:.0f} are taken."


def to_square(picture: Image.Image, side: int) -> NDArray[np.uint8]:
    """(side, side, 3) uint8: transparent parts white, the longer side fitted, centred; raises InvalidRequest if it is
    blank or too thin to be seen."""
    if max(picture.size) > _THINNEST * min(picture.size):
        width, height = picture.size
        raise InvalidRequest(
            f"The picture has {width} x {height} pixels; it may be at most {_THINNEST} times as long as wide."
        )
    picture = picture.convert("RGBA")
    canvas = Image.new("RGBA", picture.size, "white")
    flat = Image.alpha_composite(canvas, picture).convert("RGB")
    square = ImageOps.pad(flat, (side, side), Image.Resampling.LANCZOS, color="white")
    pixels = np.asarray(square)
    if pixels.astype(float).std() < _BLANK_SPREAD:
        raise InvalidRequest("The picture is empty: draw something, upload a picture or choose an emoji.")
    return pixels


def resized(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A square picture (s, s, 3) at another side."""
    if len(pixels) == side:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS))


def hidden_part(picture: Image.Image, side: int) -> NDArray[np.bool_]:
    """(side, side) of a drawn mask of any size: True where it is bright on the whole."""
    grey = Image.alpha_composite(Image.new("RGBA", picture.size, "black"), picture.convert("RGBA")).convert("L")
    return np.asarray(grey.resize((side, side), Image.Resampling.BOX)) > 127


def to_png(pixels: NDArray[np.uint8], text: Mapping[str, str] | None = None) -> bytes:
    """A PNG of (h, w, 3) uint8; ``text``: what its file says, such as the settings that made it."""
    out = io.BytesIO()
    info = png_text(text) if text else None
    Image.fromarray(pixels).save(out, "PNG", compress_level=1, pnginfo=info)
    return out.getvalue()
