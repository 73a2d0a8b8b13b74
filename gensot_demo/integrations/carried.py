"""A path as a diffusers network sees it: what is carried between steps, and the single steps themselves.

x is the path's state. The network is asked about u = a' y + m' eps, a'^2 + m'^2 = 1, at the noise level that the
reference leaves (docs/FORMULAS.md 1.6); u is an affine function of x at every row of the grid.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from gensot_demo.backbones.pipelines.schedules import NoiseTable
from gensot_demo.guidance.base import Task
from gensot_demo.guidance.gensot import tilted_query
from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.oracles import Answer, Query
from gensot_demo.transport.paths import PathPoint, PathPoints
from gensot_demo.transport.samplers import bridge_step, deterministic_step
from gensot_demo.transport.steering import Asking, Prediction, Starting, Steering, start_from_noise


class _Given(SharedNoise):
    """Noise for a start (``start``) or a single step (``draw``), in the shape of the pipeline's samples."""

    def __init__(self, like: Tensor, start: Tensor | None = None, draw: Callable[[], Tensor] | None = None):
        self._start, self._draw = start, draw
        self.seeds, self.rows, self.dimension = tuple(range(len(like))), 1, like[0].numel()
        self.dtype, self.device = like.dtype, like.device

    def direction(self, log_K: float) -> Tensor:
        return self._start

    def increment(self, log_K: float, log_K_next: float) -> Tensor:
        return self._draw()


class _Answered(Steering):
    """A single step from a known state with a known prediction."""

    def __init__(self, x: Tensor, predicted: Tensor):
        super().__init__()
        self._x, self._predicted = x, predicted

    def start(self, grid: PathPoints, noise: SharedNoise) -> Starting:
        return 0, self._x
        yield  # a generator that asks nothing

    def predict(self, point: PathPoint, x: Tensor) -> Asking:
        return Prediction(self._predicted)
        yield  # a generator that asks nothing


@dataclass(frozen=True)
class CarriedPath:
    """The rows of a run, with the reference and the guide in the shape of a sample.

    grid: path of one coordinate for a guide of 1 that starts at it (shifts are linear in the guide); the last row is
    its end.  reference: (c, h, w) or None, seen with noise ``reference_noise``.  guide: (c, h, w) or a number.
    """

    grid: PathPoints
    table: NoiseTable
    reference: Tensor | None
    reference_noise: float
    guide: Tensor | float

    @property
    def end(self) -> int:
        """Index of the last row, where x is the sample itself."""
        return len(self.grid) - 1

    def task(self, like: Tensor) -> Task:
        """The law asked for, on the device of ``like`` (n, c, h, w); raises InvalidValue if the shapes differ."""
        if self.reference is None:
            return Task()
        if self.reference.shape != like.shape[1:]:
            shapes = f"{tuple(self.reference.shape)}; the pipeline's samples have shape {tuple(like.shape[1:])}"
            raise InvalidValue(f"reference has shape {shapes}.")
        reference = self.reference.to(like.device, torch.float32)
        return Task(references=(reference,), reference_trusts=(1.0,), view_noise=self.reference_noise)

    def rows(self, first: int, end: int, like: Tensor) -> PathPoints:
        """Rows ``first`` to ``end`` with shifts (end - first, c, h, w)."""
        self.task(like)
        guide = torch.as_tensor(self.guide, dtype=torch.float32, device=like.device).expand(like.shape[1:])
        rows = {f.name: getattr(self.grid, f.name)[first:end] for f in fields(self.grid)}
        ones = (1,) * guide.dim()
        shifts = {name: rows[name].to(guide).reshape(-1, *ones) * guide for name in ("g", "dg", "push")}
        return replace(self.grid, **{**rows, **shifts})

    def network_input(self, query: Query) -> tuple[Tensor, float, float]:
        """(u, a', m') of a question; below the lowest level the network is asked at the lowest, y scaled alike."""
        lowest = self.table.sigma_min
        if query.m < lowest * query.a:
            unit = 1 / math.hypot(1.0, lowest)
            return query.x * (unit / query.a), unit, lowest * unit
        size = math.hypot(query.a, query.m)
        return query.x / size, query.a / size, query.m / size

    def asked(self, row: int, x: Tensor) -> tuple[Tensor, float, float]:
        """(u, a', m') for the state x (n, c, h, w) at a row before the end."""
        point = self.rows(row, row + 1, x).point(0)
        return self.network_input(tilted_query(point, x, self.task(x), (None,)))

    def state(self, row: int, u: Tensor, near: Tensor | None = None, near_u: Tensor | None = None) -> Tensor:
        """x whose image is u: exact beside a known pair (``near``, ``near_u``), else by inverting the affine map."""
        u = u.float()
        x = torch.zeros_like(u) if near is None else near
        image, a, _ = self.asked(row, x)
        image = image if near_u is None else near_u.float()
        point = self.grid.point(row)
        information = (point.a / point.m) ** 2 + self.task(x).view_precision
        return x + (u - image) * (information * point.m**2 / (a * point.a))

    def noisy(self, row: int, y: Tensor, noise: Tensor) -> Tensor:
        """The image u of a y + g + m noise at a row before the end."""
        point = self.rows(row, row + 1, noise).point(0)
        return self.asked(row, point.a * y.float() + point.g + point.m * noise.float())[0]

    def _opening(self, noise: Tensor) -> Starting:
        def predict(point: PathPoint, x: Tensor) -> Asking:
            answer = yield tilted_query(point, x, self.task(x), (None,))
            return Prediction(answer.predicted[0])

        return start_from_noise(predict, self.rows(0, 1, noise), _Given(noise, start=noise))

    def mean_input(self, noise: Tensor) -> tuple[Tensor, float, float]:
        """(u, a', m') of the question for the mean of the law, before anything is known (with a reference only)."""
        return self.network_input(next(self._opening(noise.float())))

    def started(self, noise: Tensor, mean: Tensor | None) -> Tensor:
        """x = a mean + g + m noise at the first row; ``mean`` None is 0."""
        noise = noise.float()
        mean = torch.zeros_like(noise) if mean is None else mean.to(noise).expand(noise.shape)
        opening = self._opening(noise)
        next(opening)
        try:
            opening.send(Answer(mean[None]))
        except StopIteration as end:
            return end.value[1]
        raise AssertionError("a start asks one question")

    def advanced(self, row: int, x: Tensor, predicted: Tensor, draw: Callable[[], Tensor] | None) -> Tensor:
        """x at the next row: the bridge step with noise from ``draw``, or the deterministic step without."""
        sampler = deterministic_step if draw is None else bridge_step
        *_, last = sampler(self.rows(row, row + 2, x), _Given(x, draw=draw), _Answered(x, predicted))
        return last.x
