"""Pseudoinverse-guided diffusion: the gradient of a linear measurement's likelihood under a Gaussian posterior."""

from __future__ import annotations

from torch import Tensor

from gensot_demo.transport.paths import PathPoint
from gensot_demo.transport.steering import Asking

from .base import Field, GuidanceMethod, Prediction, Task, ask
from .wish import LinearView, bounded


class PseudoinverseGuidance(GuidanceMethod):
    """D + scale Cov(y|x) A^T (v A A^T + noise^2 I)^{-1} (observed - A D): p(y|x) is taken as N(D, v I).

    Cov(y|x) is the exact Jacobian as in DPS. D moves no further than :func:`.wish.bounded` allows.
    """

    family = "Pictures and rewards"
    name = "pigdm"
    label = "ΠGDM"
    summary = "Like DPS for linear measurements, but counts how unsure the prediction still is when it corrects it."
    equation = r"\hat y = D + \lambda\,\tfrac{m^2}{a}\,\partial_x D^\top A^\top (v AA^\top + \nu^2 I)^{-1}(b - AD)"
    source = "Song et al., Pseudoinverse-guided diffusion models, ICLR 2023, eq. 7 (with the Bayesian step size)"
    cost = "1 forward + 1 backward"

    scale: float = Field(1.0, ge=0, le=10, title="Step size", description="1 is the step that Bayes' rule gives.")

    def unavailable(self, task: Task) -> str | None:
        return task.no_joint if isinstance(task.asked, LinearView) else "ΠGDM needs a linear measurement."

    def calls(self, task: Task) -> tuple[int, int]:
        return 1, 1

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        variance = task.posterior_variance(point)
        answer = yield ask(
            point, x, (task.joint,), cotangent=lambda predicted: task.asked.correction(predicted[0], variance)
        )
        return Prediction(answer.predicted[0] + bounded(self.scale * answer.pullback, variance))
