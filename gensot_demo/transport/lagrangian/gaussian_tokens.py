"""Gaussian tokens: a Gaussian law of tokens stays Gaussian under attention, until its covariance blows up.

Softmax tilts the law N(m, S) by e^{beta <Q x, K y>}, which moves its mean by beta S K'Q x. So the velocity of a token
at x is V (m + beta S K'Q x), and with A = beta Q'K: S' = V S A' S + S A S V', m' = V (m + S A' m) (docs/FORMULAS.md 5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidValue

_HUGE = 1e8  # a covariance grown by this factor has 1e-8 of its time left
_LONGEST = 1e3


@dataclass(frozen=True, eq=False)
class GaussianTokens:
    """Mean (F, d) and covariance (F, d, d) at times (F,).

    blow_up: when the covariance becomes infinite, or inf; exact: whether from a closed form.  Times after ``largest``
    of :func:`gaussian_tokens` are left out.
    """

    times: NDArray[np.float64]
    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    blow_up: float
    exact: bool


def blow_up_time(covariance: NDArray, values: NDArray, looks: NDArray) -> tuple[float, bool]:
    """When the covariance becomes infinite, and whether that is a closed form.

    looks: A = beta Q'K.  With V = c I and A = a I an eigenvalue s of the covariance obeys s' = 2 a c s^2, so it is
    s / (1 - 2 a c s t) and blows up at 1 / (2 a c s). Else the equation is integrated until it has grown 1e8-fold.
    """
    _checked(covariance)
    c, a = values[0, 0], looks[0, 0]
    eye = np.eye(len(covariance))
    if np.allclose(values, c * eye) and np.allclose(looks, a * eye):
        rate = 2 * a * c * np.linalg.eigvalsh(covariance)[-1]
        return (1 / rate if rate > 0 else math.inf), True
    solved = _solved(covariance, np.zeros(len(covariance)), values, looks, _LONGEST, _HUGE)
    return (float(solved.t_events[0][0]) if len(solved.t_events[0]) else math.inf), False


def gaussian_tokens(
    mean: NDArray, covariance: NDArray, values: NDArray, looks: NDArray, end: float, growth: float, frames: int
) -> GaussianTokens:
    """The law at ``frames`` equal times up to ``end``, or to where the largest variance has grown ``growth``-fold.

    mean (d,); covariance, values = V and looks = A = beta Q'K, all (d, d).

    Raises:
        InvalidValue: the covariance is not symmetric and positive.
    """
    _checked(covariance)
    blow_up, exact = blow_up_time(covariance, values, looks)
    solved = _solved(covariance, mean, values, looks, end, growth)
    times = np.linspace(0, solved.t[-1], frames)
    d, found = len(mean), solved.sol(times).T
    return GaussianTokens(times, found[:, :d], found[:, d:].reshape(-1, d, d), blow_up, exact)


def _checked(covariance: NDArray) -> None:
    if not np.allclose(covariance, covariance.T) or np.linalg.eigvalsh(covariance)[0] <= 0:
        raise InvalidValue(f"The covariance is {covariance.tolist()}; it must be symmetric and positive.")


def _solved(covariance: NDArray, mean: NDArray, values: NDArray, looks: NDArray, end: float, growth: float):
    from scipy.integrate import solve_ivp

    d = len(mean)
    most = growth * np.linalg.eigvalsh(covariance)[-1]

    def slope(_: float, y: NDArray) -> NDArray:
        m, s = y[:d], y[d:].reshape(d, d)
        half = values @ s @ looks.T
        return np.concatenate([values @ m + half @ m, (half @ s + s @ half.T).ravel()])

    def grown(_: float, y: NDArray) -> float:
        return float(np.linalg.eigvalsh(y[d:].reshape(d, d))[-1]) - most

    grown.terminal = True
    y = np.concatenate([mean, covariance.ravel()])
    return solve_ivp(slope, (0, end), y, rtol=1e-8, atol=1e-12, dense_output=True, events=grown)
