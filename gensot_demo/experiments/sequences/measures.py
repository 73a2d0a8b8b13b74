"""What a film's steadiness is: frame-to-frame change, path energy, jumps. All in grey levels of 255.

A film y_1 … y_F (F, s, s, 3) is read as a path: its energy (F - 1) sum_f |y_{f+1} - y_f|^2 / d is at least
|y_F - y_1|^2 / d (Cauchy-Schwarz), with equality for a cross-fade at constant speed. d: pixels times channels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STILL = 0.05
"""Mean change, in grey levels, below which a film does not move."""


@dataclass(frozen=True, eq=False)
class Steadiness:
    """changes: (F - 1,) root mean square over pixels and channels between neighbouring frames.
    energy: in squared grey levels.  least: the least that any film with these end frames has.
    """

    changes: NDArray[np.float64]
    energy: float
    least: float

    @property
    def change(self) -> float:
        """Mean of the changes."""
        return float(self.changes.mean())

    @property
    def excess(self) -> float | None:
        """Energy over the least possible, 1 or more; None where the film ends where it began."""
        return self.energy / self.least if self.least > 0 else None

    @property
    def jump(self) -> float | None:
        """Largest change over the median one; infinite where most frames stand still, None where all do."""
        largest, median = float(self.changes.max()), float(np.median(self.changes))
        if largest == 0:
            return None
        return largest / median if median > 0 else float("inf")


def steadiness(film: NDArray[np.uint8]) -> Steadiness:
    """The numbers of a film (F, s, s, 3) of two frames or more."""
    frames = film.astype(float)
    squares = (np.diff(frames, axis=0) ** 2).mean((1, 2, 3))
    return Steadiness(
        changes=np.sqrt(squares),
        energy=float(len(squares) * squares.sum()),
        least=float(((frames[-1] - frames[0]) ** 2).mean()),
    )


def switches(nearest: NDArray[np.intp]) -> int:
    """How often the nearest picture of the next frame is another one."""
    return int((np.diff(nearest) != 0).sum())


def apart(film: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Root mean square difference of two films of one shape, in grey levels."""
    return float(np.sqrt(((film.astype(float) - other.astype(float)) ** 2).mean()))
