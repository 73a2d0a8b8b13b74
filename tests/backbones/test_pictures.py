"""The picture backbone against brute force in full pixel space."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gensot_demo.backbones.pictures import exact_gram, load_picture_backbone

BACKBONE = load_picture_backbone(32)
COUNT = len(BACKBONE.collection)


def pixel_space() -> torch.Tensor:
    """All pictures (n, dimension), float64, in [-1, 1]."""
    return torch.from_numpy(BACKBONE.collection.pictures.reshape(COUNT, -1) / 127.5 - 1)


def test_the_gram_matrix_is_the_direct_product():
    pictures = BACKBONE.collection.pictures[::40]
    flat = pictures.reshape(len(pictures), -1).astype(np.float64) / 127.5 - 1
    np.testing.assert_allclose(exact_gram(pictures).numpy(), flat @ flat.T, rtol=0, atol=1e-9)


def test_the_gram_matrix_is_exact_for_extreme_pictures():
    pictures = np.stack([np.full((64, 64, 3), value, np.uint8) for value in (0, 1, 127, 128, 255)])
    values = np.array([0, 1, 127, 128, 255]) / 127.5 - 1
    np.testing.assert_allclose(exact_gram(pictures).numpy(), 12288 * np.outer(values, values), rtol=1e-14, atol=1e-11)


def test_pictures_survive_the_way_into_coordinates_and_back():
    chosen = BACKBONE.collection.pictures[::97]
    coordinates = BACKBONE.encode(chosen)
    away = (coordinates - BACKBONE.oracle.points[::97]).norm(dim=1)
    assert float(away.max()) < 0.25 * BACKBONE.sigma_range[1]  # against a distance of ten times the last noise level
    assert np.abs(BACKBONE.pictures(coordinates).astype(int) - chosen).max() <= 1
    assert np.array_equal(BACKBONE.pictures(BACKBONE.oracle.points[::97]), chosen)


def test_what_is_not_in_the_collection_keeps_its_part_in_the_span():
    foreign = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    inside = BACKBONE.decode(BACKBONE.encode(foreign)).double()
    rest = torch.from_numpy(foreign.reshape(2, -1) / 127.5 - 1) - inside
    assert float((rest @ pixel_space().T).abs().max()) < 3e-2  # orthogonal to every picture; |y| |rest| is about 1e3
    assert float(rest.norm()) > 1


def test_rotation_keeps_distances():
    rng = np.random.default_rng(1)
    i, j = rng.integers(0, COUNT, (2, 200))
    pixels, points = pixel_space(), BACKBONE.oracle.points.double()
    torch.testing.assert_close(
        (points[i] - points[j]).norm(dim=1), (pixels[i] - pixels[j]).norm(dim=1), rtol=1e-5, atol=1e-4
    )


@pytest.mark.parametrize("sigma", [0.5, 6.0, 60.0])
def test_the_oracle_is_the_softmax_over_pictures_in_pixel_space(sigma):
    """Noise on all pixels: what lies outside the span must not matter."""
    generator = torch.Generator().manual_seed(3)
    pixels, mean = pixel_space(), BACKBONE.mean_picture.double()
    a, m = math.cos(math.atan(sigma)), math.sin(math.atan(sigma))
    clean = pixels[[3, 700, 1500]] - mean
    noise = torch.randn(3, BACKBONE.dimension, generator=generator, dtype=torch.float64)
    x = a * clean + m * noise
    square = ((x[:, None] - a * (pixels - mean)[None]) ** 2).sum(-1)
    expected = torch.softmax(-square / (2 * m * m), 1) @ pixels
    inside = (noise @ pixels.T) @ BACKBONE._inverse.T
    coordinates = a * (BACKBONE.oracle.points[[3, 700, 1500]].double()) + m * inside
    found = BACKBONE.decode(BACKBONE.oracle.predict(coordinates.float(), a, m)).double()
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-3)
    assert float((expected[0] - expected[1]).abs().max()) > 0.01


def test_outside_noise_is_orthogonal_to_the_span_with_unit_variance_in_the_rest():
    level = 0.3
    vectors = torch.stack([BACKBONE.outside_noise(seed, [level])[0] for seed in range(12)]).double()
    pixels = pixel_space()
    overlap = (vectors @ pixels.T) / (vectors.norm(dim=1)[:, None] * pixels.norm(dim=1))
    assert float(overlap.abs().max()) < 1e-4
    rest = BACKBONE.dimension - COUNT
    square = vectors.square().sum(1)
    assert float((square / rest - 1).abs().max()) < 5 * math.sqrt(2 / rest)
    gram = vectors @ vectors.T / rest
    assert float((gram - torch.diag(gram.diag())).abs().max()) < 5 / math.sqrt(rest)


def test_inside_noise_is_white_in_pixel_space_after_completion():
    """Coordinates' noise decoded plus outside noise: unit variance per pixel over many seeds."""
    seeds = range(60)
    inside = BACKBONE.decode_noise(BACKBONE.noise(seeds).direction(0.3))
    whole = inside + torch.stack([BACKBONE.outside_noise(seed, [0.3])[0] for seed in seeds])
    variance = float(whole.double().square().mean())
    assert abs(variance - 1) < 5 * math.sqrt(2 / whole.numel())
    half = whole[:, : BACKBONE.dimension // 2].double().square().mean()
    assert abs(float(half) - 1) < 5 * math.sqrt(4 / whole.numel())


def test_the_noise_of_a_seed_does_not_depend_on_its_company():
    alone = BACKBONE.noise([9]).direction(1.0)
    many = BACKBONE.noise([7, 8, 9, 10]).direction(1.0)
    crowd = BACKBONE.noise([9], particles=5).direction(1.0)
    assert torch.equal(alone[0], many[2])
    assert torch.equal(alone[0], crowd[0])
    assert not torch.equal(many[1], many[2])


def test_noise_levels_lose_nothing():
    """At the first level the posterior of a noisy picture is the prior; at the last it is that picture."""
    start, end = BACKBONE.sigma_range
    points = BACKBONE.oracle.points[::200]
    noise = BACKBONE.noise(range(len(points))).direction(0.0)
    p = BACKBONE.oracle.posterior(points + start * noise, 1.0, start).double()
    assert float(math.log(COUNT) + (p * p.log()).sum(1).mean()) < 0.02  # nats known about the picture
    p = BACKBONE.oracle.posterior(points + end * noise, 1.0, end)
    assert float(p[range(len(points)), range(0, COUNT, 200)].min()) > 0.99
    assert abs(BACKBONE.data_variance - float(pixel_space().var(0, correction=0).mean())) < 1e-5
