"""Pipelines with random weights, built from configurations: what a step costs does not depend on what they learnt.

Nothing is downloaded. Text encoders have their real widths and one layer, autoencoders their real reduction: both are
used once in a run or not at all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

PROMPT = "a cat"

SMALL_PIXELS = {
    "sample_size": 32, "in_channels": 3, "out_channels": 3, "block_out_channels": (64, 128, 128),
    "layers_per_block": 2, "down_block_types": ("DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "AttnUpBlock2D", "UpBlock2D"), "attention_head_dim": 32,
}  # fmt: skip
SMALL_TEXT = {
    "sample_size": 32, "block_out_channels": (64, 128), "layers_per_block": 1,
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"), "attention_head_dim": 4, "cross_attention_dim": 128,
}  # fmt: skip
# the published unet/config.json of Stable Diffusion 1.5 and of Stable Diffusion XL base 1.0
STABLE_DIFFUSION_15 = {
    "sample_size": 64, "block_out_channels": (320, 640, 1280, 1280), "layers_per_block": 2,
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3, "attention_head_dim": 8, "cross_attention_dim": 768,
}  # fmt: skip
STABLE_DIFFUSION_XL = {
    "sample_size": 128, "block_out_channels": (320, 640, 1280), "layers_per_block": 2,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10), "attention_head_dim": (5, 10, 20), "cross_attention_dim": 2048,
    "addition_embed_type": "text_time", "addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 2816,
    "use_linear_projection": True,
}  # fmt: skip


def pixel_pipeline() -> Any:
    """A DDIMPipeline of pictures of 32 x 32 pixels, 6 million weights; there is nothing to ask of it."""
    from diffusers import DDIMPipeline, UNet2DModel

    torch.manual_seed(0)
    return DDIMPipeline(UNet2DModel(**SMALL_PIXELS), _scheduler(clip_sample=False))


def text_pipeline(network: dict[str, Any], device: torch.device, dtype: torch.dtype, scratch: Path) -> Any:
    """A StableDiffusionPipeline around a UNet2DConditionModel of this configuration, or a StableDiffusionXLPipeline
    where it takes the picture's size; ``scratch`` takes the tokenizer's files."""
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel

    torch.manual_seed(0)
    with torch.device(device):  # a billion weights are drawn where they stay
        unet = UNet2DConditionModel(**network).to(dtype)
    tokenizer, width = _tokenizer(scratch), network["cross_attention_dim"]
    if "addition_embed_type" not in network:
        pipeline = StableDiffusionPipeline(
            _autoencoder(), _text_encoder(tokenizer, width, projected=False), tokenizer, unet, _scheduler(),
            safety_checker=None, feature_extractor=None, requires_safety_checker=False,
        )  # fmt: skip
    else:
        pooled = network["projection_class_embeddings_input_dim"] - 6 * network["addition_time_embed_dim"]
        pipeline = StableDiffusionXLPipeline(
            _autoencoder(), _text_encoder(tokenizer, width - pooled), _text_encoder(tokenizer, pooled), tokenizer,
            tokenizer, unet, _scheduler(), add_watermarker=False,
        )  # fmt: skip
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device, dtype)


def _scheduler(**options: Any) -> Any:
    from diffusers import DDIMScheduler

    settings = {
        "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "clip_sample": False,
        "set_alpha_to_one": False, "steps_offset": 1,
    }  # fmt: skip
    return DDIMScheduler(**settings | options)


def _autoencoder() -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(8,) * 4, down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, latent_channels=4, norm_num_groups=4,
    )  # fmt: skip


def _tokenizer(folder: Path) -> Any:
    """Spells words letter by letter, and reads 77 tokens as CLIP does."""
    from transformers import CLIPTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    letters = [chr(code) for code in range(33, 127)]
    vocabulary = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({token: n for n, token in enumerate(vocabulary)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer.from_pretrained(folder, model_max_length=77)


def _text_encoder(tokenizer: Any, width: int, *, projected: bool = True) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    end = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    config = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=width, num_hidden_layers=1,
        num_attention_heads=max(width // 64, 1), max_position_embeddings=77, projection_dim=width,
        bos_token_id=end - 1, eos_token_id=end, pad_token_id=end,
    )  # fmt: skip
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)
