"""From a pipeline's components to a denoiser, a codec and what can be asked: one function per family."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from gensot_demo.backbones.errors import BackboneUnavailable

from .catalogue import SUPPORTED
from .denoisers import (
    ClassTransformer,
    FluxTransformer,
    PipelineDenoiser,
    StableDiffusion3Transformer,
    TextUNet,
    UnconditionalUNet,
)
from .embeddings import ClassEmbeddings, Embeddings
from .pixels import Codec, LatentCodec, PixelCodec
from .predictions import PREDICTION_TYPES
from .schedules import NoiseTable, is_flow


@dataclass(frozen=True)
class Assembled:
    """The parts of a backbone.

    classes: index of each class by name, in the order to be listed; class_count counts unnamed ones too.
    distilled: whether guidance is built in.
    """

    denoiser: PipelineDenoiser
    codec: Codec
    asks: Literal["nothing", "classes", "prompts"]
    summary: str
    classes: dict[str, int] = field(default_factory=dict)
    class_count: int = 0
    distilled: bool = False


def assemble(pipeline: Any, resolution: int | None = None) -> Assembled:
    """Parts of a loaded pipeline; raises BackboneUnavailable with a sentence."""
    kind = type(pipeline).__name__
    if kind not in SUPPORTED:
        raise BackboneUnavailable(f"{kind} is not supported; there are {', '.join(SUPPORTED)}.")
    flow = kind in ("StableDiffusion3Pipeline", "FluxPipeline")
    if flow != is_flow(pipeline.scheduler):
        raise BackboneUnavailable(f"{kind} with the scheduler {type(pipeline.scheduler).__name__} is not supported.")
    if kind in ("DDPMPipeline", "DDIMPipeline"):
        return _unconditional(pipeline, resolution)
    if kind == "DiTPipeline":
        return _classes(pipeline, resolution)
    return _flux(pipeline, resolution) if kind == "FluxPipeline" else _text(pipeline, resolution)


def _unconditional(pipeline: Any, resolution: int | None) -> Assembled:
    network = pipeline.unet
    config = network.config
    if config.time_embedding_type != "positional" or config.class_embed_type or config.num_class_embeds:
        raise BackboneUnavailable("This network takes more than a picture and a timestep; it is not supported.")
    side = _fixed(config.sample_size, 1, resolution)
    if config.in_channels not in (1, 3):
        raise BackboneUnavailable(f"This network has {config.in_channels} channels; pictures have 1 or 3.")
    codec = PixelCodec(config.in_channels, side, next(network.parameters()).device)
    denoiser = UnconditionalUNet(network, codec.shape, *_discrete(pipeline))
    return Assembled(denoiser, codec, "nothing", "Makes pictures of the kind it was trained on, without being asked.")


def _classes(pipeline: Any, resolution: int | None) -> Assembled:
    network = pipeline.transformer
    codec = _latent_codec(pipeline, network.config.sample_size, resolution, fixed=True)
    count = network.config.num_embeds_ada_norm
    denoiser = ClassTransformer(network, codec.shape, *_discrete(pipeline), labels=ClassEmbeddings(count))
    labels = dict(getattr(pipeline, "labels", None) or {})
    classes = labels or {f"class {index}": index for index in range(count)}
    return Assembled(denoiser, codec, "classes", f"Takes one of {count} classes.", classes, count)


def _text(pipeline: Any, resolution: int | None) -> Assembled:
    kind, embeddings = type(pipeline).__name__, Embeddings(pipeline)
    if kind == "StableDiffusion3Pipeline":
        codec = _latent_codec(pipeline, pipeline.default_sample_size, resolution)
        denoiser = StableDiffusion3Transformer(pipeline.transformer, codec.shape, embeddings=embeddings)
        return Assembled(denoiser, codec, "prompts", "Takes a prompt; a flow model.")
    network = pipeline.unet
    codec = _latent_codec(pipeline, network.config.sample_size, resolution)
    guidance = time_ids = None
    if network.config.time_cond_proj_dim is not None:
        scale = torch.tensor([_default(pipeline, "guidance_scale") - 1])
        guidance = pipeline.get_guidance_scale_embedding(scale, embedding_dim=network.config.time_cond_proj_dim)
    if kind == "StableDiffusionXLPipeline":
        size = (codec.resolution, codec.resolution)
        width = pipeline.text_encoder_2.config.projection_dim
        time_ids = pipeline._get_add_time_ids(size, (0, 0), size, torch.float32, text_encoder_projection_dim=width)
    denoiser = TextUNet(
        network, codec.shape, *_discrete(pipeline), embeddings=embeddings, time_ids=time_ids, guidance=guidance
    )
    return Assembled(denoiser, codec, "prompts", "Takes a prompt.", distilled=guidance is not None)


def _flux(pipeline: Any, resolution: int | None) -> Assembled:
    network = pipeline.transformer
    codec = _latent_codec(pipeline, pipeline.default_sample_size, resolution)
    guidance = float(_default(pipeline, "guidance_scale")) if network.config.guidance_embeds else None
    denoiser = FluxTransformer(network, codec.shape, embeddings=Embeddings(pipeline), guidance=guidance)
    return Assembled(denoiser, codec, "prompts", "Takes a prompt; a flow model.", distilled=guidance is not None)


def _discrete(pipeline: Any) -> tuple[NoiseTable, str]:
    scheduler = pipeline.scheduler
    prediction = scheduler.config.get("prediction_type", "epsilon")
    if prediction not in PREDICTION_TYPES or getattr(scheduler, "alphas_cumprod", None) is None:
        raise BackboneUnavailable(
            f"The scheduler {type(scheduler).__name__} with prediction type {prediction!r} is not supported."
        )
    return NoiseTable.of_scheduler(scheduler), prediction


def _latent_codec(pipeline: Any, sample_size: Any, resolution: int | None, *, fixed: bool = False) -> LatentCodec:
    autoencoder, factor = pipeline.vae, 2 ** (len(pipeline.vae.config.block_out_channels) - 1)
    network = getattr(pipeline, "unet", None) or pipeline.transformer
    channels = autoencoder.config.latent_channels
    expected = network.config.in_channels // (4 if type(pipeline).__name__ == "FluxPipeline" else 1)
    if expected != channels:
        raise BackboneUnavailable(f"The network takes {expected} channels, but a latent picture has {channels}.")
    if autoencoder.dtype == torch.float16 and autoencoder.config.get("force_upcast"):
        autoencoder.to(torch.float32)  # it overflows in float16
    side = _fixed(sample_size, factor, resolution) if fixed else _free(sample_size, factor, resolution)
    return LatentCodec(autoencoder, (channels, side // factor, side // factor), side)


def _fixed(sample_size: Any, factor: int, resolution: int | None) -> int:
    if not isinstance(sample_size, int):
        if len(set(sample_size)) > 1:
            raise BackboneUnavailable(f"This model makes pictures of {sample_size}; only square ones are supported.")
        sample_size = sample_size[0]
    own = sample_size * factor
    if resolution not in (None, own):
        raise BackboneUnavailable(f"resolution is {resolution}; this model only makes pictures of {own} pixels.")
    return own


def _free(sample_size: Any, factor: int, resolution: int | None) -> int:
    if resolution is None:
        return _fixed(sample_size, factor, None)
    unit = 2 * factor
    if resolution < unit or resolution % unit:
        raise BackboneUnavailable(f"resolution is {resolution}; it must be a multiple of {unit} pixels.")
    return resolution


def _default(pipeline: Any, name: str) -> float:
    """What the pipeline takes for an argument when nobody says otherwise."""
    return inspect.signature(type(pipeline).__call__).parameters[name].default
