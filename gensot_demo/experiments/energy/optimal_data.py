"""The data of "Kinetic-optimal paths" and their separation function, kept so that a slider repeats nothing."""

from __future__ import annotations

from collections.abc import Generator, Hashable

import torch
from torch import Tensor

from gensot_demo.transport.data_separation import DataSeparation, separation_steps
from gensot_demo.transport.targets import TARGETS, named_target

from ..kept import Kept
from .optimal_request import DRAWN, EMOJI, RANDOM, SMALL_EMOJI, TWO, OptimalRequest
from .target_separation import separation_of_target

RANDOM_DRAWS = 2048  # of random points, per level: a fifth of a second, and standard errors below .01
_KEPT = 64
_RESOLUTIONS = {EMOJI: 64, SMALL_EMOJI: 32}
_LABELS = {
    TWO: "Two points on a line",
    RANDOM: "Random points",
    EMOJI: "The emoji collection, 64 × 64 pixels",
    SMALL_EMOJI: "The emoji collection, 32 × 32 pixels",
    DRAWN: "Your points",
}


def label_of(data: str) -> str:
    """What a person calls these data."""
    return _LABELS[data] if data in _LABELS else named_target(data).label


_SEPARATIONS: Kept[DataSeparation] = Kept(_KEPT)


def _key(request: OptimalRequest) -> Hashable:
    match request.data:
        case name if name in TARGETS:
            return (name,)
        case name if name == RANDOM:
            return (name, request.count, request.dimension, request.seed)
    return (request.data, request.points, request.seed)


def random_points(count: int, dimension: int, seed: int) -> Tensor:
    """n draws of N(0, I), (n, d), float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, dimension, generator=generator, dtype=torch.float64)


def count_of(request: OptimalRequest) -> int | None:
    """How many points the data are; None where they have a density."""
    if request.data in TARGETS:
        return None
    if request.data in _RESOLUTIONS:
        return len(_pictures(_RESOLUTIONS[request.data])[0])
    return {TWO: 2, RANDOM: request.count, DRAWN: len(request.points)}[request.data]


def _pictures(resolution: int) -> tuple[Tensor, int]:
    """Coordinates of all pictures in their span (N, N), and the pixels times channels that they have in full."""
    from gensot_demo.backbones.pictures import load_picture_backbone

    backbone = load_picture_backbone(resolution)
    return backbone.oracle.points, backbone.dimension


def separation_of(request: OptimalRequest) -> Generator[tuple[int, int], None, DataSeparation]:
    """Yields (levels done, levels) while it estimates; returns the separation, at once where it is kept."""
    key = _key(request)
    kept = _SEPARATIONS.get(key)
    if kept is not None:
        return kept
    if request.data in TARGETS:
        yield 0, 1
        return _SEPARATIONS.keep(key, separation_of_target(request.data))
    dimension, draws = None, None
    if request.data in _RESOLUTIONS:
        yield 0, 1  # reading them takes a second the first time
        points, dimension = _pictures(_RESOLUTIONS[request.data])
    elif request.data == RANDOM:
        points, draws = random_points(request.count, request.dimension, request.seed), RANDOM_DRAWS
    elif request.data == DRAWN:
        points = torch.tensor(request.points, dtype=torch.float64)
    else:
        points = torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
    found = yield from separation_steps(points, draws=draws, seed=request.seed, dimension=dimension)
    return _SEPARATIONS.keep(key, found)
