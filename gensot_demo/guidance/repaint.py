"""RePaint: what is measured of the state is replaced, at every noise level, by the noised measurement."""

from __future__ import annotations

from torch import Tensor

from gensot_demo.transport.paths import PathPoint
from gensot_demo.transport.steering import Asking

from .base import Field, GuidanceMethod, Prediction, Task, ask
from .wish import LinearView


class RePaint(GuidanceMethod):
    """After every step z = (x - g)/a becomes the nearest state that measures ``observed`` + sigma A eps.

    The measurement is taken as exact, whatever its noise: the end state meets it. Steps are made ``resamplings`` times
    with their noise put back in between, which lets the rest of the state adapt; all passes of a step see the same
    noised measurement, where the paper draws a new one.
    """

    family = "Pictures and rewards"
    name = "repaint"
    label = "RePaint"
    summary = "Overwrites what is known with a noisy copy of it after every step and lets the model fill in the rest."
    equation = r"z \leftarrow z + A^{+}\bigl(b + \sigma A\varepsilon - Az\bigr)"
    source = "Lugmayr et al., arXiv 2201.09865, algorithm 1"
    cost = "1 forward, times the resamplings"
    adapted = True

    resamplings: int = Field(
        4, ge=1, le=20, title="Resamplings", description="How often each step is made, its noise put back in between."
    )

    def unavailable(self, task: Task) -> str | None:
        if not isinstance(task.wish, LinearView):
            return "RePaint needs a linear measurement of a part."
        return task.no_joint

    def calls(self, task: Task) -> tuple[int, int]:
        return self.resamplings, 0

    def repeats(self, task: Task, point: PathPoint) -> int:
        return self.resamplings

    def predict(self, task: Task, point: PathPoint, x: Tensor) -> Asking:
        answer = yield ask(point, x, (task.joint,))
        return Prediction(answer.predicted[0])

    def after_step(self, task: Task, point: PathPoint, x: Tensor) -> Tensor:
        if point.a == 0.0:
            return x
        view, z = task.wish, (x - point.g) / point.a
        if point.m == 0.0:
            return point.a * view.projected(z, view.observed) + point.g
        noisy = view.noised(task.draws(point, 1)[0], point.sigma)
        return point.a * view.projected(z, noisy) + point.g
