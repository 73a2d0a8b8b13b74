"""What the methods that lean on conditions share: when they guide, and how the predictions are asked for.

A trust k is split into a plain part, min(k, 1), which is what the conditional law itself asks for, and the excess over
it, which is guidance. Schedules scale the excess only: outside its interval a method samples the conditional law, as in
Kynkäänniemi et al., arXiv 2404.07724, and at strength 0 every method is exactly unguided, whatever its schedule.
"""

from __future__ import annotations

import math
from typing import Literal

from torch import Tensor

from gensot_demo.transport.paths import PathPoint
from gensot_demo.transport.steering import Asking

from .base import Field, GuidanceMethod, Prediction, Task, ask

EVERYWHERE = 100.0  # the upper end of the control: no limit, also where the noise is stronger
_LARGEST_LOG = 700.0  # of a number that a float can hold


class Scheduled(GuidanceMethod):
    """Guides between two noise levels sigma = m/a, with a weight that is constant or linear in flow time.

    Flow time runs as p = sd / (sd + sigma) from 0 (noise) to 1, sd^2 the variance of the data; "rising" is 2 p and
    "falling" 2 (1 - p), so that all three have the same mean (Wang et al., arXiv 2404.13040, the linear schedulers).
    """

    family = "Conditions"

    schedule: Literal["constant", "rising", "falling"] = Field(
        "constant", title="Schedule",
        description="Whether guidance grows stronger or weaker along the way; its mean over the way stays the same.",
    )  # fmt: skip
    from_noise: float = Field(
        EVERYWHERE, ge=0, le=EVERYWHERE, title="Guide from noise level",
        description="At higher noise the conditional law is sampled; 100 means from the very start, however noisy.",
    )  # fmt: skip
    to_noise: float = Field(
        0.0, ge=0, le=5, title="Guide to noise level",
        description="At lower noise the conditional law is sampled; 0 means to the very end.",
    )  # fmt: skip

    def share(self, task: Task, point: PathPoint) -> float:
        """By what the guidance is multiplied here, 0 to 2."""
        sigma = math.exp(min(-0.5 * point.log_K, _LARGEST_LOG))
        if sigma < self.to_noise or (sigma > self.from_noise and self.from_noise < EVERYWHERE):
            return 0.0
        if self.schedule == "constant":
            return 1.0
        deviation = math.sqrt(task.data_variance)
        progress = deviation / (deviation + sigma)
        return 2 * progress if self.schedule == "rising" else 2 * (1 - progress)

    def excess(self, task: Task, point: PathPoint) -> tuple[float, ...]:
        """How far each trust goes beyond the conditional law here."""
        share = self.share(task, point)
        return tuple(share * (k - plain) for k, plain in zip(task.trusts, plain_trusts(task), strict=True))

    def scheduled(self, task: Task, point: PathPoint) -> tuple[float, ...]:
        """The trusts here: the plain part and the excess."""
        if self.share(task, point) == 1.0:
            return task.trusts
        return tuple(map(sum, zip(plain_trusts(task), self.excess(task, point), strict=True)))


class Contrast(Scheduled):
    """Asks without and with every condition in one forward; a method is a way to combine the answers."""

    cost = "1 forward per condition + 1"

    def unavailable(self, task: Task) -> str | None:
        return task.no_null if task.conditions else f"{self.label} needs a condition."

    def calls(self, task: Task) -> tuple[int, int]:
        return 1 + len(task.conditions), 0

    def combined(self, task: Task, point: PathPoint, x: Tensor, predicted: Tensor) -> Tensor:
        """The state to predict (n, d) at x (n, d), from predictions (1 + M, n, d), the unconditional first."""
        raise NotImplementedError

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        answer = yield ask(point, x, (task.negative, *task.conditions))
        return Prediction(self.combined(task, point, x, answer.predicted))


def plain_trusts(task: Task) -> tuple[float, ...]:
    """The part of each trust up to 1."""
    return tuple(min(k, 1.0) for k in task.trusts)


def unguided(task: Task) -> bool:
    """Whether conditions are given but asked for with no strength at all."""
    return bool(task.conditions) and not any(task.trusts)


def added_scores(predicted: Tensor, trusts: tuple[float, ...]) -> Tensor:
    """D_u + sum_m k_m (D_m - D_u) from predictions (1 + M, n, d), the unconditional first."""
    free = predicted[0]
    out = free.clone()
    for trust, conditional in zip(trusts, predicted[1:], strict=True):
        out.add_(conditional - free, alpha=trust)
    return out
