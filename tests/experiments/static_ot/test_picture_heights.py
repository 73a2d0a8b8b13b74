"""Stored heights: they belong to these pictures, and their cells hold what they should, on noise they never met."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gensot_demo.backbones.embedded import training_pictures
from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.experiments.static_ot.picture_heights import (
    StaleHeights,
    checked,
    climb_to,
    save,
    stored,
    stored_heights,
    stored_keys,
)
from gensot_demo.experiments.static_ot.picture_sets import picture_set
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.static_ot.semi_discrete import Ascent, total_variation, variation_floor

TWO = "collection/bandage"  # a word that two pictures have


def test_every_class_and_both_wholes_are_stored():
    classes = {f"network/{name}" for name in training_pictures().classes}
    assert set(stored_keys()) == {"network", "collection"} | classes


@pytest.mark.parametrize("key", ["network", "network/faces", "network/clocks"])
def test_stored_heights_hold_their_masses_on_fresh_noise(key):
    pictures = picture_set(key)
    heights, known = stored(pictures)
    draws = 2**15
    error, floor = checked(pictures, heights, draws, seed=77)
    assert error < known.mass_error + 1.5 * floor
    guess = torch.zeros_like(heights)
    assert checked(pictures, guess, draws, seed=77)[0] > 2 * (known.mass_error + floor)


def test_the_map_in_pixels_is_the_one_in_coordinates():
    """Products with white noise have one law in both, so the masses agree; and what arrives are the pictures."""
    map_ = stored_heights("network/clocks")
    z = torch.randn(4000, 3072, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    assert total_variation(map_.masses(z), map_.weights) < 2 * variation_floor(map_.weights, 4000)
    pictures = picture_set("network/clocks")
    assert torch.equal(map_.to(z[:5]), pictures.pixels[map_.cells(z[:5])])
    assert np.array_equal(pictures.pixels.shape, (23, 3072))


def test_stale_heights_are_refused(tmp_path):
    pictures = picture_set("network/clocks")
    heights, known = stored(pictures)
    save({pictures.key: (heights, known)}, tmp_path)
    assert torch.allclose(stored(pictures, tmp_path)[0], heights)
    other = replace(pictures, pictures=255 - pictures.pictures)
    with pytest.raises(StaleHeights, match="solved for other pictures"):
        stored(other, tmp_path)
    weighted = replace(pictures, weights=torch.softmax(torch.arange(23.0).double(), 0))
    with pytest.raises(StaleHeights):
        stored(weighted, tmp_path)
    assert stored(picture_set("network/faces"), tmp_path) is None
    with pytest.raises(InvalidValue, match="No heights are stored for the network's faces; there are network/clocks"):
        stored_heights("network/faces", tmp_path)


def test_a_class_of_two_pictures():
    pictures = picture_set(TWO)
    assert len(pictures) == 2
    *_, last = (moment for moment in climb_to(pictures, 0.01, 0, 2**20) if isinstance(moment, Ascent))
    assert last.done
    assert float((last.heights[0] - last.heights[1]).abs()) < 0.05 * float(torch.dist(*pictures.coordinates))


def test_coordinates_have_the_distances_of_the_pixels():
    pictures = picture_set("network/clocks")
    away = torch.cdist(pictures.pixels, pictures.pixels, compute_mode="donot_use_mm_for_euclid_dist")
    inside = torch.cdist(pictures.coordinates, pictures.coordinates, compute_mode="donot_use_mm_for_euclid_dist")
    assert torch.allclose(away, inside, atol=1e-3)  # pixels come from float32


@pytest.mark.parametrize("key", ["zebra", "network/zebra", "collection/zebraz", ""])
def test_unknown_sets_are_told_so(key):
    with pytest.raises(InvalidRequest, match=r"there are faces|the groups are|choose network"):
        picture_set(key)
