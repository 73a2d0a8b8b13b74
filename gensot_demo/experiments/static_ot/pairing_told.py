"""What a run on pairings says, in sentences made from its numbers and their scatter over seeds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..energy.training_told import FEWEST_SEEDS, difference
from .pairing import CALLS, PairingRun
from .pairing_request import SIZES

_GOOD = 1.25  # times its error at the most calls: as good as a flow gets


def of_pairs(run: PairingRun) -> list[str]:
    """Of the pairs alone."""
    if run.pairs is None:
        return []
    least, pairs = float(np.mean(run.task.least)), run.pairs
    listed = ", ".join(f"{label} {row.mean():.2f}" for label, row in zip(run.labels, pairs.cost, strict=True))
    swapped = ", ".join(
        f"{100 * row.mean():.0f} % ({label})" for label, row in zip(run.labels, pairs.swapped, strict=True)
    )
    lines = [
        f"Mean squared length of a pair: {listed}; no pairing has less than W₂² = {least:.3f}. Of any two pairs, "
        f"{swapped} would be cheaper with their partners swapped."
    ]
    if "minibatch" in run.request.pairings:
        size = run.request.minibatch
        mean, error = run.task.plans[SIZES.index(size)]
        lines.append(
            f"A minibatch knows only its own {size} points: its plan costs {mean:.2f} ± {error:.2f}, "
            f"{100 * (mean / run.task.least[0] - 1):.0f} % more than the least. Flows learnt from it are still right "
            "at the end, but not optimal."
        )
    return lines


def of_flows(run: PairingRun) -> list[str]:
    """Of what was learnt; nothing before the end."""
    if not run.complete:
        return []
    learnt = run.learnt
    listed = ", ".join(f"{label} {row.mean():.2f}" for label, row in zip(run.labels, learnt.straightness, strict=True))
    spent = ", ".join(
        f"{energy.mean():.2f} of {cost.mean():.2f} ({label})"
        for label, energy, cost in zip(run.labels, learnt.energy, run.pairs.cost, strict=True)
    )
    lines = [
        f"Straightness of the learnt lines, 0 at best: {listed}. What the flow spends of what its pairs cost: {spent}. "
        "The rest averages out where lines cross, and is the loss that stays."
    ]
    error = run.calls.error.mean(1)
    few = ", ".join(f"{label} {row[0]:.3f}" for label, row in zip(run.labels, error, strict=True))
    needed = ", ".join(f"{label} {calls_needed(row)}" for label, row in zip(run.labels, error, strict=True))
    lines.append(
        f"After a single call: {few} (draws from the data {run.calls.floor:.3f}). Calls until the error is within "
        f"{100 * (_GOOD - 1):.0f} % of its own at {CALLS[-1]}: {needed}. {_ranking(run)}"
    )
    return lines


def calls_needed(error: NDArray[np.float64]) -> int:
    """The fewest of CALLS from which on the error (K,) stays within a quarter of its last."""
    good = error <= _GOOD * error[-1]
    stays = np.flip(np.logical_and.accumulate(np.flip(good)))
    return CALLS[int(np.argmax(stays))]


def _ranking(run: PairingRun) -> str:
    """The shortest pairs against the others at one call, over seeds."""
    names, seeds = run.request.pairings, run.request.seeds
    if len(names) < 2:
        return "One pairing alone: nothing to compare."
    if seeds < FEWEST_SEEDS:
        return f"From {seeds} seed{'s' * (seeds > 1)} small differences mean nothing: take three."
    errors, said = run.calls.error[:, :, 0], []
    for p in range(len(names) - 1):
        found = difference(errors[-1], errors[p])
        outcome = ("better than" if found.mean < 0 else "worse than") if found.told else "not told apart from"
        said.append(f"{outcome} {run.labels[p]} ({found.text()})")
    return f"At one call {run.labels[-1]} is {', '.join(said)}, over {seeds} seeds."
