"""The value of the film player, and the curves below it."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
from PIL import Image

from gensot_demo.figures.film_player import film_row, films_value


def strip(row: dict) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(row["src"].split(",")[1]))))


def test_a_film_travels_as_one_strip_of_its_frames():
    film = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
    row = film_row("dps", "DPS", film, glyph="✚", colour="data-3", captions=["a"] * 5)
    assert (row["frames"], row["side"]) == (5, 8)
    for number, frame in enumerate(film):
        np.testing.assert_array_equal(strip(row)[:, 8 * number : 8 * number + 8], frame)


def test_large_films_are_reduced():
    row = film_row("dps", "DPS", np.full((2, 300, 300, 3), 7, np.uint8))
    assert row["side"] == 128
    assert strip(row).shape == (128, 256, 3)


def test_a_name_stays_data():
    row = film_row("own", "<b>${x}</b>", np.zeros((1, 2, 2, 3), np.uint8))
    value = films_value([row], 8, "described", False)
    assert json.loads(value)["films"][0]["label"] == "<b>${x}</b>"
    assert json.loads(value)["frames"] == 8
    assert json.loads(value)["finished"] is False
