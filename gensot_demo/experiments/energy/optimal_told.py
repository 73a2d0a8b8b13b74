"""What a person sees in the figures of "Kinetic-optimal paths", in sentences."""

from __future__ import annotations

from .optimal import OptimalResult, PathCost
from .optimal_sweep import Sweep

_AGREE = 1.02  # energies within 2 % are said to be alike


def of_result(result: OptimalResult) -> list[str]:
    """When the data are decided, what the cheapest path costs, and what the others cost on top."""
    straight, cosine = result.path("condot"), result.path("cosine")
    best = result.best
    lines = [_decided(result), _cost(best, straight, cosine)]
    own = next((path for path in result.paths if path.name == "drawn"), None)
    if own is not None:
        lines.append(f"Your schedule costs {_number(own)}, {own.energy / best.energy:.2f} times the least.")
    if result.bound is not None:
        said = f"What is undecided adds up to ∫ |1 − λ| dr = {result.undecided:.3g}"
        vacuous = ", which says nothing here: the integral never exceeds π/2" if result.bound > 1.5708 else ""
        lines.append(f"{said}; the theorem's bound 3n/√d is {result.bound:.3g}{vacuous}.")
    return lines


def _decided(result: OptimalResult) -> str:
    """At which noise half of the data is decided."""
    r = result.separation.decided
    of = f"{result.count:,} points" if result.count is not None else "a density"
    return (
        f"{result.label} ({of} in {result.dimension:,} dimension{'s' * (result.dimension != 1)}): half is decided at "
        f"a/m = {r:.2g}, signal over noise."
    )


def _cost(best: PathCost, straight: PathCost, cosine: PathCost) -> str:
    first = f"The cheapest path costs {_number(best)} per coordinate"
    if straight.energy < _AGREE * best.energy:
        return f"{first}, and the straight one, CondOT, nearly the same: {_number(straight)}."
    better = "less than" if cosine.energy < straight.energy else "more than"
    return (
        f"{first}; CondOT {straight.energy / best.energy:.2f} times as much ({_number(straight)}), the cosine path "
        f"{_number(cosine)}, {better} CondOT."
    )


def _number(path: PathCost) -> str:
    error = f" ± {2 * path.error:.1g}" if path.error >= 5e-4 else ""
    return f"{path.energy:.3f}{error}"


def of_sweep(found: Sweep) -> str:
    """How fast CondOT becomes the cheapest path."""
    last = f"{found.straight[-1] / found.optimal[-1] - 1:.1%} above the cheapest path"
    decay = "" if found.decay is None else f" It shrinks as d to the power {found.decay:.2f}."
    return (
        f"{found.count} points in {found.dimension[-1]:,.0f} dimensions: {found.undecided[-1]:.3f} is left undecided, "
        f"the bound {found.bound[-1]:.3g}; CondOT is {last}.{decay}"
    )
