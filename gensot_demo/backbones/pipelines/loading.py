"""Loading a diffusers pipeline from a folder or from the Hub: what is allowed, what fits, and sentences for what fails.

Weights come from safetensors files only, code from diffusers and transformers only, and a listed model at a pinned
commit. A public Space loads listed models only, and no folders.
"""

from __future__ import annotations

import importlib.util
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch

from gensot_demo.backbones.errors import BackboneUnavailable
from gensot_demo.backbones.heavy_imports import diffusers
from gensot_demo.backbones.network_oracle import compute_device, release_memory

from .backbone import PipelineBackbone
from .catalogue import HUB_ID, MODELS_VARIABLE, HubModel, allowed_models, on_space
from .weights import TooLittleMemory, free_memory, read_index, tensor_values, weight_files

__all__ = ["BackboneUnavailable", "LoadedPipeline", "TooLittleMemory", "load_backbone", "load_pipeline"]

_WORKING_ROOM = 1.25  # weights, and a quarter of them for what a forward holds
_COPIES_WHILE_LOADING = 2.0
_PATIENCE = 3.0  # seconds
_SAFETY = ("safety_checker", "feature_extractor")


@dataclass(frozen=True, eq=False)
class LoadedPipeline:
    """A pipeline on its device.

    name: the folder or the Hub's id, as it was asked for.  label: for pages.  folder: where its files are.
    revision: the Hub's commit or None.  licence: as its card or the catalogue has it, or None.
    note: what a person should know about how it runs, or None.
    """

    pipeline: Any
    name: str
    label: str
    folder: Path
    device: torch.device
    revision: str | None = None
    licence: str | None = None
    note: str | None = None


def load_backbone(
    source: str, *, name: str | None = None, resolution: int | None = None, **options: Any
) -> PipelineBackbone:
    """A folder or a Hub id as a backbone, called ``name`` in links (None: as it was asked for); ``options`` go to
    :func:`load_pipeline`. Raises BackboneUnavailable."""
    loaded = load_pipeline(source, **options)
    source = str(loaded.folder) if loaded.revision is None else f"{loaded.name} at {loaded.revision[:12]}"
    return PipelineBackbone(
        loaded.pipeline, name=name or loaded.name, label=loaded.label, licence=loaded.licence, source=source,
        note=loaded.note, resolution=resolution,
    )  # fmt: skip


def load_pipeline(
    name_or_folder: str | Path,
    *,
    revision: str | None = None,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
    from_hub: bool = False,
) -> LoadedPipeline:
    """A pipeline from a local folder or from the Hub, ready on ``device``.

    revision: a commit of the Hub; the catalogue's own where there is one.  device: the GPU if there is one.
    from_hub: for a name that a visitor gave: it is no folder, whatever lies there.
    dtype: float32 on a CPU, bfloat16 on a GPU that has it, else float16.
    Raises BackboneUnavailable, TooLittleMemory among them, with a sentence.
    """
    device = torch.device(device or compute_device())
    dtype, note = (dtype, None) if dtype is not None else _precision(device)
    text = str(name_or_folder)
    local = Path(text).expanduser()
    entry = None if not from_hub and not on_space() and local.is_dir() else _entry(text)
    if entry is None:
        label, folder, commit = local.resolve().name, local.resolve(), None
        index = read_index(folder)
    else:
        label, commit = entry.label, revision or entry.revision
        _require_memory(label, int(entry.gigabytes * 1e9 * dtype.itemsize / 2), device)  # before gigabytes are fetched
        index, folder = _fetched(text, commit)
    skip = () if on_space() else _SAFETY
    files = weight_files(folder, index, skip)
    _require_memory(label, sum(map(tensor_values, files)) * dtype.itemsize, device)
    pipeline = _opened(folder, index, dtype, skip)
    try:
        pipeline.to(device)
    except torch.OutOfMemoryError:
        del pipeline
        release_memory()
        raise TooLittleMemory(f"{label} does not fit into the memory of {device}.") from None
    licence = _licence_of_card(folder) or (entry.licence if entry is not None else None)
    return LoadedPipeline(pipeline, text, label, folder, device, commit, licence, note)


def _precision(device: torch.device) -> tuple[torch.dtype, str | None]:
    if device.type != "cuda":
        return torch.float32, None
    if torch.cuda.is_bf16_supported():
        return torch.bfloat16, "The network runs in bfloat16: the same request may differ by 1 % between batch sizes."
    return torch.float16, "The network runs in float16: the same request may differ by 1 % between batch sizes."


def _entry(text: str) -> HubModel:
    """The catalogue's entry of a Hub id, or a blank one; raises where the id may not be loaded."""
    models = allowed_models()
    if text in models:
        return models[text]
    if not HUB_ID.fullmatch(text):
        if on_space():  # nor is anything said about what folders there are
            raise BackboneUnavailable("Folders cannot be loaded on a public Space; choose a listed model.")
        raise BackboneUnavailable(f"There is no folder {text[:200]!r}, and it is not a Hub id such as owner/model.")
    if on_space():
        raise BackboneUnavailable(
            f"{text} is not among this Space's models: {', '.join(models)}. "
            f"Whoever runs the Space can add it with {MODELS_VARIABLE}."
        )
    return HubModel(text.split("/")[-1])


def _fetched(name: str, revision: str | None) -> tuple[dict[str, Any], Path]:
    """(index, folder) of a Hub model, downloaded where needed; the index first, as a wrong class needs no weights."""
    from huggingface_hub import hf_hub_download

    here = {"revision": revision, "local_files_only": not _hub_answers()}
    try:
        index = read_index(Path(hf_hub_download(name, "model_index.json", **here)).parent)
        return index, Path(diffusers().DiffusionPipeline.download(name, use_safetensors=True, **here))
    except BackboneUnavailable:
        raise
    except Exception as error:
        raise BackboneUnavailable(_hub_sentence(name, revision, error)) from error


def _hub_answers() -> bool:
    """Whether the Hub can be reached, within three seconds: its own client tries for half a minute. With a proxy only
    the client can tell."""
    from huggingface_hub import constants

    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return True
    address = urlsplit(constants.ENDPOINT)
    try:
        with socket.create_connection((address.hostname, address.port or 443), timeout=_PATIENCE):
            return True
    except OSError:
        return False


def _hub_sentence(name: str, revision: str | None, error: Exception) -> str:
    from huggingface_hub import errors

    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) is not None and cause not in chain:
        chain.append(cause)

    def is_a(*kinds: type[BaseException]) -> bool:
        return any(isinstance(one, kinds) for one in chain)

    if is_a(errors.GatedRepoError):
        return f"{name} is gated: accept its licence on huggingface.co and set HF_TOKEN, then load it again."
    if is_a(errors.RevisionNotFoundError):
        return f"{name} has no revision {revision!r}."
    if is_a(errors.RepositoryNotFoundError):
        return f"The Hub has no model {name}, or it is private."
    if is_a(errors.RemoteEntryNotFoundError):
        return f"{name} is not a diffusers pipeline: it has no model_index.json."
    if is_a(errors.OfflineModeIsEnabled):
        return f"{name} is not on this machine, and HF_HUB_OFFLINE forbids fetching it."
    if is_a(errors.LocalEntryNotFoundError, ConnectionError, TimeoutError) or _is_transport_error(chain):
        return f"{name} is not on this machine, and the Hub cannot be reached; try again when there is a connection."
    if "safetensors" in str(error):
        return f"{name} has no safetensors weights; pickled weights can run code and are not loaded."
    return (
        f"{name} could not be fetched: {type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
    )


def _is_transport_error(chain: list[BaseException]) -> bool:
    return any(type(one).__module__.split(".")[0] in ("httpx", "httpx2", "requests", "urllib3") for one in chain)


def _require_memory(name: str, weights: int, device: torch.device) -> None:
    """Raise TooLittleMemory unless so many bytes fit: on the way to a GPU they pass through the machine's memory."""
    loading = _WORKING_ROOM if _accelerated() else _COPIES_WHILE_LOADING
    needs = [(torch.device("cpu"), "this machine's", loading)]
    if device.type == "cuda":
        needs.append((device, "the GPU's", _WORKING_ROOM))
    for place, whose, factor in needs:
        free, needed = free_memory(place), int(weights * factor)
        if free is not None and needed > free:
            raise TooLittleMemory(
                f"{name} needs about {needed / 1e9:.1f} GB of {whose} memory, of which {free / 1e9:.1f} GB are free; "
                "choose a smaller model."
            )


def _accelerated() -> bool:
    """Whether weights can be read straight into place; without accelerate a model is made first and filled then."""
    return importlib.util.find_spec("accelerate") is not None


def _opened(folder: Path, index: dict[str, Any], dtype: torch.dtype, skip: tuple[str, ...]) -> Any:
    _without_chatter()
    absent = [name for name, value in index.items() if isinstance(value, list) and value[0] is None]
    options: dict[str, Any] = dict.fromkeys((*absent, *(name for name in skip if name in index)))
    if "safety_checker" in options and "requires_safety_checker" in index:
        options["requires_safety_checker"] = False
    try:
        return getattr(diffusers(), index["_class_name"]).from_pretrained(
            folder, dtype=dtype, use_safetensors=True, local_files_only=True, trust_remote_code=False,
            low_cpu_mem_usage=_accelerated(), **options,
        )  # fmt: skip
    except torch.OutOfMemoryError:
        raise TooLittleMemory(f"{folder.name} does not fit into memory.") from None
    except Exception as error:  # diffusers and transformers raise of every kind for a folder that is not as it should
        raise BackboneUnavailable(f"{folder.name} could not be loaded: {_first_line(error)}") from error


def _without_chatter() -> None:
    """A server's log is no place for bars of progress, nor for advice on packages that nothing here needs."""
    from transformers.utils import logging as of_transformers

    for logging in (diffusers().utils.logging, of_transformers):
        logging.disable_progress_bar()
        logging.set_verbosity_error()


def _first_line(error: Exception) -> str:
    """An outside library's message as the end of a sentence."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = " ".join(lines[:2]) if lines and lines[0].endswith(":") else "".join(lines[:1])
    return f"{type(error).__name__}: {text[:300].rstrip('.:') or 'no reason given'}."


def _licence_of_card(folder: Path) -> str | None:
    """The licence in the front matter of a model card README.md."""
    card = folder / "README.md"
    if not card.is_file():
        return None
    front = re.match(r"---\n(.*?)\n---", card.read_text(encoding="utf-8", errors="replace"), re.DOTALL)
    found = re.search(r"^license:\s*(\S+)", front.group(1), re.MULTILINE) if front else None
    return found.group(1) if found else None
