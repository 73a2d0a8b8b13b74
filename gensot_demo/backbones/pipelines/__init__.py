"""Any supported diffusers pipeline as a backbone: loading, network, autoencoder, prompts, and the pipeline's own grid.

Importing this room does not import diffusers or transformers (5 s): they come with the first model that is loaded.
It imports from transport and from the rest of backbones.
"""

from gensot_demo.backbones.errors import BackboneUnavailable

from .backbone import PipelineBackbone
from .catalogue import HUB_MODELS, SUPPORTED, HubModel, allowed_models
from .loading import LoadedPipeline, TooLittleMemory, load_backbone, load_pipeline
from .residence import ResidentModels

__all__ = [
    "HUB_MODELS",
    "SUPPORTED",
    "BackboneUnavailable",
    "HubModel",
    "LoadedPipeline",
    "PipelineBackbone",
    "ResidentModels",
    "TooLittleMemory",
    "allowed_models",
    "load_backbone",
    "load_pipeline",
]
