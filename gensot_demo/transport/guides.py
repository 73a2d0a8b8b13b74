"""Guide templates of the navigation cases: straight, V-neck, S-tunnel, frozen (Chertkov, arXiv 2512.11859, case A)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .errors import InvalidValue
from .harmonic import Protocol

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
    direction = end / torch.linalg.norm(end)
    normal = torch.stack((-direction[1], direction[0]))
    offset = {
        "straight": torch.zeros_like(t),
        "S": amplitude * torch.sin(2 * math.pi * t),
        "V": -amplitude * (1 - torch.abs(2 * t - 1)),
    }[shape]
    return t[:, None] * end + offset[:, None] * normal


def guided_protocol(
    shape: str, stiffness: float, end: Tensor, pieces: int = 20, amplitude: float = 1.5, temperature: float = 1.0
) -> Protocol:
    """A protocol that holds the template at piece midpoints, its first and last piece pinned to the curve's ends."""
    end = torch.as_tensor(end, dtype=torch.float64)
    times = (torch.arange(pieces, dtype=torch.float64) + 0.5) / pieces
    times[0], times[-1] = 0.0, 1.0
    guide = guide_curve(shape, times, end, amplitude)
    return Protocol(torch.full((pieces,), stiffness, dtype=torch.float64), guide, torch.zeros(2), temperature)
