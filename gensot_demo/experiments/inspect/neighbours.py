"""The known pictures nearest to a sample, and whether it is one of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.backbones.base import Backbone

from . import sizes

SHOWN = 5
_COPY = 1 / 3  # of the training pictures' own spacing


@dataclass(frozen=True, eq=False)
class Neighbours:
    """names, pictures (5, res, res, 3) and distances (5,) in grey levels, root mean square, nearest first.

    spacing: median distance of a known picture to its own nearest other one, in grey levels.
    """

    names: tuple[str, ...]
    pictures: NDArray[np.uint8]
    distances: NDArray[np.float64]
    spacing: float

    @property
    def copied(self) -> bool:
        """Whether the sample is nearer to a known picture than a third of what lies between these."""
        return bool(self.distances[0] < _COPY * self.spacing)


def neighbours(backbone: Backbone, end: Tensor) -> Neighbours | None:
    """Of one end state (d,); None where nobody knows what the model was made of."""
    gallery = backbone.gallery
    if gallery is None:
        return None
    index, away = gallery.neighbours(end[None], SHOWN)
    return Neighbours(
        tuple(backbone.names[n] for n in index[0].tolist()),
        backbone.pictures(gallery.points[index[0]]),
        sizes.size(backbone, away[0][:, None]).cpu().numpy(),
        spacing(backbone),
    )


@lru_cache(maxsize=4)
def spacing(backbone: Backbone) -> float:
    """Median over the known pictures of the distance to the nearest other one, in grey levels."""
    return float(sizes.size(backbone, backbone.gallery.spacing().median()[None]))
