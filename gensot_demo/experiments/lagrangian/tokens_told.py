"""What is said of a run of tokens: the terms of its velocity, and sentences from its numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gensot_demo.transport.lagrangian.attention import Attention

from .moving import Term
from .sentence import SENTENCE, WORDS
from .tokens_request import TokensRequest

if TYPE_CHECKING:
    from .tokens import MovingTokens


def terms_of(request: TokensRequest, attention: Attention) -> tuple[Term, ...]:
    """The average of all tokens, what choosing among them adds, and what keeps tokens on the sphere."""
    chooses = request.beta > 0 and bool(attention.looks.norm()) and request.tokens > 1
    on = "the " + request.space if request.normalised else "a circle or sphere"
    choice = "wᵢⱼ = softmaxⱼ(β ⟨Qxᵢ, Kxⱼ⟩)"
    second = (
        Term("+ β V S KᵀQ x", "the same average, moved towards what fits the query: so for a Gaussian law", chooses)
        if request.space == "gaussian"
        else Term(
            "+ Σⱼ (wᵢⱼ − 1/n) V xⱼ",
            f"each token listens more to those whose key fits its query: {choice}; β = {request.beta:g} says how much "
            "more, at β = 0 all count the same. With the first term: Σⱼ wᵢⱼ V xⱼ, attention",
            chooses and request.scale > 0,
        )
    )  # fmt: skip
    mean = "V m" if request.space == "gaussian" else "V x̄"
    return (
        Term(mean, "what the average token says, the same for all", request.scale > 0),
        second,
        Term("− xᵢ⟨xᵢ, ·⟩", f"its part along the token is taken away: layer norm keeps it on {on}", request.normalised),
    )  # fmt: skip


def told_of(moving: MovingTokens, sign: int) -> tuple[str, ...]:
    """sign: of the interaction energy's change, 0 if unknown."""
    request = moving.request
    if moving.law is not None:
        return _of_law(moving)
    lines = [_of_clusters(moving, sign), _of_energy(moving, sign)]
    if request.sentence:
        lines.insert(0, _of_sentence(moving))
    if moving.cut:
        lines.insert(0, _of_size(moving))
    return tuple(lines)


def _of_size(moving: MovingTokens) -> str:
    farthest = float(np.linalg.norm(moving.space_positions[-1], axis=-1).max())
    return (
        f"The run ends at depth {moving.times[-1]:.2f} of {moving.request.depth:g}: then a token is {farthest:.0f} "
        "from the centre, where they began near one. In the plane nothing holds them; transformers have layer norm."
    )


def _of_clusters(moving: MovingTokens, sign: int) -> str:
    depths, counts = moving.counted
    first, last = int(counts[0]), int(counts[-1])
    start = f"{first} cluster{'s' * (first > 1)}"
    what = "cosine above 0.999" if moving.request.normalised else "closer than 10 % of the cloud's own size"
    if last == first:
        return f"{start} at the start and at the end ({what}): here nothing gathers."
    if last > first:
        return f"{start} become{'s' * (first == 1)} {last} ({what}): tokens keep away from one another."
    if last == 1:
        since = float(depths[counts > 1][-1])
        return f"{first} clusters become one, after depth {since:.1f} ({what}): in the end all tokens say the same."
    still = float(depths[counts > last][-1])
    line = f"{first} clusters become {last} ({what}), the last merging at depth {still:.1f}."
    if sign > 0 and moving.request.normalised:
        line += " This is no final number: clusters attract one another, though very weakly, and may merge far deeper."
    return line


def _of_energy(moving: MovingTokens, sign: int) -> str:
    curve = moving.falling[0].values
    change = f"by {abs(curve[-1]):.3g} in this run"
    if sign > 0:
        return (
            "Here V is a positive multiple of QᵀK, and symmetric: each token climbs the interaction energy, so the "
            f"curve, which is drawn with minus, can only fall: {change}."
        )
    if sign < 0:
        return f"Here V is a negative multiple of QᵀK: each token descends the interaction energy, {change}."
    ups = bool((np.diff(curve) > 1e-3 * max(1e-9, float(np.ptp(curve)))).any())
    seen = "In this run the one drawn also rises." if ups else "In this run the one drawn does not rise."
    return f"V is no multiple of a symmetric QᵀK, so no energy is known that must fall. {seen}"


def _of_sentence(moving: MovingTokens) -> str:
    words, last = list(WORDS), moving.looked[1]
    bank = words.index("bank")
    begins, ends = (_most(moving.looked[n, bank], words, bank) for n in (0, 1))
    return (
        f"{SENTENCE} The embeddings are synthetic: numbers written by hand for three themes, water, money and grammar. "
        f"“bank” looks {begins} at the start, {ends} at the end, and then "
        f"at itself {100 * last[bank, bank]:.0f} %."
    )


def _most(row: np.ndarray, words: list[str], own: int) -> str:
    others = [n for n in np.argsort(-row, kind="stable") if n != own]
    if np.ptp(row) < 0.005:
        return "at all alike"
    return f"most at “{words[others[0]]}” ({100 * row[others[0]]:.0f} %)"


def _of_law(moving: MovingTokens) -> tuple[str, ...]:
    request, law = moving.request, moving.law
    end = float(moving.times[-1])
    exact = np.linalg.eigvalsh(law.covariance[-1])[-1]
    found = np.linalg.eigvalsh(np.atleast_2d(np.cov(moving.space_positions[-1].T)))[-1] if request.tokens > 1 else 0.0
    growth = exact / np.linalg.eigvalsh(law.covariance[0])[-1]
    lines = []
    if math.isfinite(law.blow_up):
        source = "1 / (2 β a c σ²), where QᵀK = a and V = c" if law.exact else "found from its equation"
        reaches = "The run ends before that" if end < law.blow_up else "The run"
        lines.append(
            f"The variance of the law becomes infinite at depth {law.blow_up:.3g} ({source}). {reaches}, at {end:.3g}, "
            f"when its largest is {growth:.1f} times that of the start."
        )
    else:
        lines.append(
            f"This law does not blow up; at depth {end:.3g} its largest variance is {growth:.3g} times the first."
        )
    line = f"Largest variance at the end: {exact:.3g} by the law's equation, {found:.3g} of {request.tokens:,} tokens."
    if math.isfinite(law.blow_up):
        line += (
            " Attention weighs by e^{β⟨Qx, Ky⟩}; under that weight a Gaussian has its mass ever further "
            "out, where finitely many have no token. Softmax then picks the outermost, whose pull is finite: they "
            "fall behind the law as it nears its blow-up, and never blow up themselves."
        )
    return (*lines, line)
