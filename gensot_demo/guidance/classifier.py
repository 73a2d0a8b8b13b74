"""Classifier guidance: Bayes' rule with a classifier that knows noisy states."""

from __future__ import annotations

import torch
from torch import Tensor

from gensot_demo.transport.paths import PathPoint
from gensot_demo.transport.steering import Asking

from .base import Prediction, Task, ask
from .scheduled import Scheduled

_LEAST_SIGNAL = 1e-6  # a/m below which a classifier is asked there: the limit of (m^2/a) grad log p, to first order
_ROWS = 256  # states that a classifier sees at once


class ClassifierGuidance(Scheduled):
    """D_u + sum_m k_m (m^2/a) grad_x log p(c_m | x): with the classifier that belongs to the model itself, exactly
    classifier-free guidance; with a trained one, another model's opinion."""

    name = "classifier"
    label = "Classifier guidance"
    summary = "Pulls the prediction up the slope of a classifier that was trained on noisy pictures."
    equation = r"\hat y = D_\varnothing + \tfrac{m^2}{a} \sum_m k_m \nabla_{x} \log p(c_m \mid x_t)"
    source = "Dhariwal & Nichol, arXiv 2105.05233, algorithm 1"
    cost = "1 forward, and a pass forth and back of a small classifier"

    def unavailable(self, task: Task) -> str | None:
        if not task.conditions:
            return f"{self.label} needs a condition."
        if task.classifier is None:
            return "Classifier guidance needs a classifier of noisy states, and this model has none."
        return task.no_null

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        answer = yield ask(point, x)
        free = answer.predicted[0]
        trusts = self.scheduled(task, point)
        if not any(trusts) or (point.m == 0.0 and point.a > 0.0):
            return Prediction(free)
        parts = [_correction(task, point, rows, trusts) for rows in (x - point.g).split(_ROWS)]
        return Prediction(free + torch.cat(parts))


def _correction(task: Task, point: PathPoint, x: Tensor, trusts: tuple[float, ...]) -> Tensor:
    """(m^2/a) sum_m k_m grad log p(c_m | x), (n, d), for x (n, d) without the path's shift."""
    a, m = point.a, point.m
    if a <= _LEAST_SIGNAL * m:
        x = x / m if m > 0.0 else x
        a, m = _LEAST_SIGNAL, 1.0
    with torch.enable_grad():
        x = x.detach().requires_grad_(True)
        log_p = task.classifier(x, a, m)
        total = sum(k * row.sum() for k, row in zip(trusts, log_p, strict=True))
        (slope,) = torch.autograd.grad(total, x)
    return (m * m / a) * slope
