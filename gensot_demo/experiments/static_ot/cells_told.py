"""What the numbers of "Cells" say, in sentences."""

from __future__ import annotations

from .cells import CellsResult
from .cells_decay import Decays

_FINE = 1e-3


def of_result(result: CellsResult) -> list[str]:
    """Who goes elsewhere and at what cost, masses and prior error, and how a set was moved."""
    found, count = result.difference, len(result.points)
    if result.same:
        first = (
            f"{result.label}: both maps are the same, but for at most {percent(max(found.share, 1e-4))} of the noise, "
            "as far as this grid and this T can tell. So it is for points on a line, grids and regular polygons, not "
            "in general."
        )
    else:
        first = (
            f"{result.label}: the flow sends {percent(found.share)} of the noise to another point than Brenier's map. "
        )
        if result.cheats:
            first += (
                f"Its squared distance, {result.cost:.4f}, is below W₂² = {result.w2:.4f}, since it "
                f"cheats on the masses: W₂² is the least among maps that give every point 1/{count} of the noise, and "
                "this flow does not."
            )
        else:
            first += (
                f"Its squared distance is {result.cost:.4f}, {percent(result.surplus)} above the least, "
                f"{result.w2:.4f}."
            )
    lines = [first]
    lines.append(
        f"Starting from N(0, I) at T = {result.request.time:g} instead of from the noised data is a prior error of "
        f"{scientific(result.prior.value)} (W₂). No better score or solver removes it; the flow's cells miss their "
        f"mass by {mass(result)} in all because of it."
    )
    x, y = result.moved
    if result.request.data == "drawn":
        lines.append(
            f"Your drawing was centred, moved by ({-x:.2f}, {-y:.2f}), and divided by {result.scale:.2f}, so that its "
            "variance is 1 per coordinate, as that of the noise."
        )
    return lines


def of_decays(found: Decays) -> list[str]:
    """What falls with T, how fast, and what stays."""
    lines, share = [], found["share"].values[-1]  # NaN: below what can be computed
    tail, prior, mass, distance = (found[name] for name in ("tail", "prior", "mass", "distance"))
    if tail.rate is not None:
        lines.append(
            f"From T on, flow and optimal transport agree: carrying the noised data on to noise, they differ by "
            f"e^(−{tail.rate:.1f} T). It is this part of which “the flow converges to optimal transport” is true."
        )
    else:
        lines.append("From T on, flow and optimal transport agree to what can be computed, at all but the shortest T.")
    rates = [("prior error", prior), ("mass error", mass), ("distance to the flow from T = ∞", distance)]
    known = ", ".join(f"{name} e^(−{curve.rate:.1f} T)" for name, curve in rates if curve.rate is not None)
    if known:
        lines.append(f"Measured in this run, by a line through T ≥ 2: {known}.")
    if prior.rate is not None:
        lines.append(_of_prior(found.white, prior.rate))
    if share > _FINE:
        lines.append(
            f"The share sent elsewhere stays at {percent(share)} however large T is: the way is bent at its end, where "
            "the data decide, and no later start of the noise straightens that."
        )
    else:
        lines.append("Here nothing is left of the difference as T grows: for these points the flow is Brenier's map.")
    return lines


def _of_prior(white: bool, rate: float) -> str:
    """Why the prior error falls at its rate."""
    if white:
        return (
            f"These points have the second moments of noise. So the first thing in which the noised data differ from "
            f"noise is of higher order, and the prior error falls as e^(−{rate:.1f} T), not as e^(−2 T)."
        )
    return (
        f"The prior error falls as e^(−{rate:.1f} T): these points are wider along one direction than along another. "
        "With the second moments of noise it falls faster, as e^(−3 T), or e^(−4 T) where third moments vanish too, as "
        "for the octagon."
    )


def mass(result: CellsResult) -> str:
    """The mass error, or, below what the grid can tell, how large it is at most."""
    if result.mass_error < result.accuracy:
        return f"at most {percent(result.accuracy)}"
    return percent(result.mass_error)


def surplus(result: CellsResult) -> str:
    """By how much the flow's squared distance is above the least, with its sign."""
    more = 100 * result.surplus
    return "0 %" if abs(more) < 0.05 else f"{more:+.1f} %".replace("-", "−")


def percent(share: float) -> str:
    """A share in percent, to the digits that mean something."""
    value = 100 * share
    if value >= 0.1:
        return f"{value:.1f} %"
    return f"{value:.2g} %" if value >= 0.01 else f"{scientific(value)} %"


def scientific(value: float) -> str:
    """A small number as people write it."""
    if value == 0 or value >= 0.01:
        return f"{value:.3f}"
    digits, power = f"{value:.1e}".split("e")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{digits}·10{raised}"
