"""Guide templates of the navigation cases: straight, V-neck, S-tunnel, frozen (Chertkov, arXiv 2512.11859, case A)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .errors import InvalidValue
from .harmonic import Protocol

_NO_DIRECTION = 1e-6  # a corridor shorter than this has none of its own; it takes the first axis
SHAPES = ("none", "straight", "S", "V", "V frozen")


def guide_curve(shape: str, t: Tensor, end: Tensor, amplitude: float = 1.5) -> Tensor:
    """The planar guide nu(t) (T, 2) from 0 to ``end`` (2,): a straight line plus a transverse offset Delta(t) n,
    n = (-e_2, e_1). "V frozen" stays at the V's apex from t = 1/2 on; "none" is the origin."""
    if shape not in SHAPES:
        raise InvalidValue(f"guide {shape!r} is unknown; choose one of {', '.join(SHAPES)}.")
    if shape == "none":
        return torch.zeros(len(t), 2, dtype=t.dtype)
    if shape == "V frozen":
        shape, t = "V", torch.clamp(t, max=0.5)
    length = torch.linalg.norm(end)
    direction = end / length if length > _NO_DIRECTION else torch.tensor([1.0, 0.0], dtype=end.dtype)
    normal = torch.stack((-direction[1], direction[0]))
    offset = {
        "straight": torch.zeros_like(t),
        "S": amplitude * torch.sin(2 * math.pi * t),
        "V": -amplitude * (1 - torch.abs(2 * t - 1)),
    }[shape]
    return t[:, None] * end + offset[:, None] * normal


def guided_protocol(
    shape: str,
    stiffness: float,
    end: Tensor,
    pieces: int = 20,
    amplitude: float = 1.5,
    temperature: float = 1.0,
    start: Tensor | None = None,
) -> Protocol:
    """A protocol that holds the template at piece midpoints, its first and last piece pinned to the curve's ends.
    start: x(0) (2,), from where the template leads to ``end``; the origin unless told."""
    end = torch.as_tensor(end, dtype=torch.float64)
    start = torch.zeros_like(end) if start is None else torch.as_tensor(start, dtype=torch.float64)
    times = _piece_times(pieces)
    guide = start + guide_curve(shape, times, end - start, amplitude)
    return Protocol(torch.full((pieces,), stiffness, dtype=torch.float64), guide, start, temperature)


def drawn_protocol(
    curve: Tensor, stiffness: float, start: Tensor, pieces: int = 20, temperature: float = 1.0
) -> Protocol:
    """A protocol that follows a drawn curve (n, 2) at constant speed; one point is a guide that rests there."""
    curve = torch.as_tensor(curve, dtype=torch.float64)
    if curve.dim() != 2 or curve.shape[1] != 2 or not len(curve) or not bool(torch.isfinite(curve).all()):
        raise InvalidValue("the drawn guide must hold at least one point of finite numbers.")
    guide = along_curve(curve, _piece_times(pieces))
    return Protocol(torch.full((pieces,), stiffness, dtype=torch.float64), guide, start, temperature)


def recorded_protocol(protocol: Protocol, times: Tensor, states: Tensor, pieces: int = 12) -> Protocol:
    """``protocol``, one piece of it, with a guide that follows recorded states (S, d) of rising times (S,): on each of
    ``pieces`` equal pieces the state at its middle, straight between two records. Start and stiffness stay."""
    if len(protocol.stiffness) != 1:
        raise InvalidValue(f"the protocol has {len(protocol.stiffness)} pieces; one is expected.")
    if len(times) != len(states) or not len(times) or not bool((times.diff() > 0).all()):
        raise InvalidValue(f"{len(times)} times and {len(states)} states; as many of each, at rising times.")
    times, states = times.double().cpu(), states.double().cpu()
    middles = ((torch.arange(pieces, dtype=torch.float64) + 0.5) / pieces).clamp(times[0], times[-1])
    right = torch.searchsorted(times, middles).clamp(1, max(len(times) - 1, 1)) % len(times)
    left = (right - 1).clamp(min=0)
    share = ((middles - times[left]) / (times[right] - times[left]).clamp(min=1e-300))[:, None]
    guide = (1 - share) * states[left] + share * states[right]
    return Protocol(protocol.stiffness.expand(pieces), guide, protocol.start, protocol.temperature)


def smooth_curve(knots: Tensor, pieces: int = 12) -> Tensor:
    """The uniform Catmull-Rom spline through knots (n, 2), ``pieces`` points between neighbours: what the drawing pad
    shows through its knots."""
    if len(knots) < 3:
        return knots
    around = torch.cat([knots[:1], knots, knots[-1:]])
    before, here, there, after = (around[k : len(around) - 3 + k, None] for k in range(4))
    s = torch.linspace(0, 1, pieces + 1, dtype=knots.dtype)[None, :-1, None]
    bend = 0.5 * (
        2 * here
        + (there - before) * s
        + (2 * before - 5 * here + 4 * there - after) * s**2
        + (3 * here - before - 3 * there + after) * s**3
    )
    return torch.cat([bend.reshape(-1, 2), knots[-1:]])


def along_curve(curve: Tensor, t: Tensor) -> Tensor:
    """Points (T, 2) of a polygon (n, 2) at the fractions ``t`` (T,) of its length."""
    lengths = torch.cat([torch.zeros(1, dtype=curve.dtype), curve.diff(dim=0).norm(dim=1).cumsum(0)])
    if float(lengths[-1]) == 0.0:
        return curve[:1].expand(len(t), -1).clone()
    at = (t * lengths[-1]).clamp(max=lengths[-1])
    right = torch.searchsorted(lengths, at).clamp(1, len(curve) - 1)
    span = (lengths[right] - lengths[right - 1]).clamp(min=1e-300)
    share = ((at - lengths[right - 1]) / span)[:, None]
    return (1 - share) * curve[right - 1] + share * curve[right]


def _piece_times(pieces: int) -> Tensor:
    """Midpoints of ``pieces`` equal pieces, the first and last moved to the ends."""
    times = (torch.arange(pieces, dtype=torch.float64) + 0.5) / pieces
    times[0], times[-1] = 0.0, 1.0
    return times
