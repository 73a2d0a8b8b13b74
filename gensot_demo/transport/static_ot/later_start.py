"""Sampling that starts later: noise jumps by an optimal transport map to a picture noised to a lower level.

Li et al., "DPM-OT", arXiv 2307.11308, and Wang et al., arXiv 2410.13431: the semi-discrete Brenier map sends noise z to
one of the training pictures as they are at an intermediate noise level; few steps of the denoiser do the rest. Where
the cells of the map have the masses that they should, and the noise of the level is drawn afresh, the index of the cell
has the law of the pictures whatever the map: the jump is a draw from p_T' itself, "take a training picture, noise it".
Smoothing (the softmax in place of the maximum) is what makes other pictures of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import InvalidValue
from .semi_discrete import Brenier


@dataclass(frozen=True)
class Landing:
    """Where n noises land. index (n,): the picture whose cell holds each.  target (n, d): that picture, or where
    smoothed an average of pictures.  blended (n,): how many pictures the average is worth, 1 / sum of squared shares.
    state (n, d): target + sigma eps, in z = y + sigma eps.
    """

    index: Tensor
    target: Tensor
    blended: Tensor
    state: Tensor


def spread(brenier: Brenier) -> float:
    """Root of the pictures' variance summed over coordinates: the standard deviation of <z, y_i> about its mean over i,
    and so the unit in which smoothing is told."""
    mean = brenier.weights @ brenier.points
    return math.sqrt(float(brenier.weights @ (brenier.points - mean).square().sum(1)))


def land(brenier: Brenier, z: Tensor, eps: Tensor, sigma: float, tau: float = 0.0) -> Landing:
    """The jump of noise z (n, d) ~ N(0, I) to the level ``sigma`` > 0, with noise eps (n, d) of its own.

    tau: smoothing in units of :func:`spread`, 0 for none: the gradient of
    tau logsumexp((<z, y_i> + h_i) / tau). Raises InvalidValue for a level or smoothing out of range.
    """
    if not (math.isfinite(sigma) and sigma > 0):
        raise InvalidValue(f"sigma is {sigma}; it must be a finite number above 0: at 0 nothing is left to sample.")
    if not (math.isfinite(tau) and tau >= 0):
        raise InvalidValue(f"tau is {tau}; it must be a finite number, 0 or more.")
    index = brenier.cells(z)
    target, blended = brenier.points[index], torch.ones(len(z), dtype=brenier.points.dtype)
    if tau > 0:
        shares = torch.softmax(brenier.scores(z) / (tau * spread(brenier)), dim=1)
        target, blended = shares @ brenier.points, 1 / shares.square().sum(1)
    return Landing(index, target, blended, target.to(eps) + sigma * eps)
