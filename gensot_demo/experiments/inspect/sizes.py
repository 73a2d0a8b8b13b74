"""How large a difference of two states is, in words that a person knows."""

from __future__ import annotations

import torch
from torch import Tensor

from gensot_demo.backbones.base import Backbone, to_uint8

GREY_LEVELS = "grey levels"
LATENT = "latent units"
SILENT = 0.01  # grey levels: less is the rounding of single precision, and nothing that eight bits can show
_PER_UNIT = 127.5  # grey levels of a pixel from -1 (black) to 1 (white)


def unit_of(backbone: Backbone) -> str:
    """What :func:`size` is measured in: behind an autoencoder a state's numbers are no pixels."""
    return GREY_LEVELS if backbone.linear else LATENT


def size(backbone: Backbone, difference: Tensor) -> Tensor:
    """Root mean square of differences of states (..., d) over the model's pixels and channels, (...), float64."""
    root = torch.linalg.vector_norm(difference.double(), dim=-1) / backbone.dimension**0.5
    return root * (_PER_UNIT if backbone.linear else 1.0)


def in_pixels(backbone: Backbone, states: Tensor, moved: Tensor) -> Tensor:
    """What moving ``states`` (n, d) to ``moved`` does to the picture, (n, res, res, 3) in grey levels, signed."""
    if backbone.dimension != backbone.oracle.dimension:  # coordinates of pictures: their differences have a short way
        flat = backbone.decode_noise((moved - states).cpu())
        side = backbone.info.resolution
        return flat.reshape(-1, side, side, 3) * _PER_UNIT
    with torch.no_grad():
        change = backbone.pixels(moved) - backbone.pixels(states)
    return change.float().cpu().permute(0, 2, 3, 1) * _PER_UNIT


def shown(change: Tensor, scale: float):
    """Signed grey levels (n, res, res, 3) as pictures uint8: mid grey is nothing, white is ``scale`` and more."""
    return to_uint8((change / scale).permute(0, 3, 1, 2))
