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

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.oracles import Condition
from gensot_demo.transport.paths import PathPoint, PathPoints, ProbabilityPath
from gensot_demo.transport.steering import Asking, Prediction, Starting, Steering, ask, start_from_noise

from .wish import Wish, view_of

Family = Literal["Baselines", "Conditions", "Pictures and rewards", "Populations", "GenSOT", "Your own"]
OWN_FAMILY: Family = "Your own"
"""Of methods from files and other packages, which nobody here has checked."""

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
    wish: what else is asked of y, multiplied into the law as e^{r(y)}; :attr:`asked` also counts the references.
    data_variance: of one coordinate of y, which is what is known of it before any noise is seen.
    weak, perturbed: turn a condition into one that the same model answers worse (an early snapshot; attention off), or
    None where the model offers none.
    classifier: (x - g (n, d), a, m) to log p(c_m | x) (M, n) of the conditions, differentiable; or None.
    noise: that of the run, for methods that draw on the way; set when a run starts.
    levels: log K of the rows that the run stops at, for methods that depend on the next step; set when a run starts.
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
    wish: Wish | None = None
    data_variance: float = 1.0
    weak: Callable[[Condition], Condition] | None = None
    perturbed: Callable[[Condition], Condition] | None = None
    classifier: Callable[[Tensor, float, float], Tensor] | None = None
    noise: SharedNoise | None = None
    levels: tuple[float, ...] = ()

    @cached_property
    def asked(self) -> Wish | None:
        """All that is asked of y beyond conditions, as one wish: the references' view, or ``wish``."""
        if self.wish is not None:
            return self.wish
        return view_of(self.view_mean, self.view_precision) if self.view_precision > 0 else None

    def posterior_variance(self, point: PathPoint) -> float:
        """1 / (K + 1/data_variance): Var(y | x) per coordinate as a Gaussian guess."""
        information = 0.0 if point.a == 0.0 or point.m == 0.0 else (point.a / point.m) ** 2
        return 1 / (information + 1 / self.data_variance)

    def draws(self, point: PathPoint, count: int) -> Tensor:
        """Standard normals (count, n, d) for this point of the path, the same whenever the run is repeated."""
        level = round(max(point.log_K, -1e4) * 1e6)
        return torch.stack([self.noise.aside(2, level, k) for k in range(count)])

    def common_draws(self, point: PathPoint, count: int) -> Tensor:
        """Standard normals (count, 1, d), the same for every state, in pairs of opposite sign.

        For cotangents, which are called with some of the rows only and do not know which.
        """
        own, noise = -(-count // 2), self.noise
        alone = replace(self, noise=SharedNoise((0,), noise.dimension, dtype=noise.dtype, device=noise.device))
        half = alone.draws(point, own)
        return torch.cat([half, -half])[:count]

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

    name: in URLs, lower case.  label: on the page.  family: its heading there.
    summary: what it does, in a sentence.  equation: in LaTeX.
    source: paper and equation.  cost: forwards and backwards per step in plain words.
    adapted: whether it needs a sampler whose steps can be repeated and weighed: the bridge step then takes the place of
    the noise-averaged one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    family: ClassVar[Family] = OWN_FAMILY
    name: ClassVar[str] = ""
    label: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    equation: ClassVar[str] = ""
    source: ClassVar[str] = ""
    cost: ClassVar[str] = "1 forward"
    adapted: ClassVar[bool] = False

    def adapted_for(self, task: Task) -> bool:
        """Whether this task needs such a sampler."""
        return self.adapted

    def calls(self, task: Task) -> tuple[int, int]:
        """(forwards, backwards) of the model that one particle costs at one step, with a sampler of one question;
        the most there can be where only some steps are repeated."""
        return 1, 0

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

    def repeats(self, task: Task, point: PathPoint) -> int:
        """How often the step from here is made, with its noise put back in between; needs ``adapted``, no weights."""
        return 1

    def at_end(self, task: Task, seeds: Sequence[int], x: Tensor) -> Tensor | None:
        """log of the potential that the weights of the end states (n, d) must carry (n,), or None."""
        return None

    def population(self, task: Task, seeds: Sequence[int], index: int, log_weights: Tensor) -> Tensor | None:
        """Row indices of the survivors, or None to keep all; one block of particles per seed."""
        return None


class BoundMethod(Steering):
    """A method with its task and seeds: what a sampler is steered by."""

    def __init__(self, method: GuidanceMethod, task: Task, seeds: Sequence[int], data_variance: float):
        super().__init__(data_variance=data_variance)
        self.method, self.task, self.seeds = method, replace(task, data_variance=data_variance), tuple(seeds)

    def start(self, grid: PathPoints, noise: SharedNoise) -> Starting:
        self.task = replace(self.task, noise=noise, levels=tuple(grid.log_K.tolist()))
        return (yield from self.method.start(self.task, grid, noise))

    def predict(self, point: PathPoint, x: Tensor) -> Asking:
        return (yield from self.method.predict(self.task, point, x))

    def after_step(self, point: PathPoint, x: Tensor) -> Tensor:
        return self.method.after_step(self.task, point, x)

    def repeats(self, point: PathPoint) -> int:
        return self.method.repeats(self.task, point)

    def at_end(self, x: Tensor) -> Tensor | None:
        return self.method.at_end(self.task, self.seeds, x)

    def population(self, index: int, log_weights: Tensor) -> Tensor | None:
        return self.method.population(self.task, self.seeds, index, log_weights)
