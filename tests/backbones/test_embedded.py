"""The network and the exact oracle of its training pictures: same coordinates, same noise, same classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gensot_demo.backbones.embedded import (
    NETWORK_INFO,
    load_network_backbone,
    load_truth_backbone,
    training_pictures,
)
from gensot_demo.backbones.emoji import load_collection
from gensot_demo.backbones.errors import UnknownCondition
from training.emoji_classes import NAMES, class_probabilities, load_split


@pytest.fixture(scope="module")
def network():
    return load_network_backbone()


@pytest.fixture(scope="module")
def truth():
    return load_truth_backbone()


def test_the_truth_holds_the_very_pictures_and_weights_of_the_training():
    data, held_out = load_split()
    known = training_pictures()
    assert known.classes == NAMES
    names = load_collection(32).names
    assert known.names == tuple(names[i] for label in range(len(NAMES)) for i in data.indices[data.labels == label])
    assert not set(known.names) & {names[i] for i in held_out.indices}
    order = torch.cat([torch.nonzero(data.labels == label)[:, 0] for label in range(len(NAMES))])
    torch.testing.assert_close(known.points, data.pictures[order].flatten(1))
    torch.testing.assert_close(known.weights, class_probabilities(data.labels)[order])


def test_pictures_go_in_and_come_out(network, truth):
    pictures = load_collection(32).pictures[[3, 500]]
    for backbone in (network, truth):
        states = backbone.encode(pictures)
        np.testing.assert_array_equal(backbone.pictures(states), pictures)


def test_both_meet_the_same_noise(network, truth):
    torch.testing.assert_close(network.noise([5, 9]).direction(0.3), truth.noise([5, 9]).direction(0.3))


def test_the_network_says_how_large_it_is(network):
    assert sum(p.numel() for p in network.network.unet.parameters()) == pytest.approx(NETWORK_INFO.parameters, rel=1e-3)
    assert 15 < network.megabytes() < 30


@pytest.mark.parametrize("sigma", [0.3, 1.0, 3.0])
def test_the_network_predicts_nearly_as_well_as_the_truth_and_far_better_than_the_mean(network, truth, sigma):
    """On training pictures under noise; the exact oracle is the best there is, so it cannot be beaten by much."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.multinomial(truth.trained_on.weights, 48, replacement=True, generator=generator)
    y = truth.trained_on.points[rows]
    x = y + sigma * torch.randn(y.shape, generator=generator)
    errors = {
        backbone.info.name: float((backbone.oracle.predict(x, 1.0, sigma) - y).square().mean())
        for backbone in (network, truth)
    }
    spread = truth.data_variance
    assert errors["truth"] < errors["network"] < 0.3 * spread


def test_a_class_is_heard(network, truth):
    x = torch.zeros(1, network.oracle.dimension)
    for backbone, tolerance in ((truth, 0.02), (network, 0.25)):
        faces, flags = (backbone.oracle.predict(x, 0.0, 1.0, backbone.condition(c))[0] for c in ("faces", "flags"))
        known = truth.trained_on
        exact = known.points[known.labels == known.classes.index("faces")].mean(0)
        assert float((faces - exact).square().mean().sqrt()) < tolerance
        assert float((faces - flags).square().mean().sqrt()) > 0.3


def test_unknown_classes_and_empty_laws_are_refused_in_sentences(network, truth):
    for backbone in (network, truth):
        with pytest.raises(UnknownCondition, match=r"'moons' is unknown to .*; there are faces, animal faces"):
            backbone.condition("moons")
    with pytest.raises(UnknownCondition, match="No picture is in both 'faces' and 'hearts'"):
        truth.require_law([("faces", 1.0), ("hearts", 1.0)])
    assert network.joint(["faces", "hearts"]) == (None, "Emoji network takes one condition at a time.")
