"""The Fokker-Planck equation d_t rho = div(rho grad log(rho / pi)) in a box, by finite volumes.

It is the Wasserstein gradient flow of KL(rho | pi) (Jordan, Kinderlehrer & Otto 1998, doi 10.1137/S0036141096303359).
Between neighbouring cells the flux is Scharfetter & Gummel's, so each direction is a Markov chain that is reversible
in respect of pi. The exponentials of both are put together by Strang's splitting: every step is a Markov kernel that
keeps pi. So mass is conserved, nothing becomes negative and KL(rho | pi) falls, for any step; the error is of second
order in space and time. The walls of the box let nothing through.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import diags_array
from scipy.sparse.linalg import eigsh
from torch import Tensor

from ..errors import InvalidValue
from ..mixtures import GaussianMixture

CELLS = 80  # along each side of the box
_TAYLOR = 9  # terms of an exponential of norm 1/4: the rest is below 1e-11 and is made up by the columns' sums
_FLOOR = 1e-300  # of a density, before its logarithm
_SLOWEST = 1e-9  # rates below this cannot be told from rounding


class Box:
    """A square of ``cells`` by ``cells`` cells: x (cells,) and y (cells,) are their centres, h their side."""

    def __init__(self, low: tuple[float, float], side: float, cells: int = CELLS):
        if not side > 0 or cells < 4:
            raise InvalidValue(f"The box has side {side:g} and {cells} cells along it; it needs a side and 4 cells.")
        self.low, self.side, self.cells, self.h = low, side, cells, side / cells
        middles = (torch.arange(cells, dtype=torch.float64) + 0.5) * self.h
        self.x, self.y = low[0] + middles, low[1] + middles

    @property
    def centres(self) -> Tensor:
        """(cells^2, 2), y by y."""
        y, x = torch.meshgrid(self.y, self.x, indexing="ij")
        return torch.stack([x.reshape(-1), y.reshape(-1)], 1)

    def log_density(self, law: GaussianMixture) -> Tensor:
        """log of the law's density in each cell (cells, cells), normalised on the grid."""
        log = law.log_density(self.centres).reshape(self.cells, self.cells)
        return log - torch.logsumexp(log.reshape(-1), 0) - 2 * np.log(self.h)

    def between(self, across: Tensor, along: Tensor, places: Tensor) -> Tensor:
        """A vector field at places (n, 2): its x part given between cells in x (cells, cells - 1), its y part between
        those in y (cells - 1, cells), linear in between."""
        share = (places - torch.tensor(self.low, dtype=places.dtype)) / self.side * 2 - 1  # -1 to 1
        inner = share * self.cells / (self.cells - 1)  # what lies between cells spans one cell less
        at = torch.stack([torch.stack([inner[:, 0], share[:, 1]], 1), torch.stack([share[:, 0], inner[:, 1]], 1)])
        parts = [
            torch.nn.functional.grid_sample(
                part[None, None], where[None, None], padding_mode="border", align_corners=False
            ).reshape(-1)
            for part, where in zip((across, along), at, strict=True)
        ]
        return torch.stack(parts, 1)


class FokkerPlanck:
    """The flow to one target in a box; steps of length ``step`` and its doubles."""

    def __init__(self, target: GaussianMixture, box: Box, step: float):
        if not step > 0:
            raise InvalidValue(f"The step is {step:g}; it must be above 0.")
        self.target, self.box = target, box
        self.log_target = box.log_density(target)
        self._half = _exponential(chains(self.log_target, box.h), step / 2)
        self._whole = _exponential(chains(self.log_target.T, box.h), step)

    def doubled(self) -> None:
        """From now on steps are twice as long."""
        self._half, self._whole = (_kept(kernel @ kernel) for kernel in (self._half, self._whole))

    def step(self, density: Tensor) -> Tensor:
        """The density (cells, cells) one step later."""
        once = np.matmul(self._half, density.numpy()[:, :, None])[:, :, 0]
        once = np.matmul(self._whole, once.T[:, :, None])[:, :, 0].T
        return torch.from_numpy(np.matmul(self._half, once[:, :, None])[:, :, 0])

    def log_ratio(self, density: Tensor) -> Tensor:
        """log(rho / pi), (cells, cells): the first variation of KL(rho | pi), but for a constant."""
        return torch.log(density.clamp(min=_FLOOR)) - self.log_target

    def divergence(self, density: Tensor) -> float:
        """KL(rho | pi) in nats."""
        return float((density * self.log_ratio(density)).sum()) * self.box.h**2

    def velocity(self, density: Tensor, places: Tensor) -> Tensor:
        """v = -grad log(rho / pi) at places (n, 2)."""
        ratio = self.log_ratio(density)
        return self.box.between(-ratio.diff(dim=1) / self.box.h, -ratio.diff(dim=0) / self.box.h, places)


def chains(log_target: Tensor, h: float) -> Tensor:
    """Generators (k, n, n) of the chains along the rows of ``log_target`` (k, n): column j holds the rates out of cell
    j, B(z) / h^2 with z = log pi_from - log pi_to and Bernoulli's B(z) = z / (e^z - 1)."""
    rise = log_target.diff(dim=1)
    onward, back = _bernoulli(-rise) / h**2, _bernoulli(rise) / h**2
    leaving = torch.zeros_like(log_target)
    leaving[:, :-1] += onward
    leaving[:, 1:] += back
    return torch.diag_embed(onward, -1) + torch.diag_embed(back, 1) - torch.diag_embed(leaving)


def _bernoulli(z: Tensor) -> Tensor:
    small = z.abs() < 1e-5
    safe = torch.where(small, 1.0, z)
    return torch.where(small, 1 - z / 2, safe / torch.expm1(safe))


def _exponential(generators: Tensor, time: float) -> NDArray[np.float64]:
    """e^{time A} with all entries >= 0 and columns that sum to 1: Taylor's series of the non-negative A + c I at a
    small part of the time, squared back. In NumPy, whose products of many small matrices do not wake threads."""
    fastest = float(-torch.diagonal(generators, dim1=1, dim2=2).min())
    doublings = max(0, int(np.ceil(np.log2(max(fastest * time * 4, 1e-300)))))
    unit = np.eye(generators.shape[1])
    part = (generators.numpy() + fastest * unit) * (time / 2**doublings)
    kernel = np.broadcast_to(unit, part.shape)
    for n in range(_TAYLOR, 0, -1):
        kernel = unit + part @ kernel / n
    kernel = _kept(kernel)
    for _ in range(doublings):
        kernel = _kept(kernel @ kernel)
    return kernel


def _kept(kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns scaled to the sum 1: mass is kept to the last digit."""
    return kernel / kernel.sum(1, keepdims=True)


def slowest_rate(target: GaussianMixture, box: Box) -> float:
    """The smallest rate but 0 at which a difference from the target fades, as e^{-rate t}: the second eigenvalue of the
    same generator, made symmetric by sqrt(pi). 0 where it is below what rounding can tell."""
    log = box.log_density(target)
    rows, columns = (torch.diagonal(chains(part, box.h), dim1=1, dim2=2) for part in (log, log.T))
    leaving = -(rows + columns.T)
    across = torch.nn.functional.pad(_symmetric(log.diff(dim=1)), (0, 1)).reshape(-1)[:-1] / box.h**2
    along = _symmetric(log.diff(dim=0)).reshape(-1) / box.h**2
    matrix = diags_array(
        [leaving.reshape(-1).numpy(), *(-part.numpy() for part in (across, across, along, along))],
        offsets=[0, 1, -1, box.cells, -box.cells],
    ).tocsc()
    start = torch.exp(log / 2).reshape(-1).numpy() * np.linspace(-1, 2, box.cells**2)  # fixed, so that runs repeat
    values = eigsh(matrix, k=2, sigma=-1e-3, which="LM", return_eigenvectors=False, v0=start)
    rate = float(np.max(values))
    return rate if rate > _SLOWEST else 0.0


def _symmetric(z: Tensor) -> Tensor:
    """sqrt(B(z) B(-z)) = (z / 2) / sinh(z / 2)."""
    half = (z / 2).abs().clamp(1e-6, 350)
    return half / torch.sinh(half)
