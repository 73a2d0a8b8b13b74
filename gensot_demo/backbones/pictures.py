"""The picture collection as an exact oracle: pictures in, rotated coordinates inside, pictures out.

n pictures span at most n dimensions, and noise outside that span never enters the posterior, so everything runs in the
n coordinates of an orthonormal basis of the span (the Cholesky factor of the Gram matrix, which is unique), centred at
the mean picture. Pixel values run from -1 (black) to 1 (white). Noise is drawn in these coordinates and completed
outside the span where a picture of it is wanted, so a seed means the same noise everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.transport.atoms import WeightedAtoms
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.oracles import Condition

from .base import NOISE_DEPTH, Backbone, BackboneInfo, UnknownCondition
from .emoji import EmojiCollection, EmptyCondition, combine, load_collection

INFO = BackboneInfo(
    name="collection",
    label="Emoji collection, exact",
    summary="The best possible denoiser of 1861 emoji, in closed form: every law that can be asked for is known.",
    licence="Apache-2.0",
    source="assets/emoji",
    asks="conditions",
    resolution=64,
    exact=True,
)
_EXACT_BLOCK = 1024  # columns of integers up to 128 whose products sum exactly in float32


def exact_gram(pictures: NDArray[np.uint8]) -> Tensor:
    """Gram matrix (n, n), float64, of pictures scaled to [-1, 1]: integer products, so without rounding."""
    integers = torch.from_numpy(pictures.reshape(len(pictures), -1).astype(np.float32)) - 128
    pixels = integers.shape[1]
    gram = torch.zeros(len(pictures), len(pictures), dtype=torch.float64)
    for block in integers.split(_EXACT_BLOCK, dim=1):
        gram += block @ block.T
    sums = integers.double().sum(1)
    return (gram + 0.5 * (sums[:, None] + sums[None, :]) + 0.25 * pixels) / 127.5**2


@dataclass(frozen=True, eq=False)
class PictureBackbone(Backbone):
    """A collection with its oracle. ``dimension`` counts pixels times channels, ``oracle.dimension`` coordinates.

    sigma_range: (start, end) noise levels that lose nothing: 20 times the largest standard deviation of the data, so
    that the start knows nothing, and a tenth of the smallest distance between pictures, which tells all apart.
    """

    collection: EmojiCollection
    oracle: WeightedAtoms
    mean_picture: Tensor  # (dimension,), in [-1, 1]
    sigma_range: tuple[float, float]
    _integers: Tensor  # (n, dimension) float32, whole numbers from -128 to 127: pixel = (integer + 1/2) / 127.5
    _inverse: Tensor  # (n, n) float64, inverse of the Cholesky factor
    _origin: Tensor  # (n,) float64, coordinates of the mean picture before centring

    @property
    def info(self) -> BackboneInfo:
        return replace(INFO, resolution=self.collection.resolution)

    @property
    def names(self) -> tuple[str, ...]:
        return self.collection.names

    @property
    def dimension(self) -> int:
        return self._integers.shape[1]

    def condition_names(self) -> list[str]:
        return self.collection.condition_names()

    def condition(self, name: str) -> Condition:
        """log p(c | picture) (n,) of a condition of the collection."""
        return torch.from_numpy(np.log(self.collection.condition(name).weights))

    def joint(self, names: Sequence[str]) -> tuple[Condition, str | None]:
        return (torch.stack([self.condition(name) for name in names]).sum(0) if names else None), None

    def classifier(self, conditions: Sequence[Condition]) -> Callable[[Tensor, float, float], Tensor] | None:
        return partial(self.oracle.log_likelihoods, conditions=tuple(conditions)) if conditions else None

    def require_law(self, chosen: Sequence[tuple[str, float]]) -> None:
        try:
            if chosen:
                combine([(self.collection.condition(name), trust) for name, trust in chosen])
        except EmptyCondition as error:
            raise UnknownCondition(str(error)) from None

    @property
    def gallery(self) -> WeightedAtoms:
        return self.oracle

    @property
    def data_variance(self) -> float:
        """Variance of one pixel of the collection."""
        return self.oracle.covariance_trace() / self.dimension

    def encode(self, pictures: NDArray[np.uint8]) -> Tensor:
        """Centred coordinates (n, oracle.dimension) of uint8 pictures (n, res, res, 3): their part in the span."""
        whole = torch.from_numpy(pictures.reshape(len(pictures), -1).astype(np.float32)) - 128
        half = torch.full((1, self.dimension), 0.5)
        return ((self._rotate(whole) + self._rotate(half)) / 127.5 - self._origin).to(self.oracle.dtype)

    def _rotate(self, flat: Tensor) -> Tensor:
        """Coordinates (n, oracle.dimension), float64 and not centred, of picture-space vectors (n, dimension).

        Exact sums for whole numbers up to 128 and halves of them; no copy of the collection in float64.
        """
        overlaps = 0.5 * flat.double().sum(1, keepdim=True).expand(-1, len(self._integers)).clone()
        for part, integers in zip(flat.split(_EXACT_BLOCK, 1), self._integers.split(_EXACT_BLOCK, 1), strict=True):
            overlaps += part @ integers.T
        return (overlaps / 127.5) @ self._inverse.T

    def _combined(self, weights: Tensor) -> Tensor:
        """Pixels (n, dimension) of weighted sums of pictures, weights (n, N)."""
        return (weights @ self._integers + 0.5 * weights.sum(1, keepdim=True)) / 127.5

    def decode(self, coordinates: Tensor) -> Tensor:
        """Pixels (n, dimension), about -1 to 1, of centred coordinates (n, oracle.dimension)."""
        weights = (coordinates.double() + self._origin) @ self._inverse
        return self._combined(weights.float())

    def decode_noise(self, coordinates: Tensor) -> Tensor:
        """The part of a picture-space vector (n, dimension) that lies in the span, from its coordinates."""
        return self._combined((coordinates.double() @ self._inverse).float())

    def to_uint8(self, pixels: Tensor) -> NDArray[np.uint8]:
        """Pixels (n, dimension) as pictures (n, res, res, 3)."""
        side = self.collection.resolution
        scaled = ((pixels + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        return scaled.reshape(-1, side, side, 3).numpy()

    def pixels(self, states: Tensor) -> Tensor:
        side = self.collection.resolution
        flat = states @ self._basis + self.mean_picture
        return flat.reshape(-1, side, side, 3).permute(0, 3, 1, 2)

    @cached_property
    def _basis(self) -> Tensor:
        """Orthonormal pictures (n, dimension), float32, whose sums by centred coordinates are added to the mean: one
        product where :meth:`decode` takes two, for what is asked at every step. Seconds to make, 23 or 91 MB."""
        parts = [self._inverse @ (part.double() + 0.5) for part in self._integers.split(_EXACT_BLOCK, 1)]
        return (torch.cat(parts, 1) / 127.5).float()

    def pictures(self, coordinates: Tensor) -> NDArray[np.uint8]:
        """Coordinates (n, oracle.dimension) as uint8 pictures (n, res, res, 3)."""
        return self.to_uint8(self.decode(coordinates))

    def outside_noise(self, seed: int, levels: Sequence[float]) -> Tensor:
        """Noise of a seed outside the span at levels log K (n,), (n, dimension): what completes the coordinates' noise
        to a picture of x_t."""
        stream = SharedNoise([seed], self.dimension, dtype=torch.float32, depth=NOISE_DEPTH + 1)
        return self.outside_span(torch.cat([stream.direction(log_K) for log_K in levels]))

    def outside_span(self, vectors: Tensor) -> Tensor:
        """What of picture-space vectors (n, dimension) no picture can express: the part orthogonal to the span."""
        return vectors - self.decode_noise(self._rotate(vectors))


@lru_cache(maxsize=2)
def load_picture_backbone(resolution: int = 64) -> PictureBackbone:
    """The emoji collection as a backbone; about a second for the first call of each resolution, then cached."""
    collection = load_collection(resolution)
    gram = exact_gram(collection.pictures)
    factor, failed = torch.linalg.cholesky_ex(gram)
    if int(failed):
        raise InvalidValue("the pictures are linearly dependent; remove duplicates.")
    inverse = torch.linalg.solve_triangular(factor, torch.eye(len(factor), dtype=torch.float64), upper=False)
    origin = factor.mean(0)
    integers = torch.from_numpy(collection.pictures.reshape(len(gram), -1).astype(np.float32)) - 128
    oracle = WeightedAtoms(factor - origin, dtype=torch.float32)
    levels = (20 * _largest_deviation(oracle.points), _smallest_distance(gram) / 10)
    return PictureBackbone(collection, oracle, (integers.mean(0) + 0.5) / 127.5, levels, integers, inverse, origin)


def _largest_deviation(points: Tensor, iterations: int = 60) -> float:
    """Square root of the largest eigenvalue of the covariance of centred points (n, d), by power iteration."""
    vector = points[0] / points[0].norm()
    for _ in range(iterations):
        vector = points.T @ (points @ vector)
        growth = vector.norm()
        vector = vector / growth
    return float(torch.sqrt(growth / len(points)))


def _smallest_distance(gram: Tensor) -> float:
    square = gram.diag()
    distance = square[:, None] + square[None, :] - 2 * gram
    distance.fill_diagonal_(torch.inf)
    return float(distance.min().sqrt())
