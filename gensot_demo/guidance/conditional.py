"""Sampling from the conditional model: every condition once, at trust 1."""

from __future__ import annotations

from torch import Tensor

from gensot_demo.transport.paths import PathPoint
from gensot_demo.transport.steering import Asking

from .base import GuidanceMethod, Prediction, Task, ask


class Conditional(GuidanceMethod):
    """D = E[y | x, c]; trusts and strength are not used."""

    family = "Baselines"
    name = "conditional"
    label = "Conditional"
    summary = "The model's own conditional law: asks for the conditions once, at trust 1, whatever the strength."
    equation = r"\hat y = \mathbb{E}[y \mid x_t, c]"
    source = "Karras et al., arXiv 2206.00364"

    def unavailable(self, task: Task) -> str | None:
        return task.no_joint if task.conditions else "the conditional law needs a condition."

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        answer = yield ask(point, x, (task.joint,))
        return Prediction(answer.predicted[0])
