"""What a pipeline's folder holds, before anything is loaded: components, weight files, their sizes and their faults.

Only safetensors files are read, whose header lists every tensor: a broken file is found here and not in the middle of
loading, and so is a model that memory cannot hold. Pickled weights can run code and are refused.
"""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path
from typing import Any

import torch

from gensot_demo.backbones.errors import BackboneUnavailable

from .catalogue import SUPPORTED

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_LIBRARIES = {"diffusers", "transformers", "stable_diffusion"}  # the last holds Stable Diffusion's safety checker
_WITHOUT_WEIGHTS = ("scheduler", "tokenizer", "feature_extractor")
_CLASS = re.compile(r"[A-Z][A-Za-z0-9]*")
_VARIANTS = ("fp16", "bf16", "fp8", "ema", "non_ema")
_LARGEST_HEADER = 100_000_000


class TooLittleMemory(BackboneUnavailable):
    """A model that does not fit beside what is loaded now."""


def read_index(folder: Path) -> dict[str, Any]:
    """model_index.json of a pipeline's folder, checked: a supported class, made of known libraries' parts only."""
    path = folder / "model_index.json"
    if not path.is_file():
        raise BackboneUnavailable(
            f"{str(folder)!r} is not a diffusers pipeline's folder: it has no model_index.json. "
            "Use a folder that save_pretrained has written."
        )
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        kind = index["_class_name"]
    except (ValueError, KeyError, TypeError):
        raise BackboneUnavailable(f"{str(path)!r} is not readable as the index of a diffusers pipeline.") from None
    if kind not in SUPPORTED:
        raise BackboneUnavailable(f"{kind} is not supported; supported are {', '.join(SUPPORTED)}.")
    for name, (library, made_by) in components(index).items():
        if not name.isidentifier() or not isinstance(made_by, str) or not _CLASS.fullmatch(made_by):
            raise BackboneUnavailable(
                f"The component {name[:40]!r} is made by {str(made_by)[:40]!r}; both must be plain names."
            )
        if not isinstance(library, str) or library not in _LIBRARIES:
            raise BackboneUnavailable(
                f"The component {name!r} comes from {str(library)[:40]!r}; "
                "only diffusers' and transformers' own code is run."
            )
    return index


def components(index: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """(library, class) of each component that is present."""
    return {
        name: tuple(value)
        for name, value in index.items()
        if isinstance(value, list) and len(value) == 2 and value[0] is not None
    }


def weight_files(folder: Path, index: dict[str, Any], skip: tuple[str, ...] = ()) -> list[Path]:
    """The safetensors files of all components; raises BackboneUnavailable for a missing or pickled one."""
    files = []
    for name in components(index):
        if name in skip:
            continue
        place = folder / name if (folder / name).is_dir() else folder  # old one-network folders have no subfolder
        if name.startswith(_WITHOUT_WEIGHTS):
            if place == folder and not (folder / f"{name}_config.json").is_file():
                raise BackboneUnavailable(f"The component {name!r} is missing from {str(folder)!r}.")
            continue
        if place == folder and not (folder / "config.json").is_file():
            raise BackboneUnavailable(f"The component {name!r} is missing from {str(folder)!r}.")
        found = [path for path in sorted(place.glob("*.safetensors")) if not _is_variant(path)]
        if not found and any(any(place.glob(pattern)) for pattern in _PICKLES):
            raise BackboneUnavailable(
                f"The weights of {name!r} are pickled, which can run code; only safetensors files are loaded. "
                "Save the model again with safe_serialization=True."
            )
        if not found:
            raise BackboneUnavailable(f"The component {name!r} in {str(folder)!r} has no safetensors file.")
        files += found
    return files


def _is_variant(path: Path) -> bool:
    return any(part.split("-")[0] in _VARIANTS for part in path.name.split(".")[1:-1])


def tensor_values(path: Path) -> int:
    """How many numbers a safetensors file holds; raises BackboneUnavailable if it is broken or cut short."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length <= min(_LARGEST_HEADER, size):
                raise ValueError
            header = json.loads(file.read(length))
        tensors = [entry for name, entry in header.items() if name != "__metadata__"]
        if 8 + length + max((entry["data_offsets"][1] for entry in tensors), default=0) != size:
            raise ValueError
        return sum(math.prod(entry["shape"]) for entry in tensors)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BackboneUnavailable(
            f"The weights file {path.parent.name + '/' + path.name!r} is broken or incomplete; fetch it again."
        ) from None


def free_memory(device: torch.device) -> int | None:
    """Bytes that a new model may take on the device, or None where that is unknown."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    found = [value for value in (_system_memory(), _container_memory()) if value is not None]
    return min(found) if found else None


def _system_memory() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None


def _container_memory() -> int | None:
    """What a container's own limit (cgroup 2) leaves."""
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        used = int((group / "memory.current").read_text(encoding="ascii"))
        stat = (group / "memory.stat").read_text(encoding="ascii").split()
        return limit - used + int(stat[stat.index("inactive_file") + 1])
    except (OSError, ValueError):
        return None


def weights_size(pipeline: Any) -> int:
    """Bytes of all parameters and buffers of a pipeline's networks."""
    networks = [part for part in pipeline.components.values() if hasattr(part, "parameters")]
    tensors = {id(t): t for network in networks for t in (*network.parameters(), *network.buffers())}
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
