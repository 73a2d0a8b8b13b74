"""Schedules in the plane and on pictures: draws moved by each flow, against the ends of the same noise.

Speeds and energies come from the data's separation function, not from the draws. The ends are a sample of the data, so
the best pairing of draws and ends estimates the optimal coupling, from the side of too high a cost.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gensot_demo.backbones.pictures import PictureBackbone, load_picture_backbone
from gensot_demo.experiments.device import TURNSTILE
from gensot_demo.experiments.navigation.passage import Density, density_of
from gensot_demo.transport.atoms import WeightedAtoms
from gensot_demo.transport.couplings import optimal_assignment
from gensot_demo.transport.data_separation import (
    DataSeparation,
    separation_steps,
    standardised_mixture,
)
from gensot_demo.transport.oracles import Oracle
from gensot_demo.transport.paths import CosinePath, ProbabilityPath
from gensot_demo.transport.schedule_flow import accurate_times, equal_times, few_steps, flow, scales_at
from gensot_demo.transport.targets import named_target

from ..kept import Kept
from ..turns import in_turn, retold
from .schedules_paths import cost_of, paths_of, transport_ride
from .schedules_request import SchedulesRequest
from .schedules_result import IN_NOISE, STEPS, PlanePicture, SchedulesResult, Strip
from .target_separation import separation_of_target

_PLANE_DRAWS, _PICTURE_DRAWS = 400, 48
_STEPPED = 160  # of them, in few steps
_FOLLOWED, _PICTURES_FOLLOWED = 24, 6  # of them, along every schedule's own flow
_KEPT_ROWS = 48  # of a way
_STRIP = 9  # pictures of a strip
_RESOLUTION = 32
_PICTURE_ANGLES = 40
_PERCENT_SEPARATION, _PERCENT_ENDS = 0.25, 0.35  # of the whole work, on pictures: lambda, and lambda with the ends


_PLANE_SHARE = 0.3  # of the whole work, in the plane: the ends


@dataclass(frozen=True, eq=False)
class Cloud:
    """Standardised data as an oracle with noise to start from. dimension: d, of which the oracle's coordinates are the
    part where data lie.  eps (n, k): noise of the draws.  ends (n, k): where the shared flow carries them.
    partner (n,): of each noise in the best pairing with the ends.  density: of a law in the plane."""

    oracle: Oracle
    dimension: int
    separation: DataSeparation
    eps: Tensor
    ends: Tensor
    partner: Tensor
    density: Density | None = None

    @property
    def outside(self) -> int:
        """Coordinates in which there is noise only."""
        return self.dimension - self.eps.shape[1]

    @property
    def correlation(self) -> float:
        """E<x_0, x_1> / d of the best pairing, for draws and ends scaled to the mean square that they should have."""
        ends = self.ends[self.partner]
        size = self.eps.square().mean() * ends.square().sum(1).mean() / self.dimension
        return float((self.eps * ends).sum(1).mean() / self.dimension / size.sqrt())

    @property
    def correlation_error(self) -> float:
        """Standard error of :attr:`correlation`: of draws whose two ends lie on one another's line it is 0."""
        ends = self.ends[self.partner]
        across = (self.eps * ends).sum(1) - self.correlation * 0.5 * (self.eps.square() + ends.square()).sum(1)
        return float(across.std()) / self.dimension / math.sqrt(len(ends))

    @property
    def parted(self) -> float:
        """Root mean square distance per coordinate between a noise's end by the flow and by the best pairing."""
        return math.sqrt(float((self.ends - self.ends[self.partner]).square().sum(1).mean()) / self.dimension)

    def predict(self, x: Tensor, a: Tensor, m: Tensor) -> Tensor:
        return self.oracle.predict(x.reshape(-1, self.eps.shape[1]).to(self.oracle.dtype), float(a), float(m)).double()


def _cloud(
    oracle: Oracle, dimension: int, separation: DataSeparation, draws: int, seed: int, density: Density | None = None
) -> Generator[float, None, Cloud]:
    """Yields the share done, returns the cloud with its ends."""
    eps = torch.randn(draws, oracle.dimension, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    cloud = Cloud(oracle, dimension, separation, eps, eps, torch.arange(draws), density)
    path = CosinePath()
    scales = scales_at([path], [accurate_times(path)])
    ends = eps
    for row, ends in in_turn(flow(scales, cloud.predict, eps)):  # noqa: B007
        yield row / len(scales.t)
    ends = ends.reshape(eps.shape)
    with TURNSTILE():
        partner = optimal_assignment(eps, ends)
    return replace(cloud, ends=ends, partner=partner)


def _plane_cloud(target: str, seed: int) -> Generator[tuple[str, float], None, Cloud]:
    """Yields (what, share), returns a named target with its draws; kept, as it takes a second."""
    kept = _PLANE_CLOUDS.get((target, seed))
    if kept is not None:
        return kept
    yield "Where the noise ends", 0.0
    law = standardised_mixture(named_target(target).mixture)
    steps = _cloud(law, 2, separation_of_target(target), _PLANE_DRAWS, seed, density_of(law))
    cloud = yield from retold(steps, lambda share: ("Where the noise ends", _PLANE_SHARE * share))
    return _PLANE_CLOUDS.keep((target, seed), cloud)


_PLANE_CLOUDS: Kept[Cloud] = Kept(6)


def compare_in_plane(request: SchedulesRequest) -> Iterator[SchedulesResult]:
    """Yields progress, then energies, then schedule by schedule its ways and ends."""
    began = time.perf_counter()
    cloud = yield from _prepared(_plane_cloud(request.target, request.seed), request, began)

    def picture(path: ProbabilityPath, rows: list[Tensor]) -> PlanePicture:
        return PlanePicture(torch.stack(rows).numpy())

    straight = torch.stack([cloud.eps[:_FOLLOWED], cloud.ends[cloud.partner][:_FOLLOWED]]).numpy()
    yield from _compared(request, cloud, _FOLLOWED, picture, PlanePicture(straight), began, _PLANE_SHARE)


def _prepared(
    steps: Generator[tuple[str, float], None, Cloud], request: SchedulesRequest, began: float
) -> Generator[SchedulesResult, None, Cloud]:
    """Progress of the preparation as moments without schedules; returns the cloud."""
    empty = SchedulesResult(request, 1, (), 0.0)
    return (
        yield from retold(
            steps, lambda now: replace(empty, doing=now[0], done=now[1], seconds=time.perf_counter() - began)
        )
    )


def _compared(request, cloud, followed, picture, of_transport, began, done) -> Iterator[SchedulesResult]:
    paths, notes = paths_of(request, cloud.separation)
    rides = {
        name: cost_of(name, path, cloud.separation, cloud.correlation, cloud.correlation_error)
        for name, path in paths.items()
    }
    if "ot" in request.schedules:
        rides["ot"] = replace(
            transport_ride(cloud.correlation, cloud.correlation_error),
            picture=of_transport,
            errors=dict.fromkeys(STEPS, 0.0),
            parting=_farthest(cloud.ends[cloud.partner] - cloud.ends, cloud),
        )
    result = SchedulesResult(
        request, cloud.dimension, tuple(rides[name] for name in request.schedules if name in rides),
        cloud.correlation, cloud.correlation_error, len(cloud.eps), min(_STEPPED, len(cloud.eps)), cloud.parted,
        density=cloud.density,
        notes=tuple(notes),
    )  # fmt: skip
    share = (1 - done) / max(len(paths), 1)
    for number, (name, path) in enumerate(paths.items()):
        first = done + number * share
        doing = f"{rides[name].label}: following its flow"
        rows = []
        times = accurate_times(path)
        scales = scales_at([path], [times])
        for row, x in in_turn(flow(scales, cloud.predict, cloud.eps[:followed])):
            rows.append(x.reshape(-1, cloud.eps.shape[1]))
            if row % 20 == 0:
                at = first + 0.6 * share * row / len(times)
                yield replace(result, doing=doing, done=at, seconds=time.perf_counter() - began)
        parting = _farthest(rows[-1] - cloud.ends[:followed], cloud)
        kept = np.unique(np.linspace(0, len(rows) - 1, _KEPT_ROWS).round().astype(int))
        # even in log sigma is not even in time: strips choose by time among all rows
        shown = picture(path, [rows[k] for k in kept] if cloud.density is not None else rows)
        result = result.changed(name, parting=parting, picture=shown)
        errors = {}
        for steps in STEPS:
            with TURNSTILE():
                errors[steps], alone = _error(path, name, cloud, steps, request.solver == "heun")
            doing = f"{rides[name].label}: {steps} steps"
            at = first + share * (0.6 + 0.4 * sum(errors) / sum(STEPS))
            yield replace(result, doing=doing, done=min(at, 0.999), seconds=time.perf_counter() - began)
        result = result.changed(name, errors=errors, alone=alone)
    yield replace(result, doing="", done=1.0, seconds=time.perf_counter() - began)


def _farthest(away: Tensor, cloud: Cloud) -> float:
    return float(away.double().square().sum(1).max()) ** 0.5 / math.sqrt(cloud.dimension)


def _error(path: ProbabilityPath, name: str, cloud: Cloud, steps: int, heun: bool) -> tuple[float, float]:
    """Root mean square distance per coordinate from the exact ends after a number of steps, noise outside included; and
    the share of the farthest draw in the squared distances."""
    scales = scales_at([path], [equal_times(steps)])
    in_noise = torch.tensor(name in IN_NOISE)
    ends = cloud.ends[:_STEPPED]
    found = few_steps(scales, cloud.predict, cloud.eps[:_STEPPED], heun, in_noise).reshape(ends.shape)
    squares = (found - ends).square().sum(1)
    square, alone = float(squares.mean()), float(squares.max() / squares.sum().clamp(min=1e-300))
    if cloud.outside:
        one = torch.ones(1, 1, dtype=torch.float64)
        left = few_steps(scales, lambda x, a, m: torch.zeros_like(x), one, heun, in_noise)
        square += cloud.outside * float(left) ** 2
    return math.sqrt(square / cloud.dimension), alone


# --- pictures -------------------------------------------------------------------------------------------------------


_SEPARATIONS: Kept[DataSeparation] = Kept(1)
_CLOUDS: Kept[Cloud] = Kept(2)


def _scaled_oracle(backbone: PictureBackbone) -> tuple[WeightedAtoms, float]:
    """The collection in units of its standard deviation per pixel value, and that in picture units."""
    points = backbone.oracle.points
    scale = math.sqrt(float(points.double().square().sum(1).mean()) / backbone.dimension)
    return WeightedAtoms(points / scale, dtype=torch.float32), scale


def _picture_cloud(seed: int) -> Generator[tuple[str, float], None, Cloud]:
    """Yields (what, share), returns the collection with its draws; kept, as it takes seconds."""
    kept = _CLOUDS.get(seed)
    if kept is not None:
        return kept
    yield "Reading the pictures", 0.0
    backbone = load_picture_backbone(_RESOLUTION)
    oracle, _ = _scaled_oracle(backbone)
    separation = _SEPARATIONS.get(_RESOLUTION)
    if separation is None:
        levels = in_turn(separation_steps(oracle.points, _PICTURE_ANGLES, dimension=backbone.dimension))
        doing = "Data separation, noise level by noise level"
        separation = yield from retold(levels, lambda at: (doing, _PERCENT_SEPARATION * at[0] / at[1]))
        _SEPARATIONS.keep(_RESOLUTION, separation)
    steps = _cloud(oracle, backbone.dimension, separation, _PICTURE_DRAWS, seed)
    left = _PERCENT_ENDS - _PERCENT_SEPARATION
    cloud = yield from retold(steps, lambda share: ("Where the noise ends", _PERCENT_SEPARATION + left * share))
    return _CLOUDS.keep(seed, cloud)


def compare_on_pictures(request: SchedulesRequest) -> Iterator[SchedulesResult]:
    """Yields progress without rides while the data are prepared, then as :func:`compare_in_plane`; half a minute."""
    began = time.perf_counter()
    cloud = yield from _prepared(_picture_cloud(request.seed), request, began)
    backbone = load_picture_backbone(_RESOLUTION)
    _, scale = _scaled_oracle(backbone)
    generator = torch.Generator().manual_seed(request.seed)
    outside = backbone.outside_span(torch.randn(1, backbone.dimension, generator=generator))
    even = torch.linspace(0, 1, _STRIP, dtype=torch.float64)

    def strip(times: Tensor, states: list[Tensor], a: Tensor, m: Tensor) -> Strip:
        size = torch.sqrt(a**2 + m**2)[:, None].float()
        seen = backbone.decode_noise(scale * torch.stack([x[0] for x in states]).float() / size)
        pixels = backbone.mean_picture + seen + scale * (m[:, None].float() / size) * outside
        return Strip(times.numpy(), backbone.to_uint8(pixels))

    def picture(path: ProbabilityPath, rows: list[Tensor]) -> Strip:
        t = torch.cat([accurate_times(path)[::2][:-1], torch.ones(1, dtype=torch.float64)])
        chosen = (t[None] - even[:, None]).abs().argmin(1)
        p = path.at(t[chosen])
        return strip(t[chosen], [rows[k] for k in chosen.tolist()], p.a, p.m)

    end = cloud.ends[cloud.partner][:1]
    straight = [(1 - t) * cloud.eps[:1] + t * end for t in even.tolist()]
    of_transport = strip(even, straight, even, 1 - even)
    yield from _compared(request, cloud, _PICTURES_FOLLOWED, picture, of_transport, began, _PERCENT_ENDS)


def compare(request: SchedulesRequest) -> Iterator[SchedulesResult]:
    """Moments of a comparison; the last one is complete."""
    from .schedules_line import compare_on_line

    return {"line": compare_on_line, "plane": compare_in_plane, "emoji": compare_on_pictures}[request.data](request)
