"""Spaces that lend a GPU call by call (ZeroGPU): runs are announced there with their length. Elsewhere nothing happens.

The run's own process is a copy of the server's: models are loaded before it is made, and what comes back is on the CPU.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Iterator
from typing import Any

from gensot_demo.backbones.base import BackboneInfo
from gensot_demo.transport.catalogue import SAMPLERS

from .asking import backbone_of
from .requests import CompareRequest

_SHORTEST, _LONGEST = 15, 120  # seconds: what a Space's queue likes, and the most it lends
_SPARE = 10.0  # seconds to move a model and to decode
_OPERATIONS_A_SECOND = 5e13  # of a lent GPU in 16 bits, met by large networks
_OPERATIONS_A_WEIGHT = 0.2  # for each cell of the state: SD 1.5 and SDXL are at .19 and .14
_FORWARD = 0.02  # seconds, however small the network
_LATENT_CELL = 8  # pixels a side, for networks in latent space


def lent_by_call() -> bool:
    """Whether this machine lends its GPU call by call."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")  # as the host's package reads it


def gpu_seconds(request: CompareRequest, info: BackboneInfo, *more: CompareRequest) -> int:
    """How long a comparison, or several on one model, will need a GPU, generously, in whole seconds from 15 to 120."""
    side = info.resolution if info.resolution <= 64 else info.resolution / _LATENT_CELL
    state = _OPERATIONS_A_WEIGHT * info.parameters * side**2 / _OPERATIONS_A_SECOND
    seconds = _SPARE
    for one in (request, *more):
        rounds = one.steps * SAMPLERS[one.sampler].calls_per_step
        states = rounds * one.samples * len(one.methods) * (1 + len(one.conditions))
        seconds += 1.5 * (states * state + rounds * _FORWARD)
    return math.ceil(min(max(seconds, _SHORTEST), _LONGEST))


def on_lent_gpu(run: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """A run of a request, or of several on one model, inside ``spaces.GPU`` where GPUs are lent call by call;
    unchanged elsewhere."""
    if not lent_by_call():
        return run
    import spaces

    def duration(request: CompareRequest, *others: Any) -> int:
        more = [other for other in others if isinstance(other, CompareRequest)]
        return gpu_seconds(request, backbone_of(request).info, *more)

    lent = spaces.GPU(duration=duration)(run)

    @functools.wraps(run)
    def announced(request: CompareRequest, *others: Any) -> Iterator[Any]:
        backbone_of(request)
        yield from lent(request, *others)

    return announced
