"""Twisted sequential Monte Carlo: guided particles whose weights take back what guidance did to their law."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from gensot_demo.transport.paths import PathPoint
from gensot_demo.transport.steering import Asking

from .base import Field, GuidanceMethod, Prediction, Task, ask
from .population import resample_blocks
from .wish import LinearView, bounded


class TwistedSMC(GuidanceMethod):
    """Particles move by D + Cov(y|x) grad log Psi, as in DPS; W *= p(x'|x) Psi'(x') / (q(x'|x) Psi(x)), Psi_1 = e^r.

    log Psi = r(D); of a linear measurement log N(observed; A D, v A A^T + noise^2 I), as in PiGDM. The law is
    p e^r / Z, reached as particles grow, however wrong Psi is. D moves no further than :func:`.wish.bounded` allows.
    """

    family = "Populations"
    name = "twisted_smc"
    label = "Twisted SMC"
    summary = "Guides several samples as DPS does and weights them so that together they follow the law asked for."
    equation = r"W \leftarrow W\,\frac{p(x'|x)\,\Psi'(x')}{q(x'|x)\,\Psi(x)},\quad \log\Psi = r(D(x))"
    source = "Wu et al., arXiv 2306.17775, algorithm 1"
    cost = "1 forward + 1 backward for every particle"
    adapted = True

    particles: int = Field(8, ge=2, le=64, title="Particles per sample", description="Weighted particles behind each.")

    def unavailable(self, task: Task) -> str | None:
        if task.asked is None:
            return "Twisted SMC needs a picture to follow or a reward."
        if not task.stochastic:
            return "Twisted SMC needs a sampler that adds noise."
        return task.no_joint

    def calls(self, task: Task) -> tuple[int, int]:
        return 1, 1

    def particles_for(self, task: Task) -> int:
        return self.particles

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        wish, variance = task.asked, task.posterior_variance(point)
        linear = isinstance(wish, LinearView)

        def slope(predicted: Tensor) -> Tensor:
            return wish.correction(predicted[0], variance) if linear else wish.gradient(predicted[0])

        answer = yield ask(point, x, (task.joint,), cotangent=slope)
        plain = answer.predicted[0]
        log_psi = wish.tilt(plain, variance)[1] if linear else wish.reward(plain)
        return Prediction(plain + bounded(answer.pullback, variance), log_potential=log_psi, unguided=plain)

    def at_end(self, task: Task, seeds: Sequence[int], x: Tensor) -> Tensor | None:
        return task.asked.reward(x)

    def population(self, task: Task, seeds: Sequence[int], index: int, log_weights: Tensor) -> Tensor | None:
        return resample_blocks(seeds, index, log_weights)
