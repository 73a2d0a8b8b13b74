"""The two backbones of 32 x 32 pixels: the embedded network, and the very pictures it was trained on as exact oracle.

Both live in the same coordinates, so they meet the same noise: what the network does can be laid beside what it should
have done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.transport.atoms import WeightedAtoms
from gensot_demo.transport.oracles import Condition

from .base import Backbone, BackboneInfo, UnknownCondition, from_uint8, to_uint8
from .emoji import load_collection
from .emoji_classifier import class_log_likelihoods, load_noisy_classifier
from .emoji_network import FOLDER, RESOLUTION, EmojiDenoiser, load_network, trained_on
from .network_oracle import NetworkOracle
from .once import Once
from .self_attention import without_attention

SIGMA_RANGE = (80.0, 0.02)  # of both: from nothing known to noise that 8 bits do not show
_OUTSIDE = 1e-6  # p(class | picture of another class): a logarithm must stay finite

NETWORK_INFO = BackboneInfo(
    name="network",
    label="Emoji network",
    summary="A small diffusion network trained here on ten classes of emoji: a UNet with 5 million weights.",
    licence="Apache-2.0",
    source="training/train_emoji_network.py",
    asks="classes",
    resolution=RESOLUTION,
    parameters=4_962_000,
)
TRUTH_INFO = BackboneInfo(
    name="truth",
    label="What the network learnt from, exactly",
    summary="The best possible denoiser of the very pictures that the emoji network was trained on, in closed form.",
    licence="Apache-2.0",
    source="assets/emoji",
    asks="classes",
    resolution=RESOLUTION,
    exact=True,
)


class TrainingPictures:
    """Names (n,), pixels (n, 3072), labels (n,) and drawing weights (n,) of what the network was trained on."""

    def __init__(self) -> None:
        collection, classes = load_collection(RESOLUTION), trained_on()
        self.classes = tuple(classes)
        self.names = tuple(name for names in classes.values() for name in names)
        self.labels = torch.repeat_interleave(
            torch.arange(len(classes)), torch.tensor([len(names) for names in classes.values()])
        )
        chosen = collection.pictures[[collection.index_of(name) for name in self.names]]
        self.points = from_uint8(chosen).flatten(1)
        sizes = torch.bincount(self.labels).double()
        weights = (sizes.sqrt() / sizes)[self.labels]  # a class is drawn in proportion to the root of its size
        self.weights = weights / weights.sum()

    def variance(self) -> float:
        """Of one value of a picture drawn by the weights."""
        w = self.weights.float()
        mean = w @ self.points
        return float((w @ (self.points - mean).square()).mean())


@lru_cache(maxsize=1)
def training_pictures() -> TrainingPictures:
    """Read once; a tenth of a second."""
    return TrainingPictures()


class ClassBackbone(Backbone):
    """What both have in common: states are pixels, a condition is one of the classes."""

    dimension = 3 * RESOLUTION**2
    sigma_range = SIGMA_RANGE

    def __init__(self) -> None:
        self.trained_on = training_pictures()
        self.data_variance = self.trained_on.variance()
        self._gallery = WeightedAtoms(self.trained_on.points, dtype=torch.float32)

    @property
    def names(self) -> tuple[str, ...]:
        return self.trained_on.names

    @property
    def gallery(self) -> WeightedAtoms:
        return self._gallery

    def encode(self, pictures: NDArray[np.uint8]) -> Tensor:
        return from_uint8(pictures).flatten(1).to(self.oracle.device)

    def pixels(self, states: Tensor) -> Tensor:
        return states.reshape(-1, 3, RESOLUTION, RESOLUTION)

    def pictures(self, states: Tensor) -> NDArray[np.uint8]:
        return to_uint8(self.pixels(states))

    def condition_names(self) -> list[str]:
        return list(self.trained_on.classes)

    def label(self, name: str) -> int:
        """Label of a class; raises UnknownCondition listing the classes."""
        if name not in self.trained_on.classes:
            known = ", ".join(self.trained_on.classes)
            raise UnknownCondition(f"Class {name[:40]!r} is unknown to {self.info.label}; there are {known}.")
        return self.trained_on.classes.index(name)


class NetworkBackbone(ClassBackbone):
    """The embedded network."""

    info = NETWORK_INFO
    max_rows = 64  # larger forwards are no faster on a CPU and wait longer for Stop
    max_states = 30_000

    def __init__(self, device: torch.device | str = "cpu") -> None:
        super().__init__()
        self.network = load_network(FOLDER)
        self.network.unet.to(device)
        self.oracle = NetworkOracle(
            EmojiDenoiser(self.network), {"weak": Once(self._weak), "perturbed": Once(self._perturbed)}
        )
        self._noisy_classifier = Once(lambda: load_noisy_classifier(FOLDER).to(self.oracle.device))

    def _weak(self) -> EmojiDenoiser:
        early = load_network(FOLDER, early=True)
        early.unet.to(self.oracle.device)
        return EmojiDenoiser(early)

    def _perturbed(self) -> EmojiDenoiser:
        return EmojiDenoiser(replace(self.network, unet=without_attention(self.network.unet)))

    def condition(self, name: str) -> Condition:
        return self.label(name)

    def classifier(self, conditions: Sequence[Condition]) -> Callable[[Tensor, float, float], Tensor] | None:
        if not conditions:
            return None
        levels = self.network.sigma_min, self.network.sigma_max
        return lambda x, a, m: class_log_likelihoods(self._noisy_classifier(), x, a, m, conditions, *levels)

    def megabytes(self) -> float:
        return sum(p.numel() * p.element_size() for p in self.network.unet.parameters()) / 1e6


class TruthBackbone(ClassBackbone):
    """The training pictures themselves. Mirrored and shifted copies, which the network also saw, are left out."""

    info = TRUTH_INFO

    def __init__(self) -> None:
        super().__init__()
        self.oracle = WeightedAtoms(self.trained_on.points, self.trained_on.weights, dtype=torch.float32)

    def condition(self, name: str) -> Condition:
        member = self.trained_on.labels == self.label(name)
        return torch.where(member, 0.0, torch.log(torch.tensor(_OUTSIDE, dtype=torch.float64)))

    def classifier(self, conditions: Sequence[Condition]) -> Callable[[Tensor, float, float], Tensor] | None:
        return partial(self.oracle.log_likelihoods, conditions=tuple(conditions)) if conditions else None

    def require_law(self, chosen: Sequence[tuple[str, float]]) -> None:
        names = [name for name, trust in chosen if trust > 0]
        if len(set(names)) > 1:
            raise UnknownCondition(
                f"No picture is in both {names[0]!r} and {names[1]!r}: the law asked for is empty, and there is no "
                "truth to show."
            )


@lru_cache(maxsize=1)
def load_network_backbone() -> NetworkBackbone:
    """The embedded network on the device of :func:`~.network_oracle.compute_device`; some seconds the first time."""
    from .network_oracle import compute_device

    return NetworkBackbone(compute_device())


@lru_cache(maxsize=1)
def load_truth_backbone() -> TruthBackbone:
    """The exact oracle of the network's training pictures."""
    return TruthBackbone()
