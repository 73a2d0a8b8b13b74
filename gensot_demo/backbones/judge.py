"""The judge: a classifier of clean pictures that measures samples and never guides them.

Batch-normalised residual blocks with ReLU on the full 32 x 32 grid: unlike the network it judges and unlike the noisy
classifier. Beside the classes it knows "none of these", learned on emoji of other kinds, so that a blob is not
counted for the class it resembles most.
Importing this module imports diffusers (five seconds): import it when a judge is wanted.
"""

from __future__ import annotations

from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from torch.nn import functional


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs))
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        self.skip = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.skip(x) + self.second(functional.relu(self.first(x))))


class Judge(ModelMixin, ConfigMixin):
    """Logits (b, classes + 1), the last for "none of these", of pictures (b, 3, 32, 32) in [-1, 1]."""

    @register_to_config
    def __init__(self, classes: int, widths: tuple[int, ...] = (32, 64, 96, 128)) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU())
        pairs = zip((widths[0], *widths[:-1]), widths, strict=True)
        self.blocks = nn.Sequential(*(_Block(a, b, 2) for a, b in pairs))
        self.head = nn.Linear(widths[-1], classes + 1)

    def features(self, pictures: Tensor) -> Tensor:
        """What the last layer sees, averaged over places: (b, widths[-1])."""
        return self.blocks(self.stem(pictures)).mean(dim=(2, 3))

    def forward(self, pictures: Tensor) -> Tensor:
        return self.head(self.features(pictures))
