"""What every demo of the Lagrangian view gives: clouds on the move, the terms of their velocity, and what falls.

A demo is a module with ``first_view()``, its request, and ``run(request)``: a :class:`Moving` or a subclass of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from gensot_demo.transport.lagrangian.blurred import blurred

from .presets import Presets

FRAMES = 61
"""How many moments are recorded: enough for smooth playing of what turns slowly."""
FIELD_FRAMES = 13
_GRID = 18  # arrows along the longer side
_BLUR = 0.045  # of the longer side


class LagrangianRequest(BaseModel):
    """What all demos are asked for. view: particles and their trails, or density and flux at fixed places.

    presets: titles of buttons, and the fields of the first view that each changes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    presets: ClassVar[Presets] = ()

    view: Literal["lagrangian", "eulerian"] = "lagrangian"


@dataclass(frozen=True)
class Term:
    """A summand of the velocity: ``symbol`` with its sign, in plain characters; ``words``, what it does to a particle.
    One that the settings switch off is not ``active``."""

    symbol: str
    words: str
    active: bool = True


@dataclass(frozen=True, eq=False)
class Falling:
    """Energy, loss or cost over time: values (F,) at t (F,), in the demo's own time."""

    label: str
    t: NDArray[np.float64]
    values: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Cloud:
    """Particles of one panel: positions and velocities (F, n, 2); kinds (n,) say which of the names in
    :attr:`Moving.kinds` each has.  guide: (k, 2), a curve to draw, or None."""

    name: str
    label: str
    positions: NDArray[np.float32]
    velocities: NDArray[np.float32]
    kinds: NDArray[np.int64]
    note: str = ""
    guide: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class Moving:
    """One to three clouds at the same times.

    times: (F,) own units, from 0, increasing; time: what it is called.  kinds: names of the marks, 1 to 12.
    extent: x0, x1, y0, y1.  falling: curves of one quantity, ``falls`` its name and unit.  told: sentences from this
    run's numbers.  target: x (k,), y (l,), z (l, k) to lay under the clouds, or None.  log: whether the curves want a
    log axis.  first_style: where the panels' styles begin, for kinds whose marks a reader might take for a panel's.
    """

    request: LagrangianRequest
    times: NDArray[np.float64]
    time: str
    clouds: tuple[Cloud, ...]
    kinds: tuple[str, ...]
    extent: tuple[float, float, float, float]
    terms: tuple[Term, ...]
    falling: tuple[Falling, ...]
    falls: str
    told: tuple[str, ...]
    target: tuple[NDArray, NDArray, NDArray] | None = None
    log: bool = False
    first_style: int = 0

    def flux(self, cloud: Cloud) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        """x (gx,), y (gy,), times (T,) from 0 to 1, and the flux (T, gy, gx, 2) of the blurred cloud."""
        x0, x1, y0, y1 = self.extent
        longer = max(x1 - x0, y1 - y0)
        x, y = (
            torch.linspace(low, high, max(4, round(_GRID * (high - low) / longer)) + 2, dtype=torch.float64)[1:-1]
            for low, high in ((x0, x1), (y0, y1))
        )
        frames = np.unique(np.linspace(0, len(self.times) - 1, FIELD_FRAMES).round().astype(int))
        places, speeds = (
            torch.as_tensor(np.ascontiguousarray(array[frames]), dtype=torch.float64)
            for array in (cloud.positions, cloud.velocities)
        )
        _, flux = blurred(places, speeds, x, y, _BLUR * longer)
        return x.numpy(), y.numpy(), self.shares[frames], flux.numpy()

    @property
    def shares(self) -> NDArray[np.float64]:
        """The times as shares of the whole, from 0 to 1."""
        return self.times / self.times[-1]


def extent_of(*positions: NDArray, margin: float = 0.06) -> tuple[float, float, float, float]:
    """A square that holds all but the outermost thousandth of the particles, (F, n, 2) each, with a margin."""
    places = np.concatenate([one.reshape(-1, 2) for one in positions])
    low, high = np.quantile(places, [0.001, 0.999], axis=0)
    centre, half = (low + high) / 2, float((high - low).max()) / 2 * (1 + 2 * margin) or 1.0
    return tuple(float(v) for v in (centre[0] - half, centre[0] + half, centre[1] - half, centre[1] + half))
