"""What a comparison of schedules finds; per coordinate, for data of mean 0 and variance 1 per coordinate."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gensot_demo.experiments.navigation.passage import Density

from .schedules_request import SCHEDULES, SchedulesRequest

STEPS = (2, 4, 8, 16, 32, 64)
IN_NOISE = ("ve", "gensot")
"""Schedules whose few steps are taken in the noise level: as VE is used, and as a path from a point has to start."""


ROUNDING = 1e-9
"""Energies and distances below it are 0 to the precision of the arithmetic."""


def rounded(value: float) -> float:
    """The value, or 0 where it is rounding alone."""
    return 0.0 if abs(value) < ROUNDING else value


@dataclass(frozen=True, eq=False)
class LinePicture:
    """A schedule on the line at times t (T,): densities (T, X) at the result's places, quantile lines (T, L)."""

    t: NDArray[np.float64]
    density: NDArray[np.float32]
    lines: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PlanePicture:
    """Ways (T, P, 2) of a few particles, from the same noise on every schedule."""

    ways: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Strip:
    """One sample at times t (K,) as pictures (K, res, res, 3), scaled so that noise and picture share one range."""

    t: NDArray[np.float64]
    pictures: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Ride:
    """One schedule. t, speed (T,): squared speed in W2, v_2^2 = (1/d) E|v_t|^2.  energy: its integral over
    ``interval``, the kinetic energy per coordinate; times d the dissipation.  energy_error: its standard error.
    floor: W2^2 / d between the two ends, the least energy that any motion between them has, with its standard error.
    errors: steps -> root mean square distance per coordinate from the exact end of the same noise, or None yet.
    alone: of the squared distances after the most steps, the share of the draw that ends farthest off, or None.
    parting: largest distance per root of the dimension between its end and the shared map's, or None yet.
    """

    name: str
    t: NDArray[np.float64]
    speed: NDArray[np.float64]
    energy: float
    energy_error: float
    interval: tuple[float, float]
    floor: float
    floor_error: float = 0.0
    errors: dict[int, float] | None = None
    alone: float | None = None
    parting: float | None = None
    picture: LinePicture | PlanePicture | Strip | None = None

    @property
    def label(self) -> str:
        return SCHEDULES[self.name]


@dataclass(frozen=True, eq=False)
class SchedulesResult:
    """All schedules asked for, as far as known.

    dimension: d.  correlation: E<x_0, x_1> / d of the optimal coupling of N(0, I) and the data; its standard error.
    draws: noises behind the ends; 0 where all is by quadrature.  stepped: of them, in few steps.  parted: root mean
    square distance between the ends that the flow and the optimal coupling give the same noise; None where they are the
    same.
    places (X,): of densities on the line.  density: of the target in the plane.  notes: sentences.
    """

    request: SchedulesRequest
    dimension: int
    rides: tuple[Ride, ...]
    correlation: float
    correlation_error: float = 0.0
    draws: int = 0
    stepped: int = 0
    parted: float | None = None
    places: NDArray[np.float64] | None = None
    density: Density | None = None
    notes: tuple[str, ...] = ()
    doing: str = ""
    done: float = 0.0
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        return self.done >= 1

    def ride(self, name: str) -> Ride | None:
        return next((ride for ride in self.rides if ride.name == name), None)

    def changed(self, name: str, **parts) -> SchedulesResult:
        """The same with other parts of one ride."""
        rides = tuple(replace(ride, **parts) if ride.name == name else ride for ride in self.rides)
        return replace(self, rides=rides)
