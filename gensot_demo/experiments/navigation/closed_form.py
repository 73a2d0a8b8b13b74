"""Everything about a protocol that needs no simulation: how its process moves, what it costs, when it decides.

Formulas: docs/FORMULAS.md 1.2 and 1.4, through :mod:`gensot_demo.transport.diagnostics`; the posterior variance comes
from a table that the target has once (:mod:`.spread`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.transport import diagnostics
from gensot_demo.transport.guides import SHAPES
from gensot_demo.transport.harmonic import HarmonicPath
from gensot_demo.transport.navigation.clock import Clocked
from gensot_demo.transport.navigation.corridor import Corridor
from gensot_demo.transport.paths import PathPoints
from gensot_demo.transport.targets import Target

from ..plane.scene import Extent
from .crossings import crossings
from .request import ProtocolRequest
from .spread import Spread, spread_of

SHOWN_TIMES = (0.0, 0.25, 0.5, 0.75, 1.0)
LAST_TIME = diagnostics.LAST_TIME
_TIMES, _NODES = 101, 8
_CIRCLE = 41

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Costs:
    """guiding, kinetic, total: in nats; the first two make the third.

    lag: root mean square over time of |E x_t - guide|, in data units.  splitting: the time at which the widest
    direction of the target starts to be decided.  gain: how much of an S the mean follows, else None.
    """

    guiding: float
    kinetic: float
    total: float
    lag: float
    splitting: float
    gain: float | None


@dataclass(frozen=True, eq=False)
class ClosedForm:
    """t (T,): 101 times of [0, 1].  guide, mean (T, 2).  half_width (T,): the deviation s of x_t given its end.

    t_cost (S,): times within every piece; adherence, guiding_so_far there; t_drift (R,) up to .99 with drift_effort,
    kinetic_so_far.  within, between (T,): variance of x_t from noise on the way, and from the target.
    order, gradient (T,): order parameter, and tr E[grad u] up to .99 (else nan).  across, guide_across (T,): offsets
    from the straight way.  ellipses (5, 41, 2): one standard deviation of x_t at SHOWN_TIMES; centres (5, 2).
    """

    request: ProtocolRequest
    target: Target
    course: Clocked
    t: Array
    guide: Array
    mean: Array
    half_width: Array
    within: Array
    between: Array
    order: Array
    gradient: Array
    across: Array
    guide_across: Array
    t_cost: Array
    adherence: Array
    guiding_so_far: Array
    t_drift: Array
    drift_effort: Array
    kinetic_so_far: Array
    ellipses: Array
    centres: Array
    costs: Costs
    notes: tuple[str, ...]


def closed_form(request: ProtocolRequest) -> ClosedForm:
    """All of it: under 0.2 s for 20 pieces and a target that is known already. Raises InvalidRequest."""
    target, notes = request.law()
    spread = spread_of(target)
    course = request.course(spread.mean)
    path = HarmonicPath(course.protocol)
    real = torch.linspace(0, 1, _TIMES, dtype=torch.float64)
    points = path.at(course.clock(real))
    mean, covariance = _moments(points, spread)
    guide = guide_curve(course, real)
    mmse, rate = spread.mmse(points.log_K), course.rate(points.t)
    gradient = rate * diagnostics.velocity_gradient(points, target.mixture, mmse)
    gradient[real > LAST_TIME] = math.nan
    way = Corridor(course.protocol.start, spread.mean)
    offset, guide_offset = ((curve - way.at(real)) @ way.normal for curve in (mean, guide))
    shown = [round(t * (_TIMES - 1)) for t in SHOWN_TIMES]
    guiding, costs = _guiding(request, target, path, course, spread)
    drifting = _drifting(path, course, target, spread)
    return ClosedForm(
        request=request,
        target=target,
        course=course,
        t=real.numpy(),
        guide=guide.numpy(),
        mean=mean.numpy(),
        half_width=points.m.numpy(),
        within=(2 * points.m**2).numpy(),
        between=(points.a**2 * spread.trace).numpy(),
        order=diagnostics.order_parameter(mmse, target.mixture).numpy(),
        gradient=gradient.numpy(),
        across=offset.numpy(),
        guide_across=guide_offset.numpy(),
        **guiding,
        **drifting,
        ellipses=np.stack([_ellipse(mean[k], covariance[k]) for k in shown]),
        centres=mean[shown].numpy(),
        costs=costs,
        notes=(*notes, *_notes(request, course)),
    )


def guide_curve(course: Clocked, t: Tensor) -> Tensor:
    """The curve that the pieces stand for, (T, 2): straight from middle to middle, with the first and the last place at
    the ends. Lag is counted from it: from the steps themselves no smooth process could have none."""
    at = 0.5 * (course.times[:-1] + course.times[1:])
    at[0], at[-1] = 0.0, 1.0
    places = course.protocol.guide.numpy()
    return torch.from_numpy(np.stack([np.interp(t.numpy(), at.numpy(), column) for column in places.T], 1))


def templates(request: ProtocolRequest) -> dict[str, Costs]:
    """The totals of every template at the request's stiffness, temperature and times: case A of the paper."""
    target, _ = request.law()
    spread = spread_of(target)
    found = {}
    for shape in SHAPES:
        plain = request.model_copy(update={"shape": shape})
        course = plain.course(spread.mean)
        found[shape] = _guiding(plain, target, HarmonicPath(course.protocol), course, spread)[1]
    return found


def _moments(points: PathPoints, spread: Spread) -> tuple[Tensor, Tensor]:
    """Mean (T, 2) and covariance (T, 2, 2) of x_t."""
    eye = torch.eye(2, dtype=points.a.dtype)
    mean = points.a[:, None] * spread.mean + points.g
    return mean, (points.a**2)[:, None, None] * spread.covariance + (points.m**2)[:, None, None] * eye


def _guiding(
    request: ProtocolRequest, target: Target, path: HarmonicPath, course: Clocked, spread: Spread
) -> tuple[dict[str, Array], Costs]:
    """Adherence per unit of time at Gauss-Legendre times with its integral so far, and the totals.

    total = -H(p1) - E log G (docs/FORMULAS.md 1.4).
    """
    s, weight = diagnostics.panels(course.protocol, _NODES)
    points, t, rate = path.at(s), course.time(s), course.rate(s)
    mean, covariance = _moments(points, spread)
    away = mean - diagnostics.guide_at(course.protocol, s)
    square = away.square().sum(1) + covariance.diagonal(dim1=1, dim2=2).sum(1)
    adherence = 0.5 * diagnostics.stiffness_at(course.protocol, s) * square
    guiding = float(weight @ adherence)
    total = -spread.entropy - float(diagnostics.expected_log_green(path, spread.mean, spread.trace))
    splitting = diagnostics.speciation_time(path, target.mixture)
    curves = {
        "t_cost": t.numpy(),
        "adherence": (adherence * rate).numpy(),
        "guiding_so_far": _so_far(weight * adherence),
    }
    return curves, Costs(
        guiding=guiding,
        kinetic=total - guiding,
        total=total,
        lag=math.sqrt(float(weight / rate @ (mean - guide_curve(course, t)).square().sum(1))),
        splitting=float(course.time(torch.tensor([splitting], dtype=torch.float64))),
        gain=_gain(request, mean, course, t, weight / rate, spread),
    )


def _gain(
    request: ProtocolRequest, mean: Tensor, course: Clocked, t: Tensor, weight: Tensor, spread: Spread
) -> float | None:
    """How much of an S the mean follows: its sine across the way over the guide's; None for another guide. With one
    stiffness beta and one temperature kappa it is B / (B + 4 pi^2), B = kappa beta, but for the pieces."""
    if request.shape != "S" or request.amplitude == 0:
        return None
    way = Corridor(course.protocol.start, spread.mean)
    across = (mean - way.at(t)) @ way.normal
    return float(2 * (weight * across) @ torch.sin(2 * math.pi * t)) / request.amplitude


def _drifting(path: HarmonicPath, course: Clocked, target: Target, spread: Spread) -> dict[str, Array]:
    """Drift effort E|u|^2 per unit of time squared up to .99, and the kinetic cost so far."""
    until = float(course.clock(torch.tensor([LAST_TIME], dtype=torch.float64)))
    s, weight = diagnostics.panels(course.protocol, 4, until)
    points = path.at(s)
    effort = diagnostics.drift_effort(points, target.mixture, spread.mmse(points.log_K))
    return {
        "t_drift": course.time(s).numpy(),
        "drift_effort": (effort * course.rate(s) ** 2).numpy(),
        "kinetic_so_far": _so_far(weight * effort) / (2 * course.protocol.temperature),
    }


def _so_far(parts: Tensor) -> Array:
    """Sums up to the middle of each part: the integral at the nodes, to the order of the drawing."""
    return (parts.cumsum(0) - 0.5 * parts).numpy()


def _ellipse(centre: Tensor, covariance: Tensor) -> Array:
    """One standard deviation around a mean, (41, 2)."""
    values, axes = torch.linalg.eigh(covariance)
    angle = torch.linspace(0, 2 * math.pi, _CIRCLE, dtype=torch.float64)
    circle = torch.stack([angle.cos(), angle.sin()], 1)
    return (centre + circle * values.clamp(min=0).sqrt() @ axes.T).numpy()


def _notes(request: ProtocolRequest, course: Clocked) -> list[str]:
    found = crossings(course.protocol.guide.numpy())
    notes = []
    if len(found):
        x, y = found[0]
        times = "once" if len(found) == 1 else f"{len(found)} times"
        notes.append(
            f"The guide crosses itself {times}, first near ({x:.2f}, {y:.2f}). That is fine: it is a place for every "
            "time, not a wall, and the time tells the branches apart."
        )
    if len(set(request.temperature)) > 1:
        notes.append("The temperature changes on the way; the law is that of one temperature on another clock, exact.")
    return notes


def extent_of(form: ClosedForm) -> Extent:
    """(x0, x1, y0, y1) of a square that holds the target, the guide, and the mean with its tube."""
    reach = form.half_width[:, None]
    x0, x1, y0, y1 = form.target.box
    places = np.concatenate([form.guide, form.mean - reach, form.mean + reach, [[x0, y0], [x1, y1]]])
    low, high = places.min(0), places.max(0)
    half = 0.54 * float((high - low).max())
    x, y = (0.5 * (low + high)).tolist()
    return tuple(round(v, 3) for v in (x - half, x + half, y - half, y + half))
