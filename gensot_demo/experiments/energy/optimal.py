"""Kinetic-optimal paths: when data are decided, which path is cheapest, and what the others cost.

One call serves page, endpoint and benchmark: :func:`explore`. All in units in which the data have variance 1 per
coordinate. Source: Shaul, Chen, Nickel, Le, Lipman, arXiv 2306.06626; docs/FORMULAS.md 2.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.transport.data_separation import DataSeparation, separation_bound
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.kinetic_optimal import (
    KineticOptimalPath,
    energy_interval,
    energy_with_error,
    kinetic_energy,
    speed_squared,
)
from gensot_demo.transport.paths import CondOTPath, CosinePath, ProbabilityPath, VEPath, VPLinearPath

from .optimal_data import count_of, label_of, separation_of
from .optimal_request import OptimalRequest

TIMES = 161
_EDGE = 1e-4  # of the shown times: speeds may diverge at 0 and 1
_SHOWN = (0.02, 50.0)  # signal over noise that a figure shows at least


@dataclass(frozen=True, eq=False)
class Separation:
    """lambda against r = a/m, signal over noise: estimates (T,) with standard errors, and the curve through them (C,).

    decided: the r at which half is decided.
    """

    r: NDArray[np.float64]
    value: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    curve_r: NDArray[np.float64]
    curve: NDArray[np.float64]
    decided: float


@dataclass(frozen=True, eq=False)
class PathCost:
    """One path: a and m, speed^2 per coordinate at times t (T,), kinetic energy with its standard error.

    until: the last time of the energy, below 1 where it diverges.
    """

    name: str
    label: str
    t: NDArray[np.float64]
    a: NDArray[np.float64]
    m: NDArray[np.float64]
    speed: NDArray[np.float64]
    energy: float
    error: float
    until: float


@dataclass(frozen=True, eq=False)
class OptimalResult:
    """What :func:`explore` found. paths: the cheapest first; c is its energy.

    count: n, or None for a density.  disagreement: of the paper's equation with the closed form, in radians.
    undecided, undecided_error: int |1 - lambda| dr and its standard error.  bound: 3 n / sqrt(d), or None.
    exploding: the energy of VE from sigma = 80, too large for a figure.  seconds: of the separation; 0 where kept.
    """

    request: OptimalRequest
    label: str
    dimension: int
    count: int | None
    separation: Separation
    paths: tuple[PathCost, ...]
    angle: float
    disagreement: float
    undecided: float
    undecided_error: float
    bound: float | None
    exploding: float
    seconds: float

    @property
    def best(self) -> PathCost:
        return self.paths[0]

    def path(self, name: str) -> PathCost:
        return next(path for path in self.paths if path.name == name)


@dataclass(frozen=True)
class OptimalMoment:
    """Progress of the estimate, and the result with the last one."""

    done: float
    seconds: float
    result: OptimalResult | None = None


def explore(request: OptimalRequest) -> Iterator[OptimalMoment]:
    """Estimate the separation, unless it is kept, then everything else in closed form; the last moment has the result.

    Raises InvalidRequest where the data are Gaussian: no path is cheapest.
    """
    began = time.perf_counter()
    steps, waited = separation_of(request), False
    while True:
        try:
            done, levels = next(steps)
        except StopIteration as end:
            separation: DataSeparation = end.value
            break
        except InvalidValue as error:
            raise InvalidRequest(_sentence(error)) from None
        waited = True
        yield OptimalMoment(done / levels, time.perf_counter() - began)
    seconds = time.perf_counter() - began if waited else 0.0
    try:
        result = _result(request, separation, seconds)
    except InvalidValue as error:
        raise InvalidRequest(_sentence(error)) from None
    yield OptimalMoment(1.0, time.perf_counter() - began, result)


def explored(request: OptimalRequest) -> OptimalResult:
    """:func:`explore` to its end."""
    *_, last = explore(request)
    return last.result


def _sentence(error: InvalidValue) -> str:
    text = str(error)
    return text[0].upper() + text[1:]


def _result(request: OptimalRequest, separation: DataSeparation, seconds: float) -> OptimalResult:
    optimal = KineticOptimalPath(separation)
    others: list[tuple[str, str, ProbabilityPath]] = [
        ("condot", "CondOT (straight)", CondOTPath()),
        ("cosine", "Cosine", CosinePath()),
        ("vp", "VP-linear", VPLinearPath()),
    ]
    if request.own_path is not None:
        others.append(("drawn", "Your schedule", request.own_path))
    paths = [_cost("optimal", "Kinetic optimal", optimal, separation)]
    paths += [_cost(name, label, path, separation) for name, label, path in others]
    count = count_of(request)
    return OptimalResult(
        request=request,
        label=label_of(request.data),
        dimension=separation.dimension,
        count=count,
        separation=_shown(separation),
        paths=tuple(paths),
        angle=optimal.angle,
        disagreement=optimal.ode_disagreement(),
        undecided=separation.undecided,
        undecided_error=separation.error_of(lambda one: one.undecided),
        bound=None if count is None else separation_bound(count, separation.dimension),
        exploding=kinetic_energy(VEPath(), separation),
        seconds=seconds,
    )


def _cost(name: str, label: str, path: ProbabilityPath, separation: DataSeparation) -> PathCost:
    t = torch.linspace(0, 1, TIMES, dtype=torch.float64)
    inside = t.clamp(_EDGE, 1 - _EDGE)
    points = path.at(t)
    energy, error = energy_with_error(path, separation)
    return PathCost(
        name=name,
        label=label,
        t=t.numpy(),
        a=points.a.numpy(),
        m=points.m.numpy(),
        speed=speed_squared(path, separation, inside).numpy(),
        energy=energy,
        error=error,
        until=energy_interval(path, separation)[1],
    )


def _shown(separation: DataSeparation) -> Separation:
    r = torch.tan(separation.angles)
    low, high = min(_SHOWN[0], float(r[0])), min(max(4 * float(r[-1]), 2.0), max(_SHOWN[1], float(r[-1])))
    curve_r = torch.logspace(math.log10(low), math.log10(high), 240, dtype=torch.float64)
    curve = 1 - separation.missing_at(torch.atan(curve_r))
    half = int(torch.searchsorted(torch.cummax(curve, 0).values, torch.tensor(0.5, dtype=curve.dtype)))
    return Separation(
        r=r.numpy(),
        value=separation.separation.numpy(),
        standard_error=separation.standard_error.numpy(),
        curve_r=curve_r.numpy(),
        curve=curve.numpy(),
        decided=float(curve_r[min(half, len(curve_r) - 1)]),
    )
