"""The point sets of "Cells", centred and scaled to variance 1 per coordinate, and how a drawing was moved for that."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gensot_demo.experiments.requests import InvalidRequest
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.static_ot.flow_cells import CLOSEST, centred, least_distance

from .cells_request import DRAWN, EIGHT, RANDOM, CellsRequest
from .point_sets import EIGHT_POINTS

_LABELS = {
    EIGHT: "Eight points",
    "octagon": "Octagon",
    "grid": "Grid, 3 × 4",
    "collinear": "Seven points on a line",
    "moons": "Two moons",
    "spiral": "Spiral",
    RANDOM: "Random points",
    DRAWN: "Your points",
}
_ON_A_LINE = (-1.9, -1.2, -0.9, 0.1, 0.35, 1.1, 2.3)
_SLOPE = 0.4  # radians
_MOON = 8  # points on each


@dataclass(frozen=True, eq=False)
class PointSet:
    """points (n, 2), centred, sum |y|^2 = 2 n.  moved: the mean that was taken away; scale: what they were divided
    by."""

    points: Tensor
    moved: tuple[float, float]
    scale: float


def label_of(data: str) -> str:
    """What a person calls these data."""
    return _LABELS[data]


def points_of(request: CellsRequest) -> PointSet:
    """Raises InvalidRequest naming two points in one place."""
    raw = _raw(request)
    away = raw - raw.mean(0)
    scale = math.sqrt(float(away.square().sum()) / away.numel())
    points = centred(raw)
    try:
        least_distance(points)
    except InvalidValue:
        raise InvalidRequest(_too_close(raw, scale)) from None
    x, y = raw.mean(0).tolist()
    return PointSet(points, (x, y), scale)


def _too_close(raw: Tensor, scale: float) -> str:
    """Which two points (n, 2) are nearest, in the coordinates in which they were given; ``scale``: theirs."""
    away = torch.cdist(raw, raw, compute_mode="donot_use_mm_for_euclid_dist").fill_diagonal_(math.inf)
    first, second = sorted(divmod(int(away.argmin()), len(raw)))
    x, y = raw[first].tolist()
    least = CLOSEST * scale
    return (
        f"Points {first + 1} and {second + 1} are {float(away.min()):.2g} apart, both near ({x:.4g}, {y:.4g}); "
        + (f"they must be at least {least:.2g} apart. " if least > 0 else "they must be in different places. ")
        + "Remove one of the two."
    )


def _raw(request: CellsRequest) -> Tensor:
    match request.data:
        case "octagon":
            rows = [(math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)) for k in range(8)]
        case "grid":
            rows = [(0.9 * x, 0.8 * y) for y in (1.2, 0.5, -0.4, -1.3) for x in (-1.0, 0.1, 1.2)]
        case "collinear":
            rows = [(s * math.cos(_SLOPE), s * math.sin(_SLOPE)) for s in _ON_A_LINE]
        case "moons":
            arc = [math.pi * k / (_MOON - 1) for k in range(_MOON)]
            rows = [(math.cos(u) - 0.5, math.sin(u) - 0.25) for u in arc]
            rows += [(0.5 - math.cos(u), 0.25 - math.sin(u)) for u in arc]
        case "spiral":
            turns = [0.7 + 0.62 * math.sqrt(8 * k) for k in range(16)]
            rows = [(u * math.cos(u), u * math.sin(u)) for u in turns]
        case name if name == RANDOM:
            generator = torch.Generator().manual_seed(request.seed)
            return torch.randn(request.count, 2, generator=generator, dtype=torch.float64)
        case name if name == DRAWN:
            rows = request.points
        case _:
            rows = EIGHT_POINTS
    return torch.tensor(rows, dtype=torch.float64)
