"""Named laws in the plane, each an explicit Gaussian mixture: every posterior, moment and guided law is known.

Curved targets are many small Gaussians along the curve; that mixture *is* the target, not an approximation of one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from .errors import InvalidValue
from .mixtures import GaussianMixture, two_modes

FARTHEST = 20.0  # coordinates of drawn targets
NARROWEST, WIDEST = 0.02, 5.0  # standard deviations of drawn modes
MOST_COMPONENTS = 400
SOFT_LABELS = ("right", "upper")
LARGEST = 1e100  # of a coordinate or a weight: its square is still a number
_CLEAN = 1e-6  # noise of a point that is taken as it is


@dataclass(frozen=True, eq=False)
class Target:
    """A mixture whose components belong to modes.

    mode: (N,) index of each component's mode.  modes: their names.  conditions: log p(c | component) (N,) by name;
    "right" and "upper" are soft labels by position, so that powers of p(c|y) differ (docs/FORMULAS.md 1.6).
    """

    label: str
    mixture: GaussianMixture
    mode: Tensor
    modes: tuple[str, ...]
    conditions: dict[str, Tensor]

    def mode_of(self, x: Tensor) -> Tensor:
        """Index of the likeliest mode of each point (n, 2) -> (n,)."""
        return self.by_mode(self.mixture.component_probabilities(x, 1.0, _CLEAN)).argmax(1)

    def by_mode(self, by_component: Tensor) -> Tensor:
        """Probabilities of components (n, N) summed over each mode, (n, modes)."""
        out = torch.zeros(len(by_component), len(self.modes), dtype=by_component.dtype)
        return out.index_add_(1, self.mode, by_component)

    def log_likelihood(self, condition: str, x: Tensor) -> Tensor:
        """log p(c | y = x) of clean points (n, 2) -> (n,)."""
        by_component = self.mixture.component_probabilities(x, 1.0, _CLEAN)
        return torch.log((by_component * self.conditions[condition].exp()).sum(1).clamp(min=1e-300))

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(x0, x1, y0, y1) that holds three standard deviations around every mean."""
        spread = 3 * torch.sqrt(torch.diagonal(self.mixture.covariances, dim1=1, dim2=2))
        low, high = (self.mixture.means - spread).amin(0), (self.mixture.means + spread).amax(0)
        return float(low[0]), float(high[0]), float(low[1]), float(high[1])


def _soft_labels(means: Tensor) -> dict[str, Tensor]:
    """p(right | component), p(upper | component): logistic in the mean's place, half a standard deviation wide."""
    away = means - means.mean(0)
    width = 0.5 * torch.sqrt((away**2).mean(0)).clamp(min=1e-3)
    return {name: torch.nn.functional.logsigmoid(away[:, i] / width[i]) for i, name in enumerate(SOFT_LABELS)}


def make_target(
    label: str,
    means: Sequence[Sequence[float]] | Tensor,
    covariances: Tensor | float,
    weights: Sequence[float] | Tensor | None = None,
    mode: Sequence[int] | None = None,
    modes: Sequence[str] | None = None,
) -> Target:
    """A target from components; a number for ``covariances`` is a variance, each component a mode unless told."""
    means = torch.as_tensor(means, dtype=torch.float64)
    count = len(means)
    weights = torch.ones(count, dtype=torch.float64) if weights is None else torch.as_tensor(weights)
    if isinstance(covariances, float):
        covariances = covariances * torch.eye(2, dtype=torch.float64).expand(count, 2, 2)
    mode = torch.arange(count) if mode is None else torch.as_tensor(mode)
    names = tuple(modes) if modes is not None else tuple(str(i + 1) for i in range(int(mode.max()) + 1))
    return Target(label, GaussianMixture(weights, means, covariances), mode, names, _soft_labels(means))


def _two_modes() -> Target:
    mixture = two_modes()
    return make_target("Two modes, .7 and .3", mixture.means, mixture.covariances, [0.7, 0.3], modes=("upper", "lower"))


def _three_modes() -> Target:
    means = [[2.5, 0.0], [-1.5, 2.2], [-1.5, -2.2]]
    covariances = torch.tensor([[[0.1, 0.0], [0.0, 0.4]], [[0.3, 0.15], [0.15, 0.2]], [[0.3, -0.15], [-0.15, 0.2]]])
    return make_target("Three modes", means, covariances, [0.5, 0.3, 0.2], modes=("right", "upper", "lower"))


def _four_modes() -> Target:
    """The mixture of docs/FORMULAS.md 1.6, with its label."""
    means = [[1.5, 0.0], [0.0, 1.5], [-1.5, 0.0], [0.0, -1.5]]
    covariances = torch.tensor([0.5, 0.3, 0.5, 0.3])[:, None, None] * torch.eye(2)
    target = make_target("Four modes with a label", means, covariances, modes=("right", "upper", "left", "lower"))
    target.conditions["label"] = torch.log(torch.tensor([0.7, 0.3, 1e-9, 1e-9], dtype=torch.float64))
    return target


def _ring() -> Target:
    angle = torch.arange(8, dtype=torch.float64) * math.pi / 4
    return make_target("Ring of eight", 2.5 * torch.stack([angle.cos(), angle.sin()], 1), 0.2**2)


def _grid() -> Target:
    axis = torch.tensor([-2.0, 0.0, 2.0], dtype=torch.float64)
    return make_target("3 x 3 grid", torch.cartesian_prod(axis, axis), 0.2**2)


def _moons() -> Target:
    angle = torch.linspace(0, math.pi, 16, dtype=torch.float64)
    upper = torch.stack([1.6 * angle.cos() - 0.8, 1.6 * angle.sin() - 0.4], 1)
    return make_target(
        "Two moons", torch.cat([upper, -upper]), 0.17**2, mode=[0] * 16 + [1] * 16, modes=("upper", "lower")
    )


def _checkerboard() -> Target:
    """The eight dark cells of a 4 x 4 board, each 4 x 4 Gaussians."""
    cells = [(i, j) for i in range(4) for j in range(4) if (i + j) % 2 == 0]
    offset = (torch.arange(4, dtype=torch.float64) + 0.5) / 4
    inside = torch.cartesian_prod(offset, offset)
    means = torch.cat([1.5 * (torch.tensor(cell) + inside) - 3 for cell in cells])
    return make_target("Checkerboard", means, 0.16**2, mode=[cell for cell in range(8) for _ in range(16)])


def _spiral() -> Target:
    turn = torch.linspace(0.35, 1, 48, dtype=torch.float64) ** 0.6  # evenly along its length, nearly
    angle, radius = 3.5 * math.pi * turn, 2.9 * turn
    means = torch.stack([radius * angle.cos(), radius * angle.sin()], 1)
    return make_target(
        "Spiral", means, 0.14**2, mode=[n // 12 for n in range(48)], modes=("inner", "second", "third", "outer")
    )


def _pinwheel() -> Target:
    means, covariances, mode = [], [], []
    for arm in range(5):
        for part in range(6):
            radius = 0.6 + 0.42 * part
            angle = 2 * math.pi * arm / 5 + 0.28 * radius
            direction = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
            across = torch.stack([-direction[1], direction[0]])
            means.append(radius * direction)
            covariances.append(
                0.24**2 * torch.outer(direction, direction) + (0.05 + 0.05 * radius) ** 2 * torch.outer(across, across)
            )
            mode.append(arm)
    return make_target("Pinwheel", torch.stack(means), torch.stack(covariances), mode=mode)


_MAKERS: dict[str, Callable[[], Target]] = {
    "two_modes": _two_modes,
    "three_modes": _three_modes,
    "four_modes": _four_modes,
    "ring": _ring,
    "grid": _grid,
    "moons": _moons,
    "checkerboard": _checkerboard,
    "spiral": _spiral,
    "pinwheel": _pinwheel,
}
TARGETS = tuple(_MAKERS)


@cache
def named_target(name: str) -> Target:
    """One of :data:`TARGETS`; raises :class:`InvalidValue` for another name."""
    if name not in _MAKERS:
        raise InvalidValue(f"target {name!r} is unknown; there are {', '.join(TARGETS)}.")
    return _MAKERS[name]()


def target_of_modes(modes: Sequence[Sequence[float]]) -> tuple[Target, list[str]]:
    """A target from drawn modes (x, y, standard deviation, weight), and notes on what was merged.

    Modes of one place and size count as one: no sample could tell them apart.
    Raises :class:`InvalidValue` for none, or for a value outside its range.
    """
    if not len(modes):
        raise InvalidValue("the drawing is empty: add at least one mode, or choose a target.")
    merged: dict[tuple[float, float, float], list[float]] = {}
    numbers: dict[tuple[float, float, float], list[int]] = {}
    for number, (x, y, sd, weight) in enumerate(modes, start=1):
        if not (abs(x) <= FARTHEST and abs(y) <= FARTHEST):
            raise InvalidValue(
                f"mode {number} is at ({x:g}, {y:g}); coordinates go from -{FARTHEST:g} to {FARTHEST:g}."
            )
        if not NARROWEST <= sd <= WIDEST:
            raise InvalidValue(f"mode {number} has size {sd:g}; it must be from {NARROWEST:g} to {WIDEST:g}.")
        if not 0 < weight <= LARGEST:
            raise InvalidValue(f"mode {number} has weight {weight:g}; it must be above 0 and at most {LARGEST:g}.")
        key = (round(x, 6), round(y, 6), round(sd, 6))
        merged.setdefault(key, []).append(weight)
        numbers.setdefault(key, []).append(number)
    notes = [
        f"Modes {' and '.join(map(str, same))} coincide; they count as one."
        for same in numbers.values()
        if len(same) > 1
    ]
    places = torch.tensor(list(merged), dtype=torch.float64)
    covariances = (places[:, 2] ** 2)[:, None, None] * torch.eye(2, dtype=torch.float64)
    weights = [sum(parts) for parts in merged.values()]
    return make_target("Drawn modes", places[:, :2], covariances, weights), notes


def target_of_points(points: Tensor) -> tuple[Target, list[str]]:
    """A target from points (n, 2): a small Gaussian on each, as wide as half of Scott's rule; and notes.

    More than 400 points are thinned to 400 (an even choice); points outside the frame are shifted and scaled into it.
    Raises :class:`InvalidValue` for none or for numbers that are not finite.
    """
    points = torch.as_tensor(points, dtype=torch.float64)
    if points.dim() != 2 or points.shape[1] != 2 or not len(points):
        raise InvalidValue("the drawing is empty: add at least one point, or choose a target.")
    if not bool((points.abs() <= LARGEST).all()):
        raise InvalidValue(f"the points must be finite numbers of at most {LARGEST:g}.")
    notes = []
    if len(points) > MOST_COMPONENTS:
        notes.append(f"{MOST_COMPONENTS} of the {len(points):,} points are used, an even choice.")
        chosen = torch.randperm(len(points), generator=torch.Generator().manual_seed(0))[:MOST_COMPONENTS]
        points = points[chosen.sort().values]
    low, high = points.amin(0), points.amax(0)
    extent = float((high - low).max())
    tiny = 1e-9 * max(float(points.abs().max()), 1e-290)  # closer than that they are one place
    if bool((torch.maximum(low.abs(), high.abs()) > FARTHEST).any()) or tiny < extent < 0.1:
        middle, scale = (low + high) / 2, (5.0 / extent if extent > tiny else 1.0)
        points = (points - middle) * scale
        notes.append(
            f"The points were shifted by ({-middle[0]:.4g}, {-middle[1]:.4g}) and scaled by {scale:.4g} "
            "to fit the frame."
        )
    spread = float(torch.sqrt(points.var(0, unbiased=False).mean()))
    sd = max(0.5 * spread * len(points) ** (-1 / 6), 0.08)
    if len(points) == 1:
        notes.append(f"One point: the target is a single narrow mode of size {sd:g}.")
    target = make_target("Your points", points, sd**2, mode=_quadrants(points), modes=None)
    return target, notes


def _quadrants(points: Tensor) -> list[int]:
    """Modes of a cloud without labels: its quadrants around the mean, numbered as they occur."""
    above = (points > points.mean(0) + 1e-12).long()
    code = (2 * above[:, 1] + above[:, 0]).tolist()
    order = {value: number for number, value in enumerate(dict.fromkeys(code))}
    return [order[value] for value in code]
