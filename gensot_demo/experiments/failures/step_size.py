"""Diffusion posterior sampling with too large a step: past the picture, off the data, to infinity."""

from __future__ import annotations

from ..requests import CompareRequest, MethodChoice, ReferenceChoice
from .failure import Column, Evidence, Failure, Finished, Number, Variant
from .statistics import above, mean, percent

_METHODS = (
    ("1", "DPS, step size 1", MethodChoice(name="dps")),
    ("3", "DPS, step size 3", MethodChoice(name="dps", settings={"scale": 3.0})),
    ("10", "DPS, step size 10", MethodChoice(name="dps", settings={"scale": 10.0})),
    ("gensot", "GenSOT, no step to choose", MethodChoice(name="gensot")),
)


def variants(seed: int) -> tuple[Variant, ...]:
    """Step sizes 1 (Bayes' rule), 3 and 10, and the closed form."""
    return tuple(
        Variant(name, label, _request(method, seed), mended=name in ("1", "gensot")) for name, label, method in _METHODS
    )


def _request(method: MethodChoice, seed: int) -> CompareRequest:
    return CompareRequest(
        backbone="network",
        references=(ReferenceChoice(emoji="cat face"),),
        view_noise=0.6,
        steps=20,
        samples=6,
        seed=seed,
        methods=(method,),
    )


def look(finished: Finished) -> Evidence:
    """Distances to the picture and to the nearest training picture, and values beyond the screen."""
    rows, beyond, away = {}, {}, {}
    for name, _, _ in _METHODS:
        part = finished.part(name)
        if part is None:
            rows[name] = (Number(None),) * 3
            continue
        beyond[name], away[name] = percent(mean(finished.beyond_screen(name))), mean(part.distance)
        rows[name] = (mean(part.success[0].values), beyond[name], away[name])
    shown = "10" in finished.errors or above(beyond["10"], beyond["1"])
    mended = above(beyond.get("10", Number(100.0)), beyond["gensot"]) if "10" in beyond else "gensot" in beyond
    if "10" in finished.errors:
        sentence = f"At step size 10 the run breaks off. {finished.errors['10']}"
    elif shown:
        times = away["10"].value / away["1"].value
        sentence = (
            f"At step size 10, {beyond['10'].value:.0f} % of all values are beyond black or white (step size 1: "
            f"{beyond['1'].value:.0f} %), and samples lie {times:,.0f} times as far from every training picture."
        )
    else:
        return Evidence(_COLUMNS, rows, "In this run step size 10 holds: take another seed.", False, mended)
    closest = min((name for name in rows if rows[name][0].value is not None), key=lambda name: rows[name][0].value)
    if "3" in beyond and above(beyond["3"], beyond["1"]):
        sentence += f" Step size 3 already overshoots, with {beyond['3'].value:.0f} %."
    label = next(label for name, label, _ in _METHODS if name == closest)
    sentence += f" Nearest to the picture: {label}."
    return Evidence(_COLUMNS, rows, sentence, shown, mended)


_COLUMNS = (
    Column("To the picture", "grey levels", "Root mean square distance to the picture that is followed."),
    Column("Beyond the screen", "%", "Values more than six grey levels below black or above white."),
    Column(
        "To the training pictures",
        "grey levels",
        "Distance to the nearest picture that the network learnt from, before a screen cuts values off.",
    ),
)

FAILURE = Failure(
    name="step_size",
    title="DPS with too large a step",
    sees="The cat is found at step size 1, speckled at 3 and lost in garish noise at 10.",
    why="Each step moves the prediction along a gradient by a step that was fixed beforehand; where the step is more "
    "than about twice the distance to the picture, every correction lands further off than the last.",
    mends="Bayes' own step size, a looser view, or a correction in closed form (GenSOT), which has no step to choose.",
    equation=r"\hat y = D + \lambda\,\tfrac{\mathrm{Cov}(y\mid x)}{\nu^2}(r - D):\quad"
    r"\text{it overshoots where }\lambda\,\mathrm{Cov}/\nu^2 > 1\text{, ever farther where } > 2",
    source="Chung et al., arXiv 2209.14687",
    variants=variants,
    look=look,
)
