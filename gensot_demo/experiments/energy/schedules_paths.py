"""The paths of a comparison by name, and what they cost on data of known separation."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.transport.data_separation import DataSeparation
from gensot_demo.transport.drawn_schedule import DrawnPath
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.harmonic import HarmonicPath, constant_protocol
from gensot_demo.transport.kinetic_optimal import KineticOptimalPath, energy_interval, energy_with_error, speed_squared
from gensot_demo.transport.paths import CondOTPath, CosinePath, ProbabilityPath, VEPath, VPLinearPath

from .schedules_request import SchedulesRequest
from .schedules_result import Ride, rounded

_TIMES = 161
_FIRST = 1e-4  # time of the first and, before the end, of the last speed that is drawn
_FIXED: dict[str, Callable[[], ProbabilityPath]] = {
    "vp": VPLinearPath,
    "cosine": CosinePath,
    "condot": CondOTPath,
    "ve": VEPath,
}


def paths_of(request: SchedulesRequest, separation: DataSeparation) -> tuple[dict[str, ProbabilityPath], list[str]]:
    """The scalar schedules asked for by name, all but optimal transport, and notes on what these data cannot have.

    Raises InvalidRequest for a drawn schedule that is none.
    """
    found: dict[str, ProbabilityPath] = {}
    notes = []
    for name in request.schedules:
        if name in _FIXED:
            found[name] = _FIXED[name]()
        elif name == "gensot":
            found[name] = HarmonicPath(constant_protocol(request.stiffness, torch.zeros(1)))
        elif name == "drawn":
            found[name] = drawn_path(request)
        elif name == "optimal":
            try:
                found[name] = KineticOptimalPath(separation)
            except InvalidValue as error:
                notes.append(f"Kinetic-optimal is left out: {error}")
    return found, notes


def drawn_path(request: SchedulesRequest) -> ProbabilityPath:
    """The drawn schedule; raises InvalidRequest, with what breaks, for one that is none."""
    try:
        return DrawnPath.of_noise_share(request.knots)
    except InvalidValue as error:
        raise InvalidRequest(f"The drawn schedule cannot be used: {error}") from None


def shown_times(low: float, high: float) -> Tensor:
    """Times (161,) within the interval, denser towards both ends."""
    edge = math.log(_FIRST / (1 - _FIRST))
    t = torch.sigmoid(torch.linspace(edge, -edge, _TIMES, dtype=torch.float64))
    return t.clamp(max(low, _FIRST), min(high, 1 - _FIRST))


def cost_of(
    name: str, path: ProbabilityPath, separation: DataSeparation, correlation: float, correlation_error: float
) -> Ride:
    """Speed, energy and floor of a path by the data's separation function; docs/FORMULAS.md 2."""
    low, high = energy_interval(path, separation)
    t = shown_times(low, high)
    return Ride(
        name, t.numpy(), speed_squared(path, separation, t).numpy(), *energy_with_error(path, separation),
        (low, high), *floor_of(path, low, correlation, correlation_error),
    )  # fmt: skip


def floor_of(
    path: ProbabilityPath, low: float, correlation: float, correlation_error: float = 0.0
) -> tuple[float, float]:
    """W2^2 / d between the path's start and the data, with its standard error: m_0^2 + 1 - 2 m_0 E<x_0, x_1> / d, as
    the optimal coupling does not depend on the scale m_0. The start is where its energy begins to count, at ``low``."""
    start = path.at(max(low, 1e-9))
    spread = math.sqrt(float(start.m) ** 2 + float(start.a) ** 2)
    return rounded(spread**2 + 1 - 2 * spread * correlation), 2 * spread * correlation_error


def transport_ride(correlation: float, correlation_error: float = 0.0) -> Ride:
    """Exact optimal transport from N(0, I): straight lines at constant speed, so any number of steps is exact."""
    floor, error = rounded(2 - 2 * correlation), 2 * correlation_error
    return Ride("ot", np.array([0.0, 1.0]), np.full(2, floor), floor, error, (0.0, 1.0), floor, error)
