"""Gaussian tokens: a Gaussian law of tokens stays Gaussian under attention, until its covariance blows up.

Softmax tilts the law N(m, S) by e^{beta <Q x, K y>}, which moves its mean by beta S K'Q x. So the velocity of a token
at x is V (m + beta S K'Q x), and with A = beta Q'K: S' = V S A' S + S A S V', m' = V (m + S A' m) (docs/FORMULAS.md 5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidValue

if TYPE_CHECKING:
    from scipy.integrate import OdeSolution

_HUGE = 1e8  # a covariance grown by this factor has 1e-8 of its time left
STEPS = 400  # of the solver: 0.15 s
_TOLERANCES = {"rtol": 1e-8, "atol": 1e-12}

Ended = Literal["asked", "grown", "far", "spent"]
"""Why a law ends: where it was asked to; variance grown enough; mean too far; too many steps of the solver."""


@dataclass(frozen=True, eq=False)
class GaussianTokens:
    """Mean (F, d) and covariance (F, d, d) at times (F,).

    blow_up: when the covariance becomes infinite, or inf if not before ``searched``, which is inf where blow_up is
    from a closed form.  solution: mean and covariance, in one vector, over time.
    """

    times: NDArray[np.float64]
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    blow_up: float
    searched: float
    ended: Ended
    solution: OdeSolution

    @property
    def exact(self) -> bool:
        """Whether the blow-up is from a closed form."""
        return math.isinf(self.searched)

    def until(self, end: float) -> GaussianTokens:
        """The same law at as many equal times up to ``end``, no later than its own."""
        times = np.linspace(0, end, len(self.times))
        return replace(self, times=times, **_parts(self.solution, times, self.mean.shape[1]))


def blow_up_time(covariance: NDArray, values: NDArray, looks: NDArray) -> float | None:
    """When the covariance becomes infinite, inf if never, None where there is no closed form.

    looks: A = beta Q'K.  With A = a I and V = c I, or in the plane V = c R(theta), which also turns the covariance, an
    eigenvalue s of it obeys s' = 2 a c cos(theta) s^2, so it is s / (1 - 2 a c cos(theta) s t).

    In the plane V S^2 + S^2 V' = c (2 cos(theta) S^2 + sin(theta) tr(S) (J S - S J)), J the quarter turn, and the last
    term only turns S.
    """
    d = len(covariance)
    a, along = looks[0, 0], values[0, 0]
    turning = along * np.eye(d)
    if d == 2:
        turning = turning + values[1, 0] * np.array([[0, -1], [1, 0]])
    if not (np.allclose(looks, a * np.eye(d)) and np.allclose(values, turning)):
        return None
    rate = 2 * a * along * np.linalg.eigvalsh(covariance)[-1]
    return 1 / rate if rate > 1e-12 else math.inf  # a quarter turn has a cosine of 6e-17


def gaussian_tokens(
    mean: NDArray,
    covariance: NDArray,
    values: NDArray,
    looks: NDArray,
    end: float,
    growth: float,
    frames: int,
    farthest: float = math.inf,
    steps: int = STEPS,
) -> GaussianTokens:
    """The law at ``frames`` equal times up to ``end``, or to where the largest variance has grown ``growth``-fold, the
    mean is ``farthest`` from the origin, or the solver has made ``steps`` steps.

    mean (d,); covariance, values = V and looks = A = beta Q'K, all (d, d).  Where no closed form says when it blows
    up, as many steps again look for that, up to ``end``.

    Raises:
        InvalidValue: the covariance is not symmetric and positive.
    """
    if not np.allclose(covariance, covariance.T) or np.linalg.eigvalsh(covariance)[0] <= 0:
        raise InvalidValue(f"The covariance is {covariance.tolist()}; it must be symmetric and positive.")
    d = len(mean)
    most = growth * _largest(covariance)

    def over(y: NDArray) -> float:
        """Positive once the law has to end."""
        return max(_largest(y[d:].reshape(d, d)) / most - 1, math.sqrt(y[:d] @ y[:d]) / farthest - 1)

    solution, ended = _solved(mean, covariance, values, looks, end, over, steps)
    last = float(solution.ts[-1])
    if ended == "grown" and _largest(solution(last)[d:].reshape(d, d)) < 0.999 * most:
        ended = "far"
    blow_up, searched = blow_up_time(covariance, values, looks), math.inf
    if blow_up is None:
        grown = solution(last)[d:].reshape(d, d)
        blow_up, searched = _looked_for(grown, values, looks, last, end, _HUGE * _largest(covariance), steps)
    times = np.linspace(0, last, frames)
    return GaussianTokens(
        times, **_parts(solution, times, d), blow_up=blow_up, searched=searched, ended=ended, solution=solution
    )


def _parts(solution: OdeSolution, times: NDArray, d: int) -> dict[str, NDArray[np.float64]]:
    found = solution(times).T
    return {"mean": found[:, :d], "covariance": found[:, d:].reshape(-1, d, d)}


def _largest(covariance: NDArray) -> float:
    return float(np.linalg.eigvalsh(covariance)[-1])


def _looked_for(
    covariance: NDArray, values: NDArray, looks: NDArray, start: float, end: float, most: float, steps: int
) -> tuple[float, float]:
    """When the covariance, this one at ``start``, becomes infinite, or inf; and up to when that was looked for."""
    d = len(covariance)
    if start >= end:
        return math.inf, end

    def over(y: NDArray) -> float:
        return _largest(y.reshape(d, d)) / most - 1

    solution, ended = _solved(np.empty(0), covariance, values, looks, end - start, over, steps)
    last = start + float(solution.ts[-1])
    if ended == "grown":
        s = solution(solution.ts[-1]).reshape(d, d)
        spreads, axes = np.linalg.eigh(s)
        rate = 2 * float(axes[:, -1] @ values @ s @ looks.T @ s @ axes[:, -1])
        if rate > 0 and spreads[-1] / rate < 1e-3 * last:  # else it grows no faster than exponentially
            return last + spreads[-1] / rate, last
    return math.inf, last


def _solved(mean, covariance, values, looks, end, over, steps) -> tuple[OdeSolution, Ended]:
    """Mean, of any length, and covariance up to ``end``, to where ``over`` becomes positive, or after so many steps."""
    from scipy.integrate import DOP853, OdeSolution
    from scipy.optimize import brentq

    d, n = len(covariance), len(mean)

    def slope(_: float, y: NDArray) -> NDArray:
        s = y[n:].reshape(d, d)
        half = values @ s @ looks.T
        turned = half @ s
        moved = (turned + turned.T).ravel()
        return np.concatenate([values @ y[:n] + half @ y[:n], moved]) if n else moved

    solver = DOP853(slope, 0.0, np.concatenate([mean, covariance.ravel()]), end, **_TOLERANCES)
    times, between, ended = [0.0], [], "asked"
    while solver.status == "running" and ended == "asked":
        solver.step()
        if solver.status == "failed":
            ended = "spent"
            break
        between.append(solver.dense_output())
        times.append(solver.t)
        if over(solver.y) > 0:
            times[-1] = brentq(lambda t: over(between[-1](t)), times[-2], times[-1], xtol=1e-14, rtol=1e-13)
            ended = "grown"
        elif len(between) >= steps and solver.status == "running":
            ended = "spent"
    return OdeSolution(times, between), ended
