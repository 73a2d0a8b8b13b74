"""A guide against a hard end: it leads the way and chooses nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..requests import CompareRequest, MethodChoice, ReferenceChoice
from .failure import Column, Evidence, Failure, Finished, Number, Variant
from .statistics import above, mean

_HARD = 100.0  # view noise: a view so faint says nothing
_SOFT = 4.0
_SETTINGS = (
    ("none", "No guide", {"guide": "origin"}, _HARD),
    ("guide", "Guide at the picture", {}, _HARD),
    ("stiff", "The guide, twenty times as stiff", {"stiffness": 1000.0}, _HARD),
    ("soft", "The guide and a soft end", {}, _SOFT),
)
_SAME = 1.0  # grey level: what no eye sees


def variants(seed: int) -> tuple[Variant, ...]:
    """No guide, a guide, a stiff one, and a soft end."""
    return tuple(
        Variant(name, label, _request(settings, noise, seed), mended=name == "soft")
        for name, label, settings, noise in _SETTINGS
    )


def _request(settings: dict, noise: float, seed: int) -> CompareRequest:
    return CompareRequest(
        backbone="network",
        references=(ReferenceChoice(emoji="red heart"),),
        view_noise=noise,
        steps=20,
        samples=8,
        seed=seed,
        methods=(MethodChoice(name="gensot", settings=settings),),
    )


def look(finished: Finished) -> Evidence:
    """How near the picture the state is half-way, how near the sample is at the end, and what the guide has moved."""
    rows = {}
    free = finished.part("none").states[-1]
    for name, _, _, _ in _SETTINGS:
        part = finished.part(name)
        centre = finished.results[name].asked.task.references[0].to(part.states)
        half = part.states[len(part.index) // 2] - centre
        rows[name] = (
            mean(_grey(half)),
            mean(part.success[0].values),
            mean(_grey(part.states[-1] - free)) if name != "none" else Number(0.0),
        )
    led = above(rows["none"][0], rows["stiff"][0])
    unmoved = max(rows["guide"][2].value, rows["stiff"][2].value) < _SAME
    mended = above(rows["stiff"][1], rows["soft"][1])
    if led and unmoved:
        sentence = (
            f"The stiff guide holds the state {rows['stiff'][0].value:.0f} grey levels from the picture half-way "
            f"(without a guide {rows['none'][0].value:.0f}), and yet moves the samples by "
            f"{_said(rows['stiff'][2].value)}: they end {rows['stiff'][1].value:.0f} grey levels from it, as without."
        )
    else:
        sentence = (
            f"In this run the guide moves the samples by {rows['stiff'][2].value:.1f} grey levels: the steps are too "
            "coarse for it."
        )
    if mended:
        sentence += f" With a soft end they come to {rows['soft'][1].value:.0f}."
    return Evidence(_COLUMNS, rows, sentence, led and unmoved, mended)


def _said(grey_levels: float) -> str:
    return f"{grey_levels:.2f}" if grey_levels >= 0.01 else "less than 0.01"


def _grey(difference: Tensor) -> NDArray[np.float64]:
    return difference.square().mean(1).sqrt().double().numpy() * 127.5


_COLUMNS = (
    Column("State half-way", "grey levels", "Distance of the state from the picture after half of the steps."),
    Column("Sample", "grey levels", "Distance of the delivered picture from the one that the guide points at."),
    Column("Moved", "grey levels", "Distance of each sample from what the same noise gives unguided."),
)

FAILURE = Failure(
    name="hard_end",
    title="A guide against a hard end",
    sees="The guide stands at a red heart, as stiff as can be, and the samples are the very ones that come without "
    "it; a soft end makes hearts of them.",
    why="With a hard end the final law is prescribed, so the optimal control takes back at the end whatever the guide "
    "has done: it decides how to travel, not where to.",
    mends="A soft end: let the guide's pull count at the end too, which is a noisy view of the picture. "
    "Or change the target itself, by conditions or a reward.",
    equation=r"x_t = \alpha_t y + \gamma_t + s_t\varepsilon,\quad \gamma_1 = 0,\quad y \sim p_1\;"
    r"\text{(hard)};\qquad y \sim p_1\,\mathcal N(r, \nu^2 I)/Z\;\text{(soft)}",
    source="Chertkov, arXiv 2512.11859",
    variants=variants,
    look=look,
)
