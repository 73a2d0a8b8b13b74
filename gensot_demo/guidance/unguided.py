"""Sampling without any guidance: the law of the backbone itself."""

from __future__ import annotations

from .base import GuidanceMethod


class Unguided(GuidanceMethod):
    """D = E[y | x]."""

    family = "Baselines"
    name = "unguided"
    label = "Unguided"
    summary = "What the model generates when nothing is asked of it: the yardstick for all others."
    equation = r"\hat y = \mathbb{E}[y \mid x_t]"
    source = "Karras et al., arXiv 2206.00364"
