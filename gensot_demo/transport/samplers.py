"""Samplers: generators with one signature, ``sampler(grid, noise, steering)``.

Each yields questions (:class:`~.oracles.Query`) and records (:class:`Step`) and asks nothing of the world itself; the
conductor answers and keeps the records. All are written in x; in z = (x - g)/a every step but Euler-Maruyama is the
same for all paths, so a protocol cannot change where they arrive.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from .errors import InvalidValue
from .noise import SharedNoise
from .oracles import Answer, Query
from .paths import PathPoint, PathPoints
from .steering import Prediction, Steering
from .weights import Weights


@dataclass(frozen=True)
class Step:
    """One finished step: the state it left, what was predicted there, and the population's bookkeeping.

    index: row of the grid where x was; x, predicted: (n, d); log_weights: (n,) after the step or None;
    ancestors: (n,) rows that survive into the next step, or None when all do.
    """

    index: int
    x: Tensor
    predicted: Tensor
    log_weights: Tensor | None = None
    ancestors: Tensor | None = None


@dataclass
class Leg:
    """The stretch between two neighbouring rows of the grid, and what a sampler remembers from the last one.

    fresh: (n, d), the noise of a pass that will be undone; None on the last pass, which reads the shared path.
    """

    here: PathPoint
    there: PathPoint
    noise: SharedNoise
    steering: Steering
    memory: dict[str, Tensor] = field(default_factory=dict)
    fresh: Tensor | None = None

    @property
    def eps(self) -> Tensor:
        """The standard normals of the step (n, d)."""
        return self.noise.increment(self.here.log_K, self.there.log_K) if self.fresh is None else self.fresh

    @property
    def gain(self) -> float:
        """1 - K/K': the share of the information at the end of the leg that is gathered on it."""
        return -math.expm1(self.here.log_K - self.there.log_K)

    @property
    def gathered(self) -> float:
        """K' - K: the information gathered on the leg."""
        return math.exp(self.there.log_K) * self.gain

    def back(self, x: Tensor, eps: Tensor) -> Tensor:
        """The state at the end of the leg with the leg's noise put back, (n, d)."""
        here, there = self.here, self.there
        scale = here.a / there.a
        return scale * (x - there.g) + here.g + math.sqrt(max(here.m**2 - (scale * there.m) ** 2, 0.0)) * eps

    def bridge(self, x: Tensor, predicted: Tensor) -> Tensor:
        """x(t') | x(t), y = predicted: exact for the reference bridge (docs/FORMULAS.md 1.3)."""
        here, there = self.here, self.there
        rho = there.m**2 / here.m**2 * (here.a / there.a) if here.m > 0.0 else 0.0
        mean = self.mixed(rho, x, predicted)
        if there.m == 0.0:
            return mean
        return mean.add_(self.eps, alpha=there.m * math.sqrt(self.gain))

    def mixed(self, kept: float, x: Tensor, predicted: Tensor) -> Tensor:
        """a' yhat + g' + kept (x - a yhat - g), in as few passes over the states as there are terms."""
        here, there = self.here, self.there
        if kept == 0.0:
            return there.a * predicted + there.g
        return torch.mul(x, kept).add_(predicted, alpha=there.a - kept * here.a).add_(there.g - kept * here.g)


Sampling = Generator[Query | Step, Answer | None, None]
Advance = Callable[[Leg, Tensor, Prediction], Generator[Query, Answer, Tensor]]
Sampler = Callable[[PathPoints, SharedNoise, Steering], Sampling]


def _walk(
    grid: PathPoints,
    noise: SharedNoise,
    steering: Steering,
    advance: Advance,
    grip: Callable[[Leg], float] | None = None,
) -> Sampling:
    """Start, then predict, advance, adjust and reweight along the grid; the last record is the end state.

    grip: by how many standard deviations of a step's noise a unit of the prediction moves its mean; None where a step
    has no noise.
    """
    first, x = yield from steering.start(grid, noise)
    weights, memory = Weights(), {}
    for index in range(first, len(grid) - 1):
        leg, following = Leg(grid.point(index), grid.point(index + 1), noise, steering, memory), x
        passes = steering.repeats(leg.here)
        for repeat in range(passes):
            if repeat:
                x = leg.back(following, noise.aside(0, index, repeat))
            # the state that comes back already holds this pass's noise: the next one must not read the same again
            leg.fresh = noise.aside(1, index, repeat) if repeat + 1 < passes else None
            prediction = yield from steering.predict(leg.here, x)
            if leg.there.m == 0.0 and prediction.unguided is not None:
                prediction = replace(prediction, state=prediction.unguided)
            following = steering.after_step(leg.there, (yield from advance(leg, x, prediction)))
        if leg.there.m > 0.0:
            eps = None if prediction.unguided is None else leg.eps
            weights.gather(prediction, leg.gathered, eps, grip(leg) if grip else None)
        ancestors = None if weights.log is None else steering.population(index, weights.log)
        yield Step(index, x, prediction.state, weights.log, ancestors)
        if ancestors is not None:
            following = following[ancestors]
            weights.survive(ancestors)
            memory = {name: value[ancestors] for name, value in leg.memory.items()}
        x = following
    weights.promise(steering.at_end(x))
    yield Step(len(grid) - 1, x, x, weights.log)


def _no_question(value: Tensor) -> Generator[Query, Answer, Tensor]:
    return value
    yield  # a generator that asks nothing


def _require_noise(point: PathPoint) -> None:
    if point.m == 0.0:
        raise InvalidValue("a deterministic sampler cannot start where m = 0: take a grid of noise levels.")


def euler_maruyama(grid: PathPoints, noise: SharedNoise, steering: Steering) -> Sampling:
    """dx = (-relaxation x + pull yhat + push) dt + sqrt(diffusivity) dW by Euler; no noise in the last step."""

    def advance(leg: Leg, x: Tensor, prediction: Prediction) -> Generator[Query, Answer, Tensor]:
        p, h = leg.here, leg.there.t - leg.here.t
        following = x + h * (-p.relaxation * x + p.pull * prediction.state + p.push)
        if leg.there.m > 0.0:
            following = following + math.sqrt(p.diffusivity * h) * leg.eps
        return _no_question(following)

    return _walk(grid, noise, steering, advance, _euler_grip)


def _euler_grip(leg: Leg) -> float:
    return leg.here.pull * math.sqrt((leg.there.t - leg.here.t) / leg.here.diffusivity)


def bridge_step(grid: PathPoints, noise: SharedNoise, steering: Steering) -> Sampling:
    """The exact Brownian-bridge step towards the predicted state, frozen over the step (ancestral sampling).

    It is the Euler step of dH = yhat dK + dB(K): exact for one atom, first order otherwise.
    """

    def advance(leg: Leg, x: Tensor, prediction: Prediction) -> Generator[Query, Answer, Tensor]:
        return _no_question(leg.bridge(x, prediction.state))

    return _walk(grid, noise, steering, advance, lambda leg: math.sqrt(leg.gathered))


def deterministic_step(grid: PathPoints, noise: SharedNoise, steering: Steering) -> Sampling:
    """x' = a' yhat + g' + (m'/m)(x - a yhat - g): DDIM (Song et al., arXiv 2010.02502); starts where m > 0."""

    def advance(leg: Leg, x: Tensor, prediction: Prediction) -> Generator[Query, Answer, Tensor]:
        _require_noise(leg.here)
        return _no_question(leg.mixed(leg.there.m / leg.here.m, x, prediction.state))

    return _walk(grid, noise, steering, advance)


def heun(grid: PathPoints, noise: SharedNoise, steering: Steering) -> Sampling:
    """Heun's second-order step of dz/dsigma = (z - yhat)/sigma (Karras et al., arXiv 2206.00364, algorithm 1).

    Two questions a step, one in the last; starts where m > 0.
    """
    return _heun(grid, noise, steering, math.inf)


def heun_after_euler(grid: PathPoints, noise: SharedNoise, steering: Steering) -> Sampling:
    """:func:`heun` with one question in the first step too, which is then Euler's: an even number in all."""
    return _heun(grid, noise, steering, grid.point(0).sigma)


def _heun(grid: PathPoints, noise: SharedNoise, steering: Steering, below: float) -> Sampling:
    def advance(leg: Leg, x: Tensor, prediction: Prediction) -> Generator[Query, Answer, Tensor]:
        here, there = leg.here, leg.there
        _require_noise(here)
        if there.m == 0.0:
            return there.a * prediction.state + there.g
        if here.sigma >= below:
            return leg.mixed(there.m / here.m, x, prediction.state)
        z = (x - here.g) / here.a
        slope = (z - prediction.state) / here.sigma
        trial = z + (there.sigma - here.sigma) * slope
        second = yield from leg.steering.predict(there, there.a * trial + there.g)
        slope = 0.5 * (slope + (trial - second.state) / there.sigma)
        return there.a * (z + (there.sigma - here.sigma) * slope) + there.g

    return _walk(grid, noise, steering, advance)
