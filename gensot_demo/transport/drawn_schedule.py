"""A schedule that a person drew: knots to a Gaussian path, or a sentence on what breaks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from scipy.interpolate import PchipInterpolator
from torch import Tensor

from .errors import InvalidValue
from .paths import SchedulePath

MOST_KNOTS = 200
_LARGEST = 1e3  # of a and m
_BREAKS = (
    "The path would meet one noise level twice and have to un-decide what was decided, so no flow leads from noise "
    "level to sample"
)


class DrawnPath(SchedulePath):
    """A path through knots (t, a, m), t rising within [0, 1], with a/m strictly rising from 0 to infinity.

    Between knots the share of noise u = m/(a + m) and the size a + m are monotone cubics, so a/m rises everywhere.
    Ends that were not drawn are (a, m) = (0, 1) at t = 0 and (1, 0) at t = 1. Raises :class:`InvalidValue` saying where
    the drawing turns back, stands still, goes back in time or leaves the quarter plane, and what that breaks.
    """

    name = "Drawn"

    def __init__(self, knots: Sequence[Sequence[float]] | Tensor):
        self.knots = _checked(torch.as_tensor(knots, dtype=torch.float64))
        t, a, m = self.knots.T.numpy()
        self._share, self._size = PchipInterpolator(t, m / (a + m)), PchipInterpolator(t, a + m)
        self._share_rate, self._size_rate = self._share.derivative(), self._size.derivative()

    @classmethod
    def of_noise_share(cls, knots: Sequence[Sequence[float]] | Tensor) -> DrawnPath:
        """The path a = 1 - u, m = u through knots (t, u) of the share of noise, which falls from 1 to 0."""
        rows = torch.as_tensor(knots, dtype=torch.float64).reshape(-1, 2)
        if bool((rows[:, 1] < 0).any() or (rows[:, 1] > 1).any()):
            raise InvalidValue(
                f"the share of noise must lie in [0, 1]; drawn from {rows[:, 1].min():g} to {rows[:, 1].max():g}."
            )
        return cls(torch.stack([rows[:, 0], 1 - rows[:, 1], rows[:, 1]], 1))

    @property
    def corners(self) -> Tensor:
        return self.knots[:, 0]

    def schedule(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        at = t.numpy()
        u, s, du, ds = (
            torch.from_numpy(np.asarray(f(at))) for f in (self._share, self._size, self._share_rate, self._size_rate)
        )
        u = u.clamp(0.0, 1.0)
        return s * (1 - u), ds * (1 - u) - s * du, s * u, ds * u + s * du


def _checked(rows: Tensor) -> Tensor:
    """Knots with both ends, shape (K, 3); raises :class:`InvalidValue` where they make no path."""
    if rows.dim() != 2 or rows.shape[1:] != (3,) or not 0 < len(rows) <= MOST_KNOTS:
        raise InvalidValue(f"a drawn schedule has 1 to {MOST_KNOTS} knots (t, a, m), not a table {tuple(rows.shape)}.")
    if not bool(torch.isfinite(rows).all()) or not bool(((rows >= 0) & (rows <= _LARGEST)).all()):
        raise InvalidValue(f"t, a and m of a drawn schedule must be numbers from 0 to {_LARGEST:g}.")
    if float(rows[:, 0].max()) > 1:
        raise InvalidValue(f"time goes from 0 to 1; a knot was drawn at t = {float(rows[:, 0].max()):g}.")
    if rows[0, 0] > 0:
        rows = torch.cat([torch.tensor([[0.0, 0.0, 1.0]], dtype=rows.dtype), rows])
    if rows[-1, 0] < 1:
        rows = torch.cat([rows, torch.tensor([[1.0, 1.0, 0.0]], dtype=rows.dtype)])
    for before, after in zip(rows[:-1].tolist(), rows[1:].tolist(), strict=True):
        _require_progress(before, after)
    if rows[0, 1] > 0 or rows[-1, 2] > 0 or rows[0, 2] == 0 or rows[-1, 1] == 0:
        raise InvalidValue(
            f"the drawn schedule goes from (a, m) = ({rows[0, 1]:g}, {rows[0, 2]:g}) to ({rows[-1, 1]:g}, "
            f"{rows[-1, 2]:g}); it must start as noise alone, a = 0, and end as data alone, m = 0."
        )
    return rows


def _require_progress(before: list[float], after: list[float]) -> None:
    (t0, a0, m0), (t1, a1, m1) = before, after
    if t1 <= t0:
        raise InvalidValue(
            f"the drawn schedule goes back in time, from t = {t0:.3g} to t = {t1:.3g}: one time would have two noise "
            "levels. Draw from left to right."
        )
    if a0 + m0 == 0 or a1 + m1 == 0:
        raise InvalidValue(
            f"a and m are both 0 at t = {t0 if a0 + m0 == 0 else t1:.3g}: every sample would be in one place there, "
            "and nothing could tell them apart afterwards."
        )
    share0, share1 = m0 / (a0 + m0), m1 / (a1 + m1)
    if share1 >= share0:
        what = "rises again" if share1 > share0 else "stands still"
        raise InvalidValue(
            f"the share of noise {what} between t = {t0:.3g} and t = {t1:.3g} ({share0:.3g} to {share1:.3g}). "
            f"{_BREAKS}. Draw a curve on which it always falls."
        )
