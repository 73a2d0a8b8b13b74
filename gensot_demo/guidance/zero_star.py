"""CFG-Zero*: classifier-free guidance of flow velocities with a fitted unconditional part and a resting start."""

from __future__ import annotations

from torch import Tensor

from gensot_demo.transport.paths import PathPoint

from .base import Field, Task
from .projected import projected
from .scheduled import Contrast, added_scores, plain_trusts, unguided


class CFGZeroStar(Contrast):
    """(1 - k) s* v_u + k v_c with s* = <v_c, v_u> / |v_u|^2, and v = 0 at first.

    Velocities depend on the path; meant are those of z = (1 - s) y + s eps, the state x - g = a y + m eps divided by
    a + m, with s = m/(a + m). There v = eps - y is predicted as (z - D)/s, and a velocity v means the predicted state
    z - s v, whatever path is walked. As s* v_u is the part of v_c along v_u,

        yhat = D_plain + sum_m (k_m - 1)_+ (D_m - D_u without its part along z - D_u),

    for one condition and k > 1 the paper's; below, plain classifier-free guidance, so that strength 0 is unguided.
    v = 0 is yhat = z. Where a = 0 the state tells nothing, and s* is taken as 1, its limit in many dimensions.
    """

    name = "cfg_zero_star"
    label = "CFG-Zero*"
    summary = "Fits the length of the unconditional velocity to the conditional one before they are contrasted."
    equation = (
        r"\tilde v = (1-k)\,s^\star v_\varnothing + k\,v_c,\quad"
        r"s^\star = \frac{\langle v_c, v_\varnothing\rangle}{\lVert v_\varnothing\rVert^2},\quad"
        r"\hat y = z - s\,\tilde v"
    )
    source = "Fan et al., arXiv 2503.18886, algorithm 1"

    zero_init: float = Field(
        0.04, ge=0, le=0.5, title="Rest at the start",
        description="Share of flow time, from the noise on, over which nothing moves; the paper rests for 4 percent.",
    )  # fmt: skip

    def combined(self, task: Task, point: PathPoint, x: Tensor, predicted: Tensor) -> Tensor:
        if unguided(task):
            return added_scores(predicted, task.trusts)
        total = point.a + point.m
        z = (x - point.g) / total if total > 0 else x - point.g
        if point.m > (1 - self.zero_init) * total:
            return z
        out, free = added_scores(predicted, plain_trusts(task)), predicted[0]
        for excess, conditional in zip(self.excess(task, point), predicted[1:], strict=True):
            difference = conditional - free
            if point.a > 0.0:
                difference = projected(difference, z - free, eta=0.0, longest=0.0)
            out.add_(difference, alpha=excess)
        return out
