"""Which models stay in memory: the last used ones, as many as fit beside one another."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from gensot_demo.backbones.network_oracle import release_memory

from .backbone import PipelineBackbone
from .loading import TooLittleMemory, load_backbone


class ResidentModels:
    """Loaded backbones by name; safe to share between threads. One model is loaded at a time, and nobody
    who wants another that is there waits for it.

    load: makes a backbone of a name. When it raises TooLittleMemory, the model that was not used for longest is
    dropped and it is tried again. A run that still holds a dropped model keeps its memory until it ends.
    """

    def __init__(self, load: Callable[[str], PipelineBackbone] = load_backbone):
        self._load = load
        self._models: OrderedDict[str, PipelineBackbone] = OrderedDict()
        self._guard, self._loading = threading.Lock(), threading.Lock()

    def get(self, name: str) -> PipelineBackbone:
        """The backbone of that name, loaded if it is not; raises BackboneUnavailable."""
        found = self._resident(name)
        if found is not None:
            return found
        with self._loading:
            while (found := self._resident(name)) is None:
                try:
                    loaded = self._load(name)
                except TooLittleMemory:
                    with self._guard:
                        oldest = next(iter(self._models), None)
                    if oldest is None:
                        raise
                else:
                    with self._guard:
                        self._models[name] = loaded
                    return loaded
                self.unload(oldest)
            return found

    def _resident(self, name: str) -> PipelineBackbone | None:
        with self._guard:
            if name in self._models:
                self._models.move_to_end(name)
            return self._models.get(name)

    def unload(self, name: str | None = None) -> None:
        """Drop one model, or all, and give back what they held."""
        with self._guard:
            for one in [name] if name is not None else list(self._models):
                self._models.pop(one, None)
        release_memory()

    def megabytes(self) -> dict[str, float]:
        """Memory of each resident model's weights in MB, the longest unused first."""
        with self._guard:
            return {name: backbone.megabytes() for name, backbone in self._models.items()}
