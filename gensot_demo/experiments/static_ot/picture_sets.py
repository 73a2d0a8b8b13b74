"""Sets of pictures that noise can be transported to: what the network learnt from, the collection, parts of both."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.backbones.base import from_uint8
from gensot_demo.backbones.embedded import RESOLUTION, training_pictures
from gensot_demo.backbones.emoji import load_collection
from gensot_demo.backbones.pictures import exact_gram

from ..requests import InvalidRequest

NETWORK, COLLECTION = "network", "collection"


@dataclass(frozen=True, eq=False)
class PictureSet:
    """n pictures (n, res, res, 3), uint8, their names (n,) and weights (n,) of sum 1, float64."""

    key: str
    label: str
    pictures: NDArray[np.uint8]
    names: tuple[str, ...]
    weights: Tensor

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def coordinates(self) -> Tensor:
        """The pictures (n, n) in orthonormal coordinates of their span, about their weighted mean; float64. Products
        with white noise in these have the law of products with white noise in pixels."""
        factor, failed = torch.linalg.cholesky_ex(exact_gram(self.pictures))
        if int(failed):
            raise InvalidRequest(f"Two pictures of {self.label} are the same, or one is a mixture of others.")
        return factor - self.weights @ factor

    @property
    def pixels(self) -> Tensor:
        """(n, 3 res^2), float64 from -1 to 1, channels first: the states of the network."""
        return from_uint8(self.pictures).flatten(1).double()

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of pictures and weights: heights belong to exactly these."""
        found = hashlib.sha256(np.ascontiguousarray(self.pictures).tobytes())
        found.update(self.weights.numpy().round(12).tobytes())
        return found.hexdigest()


def picture_set_keys() -> list[str]:
    """The sets to choose from; ``collection/WORD`` with any keyword of the collection is one as well."""
    groups = sorted(set(load_collection(RESOLUTION).groups))
    return [
        NETWORK,
        *(f"{NETWORK}/{name}" for name in training_pictures().classes),
        COLLECTION,
        *(f"{COLLECTION}/{name}" for name in groups),
    ]


@lru_cache(maxsize=8)
def picture_set(key: str) -> PictureSet:
    """``network`` (its training pictures, 32 x 32, in the proportions it was trained in), ``network/CLASS`` (equal
    weights), ``collection`` (64 x 64) or ``collection/WORD``, WORD a group or keyword. Raises
    :class:`~..requests.InvalidRequest` for others."""
    whole, _, part = key.partition("/")
    if whole == NETWORK:
        return _of_network(part)
    if whole == COLLECTION:
        return _of_collection(part)
    raise InvalidRequest(
        f"Set {key[:60]!r} is unknown; choose network, collection, or a part of one, as network/faces."
    )


def _of_network(part: str) -> PictureSet:
    known, collection = training_pictures(), load_collection(RESOLUTION)
    if part and part not in known.classes:
        raise InvalidRequest(f"Class {part[:40]!r} is unknown to the network; there are {', '.join(known.classes)}.")
    chosen = [i for i, label in enumerate(known.labels.tolist()) if not part or known.classes[label] == part]
    names = tuple(known.names[i] for i in chosen)
    weights = known.weights if not part else torch.full((len(chosen),), 1 / len(chosen), dtype=torch.float64)
    label = f"the network's {part}" if part else "the network's training pictures"
    pictures = collection.pictures[[collection.index_of(name) for name in names]]
    return PictureSet(f"{NETWORK}/{part}" if part else NETWORK, label, pictures, names, weights)


def _of_collection(part: str) -> PictureSet:
    collection = load_collection(64)
    chosen = [
        i
        for i, (group, words) in enumerate(zip(collection.groups, collection.keywords, strict=True))
        if not part or group == part or (part not in collection.groups and part in words)
    ]
    if not chosen:
        groups = ", ".join(sorted(set(collection.groups)))
        raise InvalidRequest(f"No picture has the keyword {part[:40]!r}; the groups are {groups}.")
    names = tuple(collection.names[i] for i in chosen)
    weights = torch.full((len(chosen),), 1 / len(chosen), dtype=torch.float64)
    label = f"the collection's {part}" if part else "the picture collection"
    key = f"{COLLECTION}/{part}" if part else COLLECTION
    return PictureSet(key, label, collection.pictures[chosen], names, weights)
