"""What a transport method delivers: particles over time, the velocity behind them, and how it decided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SHOWN_TIMES = (0.02, 0.98)  # speeds are integrated over this stretch: a path from a point starts infinitely fast


@dataclass(frozen=True, eq=False)
class Curve:
    """Values (S,) at times (S,)."""

    t: NDArray[np.float64]
    values: NDArray[np.float64]

    def at(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(t, self.t, self.values)


@dataclass(frozen=True, eq=False)
class Tube:
    """Mean of the path (T, 2) and its half-width (T,), the spread s of x_t given its end; and the guide (T, 2)."""

    guide: NDArray[np.float64]
    mean: NDArray[np.float64]
    half_width: NDArray[np.float64]


Field = Callable[[Tensor, float], Tensor]  # velocities (n, 2) at places (n, 2) and a time in (0, 1)


@dataclass(frozen=True, eq=False)
class Motion:
    """Particles that have been moved from t = 0 to 1.

    t (S,), x (S, n, 2): recorded states.  speed: E|v_t|, kinetic: E|v_t|^2 of the velocity whose flow has these
    marginals (of the probability flow for stochastic methods), while it is finite.  entropy: of the mode that a
    particle ends in, given where it is, in nats.  calls: of the oracle per particle.  flow: whether particles follow
    that velocity.  weights (n,) and ancestors (n,) for weighted particles, else None.  field: the velocity at any
    place, where it is a function of the place.  from_source: whether it starts from the source that was asked for, not
    from noise of its own.  choices: how many random choices make an end; 2 for one drawn from a cloud of draws.
    notes: what a reader must know.
    """

    t: NDArray[np.float64]
    x: Tensor
    speed: Curve
    kinetic: Curve
    entropy: Curve
    calls: float
    flow: bool
    weights: Tensor | None = None
    ancestors: Tensor | None = None
    field: Field | None = None
    tube: Tube | None = None
    from_source: bool = True
    choices: int = 1
    notes: tuple[str, ...] = ()

    @property
    def end(self) -> Tensor:
        return self.x[-1]

    def at_times(self, times: NDArray[np.float64], rows: NDArray[np.intp] | slice = slice(None)) -> Tensor:
        """States of some rows at any times (F,), straight between the records: (F, n, 2)."""
        position = np.interp(times, self.t, np.arange(len(self.t)))
        left = np.minimum(position.astype(int), len(self.t) - 2)
        share = torch.from_numpy(position - left)[:, None, None].to(self.x.dtype)
        x = self.x[:, rows]
        return torch.lerp(x[left], x[left + 1], share)

    def particles_alike(self, n: int) -> Tensor:
        """At most n rows that stand for the law at the end: the first ones, which are the same particles for every
        method, or systematic draws where weights differ."""
        count = self.x.shape[1]
        n = min(n, count)
        if self.weights is None:
            return torch.arange(n)
        positions = (torch.arange(n, dtype=torch.float64) + 0.5) / n
        return torch.searchsorted(self.weights.double().cumsum(0), positions).clamp(max=count - 1)

    def action(self) -> float:
        """int E|v|^2 dt over the shown stretch."""
        return integral(self.kinetic)

    def length(self) -> float:
        """int E|v| dt over the shown stretch."""
        return integral(self.speed)

    def straightness(self) -> float | None:
        """E|x_1 - x_0| over the length, 1 for straight paths; None where particles do not follow the flow."""
        if not self.flow:
            return None
        ends = self.at_times(np.array(SHOWN_TIMES))
        return float((ends[1] - ends[0]).norm(dim=1).mean()) / self.length()


def grid_of(curve: Curve) -> NDArray[np.float64]:
    """The curve's own times within the shown stretch, and its two ends."""
    low, high = SHOWN_TIMES
    inside = curve.t[(curve.t > low) & (curve.t < high)]
    return np.concatenate([[low], inside, [high]])


def integral(curve: Curve) -> float:
    """Trapezoidal integral over the shown stretch."""
    t = grid_of(curve)
    return float(np.trapezoid(curve.at(t), t))


def accumulated(curve: Curve, t: NDArray[np.float64]) -> NDArray[np.float64]:
    """The integral from the beginning of the shown stretch up to each of t (T,)."""
    own = grid_of(curve)
    values = curve.at(own)
    total = np.concatenate([[0.0], np.cumsum(0.5 * (values[1:] + values[:-1]) * np.diff(own))])
    return np.interp(t, own, total)


def speeds(t: NDArray[np.float64], velocities: list[Tensor]) -> tuple[Curve, Curve]:
    """(E|v|, E|v|^2) over time from velocities (n, 2) at each time."""
    squares = [(v**2).sum(1) for v in velocities]
    mean = np.array([float(s.sqrt().mean()) for s in squares])
    return Curve(t, mean), Curve(t, np.array([float(s.mean()) for s in squares]))
