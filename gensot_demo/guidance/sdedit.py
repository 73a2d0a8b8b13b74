"""SDEdit: start from the noised reference instead of from noise."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.paths import PathPoint, PathPoints
from gensot_demo.transport.steering import Asking, Starting

from .base import Field, GuidanceMethod, Prediction, Task, ask


class SDEdit(GuidanceMethod):
    """x_s = a r + g + m eps at an intermediate noise level, then plain (conditional) sampling."""

    family = "Pictures and rewards"
    name = "sdedit"
    label = "SDEdit"
    summary = "Adds noise to the reference and lets the model clean it up again."
    equation = r"x_s = a_s\, r + g_s + m_s\,\varepsilon,\quad m_s/a_s = \text{start}\cdot\nu"
    source = "Meng et al., arXiv 2108.01073, algorithm 1"

    start_noise: float = Field(
        1.0, ge=0.1, le=20, title="Start noise", description="Noise level of the start, in units of the view noise."
    )

    def unavailable(self, task: Task) -> str | None:
        return task.no_joint if task.references else "SDEdit needs a picture to follow."

    def start(self, task: Task, grid: PathPoints, noise: SharedNoise) -> Starting:
        level = -2 * math.log(self.start_noise * task.view_noise)
        distance = torch.abs(grid.log_K - level)
        index = int(distance[:-1].argmin())
        point = grid.point(index)
        eps = noise.direction(point.log_K)
        return index, point.a * task.view_mean + point.g + point.m * eps
        yield  # asks nothing

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        answer = yield ask(point, x, (task.joint,))
        return Prediction(answer.predicted[0])
