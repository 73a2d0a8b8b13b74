"""Classifier-free guidance, composed over conditions."""

from __future__ import annotations

from torch import Tensor

from gensot_demo.transport.paths import PathPoint

from .base import Field, Task
from .scheduled import Contrast, added_scores, plain_trusts

_TINY = 1e-12


class ClassifierFreeGuidance(Contrast):
    """D_u + sum_m k_m (D_m - D_u): adding scores. Between noise and data this is not the predicted state of the law
    p(y) prod_m p(c_m|y)^{k_m} that it is named after, so its samples do not follow that law.

    ``rescale`` works on predicted states (Lin et al. write it for whatever the network returns): the guided state is
    drawn towards itself times std(D_plain) / std(D), each over the values of one state, with D_plain the same sum at
    trusts of at most 1, the conditional prediction for one condition.
    """

    name = "cfg"
    label = "Classifier-free guidance"
    summary = "Pushes the prediction away from the unconditional one by the strength asked for."
    equation = r"\hat y = D_\varnothing + \sum_m k_m\,(D_{c_m} - D_\varnothing)"
    source = (
        "Ho & Salimans, arXiv 2207.12598, eq. 6; composed: Liu et al., arXiv 2206.01714; rescaled: Lin et al., "
        "arXiv 2305.08891, eq. 15-16; on an interval: Kynkäänniemi et al., arXiv 2404.07724"
    )

    rescale: float = Field(
        0.0, ge=0, le=1, title="Rescale",
        description="Undoes the gain in contrast: 1 gives the guided prediction the spread of the conditional one.",
    )  # fmt: skip

    def combined(self, task: Task, point: PathPoint, x: Tensor, predicted: Tensor) -> Tensor:
        guided = added_scores(predicted, self.scheduled(task, point))
        if self.rescale == 0.0 or not any(self.excess(task, point)):
            return guided
        plain = added_scores(predicted, plain_trusts(task))
        ratio = plain.std(1, keepdim=True) / guided.std(1, keepdim=True).clamp(min=_TINY)
        return guided * (self.rescale * ratio + 1 - self.rescale)
