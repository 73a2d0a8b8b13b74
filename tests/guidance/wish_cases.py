"""Two mixtures, what is wished of them, the exact law of each wish, and a run of a method towards it."""

from __future__ import annotations

from functools import cache

import torch

from gensot_demo.guidance.base import BoundMethod, GuidanceMethod, Task
from gensot_demo.guidance.registry import BUILT_IN
from gensot_demo.guidance.wish import LinearView, Wish
from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.conductor import Job, Trace, run
from gensot_demo.transport.distances import w2_empirical
from gensot_demo.transport.grids import at_noise_levels, noise_levels
from gensot_demo.transport.mixtures import GaussianMixture, two_modes
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.paths import CosinePath
from gensot_demo.transport.reference_law import FloorAndPower, ReferenceLaw

TWO = two_modes()
FOUR = GaussianMixture(
    torch.full((4,), 0.25),
    [[1.5, 0.0], [0.0, 1.5], [-1.5, 0.0], [0.0, -1.5]],
    torch.tensor([0.5, 0.3, 0.5, 0.3])[:, None, None] * torch.eye(2),
)
METHODS = {method.name: method for method in BUILT_IN}
ROWS, COMPARED, SEEDS = 1500, 600, (1, 2, 3)


class Reward(Wish):
    """A reward from a function, times ``scale``."""

    def __init__(self, function, scale: float = 1.0):
        self.function, self.scale = function, scale

    def reward(self, y):
        return self.scale * self.function(y)


def quadratic(*centre: float):
    """-(lam/2) |y - c|^2, lam = 2."""
    return lambda y: -((y - torch.tensor(centre, dtype=y.dtype)) ** 2).sum(1)


def ring(y):
    return 2 * torch.sin(2 * y[:, 0]) * torch.cos(y[:, 1]) - 2 * (torch.sqrt((y**2).sum(1) + 1e-12) - 1.2) ** 2


def second_coordinate(observed: float, noise: float, dtype: torch.dtype = torch.float64) -> LinearView:
    return LinearView(lambda y: y[:, 1:], torch.tensor([observed], dtype=dtype), noise, 2)


CASES = {
    "two, a view": (TWO, second_coordinate(-0.4, 0.6)),
    "two, quadratic": (TWO, Reward(quadratic(2.6, -0.6))),
    "four, a view": (FOUR, second_coordinate(0.6, 0.4)),
    "four, quadratic": (FOUR, Reward(quadratic(1.0, 0.5))),
    "four, a ring": (FOUR, Reward(ring)),
}


def tilted_law(mixture: GaussianMixture, log_tilt: torch.Tensor, pool: torch.Tensor) -> ReferenceLaw:
    """p e^{log_tilt} / Z on a pool of draws of p."""
    w, modes = torch.softmax(log_tilt, 0), torch.cdist(pool, mixture.means).argmin(1)
    share = torch.zeros(len(mixture.means), dtype=torch.float64).index_add_(0, modes, w)
    return ReferenceLaw(pool, modes, w, share)


def pool_of(mixture: GaussianMixture) -> torch.Tensor:
    return mixture.sample(30_000, torch.Generator().manual_seed(0))


@cache
def law(case: str) -> ReferenceLaw:
    mixture, wish = CASES[case]
    pool = pool_of(mixture)
    return tilted_law(mixture, wish.reward(pool), pool)


def seen_by_w2(exact: ReferenceLaw) -> FloorAndPower:
    return exact.floor_and_power(COMPARED, 5)


def made(name: str, **settings) -> GuidanceMethod:
    """With more particles than the controls allow, if asked for."""
    kind = METHODS[name]
    return kind.model_construct(**{**{key: field.default for key, field in kind.model_fields.items()}, **settings})


def traced(
    method: GuidanceMethod,
    task: Task,
    oracle: GaussianMixture,
    seeds=(1,),
    rows=None,
    steps=40,
    sampler="averaged",
    **kw,
) -> Trace:
    """``rows`` free samples per seed, or the method's own particles."""
    grid = at_noise_levels(method.path(task, CosinePath()), noise_levels(steps, 80.0, 0.02))
    sampler = "bridge" if method.adapted_for(task) and sampler == "averaged" else sampler
    noise = SharedNoise(seeds, 2, rows or method.particles_for(task), dtype=oracle.dtype)
    bound = BoundMethod(method, task, seeds, oracle.covariance_trace() / 2)
    return run([Job(method.name, SAMPLERS[sampler].run, grid.to("cpu", oracle.dtype), noise, bound)], oracle, **kw)[0]


def cloud(method: GuidanceMethod, task: Task, oracle: GaussianMixture, steps: int) -> torch.Tensor:
    """COMPARED equal draws of the populations of all seeds together."""
    ends, weights = [], []
    for seed in SEEDS:
        trace = traced(method, task, oracle, (seed,), ROWS, steps, keep_every=steps + 1)
        log_w = trace.steps[-1].log_weights
        ends.append(trace.end)
        weights.append(torch.full((ROWS,), 1 / ROWS) if log_w is None else torch.softmax(log_w, 0))
    picked = torch.multinomial(
        torch.cat(weights), COMPARED, replacement=False, generator=torch.Generator().manual_seed(0)
    )
    return torch.cat(ends)[picked]


def distance(points: torch.Tensor, exact: ReferenceLaw, repeats: int = 3) -> float:
    """Mean W2 to as many draws of the exact law."""
    fresh = [exact.sample(COMPARED, torch.Generator().manual_seed(100 + k)) for k in range(repeats)]
    return sum(w2_empirical(points, draws) for draws in fresh) / repeats
