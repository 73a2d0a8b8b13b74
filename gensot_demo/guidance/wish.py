"""What is asked of the terminal state beyond conditions: a log-likelihood or a reward r(y), with its gradient.

Every wish asks for the law p(y | c) e^{r(y)} / Z. Methods know nothing else of it, so any of them meets any wish.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

_ITERATIONS = 50
_TOLERANCE = 1e-6
_REACH = 3.0


def bounded(shift: Tensor, variance: float) -> Tensor:
    """``shift`` (n, d) of a predicted state, each row shortened to at most 3 sqrt(variance d).

    Three times what a state of that posterior variance is away from its mean: a trust region. Without it, one step of
    a steep reward throws the state where no model has been trained, or to infinity.
    """
    most = _REACH * math.sqrt(variance * shift.shape[1])
    length = torch.linalg.vector_norm(shift, dim=1, keepdim=True)
    return shift * (most / length.clamp(min=1e-30)).clamp(max=1.0)


class Wish(ABC):
    """r(y). ``sentence``: what is asked for, in plain words."""

    sentence: str = ""

    @abstractmethod
    def reward(self, y: Tensor) -> Tensor:
        """r(y) in nats (n,) of states (n, d); differentiable."""

    def gradient(self, y: Tensor) -> Tensor:
        """grad r(y), (n, d)."""
        with torch.enable_grad():
            y = y.detach().requires_grad_(True)
            return torch.autograd.grad(self.reward(y).sum(), y)[0]

    def smoothed(self, predicted: Tensor, variance: float, draws: Tensor) -> tuple[Tensor, Tensor]:
        """grad log Psi (n, d) and log Psi = log E e^{r(y)} (n,) of y ~ N(predicted, variance I), estimated from
        ``draws``, standard normals (M, n, d) or (M, 1, d): the slope is sum_m softmax(r(y_m)) grad r(y_m)."""
        y = predicted + math.sqrt(variance) * draws  # (M, n, d)
        flat = y.reshape(-1, y.shape[-1])
        rewards = self.reward(flat).detach().reshape(y.shape[:2])
        shares = torch.softmax(rewards, 0)
        slope = (shares[..., None] * self.gradient(flat).reshape(y.shape)).sum(0)
        return slope, torch.logsumexp(rewards, 0) - math.log(len(y))

    def tilt(self, predicted: Tensor, variance: float, draws: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(E[y] (n, d), log Psi = log E e^{r} (n,)) of y ~ N(predicted, variance I) under the weight e^{r(y)}.

        An estimate from ``draws``, standard normals (M, n, d): the mean moves by v sum_m softmax(r(y_m)) grad r(y_m)
        (docs/FORMULAS.md 1.6), so the reward's gradient is needed and the model's is not. It moves by no more than
        :func:`bounded` allows: a few draws of a steep reward do not know how far.
        """
        if draws is None:
            raise ValueError("a reward without a closed form needs draws.")
        slope, log_psi = self.smoothed(predicted, variance, draws)
        return predicted + bounded(variance * slope, variance), log_psi


class LinearView(Wish):
    """A noisy measurement of the state: observed = A y + b + noise eps, r(y) = -|observed - A y - b|^2 / (2 noise^2).

    measure: affine, states (n, d) to measurements (n, k), differentiable.  observed: (k,).  noise: its standard
    deviation per measured number, above 0.
    """

    def __init__(
        self, measure: Callable[[Tensor], Tensor], observed: Tensor, noise: float, dimension: int, sentence: str = ""
    ):
        self.measure, self.observed, self.noise, self.sentence = measure, observed, noise, sentence
        self._blank = torch.zeros(1, dimension, dtype=observed.dtype, device=observed.device)
        self._offset = measure(self._blank)

    def residual(self, y: Tensor) -> Tensor:
        """observed - A y - b, (n, k)."""
        return self.observed - self.measure(y)

    def reward(self, y: Tensor) -> Tensor:
        return -0.5 * self.residual(y).square().sum(1) / self.noise**2

    def adjoint(self, v: Tensor) -> Tensor:
        """A^T v, (n, d), for v (n, k)."""
        with torch.enable_grad():
            y = self._blank.expand(len(v), -1).clone().requires_grad_(True)
            return torch.autograd.grad((self.measure(y) * v).sum(), y)[0]

    def gradient(self, y: Tensor) -> Tensor:
        return self.adjoint(self.residual(y)) / self.noise**2

    def solve(self, v: Tensor, variance: float, noise: float | None = None) -> Tensor:
        """(variance A A^T + noise^2 I)^{-1} v, (n, k), by conjugate gradients on all rows at once."""
        square = (self.noise if noise is None else noise) ** 2

        def apply(w: Tensor) -> Tensor:
            return variance * (self.measure(self.adjoint(w)) - self._offset) + square * w

        out, residue = torch.zeros_like(v), v.clone()
        direction, size = residue.clone(), residue.square().sum(1, keepdim=True)
        goal = _TOLERANCE**2 * size
        for _ in range(_ITERATIONS):
            if bool((size <= goal).all()):
                break
            turned = apply(direction)
            step = size / (direction * turned).sum(1, keepdim=True).clamp(min=1e-30)
            out, residue = out + step * direction, residue - step * turned
            new = residue.square().sum(1, keepdim=True)
            direction, size = residue + new / size.clamp(min=1e-30) * direction, new
        return out

    def correction(self, predicted: Tensor, variance: float) -> Tensor:
        """grad log E e^{r(y)} of y ~ N(predicted, variance I): A^T (variance A A^T + noise^2 I)^{-1} residual."""
        return self.adjoint(self.solve(self.residual(predicted), variance))

    def tilt(self, predicted: Tensor, variance: float, draws: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """In closed form; log Psi without its constant, which is the same for all states."""
        residual = self.residual(predicted)
        solved = self.solve(residual, variance)
        return predicted + variance * self.adjoint(solved), -0.5 * (residual * solved).sum(1)

    def noised(self, eps: Tensor, level: float) -> Tensor:
        """``observed`` with the noise that a state of noise ``level`` would show, for normals eps (n, d): (n, k)."""
        return self.observed + level * (self.measure(eps) - self._offset)

    def projected(self, y: Tensor, measured: Tensor) -> Tensor:
        """The nearest state whose measurement is ``measured`` (k,) or (n, k): y + A^+ (measured - A y - b)."""
        missing = measured - self.measure(y)
        return y + self.adjoint(self.solve(missing, 1.0, noise=1e-4))


def view_of(reference: Tensor, precision: float) -> LinearView:
    """The wish to follow a state (d,): a view of all of it with noise 1/sqrt(precision)."""
    return LinearView(
        lambda y: y, reference, 1 / math.sqrt(precision), len(reference), "to look like the picture that is followed"
    )
