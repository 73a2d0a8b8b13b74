"""A guide that is drawn by hand: from the pad's knots to a curve, and what lies under the pad."""

from __future__ import annotations

from typing import Any

import torch

from gensot_demo.transport.guides import smooth_curve
from gensot_demo.transport.targets import TARGETS, named_target

from .request import MOST_GUIDE_POINTS, thinned

_BACKDROP_POINTS, _REACH = 200, 8.0

Row = list[float]


def _mean(name: str) -> Row:
    """The mean of a named target; the origin for a point, noise or what a person draws."""
    return named_target(name).mixture.mean().tolist() if name in TARGETS else [0.0, 0.0]


def guide_through(knots: list[Row], target: str, source: str) -> list[Row]:
    """The smooth curve from the source's place through the knots to the target's mean."""
    rows = torch.tensor([_mean(source), *knots, _mean(target)], dtype=torch.float64)
    return thinned(smooth_curve(rows).tolist(), MOST_GUIDE_POINTS)


def backdrop_of(target: str, source: str) -> dict[str, Any]:
    """Start, end and some draws of a named target, for a pad to show beneath."""
    backdrop: dict[str, Any] = {"start": _mean(source), "end": _mean(target)}
    if target in TARGETS:
        draws = named_target(target).mixture.sample(_BACKDROP_POINTS, torch.Generator().manual_seed(0))
        backdrop["points"] = draws.clamp(-_REACH, _REACH).tolist()
    return backdrop
