"""What the plane shows of a protocol: where the process is on average, how wide it is, and the law at its end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.transport.harmonic import HarmonicPath, Protocol
from gensot_demo.transport.mixtures import GaussianMixture

TIMES = 81
_DENSITY_NODES = 61  # of each axis
_REACH = 3.2  # standard deviations of a component that the density shows


@dataclass(frozen=True, eq=False)
class Passage:
    """mean (T, 2) of x_t and half_width (T,), the standard deviation of one coordinate around its tube's axis, at
    TIMES equal times t (T,); guide (K, 2), one place for each piece, and knots (K + 1,)."""

    t: NDArray[np.float64]
    mean: NDArray[np.float64]
    half_width: NDArray[np.float64]
    guide: NDArray[np.float64]
    knots: NDArray[np.float64]
    stiffness: NDArray[np.float64]


def passage_of(protocol: Protocol, end: Tensor) -> Passage:
    """The passage of a protocol to a law of mean ``end`` (2,)."""
    points = HarmonicPath(protocol).at(torch.linspace(0, 1, TIMES, dtype=torch.float64))
    mean = points.a[:, None] * end + points.g
    shown = (points.t, mean, points.m, protocol.guide, protocol.knots, protocol.stiffness)
    return Passage(*(part.detach().numpy() for part in shown))


@dataclass(frozen=True, eq=False)
class Density:
    """A law's density (Y, X) at x (X,) and y (Y,), per unit of area."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    values: NDArray[np.float64]


def density_of(law: GaussianMixture) -> Density:
    """The density where the law's components lie."""
    widths = law.covariances.diagonal(dim1=1, dim2=2).sqrt()
    counted = law.log_prior.exp() > 1e-4  # what weighs less is not seen
    low = (law.means - _REACH * widths)[counted].amin(0)
    high = (law.means + _REACH * widths)[counted].amax(0)
    x, y = (torch.linspace(float(low[n]), float(high[n]), _DENSITY_NODES, dtype=law.dtype) for n in (0, 1))
    places = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).reshape(-1, 2)
    values = law.log_density(places).exp().reshape(_DENSITY_NODES, _DENSITY_NODES)
    return Density(x.numpy(), y.numpy(), values.numpy())


def curve_of(places: Tensor) -> NDArray[np.float64]:
    """Places (T, 2) as an array."""
    return places.detach().numpy()


def shown_times() -> Tensor:
    """The times of a passage."""
    return torch.linspace(0, 1, TIMES, dtype=torch.float64)
