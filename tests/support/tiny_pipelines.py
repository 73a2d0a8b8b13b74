"""Randomly initialised pipelines of every supported class, a few thousand parameters each, saved as real ones are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

SIDE = 8  # latent cells, or pixels of the pixel models
WORDS = ["a", "an", "the", "red", "blue", "green", "cat", "dog", "house", "on", "in", "of", "small", "large"]


def _discrete(prediction: str = "epsilon", **options: Any) -> Any:
    from diffusers import DDIMScheduler

    settings = {
        "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
        "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1, "prediction_type": prediction,
    }  # fmt: skip
    return DDIMScheduler(**settings | options)


def _autoencoder(channels: int = 4, **options: Any) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=channels,
        norm_num_groups=4,
        sample_size=2 * SIDE,
        scaling_factor=0.5,
        **options,
    )


def _clip_tokenizer(folder: Path) -> Any:
    from transformers import CLIPTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    letters = [chr(code) for code in range(33, 127)]
    vocabulary = [*letters, *(letter + "</w>" for letter in letters)]
    merges = []
    for word in WORDS:
        parts = [*word[:-1], word[-1] + "</w>"]
        while len(parts) > 1:
            pair, parts = parts[:2], ["".join(parts[:2]), *parts[2:]]
            if " ".join(pair) not in merges:
                merges.append(" ".join(pair))
                vocabulary.append("".join(pair))
    vocabulary = list(dict.fromkeys([*vocabulary, "<|startoftext|>", "<|endoftext|>"]))
    (folder / "vocab.json").write_text(json.dumps({token: n for n, token in enumerate(vocabulary)}))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    return CLIPTokenizer.from_pretrained(folder, model_max_length=16)


def _t5_tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {token: n for n, token in enumerate(["<pad>", "</s>", "<unk>", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=512
    )


def _clip_model(tokenizer: Any, projection: bool) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    end = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    config = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=16, projection_dim=16, bos_token_id=end - 1, eos_token_id=end, pad_token_id=end,
    )  # fmt: skip
    return (CLIPTextModelWithProjection if projection else CLIPTextModel)(config)


def _t5_model() -> Any:
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(
        T5Config(
            vocab_size=len(WORDS) + 3, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, is_encoder_decoder=False
        )
    )


def _text_unet(**options: Any) -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=SIDE, in_channels=4, out_channels=4, block_out_channels=(8, 16), layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=2, norm_num_groups=4, **({"cross_attention_dim": 16} | options),
    )  # fmt: skip


def _pixel_unet(channels: int = 3) -> Any:
    from diffusers import UNet2DModel

    return UNet2DModel(
        sample_size=SIDE, in_channels=channels, out_channels=channels, block_out_channels=(8, 16), layers_per_block=1,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=4, attention_head_dim=4,
    )  # fmt: skip


def _ddpm(scratch: Path) -> Any:
    from diffusers import DDPMPipeline, DDPMScheduler

    return DDPMPipeline(_pixel_unet(), DDPMScheduler(clip_sample=False))


def _ddim(prediction: str, **options: Any) -> Callable[[Path], Any]:
    def build(scratch: Path) -> Any:
        from diffusers import DDIMPipeline

        return DDIMPipeline(_pixel_unet(), _discrete(prediction, **options))

    return build


def _dit(scratch: Path) -> Any:
    from diffusers import DiTPipeline, DiTTransformer2DModel

    network = DiTTransformer2DModel(
        num_attention_heads=2, attention_head_dim=8, in_channels=4, out_channels=8, num_layers=2, norm_num_groups=4,
        sample_size=SIDE, patch_size=2, num_embeds_ada_norm=1000,
    )  # fmt: skip
    names = {0: "tench, Tinca tinca", 7: "cock"}
    return DiTPipeline(network, _autoencoder(), _discrete(steps_offset=0, set_alpha_to_one=True), id2label=names)


def _stable_diffusion(prediction: str, **options: Any) -> Callable[[Path], Any]:
    def build(scratch: Path) -> Any:
        from diffusers import StableDiffusionPipeline

        tokenizer = _clip_tokenizer(scratch)
        return StableDiffusionPipeline(
            _autoencoder(), _clip_model(tokenizer, False), tokenizer, _text_unet(**options), _discrete(prediction),
            safety_checker=None, feature_extractor=None, requires_safety_checker=False,
        )  # fmt: skip

    return build


def _stable_diffusion_xl(scratch: Path) -> Any:
    from diffusers import StableDiffusionXLPipeline

    tokenizer = _clip_tokenizer(scratch)
    network = _text_unet(
        cross_attention_dim=32, addition_embed_type="text_time", addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=16 + 6 * 8,
    )  # fmt: skip
    return StableDiffusionXLPipeline(
        _autoencoder(), _clip_model(tokenizer, False), _clip_model(tokenizer, True), tokenizer,
        _clip_tokenizer(scratch), network, _discrete(), add_watermarker=False,
    )  # fmt: skip


def _stable_diffusion_3(scratch: Path) -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel, StableDiffusion3Pipeline

    tokenizer = _clip_tokenizer(scratch)
    network = SD3Transformer2DModel(
        sample_size=SIDE, patch_size=2, in_channels=4, out_channels=4, num_layers=2, attention_head_dim=8,
        num_attention_heads=2, joint_attention_dim=32, caption_projection_dim=16, pooled_projection_dim=32,
        pos_embed_max_size=SIDE,
    )  # fmt: skip
    return StableDiffusion3Pipeline(
        transformer=network, scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=_autoencoder(shift_factor=0.1, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=_clip_model(tokenizer, True), tokenizer=tokenizer,
        text_encoder_2=_clip_model(tokenizer, True), tokenizer_2=_clip_tokenizer(scratch),
        text_encoder_3=None, tokenizer_3=None,
    )  # fmt: skip


def _flux(guidance: bool) -> Callable[[Path], Any]:
    def build(scratch: Path) -> Any:
        from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel

        tokenizer = _clip_tokenizer(scratch)
        network = FluxTransformer2DModel(
            in_channels=16, num_layers=1, num_single_layers=1, attention_head_dim=16, num_attention_heads=2,
            joint_attention_dim=16, pooled_projection_dim=16, guidance_embeds=guidance, axes_dims_rope=(4, 4, 8),
        )  # fmt: skip
        return FluxPipeline(
            scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0, use_dynamic_shifting=True),
            vae=_autoencoder(shift_factor=0.1, use_quant_conv=False, use_post_quant_conv=False),
            text_encoder=_clip_model(tokenizer, False), tokenizer=tokenizer,
            text_encoder_2=_t5_model(), tokenizer_2=_t5_tokenizer(), transformer=network,
        )  # fmt: skip

    return build


BUILDERS: dict[str, Callable[[Path], Any]] = {
    "ddpm": _ddpm,
    "ddim": _ddim("epsilon"),
    "ddim-v": _ddim("v_prediction"),
    "ddim-v-zero": _ddim("v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing"),
    "ddim-sample": _ddim("sample", set_alpha_to_one=True),
    "dit": _dit,
    "sd": _stable_diffusion("epsilon"),
    "sd-v": _stable_diffusion("v_prediction"),
    "sd-distilled": _stable_diffusion("epsilon", time_cond_proj_dim=8),
    "sdxl": _stable_diffusion_xl,
    "sd3": _stable_diffusion_3,
    "flux": _flux(False),
    "flux-distilled": _flux(True),
}


def save(kind: str, folder: Path, *, safe: bool = True) -> Path:
    """A tiny pipeline of this kind under ``folder``; the same weights whenever it is built.

    Where a fresh network's last layer or modulation is zero by design, or too weak to show a condition, it is
    strengthened: a test that cannot see the condition tests nothing.
    """
    torch.manual_seed(1)
    pipeline = BUILDERS[kind](folder.parent / f"{folder.name}-tokenizer")
    network = getattr(pipeline, "unet", None) or pipeline.transformer
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.dim() > 1 and "pos_embed" not in name:
                parameter.normal_(0.0, 1.4 / parameter[0].numel() ** 0.5)
    pipeline.save_pretrained(folder, safe_serialization=safe)
    return folder
