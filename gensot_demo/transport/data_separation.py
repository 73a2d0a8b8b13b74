"""How much of the data is decided at each noise level: the data separation function lambda.

For y centred and scaled to (1/d) E|y|^2 = 1 and x = y + eps / r, with r = a / m = tan theta,
``lambda(r) = (1/d) E|E[y | x]|^2 = 1 - (1/d) E tr Cov(y | x)``: 0 where the noise hides the data, 1 where every point
stands apart. We carry the missing share ``1 - lambda``, which is what an estimate knows well: the mean posterior
variance. The direct estimate of ``|E[y | x]|^2`` loses it to rounding and noise near theta = pi/2.
Source: Shaul, Chen, Nickel, Le, Lipman, arXiv 2306.06626 (data separation function); estimator: docs/FORMULAS.md 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.interpolate import PchipInterpolator, PPoly
from torch import Tensor
from torch.nn.functional import threshold

from .errors import InvalidValue
from .mixtures import GaussianMixture

ANGLES = 40  # noise levels, placed by the data: evenly in log r where lambda moves
MOST_POINTS = 4096
BATCHES = 16  # independent estimates, whose scatter is the standard error
_WORK = 2**19  # draws times points at one level
_FEWEST, _MOST = 384, 8192  # draws
_SOBOL = 8  # coordinates up to which draws are spread evenly
_FIRST_SHARE, _LAST_SHARE = 0.01, 1e-4  # of lambda decided at the first level, and missing at the last
_BEYOND = 4.0  # last level of a density: the noise is a quarter of its narrowest width
_PER_WIDTH, _REACH = 3, 6.0  # quadrature: places per noise width; widths beyond the data
_AT_ONCE = 2**21  # places times components held at once
_POINT = 1e-18  # variance of what stands for a point in a quadrature
_MOST_PAIRS = 2**22  # places times points of a level that is integrated
_FLAT = 1e-4  # of sqrt(Gam): 1e-8 of Gam is noise, and an inverse must exist


@dataclass(frozen=True, eq=False)
class DataSeparation:
    """lambda of one data set: angles (T,) rising in (0, pi/2), missing (T,) = 1 - lambda(tan theta) in [0, 1].

    standard_error (T,): of ``missing``; 0 where it is exact.  dimension: d.  discrete: the data are points, so that
    1 - lambda falls faster than the noise variance; else they have a density.  batches: (B, T) independent estimates
    whose mean is ``missing``, or None.
    """

    angles: Tensor
    missing: Tensor
    standard_error: Tensor
    dimension: int
    discrete: bool = True
    batches: Tensor | None = None

    def __post_init__(self) -> None:
        theta = self.angles
        if theta.dim() != 1 or not bool(((theta > 0) & (theta < math.pi / 2)).all() and (theta.diff() > 0).all()):
            raise InvalidValue("angles must rise strictly within (0, pi/2).")
        if self.missing.shape != theta.shape or not bool(torch.isfinite(self.missing).all()):
            raise InvalidValue(f"missing must be {len(theta)} finite numbers, one per angle.")

    @property
    def separation(self) -> Tensor:
        """lambda (T,)."""
        return 1 - self.missing

    @cached_property
    def root_rate(self) -> PPoly:
        """sqrt(Gam) over theta in [0, pi/2], Gam = 1 - (1 - lambda)/cos^2 theta: the speed at which the state decides.

        A shape-preserving cubic through the levels; 0 at 0, and at pi/2 1 for points or 0 for a density. Monte-Carlo
        noise is clipped to [1e-8, 1].
        """
        gam = (1 - self.missing / torch.cos(self.angles) ** 2).clamp(_FLAT**2, 1.0)
        theta = np.concatenate([[0.0], self.angles.numpy(), [math.pi / 2]])
        root = np.concatenate([[0.0], gam.sqrt().numpy(), [float(self.discrete)]])
        return PchipInterpolator(theta, root)

    def rate(self, theta: Tensor) -> Tensor:
        """Gam at angles (T,) in [0, pi/2]."""
        return torch.from_numpy(self.root_rate(theta.numpy())).clamp(min=0.0) ** 2

    def missing_at(self, theta: Tensor) -> Tensor:
        """1 - lambda at angles (T,) in [0, pi/2], between the levels too."""
        return (1 - self.rate(theta)) * torch.cos(theta) ** 2

    @cached_property
    def total_rate(self) -> float:
        """int_0^{pi/2} Gam dtheta, exact for the interpolated curve."""
        nodes, weights = np.polynomial.legendre.leggauss(4)
        left, right = self.root_rate.x[:-1, None], self.root_rate.x[1:, None]
        half = 0.5 * (right - left)
        return float((half * weights * self.root_rate(left + half * (nodes + 1)) ** 2).sum())

    @property
    def undecided(self) -> float:
        """int_0^inf (1 - lambda) dr = int (1 - Gam) dtheta, which is 2 - E of the CondOT path."""
        return math.pi / 2 - self.total_rate

    def error_of(self, function: Callable[[DataSeparation], float]) -> float:
        """Standard error of a number made from this estimate, by leaving out one batch at a time; 0 where exact."""
        if self.batches is None:
            return 0.0
        count = len(self.batches)
        left_out = (self.missing * count - self.batches) / (count - 1)
        error = torch.zeros_like(self.missing)
        values = [function(DataSeparation(self.angles, m, error, self.dimension, self.discrete)) for m in left_out]
        return math.sqrt((count - 1) * float(np.var(values)))


def separation_bound(count: int, dimension: int) -> float:
    """The theorem's bound 3 n / sqrt(d) on int |1 - lambda| dr for n points in d dimensions (arXiv 2306.06626).

    The integral never exceeds pi/2, since Gam >= 0, so the bound says something only where d > (6 n / pi)^2.
    """
    return 3 * count / math.sqrt(dimension)


# --- units ----------------------------------------------------------------------------------------------------------


def standardised_points(points: Tensor, dimension: int | None = None) -> Tensor:
    """Points (N, k) centred and scaled to (1/d) E|y|^2 = 1, float64; d = k unless they are coordinates of a span.

    Raises :class:`InvalidValue` where all points coincide.
    """
    points = torch.as_tensor(points, dtype=torch.float64)
    if points.dim() != 2 or not points.numel() or not bool(torch.isfinite(points).all()):
        raise InvalidValue(f"points must be a non-empty (N, d) table of finite numbers, not {tuple(points.shape)}.")
    centred = points - points.mean(0)
    scale = math.sqrt(float(centred.square().sum(1).mean()) / (dimension or points.shape[1]))
    if scale <= 1e-12 * max(float(points.abs().max()), 1e-290):
        raise InvalidValue(
            f"{_all_of(len(points))} in one place: such data have no variance, so there is nothing to decide and no "
            "unit to measure in. Add a point elsewhere."
        )
    return centred / scale


def _all_of(count: int) -> str:
    return "the only point is" if count == 1 else f"all {count} points are"


def standardised_mixture(mixture: GaussianMixture) -> GaussianMixture:
    """The law of (y - E y) / s with s^2 = tr Cov(y) / d."""
    scale = math.sqrt(mixture.covariance_trace() / mixture.dimension)
    means = (mixture.means - mixture.mean()) / scale
    return GaussianMixture(mixture.log_prior.exp(), means, mixture.covariances / scale**2)


def _between(first: float, last: float, angles: Tensor | int) -> Tensor:
    if isinstance(angles, Tensor):
        return angles.double()
    return torch.atan(torch.logspace(math.log10(first), math.log10(last), angles, dtype=torch.float64))


# --- points ---------------------------------------------------------------------------------------------------------


def separation_of_points(
    points: Tensor,
    angles: Tensor | int = ANGLES,
    draws: int | None = None,
    seed: int = 0,
    dimension: int | None = None,
    quadrature: bool = False,
) -> DataSeparation:
    """lambda of N equally likely points (N, k), which are centred and scaled first, by Monte Carlo.

    Of x = y_j + eps / r and w = softmax_i(-r^2 |x - y_i|^2 / 2) it averages the posterior variance
    sum_i w_i |y_i|^2 - |sum_i w_i y_i|^2. Draws of (j, eps) are scrambled Sobol points where they span fewer than 8
    dimensions, else the points in turn with pairs +-eps; standard errors are the scatter of 16 independent batches,
    which says nothing below 1 / draws, where a draw between two points is an event that may not have happened.
    angles: which (T,), or how many, placed by the data. draws: per level, by default some 500,000 / N.
    dimension: d, where the points are coordinates of a span (noise outside it changes nothing).
    quadrature: on the line and in the plane, levels at which an even grid is affordable are integrated, without error:
    at much noise so little is decided that its rate drowns in an estimate's.
    Raises :class:`InvalidValue` for coincident points and for more than 4096.
    """
    steps = separation_steps(points, angles, draws, seed, dimension, quadrature)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def separation_steps(
    points: Tensor,
    angles: Tensor | int = ANGLES,
    draws: int | None = None,
    seed: int = 0,
    dimension: int | None = None,
    quadrature: bool = False,
) -> Generator[tuple[int, int], None, DataSeparation]:
    """:func:`separation_of_points` level by level: yields (levels done, levels), returns the separation."""
    y = standardised_points(points, dimension)
    if len(y) > MOST_POINTS:
        raise InvalidValue(f"{len(y):,} points are too many; at most {MOST_POINTS:,}.")
    cloud = _Cloud(y, dimension or y.shape[1])
    theta = _between(*cloud.range(), angles)
    draws = min(max(_WORK // len(y), _FEWEST), _MOST) if draws is None else draws
    generator = torch.Generator().manual_seed(seed)
    drawn = cloud.draws(max(draws // (2 * BATCHES), 1), generator)
    law = None
    if quadrature and y.shape[1] <= 2:
        law = GaussianMixture(torch.ones(len(y)), y, _POINT * torch.eye(y.shape[1]).expand(len(y), -1, -1))
    levels = []
    for done, r in enumerate(torch.tan(theta).tolist()):
        yield done, len(theta)
        if law is not None and _count_of_places(law, 1 / r) * len(y) <= _MOST_PAIRS:
            levels.append(torch.full((BATCHES,), _mean_posterior_variance(law, 1 / r) / cloud.dimension).double())
        else:
            levels.append(cloud.posterior_variance(r, *drawn, generator).reshape(BATCHES, -1).mean(1))
    batches = torch.stack(levels, 1).clamp(0.0, 1e6)
    error = batches.std(0) / math.sqrt(BATCHES)
    return DataSeparation(theta, batches.mean(0).clamp(max=1.0), error, cloud.dimension, True, batches)


class _Cloud:
    """Standardised points as what the estimate needs: coordinates of their span (N, k) and squared distances."""

    def __init__(self, y: Tensor, dimension: int):
        self.dimension = dimension
        gram = y @ y.T
        if y.shape[1] > len(y):
            value, vector = torch.linalg.eigh(gram)
            y = vector * value.clamp(min=0.0).sqrt()
        square = gram.diag()
        distance = (square[:, None] + square - 2 * gram).clamp(min=0.0)
        self._coefficient = float(gram.square().mean()) / dimension  # tr(Cov^2) / d: lambda = r^2 times it, at first
        apart = distance + torch.diag(torch.full((len(y),), torch.inf, dtype=y.dtype))
        self._nearest = torch.where(apart > 1e-18 * float(square.max()), apart, torch.inf).amin(1)
        dtype = torch.float64 if y.shape[1] < _SOBOL else torch.float32
        self.points, self._half_distance = y.to(dtype), (0.5 * distance).to(dtype)
        self._square = square.to(dtype)

    def range(self) -> tuple[float, float]:
        """(r, r) between which lambda moves: 1 % decided, and nearest neighbours told apart."""
        first = math.sqrt(_FIRST_SHARE / self._coefficient)
        near = self._nearest[torch.isfinite(self._nearest)]

        def confused(r: float) -> float:
            return float((near * torch.exp(-r * r * near / 8)).sum()) / (len(self.points) * self.dimension)

        last = 2 * first
        while confused(last) > _LAST_SHARE and last < 1e6:
            last *= 1.05
        return first, last

    def draws(self, pairs: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Ranks of points (n,) and y_i . eps (n, N) of 2 ``pairs`` draws in each of the batches, one after another."""
        count, k = self.points.shape
        if k < _SOBOL:
            rank, eps = zip(*(_spread(2 * pairs, k, generator) for _ in range(BATCHES)), strict=True)
            return (torch.cat(rank) * count).long(), torch.cat(eps).to(self.points.dtype) @ self.points.T
        eps = torch.randn(pairs * BATCHES, k, generator=generator, dtype=self.points.dtype)
        along = eps @ self.points.T
        turn = torch.arange(len(eps)) % count
        order = torch.randperm(count, generator=generator)  # neighbours in a collection are alike, batches must not be
        return order[turn].repeat_interleave(2), torch.stack([along, -along], 1).flatten(0, 1)

    def posterior_variance(self, r: float, rank: Tensor, along: Tensor, generator: torch.Generator) -> Tensor:
        """(1/d) tr Cov(y | x) (n,) at draws x = y_j + eps / r; which j meets which noise changes from call to call."""
        count = len(self.points)
        j = (rank + torch.randint(count, (), generator=generator)) % count
        ahead = r * (along - along.gather(1, j[:, None]))
        logits = torch.addcmul(ahead, self._half_distance[j], torch.tensor(-r * r, dtype=along.dtype))
        silent = 0.01 * torch.finfo(along.dtype).eps / count
        weights = threshold(torch.softmax(logits, 1), silent, 0.0)  # denormals are slow
        heard = (weights > 0).any(0).nonzero()[:, 0]
        if len(heard) < 0.8 * count:
            weights, points, square = weights[:, heard], self.points[heard], self._square[heard]
        else:
            points, square = self.points, self._square
        variance = weights @ square - (weights @ points).square().sum(1)
        return (variance.double() / self.dimension).clamp(min=0.0)


def _spread(draws: int, dimension: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Scrambled Sobol draws: uniform (n,) and standard normal (n, dimension), float64."""
    seed = int(torch.randint(2**31, (), generator=generator))
    engine = torch.quasirandom.SobolEngine(1 + dimension, scramble=True, seed=seed)
    uniform = engine.draw(draws, dtype=torch.float64)
    return uniform[:, 0], torch.special.ndtri(uniform[:, 1:].clamp(1e-9, 1 - 1e-9))


# --- mixtures -------------------------------------------------------------------------------------------------------


def separation_of_mixture(mixture: GaussianMixture, angles: Tensor | int = ANGLES) -> DataSeparation:
    """lambda of a Gaussian mixture in one or two dimensions, centred and scaled first, by quadrature.

    An even grid with three places per noise width: error below 1e-4. Raises :class:`InvalidValue` for d > 2.
    """
    if mixture.dimension > 2:
        raise InvalidValue(f"quadrature is for 1 or 2 dimensions, not {mixture.dimension}: take points of the law.")
    law = standardised_mixture(mixture)
    covariance = law.covariance()
    first = math.sqrt(_FIRST_SHARE * law.dimension / float(covariance.square().sum()))
    narrowest = float(torch.linalg.eigvalsh(law.covariances).amin())
    theta = _between(first, _BEYOND / math.sqrt(narrowest), angles)
    missing = [_mean_posterior_variance(law, 1 / r) / law.dimension for r in torch.tan(theta).tolist()]
    exact = torch.tensor(missing, dtype=torch.float64)
    return DataSeparation(theta, exact.clamp(0.0, 1.0), torch.zeros_like(exact), law.dimension, discrete=False)


def _mean_posterior_variance(law: GaussianMixture, sigma: float) -> float:
    """E tr Cov(y | x) for x = y + sigma eps, in the plane or on the line."""
    posterior = _Posterior(law, sigma)
    total = torch.zeros((), dtype=torch.float64)
    places, weight = _places(law, sigma)
    for part in places.split(max(_AT_ONCE // len(law.means), 1)):
        density, spread = posterior(part)
        total += (density * spread).sum()
    return float(total * weight)


def _frame(law: GaussianMixture, sigma: float) -> tuple[float, Tensor, Tensor]:
    """Step of a grid, and its lowest and highest corner (d,) around the law's noised mass."""
    variances = torch.linalg.eigvalsh(law.covariances)
    step = math.sqrt(float(variances.amin()) + sigma**2) / _PER_WIDTH
    reach = _REACH * torch.sqrt(law.covariances.diagonal(dim1=1, dim2=2) + sigma**2)
    return step, (law.means - reach).amin(0), (law.means + reach).amax(0)


def _count_of_places(law: GaussianMixture, sigma: float) -> float:
    step, low, high = _frame(law, sigma)
    return float(((high - low) / step + 1).prod())


def _places(law: GaussianMixture, sigma: float) -> tuple[Tensor, float]:
    """An even grid (G, d) over all of the law's noised mass, and the measure of one place."""
    step, low, high = _frame(law, sigma)
    axes = [torch.arange(float(a), float(b) + step, step, dtype=torch.float64) for a, b in zip(low, high, strict=True)]
    return torch.cartesian_prod(*axes).reshape(-1, law.dimension), step**law.dimension


class _Posterior:
    """p(x) and tr Cov(y | x) at many places: per component everything is a quadratic in x, so one matrix product."""

    def __init__(self, law: GaussianMixture, sigma: float):
        d = law.dimension
        noise = sigma**2 * torch.eye(d, dtype=torch.float64)
        precision = torch.linalg.inv(law.covariances + noise)
        gain = law.covariances @ precision  # E[y | x, n] = mu_n + gain_n (x - mu_n)
        rest = law.means - torch.einsum("nij,nj->ni", gain, law.means)
        spread = (law.covariances - gain @ law.covariances).diagonal(dim1=1, dim2=2).sum(1)
        constant = law.log_prior + 0.5 * torch.logdet(precision) - 0.5 * d * math.log(2 * math.pi)
        self._log_density = _quadratic(constant, precision, law.means)
        self._gain, self._rest = gain, rest
        square = torch.einsum("nji,njk->nik", gain, gain)
        self._second = torch.cat(
            [
                (rest.square().sum(1) + spread)[None],
                2 * torch.einsum("nji,nj->in", gain, rest),
                square.flatten(1).T,
            ]
        )

    def __call__(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(p(x) (n,), tr Cov(y | x) (n,)) at x (n, d)."""
        one = torch.ones(len(x), 1, dtype=x.dtype)
        monomials = torch.cat([one, x, (x[:, :, None] * x[:, None, :]).flatten(1)], 1)
        weights = torch.exp(monomials @ self._log_density)
        density = weights.sum(1)
        known = density.clamp(min=1e-300)
        second = (weights * (monomials @ self._second)).sum(1) / known
        gain = (weights @ self._gain.flatten(1)).reshape(-1, *self._gain.shape[1:])
        mean = (weights @ self._rest + (gain * x[:, None, :]).sum(2)) / known[:, None]
        return density, (second - mean.square().sum(1)).clamp(min=0.0)


def _quadratic(constant: Tensor, precision: Tensor, centre: Tensor) -> Tensor:
    """Coefficients (1 + d + d^2, N) of constant - (x - centre)' precision (x - centre) / 2 in the monomials of x."""
    pull = torch.einsum("nij,nj->ni", precision, centre)
    return torch.cat([(constant - 0.5 * (pull * centre).sum(1))[None], pull.T, -0.5 * precision.flatten(1).T])
