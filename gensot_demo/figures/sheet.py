"""A labelled sheet of pictures for a file: blocks of rows and columns, with what could not be made in words."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_MAGNIFIED = 2  # for pictures of up to _SMALL pixels a side
_SMALL = 64
_LARGEST = 256  # pixels a side on the sheet
_LABEL_WIDTH = 190
_MARGIN = 8
_HEADER = 26
_TITLE = 24
_LETTER = 7  # pixels, about, of the font below


@dataclass(frozen=True, eq=False)
class Block:
    """Rows of tiles with their labels. A tile is a picture (h, w, 3), perhaps a :func:`tiled` one, or a sentence.

    columns, rows: labels.  title: above the block, or empty.
    """

    columns: Sequence[str]
    rows: Sequence[str]
    tiles: Sequence[Sequence[NDArray[np.uint8] | str]]
    title: str = ""


def tiled(pictures: NDArray[np.uint8], gap: int = 2) -> NDArray[np.uint8]:
    """One white-spaced picture (h, w, 3) of up to four (n, s, s, 3): one, two or three side by side, four in a
    square."""
    n, side = len(pictures), pictures.shape[1]
    across = n if n < 4 else 2
    down = -(-n // across)
    out = np.full((down * (side + gap) - gap, across * (side + gap) - gap, 3), 255, np.uint8)
    for k, picture in enumerate(pictures):
        top, left = k // across * (side + gap), k % across * (side + gap)
        out[top : top + side, left : left + side] = picture
    return out


def sheet(blocks: Sequence[Block], title: str = "") -> Image.Image:
    """The blocks below each other, black on white."""
    width, height = _tile_size(blocks)
    pitch = width + _MARGIN
    heading = _TITLE if title else 0
    tall = [(_TITLE if block.title else 0) + _HEADER + len(block.rows) * (height + _MARGIN) for block in blocks]
    across = max(_LABEL_WIDTH + max(len(block.columns) for block in blocks) * pitch, _LETTER * len(title))
    page = Image.new("RGB", (across, heading + sum(tall)), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(13)
    draw.text((_MARGIN, heading // 2), title, "black", font, anchor="lm")
    top = heading
    for block, size in zip(blocks, tall, strict=True):
        _draw_block(page, draw, font, block, top, (width, height))
        top += size
    return page


def _draw_block(page: Image.Image, draw: ImageDraw.ImageDraw, font, block: Block, top: int, tile: tuple) -> None:
    width, height = tile
    if block.title:
        draw.text((_MARGIN, top + _TITLE // 2), block.title, "black", font, anchor="lm")
        top += _TITLE
    for column, label in enumerate(block.columns):
        centre = _LABEL_WIDTH + column * (width + _MARGIN) + width // 2
        shown = textwrap.shorten(label, max(width // _LETTER, 6), placeholder="…")
        draw.text((centre, top + _HEADER // 2), shown, "black", font, anchor="mm")
    top += _HEADER
    for row, label in enumerate(block.rows):
        above = top + row * (height + _MARGIN)
        words = "\n".join(textwrap.wrap(label, _LABEL_WIDTH // _LETTER)[:4])
        draw.text((_MARGIN, above + height // 2), words, "black", font, anchor="lm")
        for column, one in enumerate(block.tiles[row]):
            left = _LABEL_WIDTH + column * (width + _MARGIN)
            if isinstance(one, str):
                _draw_reason(draw, one, (left, above, left + width - 1, above + height - 1))
            else:
                page.paste(Image.fromarray(one).resize(_shown_size(one), Image.Resampling.NEAREST), (left, above))


def _draw_reason(draw: ImageDraw.ImageDraw, reason: str, box: tuple[int, int, int, int]) -> None:
    font = ImageFont.load_default(10)
    draw.rectangle(box, outline="#8a8f98")
    lines = textwrap.wrap(reason, max((box[2] - box[0] - 8) // 5, 4))[: max((box[3] - box[1] - 8) // 12, 1)]
    draw.multiline_text((box[0] + 4, box[1] + 4), "\n".join(lines), "#4a505a", font)


def _tile_size(blocks: Sequence[Block]) -> tuple[int, int]:
    sizes = [_shown_size(tile) for block in blocks for row in block.tiles for tile in row if not isinstance(tile, str)]
    return (max(w for w, _ in sizes), max(h for _, h in sizes)) if sizes else (128, 128)


def _shown_size(tile: NDArray[np.uint8]) -> tuple[int, int]:
    height, width = tile.shape[:2]
    if max(height, width) <= 2 * _SMALL + 2:
        return _MAGNIFIED * width, _MAGNIFIED * height
    scale = min(1.0, 2 * _LARGEST / max(height, width))
    return round(scale * width), round(scale * height)
