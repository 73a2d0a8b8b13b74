"""What a comparison needs of a model: an oracle, what can be asked of it, and the way from states to pictures and back.

Three kinds stand behind it: the exact picture collection, the embedded network, and diffusers pipelines.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.transport.atoms import WeightedAtoms
from gensot_demo.transport.grids import at_noise_levels, noise_levels
from gensot_demo.transport.noise import SharedNoise
from gensot_demo.transport.oracles import Condition, Oracle, Variant
from gensot_demo.transport.paths import PathPoints, ProbabilityPath, VEPath

from .errors import UnknownCondition

__all__ = ["Backbone", "BackboneInfo", "UnknownCondition", "from_uint8", "to_uint8"]

NOISE_DEPTH = 9  # cells of 1/8 octave of 1/sigma^2: a fifth of a step of 30, a step of 200

Asks = Literal["conditions", "classes", "prompts", "nothing"]


@dataclass(frozen=True)
class BackboneInfo:
    """What a person should know before choosing a model.

    name: in links.  asks: what a condition is.  parameters: how many numbers were learnt, 0 for none.  licence: of the
    weights or pictures.  source: where they come from.  exact: whether the law it samples is known in closed form.
    """

    name: str
    label: str
    summary: str
    licence: str
    source: str
    asks: Asks
    resolution: int
    parameters: int = 0
    exact: bool = False


class Backbone(ABC):
    """A model ready to be asked. States are vectors of ``oracle.dimension`` numbers, whatever the model's own shape.

    sigma_range: noise levels (start, end) of a run.  data_variance: of one coordinate of y.  dimension: values of a
    state, with those that the oracle's coordinates leave out.  max_rows: states per forward, max_states: in one run.
    no_null: why there is no unconditional prediction to guide away from, or None.  linear: whether pixels are an affine
    function of the state, as everywhere but behind an autoencoder.  names: of the pictures that it was
    made of, where they are known.  gallery: these pictures as atoms, in the order of ``names``; None where unknown.
    """

    info: BackboneInfo
    oracle: Oracle
    sigma_range: tuple[float, float]
    data_variance: float
    dimension: int
    max_rows: int = 4096
    max_states: int = 200_000
    no_null: str | None = None
    linear: bool = True
    names: tuple[str, ...] = ()

    @property
    def gallery(self) -> WeightedAtoms | None:
        return None

    @abstractmethod
    def encode(self, pictures: NDArray[np.uint8]) -> Tensor:
        """States (n, oracle.dimension) of pictures (n, res, res, 3)."""

    @abstractmethod
    def pictures(self, states: Tensor) -> NDArray[np.uint8]:
        """Pictures (n, res, res, 3) of states (n, oracle.dimension)."""

    @abstractmethod
    def pixels(self, states: Tensor) -> Tensor:
        """Pixels (n, 3, res, res), about -1 to 1, of states (n, oracle.dimension); differentiable."""

    def previews(self, states: Tensor) -> NDArray[np.uint8]:
        """The same, perhaps rougher and at once: what is shown while a run goes on."""
        return self.pictures(states)

    @abstractmethod
    def condition_names(self) -> list[str]:
        """What can be asked for by name; empty where any text can, or nothing."""

    @abstractmethod
    def condition(self, name: str) -> Condition:
        """What the oracle understands by a name; raises UnknownCondition with a sentence."""

    def joint(self, names: Sequence[str]) -> tuple[Condition, str | None]:
        """(all conditions at once, None), or (None, why this model cannot take them together)."""
        if len(names) > 1:
            return None, f"{self.info.label} takes one condition at a time."
        return (self.condition(names[0]) if names else None), None

    @property
    def weak(self) -> Callable[[Condition], Condition] | None:
        """Turns a condition into one that an early snapshot of the model answers, or None where there is none."""
        return partial(Variant, "weak") if "weak" in self.oracle.variants else None

    @property
    def perturbed(self) -> Callable[[Condition], Condition] | None:
        """Turns a condition into one that the model answers with its self-attention off, or None where it cannot."""
        return partial(Variant, "perturbed") if "perturbed" in self.oracle.variants else None

    def classifier(self, conditions: Sequence[Condition]) -> Callable[[Tensor, float, float], Tensor] | None:
        """(x - g (n, d), a, m) to log p(c | x) (M, n) of these conditions, differentiable in x; None where nobody
        knows it. A learnt one is read when it is first called."""
        return None

    def truncated(self, name: str) -> str | None:
        """What of a condition the model does not read, in a sentence, or None."""
        return None

    def require_law(self, chosen: Sequence[tuple[str, float]]) -> None:
        """Raise UnknownCondition with a sentence where nothing is known to satisfy all of these (name, trust)."""
        return None

    def nearest(self, states: Tensor) -> tuple[Tensor, Tensor] | None:
        """(indices into ``names``, Euclidean distances) of the nearest known picture of each state, or None."""
        return None if self.gallery is None else self.gallery.nearest(states)

    def noise(self, seeds: Sequence[int], particles: int = 1) -> SharedNoise:
        """The shared noise of these seeds, for states."""
        oracle = self.oracle
        return SharedNoise(
            seeds, oracle.dimension, particles, dtype=oracle.dtype, device=oracle.device, depth=NOISE_DEPTH
        )

    def grid(self, path: ProbabilityPath, steps: int, first: float | None = None) -> PathPoints:
        """Where a run of so many steps stops along a path, from noise level ``first`` or the range's own on."""
        largest, smallest = self.sigma_range
        points = at_noise_levels(path, noise_levels(steps, first or largest, smallest))
        return points.to(self.oracle.device, self.oracle.dtype)

    def megabytes(self) -> float:
        """What a learnt model holds in memory; 0 for a closed form."""
        return 0.0

    def model_path(self) -> ProbabilityPath:
        """The path that the model was trained along: for the embedded ones z = y + sigma eps."""
        return VEPath(self.sigma_range[0] * 1.01)

    def model_grid(self, steps: int) -> PathPoints:
        """The model's own timesteps along :meth:`model_path`."""
        return self.grid(self.model_path(), steps)


def to_uint8(pixels: Tensor) -> NDArray[np.uint8]:
    """Pixels (n, 3, res, res), about -1 to 1, as pictures (n, res, res, 3)."""
    scaled = ((pixels.detach().float().cpu() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).contiguous().numpy()


def from_uint8(pictures: NDArray[np.uint8]) -> Tensor:
    """Pictures (n, res, res, 3) as pixels (n, 3, res, res), float32 in [-1, 1]."""
    return torch.from_numpy(pictures.astype(np.float32)).permute(0, 3, 1, 2) / 127.5 - 1
