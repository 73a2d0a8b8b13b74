"""The corridor with directions: matrix stiffness, linear drift, a temperature that changes over time.

dx = (A x + u) dt + sqrt(kappa) dW, minimise E int (|u|^2/(2 kappa) + (x - nu)' beta (x - nu)/2) dt, x(0) given,
Law(x(1)) = p1. As in the scalar case the optimal process is a mixture of Gaussian bridges, one to every end y ~ p1, and
two matrix Jacobi fields give them: (x; lam)' = M (x; lam) - (0; beta nu), M = [[A, kappa I], [beta, -A']].
Source: Chertkov, arXiv 2605.02961 (LQ-GM-PID); derived again, checked against brute-force conditioning.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import InvalidValue
from ..mixtures import GaussianMixture

STIFFEST = 2000.0
"""Largest eigenvalue of kappa beta: transfer matrices are not rescaled here."""

_SYMMETRIC = 1e-9


@dataclass(frozen=True, eq=False)
class MatrixProtocol:
    """A piecewise-constant protocol with matrices.

    stiffness: (K, d, d) symmetric, positive semi-definite.  guide: (K, d).  start: (d,).  temperature: (K,), above 0.
    drift: (d, d).  knots: (K + 1,), uniform when None.
    """

    stiffness: Tensor
    guide: Tensor
    start: Tensor
    temperature: Tensor
    drift: Tensor
    knots: Tensor | None = None

    def __post_init__(self) -> None:
        pieces, d = self.guide.shape
        for name, shape in (
            ("stiffness", (pieces, d, d)), ("start", (d,)), ("temperature", (pieces,)), ("drift", (d, d)),
        ):  # fmt: skip
            value = getattr(self, name)
            if value.shape != shape or not bool(torch.isfinite(value).all()):
                raise InvalidValue(f"{name} has shape {tuple(value.shape)}; it must be {shape}, all finite.")
        if not bool((self.temperature > 0).all()):
            raise InvalidValue(f"temperature is {self.temperature.tolist()}; each piece must lie above 0.")
        if float((self.stiffness - self.stiffness.mT).detach().abs().max()) > _SYMMETRIC * STIFFEST:
            raise InvalidValue("stiffness must be symmetric matrices.")
        sizes = torch.linalg.eigvalsh(self.stiffness.detach()) * self.temperature.detach()[:, None]
        if float(sizes.min()) < -_SYMMETRIC * STIFFEST or float(sizes.max()) > STIFFEST:
            raise InvalidValue(
                f"stiffness times temperature has eigenvalues from {float(sizes.min()):g} to {float(sizes.max()):g}; "
                f"they must lie in [0, {STIFFEST:g}]."
            )
        knots = torch.linspace(0, 1, pieces + 1, dtype=self.guide.dtype) if self.knots is None else self.knots
        if knots.shape != (pieces + 1,) or knots[0] != 0 or knots[-1] != 1 or not bool((knots.diff() > 0).all()):
            raise InvalidValue(f"knots must be {pieces + 1} numbers rising from 0 to 1, not {knots.tolist()}.")
        object.__setattr__(self, "knots", knots)


@dataclass(frozen=True)
class _Field:
    """X of a Jacobi field, a = +-Lam X^-1 and its load: lam = a x - load (forward) or lam = -a x + load (backward)."""

    X: Tensor
    a: Tensor
    load: Tensor


@dataclass(frozen=True)
class MatrixPoints:
    """x_t | y ~ N(alpha y + gamma, S) at T times inside (0, 1).

    t (T,); alpha (T, d, d), gamma (T, d), S (T, d, d); reach (T, d, d): X_M, which carries a deviation from one time to
    a later one; pull and push of u* = kappa (-hold x + pull yhat + push): hold, pull (T, d, d), push (T, d).
    """

    t: Tensor
    alpha: Tensor
    gamma: Tensor
    S: Tensor
    reach: Tensor
    hold: Tensor
    pull: Tensor
    push: Tensor

    def moments(self, mean: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
        """Mean (T, d) and covariance (T, d, d) of x_t for y with these moments."""
        return self.alpha @ mean + self.gamma, self.alpha @ covariance @ self.alpha.mT + self.S


class MatrixPath:
    """The Gaussian bridges of a protocol with matrices; exact for every piece, differentiable in all of it."""

    def __init__(self, protocol: MatrixProtocol):
        self.protocol = protocol
        pieces = len(protocol.guide)
        every = protocol.knots.diff()
        forward: list[_Field | None] = [None]
        for k in range(pieces):
            forward.append(self._advance(forward[k], k, every[k]))
        backward: list[_Field | None] = [None]
        for k in reversed(range(pieces)):
            backward.append(self._retreat(backward[-1], k, every[k]))
        backward.reverse()
        self._forward, self._backward = forward, backward

    def _transfer(self, k: int, h: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        """E11, E12, E21, E22 (d, d) and the inhomogeneity (c, e), each (d,), of piece k over the length h (or -h)."""
        p, d = self.protocol, self.protocol.guide.shape[1]
        one, zero = torch.eye(d, dtype=p.guide.dtype), torch.zeros(d, 1, dtype=p.guide.dtype)
        top = torch.cat([p.drift, p.temperature[k] * one, zero], 1)
        middle = torch.cat([p.stiffness[k], -p.drift.mT, -(p.stiffness[k] @ p.guide[k])[:, None]], 1)
        generator = torch.cat([top, middle, torch.zeros(1, 2 * d + 1, dtype=p.guide.dtype)])
        E = torch.linalg.matrix_exp(generator * h)
        return E[:d, :d], E[:d, d : 2 * d], E[d : 2 * d, :d], E[d : 2 * d, d : 2 * d], E[:d, -1], E[d : 2 * d, -1]

    def _advance(self, state: _Field | None, k: int, h: Tensor) -> _Field:
        """The field with X(0) = 0, Lam(0) = I, whose load carries x(0), over the length h of piece k."""
        E11, E12, E21, E22, c, e = self._transfer(k, h)
        if state is None:
            a = E22 @ torch.linalg.inv(E12)
            start = self.protocol.start
            return _Field(E12, a, a @ (E11 @ start + c) - E21 @ start - e)
        carry = E11 + E12 @ state.a
        a = (E21 + E22 @ state.a) @ torch.linalg.inv(carry)
        return _Field(carry @ state.X, a, a @ (c - E12 @ state.load) + E22 @ state.load - e)

    def _retreat(self, state: _Field | None, k: int, h: Tensor) -> _Field:
        """The field with X(1) = 0, Lam(1) = -I, over the length h back from the right of piece k."""
        F11, F12, F21, F22, c, e = self._transfer(k, -h)
        if state is None:
            a = -F22 @ torch.linalg.inv(F12)
            return _Field(-F12, a, a @ c + e)
        carry = F11 - F12 @ state.a
        a = -(F21 - F22 @ state.a) @ torch.linalg.inv(carry)
        return _Field(carry @ state.X, a, F22 @ state.load + e + a @ (F12 @ state.load + c))

    def at(self, t: Tensor) -> MatrixPoints:
        """The path at times (T,) inside (0, 1)."""
        knots = self.protocol.knots
        if not bool(((t > 0) & (t < 1)).all()):
            raise InvalidValue(f"times run from {float(t.min()):g} to {float(t.max()):g}; they must lie inside (0, 1).")
        ahead, behind = [], []
        for time in t:
            k = int(torch.searchsorted(knots, time, right=True)) - 1
            ahead.append(self._advance(self._forward[k], k, time - knots[k]))
            behind.append(self._retreat(self._backward[k + 1], k, knots[k + 1] - time))
        plus, minus = _stacked(ahead), _stacked(behind)
        S = torch.linalg.inv(plus.a + minus.a)
        S = 0.5 * (S + S.mT)
        return MatrixPoints(
            t=t,
            alpha=plus.X @ torch.linalg.inv(self._forward[-1].X),
            gamma=(S @ (plus.load + minus.load)[..., None])[..., 0],
            S=S,
            reach=minus.X,
            hold=minus.a,
            pull=torch.linalg.inv(minus.X).mT,
            push=minus.load,
        )

    def sample(self, ends: Tensor, t: Tensor, generator: torch.Generator) -> Tensor:
        """States (T, n, d) of the optimal process at rising times inside (0, 1), given where each particle ends (n, d).

        Bridge after bridge, without any step error: for ends drawn from p1 this *is* the optimal process.
        """
        at = self.at(t)
        centre = torch.einsum("tij,nj->tni", at.alpha, ends) + at.gamma[:, None]
        out, away = [], torch.zeros_like(ends)
        for n in range(len(t)):
            carry = torch.zeros_like(at.S[0]) if n == 0 else at.reach[n] @ torch.linalg.inv(at.reach[n - 1])
            left = at.S[n] if n == 0 else at.S[n] - carry @ at.S[n - 1] @ carry.mT
            eps = torch.randn(ends.shape, generator=generator, dtype=ends.dtype)
            away = away @ carry.mT + eps @ _root(left).mT
            out.append(centre[n] + away)
        return torch.stack(out)


def _stacked(fields: list[_Field]) -> _Field:
    return _Field(*(torch.stack([getattr(one, name) for one in fields]) for name in ("X", "a", "load")))


def _root(covariance: Tensor) -> Tensor:
    """A square root of a covariance that rounding may have made slightly indefinite."""
    sizes, axes = torch.linalg.eigh(0.5 * (covariance + covariance.mT))
    return axes * sizes.clamp(min=0).sqrt()


def predicted(points: MatrixPoints, n: int, target: GaussianMixture, x: Tensor) -> Tensor:
    """E[y | x_t = x] (b, d) at the n-th time, x (b, d): y ~ p1(y) exp(H.y - y'Ky/2), where H = alpha' S^-1 (x - gamma)
    and K = alpha' S^-1 alpha."""
    back = points.alpha[n].mT @ torch.linalg.inv(points.S[n])
    information, precision = (x - points.gamma[n]) @ back.mT, back @ points.alpha[n]
    own = torch.linalg.inv(target.covariances)
    covariance = torch.linalg.inv(own + precision)
    load = torch.einsum("nij,nj->ni", own, target.means) + information[:, None]
    means = torch.einsum("nij,bnj->bni", covariance, load)
    quadratic = 0.5 * ((load * means).sum(-1) - torch.einsum("ni,nij,nj->n", target.means, own, target.means))
    log_weight = target.log_prior + quadratic + 0.5 * (torch.logdet(covariance) - torch.logdet(target.covariances))
    return (torch.softmax(log_weight, 1)[..., None] * means).sum(1)


def directed(along: Tensor, stiff_along: Tensor | float, stiff_across: Tensor | float) -> Tensor:
    """Stiffness matrices (K, 2, 2) of a corridor with directions ``along`` (K, 2): k_a e e' + k_c n n'."""
    e = along / along.norm(dim=1, keepdim=True)
    n = torch.stack([-e[:, 1], e[:, 0]], 1)
    like = torch.ones(len(e), dtype=e.dtype)
    a, c = stiff_along * like, stiff_across * like
    return a[:, None, None] * e[:, :, None] * e[:, None, :] + c[:, None, None] * n[:, :, None] * n[:, None, :]
