"""p(class | z, sigma) for pictures under noise: the guide of classifier guidance on the embedded network.

Dhariwal & Nichol, arXiv 2105.05233, section 4: the gradient of log p(class | z, sigma) in z is added to the score. A
residual network on space-to-depth pictures, smooth activations (its gradient is what is used), modulated by ln(sigma).
Importing this module imports diffusers (five seconds): import it when a classifier is wanted.
"""

from __future__ import annotations

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from torch.nn import functional

LEVEL_FEATURES = 32


class _Block(nn.Module):
    """Two 3 x 3 convolutions with a residual path; the noise level scales and shifts between them."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.norm_in = nn.GroupNorm(8, inputs)
        self.conv_in = nn.Conv2d(inputs, outputs, 3, stride, 1)
        self.level = nn.Linear(2 * LEVEL_FEATURES, 2 * outputs)
        self.norm_out = nn.GroupNorm(8, outputs)
        self.conv_out = nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.skip = nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        hidden = self.conv_in(functional.silu(self.norm_in(x)))
        scale, shift = self.level(level)[:, :, None, None].chunk(2, dim=1)
        hidden = self.conv_out(functional.silu(self.norm_out(hidden) * (1 + scale) + shift))
        return self.skip(x) + hidden


class NoisyClassifier(ModelMixin, ConfigMixin):
    """Logits (b, classes) of noisy pictures z = y + sigma eps (b, 3, 32, 32) at levels sigma (b,) in [.01, 80].

    `sigma_data` is the root mean square of the clean pictures' values; inputs are divided by
    sqrt(sigma^2 + sigma_data^2). Saved and loaded by `save_pretrained` and `from_pretrained`.
    """

    @register_to_config
    def __init__(self, classes: int, sigma_data: float, widths: tuple[int, ...] = (32, 64, 96)) -> None:
        super().__init__()
        # ln(sigma) / 4 lies in [-1.2, 1.1]: frequencies of half a period to four periods over it.
        self.register_buffer("frequencies", torch.linspace(1.0, 12.0, LEVEL_FEATURES))
        self.stem = nn.Conv2d(12, widths[0], 3, 1, 1)
        pairs = zip((widths[0], *widths[:-1]), widths, strict=True)
        self.blocks = nn.ModuleList(_Block(a, b, 1 if i == 0 else 2) for i, (a, b) in enumerate(pairs))
        self.norm = nn.GroupNorm(8, widths[-1])
        self.head = nn.Linear(widths[-1] * 16, classes)

    def forward(self, z: Tensor, sigma: Tensor) -> Tensor:
        scale = (sigma**2 + self.config.sigma_data**2).rsqrt().to(z.dtype)
        phase = (sigma.log() / 4)[:, None] * self.frequencies
        level = torch.cat([phase.cos(), phase.sin()], dim=1).to(z.dtype)
        x = self.stem(functional.pixel_unshuffle(z * scale[:, None, None, None], 2))
        for block in self.blocks:
            x = block(x, level)
        return self.head(functional.silu(self.norm(x)).flatten(1))
