"""Guided harmonic path-integral diffusion (GenSOT): from a protocol to a Gaussian probability path.

Minimise E int (|u|^2 / (2 kappa) + (beta/2) |x - nu|^2) dt over u for dx = u dt + sqrt(kappa) dW, x(0) given,
Law(x(1)) = p1. The optimal process is a Gaussian path for y ~ p1, found from two Jacobi fields by exact recursions
over the pieces of the protocol. Sources: Chertkov, arXiv 2512.11859 (GH-PID); Behjoo & Chertkov, arXiv 2409.15166.
The papers' Riccati form is singular at t = 0 and at zero stiffness; the Jacobi fields are not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from .errors import InvalidValue
from .paths import PathPoints, ProbabilityPath, time_tensor

MAX_STIFFNESS = 1e6


@dataclass(frozen=True)
class Protocol:
    """A piecewise-constant protocol on knots 0 = t_0 < ... < t_K = 1.

    stiffness: (K,), each in [0, 1e6], per unit time and temperature.  guide: (K, d), in data units.
    start: (d,), the known x(0).  temperature: kappa > 0.  knots: (K + 1,), uniform when None.
    """

    stiffness: Tensor
    guide: Tensor
    start: Tensor
    temperature: float = 1.0
    knots: Tensor | None = None

    def __post_init__(self) -> None:
        stiffness = torch.as_tensor(self.stiffness)
        if not stiffness.is_floating_point():
            stiffness = stiffness.double()
        stiffness = stiffness.reshape(-1)
        pieces = len(stiffness)
        if pieces == 0:
            raise InvalidValue("a protocol needs at least one piece; stiffness is empty.")
        like = {"dtype": stiffness.dtype, "device": stiffness.device}
        start = torch.as_tensor(self.start, **like).reshape(-1)
        guide = torch.as_tensor(self.guide, **like)
        if guide.dim() < 2:
            guide = guide.reshape(1, -1)
        if guide.shape[0] == 1:
            guide = guide.expand(pieces, -1)
        if guide.shape != (pieces, len(start)):
            raise InvalidValue(f"guide has shape {tuple(guide.shape)}; expected ({pieces}, {len(start)}).")
        knots = torch.linspace(0, 1, pieces + 1, **like) if self.knots is None else torch.as_tensor(self.knots, **like)
        if knots.shape != (pieces + 1,) or knots[0] != 0 or knots[-1] != 1 or not bool((knots.diff() > 0).all()):
            raise InvalidValue(f"knots must be {pieces + 1} numbers rising from 0 to 1, not {knots.tolist()}.")
        if not bool((torch.isfinite(stiffness) & (stiffness >= 0) & (stiffness <= MAX_STIFFNESS)).all()):
            raise InvalidValue(f"stiffness is {stiffness.tolist()}; each piece must lie in [0, {MAX_STIFFNESS:g}].")
        if not bool(torch.isfinite(guide).all() and torch.isfinite(start).all()):
            raise InvalidValue("guide and start must be finite numbers.")
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise InvalidValue(f"temperature is {self.temperature}; it must be a finite number above 0.")
        for name, value in (("stiffness", stiffness), ("guide", guide), ("start", start), ("knots", knots)):
            object.__setattr__(self, name, value)

    @property
    def dimension(self) -> int:
        """d, the number of coordinates."""
        return len(self.start)


@dataclass(frozen=True)
class _Jacobi:
    """Logarithmic derivative, log value and guide load of one Jacobi field, at T times or knots."""

    slope: Tensor  # aP = phiP'/phiP or aM = -phiM'/phiM
    log_phi: Tensor
    load: Tensor  # p or r, (T, d)


class _Length(NamedTuple):
    """T lengths h of pieces: w h, sinh(w h)/w, cosh(w h), cosh(w h) - 1, 1, and w sinh(w h), hyperbolic functions times
    e^{-w h}, so that nothing overflows; (T,) each. guide (T, d)."""

    wh: Tensor
    sh: Tensor
    ch: Tensor
    ch_minus_one: Tensor
    shrink: Tensor
    stiff: Tensor
    guide: Tensor

    def each(self) -> list[_Length]:
        """The same one by one, T = 1."""
        return [_Length(*one) for one in zip(*(part.split(1) for part in self), strict=True)]


class HarmonicPath(ProbabilityPath):
    """The path x_t | y ~ N(alpha y + gamma, s^2 I) of a protocol (docs/FORMULAS.md 1.2), exact for every piece.

    At t = 0: alpha = s = K = 0 and gamma = x_0; at t = 1: alpha = 1, s = gamma = 0, K = inf.
    Valid for stiffness 0 to 1e6. ``at`` costs O(T d) after an O(K d) set-up.
    """

    name = "GenSOT"

    def __init__(self, protocol: Protocol):
        self.protocol = protocol
        root = torch.sqrt(protocol.temperature * protocol.stiffness)  # w = sqrt(kappa beta)
        self._root = root
        pieces = len(root)
        over = self._lengths(slice(None), protocol.knots.diff()).each()
        forward: list[_Jacobi | None] = [None]  # entry k: state at the left end of piece k
        for k in range(pieces):
            forward.append(_advance(forward[k], over[k], protocol.start))
        backward: list[_Jacobi | None] = [None]  # built from the right: entry for the right end of piece k
        for k in reversed(range(pieces)):
            backward.append(_advance(backward[-1], over[k], None))
        backward.reverse()
        self._forward, self._backward = _joined(forward[1:-1]), _joined(backward[1:-1])  # at the inner knots
        self.end = forward[-1]  # phiP at t = 1
        self.begin = backward[0]  # phiM at t = 0

    def _lengths(self, piece: slice | Tensor, h: Tensor) -> _Length:
        """Lengths ``h`` (T,) of one piece each (T,)."""
        w = self._root[piece]
        wh, free = w * h, w == 0
        sh = torch.where(free, h, -torch.expm1(-2 * wh) / (2 * torch.where(free, 1.0, w)))
        ch = 0.5 * (1 + torch.exp(-2 * wh))
        return _Length(wh, sh, ch, 0.5 * torch.expm1(-wh) ** 2, torch.exp(-wh), w**2 * sh, self.protocol.guide[piece])

    def _fields(self, t: Tensor) -> tuple[_Jacobi, _Jacobi]:
        """Both Jacobi fields at interior times (T,)."""
        knots = self.protocol.knots
        piece = torch.clamp(torch.searchsorted(knots, t, right=True) - 1, 0, len(self._root) - 1)
        last = len(self._root) - 1
        ahead = self._carried(self._forward, piece - 1, piece, t - knots[piece], self.protocol.start)
        behind = self._carried(self._backward, torch.where(piece == last, -1, piece), piece, knots[piece + 1] - t, None)
        return ahead, behind

    def _carried(self, states: _Jacobi | None, knot: Tensor, piece: Tensor, h: Tensor, start: Tensor | None) -> _Jacobi:
        """A field over the lengths ``h`` (T,) of a piece each, from the inner knots (T,); -1 is the field's own end."""
        bare = knot < 0
        if states is None or bool(bare.all()):
            return _advance(None, self._lengths(piece, h), start)
        inner = ~bare
        at = knot[inner]
        state = _Jacobi(states.slope[at], states.log_phi[at], states.load[at])
        carried = _advance(state, self._lengths(piece[inner], h[inner]), start)
        if not bool(bare.any()):
            return carried
        own = _advance(None, self._lengths(piece[bare], h[bare]), start)
        order = torch.cat([inner.nonzero()[:, 0], bare.nonzero()[:, 0]]).argsort()
        parts = zip((carried.slope, carried.log_phi, carried.load), (own.slope, own.log_phi, own.load), strict=True)
        return _Jacobi(*(torch.cat(pair)[order] for pair in parts))

    def at(self, t: Tensor | float) -> PathPoints:
        kappa, like = self.protocol.temperature, self.protocol.stiffness
        t = time_tensor(t, like.dtype).to(like.device)
        inside = (t > 0) & (t < 1)
        plus, minus = self._fields(torch.where(inside, t, 0.5))
        total = plus.slope + minus.slope
        alpha = torch.exp(plus.log_phi - self.end.log_phi)
        s = torch.sqrt(kappa / total)
        gamma = (plus.load + minus.load) / total[:, None]
        log_K = self._log_K(plus, minus)
        b = torch.exp(-minus.log_phi)
        start, finish = t <= 0, t >= 1

        def ends(inner: Tensor, at_zero: Tensor | float, at_one: Tensor | float) -> Tensor:
            mask0, mask1 = (start, finish) if inner.dim() == 1 else (start[:, None], finish[:, None])
            inner = torch.where(mask0, torch.as_tensor(at_zero, dtype=inner.dtype, device=inner.device), inner)
            return torch.where(mask1, torch.as_tensor(at_one, dtype=inner.dtype, device=inner.device), inner)

        inf, x0 = math.inf, self.protocol.start
        b0, aM0, r0 = torch.exp(-self.begin.log_phi), self.begin.slope, self.begin.load
        return PathPoints(
            t=t,
            a=ends(alpha, 0.0, 1.0),
            da=ends(b - minus.slope * alpha, b0, self.end.slope),
            m=ends(s, 0.0, 0.0),
            dm=ends(0.5 * kappa / s - minus.slope * s, inf, -inf),
            log_K=ends(log_K, -inf, inf),
            relaxation=ends(minus.slope, aM0, inf),
            pull=ends(b, b0, inf),
            diffusivity=torch.full_like(t, kappa),
            g=ends(gamma, x0, 0.0),
            dg=ends(minus.load - minus.slope[:, None] * gamma, r0 - aM0 * x0, -self.end.load),
            push=ends(minus.load, r0, 0.0),
        )

    def _log_K(self, plus: _Jacobi, minus: _Jacobi) -> Tensor:
        return plus.log_phi - self.end.log_phi - minus.log_phi - math.log(self.protocol.temperature)

    def log_information(self, t: Tensor) -> Tensor:
        log_K = self._log_K(*self._fields(torch.where((t > 0) & (t < 1), t, 0.5)))
        return torch.where(t <= 0, -math.inf, torch.where(t >= 1, math.inf, log_K))

    def times_of_sigma(self, sigma: Tensor) -> Tensor:
        p = self.protocol
        if p.dimension > 1:  # K does not depend on the guide: search along the path of a single coordinate
            single = Protocol(p.stiffness, p.guide.new_zeros(len(p.guide), 1), p.start[:1] * 0, p.temperature, p.knots)
            return HarmonicPath(single).times_of_sigma(sigma)
        return super().times_of_sigma(sigma)

    @property
    def end_precision(self) -> float:
        """k_G = aP(1)/kappa: precision in y of the uncontrolled Green function G(0, x_0; 1, y)."""
        return float(self.end.slope) / self.protocol.temperature

    @property
    def end_mean(self) -> Tensor:
        """m_G = p(1)/aP(1), shape (d,): where the uncontrolled process would end."""
        return self.end.load[0] / self.end.slope[0]


def _advance(state: _Jacobi | None, over: _Length, start: Tensor | None) -> _Jacobi:
    """One field carried over T lengths; ``state`` None is the field's own end.

    ``start`` is x_0 for the forward field's first piece; the backward field starts from 0.
    """
    if state is None:
        anchor = 0.0 if start is None else start * over.shrink[:, None]
        load = (anchor + over.guide * over.ch_minus_one[:, None]) / over.sh[:, None]
        return _Jacobi(over.ch / over.sh, over.wh + torch.log(over.sh), load)
    growth = over.ch + state.slope * over.sh
    force = over.stiff + state.slope * over.ch_minus_one
    load = (state.load * over.shrink[:, None] + over.guide * force[:, None]) / growth[:, None]
    slope = (over.stiff + state.slope * over.ch) / growth
    return _Jacobi(slope, state.log_phi + over.wh + torch.log(growth), load)


def _joined(states: list[_Jacobi]) -> _Jacobi | None:
    """States of one knot each as one of all; None of none."""
    if not states:
        return None
    return _Jacobi(*(torch.cat([getattr(one, name) for one in states]) for name in ("slope", "log_phi", "load")))


def constant_protocol(
    stiffness: float, guide: Tensor, start: Tensor | None = None, temperature: float = 1.0
) -> Protocol:
    """One piece with a fixed guide (d,); ``start`` defaults to the guide's origin 0."""
    guide = torch.as_tensor(guide, dtype=torch.float64).reshape(1, -1)
    start = torch.zeros_like(guide[0]) if start is None else start
    return Protocol(torch.tensor([stiffness], dtype=torch.float64), guide, start, temperature)
