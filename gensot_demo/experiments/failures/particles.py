"""Weighted particles in high dimension: a few of them get all the weight."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.guidance.base import BoundMethod, GuidanceMethod, Task
from gensot_demo.guidance.gensot import GenSOT
from gensot_demo.guidance.population import effective_sample_size
from gensot_demo.guidance.unguided import Unguided
from gensot_demo.guidance.wish import Wish
from gensot_demo.transport.averaged import averaged_step
from gensot_demo.transport.conductor import Job, conduct
from gensot_demo.transport.grids import at_noise_levels, noise_levels
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.oracles import Answer, Oracle, Query
from gensot_demo.transport.paths import CosinePath
from gensot_demo.transport.samplers import Sampler, bridge_step

from ..device import TURNSTILE
from ..requests import CompareRequest, MethodChoice, RewardChoice
from .failure import Chart, Column, Curve, Evidence, Failure, Finished, Number, Variant
from .statistics import above, mean, percent

DIMENSIONS = (2, 8, 32, 128, 512)
PARTICLES, BLOCKS = 64, 8
TILT = math.sqrt(0.02)  # r(y) = TILT sum_i y_i: the same for each dimension
_LEVELS = (80.0, 0.01)
_DEPTH = 9
_STEPS_WEIGHED, _STEPS_GUIDED = 10, 40


class StandardGaussian(Oracle):
    """y ~ N(0, I) in any number of dimensions: E[y | x = a y + m eps] = a x / (a^2 + m^2)."""

    dtype, device = torch.float32, torch.device("cpu")

    def __init__(self, dimension: int):
        self.dimension = dimension

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        return [
            Answer((query.a / (query.a**2 + query.m**2) * query.x).expand(len(query.conditions), -1, -1))
            for query in queries
        ]


class Tilt(Wish):
    """r(y) = TILT sum_i y_i. Its Psi is known: log E e^r of N(mean, v I) is TILT sum_i mean_i + TILT^2 v d / 2."""

    def reward(self, y: Tensor) -> Tensor:
        return TILT * y.sum(1)

    def tilt(self, predicted: Tensor, variance: float, draws: Tensor | None = None) -> tuple[Tensor, Tensor]:
        constant = 0.5 * TILT**2 * variance * predicted.shape[1]
        return predicted + variance * TILT, self.reward(predicted) + constant


class WeighedAtTheEnd(Unguided):
    """Importance sampling: particles run unguided and are weighted by e^r when they arrive."""

    def at_end(self, task: Task, seeds: Sequence[int], x: Tensor) -> Tensor | None:
        return task.wish.reward(x)


class GuidedAndWeighed(GenSOT):
    """GenSOT's tilted steps with their weights, all kept: nothing is resampled, so that the weights can be seen."""

    def population(self, task: Task, seeds: Sequence[int], index: int, log_weights: Tensor) -> Tensor | None:
        return None


def exact_share(dimension: int) -> float:
    """E[w]^2 / E[w^2] of w = e^r for y ~ N(0, I): w is log-normal with variance TILT^2 d, so e^{-TILT^2 d}."""
    return math.exp(-(TILT**2) * dimension)


def perfect_share(dimension: int, blocks: int = 4000) -> float:
    """Mean effective share of PARTICLES exact draws, to 1 %: with so few it cannot fall below 1 / PARTICLES."""
    rng = np.random.default_rng(dimension)
    log_w = TILT * math.sqrt(dimension) * rng.standard_normal((blocks, PARTICLES))
    w = np.exp(log_w - log_w.max(1, keepdims=True))
    return float((w.sum(1) ** 2 / (w**2).sum(1)).mean() / PARTICLES)


def share_of(method: GuidanceMethod, sampler: Sampler, steps: int, dimension: int, seed: int) -> NDArray[np.float64]:
    """Effective share of the particles at the end, (BLOCKS,): one block of particles a seed."""
    seeds = tuple(range(seed, seed + BLOCKS))
    task = Task(wish=Tilt())
    grid = at_noise_levels(method.path(task, CosinePath()), noise_levels(steps, *_LEVELS))
    oracle = StandardGaussian(dimension)
    noise = SharedNoise(seeds, dimension, PARTICLES, dtype=oracle.dtype, depth=_DEPTH)
    job = Job(method.name, sampler, grid.to(oracle.device, oracle.dtype), noise, BoundMethod(method, task, seeds, 1.0))
    *_, last = conduct([job], oracle, turn=TURNSTILE, keep_every=steps, max_rows=len(noise))
    weights = last.traces[0].steps[-1].log_weights
    return effective_sample_size(weights, BLOCKS).numpy() / PARTICLES


@dataclass(frozen=True)
class Shares:
    """Effective shares of the particles by dimension, (dimensions,) each with its standard error."""

    weighed: tuple[Number, ...]
    guided: tuple[Number, ...]


def by_dimension(seed: int) -> Iterator[float | Shares]:
    """Shares done, and last the effective shares in every dimension."""
    weighed, guided = [], []
    for number, dimension in enumerate(DIMENSIONS):
        weighed.append(mean(share_of(WeighedAtTheEnd(), averaged_step, _STEPS_WEIGHED, dimension, seed)))
        yield (number + 0.3) / len(DIMENSIONS)
        method = GuidedAndWeighed(particles=PARTICLES, guide="origin", stiffness=0.0)
        guided.append(mean(share_of(method, bridge_step, _STEPS_GUIDED, dimension, seed)))
        yield (number + 1) / len(DIMENSIONS)
    yield Shares(tuple(weighed), tuple(guided))


_SETTINGS = (
    ("4", "4 particles", 4, 10.0),
    ("16", "16 particles", 16, 10.0),
    ("64", "64 particles", 64, 10.0),
    ("weak", "64 particles, a tenth of the reward", 64, 1.0),
)


def variants(seed: int) -> tuple[Variant, ...]:
    """A reward for brightness with 4, 16 and 64 particles, and a weaker one."""
    return tuple(
        Variant(name, label, _request(count, amount, seed), mended=name == "weak")
        for name, label, count, amount in _SETTINGS
    )


def _request(particles: int, amount: float, seed: int) -> CompareRequest:
    return CompareRequest(
        backbone="truth",
        reward=RewardChoice(kind="brightness", amount=amount),
        steps=20,
        samples=6,
        seed=seed,
        methods=(MethodChoice(name="fk_steering", settings={"particles": particles}),),
    )


def look(finished: Finished) -> Evidence:
    """What the particles of the pictures are worth, and the share that counts in every dimension."""
    rows, worth = {}, {}
    for name, _, count, _ in _SETTINGS:
        part = finished.part(name)
        worth[name] = count * part.ess
        rows[name] = (Number(worth[name]), percent(Number(part.ess)), mean(part.success[0].values))
    shares: Shares = finished.more
    low, high, mended = shares.weighed[0], shares.weighed[-1], shares.guided[-1]
    shown, better = above(low, high), above(mended, high)
    sentence = (
        f"With the same tilt for every dimension, {_of(low)} of the particles count in {DIMENSIONS[0]} dimensions and "
        f"{_of(high)} in {DIMENSIONS[-1]}, where one particle alone is {100 / PARTICLES:.1f} %."
        if shown
        else "In this run the share of particles that count does not fall beyond chance."
    )
    if better:
        sentence += f" Guided to where the reward is, {_of(mended)} count there."
    sentence += (
        f" Of pictures with a strong reward, 64 particles are worth {worth['64']:.1f}, where 4 are worth "
        f"{worth['4']:.1f}."
    )
    return Evidence(_COLUMNS, rows, sentence, shown, better, _chart(shares))


def _of(number: Number) -> str:
    return f"{100 * number.value:.1f} ± {100 * number.error:.1f} %"


def _chart(shares: Shares) -> Chart:
    exact = [exact_share(d) for d in DIMENSIONS]
    perfect = [perfect_share(d) for d in DIMENSIONS]
    curves = (
        Curve("Weighted at the end", DIMENSIONS, *_columns(shares.weighed)),
        Curve("Guided, then weighted", DIMENSIONS, *_columns(shares.guided)),
        Curve("Exact law, infinitely many particles", DIMENSIONS, exact, exact=True),
        Curve(f"{PARTICLES} exact draws", DIMENSIONS, perfect, exact=True),
    )
    return Chart("Which share of the particles counts?", "dimensions", "effective share of the particles", curves)


def _columns(numbers: tuple[Number, ...]) -> tuple[list[float], list[float]]:
    return [n.value for n in numbers], [n.error for n in numbers]


_COLUMNS = (
    Column("Worth", "particles", "Smallest effective number of particles on the way, mean over the samples."),
    Column("Effective share", "%", "The same over the number of particles; resampled below one half."),
    Column("Brightness", "grey levels", "Mean of all pixels, which the reward asks to be large."),
)

FAILURE = Failure(
    name="particles",
    title="Particle weights collapse",
    sees="In few dimensions most particles count; in hundreds one of them gets all the weight, and pictures have "
    "thousands.",
    why="A weight is a product of one factor for every dimension, so its logarithm varies by an amount that grows with "
    "the dimension; the share that counts falls exponentially, and the number of particles would have to grow as fast.",
    mends="Asking for less, or guiding the particles to where the reward is, with steps fine enough that the weights "
    "have little left to correct.",
    equation=r"\frac{\mathrm{ESS}}{N} \to \frac{(\mathbb E w)^2}{\mathbb E w^2} = e^{-\lambda^2 d}"
    r"\quad\text{for } w = e^{\lambda\sum_i y_i},\; y\sim\mathcal N(0, I_d)",
    source="Bengtsson, Bickel & Li, IMS Collections 2, 316 (2008), on the collapse; closed form ours",
    variants=variants,
    look=look,
    more=by_dimension,
)
