"""How well a method's samples do what was asked of them: one or two numbers a task, each with its unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.guidance.wish import Wish

from .measurements import misfit
from .wishes import Reward


@dataclass(frozen=True)
class Success:
    """label: of the number, for a table's heading, with ``about`` to explain it.  values: one per sample."""

    label: str
    unit: str
    about: str
    values: tuple[float, ...]

    @property
    def value(self) -> float:
        """Mean over the samples."""
        return float(np.mean(self.values))

    @property
    def error(self) -> float | None:
        """Standard error of the mean, None for a single sample."""
        n = len(self.values)
        return float(np.std(self.values, ddof=1) / np.sqrt(n)) if n > 1 else None


def success(
    wish: Wish | None,
    followed: NDArray[np.float64] | None,
    truth: NDArray[np.uint8] | None,
    states: Tensor,
    pictures: NDArray[np.uint8],
) -> tuple[Success, ...]:
    """What became of the task in end states (n, d) and their pictures (n, s, s, 3); nothing for conditions alone.

    wish: the request's, or None.  followed, truth: picture to follow or to restore (s, s, 3), or None.
    """
    found = []
    if followed is not None:
        about = "Root mean square over pixels and channels; of two pictures, to their mean by trust."
        found.append(Success("To the picture", "grey levels", about, _distances(pictures, followed)))
    if truth is not None:
        about = "Root mean square distance over pixels and channels to the picture that was measured."
        found.append(Success("To the true picture", "grey levels", about, _distances(pictures, truth)))
        about = "Root mean square misfit of what was measured, in units of its noise: about 1 explains it."
        found.append(Success("Misfit", "of the noise", about, tuple(misfit(wish, states).tolist())))
    if isinstance(wish, Reward):
        quantity = wish.quantity
        with torch.no_grad():
            values = tuple(quantity.value(states).double().cpu().tolist())
        found.append(Success(quantity.label, quantity.unit, quantity.about, values))
    return tuple(found)


def _distances(pictures: NDArray[np.uint8], goal: NDArray) -> tuple[float, ...]:
    away = pictures.astype(float) - goal.astype(float)
    return tuple(np.sqrt((away**2).mean((1, 2, 3))).tolist())
