"""What one sees of one sample, in sentences made of its own numbers."""

from __future__ import annotations

import numpy as np

from gensot_demo.backbones.embedded import NETWORK_INFO

from .guidance_term import GuidanceTerm
from .leaving import LEFT, Leaving
from .neighbours import Neighbours
from .run import Inspection

_TOWARDS, _AWAY = 0.3, -0.3  # cosines: beyond them a direction has a name


def summary(found: Inspection) -> str:
    """Two sentences on what happened to this very sample; empty until the model has answered."""
    if found.term is None or found.leaving is None:
        return ""
    return f"{_guided(found)} {_left(found.leaving)}"


def _guided(found: Inspection) -> str:
    term, label = found.term, found.part.label
    if term.silent:
        if found.method == "unguided":
            return "Nothing guided this sample: what was predicted is what the model predicts by itself."
        if found.genealogy is not None:
            return f"{label} never moved a prediction: it only chose among particles that move without guidance."
        return f"{label} never moved a prediction: what it did was done before the first step or between the steps."
    at = term.strongest
    return (
        f"{label} pushed hardest at noise level {_level(term.levels[at])}, by {_number(term.size[at])} {term.unit} "
        f"(root mean square), {_towards(term, at)}."
    )


def _towards(term: GuidanceTerm, at: int) -> str:
    cosine = term.to_end[at]
    if not np.isfinite(cosine):
        return "in no direction that can be told"
    where = "towards" if cosine > _TOWARDS else "away from" if cosine < _AWAY else "across the way to"
    return f"{where} the picture that it became (cosine {cosine:.2f})"


def _left(leaving: Leaving) -> str:
    at = leaving.left
    if at is None:
        same = f", {leaving.nearest}" if leaving.nearest else ""
        return f"It never left the unguided path: without guidance, the same noise makes the same picture{same}."
    name = f", {leaving.nearest}," if leaving.nearest else ""
    level = leaving.levels[at]
    first = "at the very start," if at == 0 else "at"
    when = f"{first} noise level {_level(level)}" if level > 0 else "with its last step"
    return (
        f"It left the unguided path {when} and ended {_number(leaving.final)} {leaving.unit} from the picture{name} "
        "that the same noise makes without guidance."
    )


def about_term(found: Inspection) -> str:
    """How the figures and pictures of the guidance term are to be read."""
    term = found.term
    if term is None or term.silent:
        return ""
    return f"Guidance term: mid grey is nothing, white {term.scale:.0f} grey levels more and black as many less."


def about_leaving(leaving: Leaving) -> str:
    """What is compared, and from where the unguided path comes."""
    made = "sampled just now for this" if leaving.sampled else "taken from this run"
    return f"The path counts as left from {100 * LEFT:.0f} % of the final distance on. The unguided one was {made}."


def about_neighbours(found: Inspection) -> str:
    """Whether the sample is a copy of a known picture, judged by what lies between these."""
    info, near = found.result.backbone.info, found.neighbours
    if near is None:
        return f"Nobody here knows which pictures {info.label} was made of, so the nearest of them cannot be shown."
    distance, typical = near.distances[0], near.spacing
    measured = (
        f"The nearest, {near.names[0]}, is {distance:.1f} grey levels away (root mean square); half of the known "
        f"pictures have none other within {typical:.1f}."
    )
    if info.exact:
        what = "It is this picture" if near.copied else "It is none of them yet"
        return f"{measured} {what}: an exact model of known pictures can make nothing else."
    unseen = (
        " Mirrored and shifted copies, which it also saw, are not searched." if info.name == NETWORK_INFO.name else ""
    )
    return f"{measured} {_verdict(near)}{unseen}"


def _verdict(near: Neighbours) -> str:
    if near.copied:
        return "The sample is a copy of it, or nearly so: memorised."
    if near.distances[0] < near.spacing:
        return "Nearer than they are to one another, but no copy."
    return "The sample is no copy: it is further away than they are from one another."


def about_genealogy(found: Inspection) -> str:
    """How many lines survived, and since when all have one ancestor."""
    tree = found.genealogy
    if tree is None:
        return ""
    particles, levels = tree.parents.shape[1], found.part.levels
    if not tree.resampled:
        how = "Nothing was ever copied or dropped; the sample was chosen by weight at the end."
    else:
        how = f"Particles were copied and dropped {len(tree.resampled)} times"
        at = tree.coalescence
        if at is None:
            how += f"; at the end {tree.ancestors[0]} of {particles} first particles still have descendants."
        else:
            how += f"; at the end all descend from one particle of noise level {_level(levels[at])}."
    shares = tree.share[np.isfinite(tree.share)]
    worst = f" The effective share of particles was never below {100 * shares.min():.0f} %." if len(shares) else ""
    return how + worst


def _level(level: float) -> str:
    return "∞" if not np.isfinite(level) else f"{level:.3g}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"
