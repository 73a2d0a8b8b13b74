"""Memorised training pictures: a perfect model of a finite collection has nothing else to give."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from gensot_demo.backbones.embedded import training_pictures

from ..requests import CompareRequest, ConditionChoice, MethodChoice
from .draws import drawn
from .failure import Column, Evidence, Failure, Finished, Number, Variant
from .statistics import above, percent, share

RATIO = 1 / 3
_DRAWS = 16  # beside those on the wall
_CLASS = "shapes"
_NAMES = ("exact", "guided", "network")


def variants(seed: int) -> tuple[Variant, ...]:
    """The exact model, the network guided hard to a small class, and the network."""
    plain = {"steps": 20, "samples": 8, "seed": seed}
    few = {"conditions": (ConditionChoice(name=_CLASS),), "strength": 3.0}
    unguided, cfg = (MethodChoice(name="unguided"),), (MethodChoice(name="cfg"),)
    exact, guided, network = (
        CompareRequest(backbone="truth", methods=unguided, **plain),
        CompareRequest(backbone="network", methods=cfg, **few, **plain),
        CompareRequest(backbone="network", methods=unguided, **plain),
    )
    return (
        Variant("exact", "Perfect model", exact),
        Variant("guided", "Network, guided to shapes", guided),
        Variant("network", "Network, unguided", network, mended=True),
    )


def nearness(states: torch.Tensor) -> torch.Tensor:
    """Distance to the nearest training picture over that to the second nearest, (n,), of states (n, d)."""
    nearest = torch.cdist(states.double(), training_pictures().points.double()).topk(2, largest=False).values
    return nearest[:, 0] / nearest[:, 1]


def more(seed: int) -> Iterator[float | dict[str, torch.Tensor]]:
    """Shares done, and last the :func:`nearness` of more samples (n,) by variant."""
    found = {}
    for number, variant in enumerate(variants(seed)):
        beyond = variant.request.model_copy(update={"seed": seed + variant.request.samples})
        for moment in drawn(beyond, _DRAWS):
            if isinstance(moment, float):
                yield (number + moment) / len(_NAMES)
            else:
                found[variant.name] = nearness(moment)
    yield found


def look(finished: Finished) -> Evidence:
    """Which share of the samples is memorised."""
    rows, copied = {}, {}
    for name in _NAMES:
        ratio = torch.cat([nearness(finished.part(name).states[-1]), finished.more[name]])
        copied[name] = percent(share(int((ratio < RATIO).sum()), len(ratio)))
        rows[name] = (copied[name], Number(float(ratio.median())))
    shown = above(copied["exact"], copied["network"])
    mended = not above(copied["network"], Number(0.0))
    numbers = (
        f"{copied['exact'].value:.0f} % of {len(ratio)} samples are copies, of the network's {_of(copied['network'])}"
    )
    sentence = (
        f"Of the perfect model {numbers}, and guided hard to {_few()} pictures {_of(copied['guided'])}."
        if shown
        else f"In this run the models do not differ: of the perfect model {numbers}."
    )
    return Evidence(_COLUMNS, rows, sentence, shown, mended)


def _few() -> int:
    """How many training pictures the small class has."""
    known = training_pictures()
    return int((known.labels == known.classes.index(_CLASS)).sum())


def _of(number: Number) -> str:
    return f"{number.value:.0f} ± {number.error:.0f} %"


_COLUMNS = (
    Column("Copies", "%", "Samples less than a third as far from one training picture as from every other."),
    Column(
        "Ratio", "", "Distance to the nearest training picture over that to the second nearest, median: 0 is a copy."
    ),
)

FAILURE = Failure(
    name="memorised",
    title="Memorised training pictures",
    sees="The perfect model paints flawless emoji, and every one of them is a training picture to the last pixel.",
    why="The best possible denoiser of finitely many pictures can only ever predict their averages, and at low noise "
    "one of them; what a network makes anew comes from not being perfect.",
    mends="More pictures than the network can hold, copies removed, mirrored and shifted pictures while training: this "
    "network saw both. Guided hard to a small class, it may copy again.",
    equation=r"D(z,\sigma) = \sum_i \mathrm{softmax}_i\!\bigl(-|z-y_i|^2/2\sigma^2\bigr)\,y_i \to y_{\text{nearest}}"
    r"\;(\sigma\to0);\qquad \text{copy: } |x-y_{(1)}| < \tfrac13|x-y_{(2)}|",
    source="Yoon et al., ICML 2023 workshop (criterion); Gu et al., arXiv 2310.02664",
    variants=variants,
    look=look,
    more=more,
)
