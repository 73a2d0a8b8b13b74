"""Which backbones there are: the embedded ones, and pipelines from a folder or a hub, loaded when asked for."""

from __future__ import annotations

from .base import Backbone, BackboneInfo
from .embedded import NETWORK_INFO, TRUTH_INFO, load_network_backbone, load_truth_backbone
from .pictures import INFO as COLLECTION_INFO
from .pictures import load_picture_backbone

EMBEDDED: dict[str, BackboneInfo] = {info.name: info for info in (NETWORK_INFO, COLLECTION_INFO, TRUTH_INFO)}


def load_backbone(name: str, resolution: int = 64) -> Backbone:
    """The backbone of that name, loaded once; ``resolution`` matters to the collection only.

    Raises BackboneUnavailable with a sentence for a model that cannot be had.
    """
    if name == NETWORK_INFO.name:
        return load_network_backbone()
    if name == TRUTH_INFO.name:
        return load_truth_backbone()
    if name == COLLECTION_INFO.name:
        return load_picture_backbone(resolution)
    from .errors import BackboneUnavailable

    raise BackboneUnavailable(f"Backbone {name[:60]!r} is unknown; there are {', '.join(EMBEDDED)}.")
