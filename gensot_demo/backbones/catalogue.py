"""Which backbones there are: the embedded ones, and pipelines from a folder, a notebook or the Hub, loaded when asked
for. Of the large ones the last used stay in memory, as many as fit."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

from .base import Backbone, BackboneInfo
from .embedded import NETWORK_INFO, TRUTH_INFO, load_network_backbone, load_truth_backbone
from .errors import BackboneUnavailable
from .pictures import INFO as COLLECTION_INFO
from .pictures import load_picture_backbone
from .pipelines.catalogue import HUB_ID, HubModel, allowed_models, on_space

EMBEDDED: dict[str, BackboneInfo] = {info.name: info for info in (NETWORK_INFO, COLLECTION_INFO, TRUTH_INFO)}


class Catalogue:
    """Backbones by name. Thread-safe."""

    def __init__(self) -> None:
        self._guard, self._embedding = threading.Lock(), threading.Lock()
        self._folders: dict[str, Path] = {}
        self._known: dict[str, BackboneInfo] = {}  # of what is not embedded, once it is known
        self._given: dict[str, Backbone] = {}  # pipelines that somebody else loaded
        self._residents: Any = None

    @property
    def takes_any_id(self) -> bool:
        """Whether any model of the Hub may be asked for, or the listed ones only."""
        return not on_space()

    def infos(self) -> dict[str, BackboneInfo]:
        """What can be chosen, in the order of a list to choose from; nothing is loaded."""
        with self._guard:
            own = {name: self._known[name] for name in (*self._folders, *self._given)}
        hub = {name: self._known.get(name) or model.info(name) for name, model in allowed_models().items()}
        return EMBEDDED | own | hub

    def info(self, name: str) -> BackboneInfo:
        """What is known of one backbone without loading it; raises BackboneUnavailable for one that there cannot be."""
        listed = self.infos()
        if name in listed:
            return listed[name]
        if self.takes_any_id and HUB_ID.fullmatch(name):
            return self._known.get(name) or HubModel(name.split("/")[-1]).info(name)
        kind = "is unknown; there are" if self.takes_any_id else "is not among this Space's models:"
        raise BackboneUnavailable(f"Model {name[:60]!r} {kind} {', '.join(listed)}.")

    def load(self, name: str, resolution: int = 64) -> Backbone:
        """The backbone of that name, loaded once; ``resolution`` matters to the collection only.

        Raises BackboneUnavailable with a sentence for a model that cannot be had.
        """
        if name in EMBEDDED:
            with self._embedding:  # else two visitors of a cold app would each load it
                return _embedded(name, resolution)
        self.info(name)
        if name in self._given:
            return self._given[name]
        backbone = self._resident_models().get(name)
        self._known[name] = backbone.info
        return backbone

    def add_folder(self, folder: Path | str) -> str:
        """Load the pipeline in a folder and list it; returns its name. Raises BackboneUnavailable with a sentence."""
        folder = Path(folder).expanduser().resolve()
        name = self._free_name(re.sub(r"[^\w.-]+", "-", folder.name) or "pipeline", folder)
        with self._guard:
            self._folders[name] = folder
            self._known[name] = HubModel(name).info(name)
        try:
            self.load(name)
        except BackboneUnavailable:
            with self._guard:
                del self._folders[name], self._known[name]
            raise
        return name

    def add_pipeline(self, name: str, pipeline: Any) -> str:
        """List a pipeline that is loaded already, in place of an earlier one of that name; returns the name."""
        from .pipelines.backbone import PipelineBackbone

        backbone = PipelineBackbone(pipeline, name=name)
        with self._guard:
            self._given[name], self._known[name] = backbone, backbone.info
        return name

    def unload(self) -> None:
        """Let go of every model that can be loaded again."""
        if self._residents is not None:
            self._residents.unload()

    def _free_name(self, wanted: str, folder: Path) -> str:
        taken = {name for name in self.infos() if self._folders.get(name) != folder}
        names = [wanted, *(f"{wanted}-{n}" for n in range(2, len(taken) + 3))]
        return next(name for name in names if name not in taken)

    def _resident_models(self) -> Any:
        from .pipelines.loading import load_backbone
        from .pipelines.residence import ResidentModels

        def load(name: str) -> Backbone:
            folder = self._folders.get(name)
            return load_backbone(name, from_hub=True) if folder is None else load_backbone(str(folder), name=name)

        with self._guard:
            if self._residents is None:
                self._residents = ResidentModels(load)
            return self._residents


def _embedded(name: str, resolution: int) -> Backbone:
    if name == NETWORK_INFO.name:
        return load_network_backbone()
    return load_truth_backbone() if name == TRUTH_INFO.name else load_picture_backbone(resolution)


CATALOGUE = Catalogue()
