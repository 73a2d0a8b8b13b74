"""What a measured transport shows, in sentences; every number is from the run."""

from __future__ import annotations

import numpy as np

from .run import Panel, TransportResult

_OFF = 4.0  # standard errors from which on a weight is called off
_SAME_END = 0.05  # of the target's spread


def verdict(result: TransportResult) -> list[str]:
    """Who arrives at the law asked for, who does not, and what it costs; nothing before it is measured."""
    measured = [panel for panel in result.panels if panel.measures is not None]
    if not measured:
        return []
    arrived = [panel for panel in measured if abs(off_by(panel)[1]) <= _OFF and not panel.measures.off]
    alike = [panel for panel in arrived if panel.motion.from_source]
    cost = _cost(alike, len(alike) == len(measured))
    return [*_arrivals(result, measured, arrived), *cost, *_same_ends(result, measured)]


def off_by(panel: Panel) -> tuple[int, float]:
    """(mode whose weight is furthest off, by how many standard errors; the pool's own error included)."""
    m = panel.measures
    binomial = m.truth * (1 - m.truth)  # a mode that got nothing has no error of its own to judge it by
    scale = np.sqrt(
        np.maximum(m.errors**2, binomial / panel.motion.x.shape[1]) + binomial / panel.law.effective_pool
    ).clip(1e-6)
    z = (m.shares - m.truth) / scale
    worst = int(np.abs(z).argmax())
    return worst, float(z[worst])


def _arrivals(result: TransportResult, measured: list[Panel], arrived: list[Panel]) -> list[str]:
    if len(arrived) == len(measured) > 1:
        all_of_them = "Both" if len(arrived) == 2 else f"All {len(arrived)}"
        return [f"{all_of_them} arrive at the law asked for, within the error of {_particles(arrived)} particles."]
    sentences = [f"{_joined(arrived)} {_verb(arrived, 'arrive')} at the law asked for."] if arrived else []
    for panel in measured:
        if panel in arrived:
            continue
        m, (mode, z) = panel.measures, off_by(panel)
        if abs(z) > _OFF:
            sentences.append(
                f"{panel.label} misses the weights: mode {result.target.modes[mode]} gets {m.shares[mode]:.3f} ± "
                f"{m.errors[mode]:.3f}, the law has {m.truth[mode]:.3f}."
            )
        else:
            sentences.append(
                f"{panel.label} is off the law: W₂ {m.w2:.2f}, where a perfect sampler scores {m.floor:.2f}."
            )
    return sentences


def _particles(panels: list[Panel]) -> str:
    counts = sorted({panel.motion.x.shape[1] for panel in panels})
    return " or ".join(f"{count:,}" for count in counts)


def _joined(panels: list[Panel]) -> str:
    names = [panel.label for panel in panels]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def _cost(arrived: list[Panel], all_of_them: bool) -> list[str]:
    if len(arrived) < 2:
        return []
    ordered = sorted(arrived, key=lambda panel: panel.measures.action)
    low, high = ordered[0], ordered[-1]
    ratio = high.measures.action / low.measures.action
    if ratio < 1.02:
        return [f"All of them cost the same action, {low.measures.action:.3g}."]
    times = f"{ratio:.2g}" if ratio < 10 else f"{float(f'{ratio:.2g}'):,.0f}"
    among = "" if all_of_them else "Of those that arrive from the same source, "
    return [f"{among}{low.label} is cheapest, action {low.measures.action:.3g}; {high.label} costs {times} times that."]


def _same_ends(result: TransportResult, measured: list[Panel]) -> list[str]:
    """Which panels deliver each particle where the first one does."""
    spread = result.target.mixture.covariance_trace() ** 0.5
    same = [p for p in measured if p.measures.moved is not None and p.measures.moved < _SAME_END * spread]
    if not same:
        return []
    furthest = max(panel.measures.moved for panel in same)
    shown = f"{furthest:.2g}" if furthest > 1e-4 else "nothing that could be seen"
    return [
        f"Particle by particle, {_joined(same)} {_verb(same, 'end')} where {measured[0].label} does "
        f"(difference: {shown})."
    ]


def _verb(panels: list[Panel], verb: str) -> str:
    return f"{verb}s" if len(panels) == 1 else verb
