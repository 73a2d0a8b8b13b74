"""Heights of Brenier's map to sets of pictures: solved by the ascent, shipped with the app, refused where stale."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gensot_demo.transport.errors import InvalidValue
from gensot_demo.transport.static_ot.semi_discrete import (
    Ascent,
    Brenier,
    brenier,
    climb,
    total_variation,
    variation_floor,
)

from .picture_sets import PictureSet, picture_set

FOLDER = Path(__file__).resolve().parents[3] / "assets" / "brenier"
MADE_BY = "python -m training.solve_heights"
_CHUNK = 2**11  # draws of fresh noise at a time


class StaleHeights(InvalidValue):
    """Stored heights belong to other pictures or weights than these."""


@dataclass(frozen=True)
class Solved:
    """What is known of stored heights. checksum: of pictures and weights; tolerance, seed: of the ascent; samples: all
    its draws; seconds: it took, where it was made; mass_error: total variation between masses and weights on
    ``counted`` fresh draws; floor: what exact heights would show with as many."""

    checksum: str
    tolerance: float
    seed: int
    samples: int
    seconds: float
    mass_error: float
    counted: int
    floor: float


def fresh_masses(pictures: PictureSet, heights: Tensor, draws: int, seed: int) -> Iterator[tuple[int, Tensor]]:
    """Masses (k, n) of k height vectors (k, n), all counted with the same noise of that seed: after every block of it,
    with the draws so far, and last after all."""
    points = pictures.coordinates.float()
    offsets = heights.float()
    generator, counts = torch.Generator().manual_seed(seed), torch.zeros(heights.shape, dtype=torch.float64)
    for start in range(0, draws, _CHUNK):
        z = torch.randn(min(_CHUNK, draws - start), points.shape[1], generator=generator)
        scores = z @ points.T
        for row, offset in zip(counts, offsets, strict=True):
            row += torch.bincount((scores + offset).argmax(1), minlength=len(points))
        yield start + len(z), counts / (start + len(z))


def climb_to(pictures: PictureSet, tolerance: float, seed: int, most_samples: int) -> Iterator[Ascent | int]:
    """The ascent for a set of pictures: :func:`~gensot_demo.transport.static_ot.semi_discrete.climb`."""
    given = {"tolerance": tolerance, "seed": seed, "most_samples": most_samples}
    return climb(pictures.coordinates, weights=pictures.weights, **given)


def checked(pictures: PictureSet, heights: Tensor, draws: int, seed: int) -> tuple[float, float]:
    """(mass error on fresh noise, its floor)."""
    *_, (_, masses) = fresh_masses(pictures, heights[None], draws, seed)
    return total_variation(masses[0], pictures.weights), variation_floor(pictures.weights, draws)


def save(found: dict[str, tuple[Tensor, Solved]], folder: Path = FOLDER) -> None:
    """Write all sets: heights.npz (float32) and heights.json."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "heights.npz", **{key: h.numpy().astype(np.float32) for key, (h, _) in found.items()})
    told = {key: asdict(solved) for key, (_, solved) in found.items()}
    (folder / "heights.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


@lru_cache(maxsize=2)
def _read(folder: Path) -> tuple[dict[str, Tensor], dict[str, Solved]]:
    if not (folder / "heights.json").exists():
        return {}, {}
    told = json.loads((folder / "heights.json").read_text(encoding="utf-8"))
    with np.load(folder / "heights.npz") as arrays:
        heights = {key: torch.from_numpy(arrays[key].astype(np.float64)) for key in told}
    return heights, {key: Solved(**facts) for key, facts in told.items()}


def stored_keys(folder: Path = FOLDER) -> list[str]:
    """The sets whose heights are shipped."""
    return list(_read(folder)[1])


def stored(pictures: PictureSet, folder: Path = FOLDER) -> tuple[Tensor, Solved] | None:
    """Heights (n,) and what is known of them; None where the set is not among them. Raises :class:`StaleHeights` where
    they were solved for other pictures."""
    heights, known = _read(folder)
    if pictures.key not in known:
        return None
    if known[pictures.key].checksum != pictures.checksum or heights[pictures.key].shape != (len(pictures),):
        raise StaleHeights(
            f"The stored heights of {pictures.label} were solved for other pictures or weights. Run {MADE_BY} again."
        )
    return heights[pictures.key], known[pictures.key]


def stored_heights(name: str, folder: Path = FOLDER) -> Brenier:
    """Brenier's map from white noise in pixels to a set of pictures: ``network``, ``network/CLASS`` or ``collection``.

    points (n, 3 res^2) in [-1, 1], float64: the network's states, so ``to(z)`` of noise (k, 3 res^2) is a picture.
    Raises :class:`StaleHeights`, and :class:`~gensot_demo.transport.errors.InvalidValue` for a set that is not stored.
    """
    pictures = picture_set(name)
    found = stored(pictures, folder)
    if found is None:
        raise InvalidValue(f"No heights are stored for {pictures.label}; there are {', '.join(stored_keys(folder))}.")
    return brenier(pictures.pixels, found[0], pictures.weights)
