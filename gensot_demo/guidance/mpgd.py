"""Manifold-preserving guided diffusion: a gradient step on the predicted state, without the model's gradient."""

from __future__ import annotations

from torch import Tensor

from gensot_demo.transport.paths import PathPoint
from gensot_demo.transport.steering import Asking

from .base import Field, GuidanceMethod, Prediction, Task, ask
from .wish import bounded


class ManifoldPreservingGuidance(GuidanceMethod):
    """D + scale v grad r(D), with v = :meth:`.Task.posterior_variance` for the paper's free step size c_t.

    v I stands where DPS has Cov(y|x): scale 1 is what Bayes' rule gives to first order in v, were the posterior
    N(D, v I). This is MPGD without the autoencoder's projection. D moves no further than :func:`.wish.bounded` allows.
    """

    family = "Pictures and rewards"
    name = "mpgd"
    label = "MPGD"
    summary = "Moves the prediction itself towards what is asked for, so the model's gradient is never needed."
    equation = r"\hat y = D + \lambda\,v\,\nabla r(D),\quad v = \bigl(\tfrac{a^2}{m^2} + \tfrac1{s^2}\bigr)^{-1}"
    source = "He et al., arXiv 2311.16424, algorithm 1 (step size: posterior variance)"
    cost = "1 forward"

    scale: float = Field(
        1.0, ge=0, le=10, title="Step size", description="1 is Bayes' rule for a posterior as wide as the noise."
    )

    def unavailable(self, task: Task) -> str | None:
        return task.no_joint if task.asked is not None else "MPGD needs a picture to follow or a reward."

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        answer = yield ask(point, x, (task.joint,))
        predicted, variance = answer.predicted[0], task.posterior_variance(point)
        return Prediction(predicted + bounded(self.scale * variance * task.asked.gradient(predicted), variance))
