"""Transformer tokens: attention as a velocity, on the circle, the sphere or in the plane, and Gaussian tokens."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gensot_demo.transport.lagrangian.attention import Attention, followed, rises
from gensot_demo.transport.lagrangian.gathering import cluster_count, clusters
from gensot_demo.transport.lagrangian.gaussian_tokens import GaussianTokens, gaussian_tokens

from .moving import FRAMES, Cloud, Falling, Moving, extent_of
from .sentence import WORDS, embeddings
from .tokens_request import TokensRequest, attention_of
from .tokens_told import terms_of, told_of

LARGEST = 50.0
"""Where a run in the plane ends: tokens start at a distance of about one."""
GROWTH = 16.0
"""Where a run of Gaussian tokens ends: so many times the largest variance of the start."""

_FINEST, _WORK = 0.05, 1e8  # step of the integration, and pairs of tokens times evaluations that fit in a second
_NAMED = 11  # clusters with a mark of their own; the player has twelve
_ELEVATION, _AZIMUTH = math.radians(24), math.radians(-32)


@dataclass(frozen=True, eq=False)
class MovingTokens(Moving):
    """counted: depths (k,) and numbers of clusters (k,), empty for Gaussian tokens.  space_positions: (F, n, d) in
    their own space.  looked: (2, n, n) weights of attention at start and end, of a sentence.  law: of Gaussian tokens.
    cut: why the run ended before the depth asked for, a token too far or as its law did; empty if it did not."""

    counted: tuple[NDArray[np.float64], NDArray[np.int64]] = (np.empty(0), np.empty(0, dtype=np.int64))
    space_positions: NDArray[np.float32] | None = None
    looked: NDArray[np.float32] | None = None
    law: GaussianTokens | None = None
    cut: Literal["", "token", "grown", "far", "spent"] = ""


def first_view() -> TokensRequest:
    return TokensRequest()


def run(request: TokensRequest) -> MovingTokens:
    """Heun's method in steps of at most 0.05, but no finer than what fits in a second for many tokens."""
    attention, law = attention_of(request), None
    if request.space == "gaussian":
        law = _law(request, attention)
    times, positions, velocities = _run(request, attention, law)
    last, cut = float(times[-1]), ""
    if last < (request.depth if law is None else law.times[-1]):
        cut = "token"
    elif law is not None and law.ended != "asked":
        cut = law.ended
    if law is not None and cut == "token":
        law = law.until(last)
    every = 1 + positions.shape[1] // 250  # energy and clusters of many tokens: at fewer depths
    kept, depths = positions[::every], times[::every]
    counted, kinds, names = (np.empty(0), np.empty(0, dtype=np.int64)), None, ("tokens",)
    if law is None:
        counted = (depths.numpy(), cluster_count(kept, request.normalised).numpy())
        kinds, names = _marks(request, positions[-1])
    if kinds is None:
        kinds = np.zeros(positions.shape[1], dtype=np.int64)
    flat, speeds = (_seen(part, request) for part in (positions, velocities))
    guide = _guide(request, law)
    cloud = Cloud("tokens", _LABELS[request.space], flat, speeds, kinds, _note(counted, law), guide)
    sign = rises(attention)
    falling = _falling(kept, depths, attention, sign)
    moving = MovingTokens(
        request=request, times=times.numpy(), time="depth", clouds=(cloud,), kinds=names,
        extent=_extent(request, flat, guide), terms=terms_of(request, attention), falling=(falling,),
        falls="change of the energy", told=(), counted=counted,
        space_positions=positions.float().numpy(), law=law, cut=cut,
        looked=torch.stack([attention.weights(positions[n]) for n in (0, -1)]).float().numpy()
        if request.sentence else None,
    )  # fmt: skip
    return replace(moving, told=told_of(moving, attention, sign))


_LABELS = {
    "plane": "Tokens in the plane", "circle": "Tokens on the circle", "sphere": "Tokens on the sphere, from outside",
    "gaussian": "Gaussian tokens",
}  # fmt: skip


def start_of(request: TokensRequest) -> Tensor:
    """(n, d) float64: where the tokens are at depth 0. On circle and sphere they are independent and uniform."""
    if request.sentence:
        return embeddings(request.dimension)
    generator = torch.Generator().manual_seed(request.seed)
    drawn = torch.randn(request.tokens, request.dimension, generator=generator, dtype=torch.float64)
    if request.space == "gaussian":
        return drawn * torch.tensor([1.0, request.ratio]) * request.spread + torch.tensor([request.offset, 0.0])
    return drawn / drawn.norm(dim=-1, keepdim=True) if request.normalised else drawn


def _run(request: TokensRequest, attention: Attention, law: GaussianTokens | None) -> tuple[Tensor, Tensor, Tensor]:
    """Times (F,), positions and velocities (F, n, d)."""
    start = start_of(request)
    start = start.float() if len(start) > 128 else start
    end = request.depth if law is None else float(law.times[-1])
    largest = math.inf if request.normalised else LARGEST
    for _ in range(2):
        times = torch.linspace(0, end, FRAMES, dtype=torch.float64)
        affordable = int(_WORK / len(start) ** 2 / (2 * FRAMES))
        steps = max(1, min(affordable, math.ceil(end / (FRAMES - 1) / _FINEST)))
        positions, velocities = followed(start, attention, times, steps, largest)
        if len(positions) == FRAMES:
            break
        end = float(times[len(positions) - 1])  # once more, with as many moments as any other run
    return times[: len(positions)], positions, velocities


def _law(request: TokensRequest, attention: Attention) -> GaussianTokens:
    covariance = np.diag([request.spread**2, (request.spread * request.ratio) ** 2])
    looks, mean = request.beta * attention.looks.numpy(), np.array([request.offset, 0.0])
    values = attention.values.numpy()
    return gaussian_tokens(mean, covariance, values, looks, request.depth, GROWTH, FRAMES, farthest=LARGEST)


def _seen(part: Tensor, request: TokensRequest) -> NDArray[np.float32]:
    """(F, n, 2) of positions or velocities: of the sphere its picture from far away."""
    return (part.float() @ screen().float() if request.space == "sphere" else part.float()).numpy()


def screen() -> Tensor:
    """(3, 2): the directions to the right and up of who looks at the sphere."""
    right = [-math.sin(_AZIMUTH), math.cos(_AZIMUTH), 0.0]
    up = [-math.sin(_ELEVATION) * math.cos(_AZIMUTH), -math.sin(_ELEVATION) * math.sin(_AZIMUTH), math.cos(_ELEVATION)]
    return torch.tensor([right, up], dtype=torch.float64).mT


def towards_viewer() -> NDArray[np.float64]:
    """(3,): the direction from the sphere to who looks at it."""
    across = math.cos(_ELEVATION)
    return np.array([across * math.cos(_AZIMUTH), across * math.sin(_AZIMUTH), math.sin(_ELEVATION)])


def _marks(request: TokensRequest, last: Tensor) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Each word its own mark; else a mark for each cluster of the end, where they are few."""
    if request.sentence:
        return np.arange(len(WORDS)), tuple(WORDS)
    found = clusters(last, request.normalised).numpy()
    sizes = np.bincount(found)
    if len(sizes) > len(found) / 2:
        return None, ("tokens",)
    order = np.argsort(-sizes, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    names = [f"{sizes[n]} tokens" for n in order[:_NAMED]]
    names = [f"cluster {n}, {name}" for n, name in enumerate(names, 1)]
    if len(sizes) > _NAMED:
        names.append(f"{len(sizes) - _NAMED} smaller clusters")
    return np.minimum(rank[found], len(names) - 1), tuple(names)


def _falling(kept: Tensor, times: Tensor, attention: Attention, sign: int | None) -> Falling:
    score = torch.stack([attention.soft_score(one) for one in kept]).double()
    change = (score - score[0]).numpy()
    label, values = ("energy", change) if sign == -1 else ("energy, with minus", -change)
    return Falling(label, times.numpy(), values)


def _extent(
    request: TokensRequest, flat: NDArray[np.float32], guide: NDArray[np.float64] | None
) -> tuple[float, float, float, float]:
    """The unit circle, or what holds the tokens and the curve beside them."""
    if request.normalised:
        return (-1.12, 1.12, -1.12, 1.12)
    around = np.array([extent_of(flat), *([] if guide is None else [extent_of(guide[None])])])
    low, high = around[:, ::2].min(0), around[:, 1::2].max(0)
    centre, half = (low + high) / 2, float((high - low).max()) / 2
    return tuple(float(v) for v in (centre[0] - half, centre[0] + half, centre[1] - half, centre[1] + half))


def _note(counted: tuple[NDArray, NDArray], law: GaussianTokens | None) -> str:
    if law is not None:
        return "curve: two standard deviations of the law, at the end"
    return f"{counted[1][0]} → {counted[1][-1]} clusters"


def _guide(request: TokensRequest, law: GaussianTokens | None) -> NDArray[np.float64] | None:
    if request.space == "plane":
        return None
    angle = np.linspace(0, 2 * np.pi, 97)
    circle = np.stack([np.cos(angle), np.sin(angle)], -1)
    if law is None:
        return circle
    spreads, axes = np.linalg.eigh(law.covariance[-1])
    spreads = np.maximum(spreads, 0)  # what has shrunk to nothing may be rounded to less
    return law.mean[-1] + circle * 2 * np.sqrt(spreads) @ axes.T
