"""GenSOT: guided harmonic path-integral diffusion with its three levers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from gensot_demo.transport.harmonic import HarmonicPath, Protocol, constant_protocol
from gensot_demo.transport.oracles import Query
from gensot_demo.transport.paths import PathPoint, ProbabilityPath
from gensot_demo.transport.steering import Asking

from .base import Field, GuidanceMethod, Prediction, Task, ask
from .population import resample_blocks
from .scheduled import added_scores


def tilted_query(point: PathPoint, x: Tensor, task: Task, conditions: tuple) -> Query:
    """The oracle asked under p(y) N(y; view_mean, 1/view_precision): the same question at another state and level.

    A Gaussian view adds to the natural parameters of the posterior, H' = H + k r, K' = K + k, so the guided prediction
    is *exact* and costs one call (docs/FORMULAS.md 1.6, soft end). Asked at a'^2 + m'^2 = 1, finite also where K = 0.
    """
    extra = task.view_precision
    if extra == 0.0:
        return ask(point, x, conditions)
    information = 0.0 if point.a == 0.0 or point.m == 0.0 else (point.a / point.m) ** 2
    natural = task.view_mean * extra
    if information > 0.0:
        natural = natural + (point.a / point.m**2) * (x - point.g)
    total = information + extra
    m = 1 / math.sqrt(1 + total)
    state = natural.expand_as(x) / math.sqrt(total * (1 + total))
    return Query(state, math.sqrt(total) * m, m, conditions)


class GenSOT(GuidanceMethod):
    """Trusts with path-integral weights, soft end at a reference, and a path protocol (docs/FORMULAS.md 1.2, 1.6)."""

    family = "GenSOT"
    name = "gensot"
    label = "GenSOT"
    summary = "Follows a reference exactly; trusts in conditions are repaired by weighted particles."
    equation = (
        r"\begin{gathered}\hat y = D_\varnothing + \textstyle\sum_m k_m (D_{c_m} - D_\varnothing)\\"
        r"\text{asked at } H + r/\nu^2,\; K + 1/\nu^2\\"
        r"\tfrac{\mathrm d\log W}{\mathrm dK} = \tfrac12\bigl(|\hat y|^2 - \textstyle\sum_{m\ge0} k_m |D_m|^2\bigr)"
        r"\end{gathered}"
    )
    source = "Chertkov, arXiv 2512.11859 (GH-PID); weights after Skreta et al., arXiv 2503.02819"
    cost = "1 forward per condition + 1, for every particle"

    particles: int = Field(
        8, ge=1, le=64, title="Particles per sample",
        description="Weighted particles behind each sample; used only with conditions whose trust is not 1.",
    )  # fmt: skip
    stiffness: float = Field(
        50.0, ge=0, le=1000, title="Stiffness", description="How hard the path is held to its guide; not what arrives."
    )
    temperature: float = Field(
        1.0, ge=0.01, le=4, title="Temperature", description="Noise on the way; not what arrives."
    )
    guide: Literal["origin", "reference"] = Field(
        "reference", title="Path guide", description="What the path is drawn to on the way; not what arrives."
    )

    def unavailable(self, task: Task) -> str | None:
        return task.no_null if any(k != 1 for k in task.trusts) else None

    def particles_for(self, task: Task) -> int:
        return self.particles if self.weighted(task) else 1

    def weighted(self, task: Task) -> bool:
        """Whether added scores miss the law asked for and weights can mend it."""
        active = [k for k in task.trusts if k != 0]
        return task.stochastic and self.particles > 1 and (len(active) > 1 or any(k != 1 for k in active))

    def path(self, task: Task, path: ProbabilityPath) -> ProbabilityPath:
        return HarmonicPath(self.protocol(task))

    def protocol(self, task: Task) -> Protocol:
        """A constant guide, with the start at the guide: then the soft end's view *is* the protocol's own end."""
        target = task.view_mean
        centre = torch.zeros(1, dtype=torch.float64)
        if self.guide == "reference" and target is not None:
            centre = target.double().cpu()
        return constant_protocol(self.stiffness, centre, centre.clone(), self.temperature)

    def calls(self, task: Task) -> tuple[int, int]:
        return 1 + len(task.conditions), 0

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        answer = yield tilted_query(point, x, task, (task.negative, *task.conditions))
        predicted = answer.predicted
        state = added_scores(predicted, task.trusts)
        if not self.weighted(task):
            return Prediction(state)
        trusts = (1 - sum(task.trusts), *task.trusts)
        squares = sum(k * (block**2).sum(1) for k, block in zip(trusts, predicted, strict=True))
        return Prediction(state, 0.5 * ((state**2).sum(1) - squares))

    def population(self, task: Task, seeds: Sequence[int], index: int, log_weights: Tensor) -> Tensor | None:
        return resample_blocks(seeds, index, log_weights)
