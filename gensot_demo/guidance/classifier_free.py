"""Classifier-free guidance, composed over conditions."""

from __future__ import annotations

from torch import Tensor

from gensot_demo.transport.paths import PathPoint
from gensot_demo.transport.steering import Asking

from .base import GuidanceMethod, Prediction, Task, ask


def added_scores(predicted: Tensor, trusts: tuple[float, ...]) -> Tensor:
    """D_u + sum_m k_m (D_m - D_u) from predictions (1 + M, n, d), the unconditional first."""
    free = predicted[0]
    out = free.clone()
    for trust, conditional in zip(trusts, predicted[1:], strict=True):
        out.add_(conditional - free, alpha=trust)
    return out


class ClassifierFreeGuidance(GuidanceMethod):
    """D_u + sum_m k_m (D_m - D_u): adding scores. Between noise and data this is not the predicted state of the law
    p(y) prod_m p(c_m|y)^{k_m} that it is named after, so its samples do not follow that law."""

    family = "Conditions"
    name = "cfg"
    label = "Classifier-free guidance"
    summary = "Pushes the prediction away from the unconditional one by the strength asked for."
    equation = r"\hat y = D_\varnothing + \sum_m k_m\,(D_{c_m} - D_\varnothing)"
    source = "Ho & Salimans, arXiv 2207.12598, eq. 6; composed: Liu et al., arXiv 2206.01714"
    cost = "1 forward per condition + 1"

    def unavailable(self, task: Task) -> str | None:
        return task.no_null if task.conditions else "classifier-free guidance needs a condition."

    def calls(self, task: Task) -> tuple[int, int]:
        return 1 + len(task.conditions), 0

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        answer = yield ask(point, x, (task.negative, *task.conditions))
        return Prediction(added_scores(answer.predicted, task.trusts))
