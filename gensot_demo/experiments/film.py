"""One sample's whole trajectory as pictures: the state x_t and the predicted state, at a few noise levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gensot_demo.transport.catalogue import SAMPLERS

from .compare import CompareResult, MethodResult
from .requests import InvalidRequest

FRAMES = 10


@dataclass(frozen=True)
class Frame:
    """One moment. state, predicted: (res, res, 3) uint8.  sigma: noise level; time: of the method's own path.
    scale, noise: a and m of x_t = a y + g + m eps there."""

    state: NDArray[np.uint8]
    predicted: NDArray[np.uint8]
    sigma: float
    time: float
    scale: float
    noise: float


def sample_of(result: CompareResult, method: str, column: int) -> MethodResult:
    """The part of a run that this sample is in; raises InvalidRequest for a sample that is not there."""
    if method not in result.methods or not 0 <= column < result.request.samples:
        raise InvalidRequest(f"There is no sample {column + 1} of {method[:60]!r} in this run.")
    return result.methods[method]


def moments_of(part: MethodResult, frames: int = FRAMES) -> list[int]:
    """Which of the kept moments a film of so many frames shows, evenly over the steps."""
    return np.unique(np.linspace(0, len(part.index) - 1, frames).round().astype(int)).tolist()


def film(result: CompareResult, method: str, column: int, frames: int = FRAMES) -> list[Frame]:
    """``frames`` moments of one sample, evenly over its steps; raises InvalidRequest for a sample that is not there."""
    part, backbone = sample_of(result, method, column), result.backbone
    chosen = moments_of(part, frames)
    predicted = backbone.pictures(part.predicted[chosen, column].to(backbone.oracle.device))
    if backbone.dimension == backbone.oracle.dimension:
        states = backbone.pictures(part.states[chosen, column].to(backbone.oracle.device))
    else:
        states = backbone.to_uint8(_completed(result, part, column, chosen))
    grid = part.grid
    return [
        Frame(
            states[n],
            predicted[n],
            float(part.levels[moment]),
            float(part.times[moment]),
            float(grid.a[part.index[moment]]),
            float(grid.m[part.index[moment]]),
        )
        for n, moment in enumerate(chosen)
    ]


def _completed(result: CompareResult, part: MethodResult, column: int, moments: list[int]) -> torch.Tensor:
    """x_t as pictures (n, dimension): coordinates, the noise outside the pictures' span, and the guide's rest there.

    Outside the span nothing is ever predicted, so the state there is the guide plus m times the shared noise: that of
    the moment for a sampler that adds noise, that of the start for one that does not.
    """
    backbone, grid = result.backbone, part.grid
    rows = [part.index[moment] for moment in moments]
    stochastic = SAMPLERS[result.request.sampler].stochastic
    pictures = backbone.decode_noise(part.states[moments, column]) + backbone.mean_picture
    noisy = [n for n, row in enumerate(rows) if float(grid.m[row]) > 0]
    levels = [float(grid.log_K[rows[n] if stochastic else part.index[0]]) for n in noisy]
    outside = backbone.outside_noise(result.request.seeds[column], levels)
    for n, noise in zip(noisy, outside, strict=True):
        pictures[n] += float(grid.m[rows[n]]) * noise + _guide_outside(result, part, rows[n])
    return pictures


def _guide_outside(result: CompareResult, part: MethodResult, row: int) -> torch.Tensor | float:
    """What of the path's shift g no picture can express: g is a multiple of the reference where it is not zero."""
    shift, centre = part.grid.g[row].double(), result.asked.task.view_mean
    if centre is None or len(shift) == 1 or float(shift.norm()) == 0.0:
        return 0.0
    backbone = result.backbone
    share = float(shift @ centre.double()) / float(centre.double().square().sum())
    trusts = torch.tensor(result.asked.task.reference_trusts, dtype=torch.float32)
    flat = np.stack([picture.reshape(-1) for picture in result.asked.references]).astype(np.float32)
    reference = (trusts / trusts.sum()) @ (torch.from_numpy(flat) / 127.5 - 1) - backbone.mean_picture
    return share * backbone.outside_span(reference[None])[0]
