"""A film that a browser drew: its frames as they were sent, checked before they are decoded, made a file."""

from __future__ import annotations

import io
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from gensot_demo import __version__

from . import limits
from .film_files import KINDS, encode
from .requests import InvalidRequest

_FORMATS = ("PNG", "JPEG")
_LENGTH = 4  # bytes, big-endian, before each frame
_RATES = (1.0, 60.0)  # frames a second
_LONGEST_HOLD = 5.0  # seconds
_COMMENT, _TITLE = 4000, 120  # characters


@dataclass(frozen=True)
class FilmRequest:
    """kind: one of ``KINDS``.  rate: frames a second.  hold: seconds that the last frame stays.  title, comment: kept
    inside the file, the comment is the link's query."""

    kind: str
    rate: float
    hold: float = 0.0
    title: str = ""
    comment: str = ""


def film_request(fields: Mapping[str, str]) -> FilmRequest:
    """The request of an address's fields; raises InvalidRequest for what is not allowed."""
    kind = fields.get("kind", "")
    if kind not in KINDS:
        raise InvalidRequest(f"The kind of film is {kind[:20]!r}; it must be one of {', '.join(KINDS)}.")
    return FilmRequest(
        kind,
        _number(fields, "rate", _RATES),
        _number(fields, "hold", (0.0, _LONGEST_HOLD)),
        f"GenSOT Demo {__version__}: {fields.get('title', '')[:_TITLE]}".removesuffix(": "),
        fields.get("comment", "")[:_COMMENT],
    )


def _number(fields: Mapping[str, str], name: str, allowed: tuple[float, float]) -> float:
    low, high = allowed
    try:
        value = float(fields.get(name, ""))
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        said = fields.get(name, "")[:20]
        raise InvalidRequest(f"The film's {name} is {said!r}; it must be a number from {low:g} to {high:g}.")
    return value


def encoded(request: FilmRequest, body: bytes, stopped: Callable[[], bool] = lambda: False) -> bytes:
    """The file of the frames in ``body``, each a PNG or JPEG after its length.

    Raises InvalidRequest for what is no film, too large, too slow to make, or not wanted any more (``stopped``).
    """
    frames = _Frames(body)
    until = time.monotonic() + limits.FILM_SECONDS

    def check() -> None:
        if stopped():
            raise InvalidRequest("The film was cancelled.")
        if time.monotonic() > until:
            raise InvalidRequest(
                f"The film took longer than {limits.FILM_SECONDS} seconds to encode. A GIF, a higher speed or a "
                "quieter moment helps."
            )

    hold = round(request.hold * request.rate)
    told = {"title": request.title, "comment": request.comment}
    return encode(request.kind, frames, request.rate, hold=hold, check=check, **told)


class _Frames(Sequence):
    """The frames of a body, (height, width, 3) uint8 of one even size; decoded when asked for, one at a time."""

    def __init__(self, body: bytes):
        if len(body) > limits.FILM_BYTES:
            raise InvalidRequest(too_large(len(body)))
        self._body, self._places = memoryview(body), _places(body)
        self._size = self._opened(0).size
        width, height = self._size
        if width % 2 or height % 2:
            raise InvalidRequest(f"The film's frames are {width} x {height} pixels; both sides must be even.")
        if len(self) * width * height > limits.FILM_PIXELS:
            raise InvalidRequest(
                f"The film has {len(self)} frames of {width} x {height} pixels; at most {limits.FILM_PIXELS / 1e6:.0f} "
                "megapixels are taken in all."
            )

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: int) -> NDArray[np.uint8]:
        picture = self._opened(range(len(self))[number])
        if picture.size != self._size:
            raise InvalidRequest(f"Frame {number + 1} has another size than the first one.")
        try:
            return np.asarray(picture.convert("RGB"))
        except (OSError, SyntaxError, ValueError):
            raise InvalidRequest(f"Frame {number + 1} is broken.") from None

    def _opened(self, number: int) -> Image.Image:
        """Only its header is read: the pixels are when its size is known to be allowed."""
        start, end = self._places[number]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                return Image.open(io.BytesIO(self._body[start:end]), formats=_FORMATS)
        except Image.DecompressionBombError:
            raise InvalidRequest(
                f"Frame {number + 1} has too many pixels; all frames together may have "
                f"{limits.FILM_PIXELS / 1e6:.0f} megapixels."
            ) from None
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
            raise InvalidRequest(f"Frame {number + 1} is neither a PNG nor a JPEG.") from None


def _places(body: bytes) -> list[tuple[int, int]]:
    """Where each frame begins and ends."""
    places, at = [], 0
    while at < len(body):
        start = at + _LENGTH
        at = start + int.from_bytes(body[at:start], "big")
        if start >= at or at > len(body):
            raise InvalidRequest("The film is cut off.")
        places.append((start, at))
        if len(places) > limits.FILM_FRAMES:
            raise InvalidRequest(f"The film has more than {limits.FILM_FRAMES} frames.")
    if not places:
        raise InvalidRequest("The film has no frames.")
    return places


def too_large(count: int) -> str:
    """What is said about a body of so many bytes."""
    return f"The film's frames are {count / 1e6:.0f} MB; at most {limits.FILM_BYTES / 1e6:.0f} MB are taken."
