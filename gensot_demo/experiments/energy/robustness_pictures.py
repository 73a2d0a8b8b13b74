"""Does it hold for pictures? The finite-particle relation in thousands of dimensions, step by step.

The start is wrong along the direction in which the model's pictures differ most. With a few hundred particles in
thousands of dimensions W1 is that of the particles, far apart as they are, and the relation is exact about them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.backbones.catalogue import CATALOGUE
from gensot_demo.transport.atoms import WeightedAtoms
from gensot_demo.transport.oracles import Oracle, Query
from gensot_demo.transport.paths import CondOTPath, CosinePath, VPLinearPath
from gensot_demo.transport.speed_accuracy import Relation, normalised_weights, weighted_distance

from ..device import TURNSTILE
from .robustness import BACKBONES, RobustnessRequest
from .robustness_cloud import Moves, angles, in_schedule

PAPERS = {"CelebA-HQ latents": 0.64, "LSUN bedroom": 0.45}
"""eta / c2 that Ikeda et al. report for their data sets."""
_SHOWN = 8
_RESOLUTION = 32


@dataclass(frozen=True, eq=False)
class PicturesResult:
    """relations: by schedule, for the steps so far.  dimension: of a state, where data have variance 1 a coordinate.
    effective: how many particles the wrong start weighs, (sum w)^2 / sum w^2.

    pictures (8, res, res, 3) uint8 at the end, those that the wrong start favours most first, with weights (8,);
    average_true, average_wrong: mean pictures, once complete.
    """

    request: RobustnessRequest
    label: str
    done: float
    seconds: float
    dimension: int
    effective: float
    relations: dict[str, Relation]
    pictures: NDArray[np.uint8] | None = None
    weights: NDArray[np.float64] | None = None
    averages: NDArray[np.uint8] | None = None

    @property
    def complete(self) -> bool:
        return self.done >= 1


class Standardised:
    """An oracle in units in which its pictures, ``atoms``, are centred and have variance 1 per coordinate.

    mean, direction (d,): their mean, and that in which they differ most, towards the brighter ones; where the oracle
    is and in its precision.
    """

    def __init__(self, oracle: Oracle, atoms: WeightedAtoms):
        self.oracle, self.dimension = oracle, oracle.dimension
        points, weights = (part.to(oracle.device, oracle.dtype) for part in (atoms.points, atoms.log_prior.exp()))
        self.mean = weights @ points
        away = (points - self.mean) * weights.sqrt()[:, None]
        self.scale = float(away.double().square().sum() / self.dimension) ** 0.5
        start = torch.randn(self.dimension, 1, generator=torch.Generator().manual_seed(0)).to(away)
        for _ in range(30):  # the power method: the direction of largest variance
            start = away.T @ (away @ start)
            start = start / torch.linalg.vector_norm(start)
        lean = start[:, 0]
        self.direction = lean if float(lean.sum()) >= 0 else -lean

    def ending(self, x: Tensor, theta: float) -> Tensor:
        """E[y | x] in these units at x (n, d) on the circle."""
        a, m = math.sin(theta), math.cos(theta)
        asked = Query(a * self.mean + self.scale * x, a, m * self.scale)
        return (self.oracle.answer([asked])[0].predicted[0] - self.mean) / self.scale


def of_pictures(request: RobustnessRequest) -> Iterator[PicturesResult]:
    """Yields after every batch of forwards; W1 by an exact coupling at every step. Closing it stops the run."""
    began = time.perf_counter()
    backbone = CATALOGUE.load(request.backbone, _RESOLUTION)
    # what a network learnt from has its mean and its variance
    law = CATALOGUE.load("truth").oracle if request.backbone == "network" else backbone.oracle
    units = Standardised(backbone.oracle, law)
    generator = torch.Generator().manual_seed(request.seed)
    x = torch.randn(request.particles, units.dimension, generator=generator).to(units.mean)
    weights = normalised_weights(request.wrong_start().ratio((x @ units.direction).double().cpu()))
    theta = angles(request.steps)
    moves, distance = Moves(x), [weighted_distance(x.cpu(), weights)]
    paths = {"cosine": CosinePath(), "condot": CondOTPath(), "vp": VPLinearPath()}
    effective = request.particles**2 / float(weights.square().sum())
    relations: dict[str, Relation] = {}

    def moment(done: float, **more) -> PicturesResult:
        seconds = time.perf_counter() - began
        return PicturesResult(
            request, BACKBONES[request.backbone], done, seconds, units.dimension, effective, dict(relations), **more
        )

    yield moment(0.0)
    for k in range(request.steps):
        parts = []
        for rows in x.split(backbone.max_rows):
            with TURNSTILE():
                parts.append(units.ending(rows, float(theta[k])))
            yield moment((k + sum(map(len, parts)) / request.particles) / (request.steps + 1))
        predicted = torch.cat(parts)
        a, m = math.sin(theta[k]), math.cos(theta[k])
        noise = (x - a * predicted) / m
        x = math.sin(theta[k + 1]) * predicted + max(math.cos(theta[k + 1]), 0.0) * noise
        moves.add(x)
        distance.append(weighted_distance(x.cpu(), weights))
        known = torch.tensor(distance, dtype=torch.float64)
        for key, path in paths.items():
            relations[key] = in_schedule(path, theta[: k + 2], moves, known, weights)
        yield moment((k + 1) / (request.steps + 1))
    ends = units.mean + units.scale * x
    most = weights.argsort(descending=True)
    chosen = torch.cat([most[: _SHOWN // 2], most[-_SHOWN // 2 :]])
    share = (weights / len(weights)).to(ends)
    averages = torch.stack([ends.mean(0), share @ ends])
    yield moment(
        1.0, pictures=backbone.pictures(ends[chosen]), weights=weights[chosen].numpy(),
        averages=backbone.pictures(averages),
    )  # fmt: skip
