"""Is it luck? Networks of several widths, each from several starts drawn by chance, trained beside one another."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gensot_demo.transport.lagrangian.circle_teachers import TEACHERS
from gensot_demo.transport.lagrangian.particle_network import random_start

from .neurons import NeuronsRequest, learning
from .neurons_told import learnt_below, short

WIDTHS = (2, 4, 8, 16, 32, 64, 128)
STARTS = 12
_MOMENTS = 16
_APART = 1_000_000  # seeds of a request are smaller


@dataclass(frozen=True, eq=False)
class Luck:
    """losses (widths, starts) at ``time``; ``limit``: the loss at which a start has learnt.  done: from 0 to 1."""

    request: NeuronsRequest
    time: float
    done: float
    losses: NDArray[np.float64]
    limit: float

    @property
    def learnt(self) -> NDArray[np.int64]:
        """(widths,): how many starts have."""
        return (self.losses <= self.limit).sum(1)

    @property
    def told(self) -> tuple[str, ...]:
        counts = ", ".join(f"{n} with {width}" for width, n in zip(WIDTHS, self.learnt, strict=True))
        ratios = self.losses.max(1) / self.losses.min(1)
        most = int(ratios.argmax())
        return (
            f"Scale {self.request.scale:g}, t = {self.time:.3g}: of {STARTS} starts each, the loss is below "
            f"{self.limit:.2g} for {counts} neurons.",
            f"Chance matters most with {WIDTHS[most]} neurons, where the worst start has {short(ratios[most])} times "
            f"the loss of the best; with {WIDTHS[-1]} it has {short(ratios[-1])} times.",
        )


def by_chance(request: NeuronsRequest) -> Generator[Luck, None, None]:
    """Moments of the training, the last complete. Raises InvalidRequest where a start runs away."""
    starts = [
        random_start(width, request.scale, request.seed + _APART * width + n) for width in WIDTHS for n in range(STARTS)
    ]
    limit = learnt_below(TEACHERS[request.teacher].values)
    shown = set(np.linspace(0, request.steps, _MOMENTS).round().astype(int).tolist())
    for moment in learning(request, starts):
        if moment.step in shown:
            losses = moment.losses.view(len(WIDTHS), STARTS).numpy()
            yield Luck(request, request.step * moment.step, moment.step / request.steps, losses, limit)
