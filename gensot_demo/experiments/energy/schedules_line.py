"""Schedules on a line: everything by quantiles, exactly; nothing is drawn at random."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from gensot_demo.transport.data_separation import DataSeparation, separation_of_mixture, standardised_mixture
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.one_dimension import (
    LAW,
    LinePredictor,
    densities,
    displacement,
    line_mixture,
    normal_quantiles,
    normal_scores,
    rows_of,
    speed_squared,
)
from gensot_demo.transport.paths import ProbabilityPath
from gensot_demo.transport.schedule_flow import EDGE, accurate_times, equal_times, few_steps, flow, scales_at

from .schedules_paths import floor_of, paths_of, shown_times, transport_ride
from .schedules_request import SchedulesRequest
from .schedules_result import IN_NOISE, STEPS, LinePicture, Ride, SchedulesResult, rounded

_COLUMNS, _PLACES, _HALF_WIDTH = 61, 97, 3.2  # of the picture: times, places, and its half height
_LEVELS = (0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975)
_QUADRATURE = 161  # times at which a speed is integrated, even in logit t
_FEWEST, _MOST = 161, 801  # places at which it is averaged
_PER_WIDTH = 3
_STARTS, _FARTHEST = 121, 4.5  # scores whose ends after few steps are compared
_COMPARED = 17  # scores whose accurate ends are compared
_HELD = 32  # data whose separation is kept


def law_of(request: SchedulesRequest) -> GaussianMixture:
    """The mixture asked for, centred and scaled to variance 1."""
    return _law(request.modes, request.separation, request.width, request.tilt)


@lru_cache(_HELD)
def _law(modes: int, separation: float, width: float, tilt: float) -> GaussianMixture:
    numbers = np.arange(modes)
    means = separation * (numbers - (modes - 1) / 2)
    weights = 10.0 ** (tilt * numbers / max(modes - 1, 1))
    return standardised_mixture(line_mixture(weights, means, [width] * modes))


@lru_cache(_HELD)
def _separation(modes: int, separation: float, width: float, tilt: float) -> DataSeparation:
    return separation_of_mixture(_law(modes, separation, width, tilt))


def compare_on_line(request: SchedulesRequest) -> Iterator[SchedulesResult]:
    """Yields pictures, speeds and energies, and then everything."""
    began = time.perf_counter()
    shape = (request.modes, request.separation, request.width, request.tilt)
    law = law_of(request)
    paths, notes = paths_of(request, _separation(*shape) if "optimal" in request.schedules else None)
    z, weights = normal_scores()
    correlation = float(weights @ (z * normal_quantiles(law, LAW, z)[0]))
    places = torch.linspace(-_HALF_WIDTH, _HALF_WIDTH, _PLACES, dtype=torch.float64)
    rides = {name: _ride(name, path, law, places, correlation) for name, path in paths.items()}
    if "ot" in request.schedules:
        rides["ot"] = replace(transport_ride(correlation), picture=_transport_picture(law, places))
    result = SchedulesResult(
        request,
        1,
        tuple(rides[name] for name in request.schedules if name in rides),
        correlation,
        places=places.numpy(),
        notes=tuple(notes),
        doing="Taking few steps",
        done=0.5,
        seconds=time.perf_counter() - began,
    )
    yield result
    result = _with_ends(result, paths, law)
    yield replace(result, doing="", done=1.0, seconds=time.perf_counter() - began)


def _ride(name: str, path: ProbabilityPath, law: GaussianMixture, places: Tensor, correlation: float) -> Ride:
    # a path from a point leaves it with infinite speed, ~ 1/t; all other ends on a line have finite energy
    low = 1e-5 if float(path.at(0.0).m) == 0 else 0.0
    first = max(low, EDGE)
    edge = torch.logit(torch.tensor([first, 1 - EDGE], dtype=torch.float64))
    t = torch.sigmoid(torch.linspace(float(edge[0]), float(edge[1]), _QUADRATURE, dtype=torch.float64))
    speed = speed_squared(law, path.at(t), _nodes(law))
    energy = rounded(float(torch.trapezoid(speed * t * (1 - t), torch.logit(t))))
    shown = shown_times(low, 1.0)
    drawn = np.interp(shown.numpy(), t.numpy(), speed.numpy())
    return Ride(
        name, shown.numpy(), drawn, energy, 0.0, (low, 1.0), *floor_of(path, low, correlation),
        picture=_picture(path, law, places),
    )  # fmt: skip


def _nodes(law: GaussianMixture) -> int:
    """Places that resolve the narrowest mode over the law's extent."""
    widths = torch.sqrt(law.covariances[:, 0, 0])
    extent = float(law.means.max() - law.means.min()) / float(widths.min()) + 18
    return int(min(max(_PER_WIDTH * extent, _FEWEST), _MOST))


def _columns() -> Tensor:
    return torch.linspace(0, 1, _COLUMNS, dtype=torch.float64).clamp(EDGE, 1 - EDGE)


def _picture(path: ProbabilityPath, law: GaussianMixture, places: Tensor) -> LinePicture:
    t = _columns()
    row = rows_of(path.at(t))
    levels = torch.special.ndtri(torch.tensor(_LEVELS, dtype=torch.float64))
    return LinePicture(
        t.numpy(), densities(law, row, places).float().numpy(), normal_quantiles(law, row, levels).numpy()
    )


def _transport_picture(law: GaussianMixture, places: Tensor) -> LinePicture:
    """Quantiles on straight lines; the density is d level / d place."""
    t, z = _columns(), normal_scores(641)[0]
    ends = normal_quantiles(law, LAW, z)[0]
    lines = displacement(z, ends, t)
    slope = (1 - t)[:, None] + t[:, None] * torch.gradient(ends, spacing=(z,))[0]
    level = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    density = [
        np.interp(places.numpy(), row.numpy(), (level / rate).numpy(), left=0.0, right=0.0)
        for row, rate in zip(lines, slope, strict=True)
    ]
    shown = torch.special.ndtri(torch.tensor(_LEVELS, dtype=torch.float64))
    drawn = displacement(shown, normal_quantiles(law, LAW, shown)[0], t)
    return LinePicture(t.numpy(), np.stack(density).astype(np.float32), drawn.numpy())


def _with_ends(result: SchedulesResult, paths: dict[str, ProbabilityPath], law: GaussianMixture) -> SchedulesResult:
    """Where every schedule ends: accurately, and after few steps; against Q_1(Phi(eps)), which is exact."""
    names, every = list(paths), list(paths.values())
    predict = LinePredictor(law)
    ends: dict[str, dict[int, float]] = {name: {} for name in names}
    partings: dict[str, float] = {}
    if names:
        z, weights = normal_scores(_STARTS, _FARTHEST)
        exact = normal_quantiles(law, LAW, z)[0]
        in_noise = torch.tensor([[name in IN_NOISE] for name in names])
        for steps in STEPS:
            scales = scales_at(every, [equal_times(steps)] * len(every))
            found = few_steps(scales, predict, z, result.request.solver == "heun", in_noise)
            errors = torch.sqrt((found - exact) ** 2 @ weights)
            for name, error in zip(names, errors.tolist(), strict=True):
                ends[name][steps] = error
        z = normal_scores(_COMPARED, 3.0)[0]
        *_, (_, found) = flow(scales_at(every, [accurate_times(path) for path in every]), predict, z)
        apart = (found - normal_quantiles(law, LAW, z)).abs().amax(1)
        partings = dict(zip(names, apart.tolist(), strict=True))
    for name in names:
        result = result.changed(name, errors=ends[name], parting=partings[name])
    return result.changed("ot", errors=dict.fromkeys(STEPS, 0.0), parting=0.0)
