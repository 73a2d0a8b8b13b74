"""CFG++: the guided prediction is renoised with the unconditional noise."""

from __future__ import annotations

import math

from torch import Tensor

from gensot_demo.transport.paths import PathPoint

from .base import Field, Task
from .scheduled import Contrast, added_scores

_LARGEST = 1.0  # interpolation: beyond the conditional prediction nothing is extrapolated


class CFGPlusPlus(Contrast):
    """x' = a' D_l + m' eps_u with D_l = D_u + l (D_c - D_u), l at most 1, and eps_u = (x - a D_u)/m.

    A sampler renoises with the prediction that it is given, x' = a' yhat + kept (x - a yhat); so the same step comes
    from the stronger prediction yhat = D_u + l / (1 - kept a/a') (D_c - D_u). With the deterministic step kept = m'/m
    and kept a/a' = sigma'/sigma: exactly the paper's DDIM form. With the bridge step it is (sigma'/sigma)^2, which is
    ancestral sampling of the same kind: guided state, unconditional direction, fresh noise. The other samplers use
    these strengths without being that step; with all, the push depends on the number of steps, as in the paper.

    l = ``scale`` times the trust. The paper matches l = .2, .4, .6, .8, 1 with strengths 2.5, 5, 7.5, 9 and 12.5 in 50
    steps of Stable Diffusion: a scale of .08. Runs of 30 steps over a wider range of noise take longer steps, which
    push less altogether; .2 puts the paper's l = .6 at strength 3.
    """

    name = "cfg_plus_plus"
    label = "CFG++"
    summary = "Guides only what is predicted, and puts the noise back that the unconditional model sees."
    equation = (
        r"x' = a'\bigl[D_\varnothing + \lambda (D_c - D_\varnothing)\bigr] + m'\,\hat\epsilon_\varnothing,\quad"
        r"\lambda = \min(1, r\,k)"
    )
    source = "Chung et al., arXiv 2406.08070, algorithm 2"

    scale: float = Field(
        0.2, ge=0.01, le=1, title="Interpolation per strength",
        description="How far towards the conditional prediction strength 1 goes; 1 at most in all. The paper has 0.08.",
    )  # fmt: skip

    def combined(self, task: Task, point: PathPoint, x: Tensor, predicted: Tensor) -> Tensor:
        gain = 1 / (1 - self.kept(task, point))
        trusts = tuple(gain * min(self.scale * k, _LARGEST) for k in self.scheduled(task, point))
        return added_scores(predicted, trusts)

    def kept(self, task: Task, point: PathPoint) -> float:
        """kept a/a' of the step from here: what of a push given here the sampler takes back; 0 at the start and in the
        last step."""
        following = min((level for level in task.levels if level > point.log_K), default=math.inf)
        if point.log_K == -math.inf or following == math.inf:
            return 0.0
        gone = point.log_K - following
        return math.exp(gone if task.stochastic else 0.5 * gone)
