"""Noisy linear measurements of pictures, and the views of a state that they are.

Measurements act on pixels (n, 3, s, s) from -1 to 1. Grey levels run from 0 to 255: one is 1/127.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from gensot_demo.backbones.base import Backbone
from gensot_demo.guidance.wish import LinearView, Wish

from .images import hidden_part, open_upload
from .requests import InvalidRequest, RestoreChoice

_REDUCTION = 4  # of each side, by super-resolution
_BLUR_SHARE = 1 / 16  # standard deviation of the blur, of a side
_HIDDEN_AT_RANDOM = 0.75
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_FAINTEST = 1e-3  # of the largest singular value: what is fainter tells nothing
_AT_ONCE = 256


@dataclass(frozen=True)
class Measurement:
    """A linear measurement A of pixels. measure: (n, 3, s, s) to (n, k).  show: measured (k,) as pixels (3, s, s).
    gains: the diagonal of A A^T, which has nothing else (k,) or (1,); None where it is not diagonal."""

    measure: Callable[[Tensor], Tensor]
    show: Callable[[Tensor], Tensor]
    sentence: str
    gains: Tensor | None


def measurement_of(choice: RestoreChoice, side: int, seed: int, device: torch.device | str = "cpu") -> Measurement:
    """The measurement of pictures of this side; raises InvalidRequest for a mask that hides nothing, or everything."""
    match choice.kind:
        case "mask":
            return _masked(_hidden(choice, side, seed), device)
        case "super_resolution":
            return _reduced(side)
        case "blur":
            return _blurred(side, device)
        case _:
            return _grey(side, device)


def _hidden(choice: RestoreChoice, side: int, seed: int) -> NDArray[np.bool_]:
    """(side, side), True where the mask hides."""
    hidden = np.zeros((side, side), bool)
    if choice.mask_png is not None:
        hidden = hidden_part(open_upload(choice.mask_png), side)
    elif choice.mask == "centre":
        hidden[side // 4 : side - side // 4, side // 4 : side - side // 4] = True
    elif choice.mask == "left half":
        hidden[:, : side // 2] = True
    else:
        hidden = np.random.default_rng(seed).random((side, side)) < _HIDDEN_AT_RANDOM
    if not hidden.any():
        raise InvalidRequest(
            f"The mask hides none of the {side} x {side} pixels: paint over what to restore, or take a ready one."
        )
    if hidden.all():
        raise InvalidRequest(
            f"The mask hides all {side} x {side} pixels, so nothing is known of the picture: leave some in sight."
        )
    return hidden


def _masked(hidden: NDArray[np.bool_], device: torch.device | str) -> Measurement:
    seen = torch.from_numpy(~hidden).to(device)

    def show(measured: Tensor) -> Tensor:
        out = torch.zeros(3, *seen.shape, dtype=measured.dtype, device=measured.device)  # middle grey
        out[:, seen] = measured.reshape(3, -1)
        return out

    share = f"{100 * hidden.mean():.0f} % of its pixels are hidden"
    return Measurement(lambda pixels: pixels[:, :, seen].flatten(1), show, share, torch.ones(1))


def _reduced(side: int) -> Measurement:
    small = -(-side // _REDUCTION)

    def show(measured: Tensor) -> Tensor:
        return interpolate(measured.reshape(1, 3, small, small), (side, side), mode="nearest")[0]

    said = f"it is seen at {small} x {small} pixels"
    even = torch.full((1,), 1 / _REDUCTION**2) if side % _REDUCTION == 0 else None  # else the areas overlap
    return Measurement(lambda pixels: adaptive_avg_pool2d(pixels, small).flatten(1), show, said, even)


def _blurred(side: int, device: torch.device | str) -> Measurement:
    """A Gaussian blur; at the border the weights that are left count in full.

    Measured in the blur's own singular vectors, which changes no law as the noise is the same in all directions.
    """
    at = torch.arange(side, dtype=torch.float64)
    rows = torch.exp(-0.5 * ((at[:, None] - at[None, :]) / (_BLUR_SHARE * side)) ** 2)
    out, sizes, inner = (part.to(device) for part in torch.linalg.svd(rows / rows.sum(1, keepdim=True)))
    size = sizes[:, None] * sizes[None, :]

    def measure(pixels: Tensor) -> Tensor:
        basis = inner.to(pixels.dtype)
        return (size.to(pixels.dtype) * (basis @ pixels @ basis.T)).flatten(1)

    def show(measured: Tensor) -> Tensor:
        basis = out.to(measured.dtype)
        return basis @ measured.reshape(3, side, side) @ basis.T

    said = f"it is blurred over {_BLUR_SHARE * side:g} pixels (standard deviation)"
    return Measurement(measure, show, said, size.square().flatten().repeat(3))


def _grey(side: int, device: torch.device | str) -> Measurement:
    luma = torch.tensor(_LUMA, dtype=torch.float64, device=device)

    def measure(pixels: Tensor) -> Tensor:
        return torch.einsum("c,ncij->nij", luma.to(pixels.dtype), pixels).flatten(1)

    def show(measured: Tensor) -> Tensor:
        return measured.reshape(1, side, side).expand(3, -1, -1)

    return Measurement(measure, show, "only grey is seen", luma.square().sum()[None])


class DecodedView(Wish):
    """A noisy measurement where pixels are no affine function of the state: only r(y) and its gradient are had.

    The same fields as :class:`LinearView`; measure: states (n, d) to measurements (n, k), differentiable.
    """

    def __init__(self, measure: Callable[[Tensor], Tensor], observed: Tensor, noise: float, sentence: str = ""):
        self.measure, self.observed, self.noise, self.sentence = measure, observed, noise, sentence

    def residual(self, y: Tensor) -> Tensor:
        """observed - measure(y), (n, k)."""
        return self.observed - self.measure(y)

    def reward(self, y: Tensor) -> Tensor:
        return -0.5 * self.residual(y).square().sum(1) / self.noise**2


class DiagonalView(LinearView):
    """A view whose A A^T is diagonal with entries ``gains`` (k,) or (1,): every system of equations is a division."""

    def __init__(self, *view: Any, gains: Tensor):
        super().__init__(*view)
        self.gains = gains.to(self.observed)

    def solve(self, v: Tensor, variance: float, noise: float | None = None) -> Tensor:
        return v / (variance * self.gains + (self.noise if noise is None else noise) ** 2)

    def projected(self, y: Tensor, measured: Tensor) -> Tensor:
        """As in :class:`LinearView`, in the directions that the measurement tells of: where its noise would become
        larger than pixels reach, A^+ hands back nothing but noise."""
        told = self.gains >= self.noise**2
        return y + self.adjoint(told * (measured - self.measure(y)) / self.gains.clamp(min=1e-30))


def measured_view(
    choice: RestoreChoice, kind: Measurement, backbone: Backbone, observed: Tensor, seed: int, sentence: str
) -> LinearView | DecodedView:
    """The wish to explain ``observed`` (k,) = A pixels(y) + noise eps, in the form that is solved fastest.

    With states that are pixels A A^T is diagonal. Where they are fewer, as in a collection's span, the view is turned
    to its singular vectors, and what no state can express is left out: r(y) changes by a constant.
    """
    dimension = backbone.oracle.dimension

    def measure(states: Tensor) -> Tensor:
        return kind.measure(backbone.pixels(states))

    if not backbone.linear:
        return DecodedView(measure, observed, choice.noise, sentence)
    plain = LinearView(measure, observed, choice.noise, dimension, sentence)
    if kind.gains is not None and _holds(plain, kind.gains.to(observed), dimension):
        return DiagonalView(measure, observed, choice.noise, dimension, sentence, gains=kind.gains)
    if dimension >= backbone.dimension:
        return plain
    alike = choice.model_copy(update={"noise": None, "picture": None})
    sizes, axes = _spectrum(backbone, alike, seed if choice.mask == "random pixels" else 0)
    offset = measure(torch.zeros(1, dimension).to(observed))
    seen = (plain.adjoint(observed - offset)[0].double() @ axes / sizes).to(observed)
    turned = (axes * sizes).to(observed)
    return DiagonalView(lambda y: y @ turned, seen, choice.noise, dimension, sentence, gains=sizes.square())


def _holds(view: LinearView, gains: Tensor, dimension: int) -> bool:
    """Whether A A^T is this diagonal for states too, tried on one vector."""
    v = torch.randn(1, len(view.observed), generator=torch.Generator().manual_seed(0)).to(view.observed)
    got = view.measure(view.adjoint(v)) - view.measure(torch.zeros(1, dimension).to(view.observed))
    return bool(torch.allclose(got, gains * v, rtol=1e-3, atol=1e-4))


@lru_cache(maxsize=2)
def _spectrum(backbone: Backbone, choice: RestoreChoice, seed: int) -> tuple[Tensor, Tensor]:
    """(singular values (k,), right singular vectors (d, k)) of A as an operator on states, float64, without what is
    too faint to tell anything; some seconds for a large collection."""
    oracle = backbone.oracle
    kind = measurement_of(choice, backbone.info.resolution, seed, oracle.device)
    with torch.no_grad():
        states = torch.eye(oracle.dimension, dtype=oracle.dtype, device=oracle.device).split(_AT_ONCE)
        offset = kind.measure(backbone.pixels(torch.zeros_like(states[0][:1])))
        rows = torch.cat([kind.measure(backbone.pixels(part)) - offset for part in states])  # A^T
        wide = rows.shape[1] < rows.shape[0]
        squares, vectors = torch.linalg.eigh(((rows.T @ rows) if wide else (rows @ rows.T)).double())
        kept = squares > _FAINTEST**2 * squares[-1]
        sizes, vectors = squares[kept].sqrt(), vectors[:, kept]
        return sizes, (rows.double() @ vectors) / sizes if wide else vectors


def misfit(view: LinearView | DecodedView, states: Tensor) -> Tensor:
    """Root mean square of the residual in units of its noise (n,): about 1 where the measurement is explained."""
    with torch.no_grad():
        residual = view.residual(states)
    return residual.norm(dim=1).double().cpu() / (view.noise * math.sqrt(residual.shape[1]))
