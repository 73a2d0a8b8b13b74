"""Many small perceptrons of one shape at once: every layer of all of them is one batched product."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Self

import torch
from torch import Tensor

DEPTH = 3
FREQUENCIES = 4


class Perceptrons:
    """G independent networks, SiLU between ``DEPTH`` hidden layers.

    seeds: (G,), the first weights of each; equal seeds start equal.  inputs, outputs: numbers in and out.  width: of
    each hidden layer.
    """

    def __init__(self, seeds: Sequence[int], inputs: int, outputs: int, width: int = 64):
        sizes = [inputs, *[width] * DEPTH, outputs]
        self.weights: list[Tensor] = []
        self.biases: list[Tensor] = []
        drawn = {seed: _first_weights(seed, sizes) for seed in set(seeds)}
        for layer in range(len(sizes) - 1):
            self.weights.append(torch.stack([drawn[seed][layer] for seed in seeds]))
            self.biases.append(torch.zeros(len(seeds), 1, sizes[layer + 1]))

    @property
    def parameters(self) -> list[Tensor]:
        return [*self.weights, *self.biases]

    @property
    def size(self) -> int:
        """Numbers in one network."""
        return sum(part[0].numel() for part in self.parameters)

    def through(self, hidden: Tensor) -> Tensor:
        """Outputs (G, n, outputs) for inputs (G, n, inputs)."""
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = torch.baddbmm(bias, hidden, weight)
            if layer < last:
                hidden = torch.nn.functional.silu(hidden)
        return hidden

    def only(self, which: Sequence[int] | slice) -> Self:
        """Some of the networks, sharing their numbers."""
        part = copy.copy(self)
        part.weights, part.biases = [w[which] for w in self.weights], [b[which] for b in self.biases]
        return part


def with_phases(x: Tensor, angle: Tensor | float) -> Tensor:
    """States x (G, n, d) beside the first cosines and sines of twice an angle in [0, pi/2], (G, n) or one for all:
    (G, n, d + 2 FREQUENCIES)."""
    angle = torch.as_tensor(angle, dtype=x.dtype).expand(x.shape[:2])
    phases = angle[..., None] * torch.arange(2, 2 * FREQUENCIES + 1, 2, dtype=x.dtype)
    return torch.cat([x, phases.cos(), phases.sin()], -1)


def _first_weights(seed: int, sizes: Sequence[int]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(one, two, generator=generator) * math.sqrt(1 / one) for one, two in pairwise(sizes)]
