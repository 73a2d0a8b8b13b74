"""From pictures to states and back: pixels themselves, or the latents of an autoencoder with quick previews."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from gensot_demo.backbones.base import from_uint8, to_uint8
from gensot_demo.backbones.network_oracle import OutOfMemory, release_memory

_PIXELS_AT_ONCE = 2**20  # decoded together: four pictures of 512 x 512
_FIT_PICTURES, _FIT_SEED, _FIT_RIDGE = 8, 0, 1e-3
_FIT_CELLS = 16  # side of the latents that the preview is fitted on, at most


class Codec(ABC):
    """States (n, c, h, w), float32, of pictures (n, resolution, resolution, 3)."""

    shape: tuple[int, int, int]
    resolution: int

    @abstractmethod
    def encode(self, pictures: NDArray[np.uint8]) -> Tensor:
        """States of pictures of any square size; resized first."""

    @abstractmethod
    def decode(self, states: Tensor) -> NDArray[np.uint8]:
        """Pictures of states."""

    @abstractmethod
    def pixels(self, states: Tensor) -> Tensor:
        """The same as pixels (n, 3, resolution, resolution), about -1 to 1, differentiable in the states."""

    def preview(self, states: Tensor) -> NDArray[np.uint8]:
        """The same, rougher and at once."""
        return self.decode(states)

    def _resized(self, pictures: NDArray[np.uint8], size: int | None = None) -> Tensor:
        pixels, size = from_uint8(pictures), size or self.resolution
        if pixels.shape[-2:] == (size, size):
            return pixels
        return functional.interpolate(pixels, (size, size), mode="bilinear", antialias=True, align_corners=False)


class PixelCodec(Codec):
    """The state is the picture, in [-1, 1]; one channel is grey."""

    def __init__(self, channels: int, resolution: int, device: torch.device):
        self.shape, self.resolution, self.device = (channels, resolution, resolution), resolution, device

    def encode(self, pictures: NDArray[np.uint8]) -> Tensor:
        pixels = self._resized(pictures).to(self.device)
        return pixels if self.shape[0] == 3 else pixels.mean(1, keepdim=True)

    def decode(self, states: Tensor) -> NDArray[np.uint8]:
        return to_uint8(self.pixels(states))

    def pixels(self, states: Tensor) -> Tensor:
        return states.expand(-1, 3, -1, -1)


class LatentCodec(Codec):
    """The state is (latent - shift) * scale, with the mean of the autoencoder's posterior as the latent of a picture.

    A preview is linear in the state: colour = W state + b per latent cell, fitted once by least squares to what the
    autoencoder itself makes of a few smooth random pictures, averaged over the cell; then enlarged. It costs a matrix
    product where a decode costs a network.
    """

    def __init__(self, autoencoder: Any, shape: tuple[int, int, int], resolution: int):
        self.autoencoder = autoencoder.eval().requires_grad_(False)
        self.shape, self.resolution = shape, resolution
        config = autoencoder.config
        self.factor = resolution // shape[1]
        mean, deviation = config.get("latents_mean"), config.get("latents_std")
        if mean is not None and deviation is not None:
            self.shift = torch.tensor(mean).reshape(-1, 1, 1)
            self.scale = config.scaling_factor / torch.tensor(deviation).reshape(-1, 1, 1)
        else:
            self.shift = torch.tensor(float(config.get("shift_factor") or 0.0))
            self.scale = torch.tensor(float(config.scaling_factor))
        self._colours: Tensor | None = None  # (c + 1, 3)
        self._lock = threading.Lock()

    def encode(self, pictures: NDArray[np.uint8]) -> Tensor:
        return self._encoded(self._resized(pictures))

    def decode(self, states: Tensor) -> NDArray[np.uint8]:
        return to_uint8(self.decoded(states))

    def preview(self, states: Tensor) -> NDArray[np.uint8]:
        colours = self._fitted()
        mixed = torch.einsum("nchw,ck->nkhw", states.float(), colours[:-1].to(states.device))
        rgb = mixed + colours[-1].to(states.device)[:, None, None]
        side = (self.resolution, self.resolution)
        return to_uint8(functional.interpolate(rgb, side, mode="bilinear", align_corners=False))

    def decoded(self, states: Tensor) -> Tensor:
        """Pixels (n, 3, resolution, resolution), about -1 to 1, float32."""
        if not len(states):
            return states.new_zeros(0, 3, *(self.resolution,) * 2)
        return _in_parts(self.pixels, states, max(1, _PIXELS_AT_ONCE // self.resolution**2))

    def pixels(self, states: Tensor) -> Tensor:
        latents = states.float() / self.scale.to(states.device) + self.shift.to(states.device)
        latents = latents.to(self.autoencoder.device, self.autoencoder.dtype)
        return self.autoencoder.decode(latents, return_dict=False)[0].float()

    def _encoded(self, pixels: Tensor) -> Tensor:
        autoencoder, most = self.autoencoder, max(1, _PIXELS_AT_ONCE // (pixels.shape[-1] ** 2))

        def encode(part: Tensor) -> Tensor:
            return autoencoder.encode(part.to(autoencoder.device, autoencoder.dtype)).latent_dist.mean.float()

        latents = _in_parts(encode, pixels, most)
        return (latents - self.shift.to(latents.device)) * self.scale.to(latents.device)

    def _fitted(self) -> Tensor:
        with self._lock:
            if self._colours is None:
                self._colours = self._fit()
            return self._colours

    def _fit(self) -> Tensor:
        """(c + 1, 3): ridge regression of cell colours on latents and a constant."""
        cells = min(_FIT_CELLS, self.shape[1])
        generator = torch.Generator().manual_seed(_FIT_SEED)
        fields = torch.randn(_FIT_PICTURES, 3, max(2, cells // 4), max(2, cells // 4), generator=generator)
        size = (cells * self.factor, cells * self.factor)
        smooth = functional.interpolate(fields, size, mode="bicubic", align_corners=False).tanh()
        states = self._encoded(smooth)
        colour = functional.avg_pool2d(self.decoded(states), self.factor).double().cpu()
        columns = states.double().cpu().permute(0, 2, 3, 1).reshape(-1, self.shape[0])
        columns = torch.cat([columns, torch.ones(len(columns), 1, dtype=columns.dtype)], 1)
        wanted = colour.permute(0, 2, 3, 1).reshape(-1, 3)
        normal = columns.T @ columns
        normal += _FIT_RIDGE * normal.diagonal().mean() * torch.eye(len(normal), dtype=normal.dtype)
        return torch.linalg.solve(normal, columns.T @ wanted).float()


def _in_parts(function: Callable[[Tensor], Tensor], rows: Tensor, most: int) -> Tensor:
    """``function`` over all rows, ``most`` at a time; one at a time if memory runs out. Raises OutOfMemory."""
    try:
        with torch.no_grad():
            return torch.cat([function(part) for part in rows.split(most)])
    except torch.OutOfMemoryError:
        if most == 1 or len(rows) == 1:
            raise OutOfMemory("The device has too little memory to decode one picture of this model.") from None
    release_memory()
    return _in_parts(function, rows, 1)
