"""A wrong start in the plane, by exact couplings of particles, and what turning the flow costs."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.transport.couplings import optimal_assignment
from gensot_demo.transport.data_separation import standardised_mixture
from gensot_demo.transport.mixtures import GaussianMixture
from gensot_demo.transport.one_dimension import displacement
from gensot_demo.transport.paths import CosinePath, SchedulePath
from gensot_demo.transport.perturbed_start import WrongStart
from gensot_demo.transport.speed_accuracy import (
    Relation,
    normalised_weights,
    relation_of_particles,
    weighted_distance,
)
from gensot_demo.transport.targets import named_target

from .robustness import SCHEDULES, RobustnessRequest, schedules_of
from .robustness_cloud import Cloud, angles, in_schedule

PARTICLES = 300
STEPS = 20
_SUBSTEPS = 4
_STRAIGHT_STEPS = 10
_LAST = 1 - 1e-5  # where the velocity of a flow onto data of finite width is still one quotient
TURNS = 25
MOST_TURN = 6.0


@lru_cache(maxsize=16)
def law_in_plane(target: str) -> GaussianMixture:
    """A named target, centred and of variance 1 per coordinate."""
    return standardised_mixture(named_target(target).mixture)


@lru_cache(maxsize=16)
def _schedules(target: str) -> dict[str, SchedulePath]:
    return schedules_of(law_in_plane(target))


def _velocity(law: GaussianMixture, x: Tensor, t: float) -> Tensor:
    """Of the cosine path at t, (n, 2)."""
    points = CosinePath().at(min(max(t, 1e-9), _LAST))
    return points.velocity(0, x, law.predict(x, float(points.a), float(points.m)))


@lru_cache(maxsize=16)
def cloud_in_plane(target: str) -> Cloud:
    """300 particles, half of them mirrored, along the flow map by the Runge-Kutta method of order four."""
    law, theta = law_in_plane(target), angles(STEPS)
    generator = torch.Generator().manual_seed(7)
    half = torch.randn(PARTICLES // 2, 2, generator=generator, dtype=torch.float64)
    x = torch.cat([half, -half])
    x = x / x.square().mean().sqrt()
    states, h = [x], 1 / (STEPS * _SUBSTEPS)
    for k in range(STEPS * _SUBSTEPS):
        t = k * h
        k1 = _velocity(law, x, t)
        k2 = _velocity(law, x + 0.5 * h * k1, t + 0.5 * h)
        k3 = _velocity(law, x + 0.5 * h * k2, t + 0.5 * h)
        x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + _velocity(law, x + h * k3, t + h))
        if (k + 1) % _SUBSTEPS == 0:
            states.append(x)
    return Cloud(theta, torch.stack(states))


def axis(degrees: float) -> Tensor:
    """The unit vector (2,) at an angle to the first axis."""
    return torch.tensor([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))], dtype=torch.float64)


def turned(x: Tensor, angle: float) -> Tensor:
    """R(angle) x for x (..., 2)."""
    c, s = math.cos(angle), math.sin(angle)
    return x @ torch.tensor([[c, s], [-s, c]], dtype=x.dtype)


@dataclass(frozen=True, eq=False)
class PlaneResult:
    """particles at start and end (2, N, 2), in units in which the data have variance 1 per coordinate, their weights
    (N,), and the relation by schedule. floor: W2^2 between the two clouds, for which optimal transport is solved."""

    request: RobustnessRequest
    done: float
    seconds: float
    ends: NDArray[np.float64]
    weights: NDArray[np.float64]
    relations: dict[str, Relation]
    floor: float | None

    @property
    def complete(self) -> bool:
        return self.done >= 1


def in_plane(request: RobustnessRequest) -> Iterator[PlaneResult]:
    """Couplings step by step: all scalar schedules at once, then optimal transport."""
    began = time.perf_counter()
    cloud, paths = cloud_in_plane(request.target), _schedules(request.target)
    weights = normalised_weights(request.wrong_start().ratio(cloud.states[0] @ axis(request.angle)))
    ends = cloud.states[[0, -1]].numpy()
    relations: dict[str, Relation] = {}

    def moment(done: float, floor: float | None = None) -> PlaneResult:
        shown = {key: relations[key] for key in SCHEDULES if key in relations}
        seconds = time.perf_counter() - began
        return PlaneResult(request, done, seconds, ends, weights.numpy(), shown, floor)

    yield moment(0.0)
    distance: list[float] = []
    for k, x in enumerate(cloud.states, start=1):
        distance.append(weighted_distance(x, weights))
        if k % 7 == 0:
            yield moment(0.6 * k / len(cloud.states))
    known = torch.tensor(distance, dtype=torch.float64)
    relations |= {key: in_schedule(path, cloud.theta, cloud.moves, known, weights) for key, path in paths.items()}
    yield moment(0.65)
    first, last = cloud.states[0], cloud.states[-1]
    partner = optimal_assignment(first, last)
    t = torch.linspace(0, 1, _STRAIGHT_STEPS + 1, dtype=torch.float64)
    straight = displacement(first.flatten(), last[partner].flatten(), t).reshape(len(t), *first.shape)
    relations["ot"] = relation_of_particles(straight, weights, t)
    yield moment(1.0, float((last[partner] - first).square().sum(1).mean()))


@dataclass(frozen=True, eq=False)
class TurningResult:
    """What rotation at omega (W,) does to the cosine path. dissipation (W,): int E|v|^2 dt + omega^2 int E|x|^2 dt.

    At rest the dissipation is that of the particles' steps, as in :class:`PlaneResult`.

    along, fixed (W,): eta of the exact flow when the wrong start is turned with the law, and when it is not.
    euler_error (W,): root mean square distance of Euler's end from the exact one; euler_along (W,): eta that Euler
    measures. paths (F, T, 2): exact flow lines at the request's omega. here: numbers at the request's omega, with
    W1 at both ends of the exact flow: along_start, along_end, fixed_start, fixed_end.
    """

    request: RobustnessRequest
    done: float
    seconds: float
    turns: NDArray[np.float64]
    dissipation: NDArray[np.float64]
    along: float
    fixed: NDArray[np.float64]
    euler_error: NDArray[np.float64]
    euler_along: NDArray[np.float64]
    paths: NDArray[np.float64]
    here: dict[str, float]

    @property
    def complete(self) -> bool:
        return self.done >= 1


def _euler_end(target: str, turn: float, steps: int) -> Tensor:
    """Where Euler's method leads the rotated flow, turned back by nothing: the end has no rotation left, (N, 2).

    x_s = R(omega s)(a y + m eps) with s = 1 - t; dx/dt = R v(R^-1 x, t) - omega J x.
    """
    law = law_in_plane(target)
    y = turned(cloud_in_plane(target).states[0], turn)
    for k in range(steps):
        t = k / steps
        angle = turn * (1 - t)
        spin = torch.stack([-y[:, 1], y[:, 0]], 1)
        y = y + (turned(_velocity(law, turned(y, -angle), t), angle) - turn * spin) / steps
    return y


def _weights(wrong: WrongStart, cloud: Cloud, degrees: float, turn: float) -> Tensor:
    """Of a start wrong along a fixed axis while the law is turned by ``turn`` there."""
    return normalised_weights(wrong.ratio(turned(cloud.states[0], turn) @ axis(degrees)))


def _led(cloud: Cloud, end: Tensor, weights: Tensor) -> Relation:
    """The relation of particles that go from the cloud's start to ``end`` in unit time; W1 does not notice a
    rotation."""
    return relation_of_particles(torch.stack([cloud.states[0], end]), weights, torch.tensor([0.0, 1.0]))


def _response(found: Relation) -> float:
    return math.nan if found.eta is None else found.eta


def turning(request: RobustnessRequest) -> Iterator[TurningResult]:
    """The costs of turning, omega by omega; the values at the request's own omega come first."""
    began = time.perf_counter()
    cloud, wrong = cloud_in_plane(request.target), request.wrong_start()
    end, t = cloud.states[-1], cloud.theta / (0.5 * math.pi)
    still = float((cloud.moves.scaled(torch.ones_like(t)) / t.diff()).sum())
    spread = float(torch.trapezoid(cloud.states.square().sum(2).mean(1), t))
    straight = _weights(wrong, cloud, request.angle, 0.0)
    kept = _led(cloud, end, straight)
    along = _response(kept)
    turns = np.linspace(0, MOST_TURN, TURNS)
    fixed, error, euler = (np.full(TURNS, math.nan) for _ in range(3))

    def measured(turn: float) -> tuple[float, float, float]:
        reached = _euler_end(request.target, turn, request.euler)
        return (
            _response(_led(cloud, end, _weights(wrong, cloud, request.angle, turn))),
            float((reached - end).square().sum(1).mean().sqrt()),
            _response(_led(cloud, reached, straight)),
        )

    own, left = measured(request.turn), _led(cloud, end, _weights(wrong, cloud, request.angle, request.turn))
    here = {
        "dissipation": still + request.turn**2 * spread, "still": still, "fixed": own[0], "euler_error": own[1],
        "euler_along": own[2], "along_start": float(kept.distance[0]), "along_end": float(kept.distance[-1]),
        "fixed_start": float(left.distance[0]), "fixed_end": float(left.distance[-1]),
    }  # fmt: skip
    chosen = cloud.states[:, torch.linspace(0, PARTICLES - 1, 14).long()]
    paths = torch.stack([turned(x, request.turn * float(1 - now)) for x, now in zip(chosen, t, strict=True)])

    def moment(done: float) -> TurningResult:
        return TurningResult(
            request, done, time.perf_counter() - began, turns, still + turns**2 * spread, along, fixed.copy(),
            error.copy(), euler.copy(), paths.transpose(0, 1).numpy(), here,
        )  # fmt: skip

    yield moment(0.0)
    for n, turn in enumerate(turns):
        fixed[n], error[n], euler[n] = measured(float(turn))
        if n % 4 == 3 or n == TURNS - 1:
            yield moment((n + 1) / TURNS)
