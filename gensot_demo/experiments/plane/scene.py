"""What the player shows of a result: some particles at common times, fields on a grid, the target's density."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from gensot_demo.transport.targets import Target

from .motion import Motion
from .run import Panel, TransportResult

FRAME_TIMES = np.linspace(0, 1, 61)
FIELD_TIMES = np.linspace(0.04, 0.96, 12)
MOST_SHOWN = 2400  # particles in all panels together: what a browser moves at 30 frames a second
MOST_IN_A_PANEL = 800
_FIELD_CELLS, _DENSITY_CELLS = 16, 60
_MARGIN = 0.06
_SOURCE_REACH = 2.5  # standard deviations of a Gaussian source that belong to the picture

Extent = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class PanelScene:
    """positions (F, k, 2) of some particles, the mode (k,) that each ends in, the field (T, G, G, 2) with NaN where
    it is not defined, or None."""

    panel: Panel
    positions: NDArray[np.float64]
    destination: NDArray[np.int64]
    field: NDArray[np.float64] | None


@dataclass(frozen=True, eq=False)
class Scene:
    """times (F,), field_axes (G,) each, density: axes (D,), (D,) and values (D, D) by rows of y, of the
    target, or of the law asked for where all panels are guided."""

    times: NDArray[np.float64]
    extent: Extent
    panels: tuple[PanelScene, ...]
    field_axes: tuple[NDArray[np.float64], NDArray[np.float64]]
    density: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def scene_of(result: TransportResult) -> Scene:
    """The scene of a result whose panels have moved."""
    moving = result.moving
    extent = frame_of(result)
    shown = min(MOST_IN_A_PANEL, MOST_SHOWN // max(len(moving), 1))
    panels = []
    for panel in moving:
        rows = panel.motion.particles_alike(shown)
        panels.append(
            PanelScene(
                panel,
                panel.motion.at_times(FRAME_TIMES, rows.numpy()).numpy(),
                result.target.mode_of(panel.motion.end[rows]).numpy(),
                None if panel.motion.field is None else _field(panel.motion, extent),
            )
        )
    guided = all(panel.method.guided for panel in moving)
    density = density_of(result.target, extent, result.request.trusts(result.target) if guided else ())
    return Scene(FRAME_TIMES, extent, tuple(panels), _axes(extent, _FIELD_CELLS), density)


def frame_of(result: TransportResult) -> Extent:
    """A square that holds source, target and guides."""
    boxes = [result.target.box]
    if result.source.mixture is None:
        x, y = result.source.place.tolist()
        boxes.append((x, x, y, y))
    else:
        mixture = result.source.mixture
        reach = _SOURCE_REACH * torch.sqrt(torch.diagonal(mixture.covariances, dim1=1, dim2=2))
        low, high = (mixture.means - reach).amin(0), (mixture.means + reach).amax(0)
        boxes.append((float(low[0]), float(high[0]), float(low[1]), float(high[1])))
    for panel in result.moving:
        if panel.motion.tube is not None:
            curve = np.concatenate([panel.motion.tube.guide, panel.motion.tube.mean])
            boxes.append((*np.quantile(curve[:, 0], (0, 1)), *np.quantile(curve[:, 1], (0, 1))))
    x0, x1 = min(box[0] for box in boxes), max(box[1] for box in boxes)
    y0, y1 = min(box[2] for box in boxes), max(box[3] for box in boxes)
    half = (0.5 + _MARGIN) * max(x1 - x0, y1 - y0)
    middle = (0.5 * (x0 + x1), 0.5 * (y0 + y1))
    return tuple(
        float(np.round(v, 3)) for v in (middle[0] - half, middle[0] + half, middle[1] - half, middle[1] + half)
    )


def _axes(extent: Extent, cells: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cell centres along x and y."""
    share = (np.arange(cells) + 0.5) / cells
    return extent[0] + share * (extent[1] - extent[0]), extent[2] + share * (extent[3] - extent[2])


@lru_cache(maxsize=24)
def _field(motion: Motion, extent: Extent) -> NDArray[np.float64]:
    x, y = np.meshgrid(*_axes(extent, _FIELD_CELLS))
    places = torch.from_numpy(np.stack([x.ravel(), y.ravel()], 1))
    vectors = [motion.field(places, float(t)).numpy() for t in FIELD_TIMES]
    return np.stack(vectors).reshape(len(FIELD_TIMES), _FIELD_CELLS, _FIELD_CELLS, 2)


@lru_cache(maxsize=24)
def density_of(
    target: Target, extent: Extent, trusts: tuple[tuple[str, float], ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The density of the law asked for, up to a factor."""
    axes = _axes(extent, _DENSITY_CELLS)
    x, y = np.meshgrid(*axes)
    places = torch.from_numpy(np.stack([x.ravel(), y.ravel()], 1))
    log_density = target.mixture.log_density(places)
    for name, trust in trusts:
        log_density += trust * target.log_likelihood(name, places)
    return *axes, (log_density - log_density.max()).exp().numpy().reshape(x.shape)
