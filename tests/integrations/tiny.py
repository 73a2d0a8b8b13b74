"""Small randomly initialised pipelines of real diffusers classes, and networks that know a Gaussian law."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DiTPipeline,
    DiTTransformer2DModel,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
    UNet2DModel,
)
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

STEPS = 4
SD_SCHEDULE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def unet() -> UNet2DModel:
    torch.manual_seed(0)
    return UNet2DModel(
        sample_size=8, in_channels=3, out_channels=3, layers_per_block=1, block_out_channels=(8, 8), norm_num_groups=4,
        down_block_types=("DownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "UpBlock2D"),
    ).eval()  # fmt: skip


def _autoencoder() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 8), norm_num_groups=4, latent_channels=4, sample_size=16,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
    ).eval()  # fmt: skip


def _tokenizer(folder: Path) -> CLIPTokenizer:
    words = ["<|startoftext|>", "<|endoftext|>", *"abcdefghij", *(f"{c}</w>" for c in "abcdefghij")]
    (folder / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=8)


def _text_config() -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=32, hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=8, projection_dim=8, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip


def _conditional_unet(**more) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8, layers_per_block=1, block_out_channels=(8, 8), norm_num_groups=4, attention_head_dim=2,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        **more,
    ).eval()  # fmt: skip


def stable_diffusion(folder: Path) -> StableDiffusionPipeline:
    torch.manual_seed(0)
    return StableDiffusionPipeline(
        vae=_autoencoder(), text_encoder=CLIPTextModel(_text_config()).eval(), tokenizer=_tokenizer(folder),
        unet=_conditional_unet(cross_attention_dim=8), scheduler=DDIMScheduler(
            **SD_SCHEDULE, clip_sample=False, set_alpha_to_one=False, steps_offset=1),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip


def stable_diffusion_xl(folder: Path) -> StableDiffusionXLPipeline:
    torch.manual_seed(0)
    tokenizer = _tokenizer(folder)
    return StableDiffusionXLPipeline(
        vae=_autoencoder(), text_encoder=CLIPTextModel(_text_config()).eval(), tokenizer=tokenizer,
        text_encoder_2=CLIPTextModelWithProjection(_text_config()).eval(), tokenizer_2=tokenizer,
        unet=_conditional_unet(
            cross_attention_dim=16, addition_embed_type="text_time", addition_time_embed_dim=4,
            projection_class_embeddings_input_dim=8 + 6 * 4),
        scheduler=EulerDiscreteScheduler(**SD_SCHEDULE),
    )  # fmt: skip


def dit() -> DiTPipeline:
    torch.manual_seed(0)
    transformer = DiTTransformer2DModel(
        num_attention_heads=2, attention_head_dim=4, in_channels=4, out_channels=8, num_layers=1, sample_size=8,
        patch_size=4, num_embeds_ada_norm=1000,
    ).eval()  # fmt: skip
    for parameter in transformer.parameters():  # its modulations start at 0: it would know no class
        torch.nn.init.normal_(parameter, std=0.1)
    return DiTPipeline(transformer, _autoencoder(), DDIMScheduler(clip_sample=False))


class GaussianNetwork(torch.nn.Module):
    """The exact network of y ~ N(mean, variance) at each coordinate, for a table of noise levels.

    Level and state go through the real-valued timestep alone, as for a trained network.
    """

    def __init__(self, log_sigma, mean: float, variance: float, kind: str = "epsilon", size: int = 8):
        super().__init__()
        self.config = SimpleNamespace(in_channels=1, sample_size=size)
        self.dtype, self.device = torch.float32, torch.device("cpu")
        self.log_sigma, self.mean, self.variance, self.kind = torch.as_tensor(log_sigma), mean, variance, kind
        self.inputs: list[tuple[float, Tensor]] = []

    def forward(self, sample: Tensor, timestep: Tensor, **_) -> SimpleNamespace:
        low = int(timestep)
        high = min(low + 1, len(self.log_sigma) - 1)
        log_sigma = torch.lerp(self.log_sigma[low], self.log_sigma[high], float(timestep) - low)
        sigma = float(log_sigma.exp())
        self.inputs.append((sigma, sample))
        size = (1 + sigma**2) ** 0.5
        z = sample * size
        y = (self.variance * z + sigma**2 * self.mean) / (self.variance + sigma**2)
        noise = (z - y) / sigma
        return SimpleNamespace(
            sample={"epsilon": noise, "sample": y, "v_prediction": (noise - sigma * y) / size}[self.kind]
        )
