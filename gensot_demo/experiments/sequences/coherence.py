"""What helps coherence? One method, one motion, a few ways to link the frames, side by side.

A path guide cannot: in z = (x - g)/a every step but Euler-Maruyama's is the same for all paths, so what arrives does
not know what the path was held to (docs/FORMULAS.md 2). The run shows it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from gensot_demo.guidance.gensot import GenSOT
from gensot_demo.guidance.registry import REGISTRY
from gensot_demo.transport.catalogue import SAMPLERS

from ..requests import MethodChoice, parse
from .measures import STILL, apart
from .request import SequenceRequest
from .run import MethodFilm, Progress, sequence

_TELLING = 0.1  # a smaller share of the change is not called a difference
_SAME = 0.5  # grey levels: rounding of pixels and of float32


@dataclass(frozen=True)
class Way:
    """One way to link the frames: ``label`` for a table, ``phrase`` for a sentence."""

    name: str
    label: str
    phrase: str
    request: SequenceRequest


@dataclass(frozen=True)
class Variant:
    """What became of it.  away: from the plain film, root mean square in grey levels."""

    way: Way
    film: MethodFilm
    away: float


@dataclass(frozen=True)
class Coherence:
    """What is known so far; ``done`` is 1 once all is.  own: the reference's mean change.  doing: the way under way."""

    variants: tuple[Variant, ...]
    own: float
    done: float
    seconds: float
    doing: str = ""


def ways(request: SequenceRequest, method: str) -> list[Way]:
    """The plain case first: shared noise, frames that know nothing of each other, a stochastic sampler."""
    choice = next((one for one in request.methods if one.name == method), None) or MethodChoice(name=method)
    plain = {
        **dict(request),
        "methods": (choice,),
        "noise": "shared",
        "memory": "none",
        "sampler": request.sampler if SAMPLERS[request.sampler].stochastic else "averaged",
    }
    trust = request.trust
    found = [
        ("shared", "Shared noise, frames apart", "the plain film", {}),
        ("fresh", "Fresh noise in every frame", "fresh noise", {"noise": "fresh"}),
        ("deterministic", "Deterministic sampler", "the deterministic sampler", {"sampler": "deterministic"}),
    ]
    if issubclass(REGISTRY.get(method), GenSOT):
        found.append(("guide", "Path guided by the frame before", "the path guide", {"memory": "guide"}))
    label = f"Frame before followed, trust {trust:g}"
    found.append(("reference", label, "following the frame before", {"memory": "reference", "trust": trust}))
    return [Way(name, label, phrase, parse(SequenceRequest, **{**plain, **own})) for name, label, phrase, own in found]


def coherence(request: SequenceRequest, method: str) -> Iterator[Coherence]:
    """Run every way, one after the other.

    Raises InvalidRequest with a sentence when the method cannot follow a picture.
    """
    began = time.perf_counter()
    planned = ways(request, method)
    known: list[Variant] = []
    own = float("nan")
    for number, way in enumerate(planned):
        for moment in sequence(way.request):
            share = moment.done if isinstance(moment, Progress) else 1.0
            if not isinstance(moment, Progress):
                own, film = moment.steadiness.change, moment.methods[method]
                known.append(Variant(way, film, apart(film.pictures, (known[0].film if known else film).pictures)))
            done = (number + share) / len(planned)
            yield Coherence(tuple(known), own, done, time.perf_counter() - began, way.label)


def finding(found: Coherence) -> str:
    """What the numbers say; nothing before all of them are there."""
    if found.done < 1:
        return ""
    plain, *others = found.variants
    guide = next((variant for variant in others if variant.way.name == "guide"), None)
    judged = [variant for variant in others if variant is not guide]
    change = plain.film.steadiness.change
    helped = [v for v in judged if v.film.steadiness.change < (1 - _TELLING) * change]
    hurt = [v for v in judged if v.film.steadiness.change > (1 + _TELLING) * change]
    neither = [v for v in judged if v not in helped + hurt]
    said = [
        f"The reference changes by {found.own:.1f} grey levels a frame, the plain film by {change:.1f}.",
        _listed("Steadier", helped, plain),
        _listed("Less steady", hurt, plain),
        _listed("Hardly different", neither, plain),
    ]
    if guide is not None:
        costs = guide.film.kinetic.mean() / plain.film.kinetic.mean()
        what = "does not help: it changes nothing that arrives"
        if guide.away >= _SAME:
            what = "changes what arrives only through this sampler's step error"
        said.append(
            f"The path guide {what} ({guide.away:.2f} grey levels from the plain film), while the way there costs "
            f"{costs:.2f} times the kinetic energy."
        )
    return " ".join(filter(None, said))


def _listed(what: str, variants: list[Variant], plain: Variant) -> str:
    if not variants:
        return ""
    parts = []
    for variant in variants:
        farther = variant.film.success.value - plain.film.success.value
        where = f"{abs(farther):.1f} {'farther from' if farther > 0 else 'nearer to'} the reference"
        change = variant.film.steadiness.change
        still = ": it stands still" if change < STILL else ""
        parts.append(f"{variant.way.phrase} ({change:.1f}{still}, {where})")
    return f"{what}: {', '.join(parts)}."
