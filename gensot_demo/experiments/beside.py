"""A network's comparison beside that of an exact oracle of the very pictures it learnt from, on the same noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .asking import truth_request
from .compare import CompareResult, Update, compare
from .requests import CompareRequest


@dataclass(frozen=True)
class Difference:
    """Between a method's samples on the network and on the exact oracle, sample by sample from the same noise.

    grey_levels: root mean square over pixels and samples.  same: how many have the same nearest training picture.
    """

    label: str
    grey_levels: float
    same: int
    samples: int


def truth_beside(request: CompareRequest) -> Iterator[Update | CompareResult]:
    """Run the request on the exact oracle."""
    yield from compare(truth_request(request))


def differences(result: CompareResult, truth: CompareResult) -> dict[str, Difference]:
    """Of every method that both runs hold."""
    found = {}
    for name, part in result.methods.items():
        if name in truth.methods:
            exact = truth.methods[name]
            away = part.pictures.astype(float) - exact.pictures.astype(float)
            found[name] = Difference(
                part.label,
                float(np.sqrt(np.mean(away**2))),
                int((part.nearest == exact.nearest).sum()),
                len(part.pictures),
            )
    return found
