"""A loaded diffusers pipeline as a :class:`~gensot_demo.backbones.base.Backbone`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.backbones.base import Backbone, BackboneInfo, to_uint8
from gensot_demo.backbones.errors import UnknownCondition
from gensot_demo.backbones.network_oracle import NetworkOracle
from gensot_demo.backbones.once import Once
from gensot_demo.backbones.self_attention import in_the_middle, self_attentions, without_attention
from gensot_demo.transport.oracles import Condition
from gensot_demo.transport.paths import CondOTPath, PathPoints, ProbabilityPath

from .assembly import Assembled, assemble
from .catalogue import UNKNOWN_LICENCE
from .embeddings import Embeddings, checked_prompt, truncated
from .pixels import LatentCodec
from .schedules import NoiseTable, SchedulerPath, own_grid
from .weights import weights_size

# A flow model starts from pure noise; a run along another path starts at this level, where a picture of unit variance
# still has 1/6400 of the state's: the prior error is of that order, and s = 0.988 is a level the model was trained at.
FLOW_SIGMA_START = 80.0
DISTILLED = "{} was distilled with its guidance built in; true classifier-free guidance does not exist for it."
_STATES_AT_MOST = {"cuda": 4.5e16, "cpu": 1.5e14}  # of a run, times weights and cells: some minutes
_FEWEST_STATES, _MOST_STATES = 200, 200_000
_VALUES_AT_ONCE = {"cuda": 2**20, "cpu": 2**17}  # of all states in a forward; less memory is learnt by running out
_PIXEL_VARIANCE, _LATENT_VARIANCE = 0.25, 1.0  # of pictures in [-1, 1], as in EDM; of latents scaled to unit variance


class PipelineBackbone(Backbone):
    """A supported pipeline (see ``catalogue.SUPPORTED``), its network frozen and asked through a NetworkOracle.

    pipeline: as loaded, on its device.  name: in links, the folder or the Hub's id.  label: on pages; the name's last
    part if None.  licence: of the weights, or None.  note: on how it runs, told with the summary.
    resolution: of the pictures, for models that take several; None is the pipeline's own default.
    sigma_range: the levels that the network was trained between; for flow models 80 (see above) to s = 1/1000.
    Raises BackboneUnavailable with a sentence for a pipeline that cannot be taken.
    """

    def __init__(
        self,
        pipeline: Any,
        *,
        name: str,
        label: str | None = None,
        licence: str | None = None,
        source: str | None = None,
        note: str | None = None,
        resolution: int | None = None,
    ):
        pipeline.set_progress_bar_config(disable=True)
        parts: Assembled = assemble(pipeline, resolution)
        self.pipeline, self.codec = pipeline, parts.codec
        self.linear = not isinstance(parts.codec, LatentCodec)
        middle = in_the_middle(parts.denoiser.network)
        can_perturb = bool(self_attentions(parts.denoiser.network, middle))
        perturbed = {"perturbed": Once(lambda: parts.denoiser.on(without_attention(parts.denoiser.network, middle)))}
        self.oracle = NetworkOracle(parts.denoiser, perturbed if can_perturb else None)
        self.dimension = parts.denoiser.dimension
        label = label or name.rstrip("/").split("/")[-1]
        self.no_null = DISTILLED.format(label) if parts.distilled else None
        low, high = parts.denoiser.sigma_min, parts.denoiser.sigma_max
        self.sigma_range = (FLOW_SIGMA_START if math.isinf(high) else high, low)
        self.data_variance = _LATENT_VARIANCE if isinstance(parts.codec, LatentCodec) else _PIXEL_VARIANCE
        weights = sum(p.numel() for p in parts.denoiser.network.parameters())
        device = "cuda" if self.oracle.device.type == "cuda" else "cpu"
        affordable = int(_STATES_AT_MOST[device] / (weights * math.prod(parts.codec.shape[1:])))
        self.max_states = min(max(affordable, _FEWEST_STATES), _MOST_STATES)
        self.max_rows = max(1, _VALUES_AT_ONCE[device] // self.dimension)
        self._classes, self._class_count = parts.classes, parts.class_count
        self.info = BackboneInfo(
            name=name,
            label=label,
            summary=f"{parts.summary} {note}" if note else parts.summary,
            licence=licence or UNKNOWN_LICENCE,
            source=source or name,
            asks=parts.asks,
            resolution=parts.codec.resolution,
            parameters=weights,
        )

    def model_path(self) -> ProbabilityPath:
        """Its scheduler's table, or a = 1 - s, m = s."""
        table = getattr(self.oracle.denoiser, "table", None)
        return SchedulerPath(table) if isinstance(table, NoiseTable) else CondOTPath()

    def model_grid(self, steps: int) -> PathPoints:
        """The rows that the pipeline itself would stop at in so many steps.

        ``deterministic_step`` along it with classifier-free guidance is the pipeline's own DDIM or Euler sampling, but
        for predictions that a scheduler clips, and for schedulers whose steps do not land where their next one begins
        (diffusers' DDIM with "linspace" spacing, or with "trailing" when the steps do not divide the timesteps).
        Flow models start at a = 0, where ``heun`` and ``euler_maruyama`` cannot. Raises InvalidValue.
        """
        _, height, width = self.codec.shape
        patch = 2 if "Flux" in type(self.pipeline).__name__ else _patch(self.pipeline)
        points = own_grid(self.pipeline, steps, (height // patch) * (width // patch))
        return points.to(self.oracle.device, self.oracle.dtype)

    def megabytes(self) -> float:
        return weights_size(self.pipeline) / 1e6

    def encode(self, pictures: NDArray[np.uint8]) -> Tensor:
        return self.codec.encode(pictures).to(self.oracle.device, self.oracle.dtype).flatten(1)

    def pictures(self, states: Tensor) -> NDArray[np.uint8]:
        shaped = self._shaped(states)
        if getattr(self.pipeline, "safety_checker", None) is None:
            return self.codec.decode(shaped)
        return self._checked(self.codec.decoded(shaped))

    def pixels(self, states: Tensor) -> Tensor:
        return self.codec.pixels(self._shaped(states))

    def previews(self, states: Tensor) -> NDArray[np.uint8]:
        return self.codec.preview(self._shaped(states))

    def _shaped(self, states: Tensor) -> Tensor:
        return states.to(self.oracle.device).reshape(-1, *self.codec.shape)

    def _checked(self, pixels: Tensor) -> NDArray[np.uint8]:
        """Pictures as Stable Diffusion's own safety checker passes them: black where it objects."""
        unit = (pixels / 2 + 0.5).clamp(0, 1)
        passed, _ = self.pipeline.run_safety_checker(unit, self.oracle.device, self.oracle.denoiser.network_dtype)
        return to_uint8(torch.as_tensor(passed).float() * 2 - 1)

    def condition_names(self) -> list[str]:
        return list(self._classes)

    def condition(self, name: str) -> Condition:
        if self.info.asks == "nothing":
            raise UnknownCondition(f"{self.info.label} makes pictures of one kind; nothing can be asked of it.")
        if self.info.asks == "prompts":
            return checked_prompt(name)
        if name in self._classes:
            return self._classes[name]
        count = self._class_count
        number = name.strip().removeprefix("class").strip()
        if number.isdecimal() and int(number) < count:
            return int(number)
        raise UnknownCondition(
            f"{self.info.label} has no class {name[:60]!r}; ask for one of its names or class 0 to class {count - 1}."
        )

    def joint(self, names: Sequence[str]) -> tuple[Condition, str | None]:
        """Prompts are joined with commas; classes exclude one another."""
        if self.info.asks != "prompts" or len(names) < 2:
            return super().joint(names)
        together = ", ".join(self.condition(name) for name in names)
        try:
            return self.condition(together), None
        except UnknownCondition as error:
            return None, f"Together the prompts are too long: {error}"

    def truncated(self, prompt: str) -> str | None:
        """Whether the model reads less than this prompt, in a sentence, or None."""
        return truncated(self.pipeline, prompt) if self.info.asks == "prompts" else None

    @property
    def embeddings(self) -> Embeddings | None:
        """The prompts' embeddings, for models that take prompts."""
        return getattr(self.oracle.denoiser, "embeddings", None)


def _patch(pipeline: Any) -> int:
    network = getattr(pipeline, "transformer", None)
    return int(network.config.patch_size) if network is not None else 1
