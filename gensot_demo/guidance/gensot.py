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
from .wish import LinearView


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
    """Trusts with path-integral weights, soft end at a reference, and a path protocol (docs/FORMULAS.md 1.2, 1.6).

    A wish tilts the prediction as if the posterior were Gaussian, without the model's gradient: in closed form for a
    linear measurement, else from ``draws``. One particle stops there. Several are weighted for what they promise (Psi)
    and for how far the tilt has changed their steps, so that p e^r / Z is reached as particles grow.
    """

    family = "GenSOT"
    name = "gensot"
    label = "GenSOT"
    summary = "Follows a reference exactly; trusts in conditions and rewards are repaired by weighted particles."
    equation = (
        r"\begin{gathered}\hat y = D_\varnothing + \textstyle\sum_m k_m (D_{c_m} - D_\varnothing)\\"
        r"\text{asked at } H + r/\nu^2,\; K + 1/\nu^2;\quad"
        r"\hat y \to \hat y + v\,\nabla\log\mathbb E_{\mathcal N(\hat y, vI)}\, e^{r}\\"
        r"\tfrac{\mathrm d\log W}{\mathrm dK} = \tfrac12\bigl(|\hat y|^2 - \textstyle\sum_{m\ge0} k_m |D_m|^2\bigr)"
        r"\end{gathered}"
    )
    source = (
        "Chertkov, arXiv 2512.11859 (GH-PID); weights after Skreta et al., arXiv 2503.02819; "
        "twist after Wu et al., arXiv 2306.17775"
    )
    cost = "1 forward per condition + 1, for every particle"

    particles: int = Field(
        8, ge=1, le=64, title="Particles per sample",
        description="Weighted particles behind each sample; used only with rewards and with trusts other than 1.",
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

    draws: int = Field(
        16, ge=1, le=64, title="Guesses",
        description="Guesses of the end that a reward is shown at each step; a linear measurement needs none.",
    )  # fmt: skip

    def adapted_for(self, task: Task) -> bool:
        return task.wish is not None and self.weighted(task)

    def unavailable(self, task: Task) -> str | None:
        return task.no_null if any(k != 1 for k in task.trusts) else None

    def particles_for(self, task: Task) -> int:
        return self.particles if self.weighted(task) else 1

    def weighted(self, task: Task) -> bool:
        """Whether the law asked for would be missed and weights can mend it."""
        return task.stochastic and self.particles > 1 and (task.wish is not None or self.mixes(task))

    def mixes(self, task: Task) -> bool:
        """Whether scores are added, which is not the score of the law asked for."""
        active = [k for k in task.trusts if k != 0]
        return len(active) > 1 or any(k != 1 for k in active)

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
        base = added_scores(predicted, task.trusts)
        weighted, rate = self.weighted(task), None
        if weighted and self.mixes(task):
            trusts = (1 - sum(task.trusts), *task.trusts)
            squares = sum(k * (block**2).sum(1) for k, block in zip(trusts, predicted, strict=True))
            rate = 0.5 * ((base**2).sum(1) - squares)
        if task.wish is None:
            return Prediction(base, rate)
        state, log_psi = self.tilted(task, point, base)
        return Prediction(state, rate, log_psi, base) if weighted else Prediction(state)

    def tilted(self, task: Task, point: PathPoint, base: Tensor) -> tuple[Tensor, Tensor]:
        """(E[y] (n, d), log Psi (n,)) under the wish of y ~ N(base, v I), v that of the posterior with references."""
        variance = 1 / (1 / task.posterior_variance(point) + task.view_precision)
        draws = None if isinstance(task.wish, LinearView) else task.draws(point, self.draws)
        return task.wish.tilt(base, variance, draws)

    def at_end(self, task: Task, seeds: Sequence[int], x: Tensor) -> Tensor | None:
        return task.wish.reward(x) if task.wish is not None and self.weighted(task) else None

    def population(self, task: Task, seeds: Sequence[int], index: int, log_weights: Tensor) -> Tensor | None:
        return resample_blocks(seeds, index, log_weights)
