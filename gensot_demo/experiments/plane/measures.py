"""What the table says about a motion: its price, its terminal law against the truth, each with its error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from gensot_demo.transport.distances import MOST_POINTS, w2_empirical
from gensot_demo.transport.reference_law import REPEATS, ReferenceLaw
from gensot_demo.transport.targets import Target

from .motion import Curve, Motion
from .streams import generator

COMPARED = 300  # points of each cloud in an exact W2: 15 ms
_BLOCKS = 6  # of as many particles each, at most
_KEPT = 24
DISTANCE_TIMES = np.linspace(0, 1, 11)


@dataclass(frozen=True, eq=False)
class Measures:
    """shares, errors (modes,): terminal mode weights and their standard errors.  truth (modes,): exact.

    w2: mean distance of blocks of ``compared`` particles from as many draws of the law, with w2_error.  floor: what one
    such block of a perfect sampler scores, with its standard deviation floor_spread.  power: what a law scores
    whose largest mode has lost 0.2 of all probability.  moved: RMS distance of the ends from those of the first panel,
    particle by particle; None where particles are not the same.  ess: effective share of weighted particles, or None.
    """

    action: float
    length: float
    straightness: float | None
    calls: float
    shares: NDArray[np.float64]
    errors: NDArray[np.float64]
    truth: NDArray[np.float64]
    w2: float
    w2_error: float
    floor: float
    floor_spread: float
    power: float
    compared: int
    moved: float | None
    ess: float | None

    @property
    def telling(self) -> bool:
        """Whether the distance could have told the deliberately wrong law from the right one."""
        return self.power > 1.25 * self.floor

    @property
    def off(self) -> bool:
        """Whether the distance says that the particles do not follow the law."""
        error = math.hypot(self.w2_error, self.floor_spread / math.sqrt(REPEATS))
        return self.telling and self.w2 > self.floor + max(3 * error, 0.15 * self.floor)


@lru_cache(maxsize=_KEPT)
def measure(motion: Motion, law: ReferenceLaw, target: Target, first: Motion | None) -> Measures:
    """All of a motion's numbers. Kept for the latest motions, as :func:`distance_over_time` is."""
    shares, errors = mode_shares(motion, target)
    compared = min(COMPARED, motion.x.shape[1])
    floor, power, spread = law.floor_and_power(compared)
    distances = _distances(motion, law, compared)
    weights = motion.weights
    return Measures(
        action=motion.action(),
        length=motion.length(),
        straightness=motion.straightness(),
        calls=motion.calls,
        shares=shares,
        errors=errors,
        truth=law.share.numpy(),
        w2=float(distances.mean()),
        w2_error=spread / math.sqrt(len(distances)),
        floor=floor,
        floor_spread=spread,
        power=power,
        compared=compared,
        moved=_moved(motion, first),
        ess=None if weights is None else float(1 / (weights**2).sum() / len(weights)),
    )


def mode_shares(motion: Motion, target: Target) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(weights, standard errors) of the modes at the end.

    An end that took two random choices has at most twice the variance. Weighted particles are not independent once
    resampled: the error sums their deviations over common ancestors (Chan & Lai, arXiv 1309.2330; Lee & Whiteley, arXiv
    1509.00394), which without weights is the binomial one.
    """
    mode = target.mode_of(motion.end)
    count = len(mode)
    weights = torch.full((count,), 1 / count, dtype=torch.float64) if motion.weights is None else motion.weights
    inside = torch.nn.functional.one_hot(mode, len(target.modes)).double()
    share = weights @ inside
    if motion.ancestors is None and motion.weights is None:
        return share.numpy(), torch.sqrt(motion.choices * share * (1 - share) / count).numpy()
    family = torch.arange(count) if motion.ancestors is None else motion.ancestors
    deviation = weights[:, None] * (inside - share)
    by_family = torch.zeros(count, len(target.modes), dtype=torch.float64).index_add_(0, family, deviation)
    return share.numpy(), torch.sqrt((by_family**2).sum(0)).numpy()


@lru_cache(maxsize=_KEPT)
def distance_over_time(motion: Motion, law: ReferenceLaw) -> Curve:
    """W2 between the particles at each time and draws of the law."""
    rows = motion.particles_alike(min(COMPARED, motion.x.shape[1]))
    states = motion.at_times(DISTANCE_TIMES)[:, rows]
    draws = law.sample(len(rows), generator("judge over time"))
    return Curve(DISTANCE_TIMES, np.array([w2_empirical(x, draws) for x in states]))


def distance_and_floor(motion: Motion, law: ReferenceLaw, seed: int) -> tuple[float, float]:
    """W2 of all particles (at most 2000) to as many draws of the law, and of fresh draws to the same."""
    rows = motion.particles_alike(MOST_POINTS)
    stream = generator("judge of all", seed)
    draws = law.sample(len(rows), stream)
    return w2_empirical(motion.end[rows], draws), w2_empirical(law.sample(len(rows), stream), draws)


def _distances(motion: Motion, law: ReferenceLaw, compared: int) -> NDArray[np.float64]:
    """W2 of each block of particles from fresh draws of the law."""
    blocks = min(_BLOCKS, motion.x.shape[1] // compared)
    rows = motion.particles_alike(blocks * compared)
    if motion.weights is not None:  # systematic draws come in order; a block must be a fair part of them
        rows = rows[torch.randperm(len(rows), generator=generator("order"))]
    stream = generator("judge of blocks")
    ends = motion.end[rows].split(compared)
    return np.array([w2_empirical(end, law.sample(compared, stream)) for end in ends])


def _moved(motion: Motion, first: Motion | None) -> float | None:
    if first is None or first is motion or first.x.shape[1] != motion.x.shape[1]:
        return None
    if motion.weights is not None or first.weights is not None:
        return None
    return math.sqrt(float((motion.end - first.end).square().sum(1).mean()))
