"""Standard errors of what failures are judged by."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .failure import SURE, Number


def mean(values: ArrayLike) -> Number:
    """Mean of independent values (n,) and its standard error, None for one value."""
    values = np.asarray(values, dtype=float)
    error = float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else None
    return Number(float(values.mean()), error)


def jackknife(values: NDArray, statistic: Callable[[NDArray], float]) -> Number:
    """A statistic of independent rows (n, ...), n >= 2, and its standard error by leaving out one row at a time
    (Efron & Stein, Annals of Statistics 9, 586, 1981)."""
    n = len(values)
    left = np.array([statistic(np.delete(values, k, axis=0)) for k in range(n)])
    return Number(statistic(values), float(math.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum())))


def share(hits: int, draws: int) -> Number:
    """hits / draws and the standard deviation of the share under a uniform prior, which is not 0 at 0 or 1."""
    a, b = hits + 1, draws - hits + 1
    return Number(hits / draws, math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1))))


def percent(number: Number) -> Number:
    """A share in per cent."""
    return Number(*(None if x is None else 100 * x for x in (number.value, number.error)))


def apart(first: Number, second: Number) -> float:
    """first - second in standard errors of the difference; 0 where a number is missing or neither has an error."""
    if first.value is None or second.value is None:
        return 0.0
    error = math.hypot(first.error or 0.0, second.error or 0.0)
    return (first.value - second.value) / error if error > 0 else 0.0


def above(first: Number, second: Number) -> bool:
    """Whether the first is larger beyond chance."""
    return apart(first, second) > SURE


def spread(values: NDArray) -> float:
    """Standard deviation of values (n,)."""
    return float(values.std(ddof=1))


def mean_distance(pictures: NDArray) -> float:
    """Root mean square distance over pixels between two pictures of (n, s, s, 3), mean over all pairs."""
    flat = pictures.reshape(len(pictures), -1).astype(float)
    square = (flat**2).sum(1)
    gaps = (square[:, None] + square - 2 * flat @ flat.T).clip(0) / flat.shape[1]
    return float(np.sqrt(gaps[np.triu_indices(len(flat), 1)]).mean())
