"""Pictures that visitors bring: refused before decoding where they must be, put on white where they can be."""

from __future__ import annotations

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from gensot_demo.experiments.images import open_upload, to_png, to_square
from gensot_demo.experiments.requests import InvalidRequest


def encoded(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def half_red(size=(40, 40)) -> Image.Image:
    picture = Image.new("RGB", size, "white")
    picture.paste("red", (0, 0, size[0] // 2, size[1]))
    return picture


def huge_header(width: int, height: int) -> bytes:
    """A PNG that claims to be huge and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        encoded(half_red())[:60],
        encoded(half_red())[:-30],
        encoded(half_red(), "TIFF"),
        b"\0" * 99,
    ],
)
def test_broken_and_foreign_files_are_refused(data):
    with pytest.raises(InvalidRequest, match="not a picture that can be read"):
        open_upload(data)


@pytest.mark.parametrize(
    ("width", "height", "sentence"),
    [
        (100_000, 401, r"40\.1 megapixels; at most 40 are taken"),
        (20_000, 20_000, r"400\.0 megapixels; at most 40 are taken"),
        (2_000_000, 2_000, r"4000\.0 megapixels; at most 40 are taken"),
    ],
)
def test_huge_pictures_are_refused_by_their_header_alone(width, height, sentence):
    began = time.perf_counter()
    with pytest.raises(InvalidRequest, match=sentence):
        open_upload(huge_header(width, height))
    assert time.perf_counter() - began < 1


def test_large_files_are_refused():
    with pytest.raises(InvalidRequest, match=r"9\.0 MB; at most 8 MB"):
        open_upload(bytes(9_000_000))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_common_formats_are_read(kind):
    pixels = to_square(open_upload(encoded(half_red(), kind)), 32)
    assert pixels.shape == (32, 32, 3)
    assert pixels.dtype == np.uint8
    assert abs(pixels[:, :14].astype(int) - [255, 0, 0]).max() < 40
    assert pixels[:, 18:].min() > 215


@pytest.mark.parametrize("mode", ["L", "P", "LA", "1", "I;16", "CMYK"])
def test_other_colour_modes_are_read(mode):
    picture = half_red().convert("L").convert(mode) if mode != "CMYK" else half_red().convert(mode)
    data = encoded(picture, "JPEG" if mode == "CMYK" else "PNG")
    assert to_square(open_upload(data), 32).shape == (32, 32, 3)


def test_transparent_parts_become_white():
    picture = Image.new("RGBA", (40, 40), (255, 0, 0, 0))  # red, but not to be seen
    picture.paste((0, 0, 255, 255), (0, 0, 20, 40))
    pixels = to_square(open_upload(encoded(picture)), 40)
    assert pixels[20, 30].tolist() == [255, 255, 255]
    assert pixels[20, 10].tolist() == [0, 0, 255]


@pytest.mark.parametrize("colour", ["white", "black", (0, 0, 0, 0)])
def test_an_empty_picture_is_refused(colour):
    with pytest.raises(InvalidRequest, match="empty: draw something"):
        to_square(open_upload(encoded(Image.new("RGBA", (30, 30), colour))), 32)


def test_the_camera_s_rotation_is_undone():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by a quarter, clockwise
    pixels = to_square(open_upload(encoded(half_red(), "JPEG", exif=exif)), 32)
    assert abs(pixels[:14].astype(int) - [255, 0, 0]).max() < 40  # left became top
    assert pixels[18:].min() > 215


def test_the_longer_side_is_fitted_on_white():
    pixels = to_square(open_upload(encoded(Image.new("RGB", (80, 20), "navy"))), 32)
    assert pixels[0].min() == 255
    assert pixels[16, 0].tolist() == [0, 0, 128]


def test_png_keeps_every_value():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(to_png(pixels)))), pixels)
