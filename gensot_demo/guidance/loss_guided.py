"""Loss-guided diffusion: the gradient of the reward's mean over guesses of the terminal state."""

from __future__ import annotations

from torch import Tensor

from gensot_demo.transport.paths import PathPoint
from gensot_demo.transport.steering import Asking

from .base import Field, GuidanceMethod, Prediction, Task, ask
from .wish import bounded


class LossGuidedDiffusion(GuidanceMethod):
    """D + scale Cov(y|x) sum_m softmax(r(y_m)) grad r(y_m), y_m ~ N(D, v I): DPS with a spread posterior.

    v is :meth:`.Task.posterior_variance`, the paper's sigma^2/(1 + sigma^2) for data of variance 1. The M draws are
    the same for all states and come in pairs of opposite sign. D moves no further than :func:`.wish.bounded` allows.
    """

    family = "Pictures and rewards"
    name = "lgd"
    label = "LGD"
    summary = "Like DPS, but looks at several guesses around the prediction, so it knows that the prediction is unsure."
    equation = (
        r"\hat y = D + \lambda\,\tfrac{m^2}{a}\,\nabla_{x}\log \tfrac1M\textstyle\sum_{m} e^{r(y_m)},"
        r"\quad y_m \sim \mathcal N(D, vI)"
    )
    source = "Song et al., Loss-guided diffusion models, ICML 2023, eq. 8 (LGD-MC)"
    cost = "1 forward + 1 backward"

    scale: float = Field(1.0, ge=0, le=10, title="Step size", description="1 is the step that Bayes' rule gives.")
    draws: int = Field(8, ge=1, le=64, title="Guesses", description="Guesses of the end that the reward is shown.")

    def unavailable(self, task: Task) -> str | None:
        return task.no_joint if task.asked is not None else "LGD needs a picture to follow or a reward."

    def calls(self, task: Task) -> tuple[int, int]:
        return 1, 1

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        variance, draws = task.posterior_variance(point), task.common_draws(point, self.draws)
        answer = yield ask(
            point, x, (task.joint,), cotangent=lambda predicted: task.asked.smoothed(predicted[0], variance, draws)[0]
        )
        return Prediction(answer.predicted[0] + bounded(self.scale * answer.pullback, variance))
