"""The law that a run is held against: a large stratified pool of exact draws, weighted when the law is guided.

A guided law p(y) prod_m p(c_m|y)^{k_m} / Z has no closed form for real trusts, but its density against p is a bounded
power of known likelihoods, so weighting exact draws of p gives its probabilities to a small, stated error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from .distances import w2_empirical
from .mixtures import GaussianMixture
from .targets import Target

POOL = 50_000
REPEATS = 12


class FloorAndPower(NamedTuple):
    """Means over repeats, and the standard deviation of one repeat of the floor; in data units."""

    floor: float
    power: float
    spread: float


@dataclass(frozen=True, eq=False)
class ReferenceLaw:
    """points (M, 2), their modes (M,) and probabilities (M,); ``share`` is each mode's exact probability."""

    points: Tensor
    modes: Tensor
    probabilities: Tensor
    share: Tensor

    @property
    def mean(self) -> Tensor:
        return self.probabilities @ self.points

    @property
    def effective_pool(self) -> float:
        """How many equal draws the pool is worth."""
        return float(1 / (self.probabilities**2).sum())

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return self.points[torch.multinomial(self.probabilities, n, replacement=True, generator=generator)]

    def with_less_of_the_largest_mode(self, taken: float = 0.2) -> ReferenceLaw:
        """A deliberately wrong law: its largest mode has lost ``taken`` of probability to all others in proportion,
        or, of a single mode, all points are moved by half a standard deviation. It shows what a statistic can see."""
        largest = int(self.share.argmax())
        inside = self.modes == largest
        if float(self.share[largest]) > 1 - 1e-6:
            centred = self.points - self.mean
            shift = 0.5 * torch.sqrt((self.probabilities[:, None] * centred**2).sum(0))
            return ReferenceLaw(self.points + shift, self.modes, self.probabilities, self.share)
        keep = max(float(self.share[largest]) - taken, 0.0) / float(self.share[largest])
        grow = (1 - keep * float(self.share[largest])) / (1 - float(self.share[largest]))
        factor = torch.where(inside, keep, grow).to(self.probabilities)
        share = torch.full_like(self.share, grow)
        share[largest] = keep
        return ReferenceLaw(self.points, self.modes, self.probabilities * factor, self.share * share)

    @lru_cache(maxsize=64)  # noqa: B019  (laws are few, and kept anyway)
    def floor_and_power(self, n: int, repeats: int = REPEATS) -> FloorAndPower:
        """What W2 between n draws and n draws is when both are of this law, and when one is of the wrong law."""
        generator = torch.Generator().manual_seed(n)
        wrong = self.with_less_of_the_largest_mode()
        floor, power = torch.empty(repeats), torch.empty(repeats)
        for k in range(repeats):
            fresh = self.sample(n, generator)
            floor[k] = w2_empirical(fresh, self.sample(n, generator))
            power[k] = w2_empirical(fresh, wrong.sample(n, generator))
        return FloorAndPower(float(floor.mean()), float(power.mean()), float(floor.std()))


@lru_cache(maxsize=32)
def reference_law(target: Target, trusts: tuple[tuple[str, float], ...] = ()) -> ReferenceLaw:
    """The law p(y) prod_m p(c_m|y)^{k_m} / Z for conditions of ``target`` by name; the target itself without."""

    def log_weight(points: Tensor) -> Tensor:
        asked = [trust * target.log_likelihood(name, points) for name, trust in trusts]
        return torch.stack(asked).sum(0) if asked else torch.zeros(len(points), dtype=torch.float64)

    return weighted_law(target, log_weight)


def weighted_law(target: Target, log_weight: Callable[[Tensor], Tensor]) -> ReferenceLaw:
    """The law p(y) e^{log_weight(y)} / Z, log_weight of points (M, 2) being (M,)."""
    points = _stratified(target.mixture, POOL)
    probabilities = torch.softmax(log_weight(points), 0)
    modes = target.mode_of(points)
    share = torch.zeros(len(target.modes), dtype=torch.float64).index_add_(0, modes, probabilities)
    return ReferenceLaw(points, modes, probabilities, share)


def _stratified(mixture: GaussianMixture, n: int) -> Tensor:
    """n draws, as many of each component as its weight says: no noise in the weights of separate modes."""
    generator = torch.Generator().manual_seed(0)
    exact = n * mixture.log_prior.exp()
    counts = exact.floor().long()
    short = n - int(counts.sum())
    counts[torch.argsort(exact - counts, descending=True)[:short]] += 1
    which = torch.repeat_interleave(torch.arange(len(counts)), counts)
    noise = torch.randn(n, mixture.dimension, generator=generator, dtype=mixture.dtype)
    return mixture.means[which] + torch.einsum("nij,nj->ni", mixture.cholesky[which], noise)
