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
    several = request.sentence or request.tokens > 1
    chooses = request.beta > 0 and request.scale > 0 and bool(attention.looks.norm()) and several
    on = "the " + request.space if request.normalised else "a circle or sphere"
    choice = "wᵢⱼ = softmaxⱼ(β ⟨Qxᵢ, Kxⱼ⟩)"
    second = (
        Term("+ β V S KᵀQ x", "the same average, moved towards what fits the query: so for a Gaussian law", chooses)
        if request.space == "gaussian"
        else Term(
            "+ Σⱼ (wᵢⱼ − 1/n) V xⱼ",
            f"each token listens more to those whose key fits its query: {choice}; β = {request.beta:g} says how much "
            "more, at β = 0 all count the same. With the first term: Σⱼ wᵢⱼ V xⱼ, attention",
            chooses,
        )
    )  # fmt: skip
    mean = "V m" if request.space == "gaussian" else "V x̄"
    return (
        Term(mean, "what the average token says, the same for all", request.scale > 0),
        second,
        Term("− xᵢ⟨xᵢ, ·⟩", f"its part along the token is taken away: layer norm keeps it on {on}", request.normalised),
    )  # fmt: skip


def told_of(moving: MovingTokens, attention: Attention, sign: int | None) -> tuple[str, ...]:
    """sign: of the interaction energy's change, None if unknown."""
    request = moving.request
    if moving.law is not None:
        return _of_law(moving)
    lines = [_of_clusters(moving, attention, sign), _of_energy(moving, attention, sign)]
    if request.sentence:
        lines.insert(0, _of_sentence(moving))
    if moving.cut:
        lines.insert(0, f"{_ending(moving)} In the plane nothing holds tokens; transformers have layer norm.")
    return tuple(lines)


def _ending(moving: MovingTokens) -> str:
    """Why the run ended before its depth."""
    at = f"The run ends at depth {moving.times[-1]:.3g} of {moving.request.depth:g}"
    if moving.cut == "token":
        first, last = (float(np.linalg.norm(moving.space_positions[n], axis=-1).max()) for n in (0, -1))
        return f"{at}: then a token is {last:.0f} from the centre, where the farthest began at {first:.2g}."
    spreads = np.linalg.eigvalsh(moving.law.covariance[[0, -1]])[:, -1]
    return {
        "grown": f"{at}, as the largest variance of the law is then {spreads[1] / spreads[0]:.3g} times the first.",
        "far": f"{at}: then the mean of the law is {np.linalg.norm(moving.law.mean[-1]):.0f} from the centre.",
        "spent": f"{at}: the law changes so fast that its equation is not solved any further.",
    }[moving.cut]


def _of_clusters(moving: MovingTokens, attention: Attention, sign: int | None) -> str:
    depths, counts = moving.counted
    first, last, normalised = int(counts[0]), int(counts[-1]), moving.request.normalised
    start = f"{first} cluster{'s' * (first > 1)}"
    what = "cosine above 0.999" if normalised else "closer than 10 % of the cloud's own size"
    if last == first:
        line = f"{start} at the start and at the end ({what})"
        if first == 1:
            return f"{line}."
        if (counts == first).all():
            return f"{line}: none has merged yet."
        return f"{line}; between {counts.min()} and {counts.max()} on the way."
    if last > first:
        line = f"{start} become{'s' * (first == 1)} {last} ({what})"
        if not normalised:
            return f"{line}. The size shrinks or grows with the cloud, so this says nothing of who attracts whom."
        return f"{line}: tokens keep away from one another." if sign == -1 else f"{line}."
    if last == 1:
        since = float(depths[counts > 1][-1])
        return f"{first} clusters become one, after depth {since:.1f} ({what}): in the end all tokens say the same."
    still = float(depths[counts > last][-1])
    line = f"{first} clusters become {last} ({what}), the last merging at depth {still:.1f}."
    alike = np.allclose(attention.looks, np.eye(moving.request.dimension))
    if sign == 1 and alike and normalised:  # else tokens look for what is opposite, and two clusters stay
        line += " This is no final number: clusters attract one another, though very weakly, and may merge far deeper."
    return line


def _of_energy(moving: MovingTokens, attention: Attention, sign: int | None) -> str:
    curve = moving.falling[0].values
    change = f"by {abs(curve[-1]):.3g} in this run"
    if sign == 1:
        return (
            "Here V is a positive multiple of QᵀK, and symmetric: each token climbs the interaction energy, so the "
            f"curve, which is drawn with minus, can only fall: {change}."
        )
    if sign == -1:
        return f"Here V is a negative multiple of QᵀK: each token descends the interaction energy, {change}."
    if sign == 0:
        return "V is 0: nothing moves, and no energy changes."
    ups = bool((np.diff(curve) > 1e-3 * max(1e-9, float(np.ptp(curve)))).any())
    seen = "In this run the one drawn also rises." if ups else "In this run the one drawn does not rise."
    if not moving.request.beta and np.allclose(attention.values, attention.values.mT):
        return (
            "At β = 0 every token hears the average x̄ alone, and with V symmetric each climbs ½⟨x̄, Vx̄⟩, whatever Q "
            f"and K are; the curve is another energy, that of QᵀK. {seen}"
        )
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
    law, tokens = moving.law, moving.request.tokens
    end, blows_up = float(moving.times[-1]), math.isfinite(moving.law.blow_up)
    first, last = np.linalg.eigvalsh(law.covariance[[0, -1]])[:, -1]
    if blows_up:
        source = (
            "1 / (2 β a c σ²), QᵀK = a, c the part of V that does not turn" if law.exact else "found from its equation"
        )
        line = f"The variance of the law becomes infinite at depth {law.blow_up:.3g} ({source})."
    elif law.exact:
        line = "This law never blows up."
    else:
        line = f"This law does not blow up before depth {law.searched:.3g}; later was not looked at."
    lines = [f"{line} At depth {end:.3g} its largest variance is {last / first:.3g} times the first."]
    if moving.cut == "grown":
        lines[0] = f"{line} {_ending(moving)}"
    elif moving.cut:
        lines.append(_ending(moving))
    line = f"Largest variance at the end: {last:.3g} by the law's equation, "
    if tokens > 1:
        found = np.linalg.eigvalsh(np.cov(moving.space_positions[-1].T))[-1]
        line += f"{found:.3g} of {tokens:,} tokens."
    else:
        line += "and one token has none."
    if blows_up:
        line += (
            " Attention weighs by e^{β⟨Qx, Ky⟩}; under that weight a Gaussian has its mass ever further "
            "out, where finitely many have no token. Softmax then picks the outermost, whose pull is finite: they "
            "fall behind the law as it nears its blow-up, and never blow up themselves."
        )
    return (*lines, line)
