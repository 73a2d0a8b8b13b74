"""A second-order stochastic exponential step: one question a step, at the noise-averaged state.

In the clock K the process is dH = yhat dK + dB(K), and yhat is a martingale: dyhat = Cov(y|H) dB. A frozen yhat
therefore misses exactly one term over a step from E to E',

    int_E^E' (yhat - yhat_E) dK  =  int (E' - K) Cov(y|H_K) dB(K)  ~  (E' - E) [yhat(H + yhat dK + N, K_q) - yhat_E],

which costs no extra question if yhat is asked once, *inside* the step, at the noise N whose effect on yhat is the
averaged one. With Cov proportional to 1/(K + P), exact for Gaussian data of precision P per coordinate,

    N = (K_q + P) (E' + P)/(E' - E) int (B(K) - B(E)) dK/(K + P)^2,

an average of the shared Brownian path over the step, read at four sub-intervals at no cost in questions. The rows of
the grid are the places K_q where yhat is asked; the steps' ends lie two thirds of the way between them, where the
averaged noise has the spread that a state of level K_q would have. Ours; compare ``python -m benchmarks.samplers``.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor

from .noise import SharedNoise
from .paths import PathPoints
from .samplers import Sampling, Step
from .steering import Steering
from .weights import Weights

_EDGE_SHARE = 2 / 3
_SUBINTERVALS = 4


def averaged_step(grid: PathPoints, noise: SharedNoise, steering: Steering) -> Sampling:
    """Sample with one question per row of the grid, second order in law; same grids and noise as ``bridge_step``."""
    precision = 1 / steering.data_variance
    levels = [0.0 if log_K == -math.inf else math.exp(log_K) for log_K in grid.log_K[:-1].tolist()]
    first, x = yield from steering.start(grid, noise)
    levels_from_start = levels[first:]
    edges = [levels_from_start[0]] + [
        (low + precision) ** (1 - _EDGE_SHARE) * (high + precision) ** _EDGE_SHARE - precision
        for low, high in pairwise(levels_from_start)
    ]
    start = grid.point(first)
    H = torch.zeros_like(x) if levels[first] == 0.0 else levels[first] / start.a * (x - start.g)
    trial, weights = H, Weights()
    for n in range(len(levels_from_start)):
        index = first + n
        point = grid.point(index)
        prediction = yield from steering.predict(point, x)
        last = index == len(levels) - 1
        ancestors = None
        if not last:
            width = edges[n + 1] - edges[n]
            H = torch.add(H, prediction.state, alpha=width)
            _add_brownian(H, noise, edges[n], -1.0)
            _add_brownian(H, noise, edges[n + 1], 1.0)
            weights.gather(prediction, width)
            ancestors = None if weights.log is None else steering.population(index, weights.log)
        yield Step(index, x, prediction.state, weights.log, ancestors)
        if last:
            break
        # the prediction carried on to the new edge, exact for Gaussian data: yhat = (H + P mean) / (K + P)
        known = (levels_from_start[n] + precision) * prediction.state - trial
        if ancestors is not None:
            H, known = H[ancestors], known[ancestors]
            weights.survive(ancestors)
        expected = (H + known) / (edges[n + 1] + precision)
        following, K_next = grid.point(index + 1), levels_from_start[n + 1]
        upper = edges[n + 2] if n + 2 < len(edges) else None
        trial = torch.add(H, expected, alpha=K_next - edges[n + 1])
        _add_averaged(trial, noise, edges[n + 1], upper, K_next, precision)
        x = following.a / K_next * trial + following.g
        adjusted = steering.after_step(following, x)
        if adjusted is not x:
            change = K_next / following.a * (adjusted - x)
            H, trial, x = H + change, trial + change, adjusted
    end = grid.point(len(grid) - 1)
    x = end.a * prediction.state + end.g
    weights.promise(steering.at_end(x))
    yield Step(len(grid) - 1, x, x, weights.log)


def _add_brownian(target: Tensor, noise: SharedNoise, K: float, times: float) -> None:
    """target += times B(K), in place."""
    if K > 0:
        target.add_(noise.direction(math.log(K)), alpha=times * math.sqrt(K))


def _add_averaged(
    target: Tensor, noise: SharedNoise, low: float, high: float | None, K: float, precision: float
) -> None:
    """target += the noise N of the module docstring for a step from ``low`` to ``high``, asked at K; plain noise at
    the end. In place: N is a weighted sum of B at the knots of the step, and no knot is worth an array of its own."""
    if high is None:
        _add_brownian(target, noise, low, -1.0)
        _add_brownian(target, noise, K, 1.0)
        return
    ratio = ((high + precision) / (low + precision)) ** (1 / _SUBINTERVALS)
    knots = [(low + precision) * ratio**j - precision for j in range(_SUBINTERVALS)] + [high]
    weights = [0.0] * len(knots)
    for n, (left, right) in enumerate(pairwise(knots)):
        span = 1 / (left + precision) - 1 / (right + precision)
        r = (right + precision) / (left + precision)
        share = (math.log(r) - 1 + 1 / r) / (right - left)  # B taken as linear in K between the knots
        weights[n] += span - share
        weights[n + 1] += share
    weights[0] -= sum(weights)  # B counts from the beginning of the step
    scale = (K + precision) * (high + precision) / (high - low)
    for knot, weight in zip(knots, weights, strict=True):
        _add_brownian(target, noise, knot, scale * weight)
