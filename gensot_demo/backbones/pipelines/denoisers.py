"""The networks of diffusers pipelines as denoisers: one class per way of calling a network.

A query comes as x = a y + m eps with a^2 + m^2 = 1. Discrete-time networks live on exactly that scale and are told a
float timestep; flow networks live on x = (1 - s) y + s eps, the same state divided by a + m, with s = m/(a + m).
What discrete-time networks return is read by :mod:`.predictions`; flow networks return v = eps - y, D = x - s v.
"""

from __future__ import annotations

import copy
import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gensot_demo.backbones.network_oracle import Denoiser
from gensot_demo.transport.oracles import Condition

from .embeddings import ClassEmbeddings, Embeddings
from .predictions import predicted_state
from .schedules import NoiseTable

FLOW_SIGMA_MIN = 1e-3 / (1 - 1e-3)  # the lowest level of a flow scheduler's table, s = 1/1000
_LARGE, _MEAN_DRAWS, _MEAN_DRAWS_LARGE = 5e10, 16, 2  # weights times cells: of a 36 M network at 32 x 32 and above
_SLACK = 1 + 1e-9  # the model's own end levels, computed another way, must not count as beyond them


class PipelineDenoiser(Denoiser):
    """What all have in common: a frozen network on states of ``shape`` (channels, height, width).

    States enter and leave in float32; the network runs in its own dtype; gradients with respect to x flow.
    """

    def __init__(self, network: nn.Module, shape: tuple[int, int, int]):
        self.network = network.eval().requires_grad_(False)
        self.shape, self.dimension = shape, math.prod(shape)
        parameter = next(network.parameters())
        self.dtype, self.device, self.network_dtype = torch.float32, parameter.device, parameter.dtype
        weights = sum(p.numel() for p in network.parameters())
        self.mean_draws = _MEAN_DRAWS if weights * math.prod(shape[1:]) < _LARGE else _MEAN_DRAWS_LARGE

    def on(self, network: nn.Module) -> PipelineDenoiser:
        """The same denoiser with another network of the same shape."""
        other = copy.copy(self)
        other.network = network
        return other

    def _column(self, values: Tensor) -> Tensor:
        return values.to(device=self.device, dtype=self.dtype)[:, None]

    def _output(self, x: Tensor, timesteps: Tensor, conditions: Sequence[Condition]) -> Tensor:
        """The network's output as (n, d) for states (n, d) on its own scale."""
        state = x.to(self.network_dtype).reshape(-1, *self.shape)
        told = timesteps.to(device=self.device, dtype=torch.float32)
        return self.call(state, told, conditions).to(self.dtype).reshape(len(x), -1)

    @abstractmethod
    def call(self, state: Tensor, timesteps: Tensor, conditions: Sequence[Condition]) -> Tensor:
        """The network's own prediction (n, *shape) at float32 timesteps (n,); one forward."""


class DiscreteDenoiser(PipelineDenoiser):
    """Discrete time; prediction_type: one of ``predictions.PREDICTION_TYPES``."""

    def __init__(self, network: nn.Module, shape: tuple[int, int, int], table: NoiseTable, prediction_type: str):
        super().__init__(network, shape)
        self.table, self.prediction_type = table, prediction_type
        levels = table.log_levels
        reachable = levels[torch.isfinite(levels)] if prediction_type == "epsilon" else levels
        self.sigma_min = table.sigma_min / _SLACK
        self.sigma_max = math.exp(-0.5 * float(reachable[-1])) * _SLACK

    def predict(self, x: Tensor, a: Tensor, m: Tensor, conditions: Sequence[Condition]) -> Tensor:
        timesteps = self.table.timesteps(2 * (torch.log(a) - torch.log(m)))
        output = self._output(x, timesteps, conditions)
        return predicted_state(self.prediction_type, output, x, self._column(a), self._column(m))


class FlowDenoiser(PipelineDenoiser):
    """Flow matching in s, told to the network as 1000 s; known from pure noise (s = 1) on."""

    sigma_min, sigma_max = FLOW_SIGMA_MIN / _SLACK, math.inf

    def predict(self, x: Tensor, a: Tensor, m: Tensor, conditions: Sequence[Condition]) -> Tensor:
        total = a + m
        s = m / total
        state = x / self._column(total)
        return state - self._column(s) * self._output(state, 1000 * s, conditions)


class UnconditionalUNet(DiscreteDenoiser):
    """UNet2DModel of DDPMPipeline and DDIMPipeline."""

    def call(self, state: Tensor, timesteps: Tensor, conditions: Sequence[Condition]) -> Tensor:
        return self.network(state, timesteps, return_dict=False)[0][:, : self.shape[0]]


class ClassTransformer(DiscreteDenoiser):
    """DiTTransformer2DModel: a condition is a class index; the learnt variances, the second half, are not used."""

    def __init__(self, *arguments: Any, labels: ClassEmbeddings):
        super().__init__(*arguments)
        self.labels = labels

    def call(self, state: Tensor, timesteps: Tensor, conditions: Sequence[Condition]) -> Tensor:
        labels = self.labels.rows(conditions, self.device)
        output = self.network(state, timestep=timesteps, class_labels=labels, return_dict=False)[0]
        return output[:, : self.shape[0]]


class TextUNet(DiscreteDenoiser):
    """UNet2DConditionModel of Stable Diffusion 1, 2 and XL.

    time_ids: (1, 6) of SDXL, else None.  guidance: (1, k) embedding of a distilled guidance scale, else None.
    """

    def __init__(
        self, *arguments: Any, embeddings: Embeddings, time_ids: Tensor | None = None, guidance: Tensor | None = None
    ):
        super().__init__(*arguments)
        self.embeddings, self.time_ids, self.guidance = embeddings, time_ids, guidance

    def call(self, state: Tensor, timesteps: Tensor, conditions: Sequence[Condition]) -> Tensor:
        tokens, pooled = self.embeddings.rows(conditions, self.device, self.network_dtype)
        added = None
        if self.time_ids is not None:
            ids = self.time_ids.to(self.device, self.network_dtype).expand(len(state), -1)
            added = {"text_embeds": pooled, "time_ids": ids}
        told = None
        if self.guidance is not None:
            told = self.guidance.to(self.device, self.network_dtype).expand(len(state), -1)
        return self.network(
            state, timesteps, encoder_hidden_states=tokens, timestep_cond=told, added_cond_kwargs=added,
            return_dict=False,
        )[0]  # fmt: skip


class StableDiffusion3Transformer(FlowDenoiser):
    """SD3Transformer2DModel."""

    def __init__(self, *arguments: Any, embeddings: Embeddings):
        super().__init__(*arguments)
        self.embeddings = embeddings

    def call(self, state: Tensor, timesteps: Tensor, conditions: Sequence[Condition]) -> Tensor:
        tokens, pooled = self.embeddings.rows(conditions, self.device, self.network_dtype)
        return self.network(
            hidden_states=state, timestep=timesteps, encoder_hidden_states=tokens, pooled_projections=pooled,
            return_dict=False,
        )[0]  # fmt: skip


class FluxTransformer(FlowDenoiser):
    """FluxTransformer2DModel: latents are packed in patches of 2 x 2; ``guidance`` is a distilled scale or None."""

    def __init__(self, *arguments: Any, embeddings: Embeddings, guidance: float | None):
        super().__init__(*arguments)
        self.embeddings, self.guidance = embeddings, guidance
        _, height, width = self.shape
        rows, columns = torch.meshgrid(torch.arange(height // 2), torch.arange(width // 2), indexing="ij")
        places = torch.stack([torch.zeros_like(rows), rows, columns], dim=-1).reshape(-1, 3)
        self.places = places.to(self.device, self.network_dtype)

    def call(self, state: Tensor, timesteps: Tensor, conditions: Sequence[Condition]) -> Tensor:
        tokens, pooled = self.embeddings.rows(conditions, self.device, self.network_dtype)
        scale = None
        if self.guidance is not None:
            scale = torch.full((len(state),), self.guidance, device=self.device, dtype=torch.float32)
        output = self.network(
            hidden_states=pack(state), timestep=timesteps.to(self.network_dtype) / 1000, guidance=scale,
            pooled_projections=pooled, encoder_hidden_states=tokens,
            txt_ids=torch.zeros(tokens.shape[1], 3, device=self.device, dtype=self.network_dtype),
            img_ids=self.places, return_dict=False,
        )[0]  # fmt: skip
        return unpack(output, self.shape)


def pack(latents: Tensor) -> Tensor:
    """Latents (n, c, h, w) as tokens (n, h w / 4, 4 c), patches of 2 x 2 in reading order."""
    n, c, h, w = latents.shape
    patches = latents.reshape(n, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5)
    return patches.reshape(n, h * w // 4, 4 * c)


def unpack(tokens: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """The inverse of :func:`pack` for latents of ``shape`` (c, h, w)."""
    c, h, w = shape
    patches = tokens.reshape(-1, h // 2, w // 2, c, 2, 2).permute(0, 3, 1, 4, 2, 5)
    return patches.reshape(-1, c, h, w)
