"""What a guidance method is: a small frozen class whose fields are its controls and whose hooks steer a sampler.

A minimal method::

    class Half(GuidanceMethod):
        name = "half"
        label = "Half-way"
        summary = "The mean of the conditional and the unconditional prediction."
        amount: float = Field(0.5, ge=0, le=1, title="Amount", description="0 is unguided, 1 conditional.")

        def predict(self, task, point, x):
            answer = yield ask(point, x, (None, task.joint))
            free, conditional = answer.predicted
            return Prediction(free + self.amount * (conditional - free))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.oracles import Condition
from gensot_demo.transport.paths import PathPoint, PathPoints, ProbabilityPath
from gensot_demo.transport.steering import Asking, Prediction, Starting, Steering, ask, start_from_noise

__all__ = ["BoundMethod", "Field", "GuidanceMethod", "Prediction", "Task", "ask"]


@dataclass(frozen=True)
class Task:
    """What is asked for: the law p(y) prod_m p(c_m|y)^{k_m} prod_j N(y; r_j, view_noise^2 / k_j).

    conditions: what the oracle understands, with their trusts k_m (strength already multiplied in).
    joint: all conditions at once with trust 1, or None.  references: pictures (d,) to follow, with trusts k_j.
    view_noise: standard deviation per coordinate of the view that a reference is.
    stochastic: whether the sampler adds noise on the way; path-integral weights need that.
    negative: what guidance leads away from; None is "no condition".
    no_joint, no_null: why the model has no prediction for all conditions at once, or none without any; None if it has.
    """

    conditions: tuple[Condition, ...] = ()
    trusts: tuple[float, ...] = ()
    joint: Condition = None
    references: tuple[Tensor, ...] = ()
    reference_trusts: tuple[float, ...] = ()
    view_noise: float = 1.0
    stochastic: bool = True
    negative: Condition = None
    no_joint: str | None = None
    no_null: str | None = None

    @property
    def view_precision(self) -> float:
        """Precision of the product of all views, per coordinate; 0 without a reference."""
        return sum(self.reference_trusts) / self.view_noise**2 if self.references else 0.0

    @property
    def view_mean(self) -> Tensor | None:
        """Mean of the product of all views (d,), None when there is none."""
        total = sum(self.reference_trusts)
        if not self.references or total == 0:
            return None
        weighted = [k * r for k, r in zip(self.reference_trusts, self.references, strict=True)]
        return torch.stack(weighted).sum(0) / total


class GuidanceMethod(BaseModel):
    """Base of all methods. Class variables describe it; fields, declared with :func:`Field`, become its controls.

    name: in URLs, lower case.  label: on the page.  summary: what it does, in a sentence.  equation: in LaTeX.
    source: paper and equation.  cost: forwards and backwards per step in plain words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    name: ClassVar[str] = ""
    label: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    equation: ClassVar[str] = ""
    source: ClassVar[str] = ""
    cost: ClassVar[str] = "1 forward"

    def particles_for(self, task: Task) -> int:
        """How many weighted particles stand behind one delivered sample."""
        return 1

    def unavailable(self, task: Task) -> str | None:
        """Why this method cannot do the task, in a sentence, or None."""
        return None

    def path(self, task: Task, path: ProbabilityPath) -> ProbabilityPath:
        """The path to sample along; ``path`` is the one that the run asks for."""
        return path

    def start(self, task: Task, grid: PathPoints, noise: SharedNoise) -> Starting:
        """(index of the first row, x there (n, d)); asks by yielding queries."""
        return (yield from start_from_noise(lambda point, x: self.predict(task, point, x), grid, noise))

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        """The predicted terminal state at x (n, d); asks by yielding queries."""
        answer = yield ask(point, x)
        return Prediction(answer.predicted[0])

    def after_step(self, task: Task, point: PathPoint, x: Tensor) -> Tensor:
        """The state at the end of a step (n, d)."""
        return x

    def population(self, task: Task, seeds: Sequence[int], index: int, log_weights: Tensor) -> Tensor | None:
        """Row indices of the survivors, or None to keep all; one block of particles per seed."""
        return None


class BoundMethod(Steering):
    """A method with its task and seeds: what a sampler is steered by."""

    def __init__(self, method: GuidanceMethod, task: Task, seeds: Sequence[int], data_variance: float):
        super().__init__(data_variance=data_variance)
        self.method, self.task, self.seeds = method, task, tuple(seeds)

    def start(self, grid: PathPoints, noise: SharedNoise) -> Starting:
        return (yield from self.method.start(self.task, grid, noise))

    def predict(self, point: PathPoint, x: Tensor) -> Asking:
        return (yield from self.method.predict(self.task, point, x))

    def after_step(self, point: PathPoint, x: Tensor) -> Tensor:
        return self.method.after_step(self.task, point, x)

    def population(self, index: int, log_weights: Tensor) -> Tensor | None:
        return self.method.population(self.task, self.seeds, index, log_weights)
