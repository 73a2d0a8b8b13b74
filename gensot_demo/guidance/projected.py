"""Adaptive projected guidance: what makes pictures glaring is left out of classifier-free guidance."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gensot_demo.transport.paths import PathPoint

from .base import Field, Task
from .scheduled import Contrast, added_scores, plain_trusts

_TINY = 1e-12


class AdaptiveProjectedGuidance(Contrast):
    """D_plain + sum_m (k_m - 1)_+ (orth + eta par), the parts of a shortened D_m - D_u across and along D_plain.

    D_plain is the conditional prediction (the sum at trusts of at most 1, with several conditions). The difference is
    shortened to a length of ``threshold`` standard deviations of the data per value. The paper's third ingredient, a
    momentum over the steps of -.5 to -.75, is left out: methods keep no memory, samplers may ask twice a step or repeat
    one, and a population may be resampled in between, so "the last step's difference" has no one meaning here.
    """

    name = "apg"
    label = "Adaptive projected guidance"
    summary = "Guides across the conditional prediction and not along it, by a limited length, against glaring colours."
    equation = (
        r"\hat y = D_c + (k-1)\bigl(\Delta_\perp + \eta\,\Delta_\parallel\bigr),\quad"
        r"\Delta = (D_c - D_\varnothing)\,\min\bigl(1, \tfrac{r}{\lVert D_c - D_\varnothing\rVert}\bigr)"
    )
    source = "Sadat et al., arXiv 2410.02416, algorithm 1 (without momentum)"

    eta: float = Field(
        0.0, ge=0, le=1, title="Along the prediction",
        description="How much of the part along the conditional prediction is kept; 1 is classifier-free guidance.",
    )  # fmt: skip
    threshold: float = Field(
        0.2, ge=0, le=2, title="Largest length",
        description="Longest difference, in standard deviations of the data for each value; 0 sets no limit.",
    )  # fmt: skip

    def combined(self, task: Task, point: PathPoint, x: Tensor, predicted: Tensor) -> Tensor:
        plain = added_scores(predicted, plain_trusts(task))
        longest = self.threshold * math.sqrt(task.data_variance * x.shape[1])
        out = plain.clone()
        for excess, conditional in zip(self.excess(task, point), predicted[1:], strict=True):
            if excess:
                out.add_(projected(conditional - predicted[0], plain, self.eta, longest), alpha=excess)
        return out


def projected(difference: Tensor, along: Tensor, eta: float, longest: float) -> Tensor:
    """The difference (n, d), at most ``longest`` (0: any length), its part along ``along`` (n, d) times eta."""
    if longest > 0:
        length = torch.linalg.vector_norm(difference, dim=1, keepdim=True).clamp(min=_TINY)
        difference = difference * (longest / length).clamp(max=1)
    weight = (difference * along).sum(1, keepdim=True) / along.square().sum(1, keepdim=True).clamp(min=_TINY)
    return difference - (1 - eta) * weight * along
