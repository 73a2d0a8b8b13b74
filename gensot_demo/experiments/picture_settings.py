"""Settings that travel in a picture: the page and the query string that make it again, in the text of its PNG file.

Reading trusts nothing: the file's blocks are walked within its own length, no pixel is decoded and nothing is inflated.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from PIL.PngImagePlugin import PngInfo

from gensot_demo import __version__

from . import limits, links
from .requests import InvalidRequest

PAGE, QUERY = "page", "query"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PAGE = re.compile(r"/[a-z]{0,31}")
_MOST_BLOCKS = 10_000
_NOT_PNG = (
    "The file is no PNG picture. Pictures saved from this app are PNG files; screenshots, and copies that a chat or "
    "photo program has written anew, do not hold their settings."
)
_BROKEN = "The picture file is broken or was cut short; its settings cannot be read."


@dataclass(frozen=True)
class PictureSettings:
    """Where a picture was made: the page's path, as in "/grid", and its query string without "?"."""

    page: str
    query: str


def settings_text(query: str, page: str = "/", **more: str) -> dict[str, str]:
    """The text that a picture of this query carries, by key; ``more``: what else is good to know."""
    return {"Software": f"GenSOT Demo {__version__}", PAGE: page, QUERY: query, **more}


def png_text(text: Mapping[str, str]) -> PngInfo:
    """The same as Pillow writes it."""
    info = PngInfo()
    for key, value in text.items():
        info.add_text(key, value)
    return info


def read_settings(data: bytes) -> PictureSettings:
    """The settings in a picture file; without a page they are those of a comparison.

    Raises InvalidRequest with a sentence for what is no PNG, a broken file, and a picture without settings.
    """
    if len(data) > limits.MAX_UPLOAD_BYTES:
        raise InvalidRequest(
            f"The picture file has {len(data) / 1e6:.1f} MB; at most {limits.MAX_UPLOAD_BYTES / 1e6:.0f} MB are read."
        )
    if not data.startswith(_SIGNATURE):
        raise InvalidRequest(_NOT_PNG)
    found: dict[str, str] = {}
    for kind, body in _blocks(data):
        key, value = _text(kind, body)
        if key in (PAGE, QUERY):
            found.setdefault(key, value)
    if QUERY not in found:
        raise InvalidRequest(
            "This picture holds no settings. Only pictures saved from this app do, as long as no other program has "
            "written them anew."
        )
    page, query = found.get(PAGE, "/"), found[QUERY]
    if not _PAGE.fullmatch(page) or len(query) > links.MAX_LENGTH or not query.isascii() or not query.isprintable():
        raise InvalidRequest("The settings in this picture were not written by this app; they are not followed.")
    return PictureSettings(page, query)


def _blocks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """(kind, body) of each block of a PNG file up to its end; raises InvalidRequest for a broken one."""
    at, view = len(_SIGNATURE), memoryview(data)
    for _ in range(_MOST_BLOCKS):
        if at + 12 > len(data):
            raise InvalidRequest(_BROKEN)
        length, kind = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            raise InvalidRequest(_BROKEN)
        if kind == b"IEND":
            return
        body = view[at + 8 : at + 8 + length]
        if kind in (b"tEXt", b"iTXt"):
            (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
            if zlib.crc32(body, zlib.crc32(kind)) != checksum:
                raise InvalidRequest(_BROKEN)
            yield kind, body
        at += 12 + length
    raise InvalidRequest(_BROKEN)


def _text(kind: bytes, body: memoryview) -> tuple[str, str]:
    """(key, value) of a text block; empty ones for what is too long or squeezed: this app writes neither."""
    if len(body) > 8 * links.MAX_LENGTH:
        return "", ""
    key, _, value = bytes(body).partition(b"\0")
    if kind == b"iTXt":
        if value[:1] != b"\0":
            return "", ""
        value = value[2:].split(b"\0", 2)[-1]
        return key.decode("latin-1"), value.decode("utf-8", "replace")
    return key.decode("latin-1"), value.decode("latin-1")
