"""Which backbones there are: the embedded ones, and pipelines from a folder or a hub, loaded when asked for."""

from __future__ import annotations

from .base import Backbone, BackboneInfo
from .embedded import NETWORK_INFO, TRUTH_INFO, load_network_backbone, load_truth_backbone
from .errors import BackboneUnavailable
from .pictures import INFO as COLLECTION_INFO
from .pictures import load_picture_backbone

EMBEDDED: dict[str, BackboneInfo] = {info.name: info for info in (NETWORK_INFO, COLLECTION_INFO, TRUTH_INFO)}


class Catalogue:
    """Backbones by name. Thread-safe."""

    takes_any_id = False

    def infos(self) -> dict[str, BackboneInfo]:
        """What can be chosen, in the order of a list to choose from; nothing is loaded."""
        return dict(EMBEDDED)

    def info(self, name: str) -> BackboneInfo:
        """What is known of one backbone without loading it; raises BackboneUnavailable for an unknown name."""
        if name not in EMBEDDED:
            raise BackboneUnavailable(f"Model {name[:60]!r} is unknown; there are {', '.join(self.infos())}.")
        return EMBEDDED[name]

    def load(self, name: str, resolution: int = 64) -> Backbone:
        """The backbone of that name, loaded once; ``resolution`` matters to the collection only.

        Raises BackboneUnavailable with a sentence for a model that cannot be had.
        """
        self.info(name)
        if name == NETWORK_INFO.name:
            return load_network_backbone()
        if name == TRUTH_INFO.name:
            return load_truth_backbone()
        return load_picture_backbone(resolution)


CATALOGUE = Catalogue()
