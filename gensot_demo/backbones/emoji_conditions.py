"""Conditions on a picture collection: positive weights p(c|y), one per picture, and the laws their products define.

Three kinds. A *group* or a *keyword* is a yes or no per picture; an *attribute* is a smooth number computed from the
pixels. Each is floored at `FLOOR` of its maximum, because with exclusive hard classes every power of p(y|c)/p(y) is
the same law and every product of two classes is empty.

Attributes. Pixels are counted in 32 x 32 x 32 colour bins and each bin is shared among the named colours by a softmax
of -(Oklab distance / 0.05)^2 to the nearest of a few prototypes per colour (Oklab: B. Ottosson, 2020). The
*silhouette* of a picture is what is not white, plus the white that has something to its left, right, above and below;
*ink* is the silhouette without white. With r(u; h, p) = u^p / (u^p + h^p), a smooth rise through 1/2 at u = h, and
S(u; c, w) = 1 / (1 + exp(-(u - c) / w)):

    a colour       r(share of the ink; .45, 6), white: of the silhouette; times r(area of the ink; .03, 4)
    bright, dark   S(+-(mean Oklab lightness of the silhouette - c); 0, .02), c = .87 and .47
    round          S(overlap with the disc of the same centre and area, intersection over union; .945, .01)
    symmetric      S(-mirror difference; -.055, .008): mean |left - right| inside the silhouette, least over five axes
    colourful      S(effective number exp(H) of chromatic colours x their share of the ink; 2.8, .2)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FLOOR = 1e-3
HOLDS = 10 * FLOOR
LARGEST_TRUST = 10.0
SMALLEST_SHARE = 0.5
FEWEST_WITH_KEYWORD = 8

Kind = Literal["group", "attribute", "keyword"]


class EmptyCondition(ValueError):
    """A product of conditions that no picture, or hardly any, fulfils."""


@dataclass(frozen=True, eq=False)
class Condition:
    """`weights[i]` = p(c | picture i), float64 (n,) in (0, 1], read-only, at least `FLOOR` of its maximum."""

    name: str
    label: str
    kind: Kind
    weights: NDArray[np.float64]

    def __post_init__(self) -> None:
        weights = np.array(self.weights, dtype=np.float64)
        if weights.ndim != 1 or weights.size == 0:
            raise ValueError(f"weights of condition {self.name!r}: shape {weights.shape}, expected (n,) with n >= 1")
        if not np.isfinite(weights).all() or weights.min() < 0 or not 0 < weights.max() <= 1:
            raise ValueError(f"weights of condition {self.name!r}: outside [0, 1], not finite, or zero everywhere")
        weights = np.maximum(weights, FLOOR * weights.max())
        weights.setflags(write=False)
        object.__setattr__(self, "weights", weights)

    @property
    def holds(self) -> NDArray[np.bool_]:
        """Where the condition is met at all, shape (n,): the weight is at least `HOLDS` (ten floors) of its maximum."""
        return self.weights >= HOLDS * self.weights.max()


# --- combining ------------------------------------------------------------------------------------------------------


def combine(conditions_with_trusts: Sequence[tuple[Condition, float]]) -> NDArray[np.float64]:
    """The law proportional to (1/n) prod_m w_m^(k_m) over pictures, shape (n,), sum 1; trusts k_m in [0, 10].

    Raises EmptyCondition when, with every positive trust set to 1, the pictures for which all conditions hold get
    less than half of the law: then most draws would come from the floors, pictures that miss a part of what was
    asked. Trusts do not enter this test, so that a small trust stays a legitimate way to ask for little. Raises
    ValueError for a trust outside [0, 10], for conditions of different lengths, or for no condition.
    """
    if not conditions_with_trusts:
        raise ValueError("conditions_with_trusts is empty: expected at least one condition")
    for condition, trust in conditions_with_trusts:
        if not 0 <= trust <= LARGEST_TRUST:
            raise ValueError(
                f"trust of condition {condition.name!r} is {trust}: expected a number in [0, {LARGEST_TRUST:g}]"
            )
    lengths = {condition.weights.size for condition, _ in conditions_with_trusts}
    if len(lengths) > 1:
        raise ValueError(f"conditions of different collections: {sorted(lengths)} pictures")

    active = [condition for condition, trust in conditions_with_trusts if trust > 0]
    if active:
        _refuse_if_empty(active)
    return _normalised(sum(trust * np.log(condition.weights) for condition, trust in conditions_with_trusts))


def effective_number(law: NDArray[np.float64]) -> float:
    """exp(entropy) of a probability vector: between 1 and n, the number of pictures it is spread over."""
    positive = law[law > 0]
    return float(np.exp(-(positive * np.log(positive)).sum()))


def _normalised(log_weights: NDArray[np.float64]) -> NDArray[np.float64]:
    law = np.exp(log_weights - log_weights.max())
    return law / law.sum()


def _refuse_if_empty(active: list[Condition]) -> None:
    all_hold = np.logical_and.reduce([condition.holds for condition in active])
    share = float(_normalised(sum(np.log(condition.weights) for condition in active))[all_hold].sum())
    if share >= SMALLEST_SHARE:
        return
    quoted = [f'"{condition.name}"' for condition in active]
    listed = {1: quoted[0], 2: "both " + " and ".join(quoted[:2])}.get(
        len(quoted), f"all of {', '.join(quoted[:-1])} and {quoted[-1]}"
    )
    pictures = [f"{int(condition.holds.sum())} for {name}" for condition, name in zip(active, quoted, strict=True)]
    count = int(all_hold.sum())
    if count == 0:
        found = f"No picture is {listed}"
    else:
        found = f"Hardly any picture is {listed} ({count}, and too faintly: {share:.1%} of the draws)"
    raise EmptyCondition(f"{found}; there are {', '.join(pictures)}. Remove or exchange one of them.")


# --- colours --------------------------------------------------------------------------------------------------------

# A few prototypes per colour name, spread over the shades that a person calls by that name.
COLOURS: dict[str, tuple[str, ...]] = {
    "red": ("f44336", "e53935", "c62828", "d50000", "b71c1c", "ff3d3d"),
    "orange": ("fb8c00", "ff9800", "f57c00", "ef6c00", "ffa726", "ff7043"),
    "yellow": ("fdd835", "ffeb3b", "fcc21b", "ffca28", "fff176", "fff59d", "fbc02d"),
    "green": (
        "43a047",
        "66bb6a",
        "7cb342",
        "1b5e20",
        "2e7d32",
        "9ccc65",
        "00897b",
        "a5d6a7",
        "c0ca33",
        "689f38",
        "00bfa5",
    ),
    "blue": (
        "1e88e5",
        "42a5f5",
        "1565c0",
        "90caf9",
        "40c4ff",
        "0d47a1",
        "29b6f6",
        "b3e5fc",
        "00bcd4",
        "283593",
        "304ffe",
        "81d4fa",
    ),
    "purple": ("8e24aa", "ab47bc", "5e35b1", "7e57c2", "b39ddb", "4a148c", "ce93d8", "7c4dff", "9c27b0"),
    "pink": ("f48fb1", "ec407a", "f06292", "f8bbd0", "ff80ab", "ffb3c7", "e91e63", "f5a9c0"),
    "brown": ("6d4c41", "8d6e63", "a1887f", "5d4037", "a56c43", "795548", "bf8a5e", "8b5a2b"),
    "black": ("000000", "212121", "2f2f2f", "263238", "403d3d", "484444", "37393a", "424242"),
    "grey": ("757575", "9e9e9e", "bdbdbd", "616161", "78909c", "90a4ae", "b0bec5", "cfd8dc", "546e7a"),
    "white": ("ffffff", "fafafa", "f2f2f2", "e8e8e8", "e0e0e0"),
}
ATTRIBUTES = (*COLOURS, "bright", "dark", "round", "symmetric", "colourful")
CHROMATIC = ("red", "orange", "yellow", "green", "blue", "purple", "pink")
BITS = 5
CHUNK = 16
OKLAB_WIDTH = 0.05

_TO_CONE = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def oklab(srgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Oklab lightness and two opponent axes of sRGB values in [0, 1], (..., 3) to (..., 3) (B. Ottosson, 2020)."""
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ _TO_CONE.T) @ _TO_LAB.T


@lru_cache(maxsize=1)
def _bin_table() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Per colour bin: its share in each named colour (bins, colours), and its Oklab lightness (bins,)."""
    levels = 1 << BITS
    axis = np.arange(levels) / (levels - 1)
    lab = oklab(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3))
    energy = np.empty((len(lab), len(COLOURS)))
    for column, prototypes in enumerate(COLOURS.values()):
        srgb = np.array([[int(code[k : k + 2], 16) / 255 for k in (0, 2, 4)] for code in prototypes])
        squared = ((lab[:, None, :] - oklab(srgb)[None, :, :]) ** 2).sum(axis=-1)
        energy[:, column] = squared.min(axis=1) / OKLAB_WIDTH**2
    shares = np.exp(energy.min(axis=1, keepdims=True) - energy)
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32), lab[:, 0].astype(np.float32)


# --- attributes -----------------------------------------------------------------------------------------------------


def _rise(value: NDArray[np.float64], half: float, power: float) -> NDArray[np.float64]:
    return value**power / (value**power + half**power)


def _step(value: NDArray[np.float64], centre: float, width: float) -> NDArray[np.float64]:
    return 0.5 * (1 + np.tanh((value - centre) / (2 * width)))


def silhouettes(pictures: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """What each picture covers, (n, res, res): not white, or with something to its left, right, above and below."""
    drawn = (pictures[..., 0] < 250) | (pictures[..., 1] < 250) | (pictures[..., 2] < 250)
    inside = np.ones_like(drawn)
    for axis in (1, 2):
        inside &= np.logical_or.accumulate(drawn, axis=axis)
        inside &= np.flip(np.logical_or.accumulate(np.flip(drawn, axis=axis), axis=axis), axis=axis)
    return inside


def colour_shares(
    pictures: NDArray[np.uint8], inside: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of each silhouette in each of `COLOURS`, (n, colours), rows of sum 1; its mean Oklab lightness, (n,)."""
    table, lightness = _bin_table()
    red, green, blue = ((pictures[..., channel][inside] >> (8 - BITS)).astype(np.intp) for channel in range(3))
    codes = (red << (2 * BITS)) | (green << BITS) | blue
    area = inside.sum(axis=(1, 2))
    ends = np.concatenate([[0], np.cumsum(area)])
    means = np.empty((len(pictures), len(COLOURS) + 1))
    # One column at a time: a column of the table stays in the cache, a row of it for every pixel would not.
    for index, column in enumerate([*table.T.copy(), lightness]):
        running = np.concatenate([[0.0], np.cumsum(column[codes], dtype=np.float64)])
        means[:, index] = np.diff(running[ends]) / np.maximum(area, 1)
    return means[:, :-1], means[:, -1]


def roundness(inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Intersection over union of each silhouette with the disc of the same centre and area, in [0, 1], shape (n,)."""
    side = inside.shape[-1]
    grid = np.arange(side) + 0.5
    area = np.maximum(inside.sum(axis=(1, 2)), 1)
    across = (inside.sum(axis=1) @ grid / area)[:, None, None]
    down = (inside.sum(axis=2) @ grid / area)[:, None, None]
    disc = (grid[None, None, :] - across) ** 2 + (grid[None, :, None] - down) ** 2 <= (area / np.pi)[:, None, None]
    return (disc & inside).sum(axis=(1, 2)) / np.maximum((disc | inside).sum(axis=(1, 2)), 1)


def mirror_difference(pictures: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean |left - right| / 255 over the silhouette, the least over upright axes up to one pixel off centre, (n,)."""
    area = np.maximum(inside.sum(axis=(1, 2)), 1) * 3
    mirrored = pictures[:, :, ::-1]
    best = np.full(len(pictures), np.inf)
    for shift in (-2, -1, 0, 1, 2):
        moved = np.roll(mirrored, shift, axis=2)
        difference = np.maximum(pictures, moved) - np.minimum(pictures, moved)
        best = np.minimum(best, difference.reshape(len(pictures), -1).sum(axis=1, dtype=np.int64) / 255 / area)
    return best


def _measure(pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float64], ...]:
    inside = silhouettes(pictures)
    shares, lightness = colour_shares(pictures, inside)
    return shares, lightness, roundness(inside), mirror_difference(pictures, inside), inside.mean(axis=(1, 2))


def attribute_conditions(pictures: NDArray[np.uint8]) -> list[Condition]:
    """The soft attributes of uint8 pictures of shape (n, res, res, 3); formulas in the module's docstring."""
    # Few pictures at a time: the work fits the cache and no large array is allocated.
    measured = [_measure(pictures[start : start + CHUNK]) for start in range(0, len(pictures), CHUNK)]
    shares, lightness, overlap, difference, covered = (np.concatenate(parts) for parts in zip(*measured, strict=True))
    names = list(COLOURS)
    white = shares[:, names.index("white")]
    ink = 1 - white
    of_ink = shares / np.maximum(ink, 1e-9)[:, None]
    enough = _rise(ink * covered, 0.03, 4)

    found: list[Condition] = []

    def add(name: str, label: str, weights: NDArray[np.float64]) -> None:
        found.append(Condition(name, label, "attribute", weights))

    for column, name in enumerate(names):
        share = white if name == "white" else of_ink[:, column]
        add(name, f"mostly {name}", _rise(share, 0.45, 6) * (1.0 if name == "white" else enough))
    add("bright", "light colours", _step(lightness, 0.87, 0.02))
    add("dark", "dark colours", _step(-lightness, -0.47, 0.02))
    add("round", "the shape of a disc", _step(overlap, 0.945, 0.01))
    add("symmetric", "left and right are mirror images", _step(-difference, -0.055, 0.008))
    chromatic = np.clip(of_ink[:, [names.index(name) for name in CHROMATIC]], 1e-12, None)
    total = chromatic.sum(axis=1)
    within = chromatic / total[:, None]
    variety = np.exp(-(within * np.log(within)).sum(axis=1)) * total
    add("colourful", "many colours", _step(variety, 2.8, 0.2))
    return found


# --- all conditions of a collection ---------------------------------------------------------------------------------


def build_conditions(
    pictures: NDArray[np.uint8], groups: Sequence[str], keywords: Sequence[frozenset[str]]
) -> dict[str, Condition]:
    """Conditions by name: groups as they appear, attributes, then the keywords of at least 8 pictures, sorted.

    A keyword that is also the name of a group or an attribute is called "<keyword> (keyword)".
    """
    members = np.array(groups)
    found = [Condition(group, group, "group", members == group) for group in dict.fromkeys(groups)]
    found += attribute_conditions(pictures)
    for name, word in _keyword_names(groups, keywords).items():
        found.append(Condition(name, f'tagged "{word}"', "keyword", np.array([word in words for words in keywords])))
    return {condition.name: condition for condition in found}


def condition_names(groups: Sequence[str], keywords: Sequence[frozenset[str]]) -> list[str]:
    """The names of :func:`build_conditions` in its order, without looking at a pixel."""
    return [*dict.fromkeys(groups), *ATTRIBUTES, *_keyword_names(groups, keywords)]


def _keyword_names(groups: Sequence[str], keywords: Sequence[frozenset[str]]) -> dict[str, str]:
    """Frequent keywords by the name of their condition."""
    taken = {*groups, *ATTRIBUTES}
    counts = Counter(word for words in keywords for word in words)
    frequent = sorted(w for w, count in counts.items() if count >= FEWEST_WITH_KEYWORD and any(map(str.isalpha, w)))
    return {f"{word} (keyword)" if word in taken else word: word for word in frequent}
