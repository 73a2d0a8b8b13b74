"""Classifier-free guidance that is turned up too far: glaring colours, and the same few pictures again and again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..asking import ask_for, backbone_of
from ..law import LawReport, assess
from ..requests import CompareRequest, ConditionChoice, MethodChoice
from .draws import drawn
from .failure import Column, Evidence, Failure, Finished, Number, Variant
from .statistics import above, jackknife, mean, mean_distance, percent

_DRAWS = 48
_CLASS = "hearts"
_SETTINGS = (("1", "cfg", 1.0), ("3", "cfg", 3.0), ("8", "cfg", 8.0), ("apg", "apg", 8.0))
_LABELS = {"1": "CFG, strength 1", "3": "CFG, strength 3", "8": "CFG, strength 8", "apg": "APG, strength 8"}


def _request(method: str, strength: float, seed: int, backbone: str = "network") -> CompareRequest:
    return CompareRequest(
        backbone=backbone,
        conditions=(ConditionChoice(name=_CLASS),),
        strength=strength,
        steps=20,
        samples=8,
        seed=seed,
        methods=(MethodChoice(name=method),),
    )


def variants(seed: int) -> tuple[Variant, ...]:
    """Strengths 1, 3 and 8, and projected guidance at 8."""
    return tuple(
        Variant(name, _LABELS[name], _request(method, strength, seed), mended=name in ("1", "apg"))
        for name, method, strength in _SETTINGS
    )


def on_the_exact_model(seed: int) -> Iterator[float | dict[str, LawReport]]:
    """Shares done, and last how many pictures an exact model of the training pictures draws, by variant."""
    found: dict[str, LawReport] = {}
    for number, (name, method, strength) in enumerate(_SETTINGS):
        request = _request(method, strength, seed, "truth")
        backbone = backbone_of(request)
        for moment in drawn(request, _DRAWS):
            if isinstance(moment, float):
                yield (number + moment) / len(_SETTINGS)
            else:
                nearest = backbone.nearest(moment)[0].cpu().numpy()
                found[name] = assess(ask_for(request, backbone).law, nearest, np.arange(len(backbone.names)))
    yield found


def look(finished: Finished) -> Evidence:
    """Values beyond the screen and distances between samples, on the network; pictures drawn, on the exact model."""
    rows, beyond, apart, numbers = {}, {}, {}, {}
    exact: dict[str, LawReport] = finished.more
    for name in _LABELS:
        beyond[name] = percent(mean(finished.beyond_screen(name)))
        apart[name] = jackknife(finished.part(name).pictures, mean_distance)
        numbers[name] = Number(exact[name].effective, exact[name].effective_error)
        rows[name] = (beyond[name], apart[name], numbers[name])
    glaring, alike = above(beyond["8"], beyond["1"]), above(numbers["1"], numbers["8"])
    mended = above(beyond["8"], beyond["apg"])
    lost = (
        f"of {exact['1'].ideal:.0f} pictures that as many exact draws would show, it draws "
        f"{numbers['8'].value:.0f}, at strength 1 {numbers['1'].value:.0f}"
    )
    sentence = (
        f"At strength 8, {beyond['8'].value:.0f} % of all values are blacker than black or brighter than white "
        f"(strength 1: {beyond['1'].value:.0f} %), and on the exact model diversity is lost: {lost}."
        if glaring and alike
        else f"Only lost diversity shows in this run: {lost}."
        if alike
        else f"Only glaring colours show in this run: {beyond['8'].value:.0f} % of all values are beyond the screen at "
        f"strength 8, {beyond['1'].value:.0f} % at strength 1."
        if glaring
        else "In this run strength 8 neither glares nor repeats itself beyond chance: take another seed."
    )
    if mended:
        sentence += (
            f" Projected guidance of the same strength brings the glare down to {beyond['apg'].value:.0f} %; the "
            f"diversity it brings back only in part ({numbers['apg'].value:.0f})."
            if numbers["8"].value < numbers["apg"].value < numbers["1"].value
            else f" Projected guidance of the same strength brings the glare down to {beyond['apg'].value:.0f} %."
        )
    return Evidence(_COLUMNS, rows, sentence, glaring and alike, mended)


_COLUMNS = (
    Column("Beyond the screen", "%", "Pixel values more than six grey levels below black or above white."),
    Column("Between samples", "grey levels", "Root mean square distance between two samples, mean over all pairs."),
    Column(
        "Pictures drawn, exact model",
        "",
        f"Effective number of different pictures in {_DRAWS} draws where every prediction is exact. The law asked for "
        "is the same at every strength, as no picture is in two classes.",
    ),
)

FAILURE = Failure(
    name="oversaturation",
    title="High CFG: glaring and all alike",
    sees="As classifier-free guidance is turned up, hearts become glaring and then become the same heart.",
    why="The difference between the conditional and the unconditional prediction is added many times over: that pushes "
    "values past what any picture holds, and every sample to where the class is most certain.",
    mends="Less strength, guidance only at middle noise levels, or projected guidance (APG), which leaves out the part "
    "of the difference that only raises contrast. The diversity comes back with less strength alone.",
    equation=r"\hat y = D_\varnothing + w\,(D_c - D_\varnothing)\;\text{is not the prediction of}\;"
    r"p(y)\,p(c\mid y)^w",
    source="Ho & Salimans, arXiv 2207.12598; Sadat et al., arXiv 2410.02416 (APG)",
    variants=variants,
    look=look,
    more=on_the_exact_model,
)
