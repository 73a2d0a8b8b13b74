"""The map to the network's training pictures, of all classes or one: its heights are shipped with the app.

Solved by ``python -m gensot_demo.experiments.static_ot.later_start_heights`` in a few minutes, by stochastic ascent
(:mod:`~gensot_demo.transport.static_ot.semi_discrete`) in coordinates of the pictures' span.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gensot_demo.backbones.embedded import training_pictures
from gensot_demo.transport.static_ot.semi_discrete import Ascent, Brenier, ascend, brenier

SHIPPED = Path(__file__).resolve().parents[3] / "assets" / "static_ot" / "training_heights.npz"
TOLERANCE = 0.02
"""Total variation between masses and weights at which the ascent ends."""
_MOST_SAMPLES = 2**26


def pictures_of(label: int | None) -> tuple[Tensor, Tensor]:
    """(points (n, 3072) float64, weights (n,)) of a class of the training pictures, or of all."""
    known = training_pictures()
    if label is None:
        return known.points.double(), known.weights
    member = known.labels == label
    return known.points[member].double(), known.weights[member] / known.weights[member].sum()


def in_span(points: Tensor, weights: Tensor) -> Tensor:
    """Coordinates (n, at most n - 1) of points (n, d) about their mean, with the same distances."""
    centred = points - weights @ points
    _, size, axes = torch.linalg.svd(centred, full_matrices=False)
    return centred @ axes[size > 1e-9 * size[0]].T


@lru_cache(maxsize=12)
def map_to(label: int | None) -> Brenier:
    """Brenier's map from noise to the training pictures of a class, or of all."""
    return brenier(*_of(label, _shipped()[_key(label)]))


def mass_error(label: int | None) -> float:
    """Total variation between the cells' masses and the pictures' weights, as it was counted when it was solved."""
    return float(_shipped()[_key(label) + " error"])


@lru_cache(maxsize=1)
def _shipped() -> dict[str, np.ndarray]:
    with np.load(SHIPPED, allow_pickle=False) as file:
        return dict(file)


def _of(label: int | None, heights: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    points, weights = pictures_of(label)
    return points, torch.from_numpy(heights.astype(np.float64)), weights


def _key(label: int | None) -> str:
    return "any" if label is None else training_pictures().classes[label]


def solve(label: int | None, tolerance: float = TOLERANCE) -> Ascent:
    """The last moment of the ascent."""
    points, weights = pictures_of(label)
    *_, last = ascend(in_span(points, weights), weights=weights, tolerance=tolerance, most_samples=_MOST_SAMPLES)
    return last


def main() -> None:
    """Solve all and write the file."""
    found: dict[str, np.ndarray] = {}
    for label in (None, *range(len(training_pictures().classes))):
        last = solve(label)
        found[_key(label)] = last.heights.numpy().astype(np.float32)
        found[_key(label) + " error"] = np.float64(last.mass_error)
        print(f"{_key(label)}: {len(last.heights)} pictures, mass error {last.mass_error:.4f}, {last.samples:,} draws")
    SHIPPED.parent.mkdir(parents=True, exist_ok=True)
    np.savez(SHIPPED, **found)


if __name__ == "__main__":
    main()
