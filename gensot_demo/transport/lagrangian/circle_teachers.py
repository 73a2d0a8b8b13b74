"""Functions on the circle for a two-layer network to learn: some made by neurons, one smooth, one out of its reach."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .particle_network import ANGLES, CIRCLE


@dataclass(frozen=True, eq=False)
class Teacher:
    """y at the data, ``values`` (DATA,); ``neurons`` (k, 2): directions of the neurons that it is made of, or none."""

    label: str
    values: Tensor
    neurons: Tensor


def _made_of(label: str, *neurons: tuple[float, float, float]) -> Teacher:
    """sum of w relu((x, y) . z) over neurons (w, x, y)."""
    table = torch.tensor(neurons, dtype=torch.float64)
    return Teacher(label, (CIRCLE @ table[:, 1:].T).relu() @ table[:, 0], table[:, 1:])


def _wave(label: str, values: Tensor) -> Teacher:
    return Teacher(label, values, torch.zeros(0, 2, dtype=torch.float64))


def _many(count: int) -> list[tuple[float, float, float]]:
    """Neurons at multiples of the golden angle, adding and taking away by turns."""
    turn = math.pi * (math.sqrt(5) - 1)
    return [((-1) ** n, math.cos(n * turn), math.sin(n * turn)) for n in range(count)]


TEACHERS = {
    "reference": _made_of("Three neurons", (1.5, 1, 0.2), (-1, -0.6, 0.8), (1.2, -0.2, -1)),
    "fold": _made_of("Two neurons: |cos|", (1, 1, 0), (1, -1, 0)),
    "many": _made_of("Twelve neurons", *_many(12)),
    "four_waves": _wave("Four waves: cos 4θ", (4 * ANGLES).cos() / 2),
    "three_waves": _wave("Three waves: cos 3θ", (3 * ANGLES).cos()),
}
