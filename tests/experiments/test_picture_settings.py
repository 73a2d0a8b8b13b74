"""Settings in picture files: what is written comes back, and nothing that is not a sentence comes of a hostile file."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gensot_demo.experiments import limits, links
from gensot_demo.experiments.images import to_png
from gensot_demo.experiments.picture_settings import PictureSettings, read_settings, settings_text
from gensot_demo.experiments.requests import CompareRequest, InvalidRequest

PIXELS = np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8)


def block(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*blocks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(blocks) + block(b"IEND", b"")


def saved(**text: str) -> bytes:
    out, info = io.BytesIO(), PngInfo()
    for key, value in text.items():
        info.add_text(key, value)
    Image.fromarray(PIXELS).save(out, "PNG", pnginfo=info)
    return out.getvalue()


def test_what_is_written_comes_back():
    query = links.to_query(CompareRequest.first_view())[0]
    for page in ("/", "/grid"):
        data = to_png(PIXELS, settings_text(query, page, seed="7"))
        assert read_settings(data) == PictureSettings(page, query)
        assert (np.asarray(Image.open(io.BytesIO(data))) == PIXELS).all()


def test_a_query_without_a_page_is_a_comparisons():
    assert read_settings(saved(query="v=1&steps=9")) == PictureSettings("/", "v=1&steps=9")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no PNG"),
        (b"\xff\xd8\xff\xe0 a photograph", "no PNG"),
        (to_png(PIXELS), "holds no settings"),
        (saved(query="v=1")[:60], "cut short"),
        (b"\x89PNG\r\n\x1a\n", "cut short"),
        (png(struct.pack(">I", 2**31) + b"tEXt" + b"query\0v=1"), "cut short"),
        (png(block(b"tEXt", b"query\0v=1")[:-1] + b"!"), "broken"),
        (png(block(b"tEXt", b"query\0" + b"a" * 10**6)), "holds no settings"),
        (png(block(b"iTXt", b"query\0\1\0\0\0" + zlib.compress(b"a" * 10**7))), "holds no settings"),
        (png(block(b"zTXt", b"query\0\0" + zlib.compress(b"v=1"))), "holds no settings"),
        (saved(query="v=1", page="//elsewhere.example"), "not followed"),
        (saved(query="v=1", page="javascript:alert(1)"), "not followed"),
        (saved(query="v=1\n<script>"), "not followed"),
        (saved(query="a" * (links.MAX_LENGTH + 1)), "not followed"),
        (png(*[block(b"tEXt", b"a\0b")] * 10_001), "broken"),
        (b"\x89PNG\r\n\x1a\n" + b"a" * limits.MAX_UPLOAD_BYTES, "at most 8 MB"),
    ],
)
def test_everything_else_is_refused_in_a_sentence(data, said):
    with pytest.raises(InvalidRequest, match=said):
        read_settings(data)


@settings(max_examples=60)
@given(st.data())
def test_broken_files_only_raise_sentences(data):
    good = to_png(PIXELS, settings_text("v=1&steps=9", "/grid"))
    at = data.draw(st.integers(0, len(good) - 1))
    wrong = good[:at] + data.draw(st.binary(max_size=4)) + good[at + data.draw(st.integers(0, 9)) :]
    try:
        found = read_settings(wrong)
    except InvalidRequest as error:
        query, said = "", str(error)
    else:
        query, said = found.query, "."
    assert said.endswith(".")
    assert query.isprintable()
