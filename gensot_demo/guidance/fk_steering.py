"""Feynman-Kac steering: an unguided population that is resampled by what its predictions promise."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from gensot_demo.transport.paths import PathPoint
from gensot_demo.transport.steering import Asking

from .base import Field, GuidanceMethod, Prediction, Task, ask
from .population import resample_blocks


class FeynmanKacSteering(GuidanceMethod):
    """Particles move by the (conditional) model; weights follow the increase of scale r(D) and end at scale r(y).

    The paper's difference potential. The law is p e^{scale r} / Z, reached as particles grow; scale 1 is Bayes' rule.
    """

    family = "Populations"
    name = "fk_steering"
    label = "FK steering"
    summary = "Lets several samples run unguided and keeps doubling those whose predictions earn the most reward."
    equation = r"G_k = e^{\lambda\,(r(D(x_{k})) - r(D(x_{k-1})))}"
    source = "Singhal et al., arXiv 2501.06848, section 3 (difference potential)"
    cost = "1 forward for every particle"
    adapted = True

    particles: int = Field(8, ge=2, le=64, title="Particles per sample", description="Weighted particles behind each.")
    scale: float = Field(1.0, ge=0, le=10, title="Potential scale", description="1 is Bayes' rule; 0 is unguided.")

    def unavailable(self, task: Task) -> str | None:
        if task.asked is None:
            return "FK steering needs a picture to follow or a reward."
        if not task.stochastic:
            return "FK steering needs a sampler that adds noise: copies would stay copies."
        return task.no_joint

    def particles_for(self, task: Task) -> int:
        return self.particles

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        answer = yield ask(point, x, (task.joint,))
        predicted = answer.predicted[0]
        return Prediction(predicted, log_potential=self.scale * task.asked.reward(predicted))

    def at_end(self, task: Task, seeds: Sequence[int], x: Tensor) -> Tensor | None:
        return self.scale * task.asked.reward(x)

    def population(self, task: Task, seeds: Sequence[int], index: int, log_weights: Tensor) -> Tensor | None:
        return resample_blocks(seeds, index, log_weights)
