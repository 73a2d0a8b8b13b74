"""What a protocol costs and how its process moves, in closed form: no simulation (docs/FORMULAS.md 1.4).

For x_t | y ~ N(a y + g, m^2 I) of a :class:`~.harmonic.HarmonicPath` and y of a :class:`~.mixtures.GaussianMixture`,
everything follows from the first two moments of y, except the posterior variance (mmse) and the entropy of y, which
are averages over a mixture: by an even grid per component up to d = 2 (the trapezoidal rule converges geometrically
for a Gaussian weight, and beats Gauss-Hermite where components overlap), else by antithetic draws with a fixed seed.
To diagnose a guided law, pass that law (``target.tilted(condition)``, ``target.gaussian_view(...)``).

Temperature kappa is general. Units: y, x, nu in data units; t in [0, 1]; costs are dimensionless (nats).
Sources: Chertkov, arXiv 2512.11859; Behjoo & Chertkov, arXiv 2409.15166; the forms are ours (docs/FORMULAS.md 1.4).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from .harmonic import HarmonicPath, Protocol
from .mixtures import GaussianMixture
from .paths import PathPoints

NODES = 41  # of the mmse, per dimension and component: 1681 a component in the plane
ENTROPY_NODES = 201  # of the entropy, which is asked once: 40401 a component in the plane
_AT_ONCE = 20_000  # places: of hundreds of components each asks for all at each
_REACH = 7.5  # standard deviations; what lies beyond weighs 1e-13
ANTITHETIC_DRAWS = 4096  # per component, half of them mirrored; used for d > 2
LAST_TIME = 0.99  # the drift effort is the difference of two terms that grow like d / (1 - t): integrate up to here


@dataclass(frozen=True)
class Diagnostics:
    """One protocol and one target, at T times and in total.

    t (T,); mean (T, d) and covariance (T, d, d) of x_t; lag (T, d) = mean - guide; half_width (T,), the standard
    deviation m of one coordinate around its tube's axis; adherence (T,), the guiding cost per unit time;
    mmse (T,) = E tr Cov(y | x_t); order_parameter (T,) = 1 - mmse / E|y|^2, in [0, 1];
    drift_effort (T,) = E|u|^2; velocity_gradient (T,) = tr E[grad u]; both are inf or nan at t = 1.
    total_cost = guiding_cost + kinetic_cost.  speciation_time: when K lambda_max(Cov y) = 1.
    """

    t: Tensor
    mean: Tensor
    covariance: Tensor
    lag: Tensor
    half_width: Tensor
    adherence: Tensor
    mmse: Tensor
    order_parameter: Tensor
    drift_effort: Tensor
    velocity_gradient: Tensor
    total_cost: float
    guiding_cost: float
    kinetic_cost: float
    speciation_time: float


def diagnose(path: HarmonicPath, target: GaussianMixture, t: Tensor | int = 101) -> Diagnostics:
    """All diagnostics at times ``t`` (T,), or at that many equally spaced times of [0, 1]."""
    times = torch.linspace(0, 1, t, dtype=torch.float64) if isinstance(t, int) else t
    points = path.at(times)
    mmse = posterior_variance(points, target)
    mean, covariance = moments(points, target)
    guiding, total = guiding_cost(path, target), total_cost(path, target)
    return Diagnostics(
        t=points.t,
        mean=mean,
        covariance=covariance,
        lag=mean - guide_at(path.protocol, points.t),
        half_width=points.m,
        adherence=adherence(path, points, target),
        mmse=mmse,
        order_parameter=order_parameter(mmse, target),
        drift_effort=drift_effort(points, target, mmse),
        velocity_gradient=velocity_gradient(points, target, mmse),
        total_cost=total,
        guiding_cost=guiding,
        kinetic_cost=total - guiding,
        speciation_time=speciation_time(path, target),
    )


# --- moments, lag, adherence ----------------------------------------------------------------------------------------


def moments(points: PathPoints, target: GaussianMixture) -> tuple[Tensor, Tensor]:
    """Mean a E[y] + g, (T, d), and covariance a^2 Cov(y) + m^2 I, (T, d, d), of x_t."""
    eye = torch.eye(target.dimension, dtype=points.a.dtype)
    mean = points.a[:, None] * target.mean() + points.g
    return mean, (points.a**2)[:, None, None] * target.covariance() + (points.m**2)[:, None, None] * eye


def stiffness_at(protocol: Protocol, t: Tensor) -> Tensor:
    """beta(t), (T,); at a knot the value of the piece that begins there."""
    return protocol.stiffness[_piece(protocol, t)]


def guide_at(protocol: Protocol, t: Tensor) -> Tensor:
    """nu(t), (T, d); at a knot the value of the piece that begins there."""
    return protocol.guide[_piece(protocol, t)]


def _piece(protocol: Protocol, t: Tensor) -> Tensor:
    return torch.clamp(torch.searchsorted(protocol.knots, t, right=True) - 1, 0, len(protocol.stiffness) - 1)


def adherence(path: HarmonicPath, points: PathPoints, target: GaussianMixture) -> Tensor:
    """A(t) = (beta/2) E|x_t - nu|^2 = (beta/2)(|E x - nu|^2 + a^2 tr Cov(y) + d m^2), (T,); beta, not kappa beta."""
    mean, covariance = moments(points, target)
    spread = covariance.diagonal(dim1=1, dim2=2).sum(1)
    away = mean - guide_at(path.protocol, points.t)
    return 0.5 * stiffness_at(path.protocol, points.t) * (away.square().sum(1) + spread)


def guiding_cost(path: HarmonicPath, target: GaussianMixture) -> float:
    """J_guide = int_0^1 A(t) dt; the integrand is exact and smooth in every piece, the quadrature good to 1e-10."""
    t, weight = panels(path.protocol)
    return float(weight @ adherence(path, path.at(t), target))


def panels(protocol: Protocol, nodes: int = 24, until: float = 1.0) -> tuple[Tensor, Tensor]:
    """Gauss-Legendre times and weights on [0, until]: panels end at the knots and resolve the layers e^{-w t}."""
    root = torch.sqrt(protocol.temperature * protocol.stiffness.double())
    edges = []
    knots = protocol.knots.tolist()
    for w, left, right in zip(root.tolist(), knots[:-1], knots[1:], strict=True):
        count = 1 + int(w * (right - left) / 4)
        edges += [left + (right - left) * n / count for n in range(count)]
    starts = torch.tensor([edge for edge in edges if edge < until], dtype=torch.float64)
    length = torch.cat([starts[1:], torch.tensor([until], dtype=torch.float64)]) - starts
    x, weight = _legendre(nodes)
    t = starts[:, None] + length[:, None] * (0.5 + 0.5 * x)
    return t.reshape(-1).to(protocol.knots), (0.5 * length[:, None] * weight).reshape(-1).to(protocol.knots)


@lru_cache(maxsize=8)
def _legendre(nodes: int) -> tuple[Tensor, Tensor]:
    """Gauss-Legendre nodes and weights on [-1, 1]."""
    x, weight = np.polynomial.legendre.leggauss(nodes)
    return torch.from_numpy(x), torch.from_numpy(weight)


# --- averages over a mixture ----------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _normal_rule(dimension: int, nodes: int) -> tuple[Tensor, Tensor]:
    """Nodes (Q, d) and weights (Q,) of an average over N(0, I): an even grid for d <= 2, antithetic draws beyond."""
    if dimension <= 2:
        x = torch.linspace(-_REACH, _REACH, nodes, dtype=torch.float64)
        grid = torch.cartesian_prod(*[x] * dimension).reshape(-1, dimension)
        return grid, torch.softmax(-0.5 * grid.square().sum(1), 0)
    generator = torch.Generator().manual_seed(0)
    half = torch.randn(ANTITHETIC_DRAWS // 2, dimension, generator=generator, dtype=torch.float64)
    return torch.cat([half, -half]), torch.full((ANTITHETIC_DRAWS,), 1 / ANTITHETIC_DRAWS, dtype=torch.float64)


def expectation(law: GaussianMixture, function: Callable[[Tensor], Tensor], nodes: int = NODES) -> float:
    """E f(x) for x ~ ``law`` and f: (n, d) -> (n,), component by component.

    d <= 2: an even grid of ``nodes`` per dimension within 7.5 standard deviations. d > 2: 4096 antithetic draws per
    component with a fixed seed; standard error about the standard deviation of f's even part divided by 45.
    """
    z, weights = _normal_rule(law.dimension, nodes)
    x = law.means[:, None, :] + torch.einsum("nij,qj->nqi", law.cholesky, z.to(law.dtype))
    parts = x.reshape(-1, law.dimension).split(_AT_ONCE)
    values = torch.cat([function(part) for part in parts]).reshape(len(law.means), -1)
    return float(law.log_prior.exp() @ (values @ weights.to(law.dtype)))


def entropy(target: GaussianMixture) -> float:
    """H(p1) = -E log p1(y) in nats. Error for d <= 2 below 1e-9, or 1e-4 where a component hides another that is 20
    times narrower; for d > 2 see :func:`expectation`."""
    return -expectation(target, target.log_density, ENTROPY_NODES)


def posterior_variance(points: PathPoints, target: GaussianMixture, nodes: int = NODES) -> Tensor:
    """mmse(sigma) = E tr Cov(y | x_t), (T,): the mean posterior variance, from tr Cov(y) at t = 0 to 0 at t = 1.

    Error for d <= 2 below 3e-5 tr Cov(y), or 1e-3 where a component hides another that is 20 times narrower.
    """
    out = []
    for a, m in zip(points.a.tolist(), points.m.tolist(), strict=True):
        if m == 0.0:
            out.append(0.0 if a > 0.0 else target.covariance_trace())
            continue
        law = target.marginal(a, m)
        out.append(expectation(law, lambda x, a=a, m=m: target.posterior_variance(x, a, m), nodes))
    return torch.tensor(out, dtype=points.a.dtype)


def order_parameter(mmse: Tensor, target: GaussianMixture) -> Tensor:
    """E[yhat.y] / E|y|^2 = 1 - mmse / E|y|^2, (T,): how much of the picture is decided."""
    return 1 - mmse / (target.covariance_trace() + float(target.mean().square().sum()))


# --- motion ---------------------------------------------------------------------------------------------------------


def drift_effort(points: PathPoints, target: GaussianMixture, mmse: Tensor) -> Tensor:
    """E|u*|^2 = |a' E[y] + g'|^2 + a'^2 tr Cov(y) + d aM^2 m^2 - b^2 mmse, (T,), for any temperature.

    Each of the last two terms grows like kappa d / (1 - t): trust it up to t = .99 or so (inf or nan at t = 1).
    """
    mean_velocity = points.da[:, None] * target.mean() + points.dg
    noise = target.dimension * points.relaxation**2 * points.m**2
    spread = points.da**2 * target.covariance_trace()
    return mean_velocity.square().sum(1) + spread + noise - points.pull**2 * mmse


def velocity_gradient(points: PathPoints, target: GaussianMixture, mmse: Tensor) -> Tensor:
    """tr E[grad u*] = b^2 mmse / kappa - d aM, (T,): positive where trajectories part."""
    return points.pull**2 * mmse / points.diffusivity - target.dimension * points.relaxation


def kinetic_cost_until(path: HarmonicPath, target: GaussianMixture, until: float = LAST_TIME, nodes: int = 6) -> float:
    """int_0^until E|u*|^2 / (2 kappa) dt by Gauss-Legendre: the direct value, to set against total - guiding cost."""
    t, weight = panels(path.protocol, nodes, until)
    points = path.at(t)
    effort = drift_effort(points, target, posterior_variance(points, target))
    return float(weight @ effort) / (2 * path.protocol.temperature)


def speciation_time(path: HarmonicPath, target: GaussianMixture) -> float:
    """t_s in (0, 1) with K(t_s) lambda_max(Cov y) = 1: when the widest direction of the data starts to be decided.

    Constant stiffness, w = sqrt(kappa beta): t_s = 1 - arccoth(coth w + kappa / (w lambda_max)) / w.
    """
    widest = float(torch.linalg.eigvalsh(target.covariance())[-1])
    return float(path.times_of_sigma(torch.tensor([math.sqrt(widest)]))[0])


# --- costs ----------------------------------------------------------------------------------------------------------


def classical_action(path: HarmonicPath) -> Tensor:
    """S_0 = int (|gamma'|^2 + kappa beta |gamma - nu|^2) / 2 dt of the path from x_0 to y = 0, in closed form:
    -x_0.g_0/2 - sum_k nu_k.(g_{k+1} - g_k)/2 with g_k = gamma'(t_k); a scalar, differentiable in the protocol."""
    slope = path.at(path.protocol.knots).dg
    start = path.protocol.start @ slope[0]
    return -0.5 * (start + (path.protocol.guide * slope.diff(dim=0)).sum())


def log_green(path: HarmonicPath, y: Tensor) -> Tensor:
    """log G(0, x_0; 1, y) of the uncontrolled process with killing rate (beta/2)|x - nu|^2, for y (n, d), (n,).

    log G = -(d/2) log(2 pi kappa phiP(1)) - (aP(1)|y|^2/2 - p(1).y + S_0)/kappa; differentiable in the protocol.
    """
    kappa, end = path.protocol.temperature, path.end
    scale = 0.5 * path.protocol.dimension * (math.log(2 * math.pi * kappa) + end.log_phi[0])
    action = 0.5 * end.slope[0] * y.square().sum(1) - y @ end.load[0] + classical_action(path)
    return -scale - action / kappa


def expected_log_green(path: HarmonicPath, mean: Tensor, trace: float) -> Tensor:
    """E log G(0, x_0; 1, y), a scalar, for y of this mean (d,) and trace of the covariance: log G is quadratic in y."""
    return log_green(path, mean[None])[0] - 0.5 * path.end.slope[0] / path.protocol.temperature * trace


def total_cost(path: HarmonicPath, target: GaussianMixture) -> float:
    """The optimal cost E int (|u|^2/(2 kappa) + (beta/2)|x - nu|^2) dt = -H(p1) - E log G(0, x_0; 1, y), in nats."""
    return -entropy(target) - float(expected_log_green(path, target.mean(), target.covariance_trace()))
