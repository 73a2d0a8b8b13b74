"""Picture files that were made to hurt: bombs, many frames, foreign and double formats, broken metadata."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from gensot_demo.experiments.images import open_upload, to_png, to_square
from gensot_demo.experiments.picture_settings import read_settings
from gensot_demo.experiments.requests import InvalidRequest

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>1</script></svg>'
TAKEN = "PNG, JPEG, WEBP, GIF, BMP are"
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def picture(size=(40, 40)) -> Image.Image:
    made = Image.new("RGB", size, "white")
    made.paste("red", (0, 0, size[0] // 2, size[1]))
    return made


def encoded(made: Image.Image, kind: str = "PNG", **options) -> bytes:
    out = io.BytesIO()
    made.save(out, kind, **options)
    return out.getvalue()


def block(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_blocks(data: bytes, *blocks: bytes) -> bytes:
    """A PNG with further blocks behind its header."""
    end_of_header = len(SIGNATURE) + 25
    return data[:end_of_header] + b"".join(blocks) + data[end_of_header:]


def frames(kind: str, count: int, size=(300, 300)) -> bytes:
    made = [Image.new("RGB", size, (n % 256, 255 - n % 256, 90)) for n in range(count)]
    made[0].paste("red", (0, 0, size[0] // 2, size[1]))
    return encoded(made[0], kind, save_all=True, append_images=made[1:], duration=20)


def most_memory(work) -> int:
    """Bytes that Python's own allocations reached beyond what there was before."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def said_of(work, *arguments) -> str:
    """Why it was refused; nothing where it was not."""
    try:
        work(*arguments)
    except InvalidRequest as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", ["TIFF", "ICO", "ICNS", "PPM", "TGA", "PCX", "EPS", "PDF", "JPEG2000", "DDS", "SGI"])
def test_other_formats_are_refused_whatever_pillow_can_read(kind):
    data = encoded(picture((64, 64)), kind)
    with pytest.raises(InvalidRequest, match="not a picture that can be read"):
        open_upload(data)


@pytest.mark.parametrize("data", [SVG, b"\xef\xbb\xbf" + SVG, b"GIF89a" + SVG, b"<html><body>", b"%PDF-1.7", b"PK\3\4"])
def test_what_is_no_raster_picture_is_refused(data):
    with pytest.raises(InvalidRequest, match="not a picture that can be read"):
        open_upload(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP"])
def test_a_picture_that_is_also_something_else_is_only_its_pixels(kind):
    double = encoded(picture(), kind) + b"PK\3\4<script>alert(1)</script>" + SVG
    made = to_png(to_square(open_upload(double), 32))
    assert b"script" not in made
    assert b"PK\3\4" not in made


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_compressed_text_is_not_inflated_without_bounds(kind):
    squeezed = zlib.compress(bytes(200_000_000), 9)
    body = {b"zTXt": b"query\0\0", b"iTXt": b"query\0\1\0\0\0", b"iCCP": b"profile\0\0"}[kind] + squeezed
    bomb = with_blocks(encoded(picture()), block(kind, body))
    assert len(bomb) < 300_000

    assert most_memory(lambda: said_of(open_upload, bomb)) < 40_000_000
    assert said_of(open_upload, bomb) in (
        "",
        f"The file is not a picture that can be read ({len(bomb)} bytes; {TAKEN}).",
    )
    assert "holds no settings" in said_of(read_settings, bomb)
    assert most_memory(lambda: said_of(read_settings, bomb)) < 3_000_000


def test_many_texts_are_bounded():
    texts = [block(b"tEXt", b"page%d\0" % n + b"x" * 60_000) for n in range(120)]
    with pytest.raises(InvalidRequest, match="holds no settings"):
        read_settings(with_blocks(encoded(picture()), *texts))
    with pytest.raises(InvalidRequest, match="broken or was cut short"):
        read_settings(with_blocks(encoded(picture()), *[block(b"tEXt", b"a\0b")] * 10_001))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_only_the_first_of_many_frames_is_decoded(kind, monkeypatch):
    data = frames(kind, 60)
    sought = []
    original = Image.Image.seek
    monkeypatch.setattr(Image.Image, "seek", lambda made, frame: sought.append(frame) or original(made, frame))
    found = open_upload(data)
    assert found.size == (300, 300)
    assert abs(np.asarray(found)[150, 40, :3].astype(int) - [255, 0, 0]).max() < 40
    assert max(sought, default=0) == 0


@pytest.mark.parametrize("size", [(6000, 1), (1, 6000), (4000, 3), (33, 1)])
def test_a_thin_picture_is_refused_in_a_sentence(size):
    with pytest.raises(InvalidRequest, match="at most 32 times as long as wide"):
        to_square(open_upload(encoded(picture(size))), 64)


@pytest.mark.parametrize("side", [32, 64])
@pytest.mark.parametrize("size", [(640, 20), (20, 640), (2, 2), (64, 2)])
def test_the_thinnest_picture_that_is_taken_can_be_seen(size, side):
    assert to_square(open_upload(encoded(picture(size))), side).shape == (side, side, 3)


def exif_with(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "secret description"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 29.6)
    exif.get_ifd(0x8825)[1] = "N"
    return exif.tobytes()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_camera_s_turn_is_undone_and_its_notes_go_no_further(kind, orientation):
    corner = Image.new("RGB", (60, 40), "white")
    corner.paste("red", (0, 0, 30, 20))
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # what a viewer applies, by Pillow's numbers
    found = open_upload(encoded(corner, kind, exif=exif_with(orientation)))
    wanted = corner if orientation == 1 else corner.transpose(Image.Transpose(turns[orientation]))
    difference = np.asarray(found.convert("RGB")).astype(int) - np.asarray(wanted)
    assert found.size == wanted.size
    assert abs(difference).mean() < 8
    made = to_png(to_square(found, 32))
    assert b"secret" not in made
    assert b"eXIf" not in made
    assert not Image.open(io.BytesIO(made)).getexif()


def test_a_huge_block_of_camera_notes_is_read_in_bounds():
    entries = 60_000
    notes = b"MM\0*\0\0\0\x08" + struct.pack(">H", entries)
    notes += b"".join(struct.pack(">HHII", 0x9000 + n % 4000, 4, 1, n) for n in range(entries)) + b"\0\0\0\0"
    data = with_blocks(encoded(picture()), block(b"eXIf", notes))
    assert most_memory(lambda: open_upload(data)) < 100_000_000


def samples() -> list[bytes]:
    kinds = ["PNG", "JPEG", "WEBP", "GIF", "BMP"]
    plain = [encoded(picture(), kind) for kind in kinds]
    with_notes = [encoded(picture(), kind, exif=exif_with(6)) for kind in ("PNG", "JPEG", "WEBP")]
    paletted = [encoded(picture().convert(mode), "PNG") for mode in ("P", "1", "LA")]
    return [*plain, *with_notes, *paletted, frames("GIF", 3, (20, 20)), frames("WEBP", 3, (20, 20))]


@given(st.sampled_from(samples()), st.data())
@settings(max_examples=600, deadline=3000, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
def test_a_damaged_file_is_read_or_refused_in_a_sentence(data, choose):
    damaged = bytearray(data)
    for _ in range(choose.draw(st.integers(1, 6))):
        at = choose.draw(st.integers(0, max(len(damaged) - 1, 0)))
        match choose.draw(st.sampled_from(["set", "cut", "insert", "large"])):
            case "set":
                damaged[at : at + 1] = bytes([choose.draw(st.integers(0, 255))])
            case "cut":
                del damaged[at : at + choose.draw(st.integers(1, 40))]
            case "insert":
                damaged[at:at] = choose.draw(st.binary(max_size=12))
            case "large":
                damaged[at : at + 4] = b"\x7f\xff\xff\xff"
    for work in (lambda: to_square(open_upload(bytes(damaged)), 16), lambda: read_settings(bytes(damaged))):
        assert len(said_of(work)) < 300
