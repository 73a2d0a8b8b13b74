"""Where a sample left the path that the same noise takes without guidance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.backbones.base import Backbone
from gensot_demo.guidance.unguided import Unguided
from gensot_demo.transport.catalogue import SAMPLERS
from gensot_demo.transport.conductor import Job, conduct
from gensot_demo.transport.noise import RowNoise
from gensot_demo.transport.paths import PathPoint, PathPoints
from gensot_demo.transport.steering import Asking, Prediction, Steering, ask

from ..compare import CompareResult, MethodResult
from ..device import TURNSTILE
from . import sizes

LEFT = 0.1  # share of the final distance from which on the path counts as left
_TIME_MATTERS = "euler"  # the one sampler whose steps depend on the path and not on its noise levels alone


@dataclass(frozen=True, eq=False)
class Leaving:
    """One sample against the unguided one from the same noise, at the R kept moments that both have and a > 0.

    levels: (R,) noise levels, 0 last.  states: (R,) distance of the two in z = (x - g)/a, where the path's scale and
    shift and the common noise drop out, times s/sqrt(s^2 + sigma^2), s the spread of the data: the states as they are
    where x_t always has the spread of a picture, so that a difference counts as far as the noise leaves it visible.
    predictions: (R,) distance of what is predicted.  Both root mean square over the pixels, in ``unit``.
    end: the picture that the unguided path leads to, nearest: name of the known picture nearest to it, or None.
    sampled: whether that path was not in the run and has been sampled for this.
    """

    levels: NDArray[np.float64]
    states: NDArray[np.float64]
    predictions: NDArray[np.float64]
    unit: str
    end: NDArray[np.uint8]
    nearest: str | None
    sampled: bool

    @property
    def final(self) -> float:
        """Distance of the two finished pictures."""
        return float(self.states[-1])

    @property
    def left(self) -> int | None:
        """The first moment at which the states are further apart than 10 % of the final distance; None if they end
        together."""
        if self.final < sizes.SILENT:
            return None
        return int(np.flatnonzero(self.states > LEFT * self.final)[0])


@dataclass(frozen=True, eq=False)
class Walk:
    """A sample's way: grid, kept grid rows (S), states and predictions (S, d), all on the CPU."""

    grid: PathPoints
    index: list[int]
    states: Tensor
    predicted: Tensor


def walk_of(part: MethodResult, column: int) -> Walk:
    """The way of one sample of a run."""
    return Walk(part.grid, part.index, part.states[:, column], part.predicted[:, column])


def unguided_in(result: CompareResult, part: MethodResult, column: int) -> Walk | None:
    """The unguided way from the same noise if the run holds it: same sampler, same noise levels, one particle."""
    free = result.methods.get(Unguided.name)
    if free is None or free.sampler != part.sampler or part.particles > 1:
        return None
    ours, theirs = part.grid, free.grid
    same = ours.log_K.shape == theirs.log_K.shape and torch.allclose(ours.log_K, theirs.log_K, rtol=1e-9, atol=1e-6)
    if same and part.sampler == _TIME_MATTERS:
        same = torch.allclose(ours.t, theirs.t, rtol=0, atol=1e-9)
    return walk_of(free, column) if same else None


class _Alone(Steering):
    """No guidance; goes on with another particle's noise wherever the sample's line did."""

    def __init__(self, noise: RowNoise, switches: dict[int, int], data_variance: float):
        super().__init__(data_variance=data_variance)
        self.noise, self.switches = noise, switches

    def predict(self, point: PathPoint, x: Tensor) -> Asking:
        answer = yield ask(point, x)
        # weighed, with nothing: a sampler asks for survivors only where there are weights
        return Prediction(answer.predicted[0], log_weight_rate=torch.zeros(1, dtype=x.dtype, device=x.device))

    def population(self, index: int, log_weights: Tensor) -> Tensor | None:
        if index not in self.switches:
            return None
        self.noise.row = self.switches[index]
        return torch.zeros(1, dtype=torch.long, device=log_weights.device)


def sample_unguided(
    backbone: Backbone, grid: PathPoints, sampler: str, seed: int, slots: tuple[int, dict[int, int]]
) -> Iterator[float | Walk]:
    """Sample without guidance along a grid, from the noise of one seed; yields the share done and last the way.

    slots: which particle's noise, and from which grid rows on another's, see :meth:`Population.slots`.
    Raises RuntimeError with a sentence where the model fails.
    """
    first, switches = slots
    noise = RowNoise(backbone.noise((seed,), max(first, *switches.values(), 0) + 1), first)
    job = Job(
        "unguided",
        SAMPLERS[sampler].run,
        grid.to(backbone.oracle.device, backbone.oracle.dtype),
        noise,
        _Alone(noise, switches, backbone.data_variance),
    )
    trace = None
    for moment in conduct([job], backbone.oracle, turn=TURNSTILE, max_rows=backbone.max_rows):
        trace = moment.traces[0]
        yield moment.done
    if trace is None or not trace.finished:
        raise RuntimeError(f"The unguided path could not be sampled: {trace.error if trace else 'no step was made'}")
    index, states, predicted = trace.delivered([0])
    yield Walk(grid, index, states[:, 0].cpu(), predicted[:, 0].cpu())


def leaving(backbone: Backbone, guided: Walk, free: Walk, sampled: bool) -> Leaving:
    """Compare two ways row by row."""
    common = [row for row in guided.index if row in set(free.index) and float(guided.grid.a[row]) > 0]
    ours, theirs = ([walk.index.index(row) for row in common] for walk in (guided, free))
    levels = guided.grid.sigma[common].double()
    visible = (backbone.data_variance / (backbone.data_variance + levels**2)).sqrt()
    apart = visible[:, None] * (_z(guided, ours, common) - _z(free, theirs, common))
    predicted = guided.predicted[ours].double() - free.predicted[theirs].double()
    end = free.states[-1:].to(backbone.oracle.device)
    near = backbone.nearest(end)
    return Leaving(
        levels=levels.numpy(),
        states=sizes.size(backbone, apart).numpy(),
        predictions=sizes.size(backbone, predicted).numpy(),
        unit=sizes.unit_of(backbone),
        end=backbone.pictures(end)[0],
        nearest=None if near is None else backbone.names[int(near[0][0])],
        sampled=sampled,
    )


def _z(walk: Walk, at: list[int], rows: list[int]) -> Tensor:
    """(x - g)/a, (R, d), float64."""
    return (walk.states[at].double() - walk.grid.g[rows].double()) / walk.grid.a[rows].double()[:, None]
