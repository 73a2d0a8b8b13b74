"""What else than a request determines a result: the code that computes it, and the files that ship with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import gensot_demo

_PACKAGE = Path(gensot_demo.__file__).parent
_SHOWS_ONLY = ("pages", "figures", "shell", "cli")
_SHIPPED = ("emoji", "emoji_network", "brenier")
_COMPUTED_WITH = (".safetensors", ".json", ".npz", ".png")


@lru_cache(maxsize=1)
def code_digest() -> str:
    """One digest of the package's Python files but those that only show, and of what ships: pictures, weights, heights.

    Read once a process, some tens of milliseconds.
    """
    return digest_of(_PACKAGE, _PACKAGE.parent / "assets")


def digest_of(package: Path, assets: Path) -> str:
    """The same of a package's folder and a folder of assets: names and contents, in the order of the names."""
    code = (file for file in package.rglob("*.py") if file.relative_to(package).parts[0] not in _SHOWS_ONLY)
    shipped = (file for name in _SHIPPED for file in (assets / name).rglob("*") if file.suffix in _COMPUTED_WITH)
    found = hashlib.sha256()
    for part, files in ((package, code), (assets, shipped)):
        for name, file in _named(part, files):
            found.update(f"{name}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()[:16]


def _named(folder: Path, files: Iterable[Path]) -> list[tuple[str, Path]]:
    return sorted((file.relative_to(folder).as_posix(), file) for file in files)
