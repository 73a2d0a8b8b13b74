"""The moving reference: pictures (F, s, s, 3) of a sketch on its way, of a cross-fade, of a colour that turns.

Pure functions of arrays. Frame f of F stands at the share f / (F - 1) of the motion; a full turn of a colour at f / F,
so that the film closes without showing one picture twice.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from gensot_demo.transport.guides import along_curve

WHITE = 255.0
FULL_TURN = 360.0


def cross_fade(start: NDArray[np.uint8], end: NDArray[np.uint8], frames: int) -> NDArray[np.uint8]:
    """(F, s, s, 3) from ``start`` to ``end`` (s, s, 3): their mean with shares 1 - w and w, pixel by pixel."""
    share = np.linspace(0, 1, frames)[:, None, None, None]
    return np.rint((1 - share) * start.astype(float) + share * end.astype(float)).astype(np.uint8)


def along_path(sketch: NDArray[np.uint8], points: ArrayLike, frames: int, size: float = 0.6) -> NDArray[np.uint8]:
    """(F, s, s, 3) of a sketch (s, s, 3) that moves on white at constant speed along a polygon.

    points: (n, 2) of its centre, from left and from top, as shares of the picture's side.  size: of the sketch, a share
    of that side. What leaves the picture is cut off; between whole pixels it is mixed from four neighbours.
    """
    side = len(sketch)
    small = max(round(size * side), 1)
    reduced = np.asarray(Image.fromarray(sketch).resize((small, small), Image.Resampling.LANCZOS)).astype(float)
    corners = torch.as_tensor(np.asarray(points, dtype=float))
    centres = along_curve(corners, torch.linspace(0, 1, frames, dtype=torch.float64)).numpy()
    return np.stack([_placed(reduced, side, side * x - small / 2, side * y - small / 2) for x, y in centres])


def _placed(small: NDArray[np.float64], side: int, left: float, top: float) -> NDArray[np.uint8]:
    """(side, side, 3): ``small`` on white with its corner at (left, top), in pixels."""
    across, down = np.floor(left), np.floor(top)
    shares = np.array([1 - (left - across), left - across]), np.array([1 - (top - down), top - down])
    ink = WHITE - small
    moved = np.zeros((len(small) + 1, len(small) + 1, 3))
    for row, weight in enumerate(shares[1]):
        for column, share in enumerate(shares[0]):
            moved[row : row + len(small), column : column + len(small)] += weight * share * ink
    canvas = np.full((side, side, 3), WHITE)
    y, x = int(down), int(across)
    y0, x0 = max(y, 0), max(x, 0)
    y1, x1 = min(y + len(moved), side), min(x + len(moved), side)
    if y0 < y1 and x0 < x1:
        canvas[y0:y1, x0:x1] -= moved[y0 - y : y1 - y, x0 - x : x1 - x]
    return np.rint(canvas).clip(0, 255).astype(np.uint8)


def turned_colours(picture: NDArray[np.uint8], turn: float, frames: int) -> NDArray[np.uint8]:
    """(F, s, s, 3): hues turned by 0 to ``turn`` degrees; saturation and value, so white, grey and black, stay.

    Hue is that of HSV: 120 degrees put red in place of green, green of blue, blue of red.
    """
    last = frames if abs(turn) == FULL_TURN else frames - 1
    return np.stack([_turned(picture, turn * frame / last) for frame in range(frames)])


def _turned(picture: NDArray[np.uint8], degrees: float) -> NDArray[np.uint8]:
    red, green, blue = np.moveaxis(picture.astype(float), -1, 0)
    value = np.maximum(np.maximum(red, green), blue)
    chroma = value - np.minimum(np.minimum(red, green), blue)
    divisor = np.where(chroma == 0, 1.0, chroma)
    hue = np.where(
        value == red,
        (green - blue) / divisor,
        np.where(value == green, 2 + (blue - red) / divisor, 4 + (red - green) / divisor),
    )  # in sixths of a turn
    channels = []
    for offset in (5, 3, 1):
        k = (offset + hue + degrees / 60) % 6
        channels.append(value - chroma * np.clip(np.minimum(k, 4 - k), 0, 1))
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
