"""Perturbed-attention guidance: away from the same network when its cells cannot look at one another."""

from __future__ import annotations

from collections.abc import Callable

from gensot_demo.transport.oracles import Condition

from .base import Field, Task
from .worse_model import WorseModelGuidance


class PerturbedAttentionGuidance(WorseModelGuidance):
    """D + s (D - D_perturbed); D_perturbed has the identity in place of self-attention maps."""

    name = "pag"
    label = "Perturbed-attention guidance"
    summary = "Pushes the prediction away from the one that the network makes without its self-attention."
    equation = r"\hat y = D_c + s\,(D_c - D_c^{\text{perturbed}})"
    source = "Ahn et al., arXiv 2403.17377, section 4"
    missing = "Perturbed-attention guidance needs a network with self-attention that can be switched off."

    weight: float = Field(
        2.0, ge=0, le=20, title="Weight",
        description="How far away from the prediction without self-attention; 0 is the plain conditional model.",
    )  # fmt: skip

    def worse(self, task: Task) -> Callable[[Condition], Condition] | None:
        return task.perturbed
