"""Two Gaussians in the plane: the request, the maps between them, their costs, and the ways of particles."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import quote

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.paths import CondOTPath, CosinePath, SchedulePath, VPLinearPath
from gensot_demo.transport.static_ot.gaussians import GaussianTransport, costs_when_turned, ellipse

from ..links import VERSION, fields_of, ignored
from ..plane.links import number_in
from ..requests import InvalidRequest, parse
from .cells_told import percent
from .presets import GAUSSIANS

SCHEDULES: dict[str, tuple[str, SchedulePath]] = {
    "condot": ("CondOT", CondOTPath()), "cosine": ("Cosine", CosinePath()), "vp": ("VP-linear", VPLinearPath()),
}  # fmt: skip
WIDEST, FARTHEST = 2.0, 2.0
COMMUTING = 1e-5  # relative commutator below which what is paid is its square, 1e-10, and lost in rounding

_PARTICLES, _FRAMES, _ANGLES = 160, 33, 181

Width = Annotated[float, Field(ge=0, le=WIDEST)]
Angle = Annotated[float, Field(ge=0, le=180)]
Place = Annotated[float, Field(ge=-FARTHEST, le=FARTHEST)]


class GaussiansRequest(BaseModel):
    """Source and target as ellipses: standard deviations along and across an axis at an angle in degrees. The source is
    centred and at least .1 wide everywhere. schedule: of the flow; it changes the way, not the map. Link version 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source_along: Annotated[float, Field(ge=0.1, le=WIDEST)] = 1.4
    source_across: Annotated[float, Field(ge=0.1, le=WIDEST)] = 0.55
    source_angle: Angle = 0.0
    target_along: Width = 1.75
    target_across: Width = 0.65
    target_angle: Angle = 46.0
    target_x: Place = 0.0
    target_y: Place = 0.0
    schedule: Literal["condot", "cosine", "vp"] = "condot"


@dataclass(frozen=True, eq=False)
class GaussiansResult:
    """Costs are E|Tx - x|^2.  optimal, flow: linear parts (2, 2) of both maps.  swirl: degrees, see
    :attr:`GaussianTransport.swirl`.  energy: int E|v|^2 dt of the flow.  straight, flown: places (F, n, 2) of the same
    particles at ``times`` (F,).  angles (A,), degrees of the target, and the costs of both maps there, (A,)."""

    request: GaussiansRequest
    optimal: NDArray[np.float64]
    flow: NDArray[np.float64]
    least: float
    cost: float
    energy: float
    commutator: float
    swirl: float
    translation: float
    times: NDArray[np.float64]
    straight: NDArray[np.float32]
    flown: NDArray[np.float32]
    angles: NDArray[np.float64]
    least_at: NDArray[np.float64]
    cost_at: NDArray[np.float64]

    @property
    def equal(self) -> bool:
        """Whether both maps are the same."""
        return self.commutator < COMMUTING

    @property
    def extra(self) -> float | None:
        """What flow matching pays over the least, relative to it; None where nothing is to be moved."""
        return None if self.least < 1e-12 else max(0.0, self.cost / self.least - 1)

    @property
    def worst(self) -> float:
        """The angle of the target at which flow matching pays most over the least, in degrees."""
        return float(self.angles[int((self.cost_at - self.least_at).argmax())])


def compare_gaussians(request: GaussiansRequest) -> GaussiansResult:
    """Everything in closed form, in milliseconds; raises InvalidRequest for what has no map."""
    wanted = request
    try:
        source = ellipse(wanted.source_along, wanted.source_across, math.radians(wanted.source_angle))
        target = ellipse(
            wanted.target_along, wanted.target_across, math.radians(wanted.target_angle),
            wanted.target_x, wanted.target_y,
        )  # fmt: skip
        pair = GaussianTransport(source, target)
    except InvalidValue as error:
        raise InvalidRequest(str(error)) from None
    path = SCHEDULES[wanted.schedule][1]
    times = torch.linspace(0, 1, _FRAMES, dtype=torch.float64)
    x = source.mean + _even_draws() @ pair.half
    angles = torch.linspace(0, 180, _ANGLES, dtype=torch.float64)
    cost_at, least_at = costs_when_turned(pair, (angles - wanted.target_angle) * (math.pi / 180))
    return GaussiansResult(
        request=request, optimal=pair.optimal.numpy(), flow=pair.flow.numpy(), least=pair.squared_distance,
        cost=pair.cost(pair.flow), energy=pair.kinetic_energy(path), commutator=pair.commutator,
        swirl=math.degrees(pair.swirl), translation=pair.translation, times=times.numpy(),
        straight=pair.straight(x, times).float().numpy(), flown=pair.flown(x, path, times).float().numpy(),
        angles=angles.numpy(), least_at=least_at.numpy(), cost_at=cost_at.numpy(),
    )  # fmt: skip


def _even_draws() -> torch.Tensor:
    """Points (n, 2) that stand for a standard Gaussian, spread evenly: a sunflower of Rayleigh quantiles."""
    k = torch.arange(_PARTICLES, dtype=torch.float64)
    radius = (-2 * torch.log1p(-(k + 0.5) / _PARTICLES)).sqrt()
    angle = k * (math.pi * (3 - math.sqrt(5)))
    return radius[:, None] * torch.stack([angle.cos(), angle.sin()], 1)


def to_query(request: GaussiansRequest) -> str:
    """The query string without "?": what differs from the default."""
    fields, plain = [("v", str(VERSION))], GaussiansRequest()
    for name in GaussiansRequest.model_fields:
        value = getattr(request, name)
        if value != getattr(plain, name):
            fields.append((name, f"{value:.6g}" if isinstance(value, float) else value))
    return "&".join(f"{key}={quote(value)}" for key, value in fields)


def _presets() -> Iterator[tuple[str, str]]:
    """The presets of the first view's pair, as links name them."""
    now = GaussiansRequest()
    found = compare_gaussians(now)
    for title, change in GAUSSIANS:
        yield title, to_query(now.model_copy(update=change(now, found)))


def from_query(query: str) -> tuple[GaussiansRequest, list[str]]:
    """The request in a query string and notes on what was ignored; raises InvalidRequest for a bad known value."""
    fields, notes = fields_of(query, "target_angle=90&target_across=.2", _presets)
    values: dict = {}
    for key, text in fields:
        if key not in GaussiansRequest.model_fields:
            notes.append(ignored(key))
        else:
            values[key] = text if key == "schedule" else number_in(key, text)
    return parse(GaussiansRequest, **values), notes


def of_maps(result: GaussiansResult) -> list[str]:
    """What the numbers of this pair say, in sentences."""
    schedule = SCHEDULES[result.request.schedule][0]
    if result.extra is None:
        return ["Source and target are the same: both maps leave everything where it is."]
    if result.equal:
        lines = ["The covariances commute: the maps are equal, and flow matching pays nothing extra."]
        lines.append(
            "Ellipses whose axes lie alike, or of which one is a circle, commute: each axis is stretched by itself."
        )
    else:
        lines = [
            f"The covariances do not commute: flow matching pays {percent(result.extra)} more than the least "
            f"({result.cost:.3f} against W₂² = {result.least:.3f})."
        ]
        swirl = f"{abs(result.swirl):.1f}° {'anticlockwise' if result.swirl > 0 else 'clockwise'}"
        lines.append(
            f"Both maps make the target of the source. Flow matching also turns it, by {swirl} in the coordinates in "
            "which the source is round: turning a round cloud changes nothing that one can measure at the end, but "
            "every particle pays for its way."
        )
    if result.energy > result.cost * 1.005:
        over = percent(result.energy / result.cost - 1)
        lines.append(
            f"On the way the flow spends ∫ E|v|² dt = {result.energy:.3f} on {schedule}, {over} more than the cost of "
            "its own map: its lines are bent, or not run at constant speed. Another schedule spends another amount and "
            "ends in the same place."
        )
    return lines
