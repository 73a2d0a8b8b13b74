"""One Brownian path per seed, read by every sampler, schedule and step count.

With information K = 1/sigma^2, the process H = K z obeys dH = E[y|H] dK + dB(K): every path, in every schedule, is
driven by one Brownian motion B in the clock K, and a bridge step *is* the Euler step of this equation, so coarse and
fine runs read the same increments exactly (in the clock sigma^2 they would only agree to first order).
Y = B(K)/sqrt(K) is a stationary Ornstein-Uhlenbeck process in log K; it is fixed at knots 64 octaves apart and refined
by exact bridge sampling down to cells of 1/1024 octave, within which it is smooth. Each node has its own stream, so
what a seed means never depends on which levels were asked for, on the number of rows, on the device or on the dtype.
"""

from __future__ import annotations

import math
import os
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from .errors import InvalidValue

_BASE_OCTAVES = 64
_NODES_KEPT = 64
_READ_BYTES, _READ_KEPT = 32e6, (12, 2000)  # methods that stop at the same levels read them once
_INDEX_ORIGIN = 2**48  # entropy must not be negative
_ASIDE = 2**40  # no depth of a path
_WORTH_THREADS = 100_000  # numbers
_THREADS = min(os.cpu_count() or 1, 8)
_DRAWING = ThreadPoolExecutor(_THREADS, thread_name_prefix="noise")


def _renew() -> None:
    """A copy of this process, as one to which a GPU is lent, has none of its threads."""
    global _DRAWING
    _DRAWING = ThreadPoolExecutor(_THREADS, thread_name_prefix="noise")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


class SharedNoise:
    """The Brownian paths of several seeds, ``rows`` samples each; all samples stacked in seed order.

    seeds: non-negative integers.  dimension: of one sample.  depth: levels of refinement, cells of 64/2^depth octaves;
    keep it the same wherever a seed is to mean the same, and cells narrower than a step.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        dimension: int,
        rows: int = 1,
        *,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
        depth: int = 16,
    ):
        self.seeds, self.dimension, self.rows = tuple(int(s) for s in seeds), dimension, rows
        if any(seed < 0 for seed in self.seeds):
            raise InvalidValue(f"seed is {min(self.seeds)}; it must be 0 or more.")
        self.dtype, self.device, self.depth = dtype, device, depth
        self._float = np.float32 if dtype in (torch.float32, torch.float16, torch.bfloat16) else np.float64
        fewest, most = _READ_KEPT
        size = 8 * max(len(self.seeds) * rows * dimension, 1)
        self._most_read = min(max(int(_READ_BYTES / size), fewest), most)
        self._nodes: OrderedDict[tuple[int, int], np.ndarray] = OrderedDict()
        self._read: OrderedDict[float, Tensor] = OrderedDict()

    def __len__(self) -> int:
        return len(self.seeds) * self.rows

    def _fresh(self, level: int, index: int, scale: float = 1.0) -> np.ndarray:
        """Standard normals of one node times ``scale``, (n, dimension); rows of a seed are a prefix of one stream."""
        out = self._streams(self.depth, level, index + _INDEX_ORIGIN).astype(self._float, copy=False)
        out *= scale
        return out

    def _streams(self, *tag: int) -> np.ndarray:
        """Standard normals (n, dimension), float32: of each seed the first rows of its stream of that tag."""
        out = np.empty((len(self.seeds), self.rows, self.dimension), dtype=np.float32)

        def fill(numbers: range) -> None:
            for number in numbers:
                stream = np.random.SFC64([self.seeds[number], *tag])
                np.random.Generator(stream).standard_normal(dtype=np.float32, out=out[number])

        if out.size < _WORTH_THREADS:
            fill(range(len(out)))
        else:  # drawing releases Python's lock
            list(_DRAWING.map(fill, [range(first, len(out), _THREADS) for first in range(_THREADS)]))
        return out.reshape(len(self), self.dimension)

    def _node(self, level: int, index: int) -> np.ndarray:
        """Y at octave index * 64 / 2^level; not to be written to."""
        key = (level, index)
        if key in self._nodes:
            self._nodes.move_to_end(key)
            return self._nodes[key]
        if level > 0 and index % 2 == 0:
            return self._node(level - 1, index // 2)
        if level > 0:
            c = 2.0 ** (-0.5 * _BASE_OCTAVES / 2**level)
            value = self._fresh(level, index, math.sqrt((1 - c * c) / (1 + c * c)))
            both = self._node(level, index - 1) + self._node(level, index + 1)
            both *= c / (1 + c * c)
            value += both
        elif index == 0:
            value = self._fresh(level, index)
        else:
            c = 2.0 ** (-0.5 * _BASE_OCTAVES)
            value = self._fresh(level, index, math.sqrt(1 - c * c))
            value += c * self._node(0, index - 1 if index > 0 else index + 1)
        self._nodes[key] = value
        if len(self._nodes) > _NODES_KEPT:
            self._nodes.popitem(last=False)
        return value

    def _value(self, log_K: float) -> np.ndarray:
        """Y(log K), standard normal (n, dimension)."""
        octave = log_K / math.log(2.0)
        width = _BASE_OCTAVES / 2**self.depth
        position = octave / width
        cell = math.floor(position)
        left, right = self._node(self.depth, cell), self._node(self.depth, cell + 1)
        c1, c2 = 2.0 ** (-0.5 * width * (position - cell)), 2.0 ** (-0.5 * width * (1 - position + cell))
        scale = 1 - (c1 * c2) ** 2
        spread = math.sqrt(max((1 - c1 * c1) * (1 - c2 * c2) / scale, 0.0))
        value = self._fresh(self.depth + 1, cell, spread) if spread > 0 else np.zeros_like(left)
        value += (c1 * (1 - c2 * c2) / scale) * left
        value += (c2 * (1 - c1 * c1) / scale) * right
        return value

    def direction(self, log_K: float) -> Tensor:
        """B(K)/sqrt(K) ~ N(0, I), (n, d): the noise of z at level sigma = K^{-1/2}, seen from the mean."""
        if log_K in self._read:
            self._read.move_to_end(log_K)
            return self._read[log_K]
        value = torch.from_numpy(self._value(log_K)).to(device=self.device, dtype=self.dtype)
        self._read[log_K] = value
        if len(self._read) > self._most_read:
            self._read.popitem(last=False)
        return value

    def aside(self, *tag: int) -> Tensor:
        """Standard normals (n, d) from a stream apart from the Brownian path, the same for the same whole numbers."""
        out = self._streams(_ASIDE, *(number % _INDEX_ORIGIN for number in tag))
        return torch.from_numpy(out).to(device=self.device, dtype=self.dtype)

    def after(self, log_K: float) -> LaterNoise:
        """The motion from K on, B'(K') = B(K + K') - B(K): for a process whose start was made of B(K)."""
        return LaterNoise(self, log_K)

    def increment(self, log_K: float, log_K_next: float) -> Tensor:
        """(B(K') - B(K)) / sqrt(K' - K) ~ N(0, I), (n, d), independent over disjoint intervals; K = 0 allowed."""
        if log_K == -math.inf:
            return self.direction(log_K_next)
        shrink = math.exp(0.5 * (log_K - log_K_next))
        change = torch.add(self.direction(log_K_next), self.direction(log_K), alpha=-shrink)
        return change.div_(math.sqrt(-math.expm1(log_K - log_K_next)))


class RowNoise(SharedNoise):
    """One row of a :class:`SharedNoise`; ``row`` may be set on the way: then it goes on as another particle does."""

    def __init__(self, noise: SharedNoise, row: int):
        if not 0 <= row < len(noise):
            raise InvalidValue(f"row is {row}; it must be from 0 to {len(noise) - 1}.")
        self._noise, self.row = noise, row
        self.seeds, self.rows, self.dimension = noise.seeds[:1], 1, noise.dimension
        self.dtype, self.device, self.depth = noise.dtype, noise.device, noise.depth

    def direction(self, log_K: float) -> Tensor:
        return self._noise.direction(log_K)[self.row : self.row + 1]


class LaterNoise(SharedNoise):
    """What a :class:`SharedNoise` does after K: again a Brownian path, and independent of what it did before."""

    def __init__(self, noise: SharedNoise, log_K: float):
        self._noise, self._origin = noise, math.exp(log_K)
        self.seeds, self.rows, self.dimension = noise.seeds, noise.rows, noise.dimension
        self.dtype, self.device, self.depth = noise.dtype, noise.device, noise.depth
        self._first = math.sqrt(self._origin) * noise.direction(log_K)

    def direction(self, log_K: float) -> Tensor:
        total = self._origin + math.exp(log_K)
        return (math.sqrt(total) * self._noise.direction(math.log(total)) - self._first) * math.exp(-0.5 * log_K)
