"""How good samples are, and whether they are anybody's: the judge's opinion beside the share of copies.

Every number alone can be had cheaply: one who hands out training pictures has a perfect distance, one who draws noise
copies nobody. So they stand together, with exact draws and pictures that the network never saw measured alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from gensot_demo.backbones.base import from_uint8
from gensot_demo.backbones.embedded import training_pictures
from gensot_demo.backbones.emoji import load_collection
from gensot_demo.backbones.emoji_classifier import load_judge
from gensot_demo.backbones.emoji_network import RESOLUTION, held_out
from gensot_demo.backbones.once import Once
from gensot_demo.transport.distances import kernel_distance_to_law

from ..failures.failure import Number
from ..failures.memorised import RATIO, nearness
from ..failures.statistics import mean, percent, share
from .later_start_request import LaterStartRequest

_GREY = 127.5  # grey levels of a unit
_FEWEST = 3  # pictures that a kernel distance takes
FARTHEST = 255.0
"""Root mean square grey levels that two pictures can be apart: a sample farther from all of them is none."""
_JUDGE = Once(load_judge)


@dataclass(frozen=True)
class Quality:
    """Of n pictures. kid: squared kernel distance of the judge's features to the law of the training pictures asked
    for, or None of too few.  judged: per cent that the judge gives the class asked for, or where none was, any class at
    all.  copies: per cent less than a third as far from one training picture as from every other.  distance: to the
    nearest training picture, root mean square grey levels.  calls: of the model for each, counted; 0 for none.
    """

    pictures: int
    kid: Number | None
    judged: Number
    copies: Number
    distance: Number
    calls: float = 0.0


@lru_cache(maxsize=16)
def _law(label: int | None) -> tuple[Tensor, Tensor]:
    """(features (N, k) of the training pictures, their weights (N,)) of a class, or of all."""
    known = training_pictures()
    weights = known.weights if label is None else known.weights * (known.labels == label)
    chosen = weights > 0
    return _features(known.points[chosen])[0], weights[chosen] / weights.sum()


@torch.no_grad()
def _features(states: Tensor) -> tuple[Tensor, Tensor]:
    """(features (n, k), verdicts (n,)) of the judge on states (n, 3072), as a person would be shown them."""
    judge = _JUDGE()
    pictures = states.float().cpu().reshape(-1, 3, RESOLUTION, RESOLUTION)
    shown = ((pictures.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1
    features = judge.features(shown)
    return features.double(), judge.head(features).argmax(1)


def quality_of(states: Tensor, request: LaterStartRequest, calls: float = 0.0, shares: Tensor | None = None) -> Quality:
    """Of end states (n, 3072). shares (n,): what each counts for the distance to the law, all alike for None."""
    features, verdicts = _features(states)
    label = request.label
    right = verdicts == label if label is not None else verdicts < len(training_pictures().classes)
    kid = Number(*kernel_distance_to_law(features, *_law(label), shares)) if len(states) >= _FEWEST else None
    away, ratio = distances(states)
    return Quality(
        len(states), kid, percent(share(int(right.sum()), len(right))),
        percent(share(int((ratio < RATIO).sum()), len(ratio))), mean(away.numpy()), calls,
    )  # fmt: skip


def distances(states: Tensor) -> tuple[Tensor, Tensor]:
    """(distance to the nearest training picture in grey levels, that over the distance to the second), (n,) each."""
    states = states.double().cpu()
    nearest = torch.cdist(states, training_pictures().points.double()).amin(1)
    return _GREY * nearest / states.shape[1] ** 0.5, nearness(states)


def diverged(distance: float) -> bool:
    """Whether what is so far from the nearest picture, in grey levels, left the range of pictures altogether."""
    return not distance <= FARTHEST


def exact_draws(request: LaterStartRequest, draws: int) -> Quality:
    """Of training pictures drawn from the law itself: as near as can be, and all of them copies."""
    known = training_pictures()
    weights = known.weights if request.label is None else known.weights * (known.labels == request.label)
    generator = torch.Generator().manual_seed(request.seed)
    return quality_of(known.points[torch.multinomial(weights, draws, True, generator=generator)], request)


def unseen(request: LaterStartRequest) -> Quality:
    """Of the pictures of the same classes that were kept from the network: new ones of the same kind."""
    names = held_out()
    classes = list(names) if request.label is None else [request.pictures]
    collection, known = load_collection(RESOLUTION), training_pictures()
    chosen = [collection.index_of(name) for kind in classes for name in names[kind]]
    sizes = torch.bincount(known.labels).double().sqrt()
    shares = torch.cat(
        [sizes[known.classes.index(kind)].expand(len(names[kind])) / len(names[kind]) for kind in classes]
    )
    return quality_of(from_uint8(collection.pictures[chosen]).flatten(1), request, shares=shares)
