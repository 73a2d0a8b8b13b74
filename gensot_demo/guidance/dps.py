"""Diffusion posterior sampling: the gradient of the likelihood of the predicted state."""

from __future__ import annotations

from torch import Tensor

from gensot_demo.transport.paths import PathPoint
from gensot_demo.transport.steering import Asking

from .base import Field, GuidanceMethod, Prediction, Task, ask


class DiffusionPosteriorSampling(GuidanceMethod):
    """D + scale Cov(y|x) (r - D)/view_noise^2: p(r | x_t) is replaced by p(r | y = D), a spread-free posterior.

    Cov(y|x) = (m^2/a) dD/dx is the exact Jacobian, not a step size tuned by hand; scale 1 is Bayes' rule.
    """

    family = "Pictures and rewards"
    name = "dps"
    label = "DPS"
    summary = "Pulls the prediction towards the reference along the model's own gradient, one backward pass a step."
    equation = r"\hat y = D + \lambda\,\tfrac{m^2}{a}\,\nabla_{x}\log \mathcal N(r;\, D(x), \nu^2 I)"
    source = "Chung et al., arXiv 2209.14687, eq. 16 (with the Bayesian step size)"
    cost = "1 forward + 1 backward"

    scale: float = Field(1.0, ge=0, le=10, title="Step size", description="1 is the step that Bayes' rule gives.")

    def unavailable(self, task: Task) -> str | None:
        return task.no_joint if task.references else "DPS needs a picture to follow."

    def calls(self, task: Task) -> tuple[int, int]:
        return 1, 1

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        target, pull = task.view_mean, self.scale * task.view_precision
        answer = yield ask(point, x, (task.joint,), cotangent=lambda predicted: target - predicted[0])
        return Prediction(answer.predicted[0] + pull * answer.pullback)
