"""Best of n: sample several times, deliver the one that is liked most."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gensot_demo.transport.paths import PathPoint
from gensot_demo.transport.steering import Asking

from .base import Field, GuidanceMethod, Prediction, Task, ask


class BestOfN(GuidanceMethod):
    """n independent samples of the (conditional) model; the one with the largest r(y) is delivered.

    Not a sample of p e^r / Z at any n: more particles always mean more reward, however little was asked for.
    """

    family = "Populations"
    name = "best_of_n"
    label = "Best of n"
    summary = "Draws several samples without guidance and keeps the one with the highest reward."
    equation = r"y = \arg\max_{k \le n} r(y^{(k)}),\quad y^{(k)} \sim p"
    source = "Stiennon et al., arXiv 2009.01325 (best-of-n sampling)"
    cost = "1 forward for every particle"

    particles: int = Field(8, ge=1, le=64, title="Particles per sample", description="Samples to choose from.")

    def unavailable(self, task: Task) -> str | None:
        return task.no_joint if task.asked is not None else "Best of n needs a picture to follow or a reward."

    def particles_for(self, task: Task) -> int:
        return self.particles

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        answer = yield ask(point, x, (task.joint,))
        return Prediction(answer.predicted[0])

    def at_end(self, task: Task, seeds: Sequence[int], x: Tensor) -> Tensor | None:
        rewards = task.asked.reward(x).reshape(len(seeds), -1)
        chosen = torch.full_like(rewards, -torch.inf)
        return chosen.scatter(1, rewards.argmax(1, keepdim=True), 0.0).reshape(-1)
