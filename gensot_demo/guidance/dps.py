"""Diffusion posterior sampling: the gradient of the likelihood of the predicted state."""

from __future__ import annotations

from torch import Tensor

from gensot_demo.transport.paths import PathPoint
from gensot_demo.transport.steering import Asking

from .base import Field, GuidanceMethod, Prediction, Task, ask
from .wish import bounded


class DiffusionPosteriorSampling(GuidanceMethod):
    """D + scale Cov(y|x) grad r(D): E[e^r | x_t] is replaced by e^{r(D)}, a spread-free posterior.

    For a picture to follow, r(y) = log N(r; y, view_noise^2 I). Cov(y|x) = (m^2/a) dD/dx is the exact Jacobian, not a
    step size tuned by hand; scale 1 is Bayes' rule. A reward moves D no further than :func:`.wish.bounded` allows; the
    pull of a picture is left as it is.
    """

    family = "Pictures and rewards"
    name = "dps"
    label = "DPS"
    summary = "Pulls the prediction towards what is asked for along the model's own gradient, one backward pass a step."
    equation = r"\hat y = D + \lambda\,\tfrac{m^2}{a}\,\nabla_{x}\, r(D(x))"
    source = "Chung et al., arXiv 2209.14687, eq. 16 (with the Bayesian step size)"
    cost = "1 forward + 1 backward"

    scale: float = Field(1.0, ge=0, le=10, title="Step size", description="1 is the step that Bayes' rule gives.")

    def unavailable(self, task: Task) -> str | None:
        return task.no_joint if task.asked is not None else "DPS needs a picture to follow."

    def calls(self, task: Task) -> tuple[int, int]:
        return 1, 1

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        wish = task.asked
        answer = yield ask(point, x, (task.joint,), cotangent=lambda predicted: wish.gradient(predicted[0]))
        shift = self.scale * answer.pullback
        if task.wish is not None:
            shift = bounded(shift, task.posterior_variance(point))
        return Prediction(answer.predicted[0] + shift)
