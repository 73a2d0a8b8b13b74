"""FreeDoM: the reward's gradient with a step of fixed length, and time travel at middle noise levels."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gensot_demo.transport.paths import PathPoint
from gensot_demo.transport.steering import Asking

from .base import Field, GuidanceMethod, Prediction, Task, ask


class FreeDoM(GuidanceMethod):
    """D + scale sqrt(v d) g/|g| with g = Cov(y|x) grad r(D); steps in a band of noise levels are repeated.

    The step has a fixed length; how steep the reward is does not count, only where it leads. The authors' program takes
    a share (.02 at 100 steps) of the predicted noise |z - D|. sqrt(v d), with v = :meth:`.Task.posterior_variance`, is
    that below the data's spread, and stays at the data's spread above it, where theirs leads far outside. Each sample
    is normalised by itself.
    """

    family = "Pictures and rewards"
    name = "freedom"
    label = "FreeDoM"
    summary = "Steps of fixed length along the reward's gradient; at middle noise levels each step is made repeatedly."
    equation = r"\hat y = D + \lambda\,\sqrt{v d}\,\frac{\nabla_x r(D(x))}{|\nabla_x r(D(x))|}"
    source = "Yu et al., arXiv 2303.09833, algorithm 2 (step length: the authors' code)"
    cost = "1 forward + 1 backward, times the repeats where steps are repeated"
    adapted = True

    scale: float = Field(0.4, ge=0, le=2, title="Step length", description="As a share of the noise that is left.")
    travels: int = Field(
        3, ge=1, le=20, title="Repeats", description="How often a step within the band is made; 1 is no time travel."
    )
    lowest: float = Field(
        0.5,
        ge=0,
        le=1000,
        title="Band from",
        description="Lowest noise level of the band, in standard deviations of the data.",
    )
    highest: float = Field(
        5.0,
        ge=0,
        le=1000,
        title="Band to",
        description="Highest noise level of the band, in standard deviations of the data.",
    )

    def unavailable(self, task: Task) -> str | None:
        return task.no_joint if task.asked is not None else "FreeDoM needs a picture to follow or a reward."

    def calls(self, task: Task) -> tuple[int, int]:
        return self.travels, self.travels

    def repeats(self, task: Task, point: PathPoint) -> int:
        level = point.sigma / math.sqrt(task.data_variance)
        return self.travels if self.lowest <= level <= self.highest else 1

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        answer = yield ask(point, x, (task.joint,), cotangent=lambda predicted: task.asked.gradient(predicted[0]))
        predicted, slope = answer.predicted[0], answer.pullback
        along = slope / torch.linalg.vector_norm(slope, dim=1, keepdim=True).clamp(min=1e-30)
        noise = math.sqrt(task.posterior_variance(point) * x.shape[1])
        return Prediction(predicted + self.scale * noise * along)
