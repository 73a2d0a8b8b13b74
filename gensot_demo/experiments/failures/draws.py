"""More samples than a wall has columns, for numbers that a dozen cannot give."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..asking import ask_for, backbone_of
from ..drawing import draw
from ..requests import CompareRequest
from ..zero_gpu import on_lent_gpu


@on_lent_gpu
def drawn(request: CompareRequest, draws: int) -> Iterator[float | Tensor]:
    """Shares done, and last end states (draws, d) on the CPU of the request's first method; seeds go on from the
    request's."""
    backbone = backbone_of(request)
    states: list[Tensor] = []
    for _, chunk in draw(request, draws, ask_for(request, backbone), backbone):
        states.append(chunk[request.methods[0].name].states.cpu())
        yield min(sum(map(len, states)) / draws, 1.0)
    yield torch.cat(states)
