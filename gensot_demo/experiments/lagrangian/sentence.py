"""A sentence as tokens. Its embeddings are made up here, by hand, from three themes; no model was asked."""

from __future__ import annotations

import torch
from torch import Tensor

WORDS: dict[str, tuple[float, float, float]] = {
    "the": (0.0, 0.1, 1.0),
    "river": (1.0, 0.0, 0.1),
    "rose": (0.8, 0.2, 0.3),
    "over": (0.4, 0.0, 0.9),
    "its": (0.1, 0.0, 1.0),
    "bank": (0.6, 0.5, 0.0),
    "while": (0.0, 0.2, 0.9),
    "money": (0.0, 1.0, 0.1),
    "lay": (0.2, 0.4, 0.6),
    "safe": (0.1, 0.9, 0.3),
}
"""Each word's share of the themes water, money and grammar."""

SENTENCE = "“The river rose over its bank while money lay safe.”"


def embeddings(dimension: int) -> Tensor:
    """(10, d), float64 and of length one. In the plane the three themes are directions 120 degrees apart."""
    themes = torch.tensor(list(WORDS.values()), dtype=torch.float64)
    if dimension == 2:
        angle = torch.tensor([0.0, 2.0, 4.0], dtype=torch.float64) * torch.pi / 3
        themes = themes @ torch.stack([angle.cos(), angle.sin()], -1)
    return themes / themes.norm(dim=-1, keepdim=True)
