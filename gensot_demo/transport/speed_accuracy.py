"""The speed-accuracy relation: how far a wrong start can lead is bounded by what the path dissipates.

Particles x_i(t) with fixed weights w_i, the ratio of a wrong start's density to the true one at x_i(0), of mean 1:
W1(t) between the weighted and the plain cloud obeys (dW1/dt)^2 <= D0 mean |dx_i/dt|^2 with D0 = mean (w_i - 1)^2, and
for steps of any size, straight or not, (W1_{k+1} - W1_k)^2 <= D0 mean |x_{k+1} - x_k|^2: exactly, in any dimension, for
any velocities. By Kantorovich duality with a 1-Lipschitz function each side of W1_k changes by at most
mean |w_i - 1| |x_{k+1} - x_k|, and Cauchy-Schwarz does the rest.

Time is the app's (noise at 0, data at 1); the paper's runs the other way, and nothing here depends on it.
Source: Ikeda, Uda, Okanohara & Ito, arXiv 2407.04495, PRX 15, 031031; the finite form is ours (docs/FORMULAS.md 3).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .errors import InvalidValue

MOST_EXACT = 600  # particles of an exact coupling: 0.1 s each
NO_ERROR = 1e-20
"""D0 of weights that are 1 up to rounding: nothing is wrong."""


@dataclass(frozen=True, eq=False)
class Relation:
    """One path, one wrong start.

    t, distance (T,): W1 over time. start_error: D0 in [0, inf].  rate, speed (T-1,) or (T,) at times ``between``: the
    two sides of the instantaneous relation, |dW1/dt|^2 / D0 and the dissipation rate.  c1, c2, dissipation: the bounds
    of eta in rising order; c2 = dissipation wherever the velocity is a gradient, or particles take the cheapest way.
    """

    t: Tensor
    distance: Tensor
    start_error: float
    between: Tensor
    rate: Tensor
    speed: Tensor
    c1: float
    c2: float
    dissipation: float

    @property
    def duration(self) -> float:
        return float(self.t[-1] - self.t[0])

    @property
    def change(self) -> float:
        """W1 at the end minus W1 at the start."""
        return float(self.distance[-1] - self.distance[0])

    @property
    def eta(self) -> float | None:
        """The response dW1^2 / (tau D0); 0 for an infinite D0, None for 0/0: nothing was wrong, nothing is to be
        forgiven."""
        if self.start_error <= NO_ERROR:
            return None
        return 0.0 if math.isinf(self.start_error) else self.change**2 / (self.duration * self.start_error)

    @property
    def tightness(self) -> float | None:
        """eta / c2, in [0, 1]; None where either is nothing."""
        return None if self.eta is None or self.c2 <= 0 else self.eta / self.c2

    @property
    def worst(self) -> float:
        """The largest ratio of the two sides over time: at most 1 up to rounding."""
        there = self.speed > 0
        return float((self.rate[there] / self.speed[there]).max()) if bool(there.any()) else 0.0


def normalised_weights(weights: Tensor) -> Tensor:
    """Weights (N,) with mean 1; raises :class:`InvalidValue` where none is positive, or one is no weight."""
    weights = torch.as_tensor(weights, dtype=torch.float64)
    if not bool(torch.isfinite(weights).all()) or bool((weights < 0).any()):
        raise InvalidValue("weights of particles must be finite and not negative.")
    total = float(weights.sum())
    if not total > 0:
        raise InvalidValue("the wrong start does not meet a single particle: there is no overlap to compare.")
    return weights * (len(weights) / total)


def weighted_distance(x: Tensor, weights: Tensor) -> float:
    """W1 between sum_i w_i/N delta(x_i) and sum_i 1/N delta(x_i) for x (N, d) and weights (N,) of mean 1, exactly.

    d = 1: by the cumulative weights in the order of x. d > 1: an optimal coupling with cost |x_i - x_j| of what one has
    too much to what it lacks (what both have stays), by POT; at most 600 particles.
    """
    if x.shape[1] == 1:
        return float(_sorted_distance(x, weights)[0])
    if len(x) > MOST_EXACT:
        raise InvalidValue(f"an exact W1 takes at most {MOST_EXACT} particles, not {len(x)}; use sliced_distance.")
    import ot

    excess = (weights - 1).double().numpy() / len(x)
    more, less = np.flatnonzero(excess > 0), np.flatnonzero(excess < 0)
    moved = float(excess[more].sum())
    if moved < 1e-13 or not len(less):
        return 0.0
    here = x.double()
    # not through a matrix product, which loses what lies close together
    cost = torch.cdist(here[more], here[less], compute_mode="donot_use_mm_for_euclid_dist").numpy()
    supply, demand = excess[more] / moved, -excess[less]
    return moved * float(ot.emd2(supply, demand / demand.sum(), cost, numItermax=2_000_000))


def sliced_distance(x: Tensor, weights: Tensor, directions: Tensor) -> float:
    """Mean over unit directions (d, K) of the 1-D W1 of the projections: any number of particles.

    Obeys the relation with mean |dx|^2 / d in place of mean |dx|^2 when the directions are those of an orthogonal
    frame, (d, d), or on average; each direction e obeys it with mean (dx.e)^2.
    """
    return float(_sorted_distance(x.double() @ directions.double(), weights).mean())


def _sorted_distance(x: Tensor, weights: Tensor) -> Tensor:
    """W1 of each column of x (N, K) between its weighted and its plain cloud, (K,)."""
    order = x.double().argsort(0)
    excess = ((weights.double() - 1) / len(x))[order].cumsum(0)[:-1]
    return (excess.abs() * x.double().gather(0, order).diff(dim=0)).sum(0)


def relation_of_particles(trajectories: Tensor, weights: Tensor, t: Tensor) -> Relation:
    """The relation of particles (T, N, d) at times t (T,) with weights (N,), W1 exact; c2 is the dissipation of the
    particles' own steps, sum mean |dx|^2 / dt, which they reach by moving straight between them.

    Raises :class:`InvalidValue` for arrays that do not match or for more than 600 particles in d > 1.
    """
    for done in relations_of_particles(trajectories, weights, t):
        relation = done
    return relation


def relations_of_particles(trajectories: Tensor, weights: Tensor, t: Tensor) -> Iterator[Relation]:
    """The same, as it grows: yields after every step the relation of what is known so far."""
    count, particles = len(trajectories), trajectories.shape[1]
    if trajectories.dim() != 3 or count < 2 or t.shape != (count,) or weights.shape != (particles,):
        raise InvalidValue(
            f"trajectories must be (T, N, d) with t (T,) and weights (N,), not {tuple(trajectories.shape)}, "
            f"{tuple(t.shape)} and {tuple(weights.shape)}."
        )
    weights = normalised_weights(weights)
    distance = [weighted_distance(trajectories[0], weights)]
    moved: list[float] = []
    for k in range(1, count):
        distance.append(weighted_distance(trajectories[k], weights))
        step = trajectories[k].double() - trajectories[k - 1].double()
        moved.append(float(step.square().sum(-1).mean()))
        yield relation_of_distances(
            torch.tensor(distance, dtype=torch.float64), torch.tensor(moved, dtype=torch.float64), weights, t[: k + 1]
        )


def relation_of_distances(distance: Tensor, moved: Tensor, weights: Tensor, t: Tensor) -> Relation:
    """The relation of known W1 (T,) and mean squared steps mean |x_{k+1} - x_k|^2 (T-1,) of particles with weights
    (N,) of mean 1 at times t (T,)."""
    weights, t = weights.double(), t.double()
    start_error = float((weights - 1).square().mean())
    steps = t.diff()
    speed = moved / steps**2
    silent = start_error <= NO_ERROR
    rate = torch.zeros_like(speed) if silent else (distance.diff() / steps).square() / start_error
    total = float(speed @ steps)
    return Relation(
        t=t, distance=distance, start_error=start_error, between=0.5 * (t[1:] + t[:-1]), rate=rate, speed=speed,
        c1=float(rate @ steps), c2=total, dissipation=total,
    )  # fmt: skip
