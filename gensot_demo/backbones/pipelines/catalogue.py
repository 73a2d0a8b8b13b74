"""Which pipelines and which models of the Hub may be loaded."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from gensot_demo.backbones.base import Asks, BackboneInfo

SUPPORTED = (
    "DDPMPipeline",
    "DDIMPipeline",
    "DiTPipeline",
    "StableDiffusionPipeline",
    "StableDiffusionXLPipeline",
    "StableDiffusion3Pipeline",
    "FluxPipeline",
)
MODELS_VARIABLE = "GENSOT_BACKBONES"
_NAME = r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?"
HUB_ID = re.compile(rf"(?!.*(\.\.|--)){_NAME}/{_NAME}")
"""owner/model, as the Hub allows them: no dots or dashes at the ends, so it is never a way through folders."""
UNKNOWN_LICENCE = "see the model's card"


@dataclass(frozen=True)
class HubModel:
    """A model of the Hub, as far as it is known without loading it.

    revision: the commit that is loaded, None for the newest.  parameters: of the denoising network.
    gigabytes: of all weights in 16 bits.  gated: whether its licence must be accepted on the Hub first.
    """

    label: str
    licence: str = UNKNOWN_LICENCE
    revision: str | None = None
    asks: Asks = "prompts"
    resolution: int = 512
    parameters: int = 0
    gigabytes: float = 0.0
    gated: bool = False

    def info(self, name: str) -> BackboneInfo:
        """What a person should know before loading it."""
        size = f" About {self.gigabytes:g} GB in 16 bits." if self.gigabytes else ""
        gate = " Its licence must be accepted on the Hub first." if self.gated else ""
        return BackboneInfo(
            name=name, label=self.label, summary=f"A diffusion model of the Hugging Face Hub.{size}{gate}",
            licence=self.licence, source=f"{name} at {(self.revision or 'its newest revision')[:19]}",
            asks=self.asks, resolution=self.resolution, parameters=self.parameters,
        )  # fmt: skip


HUB_MODELS: dict[str, HubModel] = {
    "google/ddpm-cifar10-32": HubModel(
        label="DDPM, CIFAR-10, 32 px",
        licence="apache-2.0",
        revision="267b167dc01f0e4e61923ea244e8b988f84deb80",
        asks="nothing",
        resolution=32,
        parameters=36_000_000,
        gigabytes=0.07,
    ),
    "google/ddpm-celebahq-256": HubModel(
        label="DDPM, CelebA-HQ, 256 px",
        licence="apache-2.0",
        revision="cd5c944777ea2668051904ead6cc120739b86c4d",
        asks="nothing",
        resolution=256,
        parameters=114_000_000,
        gigabytes=0.23,
    ),
    "facebook/DiT-XL-2-256": HubModel(
        label="DiT XL/2, ImageNet, 256 px",
        licence="cc-by-nc-4.0",
        revision="eab87f77abd5aef071a632f08807fbaab0b704d0",
        asks="classes",
        resolution=256,
        parameters=750_000_000,
        gigabytes=1.5,
    ),
    "stable-diffusion-v1-5/stable-diffusion-v1-5": HubModel(
        label="Stable Diffusion 1.5",
        licence="creativeml-openrail-m",
        revision="451f4fe16113bff5a5d2269ed5ad43b0592e9a14",
        parameters=860_000_000,
        gigabytes=2.1,
    ),
    "stabilityai/stable-diffusion-xl-base-1.0": HubModel(
        label="Stable Diffusion XL",
        licence="openrail++",
        revision="462165984030d82259a11f4367a4eed129e94a7b",
        resolution=1024,
        parameters=2_567_000_000,
        gigabytes=6.9,
    ),
    "stabilityai/stable-diffusion-3.5-medium": HubModel(
        label="Stable Diffusion 3.5 medium",
        licence="stabilityai-ai-community",
        revision="b940f670f0eda2d07fbb75229e779da1ad11eb80",
        resolution=1024,
        parameters=2_243_000_000,
        gigabytes=15.8,
        gated=True,
    ),
    "black-forest-labs/FLUX.1-dev": HubModel(
        label="FLUX.1 dev",
        licence="flux-1-dev-non-commercial-license",
        revision="3de623fc3c33e44ffbe2bad470d0f45bccf2eb21",
        resolution=1024,
        parameters=11_900_000_000,
        gigabytes=33.7,
        gated=True,
    ),
}


def allowed_models() -> dict[str, HubModel]:
    """The models above and those of GENSOT_BACKBONES="id,id@revision", which whoever runs the app may add."""
    models = dict(HUB_MODELS)
    for entry in os.environ.get(MODELS_VARIABLE, "").split(","):
        name, _, revision = entry.strip().partition("@")
        if name and name not in models:
            models[name] = HubModel(name.split("/")[-1], revision=revision or None)
    return models


def on_space() -> bool:
    """Whether this runs as a Hugging Face Space, which strangers use."""
    return bool(os.environ.get("SPACE_ID"))
