"""A denoising network as an oracle: joint batches, gradients, the ends of its range of noise, and too little memory.

Networks are trained between two noise levels. Paths from a point ask from beyond the upper one, where the state tells
next to nothing: there it is completed by the mean of y to a state of the upper level, of the kind the network knows.
The answer errs by Cov(y) eps (1/sigma_max - 1/sigma), without bias at that order. Below the lower level the network is
asked at the lower level with the same y-scale.
"""

from __future__ import annotations

import gc
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from gensot_demo.transport.errors import Explained
from gensot_demo.transport.oracles import Answer, Condition, Oracle, Query, Variant

_MEAN_SEED = 0


class OutOfMemory(Explained, RuntimeError):
    """Not even one state fits; the message is a sentence."""


class Denoiser(ABC):
    """A network in its own parametrisation.

    sigma_min, sigma_max: the noise levels m/a it was trained between; sigma_max may be inf (flow models).
    mean_draws: pairs of forwards that E[y | c] is estimated from.
    """

    dimension: int
    dtype: torch.dtype
    device: torch.device
    sigma_min: float
    sigma_max: float
    mean_draws: int = 16

    @abstractmethod
    def predict(self, x: Tensor, a: Tensor, m: Tensor, conditions: Sequence[Condition]) -> Tensor:
        """E[y | x = a y + m eps] (n, d) for x (n, d), one condition a row (None: the null condition).

        a, m: (n,) float64 on the CPU with a^2 + m^2 = 1 and m/a in [sigma_min, sigma_max]. Differentiable in x.
        """


class NetworkOracle(Oracle):
    """Answers queries by a :class:`Denoiser`, all rows and conditions in one forward where memory allows.

    variants: by kind, what gives the denoiser that answers the rows of that :class:`Variant`, with the same range of
    noise; they are grouped by kind, one forward each.
    """

    def __init__(self, denoiser: Denoiser, variants: Mapping[str, Callable[[], Denoiser]] | None = None):
        self.denoiser, self.variants = denoiser, dict(variants or {})
        self.dimension, self.dtype, self.device = denoiser.dimension, denoiser.dtype, denoiser.device
        self._means: dict[Condition, Tensor] = {}
        self.largest_batch: int | None = None  # learnt when memory ran out

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        plain = [(n, c) for n, query in enumerate(queries) for c in range(len(query.conditions)) if _open(query, c)]
        blocks = self._forward([queries[n] for n, _ in plain], [queries[n].conditions[c] for n, c in plain])
        found = dict(zip(plain, blocks, strict=True))
        return [self._completed(query, n, found) for n, query in enumerate(queries)]

    def _completed(self, query: Query, n: int, found: dict[tuple[int, int], Tensor]) -> Answer:
        if _known(query):
            state = query.x / query.a
            predicted = state.expand(len(query.conditions), *state.shape)
            return Answer(predicted, None if query.cotangent is None else torch.zeros_like(query.x))
        if query.cotangent is None:
            if len(found) == 1:  # nothing else was asked: no copy is needed, and a view holds no other's memory
                return Answer(found[n, 0][None])
            return Answer(torch.stack([found[n, c] for c in range(len(query.conditions))]))
        parts = [self._with_gradient(rows) for rows in _split(query, found, n, self.largest_batch)]
        return Answer(torch.cat([p for p, _ in parts], 1), torch.cat([g for _, g in parts]))

    def _with_gradient(self, piece: tuple[Query, list[Tensor]]) -> tuple[Tensor, Tensor]:
        """(predictions (C, n, d), (m^2/a) (dD/dx)^T v): D of the first condition with its backward pass."""
        query, others = piece
        if query.a == 0.0:  # the state tells nothing
            first = self._forward([query], [query.conditions[0]])[0]
            return torch.stack([first, *others]), torch.zeros_like(query.x)
        with torch.enable_grad():
            x = query.x.detach().requires_grad_(True)
            first = self._rows([query], [query.conditions[0]], [x])[0]
            predicted = torch.stack([first.detach(), *others])
            cotangent = query.cotangent(predicted)
            (slope,) = torch.autograd.grad(first, x, cotangent.to(first.dtype))
        level = min(query.m / query.a, self.denoiser.sigma_max)  # where the network was asked, if that is lower
        return predicted, query.m * level * slope.to(query.x.dtype)

    def _forward(self, queries: Sequence[Query], conditions: Sequence[Condition]) -> list[Tensor]:
        """One block (n, d) per (query, condition)."""
        with torch.no_grad():
            return self._rows(queries, conditions, [query.x for query in queries])

    def _rows(
        self, queries: Sequence[Query], conditions: Sequence[Condition], states: Sequence[Tensor]
    ) -> list[Tensor]:
        if not queries:
            return []
        blank = [query.a == 0.0 and not bool(query.x.any()) for query in queries]
        open_ones = zip(queries, conditions, states, blank, strict=True)
        blocks = iter(self._asked([(query, c, state) for query, c, state, empty in open_ones if not empty]))
        return [
            self._mean(condition).expand_as(query.x) if empty else next(blocks)
            for query, condition, empty in zip(queries, conditions, blank, strict=True)
        ]

    def _asked(self, questions: Sequence[tuple[Query, Condition, Tensor]]) -> Sequence[Tensor]:
        """One block (n, d) per (query, condition, state), from one forward."""
        if not questions:
            return []
        inputs = [self._in_range(*question) for question in questions]
        row = [n for n, (x, _, _) in enumerate(inputs) for _ in range(len(x))]
        a, m = (torch.tensor([inputs[n][k] for n in row], dtype=torch.float64) for k in (1, 2))
        told = [questions[n][1] for n in row]
        x = inputs[0][0] if len(inputs) == 1 else torch.cat([x for x, _, _ in inputs])
        return self._chunked(x, a, m, told).split([len(x) for x, _, _ in inputs])

    def _in_range(self, query: Query, condition: Condition, x: Tensor) -> tuple[Tensor, float, float]:
        """(x, a, m) with a^2 + m^2 = 1 at a noise level that the network knows."""
        low, high = self.denoiser.sigma_min, self.denoiser.sigma_max
        a, m = query.a, query.m
        if m > high * a:
            unit = 1 / np.hypot(1.0, high)
            completed = x / m + (1 / high - a / m) * self._mean(condition)  # u = r y + eps, r = a/m raised to 1/high
            return high * unit * completed, unit, high * unit
        if m < low * a:
            unit = 1 / np.hypot(1.0, low)
            return x * (unit / a), unit, low * unit
        size = np.hypot(a, m)
        return x / size, a / size, m / size

    def _mean(self, condition: Condition) -> Tensor:
        """E[y | c] (d,), as the network has it: the mean of its predictions from pure noise."""
        if condition not in self._means:
            high = self.denoiser.sigma_max
            a, m = (0.0, 1.0) if np.isinf(high) else (1 / np.hypot(1, high), high / np.hypot(1, high))
            generator = torch.Generator().manual_seed(_MEAN_SEED)
            noise = torch.randn(self.denoiser.mean_draws, self.dimension, generator=generator)
            noise = torch.cat([noise, -noise]).to(self.device, self.dtype)
            full = torch.full((len(noise),), 1.0, dtype=torch.float64)
            with torch.no_grad():
                drawn = self._chunked(m * noise, a * full, m * full, [condition] * len(noise))
            self._means[condition] = drawn.mean(0)
        return self._means[condition]

    def _chunked(self, x: Tensor, a: Tensor, m: Tensor, conditions: Sequence[Condition]) -> Tensor:
        """The denoiser over all rows; when memory runs out, over half as many at a time from then on."""
        size = min(self.largest_batch or len(x), len(x))
        while True:
            try:
                parts = [
                    self._predicted(x[k : k + size], a[k : k + size], m[k : k + size], conditions[k : k + size])
                    for k in range(0, len(x), size)
                ]
                return parts[0] if len(parts) == 1 else torch.cat(parts)
            except (torch.OutOfMemoryError, MemoryError):
                parts = []
            release_memory()
            if size == 1:
                self.largest_batch = None  # others may hold the memory now; next time is another time
                raise OutOfMemory(
                    "The device has too little memory for a single picture of this model. Choose a smaller model."
                )
            self.largest_batch = size = size // 2

    def _predicted(self, x: Tensor, a: Tensor, m: Tensor, conditions: Sequence[Condition]) -> Tensor:
        """The denoiser's answers, or those of its variants for the rows that ask for them."""
        rows: dict[str | None, list[int]] = {}
        for row, condition in enumerate(conditions):
            rows.setdefault(condition.kind if isinstance(condition, Variant) else None, []).append(row)
        if rows.keys() == {None}:
            return self.denoiser.predict(x, a, m, conditions)
        parts = []
        for kind, chosen in rows.items():
            denoiser = self.denoiser if kind is None else self.variants[kind]()
            told = [conditions[row] if kind is None else conditions[row].condition for row in chosen]
            parts.append(denoiser.predict(x[chosen], a[chosen], m[chosen], told))
        order = torch.tensor([row for chosen in rows.values() for row in chosen], device=x.device)
        return torch.cat(parts)[order.argsort()]


def compute_device() -> torch.device:
    """Where networks run: a CUDA device if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def release_memory() -> None:
    """Give back what a failed forward or a dropped model still holds."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _known(query: Query) -> bool:
    return query.m == 0.0 and query.a != 0.0


def _open(query: Query, c: int) -> bool:
    """Whether this block comes from the joint forward: known states need none, a gradient needs one of its own."""
    return not _known(query) and not (query.cotangent is not None and c == 0)


def _split(
    query: Query, found: dict[tuple[int, int], Tensor], n: int, most: int | None
) -> list[tuple[Query, list[Tensor]]]:
    """A query with gradient in pieces of at most ``most`` rows, with the other conditions' blocks."""
    size = most or len(query.x)
    others = [found[n, c] for c in range(1, len(query.conditions))]
    return [
        (
            Query(query.x[k : k + size], query.a, query.m, query.conditions, query.cotangent),
            [block[k : k + size] for block in others],
        )
        for k in range(0, len(query.x), size)
    ]
