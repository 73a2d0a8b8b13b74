"""Autoguidance: away from an early snapshot of the same network."""

from __future__ import annotations

from collections.abc import Callable

from gensot_demo.transport.oracles import Condition

from .base import Field, Task
from .worse_model import WorseModelGuidance


class Autoguidance(WorseModelGuidance):
    """D_weak + (1 + w)(D - D_weak) = D + w (D - D_weak); the paper's weight is 1 + w."""

    name = "autoguidance"
    label = "Autoguidance"
    summary = "Pushes the prediction away from what an early snapshot of the same network predicts."
    equation = r"\hat y = D_c + w\,(D_c - D_c^{\text{weak}})"
    source = "Karras et al., arXiv 2406.02507, section 4 (its weight is 1 + w here)"
    missing = "Autoguidance needs a weaker snapshot of the model, and this model has none."

    weight: float = Field(
        1.5, ge=0, le=10, title="Extra weight",
        description="How far away from the weak prediction; 0 is the plain conditional model.",
    )  # fmt: skip

    def worse(self, task: Task) -> Callable[[Condition], Condition] | None:
        return task.weak
