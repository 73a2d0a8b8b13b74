"""Training-free guidance: the framework that holds DPS, LGD, MPGD and FreeDoM as special cases."""

from __future__ import annotations

from torch import Tensor

from gensot_demo.transport.paths import PathPoint
from gensot_demo.transport.steering import Asking

from .base import Field, GuidanceMethod, Prediction, Task, ask
from .wish import bounded


class TrainingFreeGuidance(GuidanceMethod):
    """D + rho Cov(y|x) s(D) + mu-step ascent of D along s, where s = grad log mean_m e^{r(y_m)}, y_m ~ N(D, v I).

    The first is the paper's variance guidance (through the model), the second its mean guidance: a gradient flow of
    total time mu v, in ``ascents`` steps; every step of the sampler is made ``recurrence`` times. rho + mu = 1 is
    Bayes' rule to first order in v. Smoothing has width v, with the same draws for all states; 0 draws is none.
    Each of the two moves D no further than :func:`.wish.bounded` allows.
    """

    family = "Pictures and rewards"
    name = "tfg"
    label = "TFG"
    summary = (
        "Unites the methods that need no training: gradients with and without the model, smoothing and repetition."
    )
    equation = (
        r"\hat y = D + \rho\,\tfrac{m^2}{a}\nabla_x \log\tilde f(D(x)) + \Delta,\quad"
        r"\Delta \leftarrow \Delta + \tfrac{\mu v}{N}\,\nabla\log\tilde f(D + \Delta)"
    )
    source = "Ye et al., arXiv 2409.15761, algorithm 1"
    cost = "1 forward + 1 backward, times the recurrence"
    adapted = True

    rho: float = Field(
        0.5, ge=0, le=10, title="Variance guidance ρ", description="Share of the step that goes through the model."
    )
    mu: float = Field(
        0.5, ge=0, le=10, title="Mean guidance μ", description="Share of the step that moves the prediction itself."
    )
    recurrence: int = Field(1, ge=1, le=10, title="Recurrence", description="How often every step is made.")
    draws: int = Field(
        4, ge=0, le=64, title="Guesses", description="Guesses around the prediction that smooth the reward; 0: none."
    )
    ascents: int = Field(4, ge=1, le=20, title="Ascents", description="In how many steps the prediction is moved.")

    def unavailable(self, task: Task) -> str | None:
        return task.no_joint if task.asked is not None else "TFG needs a picture to follow or a reward."

    def calls(self, task: Task) -> tuple[int, int]:
        return self.recurrence, self.recurrence if self.rho > 0 else 0

    def repeats(self, task: Task, point: PathPoint) -> int:
        return self.recurrence

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        variance = task.posterior_variance(point)
        draws = task.common_draws(point, self.draws) if self.draws else None

        def slope(y: Tensor) -> Tensor:
            return task.asked.gradient(y) if draws is None else task.asked.smoothed(y, variance, draws)[0]

        answer = yield ask(
            point, x, (task.joint,), cotangent=(lambda predicted: slope(predicted[0])) if self.rho > 0 else None
        )
        predicted = answer.predicted[0]
        moved = predicted
        if self.mu > 0:
            for _ in range(self.ascents):
                moved = moved + self.mu * variance / self.ascents * slope(moved)
                moved = predicted + bounded(moved - predicted, variance)
        if self.rho > 0:
            moved = moved + bounded(self.rho * answer.pullback, variance)
        return Prediction(moved)
