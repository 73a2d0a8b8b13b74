"""How fast a model is on this machine, measured."""

from __future__ import annotations

import time
from functools import lru_cache

import torch

from gensot_demo.backbones.base import Backbone

from .device import TURNSTILE

_STATES = 8


@lru_cache(maxsize=8)
def milliseconds_a_call(backbone: Backbone) -> float:
    """Milliseconds for one state and call in a forward of eight, the faster of two after one to warm up."""
    noise = torch.randn(_STATES, backbone.oracle.dimension, generator=torch.Generator().manual_seed(0))
    x = noise.to(backbone.oracle.device, backbone.oracle.dtype)
    taken = []
    for _ in range(3):
        with TURNSTILE(), torch.no_grad():
            began = time.perf_counter()
            float(backbone.oracle.predict(x, 0.6, 0.8).sum())
            taken.append(time.perf_counter() - began)
    return 1e3 * min(taken[1:]) / _STATES
