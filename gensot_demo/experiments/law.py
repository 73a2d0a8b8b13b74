"""How far sampled frequencies are from a known law: total variation with its noise floor and its power.

Two traps make such numbers lie (docs/FORMULAS.md 1.6): with too few draws every law looks equally far, so the same
statistic is always computed for exact draws (the floor) and for a deliberately wrong law, half of whose outcomes are
missing (the power); and a law that is spread too widely for the draws is compared on groups of pictures instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_REPEATS = 200
_DRAWS_PER_OUTCOME = 10
_UNLIKELY = 0.01
_FEWEST_DRAWS = 30


@dataclass(frozen=True)
class LawReport:
    """Distances of one method's draws from the law asked for.

    distance: total variation, 0 to 1; error: its standard error by bootstrap.
    floor, floor_spread: mean and standard deviation of the same statistic for exact draws.
    power: the same for a law that lost half of its outcomes.  outcomes: how many the law was compared on.
    collision: unbiased estimate of sum (p - q)^2, with its standard error; it has no floor.
    effective, ideal: exp(entropy) of the observed frequencies, and of as many exact draws.
    effective_error: its standard error.
    """

    draws: int
    distance: float
    error: float
    floor: float
    floor_spread: float
    power: float
    outcomes: int
    grouped: bool
    collision: float
    collision_error: float
    effective: float
    effective_error: float
    ideal: float

    @property
    def telling(self) -> bool:
        """Whether the statistic can tell the wrong law from the right one: else the distance proves nothing."""
        return self.draws >= _FEWEST_DRAWS and self.power > self.floor + 4 * self.floor_spread


def effective_number(frequencies: NDArray[np.float64]) -> float:
    """exp(entropy) of a law: how many equally likely outcomes it is worth."""
    p = frequencies[frequencies > 0]
    return float(np.exp(-(p * np.log(p)).sum()))


def assess(law: NDArray[np.float64], draws: NDArray[np.intp], order: NDArray[np.intp], seed: int = 0) -> LawReport:
    """Compare draws (n,), indices of outcomes, with ``law`` (N,).

    order: (N,) the outcomes in an order of likeness, cut into groups when the law is too wide for the draws.
    seed: of the floor's exact draws.
    """
    n = len(draws)
    counts = np.bincount(draws, minlength=len(law)).astype(float)
    grouped = effective_number(law) * _DRAWS_PER_OUTCOME > n
    if grouped:
        groups = equal_groups(law, order, max(2, n // _DRAWS_PER_OUTCOME))
        p, observed = np.bincount(groups, weights=law), np.bincount(groups, weights=counts, minlength=groups.max() + 1)
    else:
        p, observed = law, counts
    # a stream each: the floor and the power must not depend on what was observed
    of_floor, of_power, of_error, of_ideal, of_effective = (np.random.default_rng([seed, k]) for k in range(5))
    exact = of_floor.multinomial(n, p, size=_REPEATS) / n
    floor = 0.5 * np.abs(exact - p).sum(1)
    again = of_error.multinomial(n, observed / n, size=_REPEATS) / n
    wrong = of_power.multinomial(n, _half_lost(p, of_power), size=_REPEATS) / n
    collision, collision_error = _collision(p, observed, n)
    ideal = [effective_number(row) for row in of_ideal.multinomial(n, law, size=_REPEATS // 4) / n]
    shuffled = [effective_number(row) for row in of_effective.multinomial(n, counts / n, size=_REPEATS // 4) / n]
    return LawReport(
        draws=n,
        distance=float(0.5 * np.abs(observed / n - p).sum()),
        error=float((0.5 * np.abs(again - p).sum(1)).std()),
        floor=float(floor.mean()),
        floor_spread=float(floor.std()),
        power=float(0.5 * np.abs(wrong - p).sum(1).mean()),
        outcomes=int((p > 1e-6).sum()),
        grouped=grouped,
        collision=collision,
        collision_error=collision_error,
        effective=effective_number(counts / n),
        effective_error=float(np.std(shuffled)),
        ideal=float(np.mean(ideal)),
    )


_HALVED = (0.05, 0.95)  # of the mass, else one outcome holds too much of it to be halved


def _half_lost(p: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """The law with a random half of its mass removed, outcome by outcome, and renormalised; where one outcome holds
    nearly all of it, as after a precise measurement, the law without that outcome."""
    order = rng.permutation(len(p))
    kept = order[: 1 + np.abs(np.cumsum(p[order]) - 0.5).argmin()]
    if not _HALVED[0] <= p[kept].sum() <= _HALVED[1]:
        kept = np.delete(np.arange(len(p)), p.argmax())
    wrong = np.zeros_like(p)
    wrong[kept] = p[kept] if p[kept].sum() > 0 else 1.0
    return wrong / wrong.sum()


def _collision(p: NDArray[np.float64], counts: NDArray[np.float64], n: int) -> tuple[float, float]:
    """Unbiased sum (p - q)^2 from draws of q, and its standard error: sum q^2 is estimated by colliding pairs."""
    if n < 2:
        return float("nan"), float("nan")
    estimate = (counts * (counts - 1)).sum() / (n * (n - 1)) - 2 * (counts @ p) / n + (p**2).sum()
    q = counts / n
    slope = 2 * (q - p)  # influence of one draw on the estimate
    variance = max((q @ slope**2) - (q @ slope) ** 2, 0.0) / n + 2 * (q**2).sum() / n**2
    return float(estimate), float(np.sqrt(variance))


def equal_groups(law: NDArray[np.float64], order: NDArray[np.intp], groups: int) -> NDArray[np.intp]:
    """Group of each outcome (N,): ``groups`` stretches of ``order`` with about equal shares of the law, after group 0
    of the unlikely ones, which hold 1 % of it together: what is drawn there is not what was asked for."""
    least = np.argsort(law)
    unlikely = np.zeros(len(law), dtype=bool)
    unlikely[least[np.cumsum(law[least]) <= _UNLIKELY]] = True
    likely = order[~unlikely[order]]
    before = np.cumsum(law[likely]) - 0.5 * law[likely]
    out = np.zeros(len(law), dtype=np.intp)
    out[likely] = 1 + np.minimum((before / law[likely].sum() * groups).astype(np.intp), groups - 1)
    return out


def order_of_likeness(points: NDArray[np.float64]) -> NDArray[np.intp]:
    """Outcomes (N,) in an order that keeps like ones together: leaves of Ward's clustering of points (N, d)."""
    from scipy.cluster.hierarchy import leaves_list, linkage

    return leaves_list(linkage(points, "ward")).astype(np.intp)


@dataclass(frozen=True)
class Verdict:
    """What a comparison may claim, in sentences that carry their uncertainty."""

    sentences: tuple[str, ...]


def verdict(labels: dict[str, str], reports: dict[str, LawReport], calls: dict[str, float]) -> Verdict:
    """Closest to the law asked for, most diverse, cheapest; "no significant difference" where that is so."""
    lines = []
    if reports:
        lines.append(_closest(labels, reports))
        lines.append(_most_diverse(labels, reports))
    if len(calls) > 1:
        fewest = min(calls.values())
        cheapest = [labels[name] for name, cost in calls.items() if cost == fewest]
        lines.append(f"Cheapest: {_names(cheapest)}, {fewest:g} network calls a sample.")
    return Verdict(tuple(lines))


def _closest(labels: dict[str, str], reports: dict[str, LawReport]) -> str:
    any_report = next(iter(reports.values()))
    if not any_report.telling:
        return (
            f"Too few samples to rank the methods: {any_report.draws} each. So few exact draws already lie "
            f"{any_report.floor:.2f} from their own law, and a law that lost half its pictures "
            f"{any_report.power:.2f}. Measure with more draws."
        )
    best = min(reports, key=lambda name: reports[name].distance)
    ties = [
        name
        for name, report in reports.items()
        if report.distance - reports[best].distance
        <= 2 * np.sqrt(report.error**2 + reports[best].error ** 2 + any_report.floor_spread**2)
    ]
    floor = f"exact draws: {any_report.floor:.2f} ± {any_report.floor_spread:.2f}"
    reached = reports[best].distance <= any_report.floor + 3 * np.hypot(any_report.floor_spread, reports[best].error)
    missed = "" if reached else ", and none follows it" if len(ties) > 1 else ", but does not follow it"
    if len(ties) == len(reports) and len(reports) > 1:
        return f"Closest to the law asked for: no significant difference among {len(ties)} methods{missed} ({floor})."
    shown = "; ".join(f"{labels[n]} {reports[n].distance:.2f} ± {reports[n].error:.2f}" for n in ties)
    return f"Closest to the law asked for: {shown}{missed} ({floor})."


def _most_diverse(labels: dict[str, str], reports: dict[str, LawReport]) -> str:
    best = max(reports, key=lambda name: reports[name].effective)
    top = reports[best]
    ties = [
        name
        for name, report in reports.items()
        if top.effective - report.effective <= 2 * np.hypot(report.effective_error, top.effective_error)
    ]
    if len(ties) == len(reports) and len(reports) > 1:
        return f"Most diverse: no significant difference (the law asked for would give {top.ideal:.1f} pictures)."
    shown = "; ".join(f"{labels[n]} {reports[n].effective:.1f}" for n in ties)
    line = f"Most diverse: {shown} effective pictures in {top.draws} draws; the law asked for gives {top.ideal:.1f}"
    return line + (", so more is not better." if top.effective > top.ideal + 2 * top.effective_error else ".")


def _names(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
