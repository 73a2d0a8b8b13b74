"""Null-space guidance: the measured part of the predicted state is replaced by the measurement."""

from __future__ import annotations

from torch import Tensor

from gensot_demo.transport.paths import PathPoint
from gensot_demo.transport.steering import Asking

from .base import GuidanceMethod, Prediction, Task, ask
from .wish import LinearView


class NullSpace(GuidanceMethod):
    """D + min(1, sigma/noise) A^+ (observed - A D).

    Once the state is less noisy than the measurement, the replacement fades, as in the paper's DDNM+: its exact factor
    keeps the total noise of each step; ours keeps the order of magnitude, for any sampler.
    """

    family = "Pictures and rewards"
    name = "ddnm"
    label = "DDNM"
    summary = "Replaces what is measured in every prediction by the measurement and leaves the rest to the model."
    equation = r"\hat y = D + \min(1, \sigma/\nu)\,A^{+}(b - AD)"
    source = "Wang et al., arXiv 2212.00490, eq. 13 and 17 (DDNM+, approximate)"

    def unavailable(self, task: Task) -> str | None:
        if not isinstance(task.wish, LinearView):
            return "DDNM needs a linear measurement of a part."
        return task.no_joint

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        answer = yield ask(point, x, (task.joint,))
        predicted, view = answer.predicted[0], task.wish
        share = min(1.0, point.sigma / view.noise)
        return Prediction(predicted + share * (view.projected(predicted, view.observed) - predicted))
