"""The guidance term of one sample: what the method predicted, less what the model predicts there by itself.

g_t = yhat(x_t) - E[y | x_t], with both at the very state x_t that the sample passed through. That is the definition for
every method, also for those that reach their prediction by asking the model at another state or noise level.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.backbones.base import Backbone
from gensot_demo.transport.conductor import answer_in_chunks
from gensot_demo.transport.paths import PathPoints
from gensot_demo.transport.steering import ask

from ..device import TURNSTILE
from . import sizes

_FULL = 0.995  # quantile of the absolute values that are drawn black or white: a few pixels may lie beyond


@dataclass(frozen=True, eq=False)
class GuidanceTerm:
    """The term at the R kept moments with noise.

    levels: (R,) noise levels.  size: (R,) root mean square over the pixels, in ``unit``.
    to_end: (R,) cosine of its angle with x_end - E[y | x_t], the direction in which the finished sample lies.
    to_reference: the same with the picture that is followed, or to be restored, in place of x_end; or None.
    Cosines are NaN where there is no term.
    moments: kept moments of which there are ``pictures``, (res, res, 3) uint8 each: mid grey is nothing, black and
    white are ``scale`` grey levels less and more.
    """

    levels: NDArray[np.float64]
    size: NDArray[np.float64]
    to_end: NDArray[np.float64]
    to_reference: NDArray[np.float64] | None
    unit: str
    moments: tuple[int, ...]
    pictures: NDArray[np.uint8]
    scale: float

    @property
    def silent(self) -> bool:
        """Whether the method has not moved the prediction anywhere."""
        return bool(self.size.max(initial=0.0) < sizes.SILENT)

    @property
    def strongest(self) -> int:
        """The moment at which the term is largest."""
        return int(self.size.argmax())


def moments_with_noise(grid: PathPoints, index: list[int]) -> list[int]:
    """The kept moments at which something was predicted: not the end, where some models leave a little noise."""
    return [n for n, row in enumerate(index) if row < len(grid) - 1 and float(grid.m[row]) > 0]


def unguided_predictions(
    backbone: Backbone, grid: PathPoints, index: list[int], states: Tensor
) -> Iterator[float | Tensor]:
    """E[y | x_t] at states (S, d) of one sample, the grid rows ``index``, in as few forwards as there can be.

    Yields the share that is answered after each forward, and last the predictions (R, d) on the CPU.
    """
    moments = moments_with_noise(grid, index)
    grid = grid.to(backbone.oracle.device, backbone.oracle.dtype)
    states = states.to(backbone.oracle.device, backbone.oracle.dtype)
    queries = [ask(grid.point(index[n]), states[n][None]) for n in moments]
    found: list[Tensor] = []
    for first in range(0, len(queries), backbone.max_rows):
        with TURNSTILE(), torch.no_grad():
            answers = answer_in_chunks(backbone.oracle, queries[first : first + backbone.max_rows], backbone.max_rows)
        found += [answer.predicted[0].cpu() for answer in answers]
        yield len(found) / len(queries)
    yield torch.cat(found)


def guidance_term(
    backbone: Backbone,
    levels: NDArray[np.float64],
    predicted: Tensor,
    free: Tensor,
    moments: list[int],
    end: Tensor,
    reference: Tensor | None,
    drawn: list[int],
) -> GuidanceTerm:
    """The term of predictions (S, d) against unguided ones (R, d) at the ``moments`` (R) with noise.

    end, reference: states (d,).  drawn: kept moments to make pictures of.
    """
    used = predicted[moments]
    term = (used - free).double()
    lengths = sizes.size(backbone, term)
    shown = [n for n in drawn if n in moments]
    at = [moments.index(n) for n in shown]
    change = sizes.in_pixels(backbone, free[at], used[at])
    scale = max(float(torch.quantile(change.abs().flatten()[:: -(-change.numel() // 2**20)], _FULL)), 1.0)
    return GuidanceTerm(
        levels=np.asarray(levels)[moments],
        size=lengths.numpy(),
        to_end=_cosines(term, end.double() - free.double(), lengths),
        to_reference=None if reference is None else _cosines(term, reference.double() - free.double(), lengths),
        unit=sizes.unit_of(backbone),
        moments=tuple(shown),
        pictures=sizes.shown(change, scale),
        scale=scale,
    )


def _cosines(term: Tensor, direction: Tensor, lengths: Tensor) -> NDArray[np.float64]:
    """Cosine of the angle of each row with its direction, (R,); NaN where either is nothing."""
    cosine = torch.nn.functional.cosine_similarity(term, direction, dim=1, eps=1e-30)
    nothing = (lengths < sizes.SILENT) | (direction.norm(dim=1) < 1e-12)
    return torch.where(nothing, torch.nan, cosine).numpy()
