"""Sampling that starts at too little noise, as if the state held none of the picture: the prior error."""

from __future__ import annotations

import math
from collections.abc import Iterator

from gensot_demo.backbones.embedded import training_pictures

from ..asking import backbone_of
from ..requests import CompareRequest, MethodChoice
from .draws import drawn
from .failure import Column, Evidence, Failure, Finished, Number, Variant
from .statistics import above, jackknife, spread

_DRAWS = 256
_LEVELS = (("own", "From the model's own first noise level", 0.0), ("5", "From noise level 5", 5.0),
           ("2", "From noise level 2", 2.0))  # fmt: skip
_GREY = 127.5


def variants(seed: int) -> tuple[Variant, ...]:
    """From the model's own first noise level, and from two lower ones."""
    return tuple(Variant(name, label, _request(level, seed), mended=name == "own") for name, label, level in _LEVELS)


def _request(level: float, seed: int, backbone: str = "network") -> CompareRequest:
    return CompareRequest(
        backbone=backbone,
        first_noise=level,
        sampler="deterministic",
        steps=20,
        samples=12,
        seed=seed,
        methods=(MethodChoice(name="unguided"),),
    )


def spread_kept(deviation: float, first_noise: float, stochastic: bool = False) -> float:
    """Which share of its standard deviation a Gaussian coordinate keeps when sampling starts from its mean plus noise.

    The flow carries z - mean in proportion to sqrt(deviation^2 + sigma^2); it arrives at
    deviation sigma_1 / sqrt(deviation^2 + sigma_1^2). With noise on the way, y given z_1 has mean S z_1 with
    S = deviation^2 / (deviation^2 + sigma_1^2), and Var y = deviation^2 (1 - S^2).
    """
    shrink = deviation**2 / (deviation**2 + first_noise**2)
    return math.sqrt(1 - shrink**2) if stochastic else math.sqrt(1 - shrink)


def true_spread() -> float:
    """Standard deviation of the mean brightness over the training pictures as they are drawn, grey levels."""
    known = training_pictures()
    brightness = known.points.double().mean(1)
    mean = known.weights @ brightness
    return _GREY * math.sqrt(float(known.weights @ (brightness - mean).square()))


def on_the_exact_model(seed: int) -> Iterator[float | dict[str, tuple[Number, int]]]:
    """Shares done, and last (spread of the mean brightness in grey levels, different pictures) of many draws of the
    exact model, by variant."""
    found = {}
    for number, (name, _, level) in enumerate(_LEVELS):
        request = _request(level, seed, "truth")
        for moment in drawn(request, _DRAWS):
            if isinstance(moment, float):
                yield (number + moment) / len(_LEVELS)
            else:
                bright = _GREY * moment.double().mean(1).numpy()
                seen = backbone_of(request).nearest(moment)[0].unique()
                found[name] = (jackknife(bright, spread), len(seen))
    yield found


def look(finished: Finished) -> Evidence:
    """Spread of the samples' brightness on the network and on the exact model, and what a Gaussian would keep."""
    rows, network, exact, kept = {}, {}, {}, {}
    true = true_spread()
    width = true / _GREY * math.sqrt(training_pictures().points.shape[1])  # of the state along the brightness
    for name, _, level in _LEVELS:
        bright = _GREY * finished.part(name).states[-1].double().mean(1).numpy()
        first = level or float(finished.part(name).levels[0])
        network[name] = jackknife(bright, spread)
        exact[name], drawn_pictures = finished.more[name]
        kept[name] = true * spread_kept(width, first)
        rows[name] = (network[name], exact[name], Number(kept[name]), Number(float(drawn_pictures)))
    truth = Number(true)
    shown = all(above(truth, measured["2"]) for measured in (network, exact))
    mended = not above(truth, exact["own"])
    if shown:
        sentence = (
            f"The training pictures' brightness spreads by {true:.0f} grey levels. Started at noise 2, the network's "
            f"samples spread by {network['2'].value:.0f} ± {network['2'].error:.0f}, and the exact model draws "
            f"{rows['2'][3].value:.0f} different pictures of {_DRAWS} in place of {rows['own'][3].value:.0f}."
        )
    else:
        sentence = "In this run the low start does not show beyond chance: take another seed."
    if mended:
        first, spreads = finished.part("own").levels[0], exact["own"]
        sentence += f" From noise {first:.0f} the exact model spreads by {spreads.value:.0f} ± {spreads.error:.0f}."
    return Evidence(_COLUMNS, rows, sentence, shown, mended)


_COLUMNS = (
    Column("Brightness, network", "grey levels", "Standard deviation of the mean brightness over the samples."),
    Column("Brightness, exact model", "grey levels", f"The same of {_DRAWS} draws where every prediction is exact."),
    Column("If Gaussian", "grey levels", "What the same start leaves of the true spread if pictures were Gaussian."),
    Column("Different pictures", "", f"Among {_DRAWS} draws of the exact model."),
)

FAILURE = Failure(
    name="prior_error",
    title="Started with prior error",
    sees="Started at noise level 5 or 2, samples are more and more equally bright and alike; from the model's "
    "own first level they are as varied as the training pictures.",
    why="The start is drawn as mean plus noise, as if nothing of the picture were left in it. But the "
    "brightness of a whole picture still outweighs noise of level 5, and what the start leaves out no later step "
    "brings back.",
    mends="A first noise level far above the spread of the data, not of a pixel but of a whole picture; a "
    "last training step of pure noise (zero terminal SNR).",
    equation=r"z_1 = \bar y + \sigma_1\varepsilon\;\text{for}\; y + \sigma_1\varepsilon:\quad"
    r"\mathrm{sd}\,\to\,\mathrm{sd}\cdot\frac{\sigma_1}{\sqrt{\mathrm{sd}^2+\sigma_1^2}}\;\text{(Gaussian data, flow)}",
    source="Lin et al., arXiv 2305.08891 (zero terminal SNR); Wang et al., arXiv 2410.13431 (prior error)",
    variants=variants,
    look=look,
    more=on_the_exact_model,
)
