"""How flow, prior and mass errors fall with the time T at which the noising ends, and what does not fall."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.experiments.kept import Kept
from gensot_demo.experiments.turns import in_turn
from gensot_demo.transport.static_ot.flow_cells import FOR_EVER
from gensot_demo.transport.static_ot.prior import prior_error

from .cells import flow_masses, mapped, solved_map
from .cells_data import points_of
from .cells_request import CellsRequest

TIMES = tuple(0.5 * k for k in range(1, 9))
_FITTED = 2.0  # from this T on
_LEAST_FITTED = 4  # values
_HALVINGS, _BISECTIONS = 1, 18
_FLOORS = {"share": 1e-4, "distance": 5e-3, "prior": 1e-12, "mass": 1e-8, "tail": 1e-13}
_WORST_FIT = 0.15  # of e-folds: where the values are no power of e^{-T}, no exponent is told
_WHITE = 1e-9
_KEPT = 48


@dataclass(frozen=True, eq=False)
class Decay:
    """One quantity at times (T,): NaN where it is below what can be computed.  rate: r of e^{-rT}, by least squares of
    the logarithm over T >= 2; None where too little is left to tell."""

    name: str
    values: NDArray[np.float64]
    rate: float | None


@dataclass(frozen=True, eq=False)
class Decays:
    """The quantities at those of ``TIMES`` that are done.

    share: of noise sent elsewhere than by Brenier's map.  distance: of the flow's map from that of T = infinity, root
    mean square.  prior: W2(p_T, N(0, I)).  mass: total variation of the flow cells' masses from 1/n, where the
    grid can tell it.  tail: distance between the flow from T on and the optimal map from p_T to N(0, I).
    white: the points' second moments are those of noise.
    """

    times: NDArray[np.float64]
    curves: tuple[Decay, ...]
    white: bool
    done: float
    seconds: float

    def __getitem__(self, name: str) -> Decay:
        return next(curve for curve in self.curves if curve.name == name)


_FOUND: Kept[Decays] = Kept(_KEPT)


def _key(points: Tensor) -> tuple:
    return tuple(map(tuple, points.tolist()))


def known_decays(request: CellsRequest) -> Decays | None:
    """All of it, where it was found before."""
    return _FOUND.get(_key(points_of(request).points))


def decays(request: CellsRequest) -> Iterator[Decays]:
    """After each T what is known so far; at once all of it where it is kept. T of the request plays no part."""
    began = time.perf_counter()
    points = points_of(request).points
    kept = known_decays(request)
    if kept is not None:
        yield kept
        return
    found = None
    for found in in_turn(_steps(points, began)):
        if found is not None:
            yield found
    _FOUND.keep(_key(points), found)


def _steps(points: Tensor, began: float) -> Generator[Decays | None, None, None]:
    """After each map, None or what is known then."""
    solved = solved_map(points)
    yield None

    def at(time_: float):
        return mapped(lambda z: solved.flow.index(z, time_), _HALVINGS, _BISECTIONS)[2]

    ever = at(FOR_EVER)
    brenier = mapped(solved.map_.cells, _HALVINGS, _BISECTIONS)[2]
    yield None
    off = points.T @ points / len(points) - torch.eye(2, dtype=torch.float64)
    white = float(off.abs().max()) < _WHITE
    rows: list[dict[str, float]] = []
    for number, time_ in enumerate(TIMES, start=1):
        lines = at(time_)
        yield None
        prior = prior_error(points, time_)
        masses = flow_masses(lines, brenier, solved.map_, time_)
        rows.append(
            {
                "share": lines.difference(brenier, points).share,
                "distance": lines.difference(ever, points).distance,
                "prior": prior.value,
                "mass": masses.error if masses.error > masses.accuracy else 0.0,
                "tail": prior.turned,
            }
        )
        times = np.array(TIMES[:number])
        curves = tuple(_curve(name, times, [row[name] for row in rows]) for name in _FLOORS)
        yield Decays(times, curves, white, number / len(TIMES), time.perf_counter() - began)


def _curve(name: str, times: NDArray[np.float64], values: list[float]) -> Decay:
    kept = np.where(np.array(values) > _FLOORS[name], values, math.nan)
    late = (times >= _FITTED) & np.isfinite(kept)
    rate = None
    if late.sum() >= _LEAST_FITTED:
        slope, level = np.polyfit(times[late], np.log(kept[late]), 1)
        if np.abs(slope * times[late] + level - np.log(kept[late])).max() < _WORST_FIT:
            rate = -float(slope)
    return Decay(name, kept, rate)
