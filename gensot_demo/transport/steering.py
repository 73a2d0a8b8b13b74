"""What a guidance method may change while a sampler runs; the defaults change nothing.

Hooks that need to ask the oracle are generators: they yield :class:`~.oracles.Query` and receive
:class:`~.oracles.Answer`. The conductor answers, joining the questions of all methods that run together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from .noise import SharedNoise
from .oracles import Answer, Condition, Query
from .paths import PathPoint, PathPoints


@dataclass(frozen=True)
class Prediction:
    """The predicted terminal state that a step uses, (n, d), and what came with it.

    log_weight_rate: d log W / dK of each particle (n,), for methods with path-integral weights.
    log_potential: log Psi(x) (n,), what a weighted population has been promised here; weights change by its increase.
    unguided: (n, d), the prediction whose law the weights restore. A stochastic step multiplies the weight by
    p(x'|x, unguided) / p(x'|x, state), and the last step, which adds no noise, uses it in place of ``state``.
    """

    state: Tensor
    log_weight_rate: Tensor | None = None
    log_potential: Tensor | None = None
    unguided: Tensor | None = None


Asking = Generator[Query, Answer, Prediction]
Starting = Generator[Query, Answer, tuple[int, Tensor]]


def ask(
    point: PathPoint,
    x: Tensor,
    conditions: tuple[Condition, ...] = (None,),
    cotangent: Callable[[Tensor], Tensor] | None = None,
) -> Query:
    """The query for states x (n, d) at one point of a path."""
    return Query(x - point.g, point.a, point.m, conditions, cotangent)


def start_from_noise(predict: Callable[[PathPoint, Tensor], Asking], grid: PathPoints, noise: SharedNoise) -> Starting:
    """(0, x there): a point start where a = m = 0, else a E[y] + g + m eps.

    E[y] is what ``predict`` answers without any information, so that the residual prior error is of second order in
    1/sigma (docs/FORMULAS.md 1.3).
    """
    point = grid.point(0)
    if point.m == 0.0:
        return 0, torch.zeros(len(noise), noise.dimension, dtype=noise.dtype, device=noise.device) + point.g
    eps = noise.direction(max(point.log_K, -1e4))
    blank = replace(point, a=0.0, m=1.0, log_K=-math.inf, g=torch.zeros_like(point.g))
    blind = yield from predict(blank, torch.zeros_like(eps))
    mean = blind.state if blind.unguided is None else blind.unguided
    return 0, point.a * mean + point.g + point.m * eps


@dataclass
class Steering:
    """Plain sampling under one condition.

    data_variance: of one coordinate of y, a scale that some samplers weight their averages with; no result but the
    finite-step error depends on it.
    """

    condition: Condition = None
    data_variance: float = 1.0

    def start(self, grid: PathPoints, noise: SharedNoise) -> Starting:
        """(index of the first row, x there (n, d))."""
        return (yield from start_from_noise(self.predict, grid, noise))

    def predict(self, point: PathPoint, x: Tensor) -> Asking:
        """The predicted terminal state at x (n, d)."""
        answer = yield ask(point, x, (self.condition,))
        return Prediction(answer.predicted[0])

    def after_step(self, point: PathPoint, x: Tensor) -> Tensor:
        """The state at the end of a step, (n, d)."""
        return x

    def repeats(self, point: PathPoint) -> int:
        """How often the step from here is made: all but the last time its noise is put back ("time travel")."""
        return 1

    def at_end(self, x: Tensor) -> Tensor | None:
        """The potential that the weights of the delivered states (n, d) must carry, log Psi_1 (n,), or None."""
        return None

    def population(self, index: int, log_weights: Tensor) -> Tensor | None:
        """Row indices (n,) of the survivors when the weighted particles are to be resampled after step ``index``."""
        return None
