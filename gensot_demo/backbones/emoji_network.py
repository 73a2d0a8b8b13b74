"""The embedded network: a class-conditional diffusers UNet2DModel on 32 x 32 emoji, read from a folder.

The UNet works on space-to-depth pictures, 12 channels at 16 x 16 (four neighbouring pixels side by side), which costs
a quarter of the same layers at 32 x 32. Around it stands the preconditioning of Karras et al., "Elucidating the Design
Space of Diffusion-Based Generative Models", arXiv 2206.00364, table 1 (last column), so that it is well conditioned
from sigma = .01 to 80; the numbers are those of the folder's scheduler, a diffusers `EDMEulerScheduler`, whose
`precondition_*` methods compute the same.

The folder is that of a diffusers pipeline: `unet/`, `unet_early/` (the same network after about 15 % of the training,
the weak model of autoguidance), `scheduler/`, `classes.json` (the classes in the order of the labels, and the names of
the pictures that each was trained on, and of those held out). Imports torch; diffusers only when a network is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from gensot_demo.transport.oracles import Condition

from .heavy_imports import diffusers
from .network_oracle import Denoiser

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "emoji_network"
RESOLUTION = 32
BLOCK = 2


def denoise(unet: nn.Module, z: Tensor, sigma: Tensor, labels: Tensor, sigma_data: float) -> Tensor:
    """D(z, sigma, label) = E[y | z = y + sigma eps, label], the predicted picture; arXiv 2206.00364, eq. 7.

    `z` (b, 3, 32, 32) and `sigma` (b,) > 0 in units of the pictures in [-1, 1], `labels` int64 (b,), the last one being
    the null class. `sigma_data` is the root mean square of the pictures' values. Differentiable in `z`.
    """
    sigma = sigma.reshape(-1, 1, 1, 1).to(z.dtype)
    total = (sigma**2 + sigma_data**2).sqrt()
    dtype = next(unet.parameters()).dtype
    inputs = functional.pixel_unshuffle(z / total, BLOCK).to(dtype)
    level = (sigma.flatten().log() / 4).to(dtype)
    raw = functional.pixel_shuffle(unet(inputs, level, class_labels=labels).sample.to(z.dtype), BLOCK)
    return (sigma_data / total) ** 2 * z + sigma * sigma_data / total * raw


@dataclass(frozen=True, eq=False)
class EmojiNetwork:
    """A loaded network with what it declares: class names in the order of the labels, and its range of sigma."""

    unet: nn.Module
    classes: tuple[str, ...]
    sigma_data: float
    sigma_min: float
    sigma_max: float

    @property
    def null_label(self) -> int:
        return len(self.classes)

    def label(self, name: str | None) -> int:
        """The label of a class, or of the null class for None; ValueError listing the classes for another name."""
        if name is None:
            return self.null_label
        if name not in self.classes:
            raise ValueError(f"class is {name!r}: expected one of {', '.join(self.classes)}, or None for no class")
        return self.classes.index(name)

    def denoise(self, z: Tensor, sigma: Tensor, labels: Tensor) -> Tensor:
        """The predicted picture (b, 3, 32, 32); see :func:`denoise`."""
        return denoise(self.unet, z, sigma, labels, self.sigma_data)


def load_network(folder: Path = FOLDER, *, early: bool = False, dtype: torch.dtype = torch.float32) -> EmojiNetwork:
    """The network in `folder`, frozen, in evaluation mode; `early` for the snapshot after 15 % of the training."""
    package, folder = diffusers(), Path(folder)
    unet = package.UNet2DModel.from_pretrained(
        folder / ("unet_early" if early else "unet"),
        variant="fp16",
        use_safetensors=True,
        torch_dtype=dtype,
        low_cpu_mem_usage=False,  # True needs accelerate, which nothing else here does
    )
    scheduler = package.EDMEulerScheduler.from_pretrained(folder / "scheduler").config
    return EmojiNetwork(
        unet.requires_grad_(False).eval(),
        tuple(trained_on(folder)),
        scheduler["sigma_data"],
        scheduler["sigma_min"],
        scheduler["sigma_max"],
    )


def trained_on(folder: Path = FOLDER) -> dict[str, list[str]]:
    """The classes in the order of their labels, and the names of the pictures that each was trained on."""
    return json.loads((Path(folder) / "classes.json").read_text(encoding="utf-8"))["classes"]


def held_out(folder: Path = FOLDER) -> dict[str, list[str]]:
    """The same of the pictures of each class that were kept from the training: five in a hundred."""
    return json.loads((Path(folder) / "classes.json").read_text(encoding="utf-8"))["held_out"]


class EmojiDenoiser(Denoiser):
    """The network as a denoiser of flat states (n, 3072); a condition is a label, None the null class."""

    def __init__(self, network: EmojiNetwork):
        self.network = network
        self.dimension = 3 * RESOLUTION**2
        self.dtype, self.device = torch.float32, next(network.unet.parameters()).device
        self.sigma_min, self.sigma_max = network.sigma_min, network.sigma_max

    def predict(self, x: Tensor, a: Tensor, m: Tensor, conditions: Sequence[Condition]) -> Tensor:
        null = self.network.null_label
        labels = torch.tensor([null if label is None else label for label in conditions], device=self.device)
        scale, sigma = a.to(x), (m / a).to(x)
        pictures = (x / scale[:, None]).reshape(-1, 3, RESOLUTION, RESOLUTION)
        return self.network.denoise(pictures, sigma, labels).flatten(1)
