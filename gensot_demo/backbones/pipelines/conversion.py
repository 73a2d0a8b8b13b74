"""Safetensors for listed models that were published before there were any: converted once, kept beside the Hub's cache.

Only the catalogue's own entries come here, at their pinned commits, and their pickles are read with
``weights_only=True``, which builds tensors and runs no code.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import torch

from gensot_demo.backbones.errors import BackboneUnavailable

_NAMES = {
    "diffusion_pytorch_model.bin": "diffusion_pytorch_model.safetensors",
    "pytorch_model.bin": "model.safetensors",
}


def converted(source: Path, target: Path) -> Path:
    """``target``, a copy of the pipeline's folder ``source`` with safetensors for pickles; made if it is not there.

    Raises BackboneUnavailable for a pickle that holds more than tensors.
    """
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        draft = Path(scratch) / "model"
        for path in sorted(source.rglob("*")):
            place = draft / path.relative_to(source)
            if path.is_dir():
                place.mkdir(parents=True, exist_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            if path.name in _NAMES:
                _convert(path, place.with_name(_NAMES[path.name]))
            elif path.suffix in (".json", ".txt", ".md", ".model"):
                shutil.copyfile(path, place)
        draft.rename(target)
    return target


def _convert(pickle: Path, place: Path) -> None:
    from safetensors.torch import save_file

    try:
        state = torch.load(pickle, map_location="cpu", weights_only=True)
        tensors = {name: value.clone().contiguous() for name, value in state.items()}  # shared tensors become two
    except Exception as error:
        raise BackboneUnavailable(f"The weights file {pickle.name!r} holds more than tensors, or is broken.") from error
    save_file(tensors, place, metadata={"format": "pt"})
