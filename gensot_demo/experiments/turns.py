"""Long work in small turns: what computes step by step shares the device with everybody's runs."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeVar

import torch

from .device import TURNSTILE

M = TypeVar("M")
N = TypeVar("N")
R = TypeVar("R")


def in_turn(steps: Generator[M, None, R], learning: bool = False) -> Generator[M, None, R]:
    """The same moments and result; each step is one turn on the device, without gradients unless ``learning``.

    Closed before its end, it closes ``steps``.
    """
    try:
        while True:
            with TURNSTILE(), torch.set_grad_enabled(learning):
                try:
                    moment = next(steps)
                except StopIteration as end:
                    return end.value
            yield moment
    finally:
        steps.close()


def retold(steps: Generator[M, None, R], tell: Callable[[M], N]) -> Generator[N, None, R]:
    """``tell`` of each moment, and the same result."""
    while True:
        try:
            moment = next(steps)
        except StopIteration as end:
            return end.value
        yield tell(moment)
