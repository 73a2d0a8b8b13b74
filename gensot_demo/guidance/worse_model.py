"""Guidance away from what a worse version of the model says of the same state under the same conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor

from gensot_demo.transport.oracles import Condition
from gensot_demo.transport.paths import PathPoint
from gensot_demo.transport.steering import Asking

from .base import Field, Prediction, Task, ask
from .scheduled import Scheduled, unguided


class WorseModelGuidance(Scheduled):
    """D + w (D - D_worse), both under the joint condition; without conditions both unconditional.

    The trusts do not matter, but for strength 0 under conditions, which is unguided.
    """

    cost = "2 forwards"
    missing: ClassVar[str] = ""

    weight: float = Field(
        1.0, ge=0, le=20, title="Weight", description="How far away from the worse prediction; 0 is unguided."
    )

    def worse(self, task: Task) -> Callable[[Condition], Condition] | None:
        """What makes a condition one that is answered worse, or None."""
        raise NotImplementedError

    def unavailable(self, task: Task) -> str | None:
        if self.worse(task) is None:
            return self.missing
        if unguided(task):
            return task.no_null
        return task.no_joint if task.conditions else None

    def calls(self, task: Task) -> tuple[int, int]:
        return (1 if unguided(task) else 2), 0

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        if unguided(task):
            answer = yield ask(point, x)
            return Prediction(answer.predicted[0])
        answer = yield ask(point, x, (task.joint, self.worse(task)(task.joint)))
        good, worse = answer.predicted
        return Prediction(torch.add(good, good - worse, alpha=self.weight * self.share(task, point)))
